"""Training: mixing parameters that bring generated rows close to the cells they stand for.

For one or several cells that share parameters θ the loss is the mean over cells of

    MMD²(generated, rows of the cell) + β · Σ_i MMD²(generated, rows of parent i),

with its true gradient through every term. Rows are drawn once, so the loss is a smooth,
deterministic function of θ and L-BFGS (from SciPy) minimises it in tens of evaluations, with a
stopping rule instead of a number of steps. Only rows passed in are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from fairlattice._validation import FloatArray, IntArray, check_count, check_real
from fairlattice.divergences import RBFMixture, scored_gradient
from fairlattice.exceptions import InputError
from fairlattice.generators._mixing import Mixing, make_mixing


class CellRows(NamedTuple):
    """Row numbers of one cell and of its parents."""

    rows: IntArray
    parents: tuple[IntArray, ...]


@dataclass(frozen=True)
class MixingFit:
    """A fitted mixing, with the story of its fit.

    Parameters
    ----------
    mixing : str
        Which mixing.
    parameters : float array
        Shape (p,), (p, d) or (d, d).
    curve : tuple of float
        The loss at the start and after every step of the optimiser, non-increasing.
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


class _Batch(NamedTuple):
    parents: FloatArray  # (p, n, d), mixed into rows
    targets: list[tuple[FloatArray, float]]  # what the rows should resemble, with weights


def fit_mixing(
    Z: FloatArray,
    cells: Sequence[CellRows],
    *,
    mixing: str = "scalar",
    beta: float = 1.0,
    bandwidths: Sequence[float] = (1.0,),
    batch_size: int = 128,
    max_cells: int = 64,
    max_steps: int = 200,
    rng: np.random.Generator,
) -> MixingFit:
    """Fit the parameters of a mixing that the given cells share.

    Parameters
    ----------
    Z : float array of shape (n, d)
        All training rows, standardised.
    cells : sequence of CellRows
        Row numbers of each cell and its parents; cells without rows are passed over.
    mixing : {"scalar", "diagonal", "linear"}, default="scalar"
        How parents' rows are combined.
    beta : float, default=1.0
        Weight of the parents' term, which keeps the rows diverse; at least 0.
    bandwidths : sequence of float
        Widths of the RBF mixture.
    batch_size : int, default=128
        Rows drawn from each cell and each parent; a smaller cell is taken whole.
    max_cells : int, default=64
        At most so many cells, drawn by `rng`, enter the loss.
    max_steps : int, default=200
        Bound on the optimiser's steps.
    rng : numpy.random.Generator
        Draws the rows.

    Returns
    -------
    MixingFit
        The parameters; the mean of the parents if no cell has rows.

    Raises
    ------
    InputError
        If an option is out of range or cells differ in their number of parents.
    """
    form = make_mixing(mixing)
    check_real("beta", beta, 0.0, 1e6)
    check_count("batch_size", batch_size, 2)
    check_count("max_steps", max_steps)
    if not cells or len({len(c.parents) for c in cells}) > 1:
        raise InputError("`cells` must hold at least one cell, and all must have as many parents.")
    start = form.start(len(cells[0].parents), Z.shape[1])
    usable = [c for c in cells if len(c.rows) and all(map(len, c.parents))]
    if not usable:
        return MixingFit(mixing, start, (), "no cell has rows: mean of the parents", 0)
    if len(usable) > max_cells:
        usable = [usable[i] for i in np.sort(rng.choice(len(usable), max_cells, replace=False))]
    batches = [_draw_batch(Z, cell, beta, batch_size, rng) for cell in usable]
    kernel = RBFMixture(tuple(bandwidths))
    loss = _Loss(form, batches, kernel, start.shape)
    curve = [loss(start.ravel())[0]]
    result = minimize(
        loss,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=lambda intermediate_result: curve.append(float(intermediate_result.fun)),
        options={"maxiter": max_steps, "ftol": 1e-10, "gtol": 1e-7},
    )
    constant = loss.constant()
    return MixingFit(
        mixing,
        result.x.reshape(start.shape),
        tuple(value + constant for value in curve),
        str(result.message).lower(),
        len(usable),
    )


class _Loss:
    """The loss of one parameter vector, and its gradient."""

    def __init__(
        self, form: Mixing, batches: list[_Batch], kernel: RBFMixture, shape: tuple[int, ...]
    ) -> None:
        self.form, self.batches, self.kernel, self.shape = form, batches, kernel, shape

    def __call__(self, flat: FloatArray) -> tuple[float, FloatArray]:
        parameters = flat.reshape(self.shape)
        total, gradient = 0.0, np.zeros(self.shape)
        for parents, targets in self.batches:
            value, pull = scored_gradient(self.form.mix(parameters, parents), targets, self.kernel)
            total += float(value)
            gradient += self.form.pull_back(pull, parents)
        return total / len(self.batches), gradient.ravel() / len(self.batches)

    def constant(self) -> float:
        """What the targets alone add to the loss, so that the curve reports true MMD²."""
        within = [
            weight * float(np.mean(self.kernel(target, target)))
            for batch in self.batches
            for target, weight in batch.targets
        ]
        return sum(within) / len(self.batches)


def _draw_batch(Z: FloatArray, cell: CellRows, beta: float, size: int, rng: np.random.Generator) -> _Batch:
    """Rows of the cell, rows of each parent to mix, and as many others of each parent to resemble."""
    mixed, targets = [], [(Z[_some(cell.rows, size, rng)], 1.0)]
    for rows in cell.parents:
        mixed.append(Z[rng.choice(rows, size)])
        if beta:
            targets.append((Z[_some(rows, size, rng)], beta))
    return _Batch(np.stack(mixed), targets)


def _some(rows: IntArray, size: int, rng: np.random.Generator) -> IntArray:
    return rows if len(rows) <= size else rng.choice(rows, size, replace=False)
