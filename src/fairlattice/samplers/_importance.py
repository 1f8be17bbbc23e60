"""Importance resampling: synthetic rows are real rows of the label, drawn by how likely they are to be of the leaf.

Mixing the parents' rows gives everybody a little of everything: categories that exist nowhere and numbers near
the mean. Here a synthetic row is one real row, whose categories stay together and whose numbers are moved
towards those of a similar row. Rows are drawn with two sets of weights:

- all rows of the label, by P(leaf | x) of the membership model (:mod:`fairlattice.samplers._membership`). By
  Bayes' rule p(x | leaf) is p(x) times P(leaf | x), so this draws from the leaf as far as the model holds. Where
  an attribute makes no difference, rows of its other levels are drawn as well: the parents;
- the cell's own rows, with the share at which the expected MMD² to the cell's distribution is least. With n own
  rows the squared distance is V/n, V being the spread of the cell; the weighted others are B away. A mix with a
  share s of own rows is s² V/n + (1 − s)² B away, which is least at s = B / (B + V/n): 0 for an empty cell and
  near 1 for a large one. V and B are estimated without bias from pairs of rows that differ, and shrunk towards
  the mean over the label's cells, since the cells that need the estimate most can estimate it least: kernel mean
  shrinkage, with others' rows in place of the origin.

Muandet et al. (2016), Kernel mean shrinkage estimators, JMLR 17:1-41, arXiv:1405.5505.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fairlattice._validation import BoolArray, FloatArray, IntArray, check_real
from fairlattice.divergences import median_bandwidths
from fairlattice.exceptions import InputError
from fairlattice.generators import MixingFit
from fairlattice.samplers._cells import Cell, CellIndex
from fairlattice.samplers._device import check_device
from fairlattice.samplers._membership import MembershipModel, MembershipScores, thinned
from fairlattice.samplers._neighbours import FIRST, MOST, Neighbours
from fairlattice.samplers._own_shares import category_correction, own_shares, random_features
from fairlattice.samplers._rows import draw_by_weight
from fairlattice.samplers._sampler import Piece, Vectors, fill_pieces, pieces_of, stream_of, stream_of_piece

_FEATURES = 256  # pairs of random features
_POOL = 500  # rows among which similar ones are looked for
_LEAST_MOVE = 0.1  # standard deviations of a number
_TILE = 8192  # rows at a time, which bounds memory
_ROUNDING = 1e-9

Snap = Callable[[FloatArray, IntArray | None], FloatArray]


@dataclass(frozen=True)
class _Label:
    """What is known of a label: its row numbers, where they may belong, and its cells' shares of own rows."""

    rows: IntArray
    scores: MembershipScores
    own: dict[int, float]

    @classmethod
    def fit(
        cls, Z: FloatArray, index: CellIndex, rows: IntArray, F: FloatArray, key: list[int], **options: Any
    ) -> _Label:
        leaves, leaf, sizes = np.unique(index.leaves[rows], return_inverse=True, return_counts=True)
        levels = np.array(index.lattice.digits(leaves))
        thin = thinned(leaf, stream_of(key))
        model = MembershipModel.fit(Z[rows], levels[:, leaf], thin, levels=index.lattice.shape, **options)
        scores = model.scores(Z[rows])
        shares = own_shares(random_features(Z[rows[thin]], F), scores.at(thin), leaf[thin], sizes, levels)
        return cls(rows, scores, dict(zip(leaves.tolist(), shares.tolist(), strict=True)))


@dataclass(frozen=True)
class ImportanceSampler:
    """Rows to draw from, and their weights; returned by :meth:`fit`.

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
        Share of synthetic rows that are copied unchanged.
    snap : callable or None
        Makes vectors, or some coordinates of them, valid.
    entropy : tuple of int
        Seed of all draws.
    crowded : tuple of int array of shape (n,)
        Of columns with more categories than coordinates: which category a row has, or -1.
    """

    Z: FloatArray
    index: CellIndex
    numbers: IntArray
    labels: tuple[_Label | None, ...]
    max_copies: float
    snap: Snap | None
    entropy: tuple[int, ...]
    crowded: tuple[IntArray, ...] = ()

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
        crowded: Sequence[IntArray] = (),
        device: str | None = None,
    ) -> ImportanceSampler:
        """Learn which rows to draw.

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
            In [0, 1]: share of synthetic rows that are copied unchanged. The others' numbers are moved away from both
            source rows, and may equal a third where columns have few values. Where no number can be moved, as in
            tables of categories only, synthetic rows are copies whatever this says.
        spread : float, default=1.0
            Above 0: variance of the log-odds of a typical row before anything is learned. Small trusts
            that all rows of a label are alike; large trusts the attributes' differences.
        snap : callable, optional
            Makes vectors valid, so that copies are recognised after rounding: :meth:`TableEncoder.snap` of `blocks`.
        crowded : sequence of int array of shape (n,)
            Of each column with more categories than coordinates, where the membership model cannot tell the rare
            ones apart: the number of a row's category, or -1. A cell keeps their shares, as far as its rows show them.
        device : str, optional
            As in :meth:`MembershipModel.fit`.

        Raises
        ------
        InputError
            If there is no attribute, or an option is out of range.
        """
        if not index.lattice.attributes:
            raise InputError("Rows are drawn by group, so at least one sensitive attribute is needed.")
        check_device(device)
        check_real("max_copies", max_copies, 0.0, 1.0)
        check_real("spread", spread, 0.0, np.inf, open_ends=True)
        widths = np.asarray(median_bandwidths(Z, rng=stream_of(entropy, 0)))
        frequencies = stream_of(entropy, 1).normal(size=(Z.shape[1], _FEATURES))
        frequencies /= widths[np.arange(_FEATURES) % len(widths)]
        rows = [np.flatnonzero(index.labels == k) for k in range(index.n_labels)]
        labels = tuple(
            _Label.fit(Z, index, r, frequencies, [*entropy, k], spread=spread, device=device)
            if len(r)
            else None
            for k, r in enumerate(rows)
        )
        copied = np.zeros(Z.shape[1], dtype=bool)
        for block in blocks:
            copied[block] = True
        numbers = np.flatnonzero(~copied & (Z.std(axis=0) > 0))
        return cls(Z, index, numbers, labels, max_copies, snap, tuple(entropy), tuple(crowded))

    n_sources: ClassVar[int] = 2
    """Source rows of a synthetic one: the row drawn, and the one that its numbers were moved towards."""
    parameters: ClassVar[Mapping[int | Cell, MixingFit]] = {}
    """No mixing is fitted."""

    def can_draw(self, cell: Cell) -> bool:
        """Whether the cell's label has rows."""
        return self.labels[cell.label] is not None

    def weights(self, cell: Cell) -> tuple[IntArray, FloatArray]:
        """The label's row numbers, and the probability of each to be drawn for a cell; they sum to 1.

        Raises
        ------
        InputError
            If no row has the label.
        """
        known = self.labels[cell.label]
        if known is None:
            raise InputError(
                f"No training row has the label of code {cell.label}, so no rows can be drawn for it."
            )
        mine = self.index.leaves[known.rows] == cell.leaf
        share = 1.0 if mine.all() else known.own.get(cell.leaf, 0.0)
        score = known.scores.of(np.array(self.index.lattice.digits(np.asarray([cell.leaf]))))[:, 0]
        weights = np.zeros(len(mine))
        if share < 1.0:
            others = np.where(mine, -np.inf, score)
            weights = np.exp(others - others.max())
            if self.crowded:
                weights /= weights.sum()
                for levels in self.crowded:
                    weights *= category_correction(levels[known.rows], mine, weights)
                if mine.any():  # what is lacking is of categories that no other row has
                    share = 1.0 - (1.0 - share) * min(float(weights.sum()), 1.0)
            weights *= (1.0 - share) / weights.sum()
        if share > 0.0:
            weights[mine] = share / mine.sum()
        return known.rows, weights

    def draw(
        self, cell: Cell, n: int, *, stream: int = 0, distinct: bool = False
    ) -> tuple[FloatArray, IntArray]:
        """`n` vectors of a cell, of shape (n, d), and their source rows, of shape (n, 2).

        The first is the row whose categories were copied, the second the one that its numbers were moved
        towards: the same where it is a copy. The same cell and `stream` give the same vectors, whatever was
        drawn before. If `distinct`, no row is drawn twice, as long as there are enough.
        """
        if not distinct:
            return self.draw_pieces(list(pieces_of([(cell, n)])), stream=stream)
        rng = self._rng(Piece(cell, 0, n), stream)
        rows, weights = self.weights(cell)
        out, sources = np.empty((n, self.Z.shape[1])), np.empty((n, self.n_sources), dtype=np.int64)
        self._fill(rows, weights, draw_by_weight(_capped(weights, n), n, rng), rng, out, sources)
        return out, sources

    def draw_pieces(
        self,
        pieces: Sequence[Piece],
        *,
        stream: int = 0,
        dtype: npt.DTypeLike = np.float64,
        n_jobs: int | None = None,
    ) -> tuple[Any, IntArray]:
        """The vectors of several pieces of cells, one below the other, and their source rows.

        The same whatever `n_jobs`, the number of threads.
        """

        def fill(piece: Piece, out: Vectors, sources: IntArray) -> None:
            rng = self._rng(piece, stream)
            rows, weights = self.weights(piece.cell)
            self._fill(rows, weights, draw_by_weight(weights, piece.n, rng), rng, out, sources)

        width, n_sources = self.Z.shape[1], self.n_sources
        return fill_pieces(pieces, fill, width=width, n_sources=n_sources, dtype=dtype, n_jobs=n_jobs)

    def _rng(self, piece: Piece, stream: int) -> np.random.Generator:
        return stream_of_piece(self.entropy, 3, piece=piece, stream=stream)

    def _fill(
        self,
        rows: IntArray,
        weights: FloatArray,
        places: IntArray,
        rng: np.random.Generator,
        out: Vectors,
        sources: IntArray,
    ) -> None:
        """Write vectors of the rows at `places`, and their source rows; some are copied, the others moved."""
        main = rows[places]
        out[:] = self.Z[main]
        sources[:, 0] = sources[:, 1] = main
        kept = int(self.max_copies * len(main))
        if not len(self.numbers) or kept >= len(main):
            return
        unique, back = np.unique(main[kept:], return_inverse=True)
        pool = np.unique(rows[draw_by_weight(weights, _POOL, rng)])
        similar = Neighbours(self.Z, self.numbers, self._least, rows=unique, pool=pool)
        for first in range(0, len(back), _TILE):
            own, tile = back[first : first + _TILE], slice(kept + first, kept + first + _TILE)
            out[tile, self.numbers], sources[tile, 1] = self._moved(main[tile], own, similar, rng)
            if len(self._unsnapped):
                able = kept + first + np.flatnonzero(similar.room[own])
                out[np.ix_(able, self._unsnapped)] = self._snapped(main[able])[:, self._unsnapped]

    def _moved(
        self, main: IntArray, own: IntArray, similar: Neighbours, rng: np.random.Generator
    ) -> tuple[FloatArray, IntArray]:
        """The numbers of the rows `main`, moved, and the rows that they were moved towards.

        `own` are the rows' places among those of `similar`. Later attempts look at more of their neighbours.
        """
        numbers, partners = self._numbers[main], main.copy()
        todo = np.flatnonzero(similar.room[own])
        for reach in range(FIRST, MOST + 1, FIRST):
            partners[todo] = similar.pick(own[todo], reach, rng.random(len(todo)))
            start, end = self._numbers[main[todo]], self._numbers[partners[todo]]
            path = end - start
            # So near an end it is a copy.
            margin = 1.0 / (np.abs(path) / self._least).max(axis=1, keepdims=True)
            new = start + (margin + (1.0 - 2.0 * margin) * rng.random(margin.shape)) * path
            numbers[todo] = new = new if self.snap is None else self.snap(new, self.numbers)
            alike = self._kinds[main[todo]] == self._kinds[partners[todo]]
            todo = todo[self._hardly_moved(new, start) | (alike & self._hardly_moved(new, end))]
        return numbers, partners

    def _hardly_moved(self, new: FloatArray, old: FloatArray) -> BoolArray:
        """Whether numbers equal others but for small moves."""
        return np.asarray((np.abs(new - old) - self._least).max(axis=1) <= _ROUNDING)

    @cached_property
    def _least(self) -> FloatArray:
        """The least move of each number."""
        return np.asarray(_LEAST_MOVE * self.Z[:, self.numbers].std(axis=0))

    @cached_property
    def _numbers(self) -> FloatArray:
        """The coordinates that may move, of all rows."""
        return np.ascontiguousarray(self.Z[:, self.numbers])

    @cached_property
    def _copied(self) -> IntArray:
        """The coordinates that are copied together."""
        return np.setdiff1d(np.arange(self.Z.shape[1]), self.numbers)

    @cached_property
    def _kinds(self) -> IntArray:
        """A number for each row, equal where what is copied is: a hash of it, rounded."""
        multipliers = np.random.default_rng(0).integers(2**62, size=len(self._copied)) * 2 + 1
        kinds = np.empty(len(self.Z), dtype=np.int64)
        for first in range(0, len(kinds), _TILE):
            some = np.clip(self.Z[first : first + _TILE][:, self._copied], -1e9, 1e9)
            kinds[first : first + _TILE] = np.rint(some / _ROUNDING).astype(np.int64) @ multipliers
        return kinds

    @cached_property
    def _unsnapped(self) -> IntArray:
        """The copied coordinates that differ, in some row, from what they are snapped to."""
        differ = np.zeros(self.Z.shape[1], dtype=bool)
        for first in range(0, len(self.Z), _TILE):
            rows = np.arange(first, min(first + _TILE, len(self.Z)))
            differ |= (self._snapped(rows) != self.Z[rows]).any(axis=0)
        return np.intersect1d(np.flatnonzero(differ), self._copied)

    def _snapped(self, rows: IntArray) -> FloatArray:
        """Training rows as valid vectors."""
        return self.Z[rows] if self.snap is None else self.snap(self.Z[rows], None)


def _capped(weights: FloatArray, n: int) -> FloatArray:
    """Weights under which no row is drawn twice in `n`, where that can be; else equal weights."""
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
