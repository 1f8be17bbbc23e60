"""The effects that a multilevel model of groups has: whose rate is made of what.

A group's rate on the logit scale is a sum of effects: everyone's, one of each level that the group fixes,
and where that stays affordable, one of each pair of levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from fairlattice._validation import FloatArray, IntArray
from fairlattice.groups import Group, Level

_MOST_EFFECTS = 400  # with more, effects of pairs of levels are left to the groups' own deviations
_MOST_ENTRIES = 4_000_000  # of a dense matrix of groups and their effects
_SCALES = {1: 0.3, 2: 0.05}  # prior guess of how far effects of levels, and of pairs, spread


@dataclass(frozen=True, eq=False)
class Design:
    """Which effects each group has: everyone's, those of its levels, and those of its pairs of levels.

    Parameters
    ----------
    matrix : float array, or sparse array, of shape (m, c)
        1 where a group has an effect, else 0; everyone's is the first.
    blocks : int array of shape (c,)
        Effects of one attribute form a block that shares a variance, and those of all pairs another.
    scales : float array of shape (number of blocks,)
        Prior guess of each block's standard deviation.
    """

    matrix: Any
    blocks: IntArray
    scales: FloatArray

    @classmethod
    def of(cls, groups: Sequence[Group]) -> Design:
        """Pairs are left out where they would make the model slow to fit."""
        names = list(dict.fromkeys(name for group in groups for name in group))
        singles = [_levels(groups, name) for name in names]
        left = min(_MOST_EFFECTS, _MOST_ENTRIES // len(groups)) - 1 - sum(map(_count, singles))
        pairs: list[IntArray] = []
        for one, other in combinations(singles, 2) if len(names) > 2 else ():
            pairs.append(_joint(one, other))
            left -= _count(pairs[-1])
            if left < 0:
                return cls._over(singles, len(singles), len(groups))
        return cls._over([*singles, *pairs], len(singles), len(groups))

    @classmethod
    def _over(cls, effects: list[IntArray], n_singles: int, m: int) -> Design:
        start, rows, columns = 1, [np.arange(m)], [np.zeros(m, dtype=np.int64)]
        blocks = [np.zeros(1, dtype=np.int64)]
        for number, own in enumerate(effects, start=1):
            has = np.flatnonzero(own >= 0)
            rows.append(has)
            columns.append(start + own[has])
            blocks.append(np.full(_count(own), min(number, n_singles + 1)))
            start += _count(own)
        place = np.concatenate(rows), np.concatenate(columns)
        matrix: Any
        if m * start <= _MOST_ENTRIES:
            matrix = np.zeros((m, start))
            matrix[place] = 1.0
        else:
            matrix = csr_array((np.ones(len(place[0])), place), shape=(m, start))
        scales = np.array([1.0, *[_SCALES[1]] * n_singles, _SCALES[2]])
        return cls(matrix, np.concatenate(blocks), scales)

    def linear(self, effects: FloatArray) -> FloatArray:
        """The sum of every group's effects, for one set of effects or for many."""
        total: FloatArray = (self.matrix @ effects.T).T
        return total

    def gram(self, weight: FloatArray) -> FloatArray:
        """``Xᵀ diag(weight) X``, dense."""
        if isinstance(self.matrix, csr_array):
            product: FloatArray = (self.matrix.T @ self.matrix.multiply(weight[:, None]).tocsr()).toarray()
        else:
            scaled = self.matrix * np.sqrt(weight)[:, None]  # times itself: half of the result is computed
            product = scaled.T @ scaled
        return product


def _levels(groups: Sequence[Group], name: str) -> IntArray:
    """Number of every group's level of one attribute; -1 where it is free."""
    place: dict[Level, int] = {}
    return np.array([place.setdefault(g[name], len(place)) if name in g else -1 for g in groups])


def _joint(one: IntArray, other: IntArray) -> IntArray:
    """Number of every group's pair of levels; -1 where either is free."""
    fixed = (one >= 0) & (other >= 0)
    numbers = np.full(len(one), -1, dtype=np.int64)
    numbers[fixed] = np.unique(one[fixed] * _count(other) + other[fixed], return_inverse=True)[1]
    return numbers


def _count(numbers: IntArray) -> int:
    return int(numbers.max(initial=-1)) + 1
