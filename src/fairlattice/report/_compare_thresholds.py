"""Thresholds of groups in a comparison: where each group's scores are cut, and how sure that is."""

from __future__ import annotations

from fairlattice.report._charts import BLUE, Chart, Kind
from fairlattice.report._charts_kinds import MOST_ROWS, Row, row_chart
from fairlattice.report._document import (
    Block,
    Column,
    Figure,
    Line,
    Name,
    Section,
    Summary,
    Table,
    Text,
    table_of,
)
from fairlattice.report._words import (
    attributes_title,
    group_column,
    group_text,
    label_of,
    notion_words,
    number,
    whole,
)

_SAID = (
    "A score above the threshold of its group gets the positive label. Thresholds aim at {}, on out-of-fold scores of "
    "these rows. Intervals are 95 %, by chance among the rows. Deciding by group may be unlawful in credit or hiring."
)


def thresholds_section(summary: Summary) -> Section:
    """The thresholds of every strategy that has one for each group."""
    blocks: list[Block] = []
    for strategy in summary["strategies"]:
        if strategy.get("thresholds"):
            blocks += [
                Figure(_chart(summary, strategy, len(blocks))),
                _table(summary, strategy, len(blocks)),
            ]
    if blocks:
        blocks.insert(0, Text(Line(_SAID.format(notion_words(summary["settings"]["notion"])))))
    return Section("thresholds", "Thresholds by group", blocks)


def _chart(summary: Summary, strategy: Summary, place: int) -> Chart:
    label = label_of(strategy["name"], 20)
    found = sorted(strategy["thresholds"], key=lambda row: row["threshold"])
    rows = [_row(row) for row in found]
    less = f" The {MOST_ROWS} lowest of {len(rows):,}." if len(rows) > MOST_ROWS else ""
    ends = [row[key] for row in found for key in ("low", "high", "threshold")]
    return row_chart(
        f"thresholds-{place}",
        f"Score thresholds of groups under {label}",
        f"Lines are 95 % intervals.{less}",
        rows,
        [Kind(label, BLUE, "circle")],
        axis="score threshold",
        label_title=attributes_title(summary),
        end_title="people",
        domain=(min(0.0, *ends), max(1.0, *ends)),
    )


def _row(found: Summary) -> Row:
    threshold, low, high, n = found["threshold"], found["low"], found["high"], whole(sum(found["rows"]))
    name = group_text(found["group"], most=200)
    tip = f"{name}\n{number(threshold)} ({number(low)} to {number(high)})\n{n} people"
    return Row(group_text(found["group"], levels_only=True, most=44), threshold, low, high, tip, 0, n)


def _table(summary: Summary, strategy: Summary, place: int) -> Table:
    columns = [
        group_column(summary, "group"),
        Column("negatives", "whole", get=lambda row: row["rows"][0]),
        Column("positives", "whole", get=lambda row: row["rows"][1]),
        Column("threshold", "amount", "threshold", get="threshold"),
        Column("low", "amount", get="low"),
        Column("high", "amount", get="high"),
    ]
    title = Line("Score thresholds of {:,} groups under {}").format(
        len(strategy["thresholds"]), Name(strategy["name"])
    )
    return table_of(f"table-thresholds-{place}", title, columns, strategy["thresholds"], folded=True)
