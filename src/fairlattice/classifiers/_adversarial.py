"""Adversarial training: the representation should not reveal the group to an adversary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairlattice._validation import check_choice, check_count
from fairlattice.classifiers._objective import Objective, Running, Step, Training, check_weight

if TYPE_CHECKING:
    import torch

    from fairlattice.classifiers._network import Network


@dataclass(frozen=True)
class Adversarial(Objective):
    """Gradient reversal: adversarial heads read the last hidden representation, the network hides from them.

    A head is trained to predict an attribute by cross-entropy; the network gets ``-weight`` times the
    gradient of the heads' summed loss, in addition to that of its own. The heads see the representation with
    dropout, and are trained in the same backward pass by an Adam of their own, with the network's learning
    rate.

    Parameters
    ----------
    weight : float, default=1.0
        Strength of the reversed gradient, at least 0. The heads learn at full strength whatever it is.
    heads : {"attribute", "leaf"}, default="attribute"
        One head for each attribute, or one over all leaves that have rows.
    hidden : tuple of int, default=(32,)
        Units of each head's hidden layers; ``()`` makes heads linear.

    References
    ----------
    Ganin et al. (2016), Domain-adversarial training of neural networks, JMLR 17:1-35, arXiv:1505.07818.
    Zhang, Lemoine & Mitchell (2018), Mitigating unwanted biases with adversarial learning, AIES,
    doi:10.1145/3278721.3278779.

    Examples
    --------
    >>> Adversarial(heads="leaf").hidden
    (32,)
    """

    weight: float = 1.0
    heads: str = "attribute"
    hidden: tuple[int, ...] = (32,)

    def check(self) -> None:
        """Refuse a negative weight, unknown heads, and layers without units."""
        check_weight(self.weight)
        check_choice("heads", self.heads, ("attribute", "leaf"))
        for units in self.hidden:
            check_count("hidden", units)

    def start(self, training: Training) -> Running:
        """The heads, with new weights."""
        return _RunningAdversary(self, training)


def reversed_gradient(hidden: torch.Tensor, weight: float) -> torch.Tensor:
    """The same values; gradients come back times ``-weight``."""
    fixed = hidden.detach()
    return fixed + weight * (fixed - hidden)


class _RunningAdversary(Running):
    def __init__(self, objective: Adversarial, training: Training) -> None:
        from fairlattice.classifiers._network import make_network

        leaf = np.arange(training.n_leaves)[:, None]
        targets = leaf if objective.heads == "leaf" else training.levels
        self.weight, self.targets = objective.weight, training.tensor(targets.T.copy())
        self.heads: list[Network] = [
            make_network(
                (training.width, *objective.hidden, int(column.max()) + 1),
                training.adversary_rng,
                device=training.x.device,
                dtype=training.x.dtype,
            )
            for column in targets.T
        ]

    def loss(self, step: Step) -> torch.Tensor:
        from torch.nn.functional import cross_entropy, linear

        hidden, targets = reversed_gradient(step.hidden, self.weight), self.targets[:, step.cells // 2]
        loss = step.losses.mean()
        for head, target in zip(self.heads, targets, strict=True):
            loss = loss + cross_entropy(linear(head.hidden(hidden), *head.layers[-1]), target)
        return loss

    def parameters(self) -> list[torch.Tensor]:
        return [tensor for head in self.heads for tensor in head.parameters()]
