"""A group against everyone else: the rate of the others, how far apart, and whether that is sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.metrics._distinct import distinct_rows
from fairlattice.metrics._hypergeometric import lower_tail
from fairlattice.metrics._intervals import newcombe_interval, simultaneous_confidence
from fairlattice.metrics._rates import Rates, weighted_rates


@dataclass(frozen=True, eq=False)
class Gaps:
    """How far groups' rates lie from those of everyone else.

    Parameters
    ----------
    compared : int array of shape (k,)
        The groups that have trials, and others that have.
    gap, low, high : float arrays of shape (k,)
        Own rate minus that of the others, with intervals that hold together.
    surely_lower : bool array of shape (k,)
        Where the own rate is lower by an exact test; these too hold together.
    confidence : float
        Of each interval.
    """

    compared: IntArray
    gap: FloatArray
    low: FloatArray
    high: FloatArray
    surely_lower: BoolArray
    confidence: float


def gaps_to_others(own: Rates, rest: Rates, confidence: float) -> Gaps:
    """Of every group that can be compared, how far its rate lies from that of everyone else."""
    compared = np.flatnonzero(own.defined & rest.defined)
    each = simultaneous_confidence(confidence, len(compared))
    mine, others = own.of(compared), rest.of(compared)
    gap, low, high = newcombe_interval(
        (others.successes, others.trials), (mine.successes, mine.trials), confidence=each
    )
    return Gaps(compared, gap, low, high, _surely_lower(mine, others, each), each)


def rates_of_others(
    everyone: Sequence[npt.NDArray[Any]],
    layers: Sequence[npt.NDArray[Any]],
    classes: tuple[Any, ...],
    rate: str,
    positive: Any = None,
) -> Rates:
    """Of every group, the rate of everyone else; `everyone` are the layers of all rows, of shape (1, K, K).

    Effective numbers of weighted rows do not add up, so it is the layers that are subtracted.
    """
    others = [whole - part for whole, part in zip(everyone, layers, strict=True)]
    # Sums of weights leave a rounding error where no row is left.
    clean = [others[0], *(np.where(others[0] > 0, np.maximum(layer, 0.0), 0.0) for layer in others[1:])]
    return weighted_rates(clean, classes, rate, positive)


def _surely_lower(own: Rates, others: Rates, confidence: float) -> BoolArray:
    """Where Fisher's exact test finds a group's rate lower than the others', one-sided at half the error.

    Intervals of differences are approximate, and fail for tiny groups far out in the tails, where the
    share of each of many groups lies; the exact test does not.
    """
    s, n, other_s, other_n = (
        np.rint(a).astype(np.int64) for a in (own.successes, own.trials, others.successes, others.trials)
    )
    tables = (s, n, s + other_s, n + other_n)
    at, place = distinct_rows(*tables)
    sure: BoolArray = lower_tail(*(column[at] for column in tables)) <= (1.0 - confidence) / 2
    return sure[place]
