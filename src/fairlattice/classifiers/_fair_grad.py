"""FairGrad: groups that a notion of fairness finds disadvantaged pull harder on the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.classifiers._objective import (
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


@dataclass(frozen=True)
class FairGrad(Objective):
    r"""Row weights from multipliers that grow while a group is treated better or worse than average.

    The notion splits rows into groups T_k with shares p_k (under the drawing of rows) and says how fair the
    network is to a group by ``F_k = C⁰_k + Σ_j C_k^j e_j``, with e_j the error rate in T_j; F_k > 0 where it
    is favoured, and 0 for all k where the network is fair. Each step

    - adds ``weight · F_k`` to the multiplier λ_k, from the batch's error rates, and
    - weighs the rows of T_k by ``(p_k + Σ_j C_j^k λ_j) / p_k`` in the mean loss.

    Parameters
    ----------
    weight : float, default=0.001
        Learning rate of the multipliers, at least 0. With 0 every row weighs exactly 1.
    notion : {"equalized_odds", "equal_opportunity", "demographic_parity", "accuracy_parity"}
        What to be fair in.

    Notes
    -----
    The constants, for leaves r and labels l, with shares P under the drawing of rows:

    - accuracy parity: T_r are the leaves; ``F_r = P(err) - P(err | r)``, so ``C_r^s = P(s) - [s = r]``.
    - equalized odds: T_rl are the cells; ``F_rl = P(err | l) - P(err | r, l)``, so
      ``C_rl^sl = P(s | l) - [s = r]``, and 0 between labels. Equal opportunity: F_rl of l = 1 only.
    - demographic parity: T_rl are the cells; ``F_r = P(h = 1 | r) - P(h = 1)``, one for each leaf. A row of
      label 1 is predicted 1 if it is correct, one of label 0 if it is, so
      ``P(h = 1 | r) = P(1 | r) (1 - e_r1) + P(0 | r) e_r0`` and ``P(h = 1) = Σ_s P(s,1) (1 - e_s1) +
      P(s,0) e_s0``. Hence ``C⁰_r = P(1 | r) - P(1)``, ``C_r^s1 = P(s,1) - [s = r] P(1 | r)`` and
      ``C_r^s0 = [s = r] P(0 | r) - P(s,0)``: rows of a favoured leaf weigh less with label 1 and more with
      label 0. (The paper has a second F for h = 0, the first's negative; it would double the multiplier.)

    Weights may fall below 0, as in the paper: such rows are unlearned. A batch that lacks rows of a group
    leaves that group's λ as it is (for demographic parity: of one of the leaf's cells), and puts the mean of
    the groups that it has, of the same label, where another's F asks for the missing error rate.

    References
    ----------
    Maheshwari & Perrot (2022), FairGrad: fairness aware gradient descent, TMLR, arXiv:2206.10923.

    Examples
    --------
    >>> FairGrad(notion="accuracy_parity").weight
    0.001
    """

    weight: float = 0.001
    notion: str = "equalized_odds"

    def check(self) -> None:
        """Refuse a negative weight and an unknown notion."""
        check_weight(self.weight)
        check_notion(self.notion)

    def start(self, training: Training) -> Running:
        """The constants of the notion, and multipliers of 0."""
        shares = training.cell_shares().reshape(-1, 2)
        return _RunningFairGrad(self.weight, fairness_constants(self.notion, shares), training)


@dataclass(frozen=True)
class FairnessConstants:
    """A notion of fairness as ``F = constant + matrix · error rates``.

    Parameters
    ----------
    shares : float array of shape (G,)
        p_k of every group; 0 for groups without rows.
    groups : int array of shape (2L,)
        The group of every (leaf, label) cell.
    constant, matrix : float arrays of shape (F,) and (F, G)
        C⁰ and C.
    own : bool array of shape (F, G)
        The groups, of those that have rows, that an F needs to see.
    alike : float array of shape (G, G)
        1 where one group's error rate may replace another's: those of one label.
    """

    shares: FloatArray
    groups: IntArray
    constant: FloatArray
    matrix: FloatArray
    own: BoolArray
    alike: FloatArray


def fairness_constants(notion: str, shares: FloatArray) -> FairnessConstants:
    """The constants of a notion, from the shares of (leaf, label) cells, of shape (L, 2)."""
    n_leaves = len(shares)
    if notion == "accuracy_parity":
        p = shares.sum(axis=1)
        own = np.eye(n_leaves, dtype=bool)
        groups, all_alike = np.repeat(np.arange(n_leaves), 2), np.ones((n_leaves, n_leaves))
        return FairnessConstants(p, groups, np.zeros(n_leaves), p - own, own, all_alike)
    p, cells = shares.reshape(-1), np.arange(2 * n_leaves)
    alike = (cells[:, None] % 2 == cells % 2).astype(float)
    if notion == "demographic_parity":
        sign = np.tile([1.0, -1.0], n_leaves)  # an error makes a 0 positive, and a 1 negative
        own = cells // 2 == np.arange(n_leaves)[:, None]
        given_leaf = (shares / shares.sum(axis=1, keepdims=True)).reshape(-1)
        constant = given_leaf[1::2] - p[1::2].sum()
        return FairnessConstants(p, cells, constant, sign * (own * given_leaf - p), own & (p > 0), alike)
    same = np.eye(2 * n_leaves, dtype=bool)
    matrix = alike * p / np.maximum(alike @ p, np.finfo(float).tiny)[:, None] - same
    matrix[p == 0] = 0.0
    if notion == "equal_opportunity":
        matrix[::2] = 0.0
    return FairnessConstants(p, cells, np.zeros(len(p)), matrix, same, alike)


class _RunningFairGrad(Running):
    def __init__(self, weight: float, constants: FairnessConstants, training: Training) -> None:
        self.weight, tensor = weight, training.tensor
        self.shares, self.groups = tensor(constants.shares), tensor(constants.groups)
        self.constant, self.matrix = tensor(constants.constant), tensor(constants.matrix)
        self.own, self.alike = tensor(constants.own.astype(float)), tensor(constants.alike)
        self.multipliers = self.constant.new_zeros(len(self.constant))

    def loss(self, step: Step) -> torch.Tensor:
        wrong = ((step.logits.detach() > 0) != (step.labels > 0.5)).to(step.losses.dtype)
        groups = self.groups[step.cells]
        errors, counts = cell_sums(wrong, groups, len(self.shares))
        weights = self.group_weights(errors, counts)
        return (weights[groups] * step.losses).mean()

    def group_weights(self, errors: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Move the multipliers by a batch's errors and rows per group; every group's weight after that."""
        tiny = 1e-30
        seen = (counts > 0).to(errors.dtype)
        present = self.shares * seen
        rates = errors / counts.clamp(min=1)
        usual = (self.alike @ (present * rates)) / (self.alike @ present).clamp(min=tiny)
        rates = seen * rates + (1 - seen) * usual
        complete = ((self.own @ (1 - seen)) == 0).to(errors.dtype)
        self.multipliers += self.weight * complete * (self.constant + self.matrix @ rates)
        return 1 + (self.multipliers @ self.matrix) / self.shares.clamp(min=tiny)
