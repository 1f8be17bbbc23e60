"""The training loop, one for all objectives: draw a batch, ask for its loss, take a step of Adam.

Everything random is drawn with NumPy in blocks of steps: which rows, and which units dropout
leaves out. A step is then products of matrices and nothing else, and the same on every device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from fairlattice._validation import FloatArray, IntArray
from fairlattice.classifiers._network import Network
from fairlattice.classifiers._objective import Running, Step
from fairlattice.exceptions import InputError

_BLOCK_NUMBERS = 2**20  # how many numbers a block of steps may hold
_DRAWS = 2**16  # dropout is exact to one part in this number


@dataclass(frozen=True)
class Schedule:
    """How long, how fast and on what to train."""

    steps: int
    batch_size: int
    learning_rate: float
    dropout: float
    batch_rng: np.random.Generator
    dropout_rng: np.random.Generator


def train(
    network: Network,
    running: Running,
    schedule: Schedule,
    x: torch.Tensor,
    cells: torch.Tensor,
    chances: FloatArray | None,
) -> FloatArray:
    """Train a network in place; the loss of every step.

    Parameters
    ----------
    network, running, schedule
        What to train, for what, and how.
    x : float tensor of shape (n, d)
        Rows.
    cells : int tensor of shape (n,)
        ``2 · leaf + label``.
    chances : float array of shape (n,), optional
        Draw rows with replacement with these probabilities, instead of in shuffled epochs.

    Raises
    ------
    InputError
        If the loss stops being a number.
    """
    optimisers = [_adam(p, schedule.learning_rate) for p in (network.parameters(), running.parameters()) if p]
    curve = torch.zeros(schedule.steps, dtype=x.dtype, device=x.device)
    widths = [len(bias) for _, bias in network.layers[:-1]]
    per_step = schedule.batch_size * (x.shape[1] + sum(widths))
    done = 0
    for rows in _blocks(schedule, len(x), chances, per_step):
        picked = torch.from_numpy(rows).to(x.device)
        block_x, block_cells = x[picked], cells[picked]
        block_labels = (block_cells % 2).to(x.dtype)
        masks = [_mask(rows.shape, width, schedule, x) for width in widths if schedule.dropout]
        for i in range(len(rows)):
            hidden = network.hidden(block_x[i], [mask[i] for mask in masks])
            logits = network.logits(hidden)
            losses = binary_cross_entropy_with_logits(logits, block_labels[i], reduction="none")
            loss = running.loss(Step(network, block_cells[i], block_labels[i], hidden, logits, losses))
            _descend(loss, optimisers)
            curve[done + i] = loss.detach()
        done += len(rows)
        _check_finite(curve[:done], network, schedule.learning_rate)
    return curve.cpu().numpy().astype(np.float64)


def _adam(parameters: Sequence[torch.Tensor], learning_rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=learning_rate, fused=True)


def _descend(loss: torch.Tensor, optimisers: Sequence[torch.optim.Adam]) -> None:
    for optimiser in optimisers:
        optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for optimiser in optimisers:
        optimiser.step()


def _check_finite(curve: torch.Tensor, network: Network, learning_rate: float) -> None:
    last = network.layers[-1][0].detach()
    if not (torch.isfinite(curve).all() and torch.isfinite(last).all()):
        raise InputError(
            f"Training diverged within {len(curve):,} steps: the loss is no longer a number. "
            f"Got `learning_rate` {learning_rate:g}; pass a smaller one, or a smaller objective weight."
        )


def _blocks(schedule: Schedule, n: int, chances: FloatArray | None, per_step: int) -> Iterator[IntArray]:
    """Row numbers of some steps at a time, of shape (steps, batch_size)."""
    longest = max(1, min(100, _BLOCK_NUMBERS // per_step))
    rng = schedule.batch_rng
    stream = Epochs(n, rng) if chances is None else WithReplacement(chances, rng)
    for start in range(0, schedule.steps, longest):
        steps = min(longest, schedule.steps - start)
        yield stream.take(steps * schedule.batch_size).reshape(steps, schedule.batch_size)


class Epochs:
    """All rows in random order, then all again in another; a batch may end one and begin the next."""

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self._n, self._rng, self._left = n, rng, np.zeros(0, dtype=np.int64)

    def take(self, count: int) -> IntArray:
        """The next `count` row numbers."""
        more = -(-max(0, count - len(self._left)) // self._n)
        rows = np.concatenate([self._left, *(self._rng.permutation(self._n) for _ in range(more))])
        self._left = rows[count:]
        return rows[:count]


class WithReplacement:
    """Rows drawn one by one with their own chances."""

    def __init__(self, chances: FloatArray, rng: np.random.Generator) -> None:
        ends = np.cumsum(chances)
        self._ends, self._rng = ends / ends[-1], rng

    def take(self, count: int) -> IntArray:
        """The next `count` row numbers."""
        return np.searchsorted(self._ends, self._rng.random(count), side="right").astype(np.int64)


def _mask(shape: tuple[int, ...], width: int, schedule: Schedule, like: torch.Tensor) -> torch.Tensor:
    """Dropout's factors of a layer: 0, or what keeps the mean at 1."""
    dropped = round(schedule.dropout * _DRAWS)
    kept = schedule.dropout_rng.integers(0, _DRAWS, (*shape, width), dtype=np.uint16) >= dropped
    return torch.from_numpy(kept).to(like.device).to(like.dtype).mul_(_DRAWS / (_DRAWS - dropped))
