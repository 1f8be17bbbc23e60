"""Intervals: how sure a rate is, given its successes and trials.

All are closed forms of the counts, so they cost the same for ten rows and for a billion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import betainc, betaincinv, expit, ndtri

from fairlattice._validation import FloatArray, IntArray, NumberArray, check_choice, check_real
from fairlattice.metrics._distinct import distinct_rows

Ends = tuple[FloatArray, FloatArray]
# Probabilities at which the share of differing rows is taken, and their weights: far into both tails.
_POINTS, _STEPS = np.polynomial.legendre.leggauss(64)
_NODES = expit(18.0 * _POINTS)
_WEIGHTS = 18.0 * _STEPS * _NODES * (1.0 - _NODES)
_HALVINGS = 40


def jeffreys_interval(
    successes: NumberArray, trials: NumberArray, *, confidence: float = 0.95, closed: bool = True
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
    s, n, place = _distinct_counts(successes, trials)
    a, b = s + 0.5, n - s + 0.5
    low, high = betaincinv(a, b, tail), betaincinv(a, b, 1.0 - tail)
    if closed:
        low, high = np.where((a == 0.5) & (n > 0), 0.0, low), np.where((b == 0.5) & (n > 0), 1.0, high)
    else:
        low = np.maximum(low, np.finfo(float).tiny)
    return low[place], high[place]


def wilson_interval(successes: NumberArray, trials: NumberArray, *, confidence: float = 0.95) -> Ends:
    """Wilson's score interval of a rate; with no trials it is [0, 1].

    The rates p with ``|s/n - p| <= z sqrt(p (1 - p) / n)``. Parameters and result as in
    :func:`jeffreys_interval`.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, Journal of the
    American Statistical Association 22:209-212, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> low, high = wilson_interval(np.array([5]), np.array([10]))
    >>> print(low.round(3), high.round(3))
    [0.237] [0.763]
    """
    z = -ndtri((1.0 - check_real("confidence", confidence, 0.0, 1.0, open_ends=True)) / 2)
    s, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    centre = (s + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * np.sqrt(s * (n - s) / np.maximum(n, 1e-300) + z * z / 4)
    low, high = np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
    return np.where(s <= 0, 0.0, low), np.where(s >= n, 1.0, high)


def clopper_pearson_interval(
    successes: NumberArray, trials: NumberArray, *, confidence: float = 0.95
) -> Ends:
    """Clopper and Pearson's exact interval of a rate: it covers at least as often as stated, for any rate.

    From ``Beta(s, n - s + 1)`` to ``Beta(s + 1, n - s)``; with no trials it is [0, 1]. Parameters and
    result as in :func:`jeffreys_interval`.

    References
    ----------
    Clopper & Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the
    binomial, Biometrika 26:404-413, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> low, high = clopper_pearson_interval(np.array([5]), np.array([10]))
    >>> print(low.round(3), high.round(3))
    [0.187] [0.813]
    """
    tail = (1.0 - check_real("confidence", confidence, 0.0, 1.0, open_ends=True)) / 2
    s, n, place = _distinct_counts(successes, trials)
    low = betaincinv(np.maximum(s, 1e-9), n - s + 1, tail)
    high = betaincinv(s + 1, np.maximum(n - s, 1e-9), 1.0 - tail)
    return np.where(s <= 0, 0.0, low)[place], np.where(s >= n, 1.0, high)[place]


INTERVALS: dict[str, Callable[..., Ends]] = {
    "jeffreys": jeffreys_interval,
    "wilson": wilson_interval,
    "clopper-pearson": clopper_pearson_interval,
}
"""Intervals of a rate by name."""


def rate_interval(
    successes: NumberArray, trials: NumberArray, *, confidence: float = 0.95, method: str = "jeffreys"
) -> Ends:
    """Interval of a rate by the method called so; see :data:`INTERVALS`."""
    return INTERVALS[check_choice("interval", method, tuple(INTERVALS))](
        successes, trials, confidence=confidence
    )


def paired_interval(
    lost: IntArray, gained: IntArray, trials: IntArray, *, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Difference of two models' rates on the same rows, with an interval that rests on where they differ.

    Of n rows, b succeed under the first model only and c under the second only, so the difference is
    ``(c - b) / n = d (2θ - 1)`` with ``d = (b + c) / n`` the share of rows on which they differ and θ the
    share of these that the second model wins. The interval combines the exact (Clopper-Pearson)
    distribution of θ with Jeffreys' of d. It lies on one side of 0 exactly when the exact McNemar test
    rejects, so it claims a change that is none no more often than stated, for any number of rows.

    Parameters
    ----------
    lost, gained, trials : int arrays of shape (m,)
        b, c and n, with ``b + c <= n`` and n above 0.
    confidence : float, default=0.95
        In (0, 1).
    interval : {"jeffreys", "wilson", "clopper-pearson"}, default="jeffreys"
        Of either rate. Clopper and Pearson's is the safe one far out in the tails, where many are tested.

    Returns
    -------
    difference, low, high : float arrays of shape (m,)
        In [-1, 1]; above 0 is a gain.

    References
    ----------
    McNemar (1947), Note on the sampling error of the difference between correlated proportions or
    percentages, Psychometrika 12:153-157, doi:10.1007/BF02295996.

    Examples
    --------
    >>> difference, low, high = paired_interval(np.array([12, 3]), np.array([2, 3]), np.array([50, 50]))
    >>> print(difference, low.round(3), high.round(3))
    [-0.2  0. ] [-0.346 -0.117] [-0.038  0.117]
    """
    tail = (1.0 - check_real("confidence", confidence, 0.0, 1.0, open_ends=True)) / 2
    at, place = distinct_rows(lost, gained, trials)
    b, c, n = np.stack([lost, gained, trials])[:, at].astype(np.float64)
    low = _product_quantile(c, b + 1, b + c, n, tail)
    high = -_product_quantile(b, c + 1, b + c, n, tail)
    difference = (c - b) / n
    low, high = np.minimum(low, difference), np.maximum(high, difference)
    return difference[place], low[place], high[place]


def _product_quantile(
    wins: FloatArray, losses: FloatArray, differ: FloatArray, n: FloatArray, tail: float
) -> FloatArray:
    """Where ``d (2θ - 1)`` has probability `tail` below it, by bisection.

    θ is Beta(wins, losses), or 0 for certain where nothing was won; d is Jeffreys' posterior.
    """
    share = betaincinv(differ[:, None] + 0.5, (n - differ)[:, None] + 0.5, _NODES)
    low, high = np.full(len(n), -1.0), np.ones(len(n))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        theta = np.clip((middle[:, None] / share + 1) / 2, 0.0, 1.0)
        below = np.where(
            wins[:, None] > 0,
            betainc(np.maximum(wins, 0.5)[:, None], losses[:, None], theta),
            middle[:, None] >= -share,
        ) @ (_WEIGHTS / _WEIGHTS.sum())
        low, high = np.where(below < tail, middle, low), np.where(below < tail, high, middle)
    # The sign is the exact test's, which the share of differing rows has no say in.
    exact = np.where(wins > 0, betainc(np.maximum(wins, 0.5), losses, 0.5), 1.0)
    nothing_won = -betaincinv(differ + 0.5, n - differ + 0.5, 1.0 - tail)
    middle = np.where(wins > 0, (low + high) / 2, nothing_won)
    quantile: FloatArray = np.where(exact < tail, np.maximum(middle, 1e-12), np.minimum(middle, 0.0))
    return quantile


def newcombe_interval(
    before: tuple[NumberArray, NumberArray],
    after: tuple[NumberArray, NumberArray],
    *,
    confidence: float = 0.95,
    interval: str = "jeffreys",
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Difference of two independent rates, after - before, with its interval.

    Newcombe's square-and-add construction over intervals of either rate. Two models on the same
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
    l1, u1 = rate_interval(*before, method=interval, confidence=confidence)
    l2, u2 = rate_interval(*after, method=interval, confidence=confidence)
    difference: FloatArray = p2 - p1
    # At very low confidence a Jeffreys interval need not hold the rate itself.
    below, above = np.maximum([p1 - l1, p2 - l2], 0.0), np.maximum([u1 - p1, u2 - p2], 0.0)
    low = difference - np.hypot(below[1], above[0])
    high = difference + np.hypot(above[1], below[0])
    return difference, np.maximum(low, -1.0), np.minimum(high, 1.0)


def ratio_interval(
    own: tuple[NumberArray, NumberArray], other: tuple[NumberArray, NumberArray], *, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ratio of two independent rates, own / other, with its interval.

    Zou and Donner's construction on the logarithmic scale over exact (Clopper-Pearson) intervals of either rate,
    around smoothed rates, so that it is finite where nothing succeeded.

    Parameters
    ----------
    own, other : pairs of arrays of shape (m,)
        Successes and trials, every trial count above 0.
    confidence : float, default=0.95
        In (0, 1).

    Returns
    -------
    ratio, low, high : float arrays of shape (m,)
        At least 0; the ratio is NaN and its upper end infinity where nothing succeeded in `other`.

    References
    ----------
    Zou & Donner (2008), Construction of confidence limits about effect measures: a general approach,
    Statistics in Medicine 27:1693-1702, doi:10.1002/sim.3095.

    Examples
    --------
    >>> ratio, low, high = ratio_interval((np.array([30]), np.array([100])), (np.array([60]), np.array([100])))
    >>> print(ratio, low.round(2), high.round(2))
    [0.5] [0.34] [0.71]
    """
    (s1, n1), (s2, n2) = (
        (np.asarray(s, dtype=np.float64), np.asarray(n, dtype=np.float64)) for s, n in (own, other)
    )
    ratio = np.full(len(s1), np.nan)
    np.divide(s1 / n1, s2 / n2, out=ratio, where=s2 > 0)
    low, high = log_ratio_ends(log_ends(s1, n1, confidence), log_ends(s2, n2, confidence))
    low, high = np.where(s1 > 0, low, 0.0), np.where(s2 > 0, high, np.inf)
    return ratio, np.fmin(low, ratio), np.fmax(high, ratio)


def _distinct_counts(
    successes: NumberArray, trials: NumberArray
) -> tuple[NumberArray, NumberArray, IntArray]:
    """The distinct pairs of successes and trials, and the position of every rate's own; quantiles take long."""
    s, n = np.broadcast_arrays(successes, trials)
    at, place = distinct_rows(s.reshape(-1), n.reshape(-1))
    return s.reshape(-1)[at], n.reshape(-1)[at], place.reshape(s.shape)


def log_ends(
    successes: NumberArray, trials: NumberArray, confidence: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logarithms of smoothed rates, and of the ends of their exact intervals."""
    low, high = clopper_pearson_interval(successes, trials, confidence=confidence)
    tiny = np.finfo(float).tiny
    middle = np.log((np.asarray(successes, dtype=np.float64) + 0.5) / (np.asarray(trials) + 1.0))
    # A smoothed rate may lie just outside an exact interval that ends at 0 or 1.
    return (
        middle,
        np.minimum(np.log(np.maximum(low, tiny)), middle),
        np.maximum(np.log(np.maximum(high, tiny)), middle),
    )


def log_ratio_ends(own: tuple[Any, Any, Any], other: tuple[Any, Any, Any]) -> tuple[FloatArray, FloatArray]:
    """Ends of the interval of a ratio of rates, of which each is given by :func:`log_ends`."""
    (m1, l1, u1), (m2, l2, u2) = own, other
    low: FloatArray = np.exp(np.minimum(m1 - m2 - np.hypot(m1 - l1, u2 - m2), 700.0))
    high: FloatArray = np.exp(np.minimum(m1 - m2 + np.hypot(u1 - m1, m2 - l2), 700.0))
    return low, high


def simultaneous_confidence(confidence: float, n_groups: int) -> float:
    """Confidence of each interval for all of `n_groups` independent ones to hold together (Šidák).

    Examples
    --------
    >>> round(simultaneous_confidence(0.95, 10), 4)
    0.9949
    """
    return float(confidence ** (1.0 / max(n_groups, 1)))
