"""Figures over repeated splits: mean and standard error, and differences that may be noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean over repeats and its standard error, the sample deviation over √repeats.

    Repeats share rows, so the true error is larger; :class:`Difference` allows for that.

    Parameters
    ----------
    mean : float
        The mean.
    se : float or None
        The standard error; None for one repeat.

    Examples
    --------
    >>> Estimate.of([1.0, 3.0])
    Estimate(mean=2.0, se=1.0)
    """

    mean: float
    se: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """The estimate from one value per repeat."""
        se = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        return cls(float(np.mean(values)), se)


@dataclass(frozen=True, slots=True)
class Difference:
    """Paired difference of two strategies over the same splits.

    Parameters
    ----------
    mean, se : float, float or None
        As in :class:`Estimate`, of the differences.
    within_noise : bool
        Whether 0 lies in the 95 % interval of the mean, which is wider than `se` alone would make it.
    p_value : float or None
        Of the paired t-test behind it, two-sided; None where repeats say nothing about noise.
    """

    mean: float
    se: float | None
    within_noise: bool
    p_value: float | None = None

    @classmethod
    def of(cls, values: Sequence[float], *, test_share: float, confidence: float = 0.95) -> Difference:
        """The difference from one value per repeat.

        Repeated splits share training rows, so their spread understates the noise. The interval
        therefore uses the corrected variance ``(1/R + n_test/n_train) · s²`` and Student's t. Fewer than
        three repeats, or repeats that all agree to the digit (as counts of few rows may), say nothing
        about noise, so such a difference is within it.

        Parameters
        ----------
        values : sequence of float
            Differences, one per repeat.
        test_share : float
            Share of rows in the test part, in (0, 1); 1 if all repeats test the same rows.
        confidence : float, default=0.95
            Of the interval.

        References
        ----------
        Nadeau & Bengio (2003), Inference for the generalization error, Machine Learning 52,
        doi:10.1023/A:1024068626366.

        Examples
        --------
        >>> Difference.of([0.01, -0.01, 0.0], test_share=0.3).within_noise
        True
        >>> Difference.of([0.10, 0.11, 0.10], test_share=0.3).within_noise
        False
        """
        estimate, n = Estimate.of(values), len(values)
        if estimate.se is None or n < 3 or estimate.se < 1e-12:
            return cls(estimate.mean, estimate.se, within_noise=True)
        if test_share >= 1:  # all repeats test the same rows, so their spread is not that of the figure
            return cls(estimate.mean, estimate.se, within_noise=True)
        spread = estimate.se * np.sqrt(n) * np.sqrt(1 / n + test_share / (1 - test_share))
        p_value = float(2 * student.sf(abs(estimate.mean) / spread, n - 1))
        return cls(estimate.mean, estimate.se, not p_value < 1 - confidence, p_value)
