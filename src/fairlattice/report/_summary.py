"""Results as plain data: what is written as JSON, and all that any rendering may look at.

Nothing in it depends on when or where it was made, so the same inputs and seed give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

import numpy as np

from fairlattice.benchmark import STRATEGIES, Comparison, GroupLoss, StrategyResult
from fairlattice.exceptions import UndefinedRateError
from fairlattice.groups import Group, GroupLattice
from fairlattice.metrics import Audit, Disparity, GroupChange, GroupRate, LevelingDown

Summary = dict[str, Any]
_MOST_EMPTY = 100
_BASELINES = ("none", "equal")


def to_json(summary: Summary) -> str:
    """A summary as JSON text that ends in a newline."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def audit_summary(audit: Audit, data: Mapping[str, Any], baseline: Audit | None = None) -> Summary:
    """An audit as plain data, schema ``fairlattice/audit/1``."""
    rates = [*audit.rates, *(f"recall:{c}" for c in audit.counts.classes if len(audit.counts.classes) > 2)]
    measures = {rate: _measure(audit, rate) for rate in dict.fromkeys(rates)}
    notions = (
        ["equalized_odds"]
        if audit.positive is None
        else ["equal_opportunity", "equalized_odds", "demographic_parity"]
    )
    summary = {
        "schema": "fairlattice/audit/1",
        "data": {**data, "classes": list(audit.counts.classes), "positive": audit.positive},
        "settings": {"alpha": audit.alpha, "smoothing": audit.smoothing, "confidence": audit.confidence},
        "attributes": _attributes(audit.counts.lattice),
        "n": audit.counts.n,
        "accuracy": audit.overall("accuracy").rate,
        "balanced_accuracy": audit.balanced_accuracy,
        "measures": measures,
        "notions": {
            notion: {kind: _disparity(audit, notion, kind) for kind in ("df", "if")} for notion in notions
        },
        "pairs": [
            {"measure": p.rate, "worse": p.worse, "better": p.better, "df": p.df, "if": p.if_}
            for rate in measures
            for p in audit.pairs(rate)
        ],
        "empty_groups": _empty_groups(audit.counts.lattice, audit.counts.codes),
    }
    if baseline is not None:
        summary["leveling_down"] = _leveling(audit.compare(baseline))
    return summary


def compare_summary(comparison: Comparison, data: Mapping[str, Any]) -> Summary:
    """A comparison as plain data, schema ``fairlattice/compare/1``."""
    return {
        "schema": "fairlattice/compare/1",
        "data": {**data, "classes": list(comparison.classes), "positive": comparison.classes[1]},
        "settings": dict(comparison.settings),
        "attributes": _attributes(comparison.lattice),
        "notes": list(comparison.notes),
        "empty_groups": _empty_groups(comparison.lattice, comparison.leaves),
        "strategies": [_strategy(comparison, result) for result in comparison.results],
    }


def _strategy(comparison: Comparison, result: StrategyResult) -> Summary:
    def figure(name: str) -> Summary:
        return asdict(result.estimate(name))

    return {
        "name": result.name,
        "about": STRATEGIES[result.name].about,
        "balanced_accuracy": figure("balanced_accuracy"),
        "measures": {
            rate: {
                **{kind: figure(f"{rate}.{kind}") for kind in ("df", "if", "worst", "best")},
                "by_group": [
                    {**_group_rate(g), "n_rows": people}
                    for g, people in comparison.by_group(result.name, rate)
                ],
            }
            for rate in ("tpr", "tnr")
        },
        "equalized_odds": {kind: figure(f"equalized_odds.{kind}") for kind in ("df", "if")},
        "differences": {
            baseline: {k: asdict(d) for k, d in comparison.differences(result.name, baseline).items()}
            for baseline in _BASELINES
            if baseline in comparison and baseline != result.name
        },
        "leveling_down": _leveling_over_repeats(comparison, result.name),
    }


def _leveling_over_repeats(comparison: Comparison, name: str) -> Summary:
    if "none" not in comparison:
        return {"verdict": None, "by_rate": {}, "groups": []}
    found = comparison.leveling_down(name)
    groups = [_change(loss, difference=asdict(loss.difference)) for loss in found.groups]
    return {"verdict": found.verdict, "by_rate": dict(found.by_rate), "groups": groups}


def _leveling(found: LevelingDown) -> Summary:
    groups = [
        _change(c, difference={"value": c.difference, "low": c.low, "high": c.high}, lost=c.lost)
        for c in found.changes
    ]
    return {"verdict": found.verdict, "by_rate": dict(found.by_rate), "groups": groups}


def _change(change: GroupChange | GroupLoss, **more: Any) -> Summary:
    """One group's rate before and after."""
    return {
        "group": change.group,
        "measure": change.rate,
        "before": change.before,
        "after": change.after,
        **more,
    }


def _measure(audit: Audit, rate: str) -> Summary:
    summary: Summary = {kind: _disparity(audit, rate, kind) for kind in ("df", "if")}
    try:
        d = audit.disparity(rate, kind="if")
        for name, place, g in (("worst", d.worst, audit.worst(rate)), ("best", d.best, audit.best(rate))):
            value = audit.smoothed(rate)[place] or 0.0
            low, high = min(g.low, value), max(g.high, value)
            summary[name] = {"value": value, "low": low, "high": high, "group": g.group}
    except UndefinedRateError:
        summary |= {"worst": None, "best": None}
    summary["by_group"] = [_group_rate(g) for g in audit.by_group(rate)]
    summary["undefined"] = list(audit.undefined(rate))
    return summary


def _disparity(audit: Audit, measure: str, kind: str) -> Summary | None:
    try:
        d: Disparity = audit.disparity(measure, kind=kind)
    except UndefinedRateError:
        return None
    return {"value": d.value, "low": d.low, "high": d.high}


def _group_rate(g: GroupRate) -> Summary:
    return {"group": g.group, "n": g.n, "rate": g.rate, "low": g.low, "high": g.high}


def _attributes(lattice: GroupLattice) -> list[Summary]:
    return [{"name": a.name, "levels": list(a.levels), "cuts": list(a.cuts)} for a in lattice.attributes]


def _empty_groups(lattice: GroupLattice, codes: Any) -> Summary:
    """How many leaves have no rows, and the first of them."""
    empty: Iterable[Group] = (lattice.group(leaf) for leaf in lattice.empty_leaves(codes))
    return {
        "n": lattice.n_leaves - len(np.unique(codes)),
        "first": list(islice(empty, _MOST_EMPTY)),
    }
