"""Leveling down: did fairness come from doing worse by those who were already worst off?

A mitigation levels down on a rate if it lowers DF or IFα while the worst-off group's rate falls
below what it was under the unconstrained model. Each claim has three verdicts, since a fall
within noise is neither proof of harm nor proof of none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fairlattice.groups import Group, show_group
from fairlattice.metrics._intervals import newcombe_interval
from fairlattice.metrics._rates import Rates


@dataclass(frozen=True, slots=True)
class GroupChange:
    """How one group's rate changed; above 0 is a gain.

    Parameters
    ----------
    group : dict
        The group.
    rate : str
        Which rate.
    before, after : float
        The rate under either model.
    difference, low, high : float
        ``after - before`` and its interval; the intervals of all groups hold together.
    """

    group: Group
    rate: str
    before: float
    after: float
    difference: float
    low: float
    high: float

    @property
    def lost(self) -> bool:
        """Whether the loss is real: the whole interval lies below 0."""
        return self.high < 0


@dataclass(frozen=True)
class LevelingDown:
    """Who lost and who gained, by how much, and whether fairness came from leveling down.

    Parameters
    ----------
    verdict : {"yes", "no", "not enough data"}
        Over all rates looked at; "not enough data" where the worst-off group fell, within noise.
    by_rate : mapping of str to str
        The verdict of every rate.
    changes : tuple of GroupChange
        Every group's change, the greatest loss first.
    """

    verdict: str
    by_rate: Mapping[str, str]
    changes: tuple[GroupChange, ...] = field(repr=False)

    @property
    def lost(self) -> tuple[GroupChange, ...]:
        """The changes that are losses beyond noise."""
        return tuple(c for c in self.changes if c.lost)

    def __str__(self) -> str:
        told = [
            f"{show_group(c.group)}: {c.rate} {c.before:.3f} -> {c.after:.3f} [{c.low:+.3f}, {c.high:+.3f}]"
            for c in self.lost
        ]
        return "\n".join([f"leveling down: {self.verdict}", *told])


def leveling_down_verdict(*, unfairness_fell: bool, worst_fell: bool, beyond_noise: bool) -> str:
    """The verdict of one rate: "yes", "no" or "not enough data".

    Examples
    --------
    >>> leveling_down_verdict(unfairness_fell=True, worst_fell=True, beyond_noise=False)
    'not enough data'
    """
    if not (unfairness_fell and worst_fell):
        return "no"
    return "yes" if beyond_noise else "not enough data"


def overall_verdict(verdicts: Mapping[str, str]) -> str:
    """The gravest of several verdicts."""
    return next((v for v in ("yes", "not enough data") if v in verdicts.values()), "no")


def group_changes(
    rate: str, groups: Sequence[Group], before: Rates, after: Rates, each: float
) -> list[GroupChange]:
    """Changes of the groups whose rate both models define, with intervals of confidence `each`."""
    both = np.flatnonzero(before.defined & after.defined)
    pairs = [(r.successes[both], r.trials[both]) for r in (before, after)]
    difference, low, high = newcombe_interval(pairs[0], pairs[1], confidence=each)
    return [
        GroupChange(
            groups[i],
            rate,
            float(before.raw[i]),
            float(after.raw[i]),
            float(difference[j]),
            float(low[j]),
            float(high[j]),
        )
        for j, i in enumerate(both.tolist())
    ]


def worst_fell_beyond_noise(
    before: Rates, after: Rates, smoothing: float, confidence: float
) -> tuple[bool, bool]:
    """Whether the lowest rate fell, and whether its interval excludes that it did not."""
    lowest = [int(np.nanargmin(r.smoothed(smoothing))) for r in (before, after)]
    pair = [
        (r.successes[i : i + 1], r.trials[i : i + 1]) for r, i in zip((before, after), lowest, strict=True)
    ]
    _, _, high = newcombe_interval(pair[0], pair[1], confidence=confidence)
    fell = float(np.nanmin(after.smoothed(smoothing))) < float(np.nanmin(before.smoothed(smoothing)))
    return fell, bool(high[0] < 0)
