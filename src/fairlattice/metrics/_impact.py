"""Impact ratios: a group's selection rate as a share of the best-off group's, everyone else's, or a reference group's.

The four-fifths rule asks whether a ratio lies below .8. A ratio of a few people is noise, so each has an interval, all
of which hold together, and the verdict is "not enough data" where the interval contains .8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairlattice._validation import FloatArray, check_real, did_you_mean, plain_value
from fairlattice.exceptions import InputError
from fairlattice.groups import Group, GroupCounts, show_group
from fairlattice.groups._shared import name_it, show_level
from fairlattice.metrics._claims import FOUR_FIFTHS, UNSURE
from fairlattice.metrics._distinct import distinct_rows
from fairlattice.metrics._everyone_else import rates_of_others
from fairlattice.metrics._intervals import (
    log_ends,
    log_ratio_ends,
    ratio_interval,
    simultaneous_confidence,
)
from fairlattice.metrics._rates import Rates, weighted_rates

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit

_MOST_COMPARED = 500
BEST, OTHERS = "best", "others"
Against = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImpactRatio:
    """A group's rate divided by that of those whom it is compared with.

    Parameters
    ----------
    group : dict
        The group.
    n : int or float
        Its rows; their effective number where rows are weighted.
    rate : float or None
        Its rate, in [0, 1]; None where it has no row that the rate is about.
    against : dict or None
        The group that it is compared with; None for everyone else.
    other_n, other_rate
        The same of those.
    ratio : float or None
        ``rate / other_rate``; 1 is equal, below 1 the group is worse off. None where it is undefined, and for groups
        left out as too small a share of all rows.
    low, high : float
        Its interval; the intervals of all groups hold together.
    verdict : {"yes", "no", "not enough data"}
        Is it below four fifths?
    """

    group: Group
    n: int | float
    rate: float | None
    against: Group | None
    other_n: int | float
    other_rate: float | None
    ratio: float | None
    low: float
    high: float
    verdict: str

    def __str__(self) -> str:
        if self.ratio is None:
            return f"{show_group(self.group)}: no ratio (n={self.n:,.0f})"
        return (
            f"{show_group(self.group)}: {self.ratio:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n:,.0f})"
        )


def ratios_of(
    audit: Audit,
    rate: str | None = None,
    reference: Against | None = None,
    attributes: Sequence[str] | None = None,
    min_share: float | None = None,
) -> tuple[ImpactRatio, ...]:
    """The ratios of an audit's groups, by default as it was set up; see :meth:`Audit.impact_ratios`."""
    name = audit.selection if rate is None else rate
    if name is None:
        classes = audit.counts.classes
        raise InputError(
            f"Which outcome is good? The classes are {', '.join(map(str, classes))}. "
            f"{name_it('favourable', classes)}"
        )
    share = audit.min_share if min_share is None else check_real("min_share", min_share, 0.0, 1.0)
    # Leaves that were merged or dropped as small are not compared.
    gone = [s.group for s in audit.small if s.action != "kept"] if attributes is None else ()
    return impact_ratios(
        audit.counts if attributes is None else audit.counts.rollup(attributes),
        name,
        audit.positive,
        against=audit.reference if reference is None else reference,
        confidence=audit.confidence,
        min_share=share,
        left_out=gone,
    )


def impact_ratios(
    counts: GroupCounts,
    rate: str,
    positive: Any,
    *,
    against: Against = BEST,
    confidence: float = 0.95,
    min_share: float = 0.0,
    left_out: Sequence[Group] = (),
) -> tuple[ImpactRatio, ...]:
    """The ratio of every leaf of some counts, in the lattice's order.

    Groups of less than `min_share` of all rows, and those in `left_out`, are not compared. Nobody
    knows which group is the best, so against it the intervals are those that the ratios of all pairs of groups
    allow.
    """
    groups = counts.groups
    own = weighted_rates(counts.layers, counts.classes, rate, positive)
    eligible = own.defined & (counts.rows >= min_share * counts.n)
    gone = {frozenset(group.items()) for group in left_out}
    eligible &= np.array([frozenset(group.items()) not in gone for group in groups], dtype=bool)
    found = np.full((3, len(groups)), np.nan)
    if against == BEST:
        best = _best(own, eligible)
        if best is not None:
            found[:, eligible] = _ratios_to_best(own.of(np.flatnonzero(eligible)), confidence)
        other: Rates | None = None if best is None else own.of(np.full(len(groups), best))
        names: list[Group | None] = [None if best is None else groups[best]] * len(groups)
    else:
        other, names = _others(counts, rate, positive, against)
        compared = np.flatnonzero(eligible & other.defined & _unlike(groups, names))
        each = simultaneous_confidence(confidence, len(compared))
        pairs = [(r.successes[compared], r.trials[compared]) for r in (own, other)]
        found[:, compared] = ratio_interval(pairs[0], pairs[1], confidence=each)
    rates = (_rate_columns(own, len(groups)), _rate_columns(other, len(groups)))
    return tuple(map(_row, groups, *rates[0], names, *rates[1], *found.tolist()))


def reference_group(counts: GroupCounts, wanted: Mapping[str, Any]) -> Group:
    """A group by its levels, which may be spelled as text.

    Raises
    ------
    InputError
        If there is no such attribute or level.
    """
    found: Group = {}
    attributes = {a.name: a for a in counts.lattice.attributes}
    for name, level in wanted.items():
        if name not in attributes:
            known = ", ".join(attributes)
            raise InputError(
                f"No attribute `{name}`; the attributes are {known}.{did_you_mean(name, attributes)}"
            )
        levels, level = attributes[name].levels, plain_value(level)
        by_text = {show_level(v): v for v in levels} | {str(v): v for v in levels}
        if level not in levels and str(level) not in by_text:
            raise InputError(
                f"Attribute `{name}` has no level {level!r}; it has {', '.join(map(show_level, levels))}."
                f"{did_you_mean(str(level), by_text)}"
            )
        found[name] = level if level in levels else by_text[str(level)]
    return {name: found[name] for name in counts.lattice.names if name in found}


def check_reference(counts: GroupCounts, against: Any) -> Against:
    """With what groups are compared: "best", "others", or a group by its levels; else raise."""
    if isinstance(against, Mapping):
        return reference_group(counts, against)
    if against in (BEST, OTHERS):
        return against  # type: ignore[no-any-return]
    raise InputError(f"`reference` must be 'best', 'others' or a group, got {against!r}.")


def _best(own: Rates, eligible: Any) -> int | None:
    place = np.flatnonzero(eligible)
    if not len(place) or not own.successes[place].any():
        return None
    return int(place[np.argmax(own.raw[place])])


def _ratios_to_best(own: Rates, confidence: float) -> FloatArray:
    """Ratios to the best rate, whoever has it: a group is at most as good, by comparison, as with any of the others.

    Intervals of all pairs hold together, so the least of a group's upper ends holds, and so does the least lower end.
    Of very many groups only those with the highest lower ends are looked at for the former, which loses little, and the
    latter is the least that all single intervals allow.
    """
    m, raw = len(own.trials), own.raw
    each = simultaneous_confidence(confidence, m * (m - 1) // 2)
    at, place = distinct_rows(own.successes, own.trials)
    logs = np.array(log_ends(own.successes[at], own.trials[at], each))  # middle, low and high
    low, high = logs[1][place], logs[2][place]
    looked_at = np.argsort(-low, kind="stable")[:_MOST_COMPARED]
    ratio, ends = raw / raw.max(), _least_ends(logs, logs[:, place[looked_at]])[:, place]
    ends[:, looked_at] = _least_ends(logs[:, place[looked_at]], logs[:, place[looked_at]], themselves=True)
    if m > _MOST_COMPARED:
        ends[0] = np.exp(low - high.max())
    least = np.where(own.successes > 0, ends[0], 0.0)
    return np.stack([ratio, np.minimum(least, ratio), np.maximum(ends[1], ratio)])


def _least_ends(own: FloatArray, others: FloatArray, *, themselves: bool = False) -> FloatArray:
    """Least lower and upper end, at most 1, of the ratios of each of some rates to any of others.

    Rates are given by :func:`log_ends`. If they are `themselves` the others, none is compared with itself.
    """
    least = np.empty((2, own.shape[1]))
    for start in range(0, own.shape[1], _MOST_COMPARED):
        part = own[:, start : start + _MOST_COMPARED]
        ends = np.array(log_ratio_ends((*part[:, :, None],), (*others[:, None, :],)))
        if themselves:
            ends[:, np.arange(part.shape[1]), start + np.arange(part.shape[1])] = np.inf
        least[:, start : start + _MOST_COMPARED] = ends.min(axis=2, initial=1.0)
    return least


def _others(
    counts: GroupCounts, rate: str, positive: Any, against: Against
) -> tuple[Rates, list[Group | None]]:
    """The rates that each group is compared with, and of whom they are."""
    m, kind = len(counts.codes), (counts.classes, rate, positive)
    check_reference(counts, against)
    if not isinstance(against, Mapping):
        return rates_of_others(counts.rollup(()).layers, counts.layers, *kind), [None] * m
    group = reference_group(counts, against)
    rolled = counts.rollup(tuple(group))
    wanted = tuple(group.values())
    if wanted not in rolled.leaves:
        raise InputError(f"The reference group {show_group(group)} has no rows. Name another.")
    place = rolled.leaves.index(wanted)
    rates = weighted_rates([layer[[place] * m] for layer in rolled.layers], *kind)
    return rates, [group] * m


def _unlike(groups: Sequence[Group], others: Sequence[Group | None]) -> Any:
    """Where a group is not compared with itself."""
    return np.array([group != other for group, other in zip(groups, others, strict=True)])


def _rate_columns(rates: Rates | None, size: int) -> tuple[list[Any], list[float | None]]:
    """Trials and rates; without any, as of groups that have no rows."""
    if rates is None:
        return [0] * size, [None] * size
    raw = rates.raw.astype(object)
    raw[~rates.defined] = None
    return rates.trials.tolist(), raw.tolist()


def _row(
    group: Group,
    n: int | float,
    rate: float | None,
    against: Group | None,
    other_n: int | float,
    other_rate: float | None,
    ratio: float,
    low: float,
    high: float,
) -> ImpactRatio:
    if math.isnan(ratio):
        unknown = None, 0.0, math.inf, UNSURE
        return ImpactRatio(group, n, rate, against, other_n, other_rate, *unknown)
    verdict = "yes" if high < FOUR_FIFTHS else "no" if low >= FOUR_FIFTHS else UNSURE
    return ImpactRatio(group, n, rate, against, other_n, other_rate, ratio, low, high, verdict)
