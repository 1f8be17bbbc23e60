"""Training: mixing parameters that bring generated rows close to their cells.

For one or several cells that share parameters θ the loss is the mean over cells of

    D(generated, rows of the cell) + β · Σ_i D(generated, rows of parent i),

with D the chosen divergence and the true gradient through every term. Rows are drawn once, so the loss
is a smooth, deterministic function of θ, which Newton or quasi-Newton steps minimise in a dozen
evaluations, with a stopping rule instead of a number of steps. It has several minima, near the parents, so
descents begin at each parent alone and at the mean of all. Only rows passed in are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from fairlattice._threads import one_thread
from fairlattice._validation import FloatArray, check_choice, check_count, check_real
from fairlattice.divergences import NegativeDistance, RBFMixture
from fairlattice.divergences._shared import draw_directions
from fairlattice.exceptions import InputError
from fairlattice.generators._batches import Batch, CellRows, Draw, draw_rows, gather, squared_norms
from fairlattice.generators._blocks import Blocks, dealable
from fairlattice.generators._losses import KernelLoss, Loss, SlicedLoss
from fairlattice.generators._minimise import minimise
from fairlattice.generators._mixing import Mixing, make_mixing
from fairlattice.generators._products import ProductLoss

DIVERGENCES = ("mmd", "energy", "sliced_wasserstein")
"""The divergences that a fit may choose from, by name."""

_SMOOTH = 1e-3  # of the spread of rows: rounds the energy distance's corners where two rows meet
_THINNED = (4, 2)  # every fourth block first, then every second, where that many are left:
_ENOUGH = 32
_PAIRS = 200_000  # pairs of rows of an evaluation that are enough for few parameters,
_PER_COLUMN = 512  # or this many per column: gathering wide rows takes longer than looking at their pairs,
_MANY_PAIRS = 800_000  # and those for many parameters
_FEW_PAIRS = 32_000  # pairs that show where the minima of few parameters are
_SPREAD_ROWS = 64  # of each parent, that show the spread of rows


@dataclass(frozen=True)
class MixingFit:
    """A fitted mixing, with the record of its fit.

    Parameters
    ----------
    mixing : str
        Which mixing.
    parameters : float array
        Shape (p,), (p, d) or (d, d).
    curve : tuple of float
        The loss at the mean of the parents, then after every step of the descent that ended lowest,
        as far as it is lower; decreasing.
    status : str
        Why the fit stopped, in words.
    n_cells : int
        How many cells the loss was a mean over; 0 if there was nothing to fit to.
    """

    mixing: str
    parameters: FloatArray
    curve: tuple[float, ...] = field(repr=False)
    status: str
    n_cells: int

    def generate(self, parents: Any) -> Any:
        """Rows of shape (n, d) from the parents' rows, stacked as (p, n, d)."""
        return make_mixing(self.mixing).mix(self.parameters, parents)


def fit_mixing(
    Z: Any,
    cells: Sequence[CellRows],
    *,
    mixing: str = "scalar",
    divergence: str = "mmd",
    beta: float = 1.0,
    bandwidths: Sequence[float] = (1.0,),
    n_directions: int = 64,
    batch_size: int = 128,
    max_cells: int = 64,
    max_steps: int = 200,
    rng: np.random.Generator,
) -> MixingFit:
    """Fit the parameters of a mixing that the given cells share.

    The loss has several minima, most of which nearly copy one parent, and the mean of the parents lies close
    to a saddle between them. So "scalar" and "diagonal" descend from each parent alone (its weights 1, the
    others 0) as well as from the mean, and take the least loss. Losses that differ by less than 10⁻⁴ of the
    loss at the mean count as equal, and the first is taken, in the order of the parents, then the mean: that
    is a hundred times more than rounding changes, and a hundredth of what another draw of rows changes. Under
    "scalar" the place is then polished by its gradient, so that builds of the linear algebra agree to four
    digits, unless the loss is flat in some direction, as it may be for a single cell. Under "diagonal" a few
    steps from each start choose the one that is finished. "summed" and "linear" have no parameters that give one
    parent alone, since all are summed first, and begin at the mean only.

    Near-equal minima copy different parents: the least loss by itself does not show that one parent suits
    the cells better than another, and rows drawn from all of them may make the better generator.

    Parameters
    ----------
    Z : float array of shape (n, d)
        All training rows, standardised; NumPy, or torch or CuPy on their device.
    cells : sequence of CellRows
        Row numbers of each cell and its parents; cells without rows are passed over.
    mixing : {"scalar", "diagonal", "summed", "linear"}, default="scalar"
        How parents' rows are combined.
    divergence : {"mmd", "energy", "sliced_wasserstein"}, default="mmd"
        What generated rows are held against the cells' rows by.
    beta : float, default=1.0
        Weight of the parents' term, which keeps the rows diverse; at least 0.
    bandwidths : sequence of float
        Widths of the RBF mixture of "mmd".
    n_directions : int, default=64
        Directions of "sliced_wasserstein".
    batch_size : int, default=128
        Rows drawn from each cell and each parent; a smaller cell is taken whole. Above 64 it is rounded down
        to a multiple of 8.
    max_cells : int, default=64
        At most this many cells, drawn by `rng`, enter the loss.
    max_steps : int, default=200
        Bound on the steps of each descent.
    rng : numpy.random.Generator
        Draws the rows.

    Returns
    -------
    MixingFit
        The parameters, in NumPy; the mean of the parents if no cell has rows.

    Raises
    ------
    InputError
        If an option is out of range, cells differ in their number of parents, or rows are not finite.
    """
    form = make_mixing(mixing)
    check_choice("divergence", divergence, DIVERGENCES)
    check_real("beta", beta, 0.0, 1e6)
    check_count("batch_size", batch_size, 2)
    check_count("n_directions", n_directions)
    check_count("max_steps", max_steps)
    check_count("max_cells", max_cells)
    if not cells or len({len(c.parents) for c in cells}) > 1 or not cells[0].parents:
        raise InputError(
            "`cells` must hold at least one cell, and all must have as many parents, at least 1."
        )
    start_of = len(cells[0].parents), Z.shape[1]
    start = form.start(*start_of)
    usable = [c for c in cells if len(c.rows) and all(map(len, c.parents))]
    if not usable:
        return MixingFit(mixing, start, (), "no cell has rows: mean of the parents", 0)
    if len(usable) > max_cells:
        usable = [usable[i] for i in np.sort(rng.choice(len(usable), max_cells, replace=False))]
    draws = [draw_rows(cell, beta, dealable(batch_size), rng) for cell in usable]
    with one_thread():
        losses = _losses(form, start.shape, Z, draws, divergence, bandwidths, n_directions, rng)
        found = minimise(losses, _starts(form, *start_of), max_steps=max_steps)
    return MixingFit(mixing, found.place.reshape(start.shape), tuple(found.curve), found.status, len(usable))


def _starts(form: Mixing, p: int, d: int) -> list[FloatArray]:
    """Each parent alone, in order, then the mean of all: flat, and of one parent once."""
    mean = form.start(p, d)
    return [*(alone.ravel() for alone in form.alone(p, d) if p > 1), mean.ravel()]


def _losses(
    form: Mixing,
    shape: tuple[int, ...],
    Z: Any,
    draws: list[Draw],
    divergence: str,
    bandwidths: Sequence[float],
    n_directions: int,
    rng: np.random.Generator,
) -> list[Loss]:
    """The loss, last, and before it cheaper ones like it on fewer rows, the cheapest first."""
    if divergence == "sliced_wasserstein":
        directions = draw_directions(Z.shape[1], n_directions, rng)
        return [SlicedLoss(form, shape, [Batch.of(Z, draw) for draw in draws], directions)]
    kernel = RBFMixture(tuple(bandwidths)) if divergence == "mmd" else NegativeDistance(_smooth(Z, draws))
    if form.name == "scalar":
        pairs = max(_PAIRS, _PER_COLUMN * Z.shape[1])
        loss = ProductLoss.of(Blocks.of(Z, draws, kernel, pairs=pairs), kernel)
        step = _thinned(loss.blocks)
        return [loss.every(step), loss] if step > 1 else [loss]
    blocks = Blocks.of(Z, draws, kernel, pairs=_MANY_PAIRS)
    parts = [blocks.every(k) for k in _THINNED if blocks.X.shape[0] >= _ENOUGH * k] + [blocks]
    return [KernelLoss(form, shape, part, kernel) for part in parts]


def _thinned(blocks: Blocks) -> int:
    """The k of which every k-th block is enough to show where minima are, as many blocks of each cell; or 1.

    Looking at more than a quarter of them first would save no time.
    """
    g, of_cell = blocks.X.shape[2], blocks.n // blocks.X.shape[2]
    pairs = blocks.T.shape[0] * g * blocks.T.shape[1]
    return max((k for k in range(4, of_cell + 1) if of_cell % k == 0 and pairs >= _FEW_PAIRS * k), default=1)


def _smooth(Z: Any, draws: Sequence[Draw]) -> float:
    """A small part of the parents' rows' root mean square norm."""
    rows = gather(Z, np.concatenate([draw.parents[:, :_SPREAD_ROWS].ravel() for draw in draws]))
    xp = array_namespace(rows)
    return _SMOOTH * float(np.sqrt(float(xp.mean(squared_norms(rows)))))
