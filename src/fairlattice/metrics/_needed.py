"""How many rows would be enough: a range, and only where the number means something."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from scipy.special import ndtri

_MOST = 20.0  # times the rows at hand: beyond, no realistic amount would be enough
LEAST_ROWS = 10  # with fewer, widths do not shrink as the root of the rows, and the estimate is chance
_NINE_IN_TEN = float(ndtri(0.9))


@dataclass(frozen=True, slots=True)
class Needed:
    """About how many rows would be enough, if the figure stays what it is.

    Parameters
    ----------
    low, high : int
        Rows with which the chances of a clear answer are even, and nine in ten. Rows are those that the rate is about.
    difference : float
        The difference that they would show.
    """

    low: int
    high: int
    difference: float


def rows_needed(
    estimate: float, low: float, high: float, limit: float, n: float, confidence: float = 0.95
) -> Needed | None:
    """Rows that move an interval off a limit; None where it is off, or where the number would mean nothing.

    The width of an interval shrinks as one over the root of its rows. A number is given only where there are at least
    10 rows, and where 20 times as many would do.

    Parameters
    ----------
    estimate, low, high : float
        The figure and its interval.
    limit : float
        What it is compared with.
    n : float
        Rows behind it.
    confidence : float, default=0.95
        Of the interval.

    Examples
    --------
    >>> rows_needed(-0.1, -0.25, 0.05, 0.0, 100)  # the half-width of .15 must come down to .1, and more for nine in ten
    Needed(low=230, high=620, difference=-0.1)
    >>> rows_needed(-0.01, -0.2, 0.2, 0.0, 100) is None
    True
    """
    gap = estimate - limit
    if low > limit or high < limit or n < LEAST_ROWS or gap == 0.0:
        return None
    half = estimate - low if gap > 0 else high - estimate
    z = _normal_end(confidence)
    even = (half / abs(gap)) ** 2
    sure = even * (1.0 + _NINE_IN_TEN / z) ** 2
    if not 1.0 <= sure <= _MOST:
        return None
    return Needed(round_up(max(even * n, n + 1)), round_up(sure * n), gap)


@lru_cache(maxsize=64)
def _normal_end(confidence: float) -> float:
    """Upper end of a standard normal's interval."""
    return float(ndtri((1.0 + confidence) / 2))


def round_up(value: float) -> int:
    """The least number of two significant digits that is not below `value`."""
    step = 10 ** max(math.floor(math.log10(max(value, 1.0))) - 1, 0)
    return int(math.ceil(value / step) * step)
