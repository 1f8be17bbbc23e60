"""Do generated rows lie where real rows lie, and everywhere that real rows lie?

A sample's region is the union of balls around its rows, each as wide as the way to the row's k-th
neighbour in the sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, check_count
from fairlattice.diagnostics._samples import BothSamples, both_samples


@dataclass(frozen=True, slots=True)
class Manifold:
    """How two samples' regions overlap; high is good in all four.

    Parameters
    ----------
    precision : float
        In [0, 1]: share of generated rows within the real rows' region. Low: rows that could not be real.
    recall : float
        In [0, 1]: share of real rows within the generated rows' region. Low: kinds of rows are left out.
    density : float
        At least 0: how many real rows' balls hold a generated row, over k. Near 1 for rows that are drawn
        alike; may exceed 1. An outlier among real rows, whose ball is wide, sways it less than precision.
    coverage : float
        In [0, 1]: share of real rows whose ball holds a generated row. As recall, with an outlier
        among generated rows swaying it less.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: Any, generated: Any, *, k: int = 5) -> Manifold:
    """Precision, recall, density and coverage of generated rows; high is good.

    Parameters
    ----------
    real, generated : array-like of shape (n, d) and (m, d)
        The samples, encoded alike.
    k : int, default=5
        Which neighbour sets a ball's width. A sample of k rows or fewer uses its farthest row; a
        sample of one row has a ball of width 0, that holds rows equal to it.

    Returns
    -------
    Manifold
        The four figures. Their values for two samples that are drawn alike depend on sizes and dimension:
        hold them against those of other real rows, of as many rows.

    Raises
    ------
    InputError
        If a sample has no rows, values that are not finite, or other columns than the other.

    References
    ----------
    Kynkäänniemi et al. (2019), Improved precision and recall metric for assessing generative models,
    arXiv:1904.06991. Naeem et al. (2020), Reliable fidelity and diversity metrics for generative models,
    arXiv:2002.09797.

    Examples
    --------
    >>> manifold([[0.0], [1.0]], [[0.5], [9.0]], k=1)  # both balls hold 0.5, and none holds 9
    Manifold(precision=0.5, recall=1.0, density=1.0, coverage=1.0)
    """
    check_count("k", k)
    return manifold_of(both_samples(real, generated), k)


def manifold_of(both: BothSamples, k: int = 5) -> Manifold:
    """As :func:`manifold`, of samples whose distances are known already."""
    n, m = both.n, len(both.rows) - both.n
    of_real, of_generated = min(k, n - 1), min(k, m - 1)
    across = both.distances[:n, n:]
    in_real = across <= _radii(both.distances[:n, :n], of_real)[:, None]
    in_generated = across <= _radii(both.distances[n:, n:], of_generated)[None, :]
    return Manifold(
        precision=float(in_real.any(axis=0).mean()),
        recall=float(in_generated.any(axis=1).mean()),
        density=float(in_real.sum() / (max(of_real, 1) * m)),
        coverage=float(in_real.any(axis=1).mean()),
    )


def _radii(distances: FloatArray, k: int) -> FloatArray:
    """Every row's distance to its k-th neighbour; the row itself is the neighbour of number 0."""
    return np.asarray(np.partition(distances, k, axis=1)[:, k], dtype=np.float64)
