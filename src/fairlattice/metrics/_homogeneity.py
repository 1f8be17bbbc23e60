"""Is there any disparity at all? Pearson's χ² with its exact conditional moments.

The textbook χ² distribution is wrong for groups of one to five, which is what intersections are.
Given the margins of the table, the mean and the variance of Pearson's statistic are known exactly
for every size, and a gamma distribution with these two costs one pass over the groups. Where successes
or failures are so few that the statistic takes few values, tables with these margins are drawn instead.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaincc

from fairlattice._validation import FloatArray
from fairlattice.metrics._rates import Rates

_FEW = 100  # successes or failures in all
_DRAWS = 1999


def homogeneity_test(rates: Rates) -> float:
    """P-value of "all groups have the same rate"; small speaks against it.

    Parameters
    ----------
    rates : Rates
        Successes and trials of every group; groups without trials say nothing.

    Returns
    -------
    float
        In [0, 1]; 1 where nothing could differ: fewer than two groups, or no success or no failure.

    Notes
    -----
    Given how many successes there are in all, ``X² = Σ (s_g - n_g s/n)² / (n_g (s/n) (1 - s/n))`` has
    mean ``(m - 1) n / (n - 1)`` and a variance that Dawson gives in closed form. The p-value is the upper
    tail of the gamma distribution with these moments.

    References
    ----------
    Dawson (1954), A simplified expression for the variance of the χ²-function on a contingency table,
    Biometrika 41(1-2):280, doi:10.1093/biomet/41.1-2.280. Haldane (1940), Biometrika 31:346-355.

    Examples
    --------
    >>> round(homogeneity_test(Rates(np.array([80, 40]), np.array([100, 100]))), 6)
    0.0005
    >>> homogeneity_test(Rates(np.array([1, 0]), np.array([1, 1])))  # two people differ, and prove nothing
    1.0
    """
    known = rates.defined
    few = min(float(rates.successes.sum()), float((rates.trials - rates.successes).sum()))
    if 0 < few < _FEW and rates.trials.sum() < 10**9:
        return _drawn_test(rates.of(np.flatnonzero(known)))
    s, n = np.asarray(rates.successes, dtype=float)[known], np.asarray(rates.trials, dtype=float)[known]
    return table_test(np.column_stack([s, n - s]))


def _drawn_test(rates: Rates) -> float:
    """The test's p-value from drawn tables with the same margins; exact up to the number of draws."""
    n = np.rint(rates.trials).astype(np.int64)
    s = np.minimum(np.rint(rates.successes).astype(np.int64), n)
    if len(n) < 2 or not 0 < s.sum() < n.sum():
        return 1.0
    drawn = np.random.default_rng(0).multivariate_hypergeometric(
        n, int(s.sum()), size=_DRAWS, method="marginals"
    )
    # With margins given, Pearson's statistic grows with this sum alone.
    least = (s**2 / n).sum() * (1 - 1e-12)
    return float((1 + ((drawn**2 / n).sum(axis=1) >= least).sum()) / (1 + _DRAWS))


def table_test(table: FloatArray) -> float:
    """P-value of "rows and columns are independent" for a table of counts of shape (r, c)."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, c, n = *table.shape, float(table.sum())
    if min(r, c) < 2 or n <= 3:
        return 1.0
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    expected = np.outer(rows, columns) / n
    statistic = float(((table - expected) ** 2 / expected).sum())
    mean = (r - 1) * (c - 1) * n / (n - 1)
    (mu_r, tau_r), (mu_c, tau_c) = (_margin(m, n) for m in (rows, columns))
    variance = 2 * n / (n - 3) * (mu_r - tau_r) * (mu_c - tau_c) + n * n / (n - 1) * tau_r * tau_c
    if not variance > 1e-9 * mean * mean:  # the margins leave one value only
        return 1.0
    return float(gammaincc(mean * mean / variance, statistic * mean / variance))


def _margin(sizes: FloatArray, n: float) -> tuple[float, float]:
    """What one margin contributes: as if all its classes were alike, and how unlike they are."""
    k = len(sizes)
    return (k - 1) * (n - k) / (n - 1), float(n * (1 / sizes).sum() - k * k) / (n - 2)


def either(p_values: list[float]) -> float:
    """P-value of several independent ones together (Šidák): is any of them real?"""
    least = min(p_values, default=1.0)
    return float(-math.expm1(len(p_values) * math.log1p(-least))) if least < 1.0 else 1.0
