"""Differential fairness and α-intersectional fairness of the groups' rates.

Both are maxima over pairs of groups, and both are attained by the worst and the best group, so
they cost one pass over the groups. For both, small is fair and 0 or α·(1 - m) is the least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairlattice._validation import FloatArray, IntArray, check_real
from fairlattice.exceptions import UndefinedRateError
from fairlattice.metrics._intervals import jeffreys_interval, simultaneous_confidence
from fairlattice.metrics._rates import Rates


@dataclass(frozen=True, slots=True)
class Disparity:
    """A measure of unfairness, with bounds that hold at the stated confidence.

    Parameters
    ----------
    value, low, high : float
        The measure and its bounds, ``low <= value <= high``; small is fair.
    worst, best : int
        Positions of the two groups that attain it.
    """

    value: float
    low: float
    high: float
    worst: int
    best: int


def differential_fairness(
    rates: Rates, *, smoothing: float = 0.5, both_outcomes: bool = False, confidence: float = 0.95
) -> Disparity:
    """Differential fairness: the largest log ratio of two groups' rates. Small is fair.

    ``DF = max over pairs |log m_g / m_g'|`` over the groups whose rate is defined, of rates smoothed
    as ``m = (successes + smoothing) / (trials + 2 · smoothing)``; in [0, ∞). With `smoothing` ½ and
    `both_outcomes` it is the smoothed empirical differential fairness of Foulds et al.

    Parameters
    ----------
    rates : Rates
        Successes and trials of every group.
    smoothing : float, default=0.5
        Above 0, which keeps the measure finite for every table.
    both_outcomes : bool, default=False
        Take the ratios of ``1 - m`` as well, where both outcomes count (selection).
    confidence : float, default=0.95
        For `low` and `high`: all groups' intervals hold together at this confidence (Šidák), and the
        bounds are the least and greatest DF that rates inside them can have. They are conservative.

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
    found = _log_ratio(_Groups.of(rates, smoothing, confidence))
    if not both_outcomes:
        return found
    mirror = _log_ratio(
        _Groups.of(Rates(rates.trials - rates.successes, rates.trials), smoothing, confidence)
    )
    low, high = max(found.low, mirror.low), max(found.high, mirror.high)
    if found.value >= mirror.value:
        return Disparity(found.value, low, high, found.worst, found.best)
    # The group with the smallest 1 - m is the one with the greatest m.
    return Disparity(mirror.value, low, high, mirror.best, mirror.worst)


def alpha_intersectional(
    rates: Rates, *, alpha: float = 0.5, smoothing: float = 0.5, confidence: float = 0.95
) -> Disparity:
    """α-intersectional fairness: how badly off the worst group is, alone and beside the best. Small is fair.

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
    smoothing, confidence
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
    check_real("alpha", alpha, 0.0, 1.0)
    groups = _Groups.of(rates, smoothing, confidence)

    def measure(worst: float, best: float) -> float:
        return float(alpha * (1.0 - worst) + (1.0 - alpha) * (1.0 - min(worst / best, 1.0)))

    least = measure(groups.high.min(), max(groups.low.max(), groups.high.min()))
    most = max(measure(worst, best) for worst, best in groups.extreme_pairs())
    value = measure(groups.m.min(), groups.m.max())
    return Disparity(value, min(least, value), max(most, value), *groups.ends())


@dataclass(frozen=True)
class _Groups:
    """Smoothed rates of the groups that define one, with intervals that hold together."""

    m: FloatArray
    low: FloatArray
    high: FloatArray
    place: IntArray

    @classmethod
    def of(cls, rates: Rates, smoothing: float, confidence: float) -> _Groups:
        check_real("smoothing", smoothing, 0.0, float("inf"), open_ends=True)
        place = np.flatnonzero(rates.defined)
        if not len(place):
            raise UndefinedRateError("No group has a row that this rate is about, so it is undefined.")
        each = simultaneous_confidence(confidence, len(place))
        low, high = jeffreys_interval(
            rates.successes[place], rates.trials[place], confidence=each, closed=False
        )
        m = rates.smoothed(smoothing)[place]
        return cls(m, np.minimum(low, m), np.maximum(high, m), place)

    def ends(self) -> tuple[int, int]:
        """Positions of the worst and the best group."""
        return int(self.place[self.m.argmin()]), int(self.place[self.m.argmax()])

    def extreme_pairs(self) -> list[tuple[float, float]]:
        """Lower end of one group beside the upper end of another: among them the furthest apart.

        Two candidates on either side suffice, since only a group's pair with itself is ruled out.
        """
        lowest, highest = np.argsort(self.low, kind="stable")[:2], np.argsort(-self.high, kind="stable")[:2]
        pairs = [(float(self.low[i]), float(self.high[j])) for i in lowest for j in highest if i != j]
        return pairs or [(float(self.low[0]), float(self.low[0]))]  # one group, beside itself


def _log_ratio(groups: _Groups) -> Disparity:
    value = float(np.log(groups.m.max() / groups.m.min()))
    least = max(0.0, float(np.log(groups.low.max()) - np.log(groups.high.min())))
    most = max(float(np.log(best) - np.log(worst)) for worst, best in groups.extreme_pairs())
    return Disparity(value, min(least, value), max(most, value), *groups.ends())
