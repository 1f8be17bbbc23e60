"""One group's rate: what every table of an audit is made of."""

from __future__ import annotations

from dataclasses import dataclass

from fairlattice.groups import Group, show_group


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
