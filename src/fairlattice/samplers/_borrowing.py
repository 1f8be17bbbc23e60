"""Borrowing: which rows stand for a cell, and how much, beside its own.

A made row of a cell is a real one of its label, picked by how likely it is to be of the leaf. After
infinitely many draws every row has the weight at which it is picked, so a classifier can be trained on
the rows as they are, with those weights: exactly what the draws mean, without their noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairlattice._validation import FloatArray, IntArray
from fairlattice.samplers._cells import Cell, CellIndex
from fairlattice.samplers._picking import PickingSampler


@dataclass(frozen=True, eq=False)
class Borrowing:
    """Some rows of a training table, and how they stand for its cells.

    Parameters
    ----------
    labels : int array of shape (cells,)
        Label of each cell that has rows.
    place : int array of shape (n,)
        Which of the cells each row is of.
    picks : float array of shape (cells, n)
        With which probability each row is picked for each cell; a cell's sum to 1, or are all 0.
    """

    labels: IntArray
    place: IntArray
    picks: FloatArray

    @property
    def sizes(self) -> FloatArray:
        """Rows of each cell."""
        counts: FloatArray = np.bincount(self.place, minlength=len(self.labels)).astype(np.float64)
        return counts

    def take(self, rows: IntArray) -> Borrowing:
        """The same cells, with some of the rows."""
        return Borrowing(self.labels, self.place[rows], _normed(self.picks[:, rows]))

    def weights(self, mass: FloatArray, *, borrow: bool) -> FloatArray:
        """Weights of rows, with mean 1, with which the cells weigh as `mass` says.

        Parameters
        ----------
        mass : float array of shape (cells,)
            At least 0.
        borrow : bool
            Whether a cell's weight goes to all rows that stand for it, or to its own alone.
        """
        if borrow:
            weights: FloatArray = mass @ self.picks
        else:
            weights = np.divide(mass, self.sizes, out=np.zeros_like(mass), where=self.sizes > 0)[self.place]
        return mean_one(weights)

    def shrunk(self, values: FloatArray, strength: float) -> FloatArray:
        """Mean of a value over each cell's rows, shrunk to that over the rows that stand for the cell.

        Parameters
        ----------
        values : float array of shape (n,)
            One a row.
        strength : float
            How many rows the second mean counts for.
        """
        sums = np.bincount(self.place, weights=values, minlength=len(self.labels))
        means: FloatArray = (sums + strength * (self.picks @ values)) / (self.sizes + strength)
        return means


def _normed(picks: FloatArray) -> FloatArray:
    """Rows that sum to 1, or are 0."""
    total = picks.sum(axis=1, keepdims=True)
    normed: FloatArray = np.divide(picks, total, out=np.zeros_like(picks), where=total > 0)
    return normed


def mean_one(weights: FloatArray) -> FloatArray:
    """Weights in proportion, with mean 1."""
    scaled: FloatArray = weights * (len(weights) / weights.sum())
    return scaled


def known_cells(index: CellIndex) -> tuple[tuple[Cell, ...], IntArray]:
    """The cells that have rows, and which of them each row is of."""
    codes, place = np.unique(index.leaves * index.n_labels + index.labels, return_inverse=True)
    return tuple(Cell(int(c // index.n_labels), int(c % index.n_labels)) for c in codes), place


def borrowing_of(sampler: PickingSampler, rows: IntArray) -> Borrowing:
    """How some of a sampler's training rows stand for its cells."""
    cells, place = known_cells(sampler.index)
    picks = np.zeros((len(cells), len(rows)))
    whole = np.zeros(len(place))
    for cell, pick in zip(cells, picks, strict=True):
        members, chances = sampler.weights(cell)
        whole[:] = 0.0
        whole[members] = chances
        pick[:] = whole[rows]
    labels = np.asarray([cell.label for cell in cells], dtype=np.int64)
    return Borrowing(labels, place[rows], _normed(picks))


def picked_weights(sampler: PickingSampler, mass: FloatArray) -> FloatArray:
    """Weights of all training rows, with mean 1, with which the known cells weigh as `mass` says."""
    cells, place = known_cells(sampler.index)
    weights = np.zeros(len(place))
    for cell, share in zip(cells, mass, strict=True):
        members, chances = sampler.weights(cell)
        weights[members] += share * chances
    return mean_one(weights)
