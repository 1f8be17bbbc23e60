"""Two models' audits compared, as independent samples: whose rate fell, and did fairness come from leveling down?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fairlattice._validation import check_real
from fairlattice.exceptions import InputError
from fairlattice.metrics._disparities import value_of
from fairlattice.metrics._harm import Harm, harm_of, independent_harm
from fairlattice.metrics._intervals import simultaneous_confidence
from fairlattice.metrics._leveling import (
    LevelingDown,
    group_changes,
    leveling_down_verdict,
    overall_verdict,
    worst_fell,
)
from fairlattice.metrics._rates import Rates

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit


def harm_between(
    before: Audit, after: Audit, *, measure: str | Sequence[str] | None = None, tolerance: float = 0.0
) -> Harm:
    """Did some group's rate fall from the one audit to the other? See :meth:`Audit.harm`."""
    check_real("tolerance", tolerance, 0.0, 1.0)
    before, after = _on_common_ground(before, after)
    asked = [measure or after.notion] if measure is None or isinstance(measure, str) else list(measure)
    names = tuple(dict.fromkeys(rate for m in asked for rate in after.rates_of(m)))
    levels = list(zip(before._levels, after._levels, strict=True))
    groups = [group for _, level in levels for group in level.groups]

    def rates_of(rate: str) -> tuple[Rates, Rates]:
        old = Rates.joined([before._rates_of(level.layers, rate) for level, _ in levels])
        return old, Rates.joined([after._rates_of(level.layers, rate) for _, level in levels])

    return harm_of(independent_harm(groups, names, rates_of, after.confidence), tolerance)


def leveling_between(before: Audit, after: Audit, *, measure: str | None = None) -> LevelingDown:
    """Who lost, by how much, and did the model level down? See :meth:`Audit.leveling_down`."""
    before, after = _on_common_ground(before, after)
    names = [
        rate
        for rate in after.rates_of(after.notion if measure is None else measure)
        if before._rates(rate).defined.any() and after._rates(rate).defined.any()
    ]
    compared = sum(int(after._rates(rate).defined.sum()) for rate in names)
    each = simultaneous_confidence(after.confidence, compared)
    changes, verdicts = [], {}
    for rate in names:
        old, new = before._rates(rate), after._rates(rate)
        changes += group_changes(rate, after.groups, old, new, each)
        fell, beyond = worst_fell(old, new, after.smoothing, after.confidence)
        fairer = any(
            value_of(after, rate, kind, after.alpha) < value_of(before, rate, kind, after.alpha)
            for kind in ("df", "if")
        )
        verdicts[rate] = leveling_down_verdict(unfairness_fell=fairer, worst_fell=fell, beyond_noise=beyond)
    ranked = tuple(sorted(changes, key=lambda c: c.difference))
    return LevelingDown(overall_verdict(verdicts), verdicts, ranked)


def _on_common_ground(before: Audit, after: Audit) -> tuple[Audit, Audit]:
    """Both on the same leaves and classes, so that positions agree, and with the settings of the later one."""
    if after.positive != before.positive:
        raise InputError(
            f"The audits differ in their positive label: {after.positive!r} and {before.positive!r}."
        )
    mine, theirs = after.counts, before.counts
    return (
        replace(after, counts=theirs + mine.emptied(), min_size=0),
        replace(after, counts=mine + theirs.emptied(), min_size=0),
    )
