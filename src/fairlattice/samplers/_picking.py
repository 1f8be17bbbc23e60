"""New vectors for any cell: real rows of the label, picked by how likely they are to be in the leaf.

Mixing the parents' rows gives everybody a little of everything: categories that exist nowhere and numbers
near the mean. Here a made row is one real row, whose categories stay together, and whose numbers are moved
towards those of a similar row. What is learned is whom to pick:

- everyone of the label, with weight P(leaf | x), from a model that adds up effects of the attributes. Parents
  come out of it: where an attribute makes no difference, its other levels' rows are picked as well;
- the cell's own rows, with the weight at which the expected MMD² to the cell's distribution is least. A
  cell of n rows is V/n away from it, V being its spread; the weighted others are B away, which each cell
  estimates, shrunk towards the mean of its label's cells. The weight is B / (B + V/n): 0 for an empty
  cell, and near 1 for a large one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from fairlattice._validation import BoolArray, FloatArray, IntArray, check_real
from fairlattice.divergences import median_bandwidths
from fairlattice.exceptions import InputError
from fairlattice.samplers._cells import Cell, CellIndex
from fairlattice.samplers._picking_model import LevelScores, level_scores
from fairlattice.samplers._picking_share import own_shares, random_features

_THIN = 200  # rows of a cell that the model learns from
_FEATURES = 256  # pairs of random features
_POOL = 500  # rows among which similar ones are looked for
_NEIGHBOURS = 5
_LEAST_MOVE = 0.1  # standard deviations of a number
_BETWEEN = 2.5  # times as much, by which two rows differ so that there is room between them
_TRIES = 4
_ROUNDING = 1e-9

Snap = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class _Label:
    """What is known of a label: its row numbers, where they may belong, and its cells' shares of own rows."""

    rows: IntArray
    scores: LevelScores
    own: dict[int, float]

    @classmethod
    def fit(
        cls, Z: FloatArray, index: CellIndex, rows: IntArray, spread: float, F: FloatArray, key: Sequence[int]
    ) -> _Label:
        leaves, leaf, sizes = np.unique(index.leaves[rows], return_inverse=True, return_counts=True)
        levels = np.array(index.lattice.digits(leaves))
        thin = _thinned(leaf, _stream(key))
        scores = level_scores(Z[rows], levels[:, leaf], thin, levels=index.lattice.shape, spread=spread)
        shares = own_shares(random_features(Z[rows[thin]], F), scores.at(thin), leaf[thin], sizes, levels)
        return cls(rows, scores, dict(zip(leaves.tolist(), shares.tolist(), strict=True)))


@dataclass(frozen=True)
class PickingSampler:
    """Rows to pick from, and with which weights; made by :meth:`fit`.

    Parameters
    ----------
    Z : float array of shape (n, d)
        The training rows.
    index : CellIndex
        Which of them belong to which cell.
    numbers : int array of shape (k,)
        Coordinates that may move; all others are copied together from one row.
    labels : tuple of _Label or None
        What was learned of each label; None where it has no rows.
    max_copies : float
        Share of made rows that may equal one training row.
    snap : callable or None
        Valid rows for vectors.
    entropy : tuple of int
        Seed of all draws.
    """

    Z: FloatArray
    index: CellIndex
    numbers: IntArray
    labels: tuple[_Label | None, ...]
    max_copies: float
    snap: Snap | None
    entropy: tuple[int, ...]

    @classmethod
    def fit(
        cls,
        Z: FloatArray,
        index: CellIndex,
        *,
        entropy: Sequence[int],
        blocks: Sequence[slice] = (),
        max_copies: float = 0.1,
        spread: float = 1.0,
        snap: Snap | None = None,
    ) -> PickingSampler:
        """Learn whom to pick.

        Parameters
        ----------
        Z : float array of shape (n, d)
            The training rows.
        index : CellIndex
            Which of them belong to which cell.
        entropy : sequence of int
            Seed of all draws.
        blocks : sequence of slice
            Coordinates that belong to categories; they are copied together from one row.
        max_copies : float, default=0.1
            In [0, 1]: share of made rows that may equal one training row, or nearly so. The others'
            numbers are moved. Where no number can be moved, as in tables of categories only, made
            rows are copies whatever this says.
        spread : float, default=1.0
            Above 0: variance of the log-odds of a typical row before anything is learned. Small trusts
            that all rows of a label are alike; large trusts the attributes' differences.
        snap : callable, optional
            Gives the valid rows of vectors, so that copies are told after rounding;
            :meth:`TableEncoder.snap` does.

        Raises
        ------
        InputError
            If there is no attribute, or an option is out of range.
        """
        if not index.lattice.attributes:
            raise InputError("Rows are picked by group, so at least one sensitive attribute is needed.")
        check_real("max_copies", max_copies, 0.0, 1.0)
        check_real("spread", spread, 0.0, np.inf, open_ends=True)
        widths = np.asarray(median_bandwidths(Z, rng=_stream(entropy, 0)))
        frequencies = _stream(entropy, 1).normal(size=(Z.shape[1], _FEATURES))
        frequencies /= widths[np.arange(_FEATURES) % len(widths)]
        rows = [np.flatnonzero(index.labels == k) for k in range(index.n_labels)]
        labels = tuple(
            _Label.fit(Z, index, r, spread, frequencies, [*entropy, k]) if len(r) else None
            for k, r in enumerate(rows)
        )
        copied = np.zeros(Z.shape[1], dtype=bool)
        for block in blocks:
            copied[block] = True
        numbers = np.flatnonzero(~copied & (Z.std(axis=0) > 0))
        return cls(Z, index, numbers, labels, max_copies, snap, tuple(entropy))

    def weights(self, cell: Cell) -> tuple[IntArray, FloatArray]:
        """The label's row numbers, and the probability of each to be picked for a cell; they sum to 1.

        Raises
        ------
        InputError
            If no row has the label.
        """
        known = self.labels[cell.label]
        if known is None:
            raise InputError(
                f"No training row has the label of code {cell.label}, so no rows can be made of it."
            )
        mine = self.index.leaves[known.rows] == cell.leaf
        share = 1.0 if mine.all() else known.own.get(cell.leaf, 0.0)
        score = known.scores.of(np.array(self.index.lattice.digits(np.asarray([cell.leaf]))))[:, 0]
        weights = np.zeros(len(mine))
        if share < 1.0:
            others = np.where(mine, -np.inf, score)
            weights = np.exp(others - others.max())
            weights *= (1.0 - share) / weights.sum()
        if share > 0.0:
            weights[mine] = share / mine.sum()
        return known.rows, weights

    def draw(
        self, cell: Cell, n: int, *, stream: int = 0, distinct: bool = False
    ) -> tuple[FloatArray, IntArray]:
        """`n` new vectors of a cell, of shape (n, d), and the training rows behind them, (n, p).

        The first column holds the row whose categories were copied. The column after an attribute's holds
        a row that has the leaf's level of it, if one of the two rows behind a made row does. The same cell
        and `stream` give the same vectors, whatever was drawn before. If `distinct`, no row is picked
        again, as long as there are enough.
        """
        rng = _stream(self.entropy, 3, *cell, stream)
        rows, weights = self.weights(cell)
        main = rows[_systematic(_capped(weights, n) if distinct else weights, n, rng)]
        pool = np.unique(rows[_systematic(weights, _POOL, rng)])
        kept = int(self.max_copies * n)
        moved, partners = self._moved(main[kept:], pool, rng)
        partners = np.concatenate([main[:kept], partners])
        return np.concatenate([self.Z[main[:kept]], moved]), self._behind(cell, main, partners)

    def _moved(self, main: IntArray, pool: IntArray, rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
        """The rows `main` with their numbers moved, and the rows that they were moved towards."""
        vectors, partners = self.Z[main].copy(), main.copy()
        if not len(self.numbers) or not len(main):
            return vectors, partners
        least = _LEAST_MOVE * self.Z[:, self.numbers].std(axis=0)
        order, unlike = self._similar(main, pool, least)
        todo = np.flatnonzero(unlike)
        for attempt in range(_TRIES):
            reach = np.minimum(unlike[todo], _NEIGHBOURS * (attempt + 1))
            partners[todo] = order[todo, (rng.random(len(todo)) * reach).astype(np.int64)]
            start, end = self.Z[main[todo]], self.Z[partners[todo]]
            path = (end - start)[:, self.numbers]
            margin = 1.0 / (np.abs(path) / least).max(axis=1, keepdims=True)  # so near an end it is a copy
            new = start.copy()
            new[:, self.numbers] += (margin + (1.0 - 2.0 * margin) * rng.random(margin.shape)) * path
            vectors[todo] = new if self.snap is None else self.snap(new)
            copies = self._copies(vectors[todo], start, least) | self._copies(vectors[todo], end, least)
            todo = todo[copies]
        return vectors, partners

    def _copies(self, new: FloatArray, old: FloatArray, least: FloatArray) -> BoolArray:
        """Whether rows equal others but for moves of less than `least`."""
        gap = np.abs(new - old)
        gap[:, self.numbers] = np.maximum(gap[:, self.numbers] - least, 0.0)
        return np.asarray(gap.max(axis=1) <= _ROUNDING)

    def _similar(self, main: IntArray, pool: IntArray, least: FloatArray) -> tuple[IntArray, IntArray]:
        """For each row the pool's, most similar first, and how many of them have other numbers.

        Those that do not, towards which nothing would move, come last.
        """
        unique, back = np.unique(main, return_inverse=True)
        distance = cdist(self.Z[unique], self.Z[pool])
        numbers = self.Z[:, self.numbers]
        same = cdist(numbers[unique] / least, numbers[pool] / least, "chebyshev") <= _BETWEEN
        distance[same] = np.inf
        order = pool[distance.argsort(axis=1, kind="stable")]
        return order[back], (~same).sum(axis=1)[back]

    def _behind(self, cell: Cell, main: IntArray, partners: IntArray) -> IntArray:
        """Rows of shape (n, p) behind made rows, as :meth:`CellIndex.level_sources` reads them."""
        lattice = self.index.lattice
        wanted = lattice.digits(np.asarray([cell.leaf]))
        known = lattice.digits(self.index.leaves)
        out = np.repeat(main[:, None], len(wanted), axis=1)
        for i, level in enumerate(wanted[:-1]):  # the last attribute reads the first column
            lacking = (known[i][main] != level) & (known[i][partners] == level)
            out[lacking, i + 1] = partners[lacking]
        return out


def _thinned(leaves: IntArray, rng: np.random.Generator) -> IntArray:
    """Places of at most so many rows of each leaf, increasing."""
    shuffled = rng.permutation(len(leaves))
    order = shuffled[np.argsort(leaves[shuffled], kind="stable")]
    _, starts, sizes = np.unique(leaves[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(starts, sizes)
    return np.sort(order[rank < _THIN])


def _systematic(weights: FloatArray, n: int, rng: np.random.Generator) -> IntArray:
    """`n` places in random order, each as often as its weight says, give or take one."""
    ends = np.cumsum(weights)
    points = (np.arange(n) + rng.random()) * (ends[-1] / n)
    return rng.permutation(np.minimum(np.searchsorted(ends, points, side="right"), len(ends) - 1))


def _capped(weights: FloatArray, n: int) -> FloatArray:
    """Weights of which none is picked twice in `n`, where that can be; else all the same."""
    if n >= len(weights):
        return np.full(len(weights), 1.0 / len(weights))
    weights = weights + 1e-9 / len(weights)  # so that rows without weight fill up what is lacking
    full = np.zeros(len(weights), dtype=bool)
    while True:
        weights[~full] *= (1.0 - full.sum() / n) / weights[~full].sum()
        over = ~full & (weights > 1.0 / n)
        if not over.any():
            return weights
        weights[over], full = 1.0 / n, full | over


def _stream(entropy: Sequence[int], *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(list(entropy), spawn_key=key))
