"""Soft differential fairness: penalise the largest log ratio between two leaves' predicted rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairlattice.classifiers._objective import (
    PREDICTION_NOTIONS,
    Objective,
    Running,
    Step,
    Training,
    cell_sums,
    check_notion,
    check_weight,
)

if TYPE_CHECKING:
    import torch

_MEMORY = 0.9  # how much of the running counts a step keeps
_ALPHA = 0.5  # Dirichlet smoothing per outcome: a concentration of 1 in all
_LABELS = {"demographic_parity": 1, "equal_opportunity": 2, "equalized_odds": 2}


@dataclass(frozen=True)
class SoftDifferentialFairness(Objective):
    """The mean loss, plus weight times the differential unfairness ε of the predicted probabilities.

    ``ε = max |log(θ_s / θ_t)|`` over pairs of leaves s, t and over both outcomes, where θ_s is the smoothed
    rate ``(Σ p_i + 1/2) / (n_s + 1)`` of positive predictions, or negative ones, in leaf s. A batch has few
    rows of a leaf, so the counts run on: ``N ← 0.9 N + 0.1 (n / b) · counts of the batch``. The gradient
    goes through the batch's part, as in the authors' code, so it is a tenth of that of ``weight · ε``.

    Parameters
    ----------
    weight : float, default=1.0
        Strength of the penalty, at least 0.
    notion : {"demographic_parity", "equal_opportunity", "equalized_odds"}, default="demographic_parity"
        Rates among all rows, among those with the second class, or the larger ε of both classes. The
        paper's own is the first.

    Notes
    -----
    The counts start at each cell's expected rows, half of them positive, so that ε starts at 0. Cells
    without training rows are left out. The paper's penalty ``max(0, ε - ε₀)`` has ε₀ = 0 here, and there is
    no first phase without penalty.

    References
    ----------
    Foulds, Islam, Keya & Pan (2020), An intersectional definition of fairness, ICDE, arXiv:1807.08362.

    Examples
    --------
    >>> SoftDifferentialFairness(weight=0.5).notion
    'demographic_parity'
    """

    weight: float = 1.0
    notion: str = "demographic_parity"

    def check(self) -> None:
        """Refuse a negative weight and a notion that asks whether predictions are right."""
        check_weight(self.weight)
        check_notion(self.notion, PREDICTION_NOTIONS)

    def start(self, training: Training) -> Running:
        """Running counts of rows and of positive predictions."""
        return _RunningCounts(self, training)


def epsilon(positives: torch.Tensor, totals: torch.Tensor) -> torch.Tensor:
    """Largest log ratio of two leaves' smoothed rates, over both outcomes, from counts per leaf."""
    import torch

    both = torch.stack([positives, totals - positives])
    logs = ((both + _ALPHA) / (totals + 2 * _ALPHA)).log()
    return (logs.amax(dim=1) - logs.amin(dim=1)).max()


def updated_counts(
    counts: torch.Tensor, probabilities: torch.Tensor, cells: torch.Tensor, scale: float
) -> torch.Tensor:
    """Running counts of shape (2, K), positives above totals, after one batch with `scale` = n / b."""
    import torch

    batch = torch.stack(cell_sums(probabilities, cells, counts.shape[1]))
    return _MEMORY * counts + (1 - _MEMORY) * scale * batch


class _RunningCounts(Running):
    def __init__(self, objective: SoftDifferentialFairness, training: Training) -> None:
        self.weight, self.labels = objective.weight, _LABELS[objective.notion]
        shares = training.cell_shares()
        if self.labels == 1:
            shares = shares.reshape(-1, 2).sum(axis=1)
        totals = training.tensor(len(training.labels) * shares)
        self.counts = totals * totals.new_tensor([[0.5], [1.0]])
        self.scale = len(training.labels) / training.batch_size
        asked = [1] if objective.notion == "equal_opportunity" else range(self.labels)
        found = [[k for k in range(label, len(shares), self.labels) if shares[k] > 0] for label in asked]
        self.compared = [training.tensor(np.asarray(cells, dtype=np.int64)) for cells in found if cells]

    def loss(self, step: Step) -> torch.Tensor:
        import torch

        cells = step.cells if self.labels == 2 else step.cells // 2
        counts = updated_counts(self.counts, step.logits.sigmoid(), cells, self.scale)
        self.counts = counts.detach()
        unfair = [epsilon(*counts[:, cells]) for cells in self.compared]
        return step.losses.mean() + self.weight * torch.stack(unfair).max()
