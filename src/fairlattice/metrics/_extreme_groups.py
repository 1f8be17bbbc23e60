"""The worst and the best group of an audit, with intervals that allow for their being picked among all."""

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
    """The group with the lowest smoothed rate, or the highest."""
    rates = audit._rates(rate)
    measure_value(rates, log_ratio, smoothing=audit.smoothing)  # refuses a rate that no group defines
    return _picked(audit, audit.groups, rates, lowest=lowest)


def lowest_by_level(audit: Audit, rate: str) -> tuple[GroupRate, ...]:
    """The group with the lowest smoothed rate at every level of the lattice at which one defines it."""
    levels = [(level.groups, audit._rates_of(level.layers, rate)) for level in audit._levels]
    return tuple(
        _picked(audit, groups, rates, lowest=True) for groups, rates in levels if rates.defined.any()
    )


def _picked(audit: Audit, groups: Sequence[Group], rates: Rates, *, lowest: bool) -> GroupRate:
    smoothed = rates.smoothed(audit.smoothing)
    place = int(np.nanargmin(smoothed) if lowest else np.nanargmax(smoothed))
    one = rates.of(np.array([place]))
    each = simultaneous_confidence(audit.confidence, int(rates.defined.sum()))
    low, high = jeffreys_interval(one.successes, one.trials, confidence=each)
    return RateColumns.of([groups[place]], one, low, high).rows()[0]
