"""Squared maximum mean discrepancy between two samples, and its gradient.

MMD²(X, Y) = mean k(x, x') - 2 mean k(x, y) + mean k(y, y'). It is 0 where the two samples have the
same distribution and grows as they part. The gradient is a few matrix products.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from fairlattice.divergences._kernel import Kernel
from fairlattice.exceptions import InputError


def mmd2(X: Any, Y: Any, kernel: Kernel, *, unbiased: bool = False) -> float:
    """Squared maximum mean discrepancy; small is close.

    Parameters
    ----------
    X, Y : float arrays of shape (n, d) and (m, d)
        The samples; NumPy, torch or any array-API arrays.
    kernel : RBFMixture or NegativeDistance
        The kernel.
    unbiased : bool, default=False
        Leave out each row's pair with itself (the U-statistic, which may be below 0). By default
        the V-statistic, which is at least 0, and 0 for two equal samples, up to rounding. Under an
        `RBFMixture` it is at most 2; under a `NegativeDistance` it is the energy distance.

    Returns
    -------
    float
        MMD², in units of the kernel.

    Raises
    ------
    InputError
        If a sample has no row, or fewer than two where `unbiased`.

    References
    ----------
    Gretton et al. (2012), A kernel two-sample test, JMLR 13:723-773.

    Examples
    --------
    >>> import numpy as np
    >>> from fairlattice.divergences import RBFMixture
    >>> x, y = np.array([[0.0]]), np.array([[2.0]])
    >>> round(mmd2(x, y, RBFMixture((1.0,))), 4)  # 2 - 2 exp(-2)
    1.7293
    """
    least = 2 if unbiased else 1
    if min(X.shape[0], Y.shape[0]) < least:
        raise InputError(
            f"MMD² needs at least {least} rows in each sample, got {X.shape[0]} and {Y.shape[0]}."
        )
    xp = array_namespace(X, Y)
    within = [_mean_within(kernel(S, S), unbiased, xp) for S in (X, Y)]
    return float(within[0] + within[1] - 2.0 * xp.mean(kernel(X, Y)))


def mmd2_gradient(X: Any, Y: Any, kernel: Kernel) -> tuple[Any, Any]:
    """The part of MMD²(X, Y) that depends on X, and its gradient with respect to every row of X.

    Parameters
    ----------
    X, Y : float arrays of shape (n, d) and (m, d)
        The moving sample and its fixed target.
    kernel : RBFMixture or NegativeDistance
        The kernel.

    Returns
    -------
    value : scalar array
        ``mean k(x, x') - 2 mean k(x, y)``; add ``mean k(y, y')``, a constant, for the V-statistic.
    gradient : float array of shape (n, d)
        ``∂ value / ∂X``.
    """
    xp = array_namespace(X)
    n, m = X.shape[0], Y.shape[0]
    K, W = kernel.with_weights(X, X)
    value, gradient = xp.mean(K), (-2.0 / n**2) * _pull(W, X, X, xp)
    K, W = kernel.with_weights(X, Y)
    return value - 2.0 * xp.mean(K), gradient + (2.0 / (n * m)) * _pull(W, X, Y, xp)


def _pull(W: Any, X: Any, Y: Any, xp: Any) -> Any:
    """``Σ_b W_ab (x_a - y_b)`` for every row a."""
    return xp.sum(W, axis=1)[:, None] * X - W @ Y


def _mean_within(K: Any, unbiased: bool, xp: Any) -> Any:
    n = K.shape[0]
    if not unbiased:
        return xp.mean(K)
    return (xp.sum(K) - xp.sum(xp.linalg.diagonal(K))) / (n * (n - 1))
