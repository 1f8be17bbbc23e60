"""Losses: what a parameter vector costs, as a mean over cells, and its gradient.

:class:`RowLoss` mixes rows and scores them, for every mixing and every divergence. Scalar weights have
shortcuts that never mix a row: see :mod:`._blocks` for kernels; along fixed directions the projections
of parents mix as the parents themselves do, so that they are projected once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from array_api_compat import array_namespace

from fairlattice._validation import FloatArray
from fairlattice.divergences import Kernel, by_rank, quantile_means, scored_gradient
from fairlattice.generators._batches import Batch, like, to_numpy
from fairlattice.generators._mixing import Mixing


class Place(NamedTuple):
    """A loss in one place: its value, its gradient, and its Hessian where that is cheap to tell."""

    value: float
    gradient: FloatArray
    hessian: FloatArray | None


class Loss(Protocol):
    """A function to minimise, and what it leaves out because no parameter changes it."""

    def __call__(self, flat: FloatArray) -> Place:
        """Value and derivatives at a flat parameter vector."""

    def constant(self) -> float:
        """What the targets alone add to the loss."""


class Score(Protocol):
    """How far generated rows are from their targets."""

    def __call__(self, rows: Any) -> tuple[Any, Any]:
        """Value, and gradient with respect to every row."""

    def constant(self) -> float:
        """What the targets alone add."""


class RowLoss:
    """Mix every cell's parents, score the rows, and pull the gradient back."""

    def __init__(self, form: Mixing, shape: tuple[int, ...], parents: Sequence[Any], scores: Sequence[Score]):
        self.form, self.shape, self.parents, self.scores = form, shape, parents, scores

    def __call__(self, flat: FloatArray) -> Place:
        """Value and derivatives at a flat parameter vector."""
        parameters = like(flat.reshape(self.shape), self.parents[0])
        total, gradient = 0.0, np.zeros(self.shape)
        for parents, score in zip(self.parents, self.scores, strict=True):
            value, pull = score(self.form.mix(parameters, parents))
            total += float(value)
            gradient += to_numpy(self.form.pull_back(pull, parents))
        return Place(total / len(self.scores), gradient.ravel() / len(self.scores), None)

    def constant(self) -> float:
        """What the targets alone add to the loss."""
        return sum(score.constant() for score in self.scores) / len(self.scores)


class KernelScore:
    """Weighted MMD² from rows to targets under a kernel."""

    def __init__(self, targets: list[tuple[Any, float]], kernel: Kernel) -> None:
        self.targets, self.kernel = targets, kernel

    def __call__(self, rows: Any) -> tuple[Any, Any]:
        """Value, and gradient with respect to every row."""
        return scored_gradient(rows, self.targets, self.kernel)

    def constant(self) -> float:
        """What the targets alone add."""
        return sum(w * float(array_namespace(T).mean(self.kernel(T, T))) for T, w in self.targets)


class SlicedScore:
    """Weighted squared sliced Wasserstein distance from n rows, or their projections, to targets.

    Quadratic in sorted projections, so that all targets become one: the weighted mean of their quantiles.
    """

    def __init__(
        self, targets: list[tuple[Any, float]], n: int, directions: Any, *, projected: bool = False
    ) -> None:
        self.directions = None if projected else directions
        self.total = sum(weight for _, weight in targets)
        slices = [(T @ directions, weight) for T, weight in targets]
        quantiles = [weight * quantile_means(T, n) for T, weight in slices]
        self.wanted = sum(quantiles[1:], quantiles[0]) / self.total
        self.squares = sum(weight * float(array_namespace(T).mean(T * T)) for T, weight in slices)

    def __call__(self, rows: Any) -> tuple[Any, Any]:
        """Value, and gradient with respect to every row."""
        slices = rows if self.directions is None else rows @ self.directions
        xp = array_namespace(slices)
        away = slices - by_rank(self.wanted, slices)
        pull = away * (2.0 * self.total / (away.shape[0] * away.shape[1]))
        return self.total * xp.mean(away * away), (
            pull if self.directions is None else pull @ self.directions.T
        )

    def constant(self) -> float:
        """What the targets alone add."""
        return self.squares - self.total * float(array_namespace(self.wanted).mean(self.wanted**2))


def sliced_loss(
    form: Mixing, shape: tuple[int, ...], batches: Sequence[Batch], directions: FloatArray
) -> RowLoss:
    """The loss under the sliced Wasserstein distance."""
    u = like(directions, batches[0].parents)
    projected = form.name == "scalar"
    parents = [batch.parents @ u if projected else batch.parents for batch in batches]
    scores = [SlicedScore(b.targets, b.parents.shape[1], u, projected=projected) for b in batches]
    return RowLoss(form, shape, parents, scores)
