"""One group's rate: what every table of an audit is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray
from fairlattice.groups import Group, show_group
from fairlattice.metrics._rates import Rates


@dataclass(frozen=True, slots=True)
class GroupRate:
    """One group's rate.

    Parameters
    ----------
    group : dict
        The group: attribute to level.
    n : int
        Rows that the rate is about (for TPR, the group's positives); their effective number where rows
        are weighted.
    successes : int or float
        How many of them succeeded.
    rate : float or None
        ``successes / n``, in [0, 1], high is good; None where n is 0: undefined.
    low, high : float
        Its interval; nearly [0, 1] where n is 0.
    """

    group: Group
    n: int | float
    successes: int | float
    rate: float | None
    low: float
    high: float

    def __str__(self) -> str:
        rate = "undefined" if self.rate is None else f"{self.rate:.3f} [{self.low:.3f}, {self.high:.3f}]"
        return f"{show_group(self.group)}: {rate} (n={self.n:,.0f})"


def group_rate_rows(
    groups: Sequence[Group], rates: Rates, low: FloatArray, high: FloatArray
) -> tuple[GroupRate, ...]:
    whole = np.issubdtype(np.asarray(rates.trials).dtype, np.integer)
    kind: Any = int if whole else float
    # An interval of very low confidence, or of weighted rows, may not reach the rate itself.
    raw = np.where(rates.defined, rates.raw, low)
    low, high = np.minimum(low, raw), np.maximum(high, np.where(rates.defined, raw, high))
    columns = (a.tolist() for a in (rates.trials, rates.successes, rates.raw, rates.defined, low, high))
    return tuple(
        GroupRate(group, kind(n), kind(s), float(raw) if ok else None, float(a), float(b))
        for group, n, s, raw, ok, a, b in zip(groups, *columns, strict=True)
    )
