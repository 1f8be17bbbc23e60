"""The section of selection rates: every group's rate as a share of that of those it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.metrics._shared import FOUR_FIFTHS, rate_phrases
from fairlattice.report._charts import BLUE, GREY, RED, Kind
from fairlattice.report._charts_kinds import MOST_ROWS, Row, row_chart
from fairlattice.report._page_answer import STYLE
from fairlattice.report._page_blocks import (
    Column,
    Figure,
    Section,
    Table,
    Text,
    group_cells,
    group_columns,
    interval_cells,
)
from fairlattice.report._page_words import (
    TINY,
    cut,
    group_name,
    group_text,
    number,
    percent,
    rate_text,
    rows_word,
    shown,
    undirected,
    whole,
)

Summary = Mapping[str, Any]
_END = 1.25
_KINDS = (
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
    _, what = rate_phrases(found["rate"], summary["data"], STYLE)
    intro = Markup(
        "Who {}: every group's share, divided by that of {}. Four fifths is the rule of thumb of the Uniform "
        "Guidelines; the verdict is “not enough data” where the interval contains .8. The intervals of all groups hold "
        "together."
    ).format(what, _compared_with(found, known))
    charts = [Figure(_chart(summary, found["rate"], ranked))] if ranked else []
    rows = [
        [
            *group_cells(summary, g["group"]),
            whole(g["n"]),
            number(g["rate"]),
            number(g["ratio"], 2),
            *interval_cells(
                g["low"] if g["ratio"] is not None else None, g["high"] if g["ratio"] is not None else None, 2
            ),
            g["verdict"] if g["ratio"] is not None else "",
        ]
        for g in [*ranked, *(g for g in found["by_group"] if g["ratio"] is None)]
    ]
    columns = [
        *group_columns(summary),
        *(Column(t, "number") for t in ("people", "rate", "ratio", "low", "high")),
        Column("below four fifths?", "verdict"),
    ]
    table = Table(
        "table-ratios", Markup("Selection rates and ratios of {:,} groups").format(len(rows)), columns, rows
    )
    return Section("ratios", "Selection rates and four fifths", [Text(intro), *charts, table])


def _compared_with(found: Summary, known: list[Summary]) -> Markup:
    if found["reference"] == "others":
        return Markup("everyone else")
    if not isinstance(found["reference"], str):
        return Markup("the reference group, {}").format(group_name(found["reference"]))
    return (
        Markup("the best-off group, {}").format(group_name(known[0]["against"]))
        if known
        else Markup("the best")
    )


def _chart(summary: Summary, rate: str, ranked: list[Summary]) -> Any:
    end = max(_END, *(1.05 * g["ratio"] for g in ranked[:MOST_ROWS]))
    leaf = len(summary["attributes"])
    rows = [
        Row(
            label=group_text(g["group"], levels_only=len(g["group"]) == leaf, most=44),
            value=g["ratio"],
            low=g["low"],
            high=end if g["high"] is None else g["high"],
            told=f"{group_text(g['group'], most=200)}\nratio {number(g['ratio'], 2)}, {rate_text(rate)} "
            f"{number(g['rate'])}\n{rows_word(g['n'])}",
            kind=0 if g["verdict"] == "yes" else 2 if g["n"] < TINY else 1,
            end=whole(g["n"]),
        )
        for g in ranked
    ]
    less = f" The {MOST_ROWS} lowest of {len(rows):,}; the table has all." if len(rows) > MOST_ROWS else ""
    about = (
        f"Points are ratios, lines their {percent(summary['settings']['confidence'])} intervals; the dashed line is "
        f"four fifths.{less}"
    )
    return row_chart(
        "ratios",
        "Ratios of selection rates, lowest first",
        about,
        rows,
        _KINDS,
        axis="ratio",
        label_title=cut(" · ".join(undirected(cut(shown(a["name"]), 20)) for a in summary["attributes"]), 44),
        end_title="people",
        domain=(0.0, round(end, 2)),
        reference=FOUR_FIFTHS,
    )
