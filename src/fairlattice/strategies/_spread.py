"""Which rows represent a cell, and how much: the cell's own, and others by the membership model.

Importance resampling draws real rows of the label for a cell, each with some probability. After infinitely many
draws every row would carry the weight with which it is drawn, so a classifier can be trained on the rows as they
are with those weights: what the draws mean, without their noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairlattice._validation import FloatArray, IntArray
from fairlattice.samplers import Cell, CellIndex, ImportanceSampler
from fairlattice.samplers._shared import even_share, ranks


@dataclass(frozen=True, eq=False)
class Representation:
    """Some rows of a training table, and how much each represents each cell.

    Parameters
    ----------
    labels : int array of shape (cells,)
        Label of each cell that has rows.
    place : int array of shape (n,)
        Which of the cells each row belongs to.
    shares : float array of shape (cells, n)
        Probability of each row to be drawn for each cell; those of a cell sum to 1, or are all 0.
    """

    labels: IntArray
    place: IntArray
    shares: FloatArray

    @property
    def sizes(self) -> FloatArray:
        """Rows of each cell."""
        counts: FloatArray = np.bincount(self.place, minlength=len(self.labels)).astype(np.float64)
        return counts

    def take(self, rows: IntArray) -> Representation:
        """The same cells, with some of the rows."""
        return Representation(self.labels, self.place[rows], _normed(self.shares[:, rows]))

    def weights(self, mass: FloatArray, *, spread: bool) -> FloatArray:
        """Weights of rows, with mean 1, under which the cells carry the weights `mass`.

        Parameters
        ----------
        mass : float array of shape (cells,)
            At least 0.
        spread : bool
            Whether the weight of a cell goes to all rows that represent it, or to its own rows alone.
        """
        if spread:
            weights: FloatArray = mass @ self.shares
        else:
            weights = np.divide(mass, self.sizes, out=np.zeros_like(mass), where=self.sizes > 0)[self.place]
        return mean_one(weights)

    def shrunk(self, values: FloatArray, strength: float) -> FloatArray:
        """Mean of a value over each cell's rows, shrunk to that over the rows that represent the cell.

        Parameters
        ----------
        values : float array of shape (n,)
            One for each row.
        strength : float
            How many rows the second mean counts as much as.
        """
        sums = np.bincount(self.place, weights=values, minlength=len(self.labels))
        means: FloatArray = (sums + strength * (self.shares @ values)) / (self.sizes + strength)
        return means


def _normed(shares: FloatArray) -> FloatArray:
    """Rows that sum to 1, or are 0."""
    total = shares.sum(axis=1, keepdims=True)
    normed: FloatArray = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return normed


def mean_one(weights: FloatArray) -> FloatArray:
    """Weights in proportion, with mean 1."""
    scaled: FloatArray = weights * (len(weights) / weights.sum())
    return scaled


def known_cells(index: CellIndex) -> tuple[tuple[Cell, ...], IntArray]:
    """The cells that have rows, and which of them each row belongs to."""
    codes, place = np.unique(index.leaves * index.n_labels + index.labels, return_inverse=True)
    return tuple(Cell(int(c // index.n_labels), int(c % index.n_labels)) for c in codes), place


def representation_of(sampler: ImportanceSampler, rows: IntArray) -> Representation:
    """How much some of a sampler's training rows represent its cells."""
    cells, place = known_cells(sampler.index)
    shares = np.zeros((len(cells), len(rows)))
    whole = np.zeros(len(place))
    for cell, share in zip(cells, shares, strict=True):
        members, chances = sampler.weights(cell)
        whole[:] = 0.0
        whole[members] = chances
        share[:] = whole[rows]
    labels = np.asarray([cell.label for cell in cells], dtype=np.int64)
    return Representation(labels, place[rows], _normed(shares))


def spread_weights(sampler: ImportanceSampler, mass: FloatArray) -> FloatArray:
    """Weights of all training rows, not normalised, when each known cell spreads `mass` over its rows."""
    cells, place = known_cells(sampler.index)
    weights = np.zeros(len(place))
    for cell, share in zip(cells, mass, strict=True):
        members, chances = sampler.weights(cell)
        weights[members] += share * chances
    return weights


def thinned_cells(place: IntArray, n: int, rng: np.random.Generator, *, least: int) -> IntArray:
    """Row numbers of at most n rows: small cells whole, large ones in part; of too many cells, any rows.

    Parameters
    ----------
    place : int array of shape (m,)
        The cell of each row.
    n : int
        How many rows at most.
    least : int
        Rows that a cell keeps, if it has them and there is room.
    rng : numpy.random.Generator
        Draws them.
    """
    if len(place) <= n:
        return np.arange(len(place))
    order = np.lexsort((rng.random(len(place)), place))
    rows = order[ranks(place[order]) < even_share(np.bincount(place), n, least=least)]
    return np.sort(rows if len(rows) <= n else rng.choice(rows, n, replace=False))
