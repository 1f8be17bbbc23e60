"""What a strategy costs: accuracy, who is selected, and how far its scores can be read as probabilities.

Accuracies are means over people of the share of repeats in which a strategy is right, and their errors those of such
means, with the covariance that two strategies have since they are tested on the same people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from fairlattice._validation import FloatArray
from fairlattice.benchmark._estimates import Estimate
from fairlattice.benchmark._group_draws import People
from fairlattice.benchmark._posterior import Gap

_BINS = 10
_SURE = 0.975  # of a sign, for a mark


@dataclass(frozen=True)
class Calibration:
    """How far scores can be read as probabilities of the positive label; both figures are 0 at best.

    Parameters
    ----------
    brier : float
        Mean squared difference of score and label, in [0, 1].
    expected_error : float
        Expected calibration error: the mean over ten bins of scores, weighted by their rows, of the absolute
        difference between the mean score and the share of positives, in [0, 1].
    mean_score : float
        Mean score; far from the base rate where weights moved it.
    """

    brier: float
    expected_error: float
    mean_score: float


@dataclass(frozen=True, eq=False)
class Accuracies:
    """A strategy's accuracy figures, for every person.

    Parameters
    ----------
    right, selected : float arrays of shape (n,)
        Share of repeats in which the prediction was right, and in which it was positive.
    truth : int array of shape (n,)
        Whether the label is the positive one.
    calibration : Calibration or None
        None where the classifier gives no probabilities.
    """

    right: FloatArray = field(repr=False)
    selected: FloatArray = field(repr=False)
    truth: FloatArray = field(repr=False)
    calibration: Calibration | None

    def estimate(self, figure: str) -> Estimate:
        """Mean and standard error of ``balanced_accuracy``, ``accuracy`` or ``selection_rate``."""
        return _mean(self._values(figure), self._strata(figure))

    def minus(self, other: Accuracies, figure: str) -> Gap:
        """The difference to another strategy, with the people's covariance."""
        found = _mean(self._values(figure) - other._values(figure), self._strata(figure))
        spread = found.se or 0.0
        better = float(norm.sf(0.0, found.mean, spread)) if spread else 0.5 + np.sign(found.mean) / 2
        half = 1.959964 * spread
        mark = None
        if figure != "selection_rate" and max(better, 1 - better) >= _SURE:
            mark = "better" if better > 0.5 else "worse"
        return Gap(found.mean, found.mean - half, found.mean + half, float(better), mark)

    def _values(self, figure: str) -> FloatArray:
        return self.selected if figure == "selection_rate" else self.right

    def _strata(self, figure: str) -> FloatArray | None:
        return self.truth if figure == "balanced_accuracy" else None


def _mean(values: FloatArray, strata: FloatArray | None) -> Estimate:
    """Mean and standard error of values; with strata, of the mean of the strata's means."""
    parts = [values] if strata is None else [values[strata == k] for k in np.unique(strata)]
    mean = float(np.mean([part.mean() for part in parts]))
    variance = sum(float(part.var(ddof=1)) / len(part) if len(part) > 1 else 0.25 for part in parts)
    return Estimate(mean, float(np.sqrt(variance)) / len(parts))


def accuracies_of(people: People, name: str, scores: Sequence[FloatArray | None]) -> Accuracies:
    """The figures of one strategy."""
    predicted = people.predicted[people.names.index(name)]
    known = [score for score in scores if score is not None]
    return Accuracies(
        (predicted == people.truth).mean(axis=0),
        predicted.mean(axis=0),
        people.truth.astype(np.float64),
        calibration_of(np.mean(known, axis=0), people.truth.astype(np.float64)) if known else None,
    )


def calibration_of(score: FloatArray, truth: FloatArray) -> Calibration:
    """Brier score and expected calibration error.

    Examples
    --------
    >>> found = calibration_of(np.array([0.25, 0.25, 0.25, 0.25]), np.array([1.0, 0.0, 0.0, 0.0]))
    >>> found.expected_error, found.brier
    (0.0, 0.1875)
    """
    bins = np.minimum((score * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=score - truth, minlength=_BINS)
    return Calibration(
        float(np.mean((score - truth) ** 2)), float(np.abs(gaps).sum() / len(score)), float(score.mean())
    )
