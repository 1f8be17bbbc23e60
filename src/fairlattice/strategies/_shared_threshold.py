"""Decisions that are the same for everyone: the classifier's own, and one threshold chosen on the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.groups import GroupLattice
from fairlattice.strategies._decision import Scores, best_of, candidates_of, scores_and_labels
from fairlattice.strategies._training import TrainingTable


@dataclass(frozen=True)
class Half:
    """The classifier's own decision: the label with the highest probability."""

    name: ClassVar[str] = ".5"
    about: ClassVar[str] = "a score above .5"
    needs_groups: ClassVar[bool] = False

    def choose(self, table: TrainingTable, scores: Scores) -> None:  # noqa: ARG002 - as every decision
        """Nothing to choose."""
        return


@dataclass(frozen=True)
class OneThreshold:
    """One threshold for everyone: the one with the best balanced accuracy out of fold."""

    name: ClassVar[str] = "tuned"
    about: ClassVar[str] = "one cross-fitted score threshold for everyone"
    needs_groups: ClassVar[bool] = False

    def choose(self, table: TrainingTable, scores: Scores) -> SharedThreshold:
        """Choose the threshold with the largest mean of TPR and TNR."""
        found, positive = scores_and_labels(table, scores)
        return SharedThreshold(best_balanced(found, positive))


@dataclass(frozen=True)
class SharedThreshold:
    """One threshold for everyone."""

    threshold: float

    def above(self, scores: FloatArray, X: Any, lattice: GroupLattice, leaves: IntArray) -> BoolArray:  # noqa: ARG002
        """Whether each score lies above the threshold."""
        higher: BoolArray = scores > self.threshold
        return higher


def best_balanced(scores: FloatArray, positive: BoolArray) -> float:
    """The threshold with the largest mean of TPR and TNR."""
    candidates = candidates_of(scores, positive)
    above = scores[:, None] > candidates
    balanced = above[positive].mean(axis=0) - above[~positive].mean(axis=0)
    return float(candidates[best_of(balanced[None, :])[0]])
