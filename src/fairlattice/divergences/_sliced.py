"""Sliced Wasserstein distance: squared optimal transport along fixed directions, by sorting.

In one dimension the cheapest transport joins equal quantiles. With b_i the mean of the target's quantile
function over ((i-1)/n, i/n), the squared 2-Wasserstein distance from sorted x_1 … x_n to a target is

    mean (x_i - b_i)² + what the target varies within those intervals, a constant,

so that its gradient is 2 (x_i - b_i) / n. Weighted targets add up to one: their b is the weighted mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from fairlattice._validation import FloatArray, check_count
from fairlattice.divergences._energy import check_samples


def sliced_wasserstein(X: Any, Y: Any, *, n_directions: int = 100, rng: np.random.Generator) -> float:
    """Squared sliced 2-Wasserstein distance between two samples; small is close.

    ``mean over directions u of ∫ (F⁻¹(t) - G⁻¹(t))² dt``, with F⁻¹ and G⁻¹ the quantile functions of the rows
    of X and of Y projected onto u. Samples of different sizes are compared exactly.

    Parameters
    ----------
    X, Y : float arrays of shape (n, d) and (m, d)
        The samples; NumPy, torch or any array-API arrays.
    n_directions : int, default=100
        How many directions, at least 1. They come in bases of orthogonal ones, which all of space is shared
        by: for a multiple of d, a shift by δ costs exactly ``|δ|²/d``.
    rng : numpy.random.Generator
        Draws the directions.

    Returns
    -------
    float
        At least 0 and without a bound, in squared units of the data; 0 for two equal samples, up to rounding.
        Multiplying all rows by c multiplies it by c².

    Raises
    ------
    InputError
        If a sample has no row, they differ in their number of columns, or `n_directions` is below 1.

    References
    ----------
    Bonneel, Rabin, Peyré and Pfister (2015), Sliced and Radon Wasserstein barycenters of measures, J.
    Mathematical Imaging and Vision 51:22-45, doi:10.1007/s10851-014-0506-3.

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0]]), np.array([[3.0], [2.0]])
    >>> sliced_wasserstein(x, y, rng=np.random.default_rng(0))  # both move by 2
    4.0
    """
    check_samples(X, Y, "Sliced Wasserstein distance")
    xp = array_namespace(X, Y)
    directions = draw_directions(X.shape[1], check_count("n_directions", n_directions), rng)
    u = xp.asarray(directions, dtype=X.dtype, device=device(X))
    centre = xp.mean(X, axis=0)  # so that no precision is lost on where the samples lie
    x, y = xp.sort((X - centre) @ u, axis=0), (Y - centre) @ u
    b = quantile_means(y, X.shape[0])
    within = float(xp.mean(y * y) - xp.mean(b * b))  # below 0 by rounding only
    return float(xp.mean((x - b) ** 2)) + max(0.0, within)


def draw_directions(d: int, n: int, rng: np.random.Generator) -> FloatArray:
    """`n` unit vectors as an array of shape (d, n), in blocks of at most d orthogonal ones."""
    blocks = [np.linalg.qr(rng.normal(size=(d, min(d, n - first))))[0] for first in range(0, n, d)]
    signs = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    return np.asarray(np.concatenate(blocks, axis=1) * signs, dtype=np.float64)


def quantile_means(projected: Any, n: int) -> Any:
    """Mean of every column's quantile function over each of n equal intervals of (0, 1).

    The integral of a quantile function of m steps is linear between its m + 1 nodes, so that it is read
    off at i/n exactly, whatever n and m.
    """
    xp = array_namespace(projected)
    m = projected.shape[0]
    steps = xp.sort(projected, axis=0)
    if m == n:
        return steps
    whole, part = np.divmod(np.arange(n + 1) * m, n)
    place = {"device": device(projected)}
    before = xp.concat([xp.zeros_like(steps[:1]), xp.cumulative_sum(steps, axis=0)], axis=0)
    step = xp.take(steps, xp.asarray(np.minimum(whole, m - 1), **place), axis=0)
    share = xp.asarray(part / n, dtype=steps.dtype, **place)[:, None]
    integral = xp.take(before, xp.asarray(whole, **place), axis=0) + share * step
    return (integral[1:] - integral[:-1]) * (n / m)


def by_rank(sorted_columns: Any, x: Any) -> Any:
    """The entry of every sorted column that has the rank of each entry of x, both of shape (n, L)."""
    xp = array_namespace(x)
    ranks = xp.argsort(xp.argsort(x, axis=0, stable=True), axis=0, stable=True)
    n, columns = x.shape
    flat = xp.reshape(ranks * columns + xp.arange(columns, device=device(x))[None, :], (-1,))
    return xp.reshape(xp.take(xp.reshape(sorted_columns, (-1,)), flat, axis=0), (n, columns))
