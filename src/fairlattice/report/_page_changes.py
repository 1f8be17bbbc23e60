"""Sections about change: between two models, and over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from fairlattice.metrics._shared import notion_words
from fairlattice.report._charts import GREEN, GREY, RED, Kind
from fairlattice.report._charts_kinds import MOST_ROWS, Moment, Row, row_chart, time_chart
from fairlattice.report._page_answer import needed_cell
from fairlattice.report._page_blocks import (
    Column,
    Figure,
    Section,
    Table,
    Text,
    group_cells,
    group_columns,
    interval_cells,
    verdict,
)
from fairlattice.report._page_words import (
    cut,
    group_name,
    group_text,
    name,
    number,
    percent,
    range_text,
    rate_name,
    rate_text,
    rows_word,
    shown,
    undirected,
    whole,
)

Summary = Mapping[str, Any]
_CHANGES = (
    Kind("fell beyond noise", RED, "triangle-down"),
    Kind("rose beyond noise", GREEN, "triangle-up"),
    Kind("within noise", GREY),
)
_BEFORE = Kind("before", "currentColor", "circle", filled=False)


def leveling_section(summary: Summary) -> Section | None:
    """Before and after: every group's rate under the baseline and now."""
    found = summary.get("leveling_down")
    if found is None:
        return None
    told = Markup(", ").join(
        Markup("{} {}").format(rate_name(r), verdict(v)) for r, v in found["by_rate"].items()
    )
    intro = Markup(
        "Leveling down means: fairer by a measure, while the worst-off group fares worse than before. "
        "Verdict: {}{}. A change counts as beyond noise if its interval, which allows for all the groups "
        "looked at, leaves out 0."
    ).format(verdict(found["verdict"]), Markup(" ({})").format(told) if told else "")
    if not found["groups"]:
        return Section("leveling", "Before and after", [Text(intro)])
    return Section(
        "leveling",
        "Before and after",
        [
            Text(intro),
            Figure(_change_chart(found)),
            _change_table(summary, found, "table-leveling", "Every group, the greatest loss first"),
        ],
    )


def harm_section(summary: Summary) -> Section | None:
    """Whose rate fell against the baseline, at any level of the lattice."""
    found = summary.get("harm")
    if found is None:
        return None
    by = f" by more than {found['tolerance']:g}" if found["tolerance"] else ""
    intro = Markup(
        "Harm means: some group's rate fell{} against the baseline, whatever measures of fairness do. Groups of every "
        "level are looked at, and all intervals hold together: if nothing had changed, any group would be reported in "
        "at most {} of cases. Verdict: {}."
    ).format(by, percent(round(1 - summary["settings"]["confidence"], 6)), verdict(found["verdict"]))
    table = _change_table(summary, found, "table-harm", "Groups of every level, the greatest loss first")
    return Section("harm", "Harm against the baseline", [Text(intro), *([table] if found["groups"] else [])])


def _change_kind(c: Summary) -> int:
    return 0 if c["lost"] else 1 if c["gained"] else 2


def _short(rate: str) -> str:
    return cut(rate_text(rate), 16) if rate.startswith("recall:") else rate


def _change_told(c: Summary) -> str:
    d = c["difference"]
    return (
        f"{group_text(c['group'], most=200)}\n{rate_text(c['measure'])} {number(c['before'])} → "
        f"{number(c['after'])}\nchange {number(d['value'], signed=True)}, "
        f"{range_text(d['low'], d['high'], signed=True)}"
    )


def _change_chart(found: Summary) -> Any:
    """The losses, then the gains, each the greatest first; what is within noise comes last."""
    groups = sorted(found["groups"], key=lambda c: (_change_kind(c), -abs(c["difference"]["value"])))
    rows = [
        Row(
            label=f"{group_text(c['group'], levels_only=True, most=38)} {_short(c['measure'])}",
            value=c["after"],
            low=c["before"] + c["difference"]["low"],
            high=c["before"] + c["difference"]["high"],
            told=_change_told(c),
            kind=_change_kind(c),
            end=number(c["difference"]["value"], signed=True),
            start=c["before"],
        )
        for c in groups
    ]
    less = f" The first {MOST_ROWS} of {len(rows):,}; the table has all." if len(rows) > MOST_ROWS else ""
    about = (
        "Losses first. Hollow points are rates before, filled ones after; lines are where the data allow the "
        f"latter to be.{less}"
    )
    return row_chart(
        "leveling",
        "What changed for every group",
        about,
        rows,
        _CHANGES,
        axis="rate",
        end_title="change",
        starts=_BEFORE,
    )


def _change_table(summary: Summary, found: Summary, name_: str, title: str) -> Table:
    rows = [
        [
            *group_cells(summary, c["group"]),
            rate_name(c["measure"]),
            whole(c["n"]),
            number(c["before"]),
            number(c["after"]),
            number(c["difference"]["value"], signed=True),
            *interval_cells(c["difference"]["low"], c["difference"]["high"], signed=True),
            [
                verdict("fell", tone="bad"),
                verdict("rose", tone="good"),
                verdict("within noise", tone="unsure"),
            ][_change_kind(c)],
            needed_cell(c),
        ]
        for c in found["groups"]
    ]
    columns = [
        *group_columns(summary),
        Column("rate"),
        *(Column(t, "number") for t in ("rows", "before", "after", "change", "low", "high")),
        Column("beyond noise?"),
        Column("needed", "number"),
    ]
    return Table(name_, Markup(title), columns, rows, folded=True)


def series_section(summary: Summary) -> Section | None:
    """Unfairness over periods, and what changed beyond noise."""
    series = summary.get("series")
    if series is None:
        return None
    alpha, by = f"IF{summary['settings']['alpha']:g}", name(series["by"])
    figures = [
        Figure(_series_chart(series, kind, words))
        for kind, words in (("if", alpha), ("df", "DF"))
        if any(p[series["notion"]][kind] is not None for p in series["periods"])
    ]
    rows = [
        [
            p["period"],
            whole(p["n"]),
            *_corrected(p[series["notion"]]["if"]),
            *_corrected(p[series["notion"]]["df"]),
        ]
        for p in series["periods"]
    ]
    titles = ("rows", f"{alpha} corrected", "low", "high", "DF corrected", "low", "high")
    columns = [Column(Markup("{}").format(by)), *(Column(t, "number") for t in titles)]
    table = Table(
        "table-series",
        Markup("Unfairness ({}) by {}").format(notion_words(series["notion"]), by),
        columns,
        rows,
        folded=True,
    )
    count = len(series["changes"])
    intro = Markup("By {}. Small is fair. Changes beyond noise: {:,}.").format(by, count)
    return Section("series", "Over time", [Text(intro), *figures, table, *changes_table(series["changes"])])


def _corrected(d: Summary | None) -> list[str]:
    return ["–"] * 3 if d is None else [number(d["corrected"]), number(d["low"]), number(d["high"])]


def _series_chart(series: Summary, kind: str, words: str) -> Any:
    moments = []
    for p in series["periods"]:
        d = p[series["notion"]][kind] or {"corrected": None, "low": None, "high": None}
        label = undirected(cut(shown(p["period"]), 12))
        between = range_text(d["low"], d["high"])
        told = f"{label}\n{words} {number(d['corrected'])}, {between}\n{rows_word(p['n'])}"
        moments.append(Moment(label, d["corrected"], d["low"], d["high"], told))
    return time_chart(
        f"series-{kind}",
        f"Unfairness over time: {words} of {notion_words(series['notion'])}",
        "Points are figures corrected for small groups, upright lines their intervals.",
        moments,
        y_title=f"{words}, corrected",
    )


def changes_table(changes: Sequence[Summary]) -> list[Any]:
    """What changed beyond noise, as a table; nothing where nothing did."""
    what = {
        "composition": "share of all rows",
        "rate": "rate of everyone",
        "fairness": "rate beside everyone else's",
    }
    rows = [
        [
            c["period"],
            c["since"],
            what.get(c["kind"], c["kind"]),
            rate_name(c["measure"]) if c["measure"] else Markup("–"),
            group_name(c["group"]),
            number(c["difference"]["value"], signed=True),
            *interval_cells(c["difference"]["low"], c["difference"]["high"], signed=True),
        ]
        for c in changes
    ]
    columns = [
        *(Column(t) for t in ("period", "compared with, from", "what", "rate", "group")),
        *(Column(t, "number") for t in ("change", "low", "high")),
    ]
    return [Table("table-changes", Markup("Changes beyond noise"), columns, rows)] if rows else []
