"""Weightings: how much each training row counts. One class for each idea."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from fairlattice._validation import FloatArray, IntArray
from fairlattice.samplers import CellIndex, ImportanceSampler
from fairlattice.strategies._equal import cell_weights
from fairlattice.strategies._learned import (
    LEARNED_STREAM,
    SPREAD_STREAM,
    Learner,
    check_learnable,
    fit_mass,
)
from fairlattice.strategies._spread import known_cells, mean_one, spread_weights
from fairlattice.strategies._training import TrainingRows, TrainingTable


class Weighting(Protocol):
    """Weighs training rows. One of your own is a class with these members.

    `name` is what users call it and `about` one line for a reader. `uses_groups` is false where weights depend on
    labels alone. `simpler` names the weighting that remains when its idea is removed, or is None.
    """

    @property
    def name(self) -> str:
        """The part's name."""
        ...

    @property
    def about(self) -> str:
        """One line for a reader."""
        ...

    @property
    def uses_groups(self) -> bool:
        """Whether the weights depend on the groups."""
        ...

    @property
    def simpler(self) -> str | None:
        """The weighting without this one's idea."""
        ...

    def weights(self, table: TrainingTable, rows: TrainingRows) -> FloatArray | None:
        """Weights of at least 0 of `rows`, original and synthetic, or None for no weights."""
        ...


@dataclass(frozen=True)
class NoWeights:
    """Every row counts the same."""

    name: ClassVar[str] = "none"
    about: ClassVar[str] = "every row weighs the same"
    uses_groups: ClassVar[bool] = False
    simpler: ClassVar[str | None] = None

    def weights(self, table: TrainingTable, rows: TrainingRows) -> None:  # noqa: ARG002 - as every weighting
        """No weights."""
        return


@dataclass(frozen=True)
class ClassWeights:
    """Every label counts the same, blind to groups."""

    name: ClassVar[str] = "label"
    about: ClassVar[str] = "class weights, blind to groups"
    uses_groups: ClassVar[bool] = False
    simpler: ClassVar[str | None] = "none"

    def weights(self, table: TrainingTable, rows: TrainingRows) -> FloatArray:  # noqa: ARG002
        """``n / (labels · rows of the label)``."""
        return cell_weights(rows.labels)


@dataclass(frozen=True)
class CellWeights:
    """Every (leaf, label) cell counts the same: equal sampling."""

    name: ClassVar[str] = "equal"
    about: ClassVar[str] = "every (group, label) cell weighs the same"
    uses_groups: ClassVar[bool] = True
    simpler: ClassVar[str | None] = "none"

    def weights(self, table: TrainingTable, rows: TrainingRows) -> FloatArray:
        """``n / (cells · rows of the cell)``."""
        return cell_weights(rows.leaves * table.index.n_labels + rows.labels)


@dataclass(frozen=True)
class LearnedWeights:
    """Cells that a cross-fitted model recognises worse than others weigh more."""

    name: ClassVar[str] = "learned"
    about: ClassVar[str] = "cells with low cross-fitted recall weigh more"
    uses_groups: ClassVar[bool] = True
    simpler: ClassVar[str | None] = "equal"

    def weights(self, table: TrainingTable, rows: TrainingRows) -> FloatArray:
        """The learned weight of each cell, shared evenly by its original and synthetic rows."""
        _, mass = _fitted(table, spread=False)
        of_cell, place = _mass_of_rows(table.index, mass, rows)
        return mean_one(of_cell[place] / np.bincount(place)[place])


@dataclass(frozen=True)
class SpreadWeights:
    """Learned weights of cells, spread by the membership model over the rows of the label that resemble them."""

    name: ClassVar[str] = "borrow"
    about: ClassVar[str] = "learned weights, spread over rows that resemble the cell"
    uses_groups: ClassVar[bool] = True
    simpler: ClassVar[str | None] = "learned"

    def weights(self, table: TrainingTable, rows: TrainingRows) -> FloatArray:
        """The learned weight of each cell, spread over its own rows, its synthetic rows and others of the label."""
        sampler, mass = _fitted(table, spread=True)
        weights = spread_weights(sampler, mass)
        if len(rows.labels) > rows.n_original:
            weights = _with_synthetic(weights, sampler, mass, rows)
        return mean_one(weights)


def _fitted(table: TrainingTable, *, spread: bool) -> tuple[ImportanceSampler, FloatArray]:
    """The membership model, and the learned weight of each cell that has rows."""
    check_learnable(table.index)
    learner = Learner.of(table.estimator, table.X, table.vectors.Z)
    entropy = (*table.entropy, SPREAD_STREAM if spread else LEARNED_STREAM)
    return fit_mass(
        table.features.Z, table.index, learner, spread=spread, entropy=entropy, device=table.device
    )


def _mass_of_rows(index: CellIndex, mass: FloatArray, rows: TrainingRows) -> tuple[FloatArray, IntArray]:
    """The weight of each cell among `rows`, and the cell of each row.

    A cell that had no row to learn from, and got synthetic ones, weighs as much as the others do on average.
    """
    n = index.n_labels
    codes, place = np.unique(rows.leaves * n + rows.labels, return_inverse=True)
    known = np.asarray([cell.leaf * n + cell.label for cell in known_cells(index)[0]])
    of_cell = np.full(len(codes), mass.mean())
    of_cell[np.searchsorted(codes, known)] = mass
    return of_cell, place


def _with_synthetic(
    weights: FloatArray, sampler: ImportanceSampler, mass: FloatArray, rows: TrainingRows
) -> FloatArray:
    """What a cell gives to its own rows is shared by its original and its synthetic rows."""
    of_cell, place = _mass_of_rows(sampler.index, mass, rows)
    own, original = np.ones(len(of_cell)), place[: rows.n_original]
    for at, row in zip(*np.unique(original, return_index=True), strict=True):
        cell = sampler.index.cell_of(int(row))
        members, chances = sampler.weights(cell)
        own[at] = chances[sampler.index.leaves[members] == cell.leaf].sum()
    n_original = np.bincount(original, minlength=len(of_cell))
    each = of_cell * own / np.bincount(place)
    before = np.divide(of_cell * own, n_original, out=np.zeros_like(own), where=n_original > 0)
    return np.append(weights + (each - before)[original], each[place[rows.n_original :]])


WEIGHTINGS: dict[str, Weighting] = {
    weighting.name: weighting
    for weighting in (NoWeights(), ClassWeights(), CellWeights(), LearnedWeights(), SpreadWeights())
}
"""The weightings by name."""
