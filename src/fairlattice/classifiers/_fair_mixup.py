"""Fair Mixup: predictions should not change, on average, on the way from one group to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fairlattice._validation import FloatArray, IntArray
from fairlattice.classifiers._objective import (
    PREDICTION_NOTIONS,
    Objective,
    Running,
    Step,
    Training,
    check_notion,
    check_weight,
)

if TYPE_CHECKING:
    import torch

    from fairlattice.classifiers._network import Network


@dataclass(frozen=True)
class FairMixup(Objective):
    """The mean loss, plus weight times how the mean prediction changes between two groups.

    In each step two leaves are drawn, all alike, and half a batch of pairs (x₀, x₁) of their training rows;
    a t is drawn from U(0, 1), and the penalty is ``|mean d/dt f(x_t)|`` at ``x_t = t x₀ + (1 - t) x₁``, with
    f the probability of the second class. Over t, that bounds the difference of the two groups' mean
    predictions: ``|E f(x₀) - E f(x₁)| ≤ ∫ |E d/dt f(x_t)| dt``.

    Parameters
    ----------
    weight : float, default=1.0
        Strength of the penalty, at least 0.
    notion : {"demographic_parity", "equal_opportunity", "equalized_odds"}, default="demographic_parity"
        Pairs of any rows, of rows with the second class, or a penalty for each class, summed.

    Notes
    -----
    The paper has two groups; with more, a pair is drawn per step, so that no leaf weighs more than another.
    Rows come from the whole training set, not from the batch, in which a small leaf has one row or none;
    within a leaf they are drawn as batches are. The path is walked without dropout, as in prediction.
    Mixing happens between the standardised rows. With one leaf there is no path, and no penalty.

    References
    ----------
    Chuang & Mroueh (2021), Fair Mixup: fairness via interpolation, ICLR, arXiv:2103.06503.

    Examples
    --------
    >>> FairMixup(weight=5.0).weight
    5.0
    """

    weight: float = 1.0
    notion: str = "demographic_parity"

    def check(self) -> None:
        """Refuse a negative weight and a notion that asks whether predictions are right."""
        check_weight(self.weight)
        check_notion(self.notion, PREDICTION_NOTIONS)

    def start(self, training: Training) -> Running:
        """Where the rows of each leaf lie."""
        return _RunningMixup(self, training)


class Pool(NamedTuple):
    """Rows sorted by leaf, to draw from one leaf at a time.

    Parameters
    ----------
    rows : int array of shape (m,)
        Row numbers.
    ends : float array of shape (m,)
        Cumulative chances of the rows.
    borders : float array of shape (L + 1,)
        Where, on that scale, each of the leaves begins and ends.
    """

    rows: IntArray
    ends: FloatArray
    borders: FloatArray

    @classmethod
    def of(cls, leaves: IntArray, chances: FloatArray, rows: IntArray) -> Pool:
        """Sort some rows by leaf."""
        rows = rows[np.argsort(leaves[rows], kind="stable")]
        ends = np.cumsum(chances[rows])
        last = np.flatnonzero(np.diff(leaves[rows], append=-1))
        return cls(rows, ends, np.concatenate([[0.0], ends[last]]))

    @property
    def n_leaves(self) -> int:
        """How many leaves have rows here."""
        return len(self.borders) - 1

    def pair(self, count: int, rng: np.random.Generator) -> IntArray:
        """`count` rows of one leaf and as many of another, of shape (2, count)."""
        first = int(rng.integers(self.n_leaves))
        second = (first + 1 + int(rng.integers(self.n_leaves - 1))) % self.n_leaves
        low, high = self.borders[[first, second]], self.borders[[first + 1, second + 1]]
        at = low[:, None] + (high - low)[:, None] * rng.random((2, count))
        at = np.minimum(at, np.nextafter(high, low)[:, None])
        return self.rows[np.searchsorted(self.ends, at, side="right")]


def path_penalty(
    network: Network, first: torch.Tensor, second: torch.Tensor, t: float, n_paths: int
) -> torch.Tensor:
    """``Σ |mean d/dt f(t x₀ + (1 - t) x₁)|`` over paths, whose pairs of rows lie one after the other."""
    logits, slopes = network.along(t * first + (1 - t) * second, first - second)
    p = logits.sigmoid()
    return (p * (1 - p) * slopes).view(n_paths, -1).mean(dim=1).abs().sum()


class _RunningMixup(Running):
    def __init__(self, objective: FairMixup, training: Training) -> None:
        self.weight, self.x, self.rng = objective.weight, training.x, training.mixing_rng
        self.count = max(1, training.batch_size // 2)
        everyone = np.arange(len(training.labels))
        by_label = [np.flatnonzero(training.labels == label) for label in (0, 1)]
        rows = {"demographic_parity": [everyone], "equal_opportunity": by_label[1:]}
        found = [Pool.of(training.leaves, training.chances, r) for r in rows.get(objective.notion, by_label)]
        self.pools = [pool for pool in found if pool.n_leaves > 1]

    def loss(self, step: Step) -> torch.Tensor:
        if not self.pools:
            return step.losses.mean()
        import torch

        pairs = np.concatenate([pool.pair(self.count, self.rng) for pool in self.pools], axis=1)
        both = self.x[torch.from_numpy(pairs).to(self.x.device)]
        penalty = path_penalty(step.network, both[0], both[1], self.rng.random(), len(self.pools))
        return step.losses.mean() + self.weight * penalty
