"""What may be encoded: a frame, a mapping of columns, or an array of two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
from scipy.sparse import issparse

from fairlattice._column import Column
from fairlattice._validation import as_columns, check_eager, check_no_batch, has_names
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import Feature, Rules, assume, read_features


def decide_features(X: Any, columns: Mapping[str, Column], rules: Rules) -> dict[str, Feature]:
    """Decide what each column of X is, and report what is assumed."""
    features, notes = read_features(columns, rules, named=has_names(X))
    assume(notes)
    return features


def written_types(X: Any) -> set[str]:
    """Columns of decimal types, whose numbers cannot be composed of floats."""
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        return set()
    return {str(n) for n, t in frame.schema.items() if t.is_decimal()}


def table_columns(X: Any) -> dict[str, Column]:
    check_no_batch(X, "X")
    check_eager(X, "X")
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        odd = {n: t for n, t in frame.schema.items() if t.is_nested() or t == nw.Binary}
        if odd:
            name, dtype = next(iter(odd.items()))
            raise InputError(
                f"Column `{name}` has type {dtype}, which cannot be a feature. Drop it, or turn it into "
                "numbers or text."
            )
    elif issparse(X):
        raise InputError("`X` is sparse, and sparse input is not supported. Pass `X.toarray()`.")
    elif not isinstance(X, Mapping):
        array = X if isinstance(X, np.ndarray) else np.asarray(X)
        if array.dtype.kind == "c":
            raise InputError("Complex data not supported.")
        if array.ndim != 2:
            raise InputError(
                f"`X` must be a frame or a two-dimensional array, got shape {array.shape}. Reshape your data."
            )
        if 0 in array.shape:
            message = f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
            raise InputError(message if array.shape[1] == 0 else "`X` has no rows.")
        X = array
    return as_columns(X, "X", default="x")


def read_columns(X: Any, features: Mapping[str, Feature]) -> dict[str, Column]:
    """The columns of a table as they are meant, given what each is."""
    return read_as(table_columns(X), features)


def read_as(columns: Mapping[str, Column], features: Mapping[str, Feature]) -> dict[str, Column]:
    """Columns as they are meant, given what each is."""
    return {name: features[name].reading.apply(column) for name, column in columns.items()}
