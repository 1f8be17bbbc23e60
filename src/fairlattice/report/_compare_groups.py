"""Groups under every strategy of a comparison: how the worst off fare under each, in a chart and a table."""

from __future__ import annotations

from collections.abc import Sequence

from fairlattice.benchmark._shared import NOTIONS
from fairlattice.report._charts import BLUE, GREEN, ORANGE, RED, Chart, Kind
from fairlattice.report._charts_kinds import Row, row_chart
from fairlattice.report._document import (
    Block,
    Column,
    Figure,
    Heading,
    Line,
    Name,
    Section,
    Summary,
    Table,
    span,
    table_of,
)
from fairlattice.report._words import (
    TINY,
    attributes_title,
    capitalized,
    group_column,
    group_text,
    label_of,
    number,
    rate_name,
    rate_text,
    whole,
)
from fairlattice.strategies._shared import BASELINE

RATES = ("tpr", "tnr")
_MOST_GROUPS = 20
_LOOKS = ((RED, "diamond"), (BLUE, "circle"), (ORANGE, "square"), (GREEN, "triangle-up"))


def figure_of_notion(summary: Summary) -> str:
    """The rate, or notion, that the recommendation goes by."""
    return NOTIONS[summary["settings"]["notion"]].partition(".")[0]


def side_by_side(summary: Summary) -> list[Summary]:
    """The first strategy, the one recommended or weighed, and up to two others: the default, those of one idea."""
    first, *others = summary["strategies"]
    wanted = [summary["recommendation"][key] for key in ("strategy", "considered")]
    leading = [s for s in others if s["name"] in wanted]
    simple = [s for s in others if s.get("default") or s.get("ablations") == [BASELINE]]
    more = [s for s in (simple or others) if s not in leading]
    return [first, *[*leading, *more][: len(_LOOKS) - 1]]


def _place(strategy: Summary, leading: Sequence[Summary]) -> int:
    """Where a strategy stands among the leading ones; after them if it is not one of them."""
    return next((i for i, s in enumerate(leading) if s is strategy), len(leading))


def _worst_rate(summary: Summary) -> str:
    """The rate on which the first strategy is least fair, among those of the notion."""
    rate = figure_of_notion(summary)
    if rate != "equalized_odds":
        return rate
    first = summary["strategies"][0]["estimates"]
    return max(RATES, key=lambda r: first[r]["if"]["median"])


def groups_section(summary: Summary) -> Section:
    """The groups worst off under the first strategy, by rate."""
    blocks: list[Block] = []
    rate = figure_of_notion(summary)
    for place, each in enumerate(RATES if rate == "equalized_odds" else (rate,)):
        blocks.append(Heading(rate_name(each).capitalized()))
        rows = summary["strategies"][0]["by_group"][each]
        order = sorted(range(len(rows)), key=lambda i: (rows[i]["rate"], i))
        if order:
            blocks.append(Figure(_beside_chart(summary, each, order, place)))
        blocks.append(_beside_table(summary, each, order, place))
    return Section("groups", "Groups under every strategy", blocks)


def _beside_chart(summary: Summary, rate: str, order: list[int], place: int) -> Chart:
    chosen = side_by_side(summary)
    kinds = [
        Kind(label_of(s["name"], 20), color, shape) for s, (color, shape) in zip(chosen, _LOOKS, strict=False)
    ]
    first = chosen[0]["by_group"][rate]
    rows = []
    for i in order[:_MOST_GROUPS]:
        g = first[i]
        rates = "\n".join(
            f"{k.label}: {number(s['by_group'][rate][i]['rate'])}" for k, s in zip(kinds, chosen, strict=True)
        )
        tip = f"{group_text(g['group'], most=200)}\n{rates}\n{whole(g['n'])} people"
        label = group_text(g["group"], levels_only=True, most=44)
        rows.append(Row(label, g["rate"], g["low"], g["high"], tip, 0, whole(g["n"])))
    less = f" The {_MOST_GROUPS} worst of {len(order):,}." if len(order) > _MOST_GROUPS else ""
    words = rate_text(rate)
    others = [[s["by_group"][rate][i]["rate"] for i in order[:_MOST_GROUPS]] for s in chosen[1:]]
    return row_chart(
        f"beside-{place}",
        f"{capitalized(words)} of the groups worst off under {kinds[0].label}",
        f"Posterior medians; lines are 95 % intervals under {kinds[0].label}.{less}",
        rows,
        kinds,
        axis=words,
        label_title=attributes_title(summary),
        end_title="people",
        others=others,
    )


def _beside_table(summary: Summary, rate: str, order: list[int], place: int) -> Table:
    strategies = summary["strategies"]
    few = side_by_side(summary)
    first = few[0]["by_group"][rate]
    ranked = sorted(enumerate(strategies), key=lambda pair: _place(pair[1], few))
    title_of = Line(Name(strategies[0]["name"]))
    columns = [
        group_column(summary, "group"),
        Column("people", "whole", "people", get="n"),
        *(Column(title_of + f" {t}", "number", get=t) for t in ("low", "high")),
        *(
            Column(Line(Name(s["name"])), "number", s["name"] if s in few else None, get=f"rates.{i}")
            for i, s in ranked
        ),
        Column("note", get=lambda g: span("mark", "tiny") if g["n"] < TINY else Line()),
    ]
    records = [
        {**first[i], "rates": {str(k): s["by_group"][rate][i]["rate"] for k, s in enumerate(strategies)}}
        for i in order
    ]
    title = Line("{} of {:,} groups under every strategy").format(rate_name(rate).capitalized(), len(order))
    brief = None
    if rate == _worst_rate(summary):
        brief = Line("{} of the groups worst off under {}, posterior medians").format(
            rate_name(rate), Name(strategies[0]["name"])
        )
    return table_of(f"table-beside-{place}", title, columns, records, folded=True, brief=brief)
