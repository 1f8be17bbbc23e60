"""Rows in blocks, for all cells of a fit at once.

Where many cells share parameters, rows meet in blocks: a generated row meets the rows of its own block, not
all. That is an incomplete U-statistic: like the complete one's, its error falls with the number of rows, but
it costs the block instead of the square. With one block it is the complete statistic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from fairlattice._validation import FloatArray, IntArray
from fairlattice.divergences import Kernel
from fairlattice.generators._batches import Draw, gather, like, single_will_do, squared_norms

_CACHED = 40_000  # pairs looked at together, so that they stay in the processor's cache
_LEAST = 8  # rows of a block
_FEW_ROWS = 64  # of a target, up to which all of its pairs are looked at for what it adds by itself


@dataclass(frozen=True)
class Blocks:
    """Parents' rows to mix, and the rows that meet the mixes, in blocks; those of a cell in sequence."""

    n: int  # rows of a parent for each cell
    weight: float  # of all targets together
    alone: float  # what the targets alone add to the loss
    X: Any  # parents' rows, (blocks, p, g, d)
    T: Any  # targets' rows, (blocks, h, d)
    share: Any  # of each target's row, (blocks, h)

    @classmethod
    def of(cls, Z: Any, draws: Sequence[Draw], kernel: Kernel, *, pairs: int) -> Blocks:
        """Gather the rows that were drawn, in single precision where that is safe.

        `pairs` is how many pairs meet at most, unless blocks would be very small.
        """
        (p, n), targets = draws[0].parents.shape, draws[0].targets
        g = block_size(n, len(draws) * len(targets), pairs)
        parents = np.concatenate([np.swapaxes(draw.parents.reshape(p, n // g, g), 0, 1) for draw in draws])
        split = [[_split(rows, weight, n, g) for rows, weight in draw.targets] for draw in draws]
        wanted, share = (np.concatenate([np.hstack([t[k] for t in cell]) for cell in split]) for k in (0, 1))
        X, T = _in_best_precision(Z, parents, wanted, n // g, kernel.finest)
        alone = _alone(Z, draws, kernel, g, single=X.dtype == array_namespace(X).float32)
        return cls(n, sum(weight for _, weight in targets), alone, X, T, like(share, X))

    def every(self, step: int) -> Blocks:
        """Every second or third … block only."""
        return replace(self, X=self.X[::step, ...], T=self.T[::step, ...], share=self.share[::step, ...])

    def parts(self, kernel: Kernel) -> tuple[float, float]:
        """What pairs of a generated row with itself add to the loss, and what weight all other pairs have."""
        return self.weight * _at_0(kernel, self.X) / self.n, self.weight * (1.0 - 1.0 / self.n)


@np.errstate(over="ignore", invalid="ignore")  # what overflows is found not to do
def _in_best_precision(Z: Any, parents: IntArray, wanted: IntArray, blocks: int, finest: float) -> Any:
    """The rows of parents and of targets; `blocks` is the number of blocks of a cell."""
    X, T = (gather(Z, numbers, single=True) for numbers in (parents, wanted))
    xp, cells = array_namespace(X), (X[k : k + blocks, ...] for k in range(0, X.shape[0], blocks))
    largest = max(float(xp.max(squared_norms(R))) for R in (X, T))
    return (X, T) if single_will_do(cells, largest, finest) else (gather(Z, parents), gather(Z, wanted))


def _alone(Z: Any, draws: Sequence[Draw], kernel: Kernel, g: int, *, single: bool) -> float:
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
            squared = squared_between(T, T, ends, ends)
            i, j = np.triu_indices(k, k=1)
            pairs = xp.take(xp.reshape(squared, (-1, k * k)), xp.asarray(i * k + j, device=device(T)), axis=1)
            means = xp.mean(xp.reshape(kernel.of_squared(pairs)[0], (len(targets), -1)), axis=1)
            total += (1.0 - 1.0 / m) * float(weights @ means)
    return total / len(draws)


def squared_between(X: Any, Y: Any, x2: Any, y2: Any) -> Any:
    """Squared distances between rows of the same block, from their squared norms; rounding may go below 0."""
    squared = -2.0 * (X @ array_namespace(X).matrix_transpose(Y))
    squared += x2[..., :, None]
    squared += y2[..., None, :]
    return squared


def dealable(n: int) -> int:
    """The number of rows, or slightly fewer where they are many, so that blocks can divide them."""
    return n if n <= _LEAST**2 else n // _LEAST * _LEAST


def block_size(n: int, targets: int, pairs: int) -> int:
    """Rows of a block: a divisor of n that keeps the pairs within bounds, but not the fewest of rows."""
    sizes = [g for g in range(min(_LEAST, n), n + 1) if n % g == 0]
    return max((g for g in sizes if targets * n * g <= pairs), default=sizes[0])


def _split(rows: IntArray, weight: float, n: int, g: int) -> tuple[IntArray, FloatArray]:
    """A target's rows split into blocks, and their shares, of shape (n / g, g).

    Fewer rows than n are repeated until all blocks are full; all rows count the same in the end. In one
    block they count once, so that the statistic is complete.
    """
    m, order = len(rows), np.arange(n) % len(rows)
    times = np.bincount(order)[order]
    shares = np.where(np.arange(n) < m, 1.0, 0.0) if g == n else 1.0 / times
    return rows[order].reshape(n // g, g), (weight * (n // g) / m * shares).reshape(n // g, g)


def _at_0(kernel: Kernel, array: Any) -> float:
    """The kernel of a row with itself."""
    return float(kernel.of_squared(like([0.0], array))[0][0])


def chunks(n: int, each: int, array: Any) -> Iterator[slice]:
    """Parts of n things of `each` numbers that stay in a processor's cache; on another device, all."""
    step = max(1, _CACHED // each) if str(device(array)) == "cpu" else max(1, n)
    return (slice(first, first + step) for first in range(0, n, step))
