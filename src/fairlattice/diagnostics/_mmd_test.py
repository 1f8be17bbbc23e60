"""Do two samples differ at all? The kernel two-sample test, by permutation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, check_count
from fairlattice.diagnostics._permutation import effect, p_value, permuted_labels
from fairlattice.diagnostics._samples import as_samples
from fairlattice.divergences import RBFMixture, median_bandwidths


@dataclass(frozen=True, slots=True)
class MMDTest:
    """How far apart two samples are, and whether that is more than chance.

    Parameters
    ----------
    mmd2 : float
        Unbiased squared maximum mean discrepancy, in units of the kernel; small is close. It is 0 on average
        for two samples that are drawn alike, so it may be below 0.
    effect : float
        ``(mmd2 - mean of the null) / standard deviation of the null``; small is close. It grows with the
        number of rows, and compares cells of like sizes only.
    null_high : float
        The 95 % point of what chance alone gives.
    p_value : float
        Of "both are drawn alike"; small speaks against it.
    """

    mmd2: float
    effect: float
    null_high: float
    p_value: float


def mmd_test(
    x: Any, y: Any, *, kernel: RBFMixture | None = None, permutations: int = 999, rng: np.random.Generator
) -> MMDTest:
    """Kernel two-sample test: sees any difference of two distributions; small is good.

    Parameters
    ----------
    x, y : array-like of shape (n, d) and (m, d)
        The samples, encoded alike.
    kernel : RBFMixture, optional
        The kernel. By default Gaussians around the median distance between rows of both samples, as the
        generators use.
    permutations : int, default=999
        How many random labellings the figure is held against.
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    MMDTest
        ``Σ k(x, x')/n(n-1) - 2 Σ k(x, y)/nm + Σ k(y, y')/m(m-1)``, over pairs of two rows, and what chance
        gives. 0 with an effect of 0 and a p-value of 1 where all rows are alike.

    Raises
    ------
    InputError
        If a sample has fewer than two rows, values that are not finite, or other columns than the other.

    References
    ----------
    Gretton et al. (2012), A kernel two-sample test, JMLR 13:723-773.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = [[0.0], [0.0]], [[2.0], [2.0]]
    >>> round(mmd_test(x, y, kernel=RBFMixture((1.0,)), rng=rng).mmd2, 4)  # 2 - 2 exp(-2)
    1.7293
    """
    x, y = as_samples({"x": x, "y": y}, least=2)
    check_count("permutations", permutations)
    rows = np.vstack([x, y])
    if kernel is None:
        kernel = RBFMixture(median_bandwidths(rows, rng=rng))
    K = kernel(rows, rows)
    labels = permuted_labels(np.repeat([1.0, 0.0], [len(x), len(y)]), permutations, rng=rng)
    values = _mmd2_of_labels(K, labels, len(x), len(y))
    value, null = float(values[0]), values[1:]
    return MMDTest(value, effect(value, null), float(np.quantile(null, 0.95)), p_value(value, null))


def _mmd2_of_labels(K: FloatArray, labels: FloatArray, n: int, m: int) -> FloatArray:
    """Unbiased MMD² for every labelling, of shape (B,), from one product of matrices."""
    np.fill_diagonal(K, 0.0)
    row_sums = K.sum(axis=1)
    within = np.einsum("bi,bi->b", labels @ K, labels)  # Σ k(x, x')
    reach = labels @ row_sums  # Σ k(x, anything)
    other = row_sums.sum() - 2 * reach + within  # Σ k(y, y')
    return np.asarray(
        within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * (reach - within) / (n * m), dtype=np.float64
    )
