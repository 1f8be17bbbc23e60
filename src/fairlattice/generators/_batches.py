"""Batches: the rows of each cell that a fit looks at, drawn once.

A batch holds rows of every parent to mix, and the rows that the mix should resemble: the cell's with
weight 1, and others of each parent with weight β. Single precision will do where rounding is far below
the scale on which the divergence changes, and is twice as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, to_device

from fairlattice._validation import FloatArray, IntArray

_ROOM = 1e4  # rows' squared norms in units of the finest squared scale, up to which single precision will do


class CellRows(NamedTuple):
    """Row numbers of one cell and of its parents."""

    rows: IntArray
    parents: tuple[IntArray, ...]


class Batch(NamedTuple):
    """Rows of one cell's parents to mix, and the rows that the mix should resemble."""

    parents: Any  # (p, n, d), mixed into rows
    targets: list[tuple[Any, float]]  # what the rows should resemble, with weights

    def every(self, step: int) -> Batch:
        """The batch with every second or third … of its rows."""
        return Batch(self.parents[:, ::step], [(T[::step], weight) for T, weight in self.targets])

    def astype(self, dtype: Any) -> Batch:
        """The batch in another precision."""
        xp = array_namespace(self.parents)
        targets = [(xp.astype(T, dtype), weight) for T, weight in self.targets]
        return Batch(xp.astype(self.parents, dtype), targets)


def draw_batch(Z: Any, cell: CellRows, beta: float, size: int, rng: np.random.Generator) -> Batch:
    """Rows of the cell, rows of each parent to mix, and as many others of each parent to resemble."""
    mixed, targets = [], [(_take(Z, _some(cell.rows, size, rng)), 1.0)]
    for rows in cell.parents:
        mixed.append(_take(Z, rng.choice(rows, size)))
        if beta:
            targets.append((_take(Z, _some(rows, size, rng)), beta))
    return Batch(array_namespace(mixed[0]).stack(mixed), targets)


def in_best_precision(batches: Sequence[Batch], finest: float) -> list[Batch]:
    """The batches in single precision where that is safe for a divergence of that finest scale."""
    xp = array_namespace(batches[0].parents)
    d = batches[0].parents.shape[-1]
    rows = [R for b in batches for R in (xp.reshape(b.parents, (-1, d)), b.targets[0][0])]
    norms = [xp.sum(R * R, axis=1) for R in rows]
    # What is left of the mean squared norm without the squared norm of the mean.
    inside = [float(xp.mean(n2) - xp.sum(xp.mean(R, axis=0) ** 2)) for R, n2 in zip(rows, norms, strict=True)]
    scale = min(finest**2, sum(inside) / len(inside) / 16)
    safe = max(float(xp.max(norm)) for norm in norms) < _ROOM * scale
    dtype = xp.float32 if safe else xp.float64
    return [batch.astype(dtype) for batch in batches]


def like(values: Any, array: Any) -> Any:
    """Values as an array of the same library, precision and device as another."""
    xp = array_namespace(array)
    return xp.asarray(values, dtype=array.dtype, device=device(array))


def to_numpy(array: Any) -> FloatArray:
    """An array of any library as a NumPy array of doubles."""
    return np.asarray(array if isinstance(array, np.ndarray) else to_device(array, "cpu"), dtype=np.float64)


def _take(Z: Any, rows: IntArray) -> Any:
    """Rows of an array, or of anything that gives arrays of rows for row numbers."""
    if isinstance(Z, np.ndarray) or not is_array_api_obj(Z):
        return Z[rows]
    xp = array_namespace(Z)
    return xp.take(Z, xp.asarray(rows, device=device(Z)), axis=0)


def _some(rows: IntArray, size: int, rng: np.random.Generator) -> IntArray:
    """At most so many rows, in no order, as neighbours in a table may be alike."""
    return rng.permutation(rows) if len(rows) <= size else rng.choice(rows, size, replace=False)
