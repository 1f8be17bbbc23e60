"""Sums over the rows, or the leaves, of the same leaf: what counting, adding up and rolling up have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import IntArray


def distinct_leaves(n_leaves: int, codes: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct codes in order, and for every code the position of its own among them."""
    if n_leaves <= 4 * len(codes) + 1024:  # dense enough to skip sorting
        occurs = np.bincount(codes, minlength=n_leaves) > 0
        return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[codes]
    kept, place = np.unique(codes, return_inverse=True)
    return kept, place.reshape(-1)


def summed_at(place: IntArray, layer: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Sums of a layer's entries that have the same place, of `size` places that all occur."""
    flat = layer.reshape(len(place), -1)
    if layer.dtype.kind == "i":  # exact in any order, as there are at most 2^53 rows
        columns = [np.bincount(place, weights=column, minlength=size) for column in flat.T]
        total: npt.NDArray[Any] = np.stack(columns, axis=1).astype(np.int64)
    else:
        order = np.argsort(place, kind="stable")
        total = np.add.reduceat(flat[order], np.searchsorted(place[order], np.arange(size)), axis=0)
    return total.reshape(size, *layer.shape[1:])
