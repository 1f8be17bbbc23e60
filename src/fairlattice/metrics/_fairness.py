"""Differential fairness and α-intersectional fairness of the groups' rates.

Both are maxima over pairs of groups, and both are attained by the worst and the best group, so
they cost one pass over the groups. For both, small is fair and 0 or α·(1 - m) is the least.

A maximum over many small groups is biased upwards: of seven hundred equal groups, some look far apart.
So there is a corrected value too, from the posterior of all groups' rates together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fairlattice._validation import FloatArray, check_real
from fairlattice.exceptions import UndefinedRateError
from fairlattice.groups import Group
from fairlattice.metrics._homogeneity import homogeneity_test
from fairlattice.metrics._intervals import clopper_pearson_interval, simultaneous_confidence
from fairlattice.metrics._pooling import partial_pooling
from fairlattice.metrics._rates import Rates

Measure = Callable[[FloatArray, FloatArray], FloatArray]
Extremes = tuple[FloatArray, FloatArray]  # the lowest and the highest rate of every draw


@dataclass(frozen=True, slots=True)
class Disparity:
    """A measure of unfairness, with its interval, its p-value and the value corrected for bias.

    Parameters
    ----------
    value : float
        The measure of the smoothed rates; small is fair. Biased upwards where groups are many and small.
    low, high : float
        Interval, ``low <= value <= high``. The lower end holds at the stated confidence whatever the groups
        are like; the upper end is a posterior quantile, far out where groups are so tiny that their
        counts alone rule nothing out.
    corrected : float
        Median of the measure over the posterior of all groups' rates, where tiny groups borrow from
        their ancestors (:func:`partial_pooling`): the better guess of the true rates' measure.
    p_value : float
        Of "there is no disparity at all" (:func:`homogeneity_test`).
    worst, best : int
        Positions of the two groups that attain the value.
    """

    value: float
    low: float
    high: float
    corrected: float
    p_value: float
    worst: int
    best: int


def differential_fairness(
    rates: Rates,
    *,
    groups: Sequence[Group] | None = None,
    smoothing: float = 0.5,
    both_outcomes: bool = False,
    confidence: float = 0.95,
) -> Disparity:
    """Differential fairness: the largest log ratio of two groups' rates. Small is fair.

    ``DF = max over pairs |log m_g / m_g'|`` over the groups whose rate is defined, of rates smoothed
    as ``m = (successes + smoothing) / (trials + 2 · smoothing)``; in [0, ∞). With `smoothing` ½ and
    `both_outcomes` it is the smoothed empirical differential fairness of Foulds et al.

    Parameters
    ----------
    rates : Rates
        Successes and trials of every group.
    groups : sequence of groups, optional
        What each group fixes, so that tiny ones can borrow from their ancestors; by default all are alike.
    smoothing : float, default=0.5
        Above 0, which keeps the measure finite for every table.
    both_outcomes : bool, default=False
        Take the ratios of ``1 - m`` as well, where both outcomes count (selection).
    confidence : float, default=0.95
        For `low` and `high`. The lower end is what exact simultaneous intervals of all groups leave as
        the least possible, whatever the groups are like. The upper end is the posterior's, or the value.

    Raises
    ------
    InputError
        If `smoothing` or `confidence` is out of range.
    UndefinedRateError
        If no group has a trial.

    References
    ----------
    Foulds, Islam, Keya & Pan (2020), An intersectional definition of fairness, ICDE,
    arXiv:1807.08362.

    Examples
    --------
    >>> rates = Rates(np.array([80, 40]), np.array([100, 100]))
    >>> round(differential_fairness(rates).value, 4)  # log(80.5 / 40.5)
    0.687
    """
    return disparity(
        rates, log_ratio, drawn_extremes(rates, groups, confidence), smoothing=smoothing, confidence=confidence,
        p_value=homogeneity_test(rates), both_outcomes=both_outcomes,
    )  # fmt: skip


def alpha_intersectional(
    rates: Rates,
    *,
    groups: Sequence[Group] | None = None,
    alpha: float = 0.5,
    smoothing: float = 0.5,
    confidence: float = 0.95,
) -> Disparity:
    """α-intersectional fairness: how badly off the worst group is, alone and against the best. Small is fair.

    ``IFα = max over pairs α · max(1 - m_g, 1 - m_g') + (1 - α) · (1 - min(m_g, m_g') / max(m_g, m_g'))``,
    in [0, 1]. At α = 0 it is ``1 - exp(-DF)``, DF of one outcome, so it orders models as that does; at
    α = 1 it is the worst-off group's error. In between, a gain in the ratio that was bought by
    lowering the worst-off group is charged for by the first part.

    Parameters
    ----------
    rates : Rates
        Successes and trials of every group.
    alpha : float, default=0.5
        In [0, 1]: the weight of the absolute part.
    groups, smoothing, confidence
        As in :func:`differential_fairness`.

    Raises
    ------
    InputError
        If an option is out of range.
    UndefinedRateError
        If no group has a trial.

    References
    ----------
    Maheshwari, Bellet, Denis & Keller (2023), Fair without leveling down: a new intersectional
    fairness definition, EMNLP, arXiv:2305.12495.

    Examples
    --------
    >>> rates = Rates(np.array([80, 40]), np.array([100, 100]))
    >>> round(alpha_intersectional(rates, alpha=1.0).value, 4)  # 1 - 40.5 / 101
    0.599
    """
    extremes = drawn_extremes(rates, groups, confidence)
    measure, p_value = alpha_measure(alpha), homogeneity_test(rates)
    return disparity(rates, measure, extremes, smoothing=smoothing, confidence=confidence, p_value=p_value)


def log_ratio(worst: FloatArray, best: FloatArray) -> FloatArray:
    """DF of the lowest and the highest rate."""
    ratio: FloatArray = np.log(best) - np.log(worst)
    return np.maximum(ratio, 0.0)


def alpha_measure(alpha: float) -> Measure:
    """IFα as a function of the lowest and the highest rate."""
    check_real("alpha", alpha, 0.0, 1.0)

    def measure(worst: FloatArray, best: FloatArray) -> FloatArray:
        return alpha * (1.0 - worst) + (1.0 - alpha) * (1.0 - np.minimum(worst / best, 1.0))

    return measure


def drawn_extremes(
    rates: Rates, groups: Sequence[Group] | None, confidence: float = 0.95, random_state: int = 0
) -> Extremes:
    """The lowest and the highest of the defined groups' rates in every draw from their posterior."""
    known = _defined(rates)
    some = [{} for _ in known] if groups is None else [groups[i] for i in known.tolist()]
    pooled = partial_pooling(rates.of(known), some, confidence=confidence, random_state=random_state)
    return extremes_of(pooled.draws)


def extremes_of(draws: FloatArray) -> Extremes:
    """The lowest and the highest rate of every draw."""
    return draws.min(axis=1), draws.max(axis=1)


def measure_value(rates: Rates, measure: Measure, *, smoothing: float, both_outcomes: bool = False) -> float:
    """The measure of the smoothed rates, and nothing else."""
    return _value(rates, measure, smoothing, both_outcomes)[0]


def disparity(
    rates: Rates,
    measure: Measure,
    extremes: Extremes,
    *,
    smoothing: float,
    confidence: float,
    p_value: float,
    both_outcomes: bool = False,
) -> Disparity:
    """A measure with its interval, given the extremes of the defined groups' rates in draws from their posterior."""
    value, worst, best = _value(rates, measure, smoothing, both_outcomes)
    known = rates.of(_defined(rates))
    least = _least(known, measure, confidence)
    lowest, highest = extremes
    drawn = measure(lowest, highest)
    if both_outcomes:
        least = max(least, _least(Rates(known.trials - known.successes, known.trials), measure, confidence))
        drawn = np.maximum(drawn, measure(1.0 - highest, 1.0 - lowest))
    corrected, most = np.quantile(drawn, [0.5, 1.0 - (1.0 - confidence) / 2])
    low, high = min(least, value), max(float(most), value)
    return Disparity(value, low, high, float(np.clip(corrected, low, high)), p_value, worst, best)


def _value(rates: Rates, measure: Measure, smoothing: float, both_outcomes: bool) -> tuple[float, int, int]:
    """The measure of the smoothed rates, and the positions of the groups that attain it."""
    check_real("smoothing", smoothing, 0.0, float("inf"), open_ends=True)
    place = _defined(rates)
    m = rates.smoothed(smoothing)[place]
    worst, best = int(m.argmin()), int(m.argmax())
    value = float(measure(m[worst], m[best]))
    if both_outcomes:
        # Counted again, since 1 - m loses its digits where nearly all succeed.
        mirror = Rates(rates.trials - rates.successes, rates.trials).smoothed(smoothing)[place]
        turned = float(measure(mirror[best], mirror[worst]))
        value = max(value, turned)
    return value, int(place[worst]), int(place[best])


def _least(rates: Rates, measure: Measure, confidence: float) -> float:
    """The least that the measure can be while every group's rate lies in its simultaneous interval."""
    low, high = _box(rates, confidence)
    worst = high.min()
    return float(measure(worst, np.maximum(low.max(), worst)))


def greatest(rates: Rates, measure: Measure, confidence: float) -> float:
    """The most that the measure can be while every group's rate lies in its simultaneous interval."""
    low, high = _box(rates.of(_defined(rates)), confidence)
    return float(measure(low.min(), high.max()))


def _box(rates: Rates, confidence: float) -> tuple[FloatArray, FloatArray]:
    # One end of the measure is bounded at a time, so half of the error may be spent on it. Only exact
    # intervals hold so far out in the tails; their ends are kept off 0, for ratios to be finite.
    each = simultaneous_confidence(1.0 - (1.0 - confidence) / 2, len(rates.trials))
    low, high = clopper_pearson_interval(rates.successes, rates.trials, confidence=each)
    return np.maximum(low, np.finfo(float).tiny), high


def _defined(rates: Rates) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    place = np.flatnonzero(rates.defined)
    if not len(place):
        raise UndefinedRateError("No group has a row that this rate is about, so it is undefined.")
    return place
