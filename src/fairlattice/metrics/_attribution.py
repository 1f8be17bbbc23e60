"""Who makes the number: pairs, the worst group at every level, and groups that no marginal shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from fairlattice.groups import Group, GroupCounts, GroupTable, show_group
from fairlattice.metrics._everyone_else import Gaps, gaps_to_others, rates_of_others
from fairlattice.metrics._fairness import Measure
from fairlattice.metrics._intervals import clopper_pearson_interval, simultaneous_confidence
from fairlattice.metrics._rates import Rates, weighted_rates

_MOST_GROUPS = 100_000  # over all levels of the lattice; deeper levels than these are not walked


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups, and how far apart their smoothed rates are by either measure.

    The intervals of all pairs hold together at the audit's confidence.
    """

    rate: str
    worse: Group
    better: Group
    df: float
    df_low: float
    df_high: float
    if_: float
    if_low: float
    if_high: float


@dataclass(frozen=True, slots=True)
class WorseOff:
    """A group that fares worse than everyone else, beyond noise.

    Parameters
    ----------
    group : dict
        The group, at any level of the lattice.
    n : int
        Rows that the rate is about.
    rate : float
        Its rate, in [0, 1].
    difference, low, high : float
        Its rate minus that of everyone else, and the interval; those of all groups hold together.
    hidden : bool
        Whether no coarser group that contains it is worse off beyond noise as well: looking at one
        attribute after the other would not have shown it ("fairness gerrymandering").
    """

    group: Group
    n: int
    rate: float
    difference: float
    low: float
    high: float
    hidden: bool

    def __str__(self) -> str:
        mark = " (no coarser group shows it)" if self.hidden else ""
        gap = f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"
        return f"{show_group(self.group)}: {self.rate:.3f}, {gap} to everyone else (n={self.n:,}){mark}"


def ranked_pairs(
    rate: str,
    rates: Rates,
    groups: Sequence[Group],
    measure: Measure,
    *,
    smoothing: float,
    confidence: float,
    both_outcomes: bool,
    top: int,
) -> tuple[Pair, ...]:
    """The pairs of groups furthest apart, the pair that attains DF and IFα first.

    Both measures are largest for a low rate against a high one, so the `top` pairs lie among the
    `top` lowest and the `top` highest groups.
    """
    m = rates.smoothed(smoothing)
    order = np.argsort(m, kind="stable")[: int(rates.defined.sum())]
    each = simultaneous_confidence(confidence, len(order))
    low, high = clopper_pearson_interval(rates.successes, rates.trials, confidence=each)
    low = np.maximum(low, np.finfo(float).tiny)
    low, high = np.fmin(low, m), np.fmax(high, m)

    def pair(i: int, j: int) -> Pair:
        df, df_low, df_high = _log_ratio_interval((m[i], low[i], high[i]), (m[j], low[j], high[j]))
        if both_outcomes:
            other = _log_ratio_interval(
                (1 - m[j], 1 - high[j], 1 - low[j]), (1 - m[i], 1 - high[i], 1 - low[i])
            )
            df, df_low, df_high = (max(a, b) for a, b in zip((df, df_low, df_high), other, strict=True))
        least = float(measure(high[i], max(low[j], high[i])))
        most = float(measure(low[i], high[j]))
        value = float(measure(m[i], m[j]))
        return Pair(rate, groups[i], groups[j], df, df_low, df_high, value, min(least, value), most)

    found = [pair(i, j) for i in order[:top].tolist() for j in order[::-1][:top].tolist() if m[i] < m[j]]
    return tuple(sorted(found, key=lambda p: (-p.df, -p.if_))[:top])


def _log_ratio_interval(
    worse: tuple[float, float, float], better: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Log ratio of two rates, and its least and greatest while both lie in their simultaneous intervals."""
    w, b = np.log(np.maximum([worse, better], np.finfo(float).tiny))
    return float(b[0] - w[0]), max(float(b[1] - w[2]), 0.0), float(b[2] - w[1])


def levels_of(counts: GroupCounts) -> Iterator[GroupTable]:
    """Every level of the lattice from everyone to the leaves; inner ones only if they are not too large."""
    deepest, walked = len(counts.lattice.names), 0
    for size in range(deepest + 1):
        parts = [counts] if size == deepest else _rolled_up(counts, size, _MOST_GROUPS - walked)
        if not parts:
            continue
        level = GroupTable.joined(parts)
        walked += len(level.groups)
        yield level


def _rolled_up(counts: GroupCounts, size: int, most: int) -> list[GroupCounts]:
    """The counts of every set of `size` attributes; none if they would have more than `most` groups."""
    if math.comb(len(counts.lattice.names), size) > most:
        return []
    subsets = list(combinations(counts.lattice.names, size))
    levels = dict(zip(counts.lattice.names, counts.lattice.shape, strict=True))
    groups = sum(min(len(counts.codes), math.prod(levels[n] for n in names)) for names in subsets)
    return [counts.rollup(names) for names in subsets] if groups <= most else []


@dataclass(frozen=True, eq=False)
class LevelGaps:
    """Every group of every level against everyone else.

    Parameters
    ----------
    groups : sequence of groups
        At any level but that of everyone.
    own, rest : Rates
        Their rates, and those of everyone else.
    gaps : Gaps
        How far apart the two are, of those that can be compared.
    """

    groups: Sequence[Group]
    own: Rates
    rest: Rates
    gaps: Gaps


def level_gaps(
    levels: Sequence[GroupTable], classes: tuple[Any, ...], rate: str, positive: Any, confidence: float
) -> LevelGaps | None:
    """How far the groups of all levels lie from everyone else; None where there are no groups."""
    everyone, *inner = levels
    groups = [group for level in inner for group in level.groups]
    if not groups:
        return None
    kind = (classes, rate, positive)
    own = Rates.joined([weighted_rates(level.layers, *kind) for level in inner])
    rest = Rates.joined([rates_of_others(everyone.layers, level.layers, *kind) for level in inner])
    return LevelGaps(groups, own, rest, gaps_to_others(own, rest, confidence))


def worse_off(found: LevelGaps | None) -> tuple[WorseOff, ...]:
    """Groups of any level that fare worse than everyone else, those that no coarser group shows first.

    References
    ----------
    Kearns, Neel, Roth & Wu (2018), Preventing fairness gerrymandering, ICML, arXiv:1711.05144.
    """
    if found is None:
        return ()
    groups, own, gaps = found.groups, found.own, found.gaps
    sure = gaps.surely_lower & (gaps.high < 0)
    worse = {frozenset(groups[gaps.compared[j]].items()): j for j in np.flatnonzero(sure).tolist()}
    listed = [
        WorseOff(
            groups[i],
            round(float(own.trials[i])),
            float(own.raw[i]),
            float(gaps.gap[j]),
            float(gaps.low[j]),
            float(gaps.high[j]),
            hidden=len(key) > 1 and not any(other < key for other in worse),
        )
        for key, j, i in ((key, j, int(gaps.compared[j])) for key, j in worse.items())
    ]
    return tuple(sorted(listed, key=lambda w: (not w.hidden, w.high)))
