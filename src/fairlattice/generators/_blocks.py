"""The loss of scalar weights under a kernel, from inner products taken once.

A row is x = Σ λ_i x_i, so every squared distance is a quadratic form in the p weights:

    |x^a - x^b|² = λᵀ G_ab λ,     G_ab,ij = (x_i^a - x_i^b)·(x_j^a - x_j^b)       between generated rows,
    |x^a - t|² = λᵀ Q_a λ - 2 λ·c_at + |t|²,   Q_a,ij = x_i^a·x_j^a, c_at,i = x_i^a·t   to a target's row.

An evaluation costs nothing that grows with the columns, and looks at each pair of generated rows once. With
W = -2 k' and V = 4 k'' of a kernel k of the squared distance s, the derivatives of k(s(λ)) are

    -W ∇s / 2     and     V ∇s ∇sᵀ / 4 - W ∇²s / 2,     ∇s = 2 G λ or 2 (Q λ - c),     ∇²s = 2 G or 2 Q.

Where many cells share weights, rows meet in blocks: a row meets the rows of its own block, not all. That is
an incomplete U-statistic: it errs by the number of rows, as the complete one does, and costs the block
instead of the square. With one block it is the complete statistic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from fairlattice._validation import FloatArray, IntArray
from fairlattice.divergences import Kernel
from fairlattice.generators._batches import Draw, gather, like, single_will_do, squared_norms, to_numpy
from fairlattice.generators._losses import Place

_CACHED = 40_000  # pairs looked at together, so that they stay in the processor's cache
_PAIRS = 200_000  # pairs of one evaluation, unless blocks would have fewer than the least of rows, or
_PER_COLUMN = 512  # so many for each column, as gathering the rows then takes longer than looking at pairs
_LEAST = 8
_FEW_ROWS = 64  # of a target, up to which all of its pairs are looked at for what it adds by itself


@dataclass(frozen=True)
class BlockLoss:
    """The mean over cells of the loss of scalar weights, of inner products by block and by pair."""

    kernel: Kernel
    n: int  # generated rows of a cell
    weight: float  # of all targets together
    alone: float  # what the targets alone add
    within: Any  # G of the pairs i <= j of weights, (p (p + 1) / 2, blocks, pairs of rows)
    norms: Any  # Q, (p, p, blocks, g)
    across: Any  # c of every weight, then |t|², then the share of t, (p + 2, blocks, g, h)

    @classmethod
    def of(cls, Z: Any, draws: Sequence[Draw], kernel: Kernel) -> BlockLoss:
        """Take the inner products, in single precision where that is safe."""
        (p, n), targets = draws[0].parents.shape, draws[0].targets
        g = block_size(n, len(draws) * len(targets), Z.shape[1])
        parents = np.concatenate([np.swapaxes(draw.parents.reshape(p, n // g, g), 0, 1) for draw in draws])
        dealt = [[_dealt(rows, weight, n, g) for rows, weight in draw.targets] for draw in draws]
        wanted, share = (np.concatenate([np.hstack([t[k] for t in cell]) for cell in dealt]) for k in (0, 1))
        X, T = _in_best_precision(Z, parents, wanted, n // g, kernel.finest)
        xp = array_namespace(X)
        (blocks, h), X = share.shape, xp.reshape(X, (-1, p * g, Z.shape[1]))
        gram = xp.reshape(X @ xp.matrix_transpose(X), (blocks, p, g, p, g))
        norms = xp.stack([gram[:, :, a, :, a] for a in range(g)], axis=-1)
        across = xp.empty((p + 2, blocks, g, h), dtype=X.dtype, device=device(X))
        products = xp.reshape(X @ xp.matrix_transpose(T), (blocks, p, g, h))
        across[:p, ...] = xp.permute_dims(products, (1, 0, 2, 3))
        across[p, ...] = squared_norms(T)[:, None, :]
        across[p + 1, ...] = like(share, X)[:, None, :]
        return cls(
            kernel,
            n,
            sum(weight for _, weight in targets),
            _constant(Z, draws, kernel, g, single=X.dtype == xp.float32),
            _differences(gram),
            xp.permute_dims(norms, (1, 2, 0, 3)),
            across,
        )

    def __call__(self, flat: FloatArray) -> Place:
        """Value, gradient and Hessian at a vector of weights."""
        rest = self.weight * (1.0 - 1.0 / self.n)
        itself = self.weight * _at_0(self.kernel, self.norms) / self.n
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
        for some in _chunks(G.shape[1], 1, G):
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
        for some in _chunks(blocks, g * h, self.across):
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
        return self.alone


@np.errstate(over="ignore", invalid="ignore")  # what overflows is found not to do
def _in_best_precision(Z: Any, parents: IntArray, wanted: IntArray, blocks: int, finest: float) -> Any:
    """The rows of parents and those wanted; so many blocks are a cell's."""
    X, T = (gather(Z, numbers, single=True) for numbers in (parents, wanted))
    xp, cells = array_namespace(X), (X[k : k + blocks, ...] for k in range(0, X.shape[0], blocks))
    largest = max(float(xp.max(squared_norms(R))) for R in (X, T))
    return (X, T) if single_will_do(cells, largest, finest) else (gather(Z, parents), gather(Z, wanted))


def _constant(Z: Any, draws: Sequence[Draw], kernel: Kernel, g: int, *, single: bool) -> float:
    """Σ weight · mean kernel between a target's rows, a row's with itself included, mean over cells.

    Rows meet in blocks of g here too, but where they are few, all do.
    """
    alike: dict[int, list[tuple[IntArray, float]]] = {}  # targets of as many rows
    for rows, weight in (target for draw in draws for target in draw.targets):
        alike.setdefault(len(rows), []).append((rows, weight))
    total = 0.0
    for m, targets in alike.items():
        k = m if m <= _FEW_ROWS else min(g, m)
        numbers = np.stack([rows[: m // k * k].reshape(-1, k) for rows, _ in targets])
        T = gather(Z, numbers, single=single)
        xp, weights = array_namespace(T), like([weight for _, weight in targets], T)
        total += float(xp.sum(weights)) * _at_0(kernel, T) / m
        if m > 1:
            ends = squared_norms(T)
            squared = ends[..., :, None] + ends[..., None, :] - 2.0 * (T @ xp.matrix_transpose(T))
            i, j = np.triu_indices(k, k=1)
            pairs = xp.take(xp.reshape(squared, (-1, k * k)), xp.asarray(i * k + j, device=device(T)), axis=1)
            means = xp.mean(xp.reshape(kernel.of_squared(pairs)[0], (len(targets), -1)), axis=1)
            total += (1.0 - 1.0 / m) * float(weights @ means)
    return total / len(draws)


def block_size(n: int, targets: int, d: int) -> int:
    """Rows of a block: a divisor of n that keeps the pairs within bounds, but not the fewest of rows."""
    sizes = [g for g in range(min(_LEAST, n), n + 1) if n % g == 0]
    return max((g for g in sizes if targets * n * g <= max(_PAIRS, _PER_COLUMN * d)), default=sizes[0])


def _dealt(rows: IntArray, weight: float, n: int, g: int) -> tuple[IntArray, FloatArray]:
    """A target's rows dealt to blocks, and their shares, of shape (n / g, g).

    Fewer rows than n are dealt again until all blocks are full; all rows count the same in the end. In one
    block they count once, so that the statistic is complete.
    """
    m, order = len(rows), np.arange(n) % len(rows)
    times = np.bincount(order)[order]
    shares = np.where(np.arange(n) < m, 1.0, 0.0) if g == n else 1.0 / times
    return rows[order].reshape(n // g, g), (weight * (n // g) / m * shares).reshape(n // g, g)


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


def _chunks(n: int, each: int, array: Any) -> Iterator[slice]:
    """Parts of n things of `each` numbers that stay in a processor's cache; on another device, all."""
    step = max(1, _CACHED // each) if str(device(array)) == "cpu" else max(1, n)
    return (slice(first, first + step) for first in range(0, n, step))
