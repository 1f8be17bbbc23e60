"""Minimising a smooth loss, after cheaper ones like it, if any, that tell about where the minimum is.

Where the loss tells its curvature, a few Newton steps within a trusted distance end each descent; elsewhere a
quasi-Newton method does. Losses count in units of what the full one is at the start. All of it is
deterministic, and the full loss never rises.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from fairlattice._validation import FloatArray
from fairlattice.generators._losses import Loss, Place

_LEFT = 1e-4  # too little left to gain to go on for, far below what drawing other rows changes
_PLAIN = {"ftol": 1e-7, "gtol": 1e-5}


class Minimum(NamedTuple):
    """Where the loss is least, how it fell, with what no parameter changes, and why it stopped."""

    place: FloatArray
    curve: list[float]
    status: str


def minimise(losses: Sequence[Loss], start: FloatArray, *, max_steps: int) -> Minimum:
    """The minimum of the last of the losses, from `start`; those before it are alike and cheaper."""
    *rougher, last = losses
    apart, loss, place = last.constant(), _Remembered(last), start
    at_start = loss(start).value + apart
    unit = loss.unit = at_start if 0.0 < at_start < np.inf else 1.0
    curve = [loss(start).value]
    for rough in rougher:
        place, _ = _descend(_Remembered(rough, unit), place, max_steps, [])
    if loss(place).value < curve[0]:
        curve.append(loss(place).value)
    else:
        place = start
    place, status = _descend(loss, place, max_steps, curve)
    return Minimum(place, [unit * value + apart for value in curve], status)


class _Remembered:
    """A loss in some unit, not computed again in the last two places: one may be a step not taken."""

    def __init__(self, loss: Loss, unit: float = 1.0) -> None:
        self.unit = unit
        self._at = lru_cache(maxsize=2)(lambda key: loss(np.frombuffer(key).copy()))

    def __call__(self, place: FloatArray) -> Place:
        value, gradient, hessian = self._at(place.tobytes())
        bent = None if hessian is None else hessian / self.unit
        return Place(value / self.unit, gradient / self.unit, bent)


def _descend(
    loss: _Remembered, start: FloatArray, max_steps: int, curve: list[float]
) -> tuple[FloatArray, str]:
    """Where a descent ends, and why; it writes down how the loss falls."""
    H = loss(start).hessian
    if H is None or not np.isfinite(H).all():
        return _quasi_newton(loss, start, max_steps, curve)
    return _newton(loss, start, H, max_steps, curve)


def _quasi_newton(
    loss: _Remembered, start: FloatArray, max_steps: int, curve: list[float]
) -> tuple[FloatArray, str]:
    """A descent by values and gradients alone."""

    def note(intermediate_result: OptimizeResult) -> None:
        curve.append(float(intermediate_result.fun))

    def plain(place: FloatArray) -> tuple[float, FloatArray]:
        return loss(place)[:2]

    options = {"maxiter": max_steps, **_PLAIN}
    found = minimize(plain, start, jac=True, method="L-BFGS-B", callback=note, options=options)
    return found.x, str(found.message).lower()


def _newton(
    loss: _Remembered, start: FloatArray, H: FloatArray, max_steps: int, curve: list[float]
) -> tuple[FloatArray, str]:
    """A descent by curvature too, in coordinates u of ``start + S u`` that curve alike at the start."""
    sizes, vectors = _curvature(H)
    S = vectors / np.sqrt(sizes)

    def at(u: FloatArray) -> Place:
        return loss(start + S @ u)

    def bent(u: FloatArray) -> Any:
        return np.linalg.multi_dot([S.T, np.asarray(at(u).hessian), S])

    def note(intermediate_result: OptimizeResult) -> None:
        here = at(intermediate_result.x)
        curve.append(here.value)
        if _left(here) < _LEFT:
            raise StopIteration

    found = minimize(
        lambda u: at(u).value,
        np.zeros_like(start),
        jac=lambda u: S.T @ at(u).gradient,
        hess=bent,
        method="trust-exact",
        callback=note,
        options={"maxiter": max_steps, "gtol": 1e-6},
    )
    place = start + S @ found.x
    ended = found.success or _left(loss(place)) < _LEFT
    return place, "too little was left to gain" if ended else str(found.message).lower()


def _curvature(H: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How much a Hessian curves along its axes, whichever way, at least a little; and the axes."""
    values, vectors = np.linalg.eigh(H)
    sizes = np.abs(values)
    return np.maximum(sizes, max(1e-3 * float(sizes.max()), 1e-6)), vectors


def _left(here: Place) -> float:
    """What a Newton step would gain."""
    sizes, vectors = _curvature(np.asarray(here.hessian))
    return 0.5 * float(np.sum((vectors.T @ here.gradient) ** 2 / sizes))
