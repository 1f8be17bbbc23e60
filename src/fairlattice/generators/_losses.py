"""Losses: what a parameter vector costs, as a mean over cells, and its gradient.

Parents' rows are mixed, the mixes are held against the targets' rows, and the gradient with respect to the
mixes is pulled back to the parameters. Scalar weights have shortcuts that never mix a row: see
:mod:`._products` for kernels; along fixed directions the projections of parents mix as the parents themselves
do, so that they are projected once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from array_api_compat import array_namespace

from fairlattice._validation import FloatArray
from fairlattice.divergences import Kernel
from fairlattice.divergences._shared import by_rank, quantile_means
from fairlattice.generators._batches import Batch, like, squared_norms, to_numpy
from fairlattice.generators._blocks import Blocks, chunks, squared_between
from fairlattice.generators._mixing import Mixing


class Place(NamedTuple):
    """A loss in one place: its value, its gradient, and its Hessian where that is cheap."""

    value: float
    gradient: FloatArray
    hessian: FloatArray | None


class Loss(Protocol):
    """A function to minimise, and what it leaves out because no parameter changes it."""

    def __call__(self, flat: FloatArray) -> Place:
        """Value and derivatives at a flat parameter vector."""

    def constant(self) -> float:
        """What the targets alone add to the loss."""


class KernelLoss:
    """The mean over cells of the loss under a kernel, for any mixing: rows are mixed, and meet in blocks."""

    def __init__(self, form: Mixing, shape: tuple[int, ...], blocks: Blocks, kernel: Kernel) -> None:
        self.form, self.shape, self.blocks, self.kernel = form, shape, blocks, kernel
        xp, (_, p, _, d) = array_namespace(blocks.X), blocks.X.shape
        self.parents = xp.reshape(xp.permute_dims(blocks.X, (1, 0, 2, 3)), (p, -1, d))
        self.ends = squared_norms(blocks.T)

    def __call__(self, flat: FloatArray) -> Place:
        """Value and gradient at a flat parameter vector."""
        xp, (b, _, g, d) = array_namespace(self.parents), self.blocks.X.shape
        made = self.form.mix(like(flat.reshape(self.shape), self.parents), self.parents)
        made = xp.reshape(made, (b, g, d))
        pull, value = xp.empty_like(made), 0.0
        itself, rest = self.blocks.parts(self.kernel)
        within = rest / max(1, b * g * (g - 1))
        for some in chunks(b, g * (g + self.ends.shape[1]), made):
            value += self._block(made[some, ...], some, within, 2.0 / (b * g), pull[some, ...])
        gradient = self.form.pull_back(xp.reshape(pull, (b * g, d)), self.parents)
        return Place(itself + value, to_numpy(gradient).ravel(), None)

    def _block(self, X: Any, some: slice, within: float, across: float, pull: Any) -> float:
        """What some blocks add to the loss; the gradient with respect to their rows goes to `pull`."""
        xp, T, share = array_namespace(X), self.blocks.T[some, ...], self.blocks.share[some, ...]
        ends, g = squared_norms(X), X.shape[1]
        K, W = self.kernel.of_squared(squared_between(X, X, ends, ends))
        apart = within * like(1.0 - np.eye(g), X)
        value = float(xp.sum(K * apart))
        W = W * (2.0 * apart)
        pull[...] = W @ X - xp.sum(W, axis=2)[..., None] * X
        K, W = self.kernel.of_squared(squared_between(X, T, ends, self.ends[some, ...]))
        W = W * (across * share[:, None, :])
        pull += xp.sum(W, axis=2)[..., None] * X - W @ T
        return value - across * float(xp.sum(K * share[:, None, :]))

    def constant(self) -> float:
        """What the targets alone add to the loss."""
        return self.blocks.alone


class SlicedLoss:
    """The mean over cells of the loss under the sliced Wasserstein distance: mix, score, pull back."""

    def __init__(
        self, form: Mixing, shape: tuple[int, ...], batches: Sequence[Batch], directions: FloatArray
    ) -> None:
        u = like(directions, batches[0].parents)
        projected = form.name == "scalar"
        self.form, self.shape = form, shape
        self.parents = [batch.parents @ u if projected else batch.parents for batch in batches]
        self.scores = [SlicedScore(b.targets, b.parents.shape[1], u, projected=projected) for b in batches]

    def __call__(self, flat: FloatArray) -> Place:
        """Value and gradient at a flat parameter vector."""
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
