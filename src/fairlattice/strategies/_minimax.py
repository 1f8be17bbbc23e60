"""Costs of errors under which the group that is served worst is served best; blind to groups at prediction.

If the groups of a row were known, each group could have a threshold of its own. They are not, but features say how
likely each group is. Let a missed row of the second label in leaf g cost c_g1, and a false one c_g0. Of all rules that
see x alone, the one with the least expected cost gives the second label where

    s(x) Σ_g P(g | x) c_g1  >  (1 − s(x)) Σ_g P(g | x) c_g0,

s(x) being the probability of the second label: a threshold E[c_G0 | x] / (E[c_G0 | x] + E[c_G1 | x]) that moves with
the expected costs. The costs are learned in rounds of multiplicative weights: those of cells whose recall is below
the mean over all cells are raised, which is the way to the rule with the largest lowest recall. Nothing is trained
again, so any classifier will do, and rounds are cheap.

Chen, Klochkov and Liu (2023), Post-hoc bias scoring is optimal for fair classification, arXiv:2310.05725, have this
form of rule for few groups. Diana et al. (2021), Minimax group fairness, arXiv:2011.03108.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from fairlattice._threads import one_thread
from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.groups import GroupLattice
from fairlattice.samplers._shared import LeafProbabilities
from fairlattice.strategies._decision import Scores, check_groups, scores_and_labels
from fairlattice.strategies._folds import cell_folds
from fairlattice.strategies._shrinkage import Shrinkage
from fairlattice.strategies._spread import known_cells, thinned_cells
from fairlattice.strategies._training import TrainingTable
from fairlattice.strategies._unfairness import unfairness

_ROUNDS, _STEP = 200, 5.0  # the step shrinks with the square root of the round
_ANCHOR = 0.05  # share of the first costs, equal for all, that every round keeps
_NEAR = 0.01  # rounds whose unfairness is so near the least are averaged, as any of them may be the least by chance
_FOLDS, _STREAM = 5, 12
_MOST_ROWS = 20_000  # that are looked at; of larger tables, small cells whole and large ones in part
_MOST_SHARES = 25_000_000  # rows times leaves, which bounds memory
_CERTAIN = 1e-6  # scores nearer to 0 or 1 say no more than that


@dataclass(frozen=True)
class MinimaxCosts:
    """Costs of errors per cell, learned so that the lowest TPR or TNR of all leaves is high; blind at prediction.

    Recalls are measured out of fold, shrunk up the lattice as by :class:`LeafThresholds`. Where features say nothing
    of the group, everyone gets the same threshold.
    """

    name: ClassVar[str] = "minimax"
    about: ClassVar[str] = (
        "costs of errors per cell that raise the lowest recall, expected given the features; "
        "blind to groups at prediction"
    )
    uses_groups: ClassVar[bool] = True
    needs_groups: ClassVar[bool] = False

    @one_thread()
    def choose(self, table: TrainingTable, scores: Scores) -> ExpectedCosts:
        """Learn the costs from out-of-fold scores and out-of-fold probabilities of the leaves."""
        found, positive = scores_and_labels(table, scores)
        check_groups(table, self.name)
        features = table.blind_features()
        Z, index, rng = features(table.X), table.index, table.rng(_STREAM)
        as_odds = bool(found.min() >= 0.0 and found.max() <= 1.0)
        odds = _odds(found, as_odds)
        balanced = LogisticRegression(class_weight="balanced").fit(odds[:, None], positive)
        _, place = known_cells(index)
        leaves = np.unique(index.leaves)
        rows = thinned_cells(place, min(_MOST_ROWS, _MOST_SHARES // len(leaves)), rng, least=_FOLDS)
        learn = partial(LeafProbabilities.fit, rng=rng, device=table.device)
        chances = np.zeros((len(rows), len(leaves)))
        for train, rest in cell_folds(place[rows], _FOLDS, rng):
            known = np.searchsorted(leaves, np.unique(index.leaves[rows[train]]))
            model = learn(Z[rows[train]], index.lattice, index.leaves[rows[train]])
            chances[np.ix_(rest, known)] = model(Z[rows[rest]])
        share = balanced.predict_proba(odds[rows, None])[:, 1]
        recalls = Recalls.of(index.lattice, leaves, index.leaves[rows], positive[rows])
        costs = learned_costs(share, chances, recalls)
        membership = learn(Z, index.lattice, index.leaves)
        return ExpectedCosts(features, as_odds, balanced, membership, costs)


@dataclass(frozen=True, eq=False)
class ExpectedCosts:
    """A threshold that follows from the costs that are expected given the features.

    Parameters
    ----------
    features : callable
        Vectors without sensitive columns, of rows as the classifier takes them.
    as_odds : bool
        Whether scores are probabilities, of which the log-odds are taken.
    balanced : classifier
        From log-odds, or decision values, to the probability of the second label, both labels being equally frequent.
    membership : LeafProbabilities
        Of the leaves.
    costs : float array of shape (leaves, 2)
        Of a false and of a missed row of the second label, above 0.
    """

    features: Callable[[Any], FloatArray] = field(repr=False)
    as_odds: bool
    balanced: Any = field(repr=False)
    membership: LeafProbabilities = field(repr=False)
    costs: FloatArray = field(repr=False)

    def above(self, scores: FloatArray, X: Any, lattice: GroupLattice, leaves: IntArray) -> BoolArray:  # noqa: ARG002
        """Whether giving the second label has the lower expected cost."""
        share = self.balanced.predict_proba(_odds(scores, self.as_odds)[:, None])[:, 1]
        false, missed = self.membership.expected(self.features(X), self.costs).T
        lower: BoolArray = share * missed > (1.0 - share) * false
        return lower


@dataclass(frozen=True, eq=False)
class Recalls:
    """Shrunk recalls of the cells of some rows.

    Parameters
    ----------
    positive : bool array of shape (n,)
        Which rows have the second label.
    place : int array of shape (n,)
        The leaf of each row, among the k leaves.
    shrinkages : tuple of Shrinkage
        For the first and for the second label.
    """

    positive: BoolArray
    place: IntArray
    shrinkages: tuple[Shrinkage, Shrinkage]

    @classmethod
    def of(cls, lattice: GroupLattice, leaves: IntArray, own: IntArray, positive: BoolArray) -> Recalls:
        """Of rows whose leaf codes are `own`, all of which are among `leaves`, increasing."""
        place = np.searchsorted(leaves, own)
        first, second = (
            Shrinkage.of(lattice, leaves, np.bincount(place[of], minlength=len(leaves)).astype(float), leaves)
            for of in (~positive, positive)
        )
        return cls(positive, place, (first, second))

    def __call__(self, above: BoolArray) -> FloatArray:
        """TNR and TPR of each leaf, of shape (k, 2), of rows that are `above` the threshold or not."""
        right = above == self.positive
        k = self.shrinkages[0].leaves
        sums = (np.bincount(self.place[right & of], minlength=k) for of in (~self.positive, self.positive))
        found = [s.shares(own[:, None].astype(float)) for s, own in zip(self.shrinkages, sums, strict=True)]
        return np.hstack(found)


def learned_costs(share: FloatArray, chances: FloatArray, recalls: Recalls) -> FloatArray:
    """Costs of shape (k, 2), with mean 1, under which the lowest recall is high.

    Parameters
    ----------
    share : float array of shape (n,)
        Probability of the second label of each row, by a model that has not seen it.
    chances : float array of shape (n, k)
        P(leaf | x) of each row.
    recalls : Recalls
        Of the same rows.
    """
    equal = np.ones((chances.shape[1], 2))
    costs, every = equal, []
    for turn in range(_ROUNDS):
        found = _recalls_under(costs, share, chances, recalls)
        every.append((costs, _unfair(found)))
        raised = costs * np.exp(_STEP / np.sqrt(turn + 1.0) * np.maximum(found.mean() - found, 0.0))
        costs = (1.0 - _ANCHOR) * raised / raised.mean() + _ANCHOR
    least = min(unfair for _, unfair in every)
    if every[0][1] <= least + _NEAR:
        return equal  # nothing is gained
    near = np.mean([costs for costs, unfair in every if unfair <= least + _NEAR], axis=0)
    if _unfair(_recalls_under(near, share, chances, recalls)) <= least + _NEAR:
        return np.asarray(near)
    return min(every, key=lambda each: each[1])[0]


def _recalls_under(costs: FloatArray, share: FloatArray, chances: FloatArray, recalls: Recalls) -> FloatArray:
    """Recalls of shape (k, 2) where each row gets the label with the lower expected cost."""
    false, missed = (chances @ costs).T
    return recalls(share * missed > (1.0 - share) * false)


def _unfair(recalls: FloatArray) -> float:
    """That of equalized odds, of recalls of shape (k, 2)."""
    return max(map(unfairness, recalls.T))


def _odds(scores: FloatArray, as_odds: bool) -> FloatArray:
    """Log-odds of probabilities, or decision values as they are."""
    if not as_odds:
        return scores
    odds: FloatArray = logit(np.clip(scores, _CERTAIN, 1.0 - _CERTAIN))
    return odds
