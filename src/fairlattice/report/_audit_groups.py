"""Groups in the document of an audit: selection rates with their ratios, and every rate, worst groups first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlattice.metrics._shared import FOUR_FIFTHS, needed_words, rate_phrases
from fairlattice.report._charts import BLUE, GREY, RED, Chart, Kind
from fairlattice.report._charts_kinds import MOST_ROWS, Row, row_chart
from fairlattice.report._document import (
    Block,
    Column,
    Figure,
    GroupName,
    Heading,
    Line,
    Rows,
    Section,
    Summary,
    Table,
    Text,
    span,
)
from fairlattice.report._words import (
    STYLE,
    TINY,
    attributes_title,
    capitalized,
    group_column,
    group_text,
    key,
    leaf_label,
    number,
    numbers,
    percent,
    rate_name,
    rate_text,
    rows_word,
    whole,
)

_Claims = Mapping[Any, Summary]  # by the group that each is about
_MOST_ROWS_IN_ALL = 20_000
_RATIO_END = 1.25
_KINDS = (
    Kind("worse off than others", RED, "triangle-down"),
    Kind("not worse, or not shown to be", BLUE),
    Kind(f"fewer than {TINY} rows", GREY, "circle", filled=False),
)
_RATIO_KINDS = (
    Kind("below four fifths", RED, "triangle-down"),
    Kind("not below, or not shown to be", BLUE),
    Kind(f"fewer than {TINY} people", GREY, "circle", filled=False),
)


def ratio_section(summary: Summary) -> Section | None:
    """Selection rates, their ratios, and which are below four fifths."""
    found = summary["impact_ratios"]
    if found is None:
        return None
    known = [g for g in found["by_group"] if g["ratio"] is not None]
    ranked = sorted(known, key=lambda g: (g["ratio"], -g["n"]))
    what, against = rate_phrases(found["rate"], summary["data"], STYLE)[1], _compared_with(found, known)
    intro = Line(
        "Who {}: every group's share, divided by that of {}. Four fifths is the rule of thumb of the Uniform "
        "Guidelines; the verdict is “not enough data” where the interval contains .8. The intervals of all groups hold "
        "together."
    ).format(what, against)
    charts = [Figure(_ratio_chart(summary, found["rate"], ranked))] if ranked else []
    rows = Rows(_ratio_row, [*ranked, *(g for g in found["by_group"] if g["ratio"] is None)])
    sure = f"{percent(summary['settings']['confidence']):>4}"
    columns = [
        group_column(summary, "group"),
        Column("people", "whole", "n"),
        Column("rate", "number", "rate"),
        Column("ratio", "number", "ratio", digits=2),
        *numbers("low", "high", digits=2),
        Column("", "bar", f"0  {sure} intv.   {_RATIO_END:g}", end=_RATIO_END),
        Column("below four fifths?", "verdict", "below .8?"),
    ]
    title = Line("Selection rates and ratios of {:,} groups").format(len(rows))
    brief = Line("who {}: ratio to {}").format(what, against)
    table = Table("table-ratios", title, columns, rows, brief=brief)
    return Section("ratios", "Selection rates and four fifths", [Text(intro), *charts, table])


def _ratio_row(g: Summary) -> list[Any]:
    if g["ratio"] is None:
        return [g["group"], g["n"], g["rate"], None, None, None, None, Line()]
    high = _RATIO_END if g["high"] is None else g["high"]
    bar = (g["low"], g["ratio"], high)
    return [g["group"], g["n"], g["rate"], g["ratio"], g["low"], g["high"], bar, g["verdict"]]


def _compared_with(found: Summary, known: list[Summary]) -> Line:
    if found["reference"] == "others":
        return Line("everyone else")
    if not isinstance(found["reference"], str):
        return Line("the reference group, ", GroupName(found["reference"]))
    best = Line("the best-off group")
    return best + Line(", ", GroupName(known[0]["against"])) if known else best


def _ratio_chart(summary: Summary, rate: str, ranked: list[Summary]) -> Chart:
    lowest = ranked[:MOST_ROWS]
    end = max(_RATIO_END, *(1.05 * g["ratio"] for g in lowest))
    rows = [
        Row(
            label=leaf_label(summary, g["group"]),
            value=g["ratio"],
            low=g["low"],
            high=end if g["high"] is None else g["high"],
            tip=f"{group_text(g['group'], most=200)}\nratio {number(g['ratio'], 2)}, {rate_text(rate)} "
            f"{number(g['rate'])}\n{rows_word(g['n'])}",
            kind=0 if g["verdict"] == "yes" else 2 if g["n"] < TINY else 1,
            end=whole(g["n"]),
        )
        for g in lowest
    ]
    return row_chart(
        "ratios",
        "Ratios of selection rates, lowest first",
        f"Points are ratios, lines their {percent(summary['settings']['confidence'])} intervals; the dashed line is "
        f"four fifths.{_less(ranked)}",
        rows,
        _RATIO_KINDS,
        axis="ratio",
        label_title=attributes_title(summary),
        end_title="people",
        domain=(0.0, round(end, 2)),
        reference=FOUR_FIFTHS,
    )


def _less(rows: list[Any]) -> str:
    return f" The {MOST_ROWS} lowest of {len(rows):,}; the table has all." if len(rows) > MOST_ROWS else ""


def ranked_section(summary: Summary) -> Section:
    """Every rate of every group, those of the notion first."""
    of_notion = list(summary["judged"])[:4]
    rates = list(dict.fromkeys([*of_notion, *summary["measures"]]))
    room = _MOST_ROWS_IN_ALL // max(len(summary["measures"][rates[0]]["by_group"]), 1) if rates else 0
    blocks: list[Block] = []
    for place, rate in enumerate(rates[: max(room, len(of_notion))]):
        who, what = rate_phrases(rate, summary["data"], STYLE)
        blocks.append(Heading(rate_name(rate).capitalized()))
        blocks.append(Text(Line("Of people{}, the share who {}.").format(who, what)))
        ranked, claims = _defined(summary, rate), _claims(summary, rate)
        if rate in of_notion and ranked:
            blocks.append(Figure(_group_chart(summary, rate, place, ranked, claims)))
        blocks.append(_group_table(summary, rate, place, of_notion, ranked, claims))
    left = len(rates) - max(room, len(of_notion))
    if left > 0:
        blocks.append(Text(Line("{:,} more rates are in the JSON report.").format(left)))
    return Section("groups", "Groups, worst first", blocks)


def _defined(summary: Summary, rate: str) -> list[Summary]:
    rows = [g for g in summary["measures"][rate]["by_group"] if g["rate"] is not None]
    return sorted(rows, key=lambda g: (g["rate"], -g["n"]))


def _claims(summary: Summary, rate: str) -> _Claims:
    return {key(c["group"]): c for c in summary["claims"] if c["group"] is not None and c["measure"] == rate}


def _surely_worse(summary: Summary, rate: str, claims: _Claims) -> set[Any]:
    found = {key(w["group"]) for w in summary["worse_off"] if w["measure"] == rate}
    return found | {k for k, c in claims.items() if c["verdict"] == "yes"}


def _group_chart(summary: Summary, rate: str, place: int, rows: list[Summary], claims: _Claims) -> Chart:
    worse = _surely_worse(summary, rate, claims)
    levels = summary["levels"].get(rate, ())
    everyone = next((g for g in levels if not g["group"] and g["rate"] is not None), None)
    marks = [
        Row(
            label=leaf_label(summary, g["group"]),
            value=g["rate"],
            low=g["low"],
            high=g["high"],
            tip=f"{group_text(g['group'], most=200)}\n{rate_text(rate)} {number(g['rate'])}, between "
            f"{number(g['low'])} and {number(g['high'])}\n{rows_word(g['n'])}",
            kind=0 if key(g["group"]) in worse else 2 if g["n"] < TINY else 1,
            end=whole(g["n"]),
        )
        for g in rows[:MOST_ROWS]
    ]
    words = rate_text(rate)
    line = f" The dashed line is everyone: {number(everyone['rate'])}." if everyone else ""
    sure = percent(summary["settings"]["confidence"])
    return row_chart(
        f"groups-{place}",
        f"{capitalized(words)} of every group, lowest first",
        f"Points are rates, lines their {sure} intervals.{line}{_less(rows)}",
        marks,
        _KINDS,
        axis=words,
        label_title=attributes_title(summary),
        reference=everyone["rate"] if everyone else None,
    )


def _group_table(
    summary: Summary, rate: str, place: int, of_notion: list[str], ranked: list[Summary], claims: _Claims
) -> Table:
    undefined = [g for g in summary["measures"][rate]["by_group"] if g["rate"] is None]
    rows = Rows(lambda g: _group_row(g, claims), [*ranked, *undefined])
    sure = f"{percent(summary['settings']['confidence']):>4}"
    columns = [
        group_column(summary, "group"),
        Column("rows", "whole", "n"),
        Column("rate", "number", "rate"),
        *numbers("low", "high"),
        Column("0 to 1", "bar", f"0   {sure} interval   1"),
        *numbers("best guess"),
        *([Column("worse than others?", "verdict"), Column("needed", "number")] if claims else []),
        Column("note"),
    ]
    who, what = rate_phrases(rate, summary["data"], STYLE)
    weighted = ", as their effective number, since rows are weighted" if summary.get("weighted") else ""
    note = Line(
        "Rows: those that the rate is about, people{}{}. Best guess: the rate shrunk towards those of kindred groups, "
        "better for tiny ones."
    ).format(who, weighted)
    if claims:
        note += Line(
            " Worse than others: {}? Needed: about how many of them would settle it, where that is no more than 20 "
            "times what there is."
        ).format(_margin(claims))
    # The table of ratios has the selection rate already.
    ratios = (summary["impact_ratios"] or {}).get("rate")
    brief = Line("{}: people{}, who {}; worst groups first").format(rate_name(rate), who, what)
    title = Line("{} of {:,} groups").format(rate_name(rate).capitalized(), len(rows))
    shown = brief if rate in of_notion and rate != ratios else None
    return Table(f"table-groups-{place}", title, columns, rows, place > 0, note, shown)


def _group_row(g: Summary, claims: _Claims) -> list[Any]:
    c = claims.get(key(g["group"]))
    mark = "undefined" if not g["n"] else "tiny" if g["n"] < TINY else ""
    known = g["rate"] is not None
    return [
        g["group"],
        g["n"],
        g["rate"],
        *((g["low"], g["high"]) if known else (None, None)),
        (g["low"], g["rate"], g["high"]) if known else None,
        (g.get("pooled") or {}).get("rate"),
        *([c["verdict"] if c else "", needed_cell(c)] if claims else []),
        span("mark", mark) if mark else Line(),
    ]


def needed_cell(found: Summary | None) -> str | None:
    """About how many rows would settle it, for a table."""
    return None if found is None or found["needed"] is None else needed_words(found["needed"])


def _margin(claims: _Claims) -> str:
    """What the claims say, without the rate's short name."""
    statement = str(next(iter(claims.values()))["statement"])
    return "m" + statement.split(" m", 1)[1] if " more than " in statement else statement
