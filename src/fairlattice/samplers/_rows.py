"""Rows of any table: take some, draw some by weight, stack two, without changing its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
from scipy.sparse import issparse

from fairlattice._validation import FloatArray, IntArray, as_native
from fairlattice.exceptions import InputError


def take_rows(data: Any, rows: IntArray, *, by_column: Sequence[IntArray] | None = None) -> Any:
    """The given rows of a frame, Series, mapping of arrays, array or list, as the same kind.

    Parameters
    ----------
    data : frame, Series, mapping, array or list
        What to take from.
    rows : int array of shape (m,)
        Row numbers, repeats allowed.
    by_column : sequence of int arrays, optional
        Other row numbers for each column instead.
    """
    native = as_native(data, allow_series=True)
    if isinstance(native, nw.Series):
        picked = rows if by_column is None else by_column[0]
        return nw.maybe_reset_index(native[picked]).to_native()
    if isinstance(native, nw.DataFrame):
        if by_column is None:
            return nw.maybe_reset_index(native[rows]).to_native()
        parts = [native[c][r].to_frame() for c, r in zip(native.columns, by_column, strict=True)]
        return nw.concat([nw.maybe_reset_index(p) for p in parts], how="horizontal").to_native()
    if issparse(data):
        return data.tocsr()[rows]
    if isinstance(data, Mapping):
        sources = by_column or [rows] * len(data)
        return {k: take_rows(v, r) for (k, v), r in zip(data.items(), sources, strict=True)}
    array = data if isinstance(data, np.ndarray) else _as_object(data)
    if by_column is None or array.ndim == 1:
        return array[rows if by_column is None else by_column[0]]
    return np.stack([array[r, j] for j, r in enumerate(by_column)], axis=1)


def draw_by_weight(weights: FloatArray, n: int, rng: np.random.Generator) -> IntArray:
    """`n` row numbers in random order, each as often as its weight says, give or take one.

    Systematic sampling: a row of weight w is drawn ``n · w / Σ w`` times, rounded up or down.

    Parameters
    ----------
    weights : float array of shape (m,)
        At least 0, with a positive sum.
    n : int
        How many rows to draw.
    rng : numpy.random.Generator
        Draws the offset and the order.

    Examples
    --------
    >>> rows = draw_by_weight(np.array([1.0, 0.0, 2.0]), 6, np.random.default_rng(0))
    >>> np.bincount(rows)
    array([2, 0, 4])
    """
    ends = np.cumsum(weights)
    points = (np.arange(n) + rng.random()) * (ends[-1] / n)
    return rng.permutation(np.minimum(np.searchsorted(ends, points, side="right"), len(ends) - 1))


def check_same_kind(name: str, given: Any, known: Any) -> None:
    """Raise unless rows are of the same library as those in training, so that the two can be joined."""
    kinds = [_kind(data) for data in (given, known)]
    if kinds[0] != kinds[1]:
        raise InputError(f"`{name}` is {kinds[0]}, and was {kinds[1]} in training. Pass both alike.")


def _kind(data: Any) -> str:
    native = as_native(data, allow_series=True)
    if isinstance(native, nw.DataFrame | nw.LazyFrame | nw.Series):
        shape = "a column" if isinstance(native, nw.Series) else "a frame"
        return f"{shape} of {native.implementation.name.lower()}"
    return "a mapping of columns" if isinstance(data, Mapping) else "an array"


def concat_rows(first: Any, second: Any) -> Any:
    """Two tables of the same kind and columns, one below the other."""
    tables = [
        nw.from_native(t, allow_series=True, eager_only=True, pass_through=True) for t in (first, second)
    ]
    if isinstance(tables[0], nw.DataFrame):
        return nw.maybe_reset_index(nw.concat(tables, how="vertical")).to_native()
    if isinstance(tables[0], nw.Series):
        name = tables[0].name or "values"
        stacked = nw.concat([t.alias(name).to_frame() for t in tables], how="vertical")
        return nw.maybe_reset_index(stacked)[name].alias(tables[0].name).to_native()
    if isinstance(first, Mapping):
        return {k: concat_rows(v, second[k]) for k, v in first.items()}
    arrays = [t if isinstance(t, np.ndarray) else _as_object(t) for t in (first, second)]
    return np.concatenate(arrays)


def _as_object(values: Any) -> Any:
    """A list as an array that keeps its elements' types."""
    if hasattr(values, "__array__"):
        return np.asarray(values)
    plain = np.asarray(values)
    return plain if plain.dtype.kind in "biuf" else np.array(values, dtype=object)
