"""An audit as plain data, schema ``fairlattice/audit/2``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from fairlattice.exceptions import UndefinedRateError
from fairlattice.groups import GroupCounts, GroupTable
from fairlattice.metrics import (
    Audit,
    AuditSeries,
    Change,
    Claim,
    GroupChange,
    GroupScore,
    Harm,
    LevelingDown,
    Needed,
    Pair,
    WorseOff,
)
from fairlattice.metrics._shared import (
    RateColumns,
    columns_of,
    compute_ahead,
    pooled_columns,
    smoothed_extreme,
    verdict_sentence,
)
from fairlattice.report._summary import (
    Summary,
    attribute_rows,
    change_row,
    empty_groups,
    fields_of,
    group_row,
    versions,
)

_MOST_CLAIMED = 4  # rates: of more classes, claims and levels would drown the rest
_MOST_COARSER = 3_000  # groups that a page embeds
_SETTINGS = ("alpha", "smoothing", "confidence", "interval", "min_size", "on_small", "random_state")


def audit_summary(
    audit: Audit,
    data: Mapping[str, Any],
    *,
    leveling: LevelingDown | None = None,
    harm: Harm | None = None,
    scores: Sequence[GroupScore] | None = None,
    series: AuditSeries | None = None,
    gates: Sequence[Mapping[str, Any]] | None = None,
) -> Summary:
    """An audit as plain data, schema ``fairlattice/audit/2``; what it was not asked for is left out.

    Parameters
    ----------
    audit : Audit
        The audit.
    data : mapping
        What the data are: name and rows, and where known label, prediction, baseline, date, sha256.
    leveling, harm, scores, series
        What else was found.
    gates : sequence of mapping, optional
        What became of the gates, each with the keys of ``fairlattice/gate/1``.

    Notes
    -----
    ``verdicts``: a list of objects with the keys of :class:`fairlattice.metrics.Verdict` and ``sentence``, the answer
    first. ``impact_ratios``: ``rate``, ``reference`` and, in ``by_group``, the fields of
    :class:`fairlattice.metrics.ImpactRatio`. ``harm``: ``verdict``, ``tolerance``, ``groups``. ``coarser``: by rate,
    groups of all levels between everyone and the leaves, as sums of all rows.
    """
    classes, labelled = audit.counts.classes, audit.counts.labelled
    per_class = [f"recall:{c}" for c in classes if len(classes) > 2 and labelled]
    rates = dict.fromkeys([*audit.rates, *per_class])
    judged = list(audit.judged)
    few = judged[:_MOST_CLAIMED]
    compute_ahead(audit, list(rates))
    measures = {rate: _measure(audit, rate) for rate in rates}
    words = {
        **audit.words,
        **{key: data[key] for key in ("label", "prediction") if data.get(key) is not None},
    }
    verdicts = [asdict(v) for v in audit.verdicts(harm=harm, leveling=leveling)]
    summary = {
        "schema": "fairlattice/audit/2",
        "data": {**data, **words},
        "settings": {
            **{key: getattr(audit, key) for key in _SETTINGS},
            "notion": audit.notion,
            "favourable": words["favourable"],
            "reference": dict(audit.reference) if isinstance(audit.reference, Mapping) else audit.reference,
            "min_share": audit.min_share,
            "assumed": list(audit.task.assumed),
        },
        "versions": versions(),
        "attributes": attribute_rows(audit.counts.lattice),
        "n": audit.counts.n,
        "excluded": audit.counts.excluded,
        "weighted": audit.counts.weights is not None,
        "labelled": labelled,
        "judged": judged,
        "verdicts": [{**v, "sentence": verdict_sentence(v, words, audit.confidence)} for v in verdicts],
        "impact_ratios": _ratios(audit),
        "accuracy": audit.overall("accuracy").rate if labelled else None,
        "balanced_accuracy": audit.balanced_accuracy,
        "measures": measures,
        "notions": {n: {kind: _disparity(audit, n, kind) for kind in ("df", "if")} for n in _notions(audit)},
        "pairs": [_pair(p) for rate in measures for p in audit.pairs(rate)],
        "levels": {rate: [group_row(g) for g in audit.worst_by_level(rate)] for rate in few},
        "worse_off": [{"measure": rate, **_worse(w)} for rate in few for w in audit.worse_off(rate)],
        "claims": [_claim(c) for rate in few for c in _claims(audit, rate)],
        "coarser": _coarser(audit, list(rates)),
        "small_groups": [fields_of(s) for s in audit.small],
        "empty_groups": empty_groups(audit.counts.lattice, audit.counts.codes),
    }
    if leveling is not None:
        summary["leveling_down"] = _leveling(leveling)
    if harm is not None:
        changes = [_change(c) for c in harm.changes]
        summary["harm"] = {"verdict": harm.verdict, "tolerance": harm.tolerance, "groups": changes}
    if scores is not None:
        summary["scores"] = [fields_of(s) for s in scores]
    if series is not None:
        summary["series"] = _series(series)
    if gates:
        summary["gates"] = [dict(gate) for gate in gates]
    return summary


def _notions(audit: Audit) -> list[str]:
    """The notions that are given a figure: the one chosen first."""
    if not audit.counts.labelled:
        known = ["demographic_parity"]
    elif audit.selection is None:
        known = ["equalized_odds"]
    else:
        known = ["equal_opportunity", "equalized_odds", "demographic_parity"]
    return list(dict.fromkeys([audit.notion, *known]))


def _ratios(audit: Audit) -> Summary | None:
    """Selection rates as shares of those whom groups are compared with."""
    if audit.selection is None:
        return None
    rows = [fields_of(r) for r in audit.impact_ratios()]
    for row in rows:
        row["high"] = None if row["high"] == float("inf") else row["high"]
    reference = dict(audit.reference) if isinstance(audit.reference, Mapping) else audit.reference
    return {"rate": audit.selection, "reference": reference, "by_group": rows}


def _coarser(audit: Audit, rates: Sequence[str]) -> Summary:
    """Groups of every set of attributes but all, by rate; larger sets are left out once there are too many."""
    names = audit.counts.lattice.names
    sets = [fixed for size in range(len(names)) for fixed in combinations(names, size)]
    kept: list[GroupCounts] = []
    total = 0
    for fixed in sets:
        rolled = audit.counts.rollup(fixed)
        total += len(rolled.codes)
        if total > _MOST_COARSER:
            break
        kept.append(rolled)
    table = GroupTable.joined(kept)
    by_rate = {rate: _rows(columns_of(audit, rate, table)) for rate in rates}
    return {"complete": len(kept) == len(sets), "by_rate": by_rate}


def _rows(columns: RateColumns) -> list[Summary]:
    """Rates of groups as :func:`group_row` writes each."""
    listed = zip(columns.group, columns.n, columns.rate, columns.low, columns.high, strict=True)
    return [{"group": g, "n": n, "rate": r, "low": low, "high": high} for g, n, r, low, high in listed]


def _measure(audit: Audit, rate: str) -> Summary:
    summary: Summary = {kind: _disparity(audit, rate, kind) for kind in ("df", "if")}
    try:
        for name in ("worst", "best"):
            value, g = smoothed_extreme(audit, rate, lowest=name == "worst")
            low, high = min(g.low, value), max(g.high, value)
            summary[name] = {"value": value, "low": low, "high": high, "group": g.group}
        shrunk = pooled_columns(audit, rate)
        pooled: list[Summary | None] = [
            {"rate": r, "low": low, "high": high}
            for r, low, high in zip(shrunk.rate, shrunk.low, shrunk.high, strict=True)
        ]
        worst: list[float | None] = list(audit.probability_worst(rate))
    except UndefinedRateError:
        summary |= {"worst": None, "best": None}
        pooled, worst = [None] * len(audit.groups), [None] * len(audit.groups)
    rows = zip(_rows(columns_of(audit, rate)), pooled, worst, strict=True)
    summary["by_group"] = [{**row, "pooled": p, "probability_worst": w} for row, p, w in rows]
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
        **_needed(c.needed),
    }


def _needed(needed: Needed | None) -> Summary:
    """How many rows would tell: with even chances and nine in ten, as a range; and the latter alone."""
    if needed is None:
        return {"needed": None, "rows_needed": None}
    return {"needed": fields_of(needed), "rows_needed": needed.high}


def _leveling(found: LevelingDown) -> Summary:
    groups = [_change(c) for c in found.changes]
    return {"verdict": found.verdict, "by_rate": dict(found.by_rate), "groups": groups}


def _change(c: GroupChange) -> Summary:
    return change_row(
        c,
        difference={"value": c.difference, "low": c.low, "high": c.high},
        lost=c.lost,
        gained=c.gained,
        n=c.n,
        **_needed(c.needed),
    )


def _series(series: AuditSeries) -> Summary:
    notion = next(iter(series.audits.values())).notion
    return {
        "by": series.by,
        "notion": notion,
        "periods": [
            {
                "period": period,
                "n": audit.counts.n,
                notion: {kind: _disparity(audit, notion, kind) for kind in ("df", "if")},
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
