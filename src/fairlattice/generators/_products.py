"""The loss of scalar weights under a kernel, from inner products taken once.

A row is x = Σ λ_i x_i, so every squared distance is a quadratic form in the p weights:

    |x^a - x^b|² = λᵀ G_ab λ,     G_ab,ij = (x_i^a - x_i^b)·(x_j^a - x_j^b)       between generated rows,
    |x^a - t|² = λᵀ Q_a λ - 2 λ·c_at + |t|²,   Q_a,ij = x_i^a·x_j^a, c_at,i = x_i^a·t   to a target's row.

An evaluation costs nothing that grows with the columns, and looks at each pair of generated rows once. With
W = -2 k' and V = 4 k'' of a kernel k of the squared distance s, the derivatives of k(s(λ)) are

    -W ∇s / 2     and     V ∇s ∇sᵀ / 4 - W ∇²s / 2,     ∇s = 2 G λ or 2 (Q λ - c),     ∇²s = 2 G or 2 Q.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from fairlattice._validation import FloatArray
from fairlattice.divergences import Kernel
from fairlattice.generators._batches import like, squared_norms, to_numpy
from fairlattice.generators._blocks import Blocks, chunks
from fairlattice.generators._losses import Place


@dataclass(frozen=True)
class ProductLoss:
    """The mean over cells of the loss of scalar weights, of inner products by block and by pair."""

    kernel: Kernel
    blocks: Blocks
    within: Any  # G of the pairs i <= j of weights, (p (p + 1) / 2, blocks, pairs of rows)
    norms: Any  # Q, (p, p, blocks, g)
    across: Any  # c of every weight, then |t|², then the share of t, (p + 2, blocks, g, h)

    @classmethod
    def of(cls, blocks: Blocks, kernel: Kernel) -> ProductLoss:
        """Take the inner products."""
        xp, (b, p, g, d), h = array_namespace(blocks.X), blocks.X.shape, blocks.T.shape[1]
        X, T = xp.reshape(blocks.X, (b, p * g, d)), blocks.T
        gram = xp.reshape(X @ xp.matrix_transpose(X), (b, p, g, p, g))
        norms = xp.stack([gram[:, :, a, :, a] for a in range(g)], axis=-1)
        across = xp.empty((p + 2, b, g, h), dtype=X.dtype, device=device(X))
        products = xp.reshape(X @ xp.matrix_transpose(T), (b, p, g, h))
        across[:p, ...] = xp.permute_dims(products, (1, 0, 2, 3))
        across[p, ...] = squared_norms(T)[:, None, :]
        across[p + 1, ...] = blocks.share[:, None, :]
        return cls(kernel, blocks, _differences(gram), xp.permute_dims(norms, (1, 2, 0, 3)), across)

    def every(self, step: int) -> ProductLoss:
        """The loss of every second or third … block only."""
        xp = array_namespace(self.within)
        parts = (self.within[:, ::step, :], self.norms[:, :, ::step, :], self.across[:, ::step, :, :])
        within, norms, across = (xp.asarray(part, copy=True) for part in parts)  # in sequence, to reshape
        return ProductLoss(self.kernel, self.blocks.every(step), within, norms, across)

    def __call__(self, flat: FloatArray) -> Place:
        """Value, gradient and Hessian at a vector of weights."""
        itself, rest = self.blocks.parts(self.kernel)
        among, to = self._among(flat), self._towards(flat)
        return Place(
            itself + rest * among.value - 2.0 * to.value,
            rest * among.slope - 2.0 * to.slope,
            rest * among.bend - 2.0 * to.bend,
        )

    def _among(self, weights: FloatArray) -> _Sum:
        """Mean kernel between different generated rows."""
        p, xp = len(weights), array_namespace(self.within)
        i, j = np.triu_indices(p)
        spread = np.zeros((p, len(i)))
        spread[i, np.arange(len(i))] = weights[j]
        spread[j, np.arange(len(i))] = weights[i]
        pairs = np.zeros((p, p), dtype=np.intp)
        pairs[i, j] = pairs[j, i] = np.arange(len(i))
        G, total = xp.reshape(self.within, (len(i), -1)), _Sum(p)
        L, w = like(spread, G), like(weights, G)
        for some in chunks(G.shape[1], 1, G):
            block = G[:, some]
            pull = L @ block  # G λ
            S, T = self.kernel.terms(w @ pull)
            W = S[1, :] @ T
            total.add(S[0, :] @ xp.sum(T, axis=1), -(pull @ W), (pull * (S[2, :] @ T)) @ pull.T)
            total.bend -= to_numpy(block @ W)[pairs]
        return total.over(G.shape[1])

    def _towards(self, weights: FloatArray) -> _Sum:
        """Mean kernel to the targets' rows, each with its share."""
        xp, (p, blocks, g, h) = array_namespace(self.across), self.across.shape
        p, total = p - 2, _Sum(p - 2)
        w = like(weights, self.across)
        half = xp.tensordot(w, self.norms, axes=1)  # Σ_j λ_j Q_ij,a
        starts = xp.tensordot(w, half, axes=1)
        squares = like([*(-2.0 * weights), 1.0, 0.0], self.across)
        ones = xp.ones(h, dtype=w.dtype, device=device(w))
        for some in chunks(blocks, g * h, self.across):
            block, ahead = xp.reshape(self.across[:, some], (p + 2, -1)), xp.reshape(half[:, some], (p, -1))
            squared = xp.reshape(squares @ block, (-1, h))
            squared += xp.reshape(starts[some], (-1, 1))
            S, T = self.kernel.terms(xp.reshape(squared, (-1,)))
            block, share = block[:p, :], block[p + 1, :]
            W = (S[1, :] @ T) * share
            V = (S[2, :] @ T) * share
            pulled, Q = block * V, xp.reshape(self.norms[:, :, some], (p * p, -1))
            W_all, V_all, c_all = (xp.reshape(A, (-1, h)) @ ones for A in (W, V, pulled))  # over the targets
            mixed = ahead @ xp.reshape(c_all, (p, -1)).T
            total.add(
                S[0, :] @ (T @ share),
                block @ W - ahead @ W_all,
                pulled @ block.T
                - mixed
                - mixed.T
                + (ahead * V_all) @ ahead.T
                - xp.reshape(Q @ W_all, (p, p)),
            )
        return total.over(blocks * g)

    def constant(self) -> float:
        """What the targets alone add to the loss."""
        return self.blocks.alone


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


class _Sum:
    """A sum of values, of gradients and of Hessians, piece by piece."""

    def __init__(self, p: int) -> None:
        self.value, self.slope, self.bend = 0.0, np.zeros(p), np.zeros((p, p))

    def add(self, value: Any, slope: Any, bend: Any) -> None:
        """Add a piece."""
        self.value += float(value)
        self.slope += to_numpy(slope)
        self.bend += to_numpy(bend)

    def over(self, n: int) -> _Sum:
        """The mean of n; of none, 0."""
        n = max(n, 1)
        self.value, self.slope, self.bend = self.value / n, self.slope / n, self.bend / n
        return self
