"""Sensitive columns inside X: found, set aside while the rest is mixed, and put back in place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from fairlattice._validation import IntArray, as_column, as_columns, as_native, check_columns_exist, frame_of
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice

_FIRST = 200  # rows that show as a rule that a column is none
_LEAST = 20  # rows, of fewer a column follows an attribute by chance


def groups_of(X: Any, sensitive_features: Any, inside: Sequence[str | int] | None) -> Any:
    """The sensitive attributes: as passed, or the columns of X called `inside`."""
    if sensitive_features is not None:
        native = as_native(sensitive_features, allow_series=True)
        return native.collect().to_native() if isinstance(native, nw.LazyFrame) else sensitive_features
    if inside is None:
        raise InputError(
            "Groups are needed: pass `sensitive_features`, or name columns of X with `sensitive`."
        )
    if isinstance(X, np.ndarray):
        odd = [j for j in inside if not isinstance(j, int | np.integer) or not -X.shape[1] <= j < X.shape[1]]
        if odd:
            raise InputError(f"`sensitive` must hold positions among {X.shape[1]} columns, got {odd[0]!r}.")
        return {f"x_{j}": X[:, int(j)] for j in inside}
    table = nw.from_native(X, eager_only=True)
    check_columns_exist([str(n) for n in inside], table.columns)
    return frame_of(table, list(inside)).to_native()


def columns_inside(
    X: Any, inside: Sequence[str | int] | None, lattice: GroupLattice, values: Sequence[npt.NDArray[Any]]
) -> dict[Any, int]:
    """Columns of X that follow an attribute, by position in an array and by name in a frame, and which one.

    They hold the attribute itself, or something that its value determines, such as 0 and 1 for its levels.
    `values` are those of each attribute, as codes or numbers, one for each row.
    """
    found: dict[Any, int]
    columns: dict[Any, Callable[[], Any]]
    if isinstance(X, np.ndarray):
        found = {int(j) % X.shape[1]: i for i, j in enumerate(inside or ())}
        columns = (
            {j: partial(X.__getitem__, (slice(None), j)) for j in range(X.shape[1])} if X.ndim == 2 else {}
        )
    else:
        table = nw.from_native(X, eager_only=True, pass_through=True)
        if not isinstance(table, nw.DataFrame):
            return {}
        found = {n: lattice.names.index(n) for n in table.columns if n in lattice.names}
        columns = {n: partial(table.get_column, n) for n in table.columns}
    others = [key for key in columns if key not in found]
    followed = {}
    most = max(len(np.unique(own)) for own in values)
    for key in others:
        codes = _codes(columns[key]()[:_FIRST])
        if len(np.unique(codes)) > most:  # as of most columns, which may be thousands
            continue
        near = [i for i, own in enumerate(values) if _follows(codes, own[:_FIRST])]
        if near:
            codes = _codes(columns[key]())
            near = [i for i in near if _follows(codes, values[i])]
        if near:
            followed[key] = near[0]
    return found | followed if len(followed) < len(others) else found


def attribute_values(clean: Any) -> list[IntArray]:
    """A code for each distinct value of each attribute."""
    return [_codes(column) for column in as_columns(clean, "sensitive_features").values()]


def _codes(values: Any) -> IntArray:
    """A number for each distinct value, -1 where it is missing."""
    column = as_column(values, "X")
    if column.values.dtype.kind == "O":
        known: dict[Any, int] = {}
        codes = np.fromiter((known.setdefault(str(v), len(known)) for v in column.values), dtype=np.int64)
    else:
        codes = np.unique(column.values, return_inverse=True)[1].astype(np.int64)
    return np.where(column.missing, -1, codes)


def _follows(codes: IntArray, own: npt.NDArray[Any]) -> bool:
    """Whether a column has one value for each value of an attribute, and two at least."""
    n, distinct, of = len(codes), len(np.unique(codes)), len(np.unique(own))
    if distinct < 2 or distinct > of or n < _LEAST:
        return False
    pairs = len(np.unique(own.astype(np.int64) * (int(codes.max()) + 2) + codes + 1))
    return pairs == of and (of <= n / 5 or distinct == of)


def without(X: Any, inside: Collection[Any]) -> Any:
    """X without these columns."""
    if not inside:
        return X
    if isinstance(X, np.ndarray):
        return np.delete(X, list(inside), axis=1)
    table = nw.from_native(X, eager_only=True)
    rest = [name for name in table.columns if name not in inside]
    if not rest:
        raise InputError("`X` has no columns besides the sensitive ones. At least one feature is needed.")
    return frame_of(table, rest).to_native()


def with_inside(X: Any, features: Any, inside: Mapping[Any, int], sources: list[IntArray]) -> Any:
    """Made features, and between them the columns `inside`, copied from the rows `sources` of X of their attribute."""
    if isinstance(X, np.ndarray):
        out = np.empty((len(sources[0]), X.shape[1]), dtype=X.dtype)
        out[:, np.setdiff1d(np.arange(out.shape[1]), list(inside))] = features
        for j, attribute in inside.items():
            out[:, j] = X[sources[attribute], j]
        return out
    table, made = nw.from_native(X, eager_only=True), nw.from_native(features, eager_only=True)
    parts = [
        (table.get_column(c)[sources[inside[c]].tolist()] if c in inside else made.get_column(c)).to_frame()
        for c in table.columns
    ]
    return nw.concat([nw.maybe_reset_index(p) for p in parts], how="horizontal").to_native()
