"""The least of several minima of a smooth loss, with the help of cheaper losses like it, if any.

Descents on the cheapest loss, one from every start, show where the minima are. Where the loss provides its
curvature, every distinct one is finished on the full loss, and the least is taken: see :mod:`._newton`.
Elsewhere there are many parameters and a descent is costly: a few steps from every start choose the one to
go on from. Losses count in units of what the full one is at the last start; the result is lower than that, or
equal to within `LEFT`. All of it is deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, OptimizeResult, minimize

from fairlattice._validation import FloatArray
from fairlattice.generators._losses import Loss, Place
from fairlattice.generators._newton import End, descend, explore, is_bent, least, polish

_PLAIN = {"ftol": 1e-7, "gtol": 1e-5}
_TRIED = 20  # steps of a quasi-Newton descent that show which start to go on from,
_NEAR = 0.5  # and how far a parameter may move meanwhile: a leap would say nothing about the start
_KEPT = 64  # places that a loss remembers


class Minimum(NamedTuple):
    """Where the loss is least, how it fell, with what no parameter changes, and why it stopped."""

    place: FloatArray
    curve: list[float]
    status: str


def minimise(losses: Sequence[Loss], starts: Sequence[FloatArray], *, max_steps: int) -> Minimum:
    """The least minimum of the last of the losses that `starts` lead to; the others are alike and cheaper.

    The curve begins at the last start.
    """
    *rougher, last = losses
    apart, loss, plain = last.constant(), _Remembered(last), starts[-1]
    at_start = loss(plain).value + apart
    unit = loss.unit = at_start if 0.0 < at_start < np.inf else 1.0
    first = loss(plain)
    cheaper = [_Remembered(rough, unit) for rough in rougher]
    finish = _newton if is_bent(first) else _quasi_newton
    end = finish([*cheaper, loss], starts, max_steps)
    curve = [first.value, *(value for value in end.curve if value < first.value)]
    return Minimum(end.place, [unit * value + apart for value in curve], end.status)


class _Remembered:
    """A loss in some unit, which keeps its latest values."""

    def __init__(self, loss: Loss, unit: float = 1.0) -> None:
        self.unit = unit
        self._at = lru_cache(maxsize=_KEPT)(lambda key: loss(np.frombuffer(key).copy()))

    def __call__(self, place: FloatArray) -> Place:
        value, gradient, hessian = self._at(place.tobytes())
        bent = None if hessian is None else hessian / self.unit
        return Place(value / self.unit, gradient / self.unit, bent)


def _newton(losses: Sequence[_Remembered], starts: Sequence[FloatArray], max_steps: int) -> End:
    """The least minimum, of those that the cheapest loss has near where descents lead."""
    cheapest, loss = losses[0], losses[-1]
    ends = explore(cheapest, starts, max_steps)
    if cheapest is not loss:
        ends = [descend(loss, end.place, max_steps) for end in ends if is_bent(loss(end.place))]
    best = least([*ends, End(starts[-1], loss(starts[-1]), [], "no descent ended lower")])
    return polish(loss, best) if best.curve else best


def _quasi_newton(losses: Sequence[_Remembered], starts: Sequence[FloatArray], max_steps: int) -> End:
    """The end of a descent by values and gradients alone, from the start that promises most."""
    place, plain, loss = starts[-1], starts[-1], losses[-1]
    if len(starts) > 1:
        place = least([_descend(losses[0], start, min(_TRIED, max_steps), _NEAR) for start in starts]).place
    for rough in losses[:-1]:
        place = _descend(rough, place, max_steps).place
    return _descend(loss, place if loss(place).value < loss(plain).value else plain, max_steps)


def _descend(loss: _Remembered, start: FloatArray, max_steps: int, reach: float | None = None) -> End:
    """A descent by L-BFGS, of parameters that move at most so far each."""
    curve = [loss(start).value]

    def note(intermediate_result: OptimizeResult) -> None:
        curve.append(float(intermediate_result.fun))

    def plain(place: FloatArray) -> tuple[float, FloatArray]:
        return loss(place)[:2]

    bounds = None if reach is None else Bounds(start - reach, start + reach)
    options = {"maxiter": max_steps, **_PLAIN}
    found = minimize(plain, start, jac=True, method="L-BFGS-B", bounds=bounds, callback=note, options=options)
    return End(found.x, loss(found.x), curve, str(found.message).lower())
