"""Find the rows of a pool that are most similar to a row, except those whose numbers are nearly the same.

Most distances differ clearly. Single precision and a matrix product then find their order in a fifth of the time.
Where two distances are nearly equal, as in tables of categories and whole numbers, all distances of the row are
computed in double precision. So the order is always that of double precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from fairlattice._validation import BoolArray, FloatArray, IntArray

FIRST = 5
"""Number of neighbours that are computed at first."""
MOST = 4 * FIRST
"""Largest number of neighbours that can be asked for."""
_BETWEEN = 2.5  # least moves; a new row fits between two rows that differ by more than this in some number
_TILE = 8192  # rows at a time, which bounds memory
_QUICK_TILE = 1024  # small enough for a processor's cache
Singles = npt.NDArray[np.float32]


class Neighbours:
    """The rows of a pool that are most similar to each of some rows, nearest first, with room for a row between them.

    Parameters
    ----------
    Z : float array of shape (n, d)
        All rows.
    numbers : int array of shape (k,)
        Coordinates that may move.
    least : float array of shape (k,)
        The least move of each. Two rows have no room between them if they differ by at most 2.5 least moves in every
        number.
    rows, pool : int array
        The rows, and those of the pool, increasing.
    """

    def __init__(
        self, Z: FloatArray, numbers: IntArray, least: FloatArray, *, rows: IntArray, pool: IntArray
    ) -> None:
        self.Z, self.numbers, self.least, self.rows, self.pool = Z, numbers, least, rows, pool
        self.near = np.empty((len(rows), min(MOST, len(pool))), dtype=np.int64)
        self.room = np.full(len(rows), FIRST)
        self.all_known = np.zeros(len(rows), dtype=bool)
        self._find_all(self._find_first())

    def pick(self, places: IntArray, reach: int, shares: FloatArray) -> IntArray:
        """Return one of the first `reach` neighbours of each row at `places`, chosen by its share in [0, 1)."""
        if reach > FIRST:
            self._find_all(np.unique(places[~self.all_known[places]]))
        found: IntArray = self.near[places, (shares * np.minimum(self.room[places], reach)).astype(np.int64)]
        return found

    def _find_all(self, places: IntArray) -> None:
        """Find all neighbours of the rows at `places`, in double precision."""
        others, k = self.Z[self.pool], self.near.shape[1]
        for first in range(0, len(places), _TILE):
            tile = places[first : first + _TILE]
            vectors = self.Z[self.rows[tile]]
            distance = cdist(vectors, others)
            distance[self._without_room(vectors, others, distance)] = np.inf
            some = np.argpartition(distance, k - 1, axis=1)[:, :k]
            some.sort(axis=1)  # so that of equal distances the first row comes first
            distance = np.take_along_axis(distance, some, axis=1)
            order = np.argsort(distance, axis=1, kind="stable")
            self.near[tile] = self.pool[np.take_along_axis(some, order, axis=1)]
            self.room[tile] = np.isfinite(distance).sum(axis=1)
        self.all_known[places] = True

    def _without_room(self, vectors: FloatArray, others: FloatArray, distance: FloatArray) -> Any:
        """Which pairs of rows have no room between their numbers."""
        own, theirs = (rows[:, self.numbers] / self.least for rows in (vectors, others))
        if len(self.numbers) < self.Z.shape[1]:
            return cdist(own, theirs, "chebyshev") <= _BETWEEN
        # Where all coordinates are numbers, such pairs are near each other, and few.
        return _alike(own, theirs, distance <= np.sqrt(self._within))

    def _find_first(self) -> IntArray:
        """Find the first neighbours in single precision; return the places of rows whose order is uncertain."""
        sure = np.zeros(len(self.rows), dtype=bool)
        if len(self.pool) <= FIRST:
            return np.flatnonzero(~sure)
        others, all_numbers = self.Z[self.pool], len(self.numbers) == self.Z.shape[1]
        theirs = others[:, self.numbers] / self.least
        pool = _Squares.of(others)
        by_number = pool if all_numbers else _Squares.of(others[:, self.numbers])
        for first in range(0, len(self.rows), _QUICK_TILE):
            tile = slice(first, first + _QUICK_TILE)
            vectors = self.Z[self.rows[tile]]
            squares, error = pool.to(vectors)
            numbers = vectors[:, self.numbers]
            apart, unsure = (squares, error) if all_numbers else by_number.to(numbers)
            limit = self._within + unsure - (numbers**2).sum(axis=1)
            with np.errstate(over="ignore"):
                limit = limit.astype(np.float32)
            squares[_alike(numbers / self.least, theirs, apart <= limit[:, None])] = np.inf
            each, found = np.arange(len(squares)), np.empty((FIRST + 1, len(squares)), dtype=np.float32)
            for i in range(FIRST + 1):
                place = squares.argmin(axis=1)
                found[i], squares[each, place] = squares[each, place], np.inf
                self.near[tile, min(i, FIRST)] = self.pool[place]
            with np.errstate(invalid="ignore"):
                sure[tile] = (np.diff(found, axis=0) > 2.0 * error).all(axis=0)
        return np.flatnonzero(~sure)

    @property
    def _within(self) -> float:
        """Bound on the squared distance, in numbers, of two rows with no room between them."""
        return float((1.001 * _BETWEEN) ** 2 * (self.least**2).sum())


@dataclass(frozen=True)
class _Squares:
    """Squared distances to some rows in single precision, up to the squared norm of the row they are measured from.

    Parameters
    ----------
    doubled : float32 array of shape (d, m)
        The rows, times -2.
    squares : float32 array of shape (m,)
        The squared norms of the rows.
    length : float
        The norm of the longest row.
    """

    doubled: Singles
    squares: Singles
    length: float

    @classmethod
    def of(cls, rows: FloatArray) -> _Squares:
        squares = (rows**2).sum(axis=1)
        with np.errstate(over="ignore"):
            single = np.ascontiguousarray(-2.0 * rows.T, dtype=np.float32), squares.astype(np.float32)
        return cls(*single, float(np.sqrt(squares.max())))

    def to(self, vectors: FloatArray) -> tuple[Singles, FloatArray]:
        """Return distances of shape (n, m), and a bound on the error of each row's, of shape (n,)."""
        with np.errstate(over="ignore", invalid="ignore"):  # what single precision cannot hold is not sure
            squares = vectors.astype(np.float32) @ self.doubled
            squares += self.squares
        length = np.sqrt((vectors**2).sum(axis=1)) + self.length
        # Bound on the number of rounding errors in a sum of d products and in the numbers that enter it.
        steps = vectors.shape[1] + 4
        return squares, steps * float(np.finfo(np.float32).eps) * length**2


def _alike(own: FloatArray, theirs: FloatArray, close: BoolArray) -> tuple[IntArray, IntArray]:
    """Of pairs that are close, rows and columns of those with no room between."""
    row, other = np.divmod(np.flatnonzero(close), len(theirs))
    like = np.abs(own[row] - theirs[other]).max(axis=1, initial=0.0) <= _BETWEEN
    return row[like], other[like]
