"""Sensitive columns inside X: found, set aside while the rest is mixed, and put back in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np

from fairlattice._validation import IntArray, check_columns_exist
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice


def groups_of(X: Any, sensitive_features: Any, inside: Sequence[str | int] | None) -> Any:
    """The sensitive attributes: as passed, or the columns of X called `inside`."""
    if sensitive_features is not None:
        return sensitive_features
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
    return table[list(inside)].to_native()


def columns_inside(X: Any, inside: Sequence[str | int] | None, lattice: GroupLattice) -> list[Any]:
    """Columns of X that hold the attributes themselves: by position in an array, by name in a frame."""
    if isinstance(X, np.ndarray):
        return [int(j) % X.shape[1] for j in inside or ()]
    table = nw.from_native(X, eager_only=True, pass_through=True)
    return [n for n in table.columns if n in lattice.names] if isinstance(table, nw.DataFrame) else []


def without(X: Any, inside: list[Any]) -> Any:
    """X without these columns."""
    if not inside:
        return X
    if isinstance(X, np.ndarray):
        return np.delete(X, inside, axis=1)
    table = nw.from_native(X, eager_only=True)
    rest = [name for name in table.columns if name not in inside]
    if not rest:
        raise InputError("`X` has no columns besides the sensitive ones. At least one feature is needed.")
    return table[rest].to_native()


def with_inside(
    X: Any, features: Any, inside: list[Any], lattice: GroupLattice, sources: list[IntArray]
) -> Any:
    """Made features, and between them the columns `inside`, copied from the rows `sources` of X."""
    if isinstance(X, np.ndarray):
        out = np.empty((len(sources[0]), X.shape[1]), dtype=X.dtype)
        out[:, np.setdiff1d(np.arange(out.shape[1]), inside)] = features
        for j, source in zip(inside, sources, strict=True):
            out[:, j] = X[source, j]
        return out
    by_name = dict(zip(lattice.names, sources, strict=True))
    table, made = nw.from_native(X, eager_only=True), nw.from_native(features, eager_only=True)
    parts = [(table[c][by_name[c].tolist()] if c in inside else made[c]).to_frame() for c in table.columns]
    return nw.concat([nw.maybe_reset_index(p) for p in parts], how="horizontal").to_native()
