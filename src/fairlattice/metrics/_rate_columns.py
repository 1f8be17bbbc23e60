"""A rate of many groups, column by column: what tables of an audit are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fairlattice._validation import FloatArray
from fairlattice.groups import Group, GroupTable
from fairlattice.metrics._group_rate import GroupRate
from fairlattice.metrics._intervals import rate_interval, simultaneous_confidence
from fairlattice.metrics._rates import Rates, rate_called

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit


class RateColumns(NamedTuple):
    """The rates of many groups, column by column: lists of plain numbers, which cost much less than objects.

    Columns are called as the fields of :class:`GroupRate`.
    """

    group: Sequence[Group]
    n: list[Any]
    successes: list[Any]
    rate: list[float | None]
    low: list[float]
    high: list[float]

    @classmethod
    def of(cls, groups: Sequence[Group], rates: Rates, low: FloatArray, high: FloatArray) -> RateColumns:
        """Of rates and their intervals."""
        # An interval of very low confidence, or of weighted rows, may not reach the rate itself.
        raw = np.where(rates.defined, rates.raw, low)
        low, high = np.minimum(low, raw), np.maximum(high, np.where(rates.defined, raw, high))
        rate = rates.raw.astype(object)
        rate[~rates.defined] = None
        n, successes = (np.asarray(a).tolist() for a in (rates.trials, rates.successes))
        return cls(groups, n, successes, rate.tolist(), low.tolist(), high.tolist())

    def rows(self) -> tuple[GroupRate, ...]:
        """Group by group."""
        return tuple(map(GroupRate, *self))


def columns_of(
    audit: Audit, rate: str, table: GroupTable | None = None, *, simultaneous: bool = False
) -> RateColumns:
    """A rate of the groups of a table, by default those that the audit compares, as :meth:`Audit.by_group` has it."""
    name, fails = rate_called(rate)
    rates = audit._rates(name) if table is None else audit._rates_of(table.layers, name)
    if fails:
        rates = Rates(rates.trials - rates.successes, rates.trials)
    defined = int(rates.defined.sum())
    each = simultaneous_confidence(audit.confidence, defined) if simultaneous else audit.confidence
    low, high = rate_interval(rates.successes, rates.trials, confidence=each, method=audit.interval)
    return RateColumns.of(audit.groups if table is None else table.groups, rates, low, high)


def pooled_columns(audit: Audit, rate: str) -> RateColumns:
    """The shrunk rates of the groups that the audit compares, as :meth:`Audit.pooled` has them."""
    one = audit._one_rate(rate)
    columns = RateColumns.of(audit.groups, one.rates, one.pooled.low, one.pooled.high)
    mean, low, high = (a.tolist() for a in (one.pooled.mean, one.pooled.low, one.pooled.high))
    return columns._replace(rate=mean, low=low, high=high)
