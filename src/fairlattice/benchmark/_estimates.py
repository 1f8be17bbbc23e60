"""Figures with their errors, and differences that may be noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from fairlattice._validation import FloatArray

_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its standard error.

    Parameters
    ----------
    mean : float
        The mean, over repeats or of draws from a posterior.
    se : float or None
        The standard error, or the posterior's standard deviation; None where one repeat tells nothing of it.

    Examples
    --------
    >>> Estimate.of([1.0, 3.0])
    Estimate(mean=2.0, se=1.0)
    """

    mean: float
    se: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """From one value per repeat; the error is the sample deviation over √repeats."""
        se = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        return cls(float(np.mean(values)), se)

    @classmethod
    def of_draws(cls, values: FloatArray) -> Estimate:
        """From draws of a posterior: their mean and standard deviation."""
        return cls(float(values.mean()), float(values.std()))


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference of two methods.

    Parameters
    ----------
    mean, se : float, float or None
        As in :class:`Estimate`, of the difference.
    within_noise : bool
        Whether 0 lies within 1.96 errors of the mean; also where nothing is known of the noise.
    p_value : float or None
        Two-sided, of a normal distribution with that mean and error; None where nothing is known of the noise.

    Examples
    --------
    >>> Difference.of_draws(np.array([0.09, 0.10, 0.11])).within_noise
    False
    """

    mean: float
    se: float | None
    within_noise: bool
    p_value: float | None = None

    @classmethod
    def of_draws(cls, values: FloatArray, *, known: bool = True) -> Difference:
        """From draws of a posterior; `known` says whether they hold all of the noise there is."""
        found = Estimate.of_draws(values)
        spread = found.se or 0.0
        if not known or spread < 1e-12:  # equal predictions, such as of a method with itself
            return cls(found.mean, found.se, within_noise=True)
        p_value = float(2 * norm.sf(abs(found.mean) / spread))
        return cls(found.mean, found.se, p_value >= _LEVEL, p_value)
