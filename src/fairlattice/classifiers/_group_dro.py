"""GroupDRO: attend to the (leaf, label) cell whose loss is worst, a little more with every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlattice.classifiers._objective import Objective, Running, Step, Training, cell_sums, check_weight

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class GroupDRO(Objective):
    """Distributionally robust optimisation over the (leaf, label) cells.

    In each step every cell k that the batch has rows of gets ``q_k ← q_k exp(weight · L_k / P_k)``, with L_k
    the mean loss of its rows and P_k the chance that a batch has any; q is scaled to sum to 1; and the
    network follows ``Σ (q_k / p_k) ℓ_i / b`` over the batch's rows i, of cell k. With p_k the share of the
    cell under the drawing of rows, that is an unbiased estimate of ``Σ q_k L_k``.

    Parameters
    ----------
    weight : float, default=0.01
        Step size of q, at least 0. With 0 q stays, and so does the ordinary loss.

    Notes
    -----
    Sagawa et al. start q uniform; here it starts at p, so that training begins with the ordinary loss, and
    weight 0 *is* the ordinary loss. For their start, draw all cells alike (``sample_weight`` from
    :func:`fairlattice.samplers.equal_weights`): then p itself is uniform. They draw a group first and then
    its row, so that all groups are seen alike; here rows are drawn as they are, and a cell that few batches
    see would hardly move without the division by ``P_k = 1 - (1 - p_k)^b``. A strong L2 penalty, which they
    find essential for large networks, is not part of it.

    References
    ----------
    Sagawa, Koh, Hashimoto & Liang (2020), Distributionally robust neural networks for group shifts,
    ICLR, arXiv:1911.08731.

    Examples
    --------
    >>> GroupDRO().weight
    0.01
    """

    weight: float = 0.01

    def check(self) -> None:
        """Refuse a negative weight."""
        check_weight(self.weight)

    def start(self, training: Training) -> Running:
        """The cells' shares, and how far q has moved from them."""
        import torch

        shares = torch.as_tensor(training.cell_shares(), dtype=torch.float64, device=training.x.device)
        return _RunningDRO(self.weight, shares, training.batch_size)


def updated_ratios(
    moved: torch.Tensor, losses: torch.Tensor, shares: torch.Tensor, weight: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of ``m ← m + weight · L``, and ``q_k / p_k = exp(m_k) / Σ p_j exp(m_j)``.

    The sum is taken as ``1 + Σ p_j (exp(m_j) - 1)``, so that the ratios are exactly 1 where no m has moved.
    """
    moved = moved + weight * losses
    above = moved - moved.max()
    return moved, above.exp() / (1 + shares @ above.expm1())


class _RunningDRO(Running):
    def __init__(self, weight: float, shares: torch.Tensor, batch_size: int) -> None:
        self.weight, self.shares = weight, shares
        self.presence = (1 - (1 - shares) ** batch_size).clamp(min=1e-12)
        self.moved = shares.new_zeros(len(shares))

    def loss(self, step: Step) -> torch.Tensor:
        sums, counts = cell_sums(step.losses.detach(), step.cells, len(self.shares))
        means = (sums / counts.clamp(min=1)).double()
        self.moved, ratios = updated_ratios(self.moved, means / self.presence, self.shares, self.weight)
        return (ratios.to(step.losses.dtype)[step.cells] * step.losses).mean()
