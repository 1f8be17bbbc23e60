"""Intervals: how sure a rate is, given its successes and trials.

All are closed forms of the counts, so they cost the same for ten rows and for a billion.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv

from fairlattice._validation import FloatArray, IntArray, check_real


def jeffreys_interval(
    successes: IntArray | FloatArray, trials: IntArray, *, confidence: float = 0.95, closed: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Equal-tailed interval of a rate under Jeffreys' prior, Beta(½, ½).

    Parameters
    ----------
    successes, trials : arrays of shape (m,)
        The counts; with no trials the interval is that of the prior, nearly [0, 1]. Successes need not
        be whole: a trial may succeed in part.
    confidence : float, default=0.95
        In (0, 1).
    closed : bool, default=True
        Let the interval reach 0 where nothing succeeded and 1 where nothing failed, which keeps
        its coverage up at the ends. Otherwise its ends stay inside (0, 1), so that logarithms
        of them are finite.

    Returns
    -------
    low, high : float arrays of shape (m,)
        Ends of the interval, in [0, 1].

    Raises
    ------
    InputError
        If `confidence` is not in (0, 1).

    References
    ----------
    Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion,
    Statistical Science 16(2):101-133, doi:10.1214/ss/1009213286.

    Examples
    --------
    >>> low, high = jeffreys_interval(np.array([0, 5]), np.array([5, 10]))
    >>> print(low.round(3), high.round(3))
    [0.    0.224] [0.379 0.776]
    """
    tail = (1.0 - check_real("confidence", confidence, 0.0, 1.0, open_ends=True)) / 2
    a, b = np.asarray(successes) + 0.5, np.asarray(trials) - np.asarray(successes) + 0.5
    low, high = betaincinv(a, b, tail), betaincinv(a, b, 1.0 - tail)
    if not closed:
        tiny = np.finfo(float).tiny
        return np.maximum(low, tiny), high
    empty = np.asarray(trials) == 0
    return (
        np.where((a == 0.5) & ~empty, 0.0, low),
        np.where((b == 0.5) & ~empty, 1.0, high),
    )


def newcombe_interval(
    before: tuple[IntArray | FloatArray, IntArray],
    after: tuple[IntArray | FloatArray, IntArray],
    *,
    confidence: float = 0.95,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Difference of two independent rates, after - before, with its interval.

    Newcombe's square-and-add construction over Jeffreys intervals. Two models judged on the same
    rows are positively correlated as a rule, so there it errs on the side of caution.

    Parameters
    ----------
    before, after : pairs of int arrays of shape (m,)
        Successes and trials, every trial count above 0.
    confidence : float, default=0.95
        In (0, 1).

    Returns
    -------
    difference, low, high : float arrays of shape (m,)
        In [-1, 1]; above 0 is a gain.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17:873-890.
    """
    p1, p2 = (np.asarray(s, dtype=np.float64) / np.asarray(n) for s, n in (before, after))
    l1, u1 = jeffreys_interval(*before, confidence=confidence)
    l2, u2 = jeffreys_interval(*after, confidence=confidence)
    difference: FloatArray = p2 - p1
    # At very low confidence a Jeffreys interval need not hold the rate itself.
    below, above = np.maximum([p1 - l1, p2 - l2], 0.0), np.maximum([u1 - p1, u2 - p2], 0.0)
    low = difference - np.hypot(below[1], above[0])
    high = difference + np.hypot(above[1], below[0])
    return difference, np.maximum(low, -1.0), np.minimum(high, 1.0)


def simultaneous_confidence(confidence: float, n_groups: int) -> float:
    """Confidence of each interval for all of `n_groups` independent ones to hold together (Šidák).

    Examples
    --------
    >>> round(simultaneous_confidence(0.95, 10), 4)
    0.9949
    """
    return float(confidence ** (1.0 / max(n_groups, 1)))
