"""The worst and the best group of an audit, with intervals that allow for their being picked among all.

The rate of a single person is 0 or 1 whatever the model does. So groups are ranked by their rates with one more person
added to each, who succeeds at the rate of everyone: a perfect group of one is not the worst, and large groups keep
their order. The measures rank by smoothed rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fairlattice.groups import Group
from fairlattice.metrics._fairness import log_ratio, measure_value
from fairlattice.metrics._group_rate import GroupRate
from fairlattice.metrics._intervals import jeffreys_interval, simultaneous_confidence
from fairlattice.metrics._rate_columns import RateColumns
from fairlattice.metrics._rates import Rates

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit


def extreme_group(audit: Audit, rate: str, *, lowest: bool) -> GroupRate:
    """The group with the lowest rate, or the highest, as :func:`_extreme` ranks them."""
    rates = _defined_rates(audit, rate)
    return _row_of(audit, audit.groups, rates, _extreme(rates, lowest=lowest))


def smoothed_extreme(audit: Audit, rate: str, *, lowest: bool) -> tuple[float, GroupRate]:
    """The lowest smoothed rate of all groups, or the highest, as the measures take it, and the group that has it."""
    rates = _defined_rates(audit, rate)
    smoothed = rates.smoothed(audit.smoothing)
    place = int(np.nanargmin(smoothed) if lowest else np.nanargmax(smoothed))
    return float(smoothed[place]), _row_of(audit, audit.groups, rates, place)


def lowest_by_level(audit: Audit, rate: str) -> tuple[GroupRate, ...]:
    """The group that :func:`extreme_group` picks at every level of the lattice at which one defines the rate."""
    levels = [(level.groups, audit._rates_of(level.layers, rate)) for level in audit._levels]
    return tuple(
        _row_of(audit, groups, rates, _extreme(rates, lowest=True))
        for groups, rates in levels
        if rates.defined.any()
    )


def _defined_rates(audit: Audit, rate: str) -> Rates:
    """Rates of the audit's groups; refuses one that no group defines."""
    rates = audit._rates(rate)
    measure_value(rates, log_ratio, smoothing=audit.smoothing)
    return rates


def _extreme(rates: Rates, *, lowest: bool) -> int:
    """Where the lowest rate is, or the highest, with one person added to each group; of equal ones, of most rows."""
    place = np.flatnonzero(rates.defined)
    successes, trials = rates.successes[place], rates.trials[place]
    shrunk = (successes + successes.sum() / trials.sum()) / (trials + 1.0)
    return int(place[np.lexsort((-trials, shrunk if lowest else -shrunk))[0]])


def _row_of(audit: Audit, groups: Sequence[Group], rates: Rates, place: int) -> GroupRate:
    one = rates.of(np.array([place]))
    each = simultaneous_confidence(audit.confidence, int(rates.defined.sum()))
    low, high = jeffreys_interval(one.successes, one.trials, confidence=each)
    return RateColumns.of([groups[place]], one, low, high).rows()[0]
