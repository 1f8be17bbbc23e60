"""Batches: the rows of each cell that a fit looks at, drawn once.

A batch holds rows of every parent to mix, and the rows that the mix should resemble: the cell's with
weight 1, and more of each parent's with weight β. Single precision will do where rounding is far below
the scale on which the divergence changes, and is twice as fast.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, to_device

from fairlattice._validation import FloatArray, IntArray
from fairlattice.exceptions import InputError

_ROOM = 1e4  # rows' squared norms in units of the finest squared scale, up to which single precision will do
_SPREAD = 16  # a quarter of the spread of rows is a scale as well
_FINE = 1e-8  # a scale whose fourth power and its inverse are numbers in single precision
_GATHERED = 2**20  # numbers gathered at a time: doubles on their way to single precision stay in the cache


class CellRows(NamedTuple):
    """Row numbers of one cell and of its parents."""

    rows: IntArray
    parents: tuple[IntArray, ...]


class Draw(NamedTuple):
    """Numbers of the rows of one batch."""

    parents: IntArray  # (p, n), mixed into rows
    targets: list[tuple[IntArray, float]]  # what the rows should resemble, with weights


class Batch(NamedTuple):
    """Rows of one cell's parents to mix, and the rows that the mix should resemble."""

    parents: Any  # (p, n, d), mixed into rows
    targets: list[tuple[Any, float]]  # what the rows should resemble, with weights

    @classmethod
    def of(cls, Z: Any, draw: Draw) -> Batch:
        """The rows that were drawn."""
        return cls(gather(Z, draw.parents), [(gather(Z, rows), weight) for rows, weight in draw.targets])


def draw_rows(cell: CellRows, beta: float, size: int, rng: np.random.Generator) -> Draw:
    """Rows of the cell, rows of each parent to mix, and as many of each, drawn independently, as targets."""
    mixed, targets = [], [(_some(cell.rows, size, rng), 1.0)]
    for rows in cell.parents:
        mixed.append(rng.choice(rows, size))
        if beta:
            targets.append((_some(rows, size, rng), beta))
    return Draw(np.stack(mixed), targets)


def gather(Z: Any, numbers: IntArray, *, single: bool = False) -> Any:
    """Rows by their numbers, of shape (*numbers, d), of an array or of what gives rows for numbers.

    In double precision they must be finite; what is not never does in single precision.
    """
    flat, d = numbers.ravel(), Z.shape[1]
    step, out = max(1, _GATHERED // max(1, d)), None
    for first in range(0, len(flat), step):
        some = flat[first : first + step]
        if isinstance(Z, np.ndarray) or not is_array_api_obj(Z):
            rows = Z[some]
        else:
            rows = array_namespace(Z).take(Z, array_namespace(Z).asarray(some, device=device(Z)), axis=0)
        xp = array_namespace(rows)
        if out is None:
            dtype = xp.float32 if single else xp.float64
            out = xp.empty((len(flat), d), dtype=dtype, device=device(rows))
        if not single and not bool(xp.all(xp.isfinite(rows))):
            raise InputError("Rows to fit to must be finite numbers.")
        out[first : first + step, ...] = rows
    return array_namespace(out).reshape(out, (*numbers.shape, d))


def single_will_do(samples: Iterable[Any], largest: float, finest: float) -> bool:
    """Whether single precision is safe for a divergence of that finest scale.

    Samples are parents' rows, of shape (…, d); the largest squared norm is that of all rows. What overflowed
    is not safe.
    """
    inside = [float(_variance(R)) for R in samples]
    scale = min(finest**2, sum(inside) / len(inside) / _SPREAD)
    return _FINE < finest < 1.0 / _FINE and largest < _ROOM * scale


def _variance(R: Any) -> Any:
    """The mean squared norm of rows less the squared norm of their mean."""
    xp = array_namespace(R)
    rows = xp.reshape(R, (-1, R.shape[-1]))
    return xp.mean(squared_norms(rows)) - xp.sum(xp.mean(rows, axis=0) ** 2)


def squared_norms(R: Any) -> Any:
    """Squared norms of rows, which are the last axis."""
    return array_namespace(R).vecdot(R, R)


def like(values: Any, array: Any) -> Any:
    """Values as an array of the same library, precision and device as another."""
    xp = array_namespace(array)
    return xp.asarray(values, dtype=array.dtype, device=device(array))


def to_numpy(array: Any) -> FloatArray:
    """An array of any library as a NumPy array of doubles."""
    return np.asarray(array if isinstance(array, np.ndarray) else to_device(array, "cpu"), dtype=np.float64)


def _some(rows: IntArray, size: int, rng: np.random.Generator) -> IntArray:
    """At most `size` rows, in random order, as neighbours in a table may be alike."""
    return rng.permutation(rows) if len(rows) <= size else rng.choice(rows, size, replace=False)
