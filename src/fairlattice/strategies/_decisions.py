"""Decisions: how a score becomes a label. One class for each idea.

A row gets the second label where its score lies above a threshold. Thresholds are chosen on scores of training
rows by models that have not seen them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, ClassVar, Protocol

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice
from fairlattice.strategies._training import TrainingTable

Scores = Callable[[], FloatArray]
"""Out-of-fold scores of the training rows, computed when first needed."""
_KAPPA = 50.0  # rows that the mean of a group's parents counts as much as; one learned from the counts was no fairer
_RIDGES = np.logspace(-1, 4, 6)
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
    at prediction.
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
        found, positive = _checked(table, scores)
        candidates = _candidates(found, positive)
        above = found[:, None] > candidates
        balanced = above[positive].mean(axis=0) - above[~positive].mean(axis=0)
        return SharedThreshold(float(candidates[_best(balanced[None, :])[0]]))


@dataclass(frozen=True)
class SharedThreshold:
    """One threshold for everyone."""

    threshold: float

    def above(self, scores: FloatArray, X: Any, lattice: GroupLattice, leaves: IntArray) -> BoolArray:  # noqa: ARG002
        """Whether each score lies above the threshold."""
        higher: BoolArray = scores > self.threshold
        return higher


@dataclass(frozen=True)
class LeafThresholds:
    """A threshold per leaf: the one with the largest lower rate of TPR and TNR in the leaf.

    The share of scores above a threshold is shrunk up the lattice, label by label: with n rows in a group, it is
    ``(n F + κ · mean of the parents' shrunk shares) / (n + κ)``, κ = 50. A leaf without rows has the mean of its
    parents.

    Deciding by group may be unlawful where people are ranked for credit or hiring, so this is never a default.
    """

    name: ClassVar[str] = "thresholds"
    about: ClassVar[str] = "a score threshold per leaf, shrunk up the lattice; needs the groups at prediction"
    needs_groups: ClassVar[bool] = True

    def choose(self, table: TrainingTable, scores: Scores) -> ThresholdsByLeaf:
        """Count how many scores of each cell lie above each candidate threshold."""
        found, positive = _checked(table, scores)
        if not table.index.lattice.attributes:
            raise InputError("Thresholds per group need at least one sensitive attribute.")
        candidates = _candidates(found, positive)
        leaves, place = np.unique(table.index.leaves, return_inverse=True)
        rows = [
            _sums(place[own], np.ones((own.sum(), 1)), len(leaves))[:, 0] for own in (~positive, positive)
        ]
        higher = [
            _sums(place[own], (found[own, None] > candidates).astype(np.float64), len(leaves))
            for own in (~positive, positive)
        ]
        return ThresholdsByLeaf(table.index.lattice, candidates, leaves, np.stack(rows), np.stack(higher))


@dataclass(frozen=True, eq=False)
class ThresholdsByLeaf:
    """What thresholds per leaf follow from: counts of scores, so that any leaf's threshold can be computed.

    Parameters
    ----------
    lattice : GroupLattice
        The groups of the training rows.
    candidates : float array of shape (m,)
        Increasing thresholds to choose among.
    leaves : int array of shape (k,)
        Leaf codes of the training rows, increasing.
    rows : float array of shape (2, k)
        Rows of each label and leaf.
    higher : float array of shape (2, k, m)
        How many of them have a score above each candidate.
    """

    lattice: GroupLattice
    candidates: FloatArray = field(repr=False)
    leaves: IntArray = field(repr=False)
    rows: FloatArray = field(repr=False)
    higher: FloatArray = field(repr=False)

    def above(self, scores: FloatArray, X: Any, lattice: GroupLattice, leaves: IntArray) -> BoolArray:  # noqa: ARG002
        """Whether each score lies above the threshold of its leaf."""
        asked, place = np.unique(leaves, return_inverse=True)
        higher: BoolArray = scores > self.thresholds(lattice, asked)[place]
        return higher

    def thresholds(self, lattice: GroupLattice, leaves: IntArray) -> FloatArray:
        """The threshold of each leaf; leaves and levels that no training row has take their parents'."""
        both = self.lattice.union(lattice)
        known, asked = self.lattice.recode(self.leaves, both), lattice.recode(leaves, both)
        fpr, tpr = (_shrunk(both, known, *own, asked) for own in zip(self.rows, self.higher, strict=True))
        chosen: FloatArray = self.candidates[_best(np.minimum(tpr, 1.0 - fpr))]
        return chosen


@dataclass(frozen=True)
class ExpectedThreshold:
    """The threshold per leaf that is expected of a row: blind to groups at prediction.

    With t_g the threshold of leaf g by :class:`LeafThresholds`, a row with features x gets E[t_G | x] =
    Σ_g P(g | x) t_g, estimated by a ridge regression of the training rows' thresholds on their features. Sensitive
    columns among the features are left out. Where features say nothing of the group, everyone gets the same threshold.
    """

    name: ClassVar[str] = "expected"
    about: ClassVar[str] = (
        "the threshold per leaf that is expected given the features; blind to groups at prediction"
    )
    needs_groups: ClassVar[bool] = False

    def choose(self, table: TrainingTable, scores: Scores) -> ThresholdByFeatures:
        """Regress the thresholds of the rows' leaves on their features."""
        found = LeafThresholds().choose(table, scores)
        own = found.thresholds(table.index.lattice, table.index.leaves)
        features = table.blind_features()
        model = make_pipeline(StandardScaler(), RidgeCV(_RIDGES)).fit(features(table.X), own)
        return ThresholdByFeatures(features, model, float(own.min()), float(own.max()))


@dataclass(frozen=True, eq=False)
class ThresholdByFeatures:
    """A threshold that follows from the features.

    Parameters
    ----------
    features : callable
        Vectors without sensitive columns, of rows as the classifier takes them.
    model : regressor
        Predicts a threshold from them.
    low, high : float
        The least and the greatest threshold of a leaf; no row gets one outside.
    """

    features: Callable[[Any], FloatArray] = field(repr=False)
    model: Any = field(repr=False)
    low: float
    high: float

    def above(self, scores: FloatArray, X: Any, lattice: GroupLattice, leaves: IntArray) -> BoolArray:  # noqa: ARG002
        """Whether each score lies above the threshold that the row's features predict."""
        higher: BoolArray = scores > np.clip(self.model.predict(self.features(X)), self.low, self.high)
        return higher


def _shrunk(
    lattice: GroupLattice, known: IntArray, rows: FloatArray, higher: FloatArray, asked: IntArray
) -> FloatArray:
    """Shares of scores above each candidate in the leaves `asked`, shrunk from everyone down to the leaves."""
    everyone = higher.sum(axis=0) / rows.sum()
    above: dict[tuple[str, ...], FloatArray] = {(): np.broadcast_to(everyone, (len(asked), len(everyone)))}
    for size in range(1, len(lattice.names) + 1):
        below, above = above, {}
        for names in combinations(lattice.names, size):
            parents = [below[tuple(n for n in names if n != freed)] for freed in names]
            groups, place = np.unique(lattice.project(known, names), return_inverse=True)
            wanted = lattice.project(asked, names)
            at = np.minimum(np.searchsorted(groups, wanted), len(groups) - 1)
            found = (groups[at] == wanted)[:, None]
            n = np.where(found, _sums(place, rows[:, None], len(groups))[at], 0.0)
            sums = np.where(found, _sums(place, higher, len(groups))[at], 0.0)
            above[names] = (sums + _KAPPA * np.mean(parents, axis=0)) / (n + _KAPPA)
    return above[lattice.names]


def _checked(table: TrainingTable, scores: Scores) -> tuple[FloatArray, BoolArray]:
    """Out-of-fold scores, and which rows have the second label."""
    if len(np.unique(table.index.labels)) != 2 or len(table.classes) != 2:
        raise InputError(f"Score thresholds need a label with two classes, got {len(table.classes)}.")
    positive: BoolArray = table.index.labels == 1
    return scores(), positive


def _candidates(scores: FloatArray, positive: BoolArray) -> FloatArray:
    """Thresholds to choose among: quantiles of the scores of either label."""
    shares = np.linspace(0.0, 1.0, _CANDIDATES + 1)
    return np.unique([np.quantile(scores[own], shares, method="lower") for own in (~positive, positive)])


def _best(values: FloatArray) -> IntArray:
    """The place of the largest value in each row; of several, the middle one, so that no end is favoured."""
    largest = values >= values.max(axis=1, keepdims=True) - 1e-12
    middle = (largest.sum(axis=1) + 1) // 2
    best: IntArray = np.argmax(np.cumsum(largest, axis=1) == middle[:, None], axis=1)
    return best


def _sums(place: IntArray, values: FloatArray, n: int) -> FloatArray:
    """Sums of the rows of `values` by place."""
    out = np.zeros((n, values.shape[1]))
    np.add.at(out, place, values)
    return out


DECISIONS: dict[str, Decision] = {
    decision.name: decision for decision in (Half(), OneThreshold(), ExpectedThreshold(), LeafThresholds())
}
"""The decisions by name."""
