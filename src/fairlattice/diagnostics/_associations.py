"""Do columns go together as they should? Each pair of columns, in real and in generated rows.

=====================  =================================================================
pair                   association
=====================  =================================================================
two numbers            Spearman's rank correlation, in [-1, 1]
two categories         Cramér's V, corrected for its bias, in [0, 1]
number and category    correlation ratio of the number's ranks, likewise, in [0, 1]
=====================  =================================================================

Ranks, because one outlier among few rows would decide a correlation of raw values. Corrected, because
plain V and η of independent columns are far above 0 in small samples, the more so the smaller: the two
tables differ in size, and the bias would pass for a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.diagnostics._frames import CategoryColumn, ColumnPairs, column_pairs, varying

_MOST_COLUMNS = 40
_MOST_LEVELS = 30


@dataclass(frozen=True, slots=True)
class Associations:
    """How much pairs of columns differ in the way they go together; small is good.

    Parameters
    ----------
    mean, worst : float
        Absolute differences of associations, over pairs: in [0, 1], and up to 2 where a correlation
        changes its sign.
    pair : tuple of str
        The worst pair; the first of several.
    left_out : int
        How many columns that vary were not looked at, as there are more than 40.
    """

    mean: float
    worst: float
    pair: tuple[str, str]
    left_out: int


class _Side(NamedTuple):
    """One table: ranks of its numbers, 0 where missing, and its categories as 0/1 columns."""

    ranks: FloatArray
    present: FloatArray
    levels: FloatArray


def associations(real: Any, generated: Any) -> Associations | None:
    """Differences of pairwise associations between two tables; small is good.

    Parameters
    ----------
    real, generated : frame, mapping of arrays, or array of shape (n, d) and (m, d)
        Tables with the same columns, in any order; any frame that narwhals knows.

    Returns
    -------
    Associations or None
        None where fewer than two columns vary. Columns that are constant in both tables are passed over;
        where a column is constant in one, its associations there are 0. Of the others the first 40
        are looked at, 780 pairs; levels of a category beyond the 30 most frequent count as one. Rows
        where a number is missing are left out of its pairs; a missing category is a category.

    Raises
    ------
    InputError
        If a table has no rows, columns differ, or a column holds numbers in one table and text in the other.

    References
    ----------
    Bergsma (2013), A bias-correction for Cramér's V and Tschuprow's T, Journal of the Korean Statistical
    Society 42:323, doi:10.1016/j.jkss.2012.10.002. Kelley (1935), An unbiased correlation ratio measure,
    PNAS 21:554, doi:10.1073/pnas.21.9.554.

    Examples
    --------
    >>> real, generated = {"a": [1, 2, 3], "b": [4, 5, 6]}, {"a": [1, 2, 3], "b": [6, 5, 4]}
    >>> associations(real, generated)
    Associations(mean=2.0, worst=2.0, pair=('a', 'b'), left_out=0)
    """
    return associations_of(column_pairs(real, generated))


def associations_of(pairs: ColumnPairs) -> Associations | None:
    """As :func:`associations`, of columns that are matched already."""
    varied = varying(pairs)
    looked = varied[:_MOST_COLUMNS]
    if len(looked) < 2:
        return None
    rows = np.flatnonzero(np.isin(pairs.numbers, looked))
    categories = [_with_few_levels(column) for column in pairs.categories if column.place in looked]
    starts = np.cumsum([0, *(column.levels for column in categories)])[:-1]
    sides = [
        _side(pairs.real[rows], [(c.real, c.levels) for c in categories]),
        _side(pairs.generated[rows], [(c.generated, c.levels) for c in categories]),
    ]
    tables = [_matrix(side, starts) for side in sides]
    gaps = np.abs(tables[0] - tables[1])
    # In the order of the table, so that of several worst pairs the first is shown.
    order = np.argsort([*pairs.numbers[rows], *(column.place for column in categories)])
    first, second = np.triu_indices(len(order), k=1)
    differences = gaps[np.ix_(order, order)][first, second]
    worst = int(differences.argmax())
    names = (pairs.names[looked[first[worst]]], pairs.names[looked[second[worst]]])
    left_out = len(varied) - len(looked)
    return Associations(float(differences.mean()), float(differences[worst]), names, left_out)


def _with_few_levels(column: CategoryColumn) -> CategoryColumn:
    if column.levels <= _MOST_LEVELS:
        return column
    counts = np.bincount(np.concatenate([column.real, column.generated]))
    new = np.full(column.levels, _MOST_LEVELS)
    new[np.argsort(-counts, kind="stable")[:_MOST_LEVELS]] = np.arange(_MOST_LEVELS)
    return CategoryColumn(column.place, new[column.real], new[column.generated], _MOST_LEVELS + 1)


def _side(numbers: FloatArray, categories: Sequence[tuple[IntArray, int]]) -> _Side:
    """One table, given its numbers, a row for each column, and the codes and levels of its categories."""
    n = numbers.shape[1] if len(numbers) else len(categories[0][0])
    columns = np.ascontiguousarray(numbers.reshape(-1, n).T)
    present = ~np.isnan(columns)
    levels = [np.equal.outer(codes, np.arange(k)) for codes, k in categories]
    return _Side(_ranks(columns, present), present.astype(float), np.hstack([np.zeros((n, 0)), *levels]))


def _ranks(numbers: FloatArray, present: BoolArray) -> FloatArray:
    """Ranks of every column, about their mean so that squares stay small; 0 where missing."""
    ranks = np.zeros_like(numbers)
    for j, there in enumerate(present.T):
        if there.any():
            ranks[there, j] = rankdata(numbers[there, j]) - (there.sum() + 1) / 2
    return ranks


def _matrix(side: _Side, starts: IntArray) -> FloatArray:
    """Associations of all pairs, numbers before categories; 0 where a column is constant."""
    p, c = side.ranks.shape[1], len(starts)
    out = np.zeros((p + c, p + c))
    out[:p, :p] = _correlations(side)
    if c:
        out[p:, p:] = _cramers(side.levels, starts)
    if p and c:
        out[:p, p:] = _ratios(side, starts)
        out[p:, :p] = out[:p, p:].T
    return out


def _correlations(side: _Side) -> FloatArray:
    """Correlations of ranks, of shape (p, p), each over the rows that have both numbers."""
    R, M = side.ranks, side.present
    n = np.maximum(M.T @ M, 1.0)
    sums, squares = R.T @ M, (R * R).T @ M
    within = squares - sums * sums / n
    across = R.T @ R - sums * sums.T / n
    return np.clip(_over(across, np.sqrt(np.maximum(within * within.T, 0.0))), -1.0, 1.0)


def _cramers(levels: FloatArray, starts: IntArray) -> FloatArray:
    """Bias-corrected V of all pairs of categories, of shape (c, c)."""
    n, counts = len(levels), levels.sum(axis=0)
    together = levels.T @ levels
    shares = _over(together * together, np.outer(counts, counts))
    phi2 = np.add.reduceat(np.add.reduceat(shares, starts, axis=0), starts, axis=1) - 1
    k = np.add.reduceat((counts > 0).astype(float), starts)
    free = np.outer(k - 1, k - 1) / max(n - 1, 1)
    least = k - (k - 1) ** 2 / max(n - 1, 1)
    limit = np.minimum.outer(least, least) - 1
    squares: FloatArray = np.clip(_over(np.maximum(phi2 - free, 0.0), limit), 0.0, 1.0)
    return np.sqrt(squares)


def _ratios(side: _Side, starts: IntArray) -> FloatArray:
    """Bias-corrected correlation ratios ``√(1 - (1 - η²)(n - 1)/(n - k))``, of shape (p, c)."""
    n, sums = side.present.T @ side.levels, side.ranks.T @ side.levels  # (p, all levels)
    rows, total = side.present.sum(axis=0)[:, None], (side.ranks * side.ranks).sum(axis=0)[:, None]
    between = np.add.reduceat(_over(sums * sums, n), starts, axis=1)
    k = np.add.reduceat((n > 0).astype(float), starts, axis=1)
    unexplained = np.where(total > 0, 1 - _over(between, np.broadcast_to(total, between.shape)), 1.0)
    # Where every row has a level of its own, nothing is left to estimate the bias from.
    corrected: FloatArray = np.where(rows > k, 1 - unexplained * _over(rows - 1, rows - k), 0.0)
    return np.asarray(np.sqrt(np.clip(corrected, 0.0, 1.0)), dtype=np.float64)


def _over(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Quotients, 0 where the bottom is 0 up to rounding."""
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    return np.divide(top, bottom, out=np.zeros(shape), where=bottom > 1e-9)
