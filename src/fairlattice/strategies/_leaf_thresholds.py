"""A score threshold per leaf, from score distributions that are shrunk up the lattice."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np

from fairlattice._files import read_json, written
from fairlattice._validation import (
    BoolArray,
    FloatArray,
    IntArray,
    check_choice,
    check_count,
    check_real,
)
from fairlattice.exceptions import InputError
from fairlattice.groups import Attribute, GroupLattice
from fairlattice.samplers import CellIndex
from fairlattice.strategies._decision import (
    Scores,
    best_of,
    candidates_of,
    check_groups,
    scores_and_labels,
)
from fairlattice.strategies._shared_threshold import best_balanced
from fairlattice.strategies._shrinkage import Shrinkage
from fairlattice.strategies._training import TrainingTable

SCHEMA = "fairlattice/thresholds/1"
NOTIONS = ("equalized_odds", "equal_opportunity", "demographic_parity", "accuracy")


@dataclass(frozen=True)
class LeafThresholds:
    """A threshold per leaf, the one that is best for a notion of fairness.

    The share of scores above a threshold is shrunk up the lattice, label by label: with n rows in a group, it is
    ``(n F + κ · mean of the parents' shrunk shares) / (n + κ)``, κ = 50. A leaf without rows has the mean of its
    parents. Of these shares, TPR and FPR at each threshold:

    - "equalized_odds": the largest lower rate of TPR and TNR in the leaf;
    - "equal_opportunity": the TPR nearest to `level`, the same for all leaves;
    - "demographic_parity": the selection rate nearest to `level`;
    - "accuracy": the least expected cost of errors in the leaf, with `costs` of a missed positive and a false one.

    Deciding by group may be unlawful where people are ranked for credit or hiring, so this is never a default.

    Parameters
    ----------
    notion : str, default="equalized_odds"
        One of those above.
    level : float, optional
        In [0, 1]; by default, what one threshold for everyone with the best balanced accuracy gives.
    costs : (float, float), default=(1.0, 1.0)
        Above 0: cost of a row of the second label below the threshold, and of one of the first label above it.

    Raises
    ------
    InputError
        If an option is out of range; in ``choose``, if there are not two labels, or no attribute.
    """

    notion: str = "equalized_odds"
    level: float | None = None
    costs: tuple[float, float] = (1.0, 1.0)

    name: ClassVar[str] = "thresholds"
    about: ClassVar[str] = "a score threshold per leaf, shrunk up the lattice; needs the groups at prediction"
    needs_groups: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_choice("notion", self.notion, NOTIONS)
        if self.level is not None:
            check_real("level", self.level, 0.0, 1.0)
        for cost in self.costs:
            check_real("costs", cost, 0.0, np.inf, open_ends=True)

    def for_notion(self, notion: str) -> Self:
        """The same for another notion of fairness, where it is one of those that thresholds can aim at."""
        return replace(self, notion=notion) if notion in NOTIONS else self

    def choose(self, table: TrainingTable, scores: Scores) -> ThresholdsByLeaf:
        """Choose thresholds on out-of-fold scores of the training rows."""
        found, _ = scores_and_labels(table, scores)
        check_groups(table, self.name)
        return self.on(table.index, found)

    def on(self, index: CellIndex, scores: FloatArray) -> ThresholdsByLeaf:
        """Thresholds for scores of shape (n,): counts how many of each cell lie above each candidate."""
        positive = index.labels == 1
        candidates = candidates_of(scores, positive)
        leaves, place = np.unique(index.leaves, return_inverse=True)
        labels = (~positive, positive)
        rows = [np.bincount(place[own], minlength=len(leaves)).astype(np.float64) for own in labels]
        higher = [_sums(place[own], scores[own, None] > candidates, len(leaves)) for own in labels]
        aimed = self if self.level is not None else replace(self, level=self._level(scores, positive))
        return ThresholdsByLeaf(index.lattice, candidates, leaves, np.stack(rows), np.stack(higher), aimed)

    def _level(self, scores: FloatArray, positive: BoolArray) -> float:
        """The TPR or selection rate of one threshold for everyone."""
        above = scores > best_balanced(scores, positive)
        return float((above if self.notion == "demographic_parity" else above[positive]).mean())

    @property
    def _aimed(self) -> float:
        if self.level is None:
            raise InputError(f"Thresholds for {self.notion!r} need a `level`, or `choose`, which finds one.")
        return self.level

    def values(self, fpr: FloatArray, tpr: FloatArray, selected: FloatArray, share: FloatArray) -> FloatArray:
        """How good each threshold is in each leaf, of shape (leaves, thresholds); high is good.

        Parameters
        ----------
        fpr, tpr, selected : float arrays of shape (leaves, thresholds)
            Shares of scores above the threshold, in [0, 1].
        share : float array of shape (leaves, 1)
            Rows of the second label, in [0, 1].
        """
        if self.notion == "equalized_odds":
            return np.minimum(tpr, 1.0 - fpr)
        if self.notion == "equal_opportunity":
            return -np.abs(tpr - self._aimed)
        if self.notion == "demographic_parity":
            return -np.abs(selected - self._aimed)
        missed, false = self.costs
        return -(missed * share * (1.0 - tpr) + false * (1.0 - share) * fpr)


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
    aim : LeafThresholds
        What is best.
    """

    lattice: GroupLattice
    candidates: FloatArray = field(repr=False)
    leaves: IntArray = field(repr=False)
    rows: FloatArray = field(repr=False)
    higher: FloatArray = field(repr=False)
    aim: LeafThresholds = LeafThresholds()

    def above(self, scores: FloatArray, X: Any, lattice: GroupLattice, leaves: IntArray) -> BoolArray:  # noqa: ARG002
        """Whether each score lies above the threshold of its leaf."""
        asked, place = np.unique(leaves, return_inverse=True)
        higher: BoolArray = scores > self.thresholds(lattice, asked)[place]
        return higher

    def thresholds(self, lattice: GroupLattice, leaves: IntArray) -> FloatArray:
        """The threshold of each leaf; leaves and levels that no training row has take their parents'."""
        both = self.lattice.union(lattice)
        known, asked = self.lattice.recode(self.leaves, both), lattice.recode(leaves, both)
        every = (*self.rows, self.rows.sum(axis=0))
        return self._best([Shrinkage.of(both, known, rows, asked) for rows in every], self.rows, self.higher)

    def intervals(
        self, *, confidence: float = 0.95, draws: int = 200, random_state: int = 0
    ) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest threshold of each leaf of `leaves`, by chance among the training rows.

        Rows get weights from a standard exponential distribution, and thresholds are chosen anew (Rubin 1981, The
        Bayesian bootstrap, doi:10.1214/aos/1176345338). The scores themselves are taken as they are.

        Parameters
        ----------
        confidence : float, default=0.95
            In (0, 1).
        draws : int, default=200
            How often.
        random_state : int, default=0
            Seed.

        Returns
        -------
        low, high : float arrays of shape (k,)
        """
        check_real("confidence", confidence, 0.0, 1.0, open_ends=True)
        check_count("draws", draws)
        rng = np.random.default_rng(random_state)
        # Rows between two candidates are alike for every threshold, so their weights add up to one gamma variable.
        between = np.diff(-self.higher, axis=2, prepend=-self.rows[:, :, None], append=0.0)
        shrinkages = self._shrinkages()
        found = np.empty((draws, len(self.leaves)))
        for draw in found:
            weights = rng.gamma(between)
            weights *= (self.rows / np.maximum(weights.sum(axis=2), 1e-300))[:, :, None]
            higher = weights[:, :, ::-1].cumsum(axis=2)[:, :, ::-1][:, :, 1:]
            draw[:] = self._best(shrinkages, self.rows, higher)
        low, high = np.quantile(found, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0], axis=0)
        return low, high

    def table(self, *, confidence: float = 0.95, random_state: int = 0) -> list[dict[str, Any]]:
        """For each leaf of the training rows: its levels, rows of both labels, threshold and interval."""
        low, high = self.intervals(confidence=confidence, random_state=random_state)
        columns = self.lattice.level_columns(self.leaves)
        chosen = self.thresholds(self.lattice, self.leaves)
        return [
            {
                "group": {name: values[i] for name, values in columns.items()},
                "rows": self.rows[:, i].astype(int).tolist(),
                "threshold": float(chosen[i]),
                "low": float(low[i]),
                "high": float(high[i]),
            }
            for i in range(len(self.leaves))
        ]

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The thresholds as JSON text, schema ``fairlattice/thresholds/1``; written to `path` if one is given.

        The rules they follow from are kept, so that leaves that no training row has can be decided too.
        """
        summary = {
            "schema": SCHEMA,
            "notion": self.aim.notion,
            "level": self.aim.level,
            "costs": list(self.aim.costs),
            "attributes": [attribute.plain() for attribute in self.lattice.attributes],
            "leaves": self.leaves.tolist(),
            "rows": self.rows.astype(int).tolist(),
            "candidates": self.candidates.tolist(),
            "higher": self.higher.astype(int).tolist(),
        }
        return written(json.dumps(summary, allow_nan=False) + "\n", path)

    @classmethod
    def from_json(cls, source: str | os.PathLike[str]) -> ThresholdsByLeaf:
        """Thresholds from a file that :meth:`to_json` wrote, or from its text.

        Raises
        ------
        InputError
            If the file cannot be read, is damaged, or is of another schema.
        """

        def build(found: dict[str, Any]) -> ThresholdsByLeaf:
            aim = LeafThresholds(found["notion"], found["level"], tuple(found["costs"]))
            numbers = (np.asarray(found[key], dtype=np.float64) for key in ("candidates", "rows", "higher"))
            candidates, rows, higher = numbers
            leaves = np.asarray(found["leaves"], dtype=np.int64)
            if rows.shape != (2, len(leaves)) or higher.shape != (2, len(leaves), len(candidates)):
                raise ValueError("the counts do not fit the leaves")
            lattice = GroupLattice(tuple(Attribute.of_plain(plain) for plain in found["attributes"]))
            return ThresholdsByLeaf(lattice, candidates, leaves, rows, higher, aim)

        return read_json(source, SCHEMA, build)

    def _shrinkages(self) -> list[Shrinkage]:
        """Of each label's rows and of all rows, for the leaves of the training rows."""
        every = (*self.rows, self.rows.sum(axis=0))
        return [Shrinkage.of(self.lattice, self.leaves, rows, self.leaves) for rows in every]

    def _best(self, shrinkages: list[Shrinkage], rows: FloatArray, higher: FloatArray) -> FloatArray:
        """The best threshold of each leaf asked for."""
        first, second, every = shrinkages
        values = self.aim.values(
            first.shares(higher[0]),
            second.shares(higher[1]),
            every.shares(higher.sum(axis=0)),
            every.shares(rows[1][:, None]),
        )
        chosen: FloatArray = self.candidates[best_of(values)]
        return chosen


def _sums(place: IntArray, values: Any, n: int) -> FloatArray:
    """Sums of the rows of `values` by place."""
    out = np.zeros((n, values.shape[1]))
    np.add.at(out, place, values)
    return out
