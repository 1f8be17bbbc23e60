"""Does each column, on its own, have the values that it should have, as often as it should?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray
from fairlattice.diagnostics._frames import CategoryColumn, ColumnPairs, column_pairs


@dataclass(frozen=True, slots=True)
class ColumnDistance:
    """How far apart one column's values lie in two tables: 0 equal, 1 nothing in common."""

    name: str
    distance: float


@dataclass(frozen=True, slots=True)
class Marginals:
    """How far apart the columns of two tables lie; small is good.

    Parameters
    ----------
    mean, worst : float
        Over columns, in [0, 1].
    column : str
        The worst column; the first of several.
    names : tuple of str
        Names of all columns, in the order of the table.
    distances : tuple of float
        Distance of each column between the two tables.
    """

    mean: float
    worst: float
    column: str
    names: tuple[str, ...] = field(repr=False)
    distances: tuple[float, ...] = field(repr=False)

    @property
    def columns(self) -> tuple[ColumnDistance, ...]:
        """All columns, in the order of the table."""
        return tuple(map(ColumnDistance, self.names, self.distances))


def marginals(real: Any, generated: Any) -> Marginals:
    """Distances of columns, one at a time; small is good.

    Parameters
    ----------
    real, generated : frame, mapping of arrays, or array of shape (n, d) and (m, d)
        Tables with the same columns, in any order; any frame that narwhals knows.

    Returns
    -------
    Marginals
        Per column a figure in [0, 1]: for numbers the Kolmogorov-Smirnov statistic
        ``max over t of |F(t) - G(t)|``, for others the total variation distance ``½ Σ |p_v - q_v|``. A
        missing number counts as larger than every number, any other missing value as a category of its own.
        Small samples that are drawn alike are not at 0: two of 10 rows each are at 0.34 on average. Hold
        the figures against those of other real rows, of as many rows.

    Raises
    ------
    InputError
        If a table has no rows, columns differ, or a column holds numbers in one table and text in the other.

    Examples
    --------
    >>> real = {"age": [20, 30, 40, 50], "job": ["cook", "cook", "nurse", None]}
    >>> generated = {"age": [20, 30, 60, 70], "job": ["cook", "cook", "cook", "cook"]}
    >>> marginals(real, generated).columns
    (ColumnDistance(name='age', distance=0.5), ColumnDistance(name='job', distance=0.5))
    """
    return marginals_of(column_pairs(real, generated))


def marginals_of(pairs: ColumnPairs) -> Marginals:
    """As :func:`marginals`, of columns that are matched already."""
    found = np.empty(len(pairs.names))
    if len(pairs.numbers):
        x, y = (np.where(np.isnan(side), np.inf, side) for side in (pairs.real, pairs.generated))
        found[pairs.numbers] = kolmogorov_smirnov(x, y)
    for column in pairs.categories:
        found[column.place] = _total_variation(column)
    worst = int(found.argmax())
    distances = tuple(found.tolist())
    return Marginals(float(found.mean()), distances[worst], pairs.names[worst], pairs.names, distances)


def _total_variation(column: CategoryColumn) -> float:
    counts = [np.bincount(v, minlength=column.levels) for v in (column.real, column.generated)]
    n, m = len(column.real), len(column.generated)
    return float(np.abs(counts[0] * m - counts[1] * n).sum() / (2 * n * m))


def kolmogorov_smirnov(x: FloatArray, y: FloatArray) -> FloatArray:
    """Largest differences, of shape (p,), of the distribution functions of samples of shape (p, n) and (p, m).

    Examples
    --------
    >>> kolmogorov_smirnov(np.array([[1.0, 2.0]]), np.array([[3.0, 2.0]]))
    array([0.5])
    """
    n, m = x.shape[1], y.shape[1]
    at = np.hstack([x, y])
    order = np.argsort(at, axis=1)
    at = np.take_along_axis(at, order, axis=1)
    below = np.cumsum(order < n, axis=1)
    gaps = np.abs(below * m - (np.arange(1, n + m + 1) - below) * n)  # whole numbers: no order matters
    gaps[:, :-1][at[:, :-1] == at[:, 1:]] = 0  # only the last of equal values has all of them below
    return np.asarray(gaps.max(axis=1) / (n * m), dtype=np.float64)
