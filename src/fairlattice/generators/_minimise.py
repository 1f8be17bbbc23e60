"""Minimising a smooth loss of few parameters: roughly on few rows first, then exactly on all.

A quarter of the rows costs a sixteenth and tells about where the minimum is, and how the loss curves
there. In coordinates in which that curvature is the same in every direction, the full loss is at its
minimum after a handful of evaluations. All of it is deterministic, and the full loss never rises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from fairlattice._validation import FloatArray
from fairlattice.generators._losses import Loss

_FEW = 32  # parameters, up to which the curvature is measured
_STEP = 1e-2  # of its differences: weights are about 1, and single precision is far finer
# In even coordinates half the square of the gradient is what is left to gain: about 1e-7.
_EVEN = {"gtol": 5e-4}
_PLAIN = {"ftol": 1e-7, "gtol": 1e-5}


class Minimum(NamedTuple):
    """Where the loss is least, how it fell, and why it stopped."""

    place: FloatArray
    curve: list[float]
    status: str


def minimise(losses: Sequence[Loss], start: FloatArray, *, max_steps: int, alike: bool) -> Minimum:
    """The minimum of the last of the losses, from `start`; those before it are alike and cheaper.

    Where parameters stand for things `alike`, such as one weight per parent, there are valleys that differ in
    who has which weight: the loss tells whether two had better exchange theirs.
    """
    *rougher, last = losses
    loss, place, few = _Remembered(last), start, len(start) <= _FEW
    curve = [loss(start)[0]]
    scale: FloatArray | None = None  # far off, curvature misleads: the first descent takes plain steps
    for rough in rougher:
        place, _ = _descend(_Remembered(rough), place, scale, max_steps)
        scale = _even_scale(rough, place) if few else None
    if alike and rougher:
        place = _exchanged(loss, place)
    if loss(place)[0] < curve[0]:
        curve.append(loss(place)[0])
    else:
        place = start

    def note(intermediate_result: OptimizeResult) -> None:
        curve.append(float(intermediate_result.fun))

    place, status = _descend(loss, place, scale, max_steps, note)
    return Minimum(place, curve, status)


class _Remembered:
    """A loss that is not computed twice in one place."""

    def __init__(self, loss: Loss) -> None:
        self.loss, self.key, self.found = loss, b"", (0.0, np.zeros(0))

    def __call__(self, place: FloatArray) -> tuple[float, FloatArray]:
        if place.tobytes() != self.key:
            self.key, self.found = place.tobytes(), self.loss(place)
        return self.found


def _exchanged(loss: _Remembered, place: FloatArray) -> FloatArray:
    """The best of a place and of those with two of its entries exchanged."""
    places = [place]
    for i, j in zip(*np.triu_indices(len(place), k=1), strict=True):
        swapped = place.copy()
        swapped[[i, j]] = place[[j, i]]
        places.append(swapped)
    return min(places, key=lambda other: loss(other)[0])


def _even_scale(loss: Loss, place: FloatArray) -> FloatArray:
    """A matrix S such that ``loss(place + S u)`` curves about alike in every direction of u."""
    here = loss(place)[1]
    H = np.stack([loss(place + step)[1] - here for step in _STEP * np.eye(len(place))]) / _STEP
    if not np.isfinite(H).all():
        return np.eye(len(place))
    values, vectors = np.linalg.eigh((H + H.T) / 2.0)
    sizes = np.abs(values)
    sizes = np.maximum(sizes, max(1e-3 * float(sizes.max()), 1e-6))
    return np.asarray(vectors / np.sqrt(sizes), dtype=np.float64)


def _descend(
    loss: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    scale: FloatArray | None,
    max_steps: int,
    callback: Callable[[OptimizeResult], None] | None = None,
) -> tuple[FloatArray, str]:
    """BFGS in the coordinates u of ``start + scale u``, or L-BFGS where there is no scale: where, and why."""

    def scaled(u: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = loss(start + (u if scale is None else scale @ u))
        return value, gradient if scale is None else scale.T @ gradient

    method, options = ("BFGS", _EVEN) if scale is not None else ("L-BFGS-B", _PLAIN)
    found = minimize(
        scaled,
        np.zeros_like(start),
        jac=True,
        method=method,
        callback=callback,
        options={"maxiter": max_steps, **options},
    )
    return start + (found.x if scale is None else scale @ found.x), str(found.message).lower()
