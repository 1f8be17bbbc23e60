"""Energy distance: MMD² under minus the Euclidean distance, which needs no bandwidth."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from fairlattice.divergences._kernel import NegativeDistance
from fairlattice.divergences._mmd import mmd2
from fairlattice.exceptions import InputError


def energy_distance(X: Any, Y: Any) -> float:
    """Energy distance between two samples; small is close.

    ``2 mean |x - y| - mean |x - x'| - mean |y - y'|``, over all pairs of rows, each row's pair with itself
    included (the V-statistic).

    Parameters
    ----------
    X, Y : float arrays of shape (n, d) and (m, d)
        The samples; NumPy, torch or any array-API arrays.

    Returns
    -------
    float
        At least 0 and without a bound, in the units of the data; 0 for two equal samples, up to rounding.
        Multiplying all rows by c multiplies it by |c|. It is the square of what
        ``scipy.stats.energy_distance`` computes in one dimension.

    Raises
    ------
    InputError
        If a sample has no row, or they differ in their number of columns.

    References
    ----------
    Székely and Rizzo (2013), Energy statistics: a class of statistics based on distances, J. Statistical
    Planning and Inference 143:1249-1272, doi:10.1016/j.jspi.2013.03.018.

    Examples
    --------
    >>> import numpy as np
    >>> energy_distance(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))  # twice the distance
    10.0
    """
    check_samples(X, Y, "Energy distance")
    xp = array_namespace(X, Y)
    # Distances come from products of rows, so rows near 0 round least.
    centre = 0.5 * (xp.mean(X, axis=0) + xp.mean(Y, axis=0))
    return max(0.0, mmd2(X - centre, Y - centre, NegativeDistance()))


def check_samples(X: Any, Y: Any, what: str) -> None:
    """Refuse samples without rows or of different widths."""
    if not min(X.shape[0], Y.shape[0]):
        raise InputError(f"{what} needs at least 1 row in each sample, got {X.shape[0]} and {Y.shape[0]}.")
    if X.shape[1] != Y.shape[1]:
        raise InputError(f"{what} needs samples of as many columns, got {X.shape[1]} and {Y.shape[1]}.")
