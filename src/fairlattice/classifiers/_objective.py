"""What a network is trained for: the part in which the methods differ.

An objective is a value, a few numbers that can be compared and copied. What it learns on the way
(multipliers, counts, an adversary) lives in a :class:`Running`, created at the start of each fit.
The loop asks it for one thing: the loss of a batch.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fairlattice._validation import FloatArray, IntArray, check_choice, check_real

if TYPE_CHECKING:
    import torch

    from fairlattice.classifiers._network import Network

NOTIONS = ("equal_opportunity", "equalized_odds", "demographic_parity", "accuracy_parity")
PREDICTION_NOTIONS = NOTIONS[:3]  # those that ask what is predicted, not whether it is right


@dataclass(frozen=True, slots=True)
class Step:
    """One batch on its way through the network.

    Parameters
    ----------
    network : Network
        The network, for objectives that pass other rows through it.
    cells : int tensor of shape (b,)
        ``2 · leaf + label`` of every row.
    labels : float tensor of shape (b,)
        0 or 1.
    hidden : float tensor of shape (b, h)
        The last hidden representation, with dropout.
    logits : float tensor of shape (b,)
        Log-odds of label 1.
    losses : float tensor of shape (b,)
        Cross-entropy of every row.
    """

    network: Network
    cells: torch.Tensor
    labels: torch.Tensor
    hidden: torch.Tensor
    logits: torch.Tensor
    losses: torch.Tensor


@dataclass(frozen=True)
class Training:
    """What an objective may know of a fit before its first batch.

    Parameters
    ----------
    x : float tensor of shape (n, d)
        The standardised rows.
    labels : int array of shape (n,)
        0 or 1.
    leaves : int array of shape (n,)
        The number of every row's leaf among the L leaves that have rows.
    levels : int array of shape (L, p)
        The level of every attribute in every leaf, among the levels that have rows.
    chances : float array of shape (n,)
        The probability of drawing each row; they sum to 1.
    batch_size : int
        Rows in a batch.
    width : int
        Length of the last hidden representation.
    adversary_rng, mixing_rng : numpy.random.Generator
        For what objectives draw themselves.
    """

    x: torch.Tensor
    labels: IntArray
    leaves: IntArray
    levels: IntArray
    chances: FloatArray
    batch_size: int
    width: int
    adversary_rng: np.random.Generator
    mixing_rng: np.random.Generator

    @property
    def n_leaves(self) -> int:
        """How many leaves have rows."""
        return len(self.levels)

    def cell_shares(self) -> FloatArray:
        """Probability of each (leaf, label) cell under the drawing of rows, of shape (2L,)."""
        cells = 2 * self.leaves + self.labels
        shares: FloatArray = np.bincount(cells, weights=self.chances, minlength=2 * self.n_leaves).astype(
            float
        )
        return shares

    def tensor(self, values: Any) -> torch.Tensor:
        """An array as a tensor on the device of the rows; floats take the rows' precision."""
        import torch

        made = torch.as_tensor(np.asarray(values), device=self.x.device)
        return made.to(self.x.dtype) if made.is_floating_point() else made


class Running:
    """An objective during one fit: here, the ordinary mean loss."""

    def loss(self, step: Step) -> torch.Tensor:
        """The scalar whose gradient the network follows in this step."""
        return step.losses.mean()

    def parameters(self) -> list[torch.Tensor]:
        """Tensors besides the network's that are trained on the same loss, by an optimiser of their own."""
        return []


@dataclass(frozen=True)
class Objective(ABC):
    """What :class:`NeuralClassifier` is trained for; the base of all objectives.

    A new one says in :meth:`check` what it refuses, and in :meth:`start` makes the :class:`Running`
    that turns a :class:`Step` into a loss. It is a frozen dataclass, so estimators that hold it can
    be cloned, compared and fitted again.

    Examples
    --------
    >>> from fairlattice.classifiers import GroupDRO
    >>> GroupDRO(weight=0.1), GroupDRO(weight=0.1) == GroupDRO(weight=0.1)
    (GroupDRO(weight=0.1), True)
    """

    needs_groups: ClassVar[bool] = True

    def check(self) -> None:  # noqa: B027 - most have nothing to add
        """Raise :class:`InputError` if an option cannot be used; called at the start of a fit."""

    @abstractmethod
    def start(self, training: Training) -> Running:
        """The objective's state for one fit."""


@dataclass(frozen=True)
class Unconstrained(Objective):
    """The mean cross-entropy and nothing else: what every other objective is compared with.

    Examples
    --------
    >>> Unconstrained().needs_groups
    False
    """

    needs_groups: ClassVar[bool] = False

    def start(self, training: Training) -> Running:  # noqa: ARG002 - it needs to know nothing
        """The mean loss."""
        return Running()


def check_weight(weight: float) -> None:
    """Raise unless the strength of an objective is a finite number of at least 0."""
    check_real("weight", weight, 0.0, sys.float_info.max)


def check_notion(notion: str, known: tuple[str, ...] = NOTIONS) -> None:
    """Raise unless an objective knows the notion of fairness."""
    check_choice("notion", notion, known)


def cell_sums(values: torch.Tensor, cells: torch.Tensor, n_cells: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Per cell the sum of its rows' values, and how many rows it has; both float, of shape (n_cells,)."""
    import torch

    both = torch.stack([values, torch.ones_like(values)], dim=1)
    sums = values.new_zeros((n_cells, 2)).index_add_(0, cells, both)
    return sums[:, 0], sums[:, 1]
