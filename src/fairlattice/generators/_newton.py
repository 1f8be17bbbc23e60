"""Newton descents that rounding does not steer.

A step is ``-|H|⁻¹ g``: Newton's step where the loss curves upwards, a step away from the saddle where it
curves downwards. It is a continuous function of the gradient, so other last digits of the gradient change
only last digits of the path. Trust-region solvers that add a null vector of either sign, where the gradient
hardly says which, take another path with another build of the linear algebra.

Close to a saddle the last digits would decide which side a descent leaves by, so both sides are descended.
Losses that differ by less than `LEFT` count as equal, and the first of them is taken. The minimum taken is
then polished by the gradient, which gives the place to more digits than the loss does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from fairlattice._validation import FloatArray
from fairlattice.generators._losses import Place

LEFT = 1e-4
"""A difference too small to descend for, or to choose a minimum by; the loss at the mean of parents is 1.

It lies a hundred times above the rounding of single precision, and a hundred times below what another draw of
rows changes.
"""

_REACH = 0.5  # the longest step: a weight of 1 is a whole parent
_FALL = 1e-4  # of what the slope promises that a step has to gain
_HALVINGS = 20  # of a step before it is given up
_FLAT = 1e-3  # of the steepest curvature: what curves less counts as curving so much
_DOWN = 1e-2  # of the steepest curvature: what curves downwards by more is a saddle
_ASIDE = 0.1  # how far from a saddle its sides begin
_SAME = 0.05  # ends whose weights all differ by less are one
_DESCENTS = 3  # at most this number per start, those from sides of saddles included
_POLISH, _ENOUGH = 8, 1e-12  # steps at most, and what they leave to gain: six digits of the place

Function = Callable[[FloatArray], Place]


class End(NamedTuple):
    """Where a descent ended, what the loss is there, how it fell, and why it stopped."""

    place: FloatArray
    here: Place
    curve: list[float]
    status: str


def is_bent(here: Place) -> bool:
    """Whether the loss gives its curvature there, in finite numbers."""
    return here.hessian is not None and bool(np.isfinite(here.hessian).all())


def explore(loss: Function, starts: Sequence[FloatArray], max_steps: int) -> list[End]:
    """The distinct ends of descents from `starts`, in order, and from both sides of saddles they end in."""
    ends: list[End] = []
    waiting, most = [start for start in starts if is_bent(loss(start))], _DESCENTS * len(starts)
    while waiting and most:
        most -= 1
        end = descend(loss, waiting.pop(0), max_steps)
        if all(float(np.max(np.abs(end.place - other.place))) > _SAME for other in ends):
            ends.append(end)
            waiting += [side for side in _sides(end) if is_bent(loss(side))]
    return ends


def least(ends: Sequence[End]) -> End:
    """The first end whose loss is within `LEFT` of the least, so that rounding does not choose."""
    bound = min(end.here.value for end in ends) + LEFT
    return next(end for end in ends if end.here.value <= bound)


def descend(loss: Function, place: FloatArray, max_steps: int) -> End:
    """Where Newton steps from `place` end; the loss never rises."""
    here = loss(place)
    curve = [here.value]
    for _ in range(max_steps):
        if _left(here) < LEFT:
            return End(place, here, curve, "too little was left to gain")
        step = _step(here)
        step *= min(1.0, _REACH / float(np.linalg.norm(step)))
        promised = _FALL * float(step @ here.gradient)
        for _ in range(_HALVINGS):
            there = loss(place + step)
            if there.value <= here.value + promised and is_bent(there):
                break
            step, promised = step / 2.0, promised / 2.0
        else:
            return End(place, here, curve, "no step gained more than rounding")
        place, here = place + step, there
        curve.append(here.value)
    return End(place, here, curve, "as many steps as were allowed")


def polish(loss: Function, end: End) -> End:
    """The minimum to as many digits as the gradient gives.

    The loss is not compared: its changes are smaller than its rounding.
    """
    place, here, curve, status = end
    for _ in range(_POLISH):
        if _left(here) < _ENOUGH:
            break
        next_place = place + _step(here)
        there = loss(next_place)
        if not (is_bent(there) and _left(there) < 0.5 * _left(here) < LEFT):
            break
        place, here = next_place, there
    return End(place, here, [*curve, here.value] if here.value < curve[-1] else curve, status)


def _sides(end: End) -> list[FloatArray]:
    """Places on both sides of a saddle, along what curves downwards most; none of a minimum."""
    values, vectors = np.linalg.eigh(np.asarray(end.here.hessian))
    if values[0] >= -_DOWN * np.max(np.abs(values)):
        return []
    axis = vectors[:, 0] * np.sign(vectors[np.argmax(np.abs(vectors[:, 0])), 0])
    return [end.place + _ASIDE * axis, end.place - _ASIDE * axis]


def _curvature(H: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How much a Hessian curves along its axes, whichever way, at least a little; and the axes."""
    values, vectors = np.linalg.eigh(H)
    sizes = np.abs(values)
    return np.maximum(sizes, max(_FLAT * float(sizes.max()), 1e-6)), vectors


def _step(here: Place) -> FloatArray:
    """``-|H|⁻¹ g``."""
    sizes, vectors = _curvature(np.asarray(here.hessian))
    return -vectors @ ((vectors.T @ here.gradient) / sizes)


def _left(here: Place) -> float:
    """What such a step would gain."""
    sizes, vectors = _curvature(np.asarray(here.hessian))
    return 0.5 * float(np.sum((vectors.T @ here.gradient) ** 2 / sizes))
