"""An audit as plain data, schema ``fairlattice/audit/1``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fairlattice.exceptions import UndefinedRateError
from fairlattice.metrics import Audit, AuditSeries, Change, Claim, GroupScore, LevelingDown, Pair, WorseOff
from fairlattice.report._summary import Summary, attribute_rows, change_row, empty_groups, group_row, versions

_MOST_CLAIMED = 4  # rates: of more classes, claims and levels would drown the rest


def audit_summary(
    audit: Audit,
    data: Mapping[str, Any],
    *,
    leveling: LevelingDown | None = None,
    scores: Sequence[GroupScore] | None = None,
    series: AuditSeries | None = None,
) -> Summary:
    """An audit as plain data, schema ``fairlattice/audit/1``; what it was not asked for is left out."""
    classes = audit.counts.classes
    rates = dict.fromkeys([*audit.rates, *(f"recall:{c}" for c in classes if len(classes) > 2)])
    judged = ("tpr", "tnr") if audit.positive is not None else [r for r in rates if r.startswith("recall:")]
    measures = {rate: _measure(audit, rate) for rate in rates}
    notions = ["equal_opportunity", "equalized_odds", "demographic_parity"]
    summary = {
        "schema": "fairlattice/audit/1",
        "data": {**data, "classes": list(classes), "positive": audit.positive},
        "settings": {
            key: getattr(audit, key)
            for key in (
                "alpha",
                "smoothing",
                "confidence",
                "interval",
                "min_size",
                "on_small",
                "random_state",
            )
        },
        "versions": versions(),
        "attributes": attribute_rows(audit.counts.lattice),
        "n": audit.counts.n,
        "excluded": audit.counts.excluded,
        "weighted": audit.counts.weights is not None,
        "accuracy": audit.overall("accuracy").rate,
        "balanced_accuracy": audit.balanced_accuracy,
        "measures": measures,
        "notions": {
            notion: {kind: _disparity(audit, notion, kind) for kind in ("df", "if")}
            for notion in (notions if audit.positive is not None else ["equalized_odds"])
        },
        "pairs": [_pair(p) for rate in measures for p in audit.pairs(rate)],
        "levels": {
            rate: [group_row(g) for g in audit.worst_by_level(rate)] for rate in list(judged)[:_MOST_CLAIMED]
        },
        "worse_off": [
            {"measure": rate, **_worse(w)}
            for rate in list(judged)[:_MOST_CLAIMED]
            for w in audit.worse_off(rate)
        ],
        "claims": [_claim(c) for rate in list(judged)[:_MOST_CLAIMED] for c in _claims(audit, rate)],
        "small_groups": [asdict(s) for s in audit.small],
        "empty_groups": empty_groups(audit.counts.lattice, audit.counts.codes),
    }
    if leveling is not None:
        summary["leveling_down"] = _leveling(leveling)
    if scores is not None:
        summary["scores"] = [asdict(s) for s in scores]
    if series is not None:
        summary["series"] = _series(series)
    return summary


def _measure(audit: Audit, rate: str) -> Summary:
    summary: Summary = {kind: _disparity(audit, rate, kind) for kind in ("df", "if")}
    try:
        smoothed = [v for v in audit.smoothed(rate) if v is not None]
        for name, pick, g in (("worst", min, audit.worst(rate)), ("best", max, audit.best(rate))):
            value = pick(smoothed)
            low, high = min(g.low, value), max(g.high, value)
            summary[name] = {"value": value, "low": low, "high": high, "group": g.group}
        pooled: list[Summary | None] = [
            {"rate": g.rate, "low": g.low, "high": g.high} for g in audit.pooled(rate)
        ]
        worst: list[float | None] = list(audit.probability_worst(rate))
    except UndefinedRateError:
        summary |= {"worst": None, "best": None}
        pooled, worst = [None] * len(audit.groups), [None] * len(audit.groups)
    rows = zip(audit.by_group(rate), pooled, worst, strict=True)
    summary["by_group"] = [{**group_row(g), "pooled": p, "probability_worst": w} for g, p, w in rows]
    summary["undefined"] = list(audit.undefined(rate))
    return summary


def _disparity(audit: Audit, measure: str, kind: str) -> Summary | None:
    try:
        d = audit.disparity(measure, kind=kind)
    except UndefinedRateError:
        return None
    return {key: getattr(d, key) for key in ("value", "low", "high", "corrected", "p_value")}


def _pair(p: Pair) -> Summary:
    return {
        "measure": p.rate,
        "worse": p.worse,
        "better": p.better,
        "df": p.df,
        "df_low": p.df_low,
        "df_high": p.df_high,
        "if": p.if_,
        "if_low": p.if_low,
        "if_high": p.if_high,
    }


def _worse(w: WorseOff) -> Summary:
    return {
        "group": w.group,
        "n": w.n,
        "rate": w.rate,
        "difference": {"value": w.difference, "low": w.low, "high": w.high},
        "hidden": w.hidden,
    }


def _claims(audit: Audit, rate: str) -> Sequence[Claim]:
    try:
        return audit.claims(rate)
    except UndefinedRateError:
        return ()


def _claim(c: Claim) -> Summary:
    return {
        "statement": c.statement,
        "measure": c.rate,
        "group": c.group,
        "verdict": c.verdict,
        "estimate": {"value": c.estimate, "low": c.low, "high": c.high},
        "rows_needed": c.rows_needed,
    }


def _leveling(found: LevelingDown) -> Summary:
    groups = [
        change_row(
            c,
            difference={"value": c.difference, "low": c.low, "high": c.high},
            lost=c.lost,
            gained=c.gained,
            n=c.n,
            rows_needed=c.rows_needed,
        )
        for c in found.changes
    ]
    return {"verdict": found.verdict, "by_rate": dict(found.by_rate), "groups": groups}


def _series(series: AuditSeries) -> Summary:
    return {
        "by": series.by,
        "periods": [
            {
                "period": period,
                "n": audit.counts.n,
                "equalized_odds": {kind: _disparity(audit, "equalized_odds", kind) for kind in ("df", "if")},
            }
            for period, audit in series.audits.items()
        ],
        "changes": [series_change(c) for c in series.changes],
    }


def series_change(c: Change) -> Summary:
    """Something that changed over time."""
    return {
        "period": c.period,
        "since": c.since,
        "kind": c.kind,
        "measure": c.rate,
        "group": c.group,
        "difference": {"value": c.difference, "low": c.low, "high": c.high},
    }
