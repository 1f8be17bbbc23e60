"""A decision: how a score becomes a label. The contract, and what every choice of thresholds needs.

A row gets the second label where its score lies above a threshold. Thresholds are chosen on scores of training
rows by models that have not seen them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice
from fairlattice.strategies._training import TrainingTable

Scores = Callable[[], FloatArray]
"""Out-of-fold scores of the training rows, computed when first needed."""
_CANDIDATES = 100  # thresholds to choose among, from the scores of each label


class FittedDecision(Protocol):
    """A decision with its thresholds."""

    def above(self, scores: FloatArray, X: Any, lattice: GroupLattice, leaves: IntArray) -> BoolArray:
        """Whether the score of each row of X lies above its threshold.

        X is as the classifier takes it; groups are leaf codes of a lattice, which mean nothing where the decision does
        not need them.
        """
        ...


class Decision(Protocol):
    """Chooses thresholds. One of your own is a class with these members.

    `name` is what users call it, `about` one line for a reader, and `needs_groups` says whether the groups are needed
    at prediction. One that uses groups in training alone says so with ``uses_groups = True``.
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
    def needs_groups(self) -> bool:
        """Whether groups are needed at prediction."""
        ...

    def choose(self, table: TrainingTable, scores: Scores) -> FittedDecision | None:
        """Choose thresholds on the training rows; None leaves the decision to the classifier."""
        ...


def scores_and_labels(table: TrainingTable, scores: Scores) -> tuple[FloatArray, BoolArray]:
    """Out-of-fold scores, and which rows have the second label.

    Raises
    ------
    InputError
        If there are not two labels.
    """
    if len(np.unique(table.index.labels)) != 2 or len(table.classes) != 2:
        raise InputError(f"Score thresholds need a label with two classes, got {len(table.classes)}.")
    positive: BoolArray = table.index.labels == 1
    return scores(), positive


def check_groups(table: TrainingTable, name: str) -> None:
    """Raise unless there is an attribute, which a decision uses."""
    if not table.index.lattice.attributes:
        raise InputError(f"The decision `{name}` needs at least one sensitive attribute in training.")


def candidates_of(scores: FloatArray, positive: BoolArray) -> FloatArray:
    """Thresholds to choose among: quantiles of the scores of either label."""
    shares = np.linspace(0.0, 1.0, _CANDIDATES + 1)
    return np.unique([np.quantile(scores[own], shares, method="lower") for own in (~positive, positive)])


def best_of(values: FloatArray) -> IntArray:
    """The place of the largest value in each row; of several, the middle one, so that no end is favoured."""
    largest = values >= values.max(axis=1, keepdims=True) - 1e-12
    middle = (largest.sum(axis=1) + 1) // 2
    best: IntArray = np.argmax(np.cumsum(largest, axis=1) == middle[:, None], axis=1)
    return best
