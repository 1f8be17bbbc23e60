"""The loss of scalar weights under a kernel, from inner products taken once.

A row is x = Σ λ_i x_i, so every squared distance is a quadratic form in the p weights:

    |x^a - x^b|² = λᵀ G_ab λ,     G_ab,ij = (x_i^a - x_i^b)·(x_j^a - x_j^b)       between generated rows,
    |x^a - t|² = λᵀ Q_a λ - 2 λ·c_at + |t|²,   Q_a,ij = x_i^a·x_j^a, c_at,i = x_i^a·t   to a target's row.

An evaluation costs nothing that grows with the columns, and looks at each pair of generated rows once.

Where many cells share weights, rows meet in blocks: a row meets the rows of its own block, not all. That is
an incomplete U-statistic: it errs by the number of rows, as the complete one does, and costs the block
instead of the square. With one block it is the complete statistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from fairlattice._validation import FloatArray
from fairlattice.divergences import Kernel
from fairlattice.generators._batches import Batch, like, to_numpy

_CACHED = 20_000  # pairs looked at together, so that they stay in the processor's cache
_PAIRS = 200_000  # pairs of one evaluation, unless blocks would have fewer than the least of rows
_LEAST = 8
_FEW_ROWS = 64  # of a target, up to which all of its pairs are looked at for what it adds by itself


@dataclass(frozen=True)
class BlockLoss:
    """The mean over cells of the loss of scalar weights, of inner products by block and by pair."""

    kernel: Kernel
    batches: Sequence[Batch]
    weight: float  # of all targets together
    within: Any  # G of the pairs i <= j, (p (p + 1) / 2, blocks, pairs)
    norms: Any  # Q, (p, p, blocks, g)
    across: Any  # c, (p, blocks, g, h)
    ends: Any  # |t|², (blocks, h)
    share: Any  # of each target's row, (blocks, h)

    @classmethod
    def of(cls, batches: Sequence[Batch], kernel: Kernel) -> BlockLoss:
        """Take the inner products."""
        p, n, d = batches[0].parents.shape
        g = block_size(n, len(batches) * len(batches[0].targets))
        xp = array_namespace(batches[0].parents)
        X = xp.concat([xp.reshape(batch.parents, (p, n // g, g, d)) for batch in batches], axis=1)
        dealt = [[_dealt(T, weight, n, g) for T, weight in batch.targets] for batch in batches]
        T = xp.concat([xp.concat([rows for rows, _ in cell], axis=1) for cell in dealt])
        share = xp.concat([xp.concat([part for _, part in cell], axis=1) for cell in dealt])
        blocks = X.shape[1]
        stacked = xp.reshape(xp.permute_dims(X, (1, 0, 2, 3)), (blocks, p * g, d))
        gram = xp.reshape(stacked @ xp.matrix_transpose(stacked), (blocks, p, g, p, g))
        across = xp.reshape(stacked @ xp.matrix_transpose(T), (blocks, p, g * T.shape[1]))
        across = xp.reshape(xp.permute_dims(across, (1, 0, 2)), (p, blocks, g, T.shape[1]))
        norms = xp.stack([gram[:, :, a, :, a] for a in range(g)], axis=-1)
        return cls(
            kernel,
            batches,
            sum(weight for _, weight in batches[0].targets),
            _differences(gram),
            xp.permute_dims(norms, (1, 2, 0, 3)),
            across,
            xp.sum(T * T, axis=2),
            share,
        )

    @property
    def blocks(self) -> int:
        """How many blocks a cell has."""
        return int(self.across.shape[1] // len(self.batches))

    def every(self, step: int) -> BlockLoss:
        """The loss of every second or third … block only."""
        return replace(
            self,
            within=self.within[:, ::step],
            norms=self.norms[:, :, ::step],
            across=self.across[:, ::step],
            ends=self.ends[::step],
            share=self.share[::step],
        )

    def __call__(self, flat: FloatArray) -> tuple[float, FloatArray]:
        """Value and gradient at a vector of weights."""
        among, among_slope = self._among(flat)
        to, to_slope = self._towards(flat)
        n = self.batches[0].parents.shape[1]
        rest = self.weight * (1.0 - 1.0 / n)
        itself = self.weight * _at_0(self.kernel, self.ends) / n
        return itself + rest * among - 2.0 * to, rest * among_slope - 2.0 * to_slope

    def _among(self, weights: FloatArray) -> tuple[float, FloatArray]:
        """Mean kernel between different generated rows."""
        i, j = np.triu_indices(len(weights))
        xp, M = array_namespace(self.within), np.zeros((len(weights), len(weights)))
        G, total = xp.reshape(self.within, (len(i), -1)), 0.0
        if not G.shape[1]:
            return 0.0, np.zeros(len(weights))
        products = like(weights[i] * weights[j] * np.where(i == j, 1.0, 2.0), G)
        for first in range(0, G.shape[1], _CACHED):
            block = G[:, first : first + _CACHED]
            K, W = self.kernel.of_squared(xp.clip(products @ block, 0.0, None))
            total += float(xp.sum(K))
            M[i, j] += to_numpy(block @ W)
        M[j, i] = M[i, j]
        return total / G.shape[1], -(M @ weights) / G.shape[1]

    def _towards(self, weights: FloatArray) -> tuple[float, FloatArray]:
        """Mean kernel to the targets' rows, each with its share."""
        xp, (p, blocks, g, h) = array_namespace(self.across), self.across.shape
        w = like(weights, self.across)
        half = xp.tensordot(w, self.norms, axes=1)  # Σ_j λ_j Q_ij,a
        starts = xp.tensordot(w, half, axes=1)
        value, slope, height = 0.0, np.zeros(p), max(1, _CACHED // (g * h))
        for first in range(0, blocks, height):
            some = slice(first, first + height)
            block = xp.reshape(self.across[:, some], (p, -1))
            squared = xp.reshape((-2.0 * w) @ block, (-1, g, h))
            squared += starts[some, :, None]
            squared += self.ends[some, None, :]
            K, W = self.kernel.of_squared(xp.clip(squared, 0.0, None))  # rounding may go below 0
            share = self.share[some, None, :]
            value += float(xp.sum(K * share))
            W *= share
            pulled = block @ xp.reshape(W, (-1,))
            held = xp.reshape(half[:, some], (p, -1)) @ xp.reshape(xp.sum(W, axis=2), (-1,))
            slope += to_numpy(pulled - held)
        return value / (blocks * g), slope / (blocks * g)

    def constant(self) -> float:
        """What the targets alone add to the loss."""
        g = self.across.shape[2]
        found = [weight * self._spread(T, g) for batch in self.batches for T, weight in batch.targets]
        return sum(found) / len(self.batches)

    def _spread(self, T: Any, g: int) -> float:
        """Mean kernel between the rows of a target, a row's with itself included."""
        xp, (m, d) = array_namespace(T), T.shape
        g = m if m <= _FEW_ROWS else min(g, m)
        itself = _at_0(self.kernel, T)
        if m == 1:
            return itself
        blocks = xp.reshape(T[: m // g * g], (m // g, g, d))
        ends = xp.sum(blocks * blocks, axis=2)
        squared = ends[:, :, None] + ends[:, None, :] - 2.0 * (blocks @ xp.matrix_transpose(blocks))
        i, j = np.triu_indices(g, k=1)
        pairs = xp.reshape(squared, (m // g, g * g))[:, xp.asarray(i * g + j, device=device(T))]
        K, _ = self.kernel.of_squared(xp.clip(pairs, 0.0, None))
        return float(itself / m + (1.0 - 1.0 / m) * float(xp.mean(K)))


def block_size(n: int, targets: int) -> int:
    """Rows of a block: a divisor of n that keeps the pairs within bounds, but not the fewest of rows."""
    sizes = [g for g in range(min(_LEAST, n), n + 1) if n % g == 0]
    return max((g for g in sizes if targets * n * g <= _PAIRS), default=sizes[0])


def _dealt(T: Any, weight: float, n: int, g: int) -> tuple[Any, Any]:
    """A target's rows dealt to blocks, of shape (n / g, g, d), and their shares, of shape (n / g, g).

    Fewer rows than n are dealt again until all blocks are full; all rows count the same in the end. In one
    block they count once, so that the statistic is complete.
    """
    xp, m = array_namespace(T), T.shape[0]
    order = np.arange(n) % m
    times = np.bincount(order)[order]
    shares = np.where(np.arange(n) < m, 1.0, 0.0) if g == n else 1.0 / times
    share = like(weight * (n // g) / m * shares, T)
    rows = xp.take(T, xp.asarray(order, device=device(T)), axis=0)
    return xp.reshape(rows, (n // g, g, -1)), xp.reshape(share, (n // g, g))


def _differences(gram: Any) -> Any:
    """G of every two rows of a block, of shape (p (p + 1) / 2, blocks, g (g - 1) / 2)."""
    xp = array_namespace(gram)
    blocks, p, g = gram.shape[:3]
    one, other = (xp.asarray(k, device=device(gram)) for k in np.triu_indices(g, k=1))
    found = []
    for i, j in zip(*np.triu_indices(p), strict=True):
        A = xp.reshape(gram[:, int(i), :, int(j), :], (blocks, g * g))
        diagonal = A[:, one * (g + 1)] + A[:, other * (g + 1)]
        found.append(diagonal - A[:, one * g + other] - A[:, other * g + one])
    return xp.stack(found)


def _at_0(kernel: Kernel, array: Any) -> float:
    """The kernel of a row with itself."""
    return float(kernel.of_squared(like([0.0], array))[0][0])
