"""Strategies: what is done to the training rows, and with which weights they are trained on.

Each sees training rows only. `equal`, `smote`, `parents` and `paper` end in equal sampling by exact
weights, so that what differs between them is where the rows of small cells come from. `adaptive` and
`augment` learn how much cells weigh. Rows that are made are valid rows of the table, as they would be if
they were written to a file and read again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from imblearn.over_sampling import SMOTE

from fairlattice._validation import FloatArray, IntArray
from fairlattice.encoders import TableEncoder
from fairlattice.samplers import (
    Cell,
    CellIndex,
    MixingSampler,
    PickingSampler,
    cell_weights,
    pick,
    weights_of,
)

_NEIGHBOURS = 5

Made = dict[Cell, FloatArray]


@dataclass(frozen=True)
class TrainingRows:
    """Encoded training rows, and how many rows small cells are raised to.

    Parameters
    ----------
    Z : float array of shape (n, d)
        Vectors.
    encoder : TableEncoder
        What made the vectors, and knows which vectors are those of valid rows.
    index : CellIndex
        Leaves and labels of the rows.
    copied : dict of int to slice
        For each attribute whose column is itself a feature, its coordinates: made rows get those of
        a real row with the leaf's level.
    per_cell : int
        Cells with fewer rows are raised to this many, at most to the largest cell's number.
    seed : tuple of int
        Entropy of all draws.
    distinct : bool, default=False
        Draw no row of a parent again before all have been drawn.
    classifier : classifier, optional
        What will be trained on them, where a logistic regression does not tell what it needs.
    """

    Z: FloatArray
    encoder: TableEncoder
    index: CellIndex
    copied: dict[int, slice]
    per_cell: int
    seed: tuple[int, ...]
    distinct: bool = False
    classifier: Any = None

    def shortfalls(self) -> dict[Cell, int]:
        """How many rows each cell lacks."""
        largest = max(size for _, size in self.index.cells())
        return self.index.shortfalls(min(self.per_cell, largest))


class Prepared(NamedTuple):
    """What the classifier is trained on."""

    Z: FloatArray
    leaves: IntArray
    labels: IntArray
    weights: FloatArray | None


def _none(train: TrainingRows) -> Prepared:
    return Prepared(train.Z, train.index.leaves, train.index.labels, None)


def _label(train: TrainingRows) -> Prepared:
    return _none(train)._replace(weights=cell_weights(train.index.labels))


def _equal(train: TrainingRows) -> Prepared:
    return _weighted(train.Z, train.index.leaves, train.index.labels)


def _adapted(train: TrainingRows, *, borrow: bool) -> Prepared:
    """Weights of cells that are learned, on each cell's own rows or on all that stand for it.

    The latter are not drawn: each row has the weight that it would have after infinitely many draws.
    """
    own = None if train.classifier is None else (train.classifier, train.Z)
    weights = weights_of(train.Z, train.index, borrow=borrow, own=own, entropy=train.seed)
    return _none(train)._replace(weights=weights)


def _smote(train: TrainingRows, wanted: dict[Cell, int]) -> Made:
    """SMOTE within each cell; a cell of fewer than 6 rows uses all its other rows as neighbours, a
    cell of one row is repeated, and a cell of none stays empty.
    """  # noqa: D205
    return {cell: _smote_rows(train, cell, n) for cell, n in wanted.items() if len(train.index.rows(cell))}


def _smote_rows(train: TrainingRows, cell: Cell, n: int) -> FloatArray:
    vectors = train.Z[train.index.rows(cell)]
    if len(vectors) == 1:
        return np.repeat(vectors, n, axis=0)
    seed = int(np.random.SeedSequence([*train.seed, *cell]).generate_state(1)[0])
    return _interpolate(vectors, n, seed=seed)


def _interpolate(vectors: FloatArray, n: int, *, seed: int) -> FloatArray:
    """`n` new vectors by imbalanced-learn's SMOTE among `vectors` alone."""
    # SMOTE raises a minority class to a target; a dummy majority of its own makes the cell one.
    k, size = min(_NEIGHBOURS, len(vectors) - 1), len(vectors)
    dummy = np.zeros((size + n, vectors.shape[1]))
    stacked, which = np.concatenate([vectors, dummy]), np.repeat([1, 0], [size, size + n])
    grown, _ = SMOTE(k_neighbors=k, random_state=seed).fit_resample(stacked, which)
    new: FloatArray = grown[len(stacked) :]
    return new


def _parents(train: TrainingRows, wanted: dict[Cell, int]) -> Made:
    """Rows drawn plainly from the parents, each parent as likely as the others."""
    rng = np.random.default_rng(train.seed)

    def draw(cell: Cell, n: int) -> tuple[FloatArray, IntArray]:
        parents = train.index.parents(cell)
        rows = np.stack([pick(rng, r, n, distinct=train.distinct) for r in parents], axis=1)
        return train.Z[rows[np.arange(n), rng.integers(rows.shape[1], size=n)]], rows

    return _drawn(train, wanted, draw)


def _paper(train: TrainingRows, wanted: dict[Cell, int]) -> Made:
    """Scalar mixing of the parents' rows, shared by label, β = 1."""
    sampler = MixingSampler.fit(train.Z, train.index, entropy=train.seed)
    return _drawn(train, wanted, partial(sampler.draw, distinct=train.distinct))


def _picked(train: TrainingRows, wanted: dict[Cell, int]) -> Made:
    """Rows of the label, picked by how likely they are to be of the leaf, their numbers moved."""
    encoder = train.encoder
    sampler = PickingSampler.fit(
        train.Z, train.index, entropy=train.seed, blocks=encoder.blocks, snap=encoder.snap
    )
    return _drawn(train, wanted, partial(sampler.draw, distinct=train.distinct))


def _drawn(
    train: TrainingRows,
    wanted: dict[Cell, int],
    draw: Callable[[Cell, int], tuple[FloatArray, IntArray]],
) -> Made:
    """Vectors made by `draw`; an attribute's own column, where it is a feature, is a real row's."""
    drawn = [draw(cell, n) for cell, n in wanted.items()]
    if not drawn:
        return {}
    new = np.concatenate([vectors for vectors, _ in drawn])
    if train.copied:
        parents = np.concatenate([rows for _, rows in drawn])
        rng = np.random.default_rng(train.seed)
        sources = train.index.level_sources(list(wanted.items()), parents, rng)
        for i, part in train.copied.items():
            new[:, part] = train.Z[sources[i], part]
    ends = np.cumsum(list(wanted.values()))[:-1]
    return dict(zip(wanted, np.split(new, ends), strict=True))


MAKERS: dict[str, Callable[[TrainingRows, dict[Cell, int]], Made]] = {
    "smote": _smote,
    "parents": _parents,
    "paper": _paper,
    "augment": _picked,
}


def make_rows(train: TrainingRows, recipe: str, wanted: dict[Cell, int]) -> Made:
    """Valid rows, as vectors, of the cells that the recipe can make rows of."""
    return {cell: train.encoder.snap(Z) for cell, Z in MAKERS[recipe](train, wanted).items()}


def _raised(train: TrainingRows, recipe: str) -> Prepared:
    """Training rows, and made rows for every cell that lacks some, all weighted by cell."""
    made = make_rows(train, recipe, train.shortfalls())
    if not made:
        return _equal(train)
    sizes = [len(vectors) for vectors in made.values()]
    return _weighted(
        np.concatenate([train.Z, *made.values()]),
        np.concatenate([train.index.leaves, np.repeat([c.leaf for c in made], sizes)]),
        np.concatenate([train.index.labels, np.repeat([c.label for c in made], sizes)]),
    )


def _weighted(Z: FloatArray, leaves: IntArray, labels: IntArray) -> Prepared:
    return Prepared(Z, leaves, labels, cell_weights(leaves * 2 + labels))


RECIPES: dict[str, Callable[[TrainingRows], Prepared]] = {
    "none": _none,
    "label": _label,
    "equal": _equal,
    **{recipe: partial(_raised, recipe=recipe) for recipe in ("smote", "parents", "paper")},
    "adaptive": partial(_adapted, borrow=False),
    "augment": partial(_adapted, borrow=True),
}


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy by name.

    Parameters
    ----------
    name : str
        What it is called.
    recipe : str
        What is done; strategies with the same recipe give the same rows and are run once.
    about : str
        One line for a reader.
    """

    name: str
    recipe: str
    about: str


STRATEGIES: dict[str, Strategy] = {
    s.name: s
    for s in (
        Strategy("none", "none", "unconstrained: the table as it is"),
        Strategy("label", "label", "class weights only, blind to groups"),
        Strategy("equal", "equal", "every (group, label) cell weighs the same, no new rows"),
        Strategy("adaptive", "adaptive", "cells weigh more where their recall is low; no new rows"),
        Strategy("smote", "smote", "SMOTE within the cell, then equal weights"),
        Strategy("parents", "parents", "rows drawn plainly from parent groups, then equal weights"),
        Strategy("paper", "paper", "arXiv:2405.14521: scalar mixing shared by label, then equal weights"),
        Strategy("augment", "augment", "our default: as adaptive, with rows that stand for small cells"),
    )
}
"""The strategies, in the order in which they are reported."""
