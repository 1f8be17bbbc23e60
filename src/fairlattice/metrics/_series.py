"""Over time: the same audit of every period, and which changes between periods are real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, IntArray, check_choice, check_columns_exist
from fairlattice.exceptions import InputError
from fairlattice.groups import Group, GroupCounts, show_group
from fairlattice.groups._shared import check_counts
from fairlattice.metrics._audit import Audit
from fairlattice.metrics._audit_options import check_options
from fairlattice.metrics._everyone_else import rates_of_others
from fairlattice.metrics._from_data import positive_of
from fairlattice.metrics._intervals import newcombe_interval, simultaneous_confidence
from fairlattice.metrics._notions import DEFAULT_NOTION, DEFAULT_UNLABELLED
from fairlattice.metrics._rates import Rates, weighted_rates
from fairlattice.tables._shared import time_order

_OPTIONS = (
    "notion",
    "favourable",
    "alpha",
    "smoothing",
    "confidence",
    "interval",
    "min_size",
    "on_small",
    "random_state",
)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed between periods beyond noise.

    Parameters
    ----------
    period : level
        The period in which it showed.
    since : level
        The first of the periods that it is compared with: those since the last change of the same.
    kind : {"composition", "rate", "fairness"}
        A group's share of all rows; the rate of everyone; or a group's rate against everyone else's.
    rate : str or None
        Which rate; None for composition.
    group : dict
        Whom it is about; everyone for "rate".
    difference, low, high : float
        By how much, and its interval.
    """

    period: Any
    since: Any
    kind: str
    rate: str | None
    group: Group
    difference: float
    low: float
    high: float

    def __str__(self) -> str:
        what = {
            "composition": f"share of {show_group(self.group)}",
            "rate": f"{self.rate} of everyone",
            "fairness": f"{self.rate} of {show_group(self.group)}, against everyone else's",
        }[self.kind]
        return f"{self.period}: {what} changed by {self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True)
class AuditSeries:
    """An audit of every period, in order, and the changes beyond noise.

    Parameters
    ----------
    by : str
        The column of periods.
    audits : mapping of level to Audit
        The audit of every period.
    changes : tuple of Change
        In order of time. If nothing changed there is any at all in at most ``1 - confidence`` of cases.
    """

    by: str
    audits: Mapping[Any, Audit]
    changes: tuple[Change, ...]


def audit_series(
    counts: GroupCounts,
    by: str,
    *,
    measure: str | None = None,
    positive: Any = None,
    order: Sequence[Any] | None = None,
    **options: Any,
) -> AuditSeries:
    """Audit every period, and flag real changes in composition or in fairness.

    Parameters
    ----------
    counts : GroupCounts
        Counts with the periods as one of their attributes; :meth:`GroupCounts.from_frame` makes them of any frame.
    by : str
        That attribute; its levels are numbers in order, or text such as ``01/2023``, ``Q1 2023`` or ``15.01.2023``.
    measure : str, optional
        Changes are looked for in this rate, or in those of this notion; by default the audit's notion.
    positive : label, optional
        The positive class; 1 or True if that is one of two.
    order : sequence of level, optional
        The levels of `by` in the order of time, where it does not show in them.
    **options
        As in :func:`audit`: notion, favourable, alpha, smoothing, confidence …

    Returns
    -------
    AuditSeries
        Every period is compared with all before it since the last change of its kind, so that slow drifts
        add up and a step is flagged once. The error is split over all comparisons (Šidák).

    Raises
    ------
    InputError
        If `counts` are not GroupCounts, they lack the attribute, it is missing in some rows, no other is left,
        or the order of its levels in time would be a guess.

    Examples
    --------
    >>> S = {"sex": ["f", "m"] * 400, "month": [1] * 400 + [2] * 400}
    >>> y, p = [1] * 800, [1, 1] * 200 + [0, 1] * 150 + [1, 1] * 50
    >>> counts = GroupCounts.from_arrays(y, p, sensitive_features=S)
    >>> for change in audit_series(counts, "month", measure="tpr", positive=1).changes:
    ...     print(change.period, change.kind, change.group, round(change.difference, 3))
    2 rate {} -0.375
    2 fairness {'sex': 'f'} -0.75
    2 fairness {'sex': 'm'} 0.75
    """
    check_counts(counts, GroupCounts)
    for option in options:
        check_choice("option", option, _OPTIONS)
    check_columns_exist([by], counts.lattice.names)
    if counts.lattice.names == (by,):
        raise InputError(f"`{by}` is the only attribute. Name a sensitive attribute too.")
    if None in next(a.levels for a in counts.lattice.attributes if a.name == by):
        raise InputError(f"`{by}` is missing in some rows. Remove these rows first.")
    label = positive_of(counts, positive)
    options.setdefault("notion", DEFAULT_NOTION if counts.labelled else DEFAULT_UNLABELLED)
    parts = counts.split(by)
    known = time_order(by, list(parts)) if order is None else [period for period in order if period in parts]
    if len(known) < len(parts):
        raise InputError(
            f"`order` must name all periods of `{by}`; it lacks {[p for p in parts if p not in known]}."
        )
    parts = {period: parts[period] for period in known}
    audits = {period: check_options(replace(Audit(part, label), **options)) for period, part in parts.items()}
    confidence = next(iter(audits.values())).confidence
    return AuditSeries(by, audits, tuple(_changes(audits, measure, confidence)))


@dataclass(frozen=True, eq=False)
class _Watched:
    """One figure of many groups over the periods: successes and trials, own and everyone else's."""

    kind: str
    rate: str | None
    groups: tuple[Group, ...]
    own: list[Rates]
    rest: list[Rates] | None


def _changes(audits: Mapping[Any, Audit], measure: str | None, confidence: float) -> list[Change]:
    periods = list(audits)
    counts = _aligned([a.counts for a in audits.values()])
    first = next(iter(audits.values()))
    names = first.rates_of(measure or first.notion)
    watched = _watched(counts, names, first.positive)
    tests = (len(periods) - 1) * sum(len(w.groups) for w in watched)
    each = simultaneous_confidence(confidence, tests)
    return sorted(
        (change for w in watched for change in _walk(w, periods, each)),
        key=lambda c: (periods.index(c.period), c.kind != "composition", c.kind != "rate"),
    )


def _watched(counts: list[GroupCounts], names: tuple[str, ...], positive: Any) -> list[_Watched]:
    groups = counts[0].groups
    shares = [Rates(c.rows, np.full(len(c.rows), c.n)) for c in counts]
    watched = [_Watched("composition", None, groups, shares, None)]
    for name in names:
        kind = (counts[0].classes, name, positive)
        everyone = [c.rollup(()).layers for c in counts]
        own = [weighted_rates(c.layers, *kind) for c in counts]
        total = [weighted_rates(layers, *kind) for layers in everyone]
        rest = [rates_of_others(e, c.layers, *kind) for e, c in zip(everyone, counts, strict=True)]
        watched += [_Watched("rate", name, ({},), total, None), _Watched("fairness", name, groups, own, rest)]
    return watched


def _walk(watched: _Watched, periods: list[Any], each: float) -> list[Change]:
    """Compare every period with those since the last change, group by group."""
    since = np.zeros(len(watched.groups), dtype=np.int64)
    found = []
    for now in range(1, len(periods)):
        gap, low, high = _difference(watched, since, now, each)
        for i in np.flatnonzero((low > 0) | (high < 0)).tolist():
            ends = float(gap[i]), float(low[i]), float(high[i])
            found.append(
                Change(periods[now], periods[since[i]], watched.kind, watched.rate, watched.groups[i], *ends)
            )
            since[i] = now
    return found


def _difference(
    watched: _Watched, since: IntArray, now: int, each: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Change of a figure, or of its distance from everyone else's, and its interval."""
    old = _pooled(watched.own, since, now)
    mine = _change(old, watched.own[now], each)
    if watched.rest is None:
        return mine
    theirs = _change(_pooled(watched.rest, since, now), watched.rest[now], each)
    gap = mine[0] - theirs[0]
    # The halves of two independent intervals add up by their squares.
    low = gap - np.hypot(mine[0] - mine[1], theirs[2] - theirs[0])
    return gap, low, gap + np.hypot(mine[2] - mine[0], theirs[0] - theirs[1])


def _change(old: Rates, new: Rates, each: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    known = old.defined & new.defined
    gap, low, high = np.zeros(len(known)), np.full(len(known), -1.0), np.ones(len(known))
    before, after = ((r.successes[known], r.trials[known]) for r in (old, new))
    # `each` lies far out in the tails, where Jeffreys intervals do not keep their word for every rate.
    gap[known], low[known], high[known] = newcombe_interval(
        before, after, confidence=each, interval="clopper-pearson"
    )
    return gap, low, high


def _pooled(rates: list[Rates], since: IntArray, now: int) -> Rates:
    """Successes and trials of every group over its periods from `since` to before `now`."""
    within = np.arange(now)[:, None] >= since
    sums = (
        np.where(within, np.stack([getattr(r, key) for r in rates[:now]]), 0).sum(axis=0)
        for key in ("successes", "trials")
    )
    return Rates(*sums)


def _aligned(counts: list[GroupCounts]) -> list[GroupCounts]:
    """The counts of all periods on the same leaves."""
    nothing = counts[0]
    for part in counts[1:]:
        nothing = nothing + part
    return [part + nothing.emptied() for part in counts]
