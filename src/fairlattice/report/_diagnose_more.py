"""Cells drawn, a later table, and attributes recorded wrongly: what a diagnosis was asked for beyond its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fairlattice.report._audit_changes import changes_table
from fairlattice.report._charts import BLUE, GREY, RED, Kind
from fairlattice.report._charts_kinds import cloud_chart
from fairlattice.report._document import (
    Block,
    Column,
    Figure,
    GroupName,
    Items,
    Line,
    Name,
    Section,
    Summary,
    Table,
    Text,
    table_of,
)
from fairlattice.report._words import group_text, level, name_column, number, numbers, shown, verdict

_MOST_PICTURES = 12
_CLOUDS = {
    "parents": Kind("the parents' rows", GREY, "circle", filled=False),
    "made": Kind("synthetic rows", RED, "triangle-up", filled=False),
    "real": Kind("real rows, held out", BLUE),
}
_WAYS = {"pca": "by principal components", "tsne": "by t-SNE"}
_FIGURES = {
    "tpr.worst": "worst true-positive rate",
    "equalized_odds.if": "IF of equalized odds",
    "equalized_odds.df": "DF of equalized odds",
    "balanced_accuracy": "balanced accuracy",
}


_FITS = {True: verdict("not shown not to", tone="unsure"), False: verdict("no", tone="bad")}


def pictures_section(summary: Summary) -> Section:
    """Cells drawn: real rows, synthetic rows and the parents' rows laid out in two dimensions."""
    found = [(cell, p) for cell in summary["cells"] for p in cell.get("pictures") or ()]
    blocks: list[Block] = []
    for place, (cell, picture) in enumerate(found[:_MOST_PICTURES]):
        rows = {k: picture["points"][k] for k in _CLOUDS if picture["points"].get(k)}
        whom = (
            f"{group_text(cell['group'], most=60)}, label {group_text({'': cell['label']}, levels_only=True)}"
        )
        way = _WAYS.get(picture["method"], shown(picture["method"]))
        title, kinds = f"{whom}: rows laid out {way}", [_CLOUDS[k] for k in rows]
        chart = cloud_chart(f"cell-{place}", title, shown(picture["caption"]), list(rows.values()), kinds)
        blocks.append(Figure(chart))
    if len(found) > _MOST_PICTURES:
        more = f"{len(found) - _MOST_PICTURES:,} more pictures are in the JSON report."
        blocks.append(Text(Line(more)))
    return Section("pictures", "Cells drawn", blocks)


def drift_section(summary: Summary) -> Section:
    """What changed from the table learned from to a later one, and whether synthetic rows still fit."""
    drift, title = summary.get("drift"), "Against a later table"
    if drift is None:
        return Section("drift", title, [])
    columns = [
        Column("group", "group", get="group"),
        name_column("label", "label"),
        Column("rows before", "whole", get="n_earlier"),
        Column("rows later", "whole", get="n_later"),
    ]
    for title_of, which in (("change of real rows", "real"), ("synthetic against later", "made")):
        columns.append(Column(title_of, "number", digits=2, get=f"{which}.effect"))
        columns.append(Column("p corrected", "p", get=f"{which}.p_adjusted"))
    columns.append(Column("do synthetic rows still fit?", get=lambda c: _FITS[bool(c["fits"])]))
    intro = Line("Rows made from the earlier table, against rows of a later one.")
    note = Line("Change: MMD effect, in standard deviations of chance; small is good.")
    cells = drift["cells"]
    later = (
        [table_of("table-drift", Line("Cells, then and later"), columns, cells, note=note)] if cells else []
    )
    items = Items(list(_later(drift)), brief=True)
    return Section("drift", title, [Text(intro), items, *later, *changes_table(drift["changes"])])


def _later(drift: Summary) -> Iterator[Line]:
    """What changed between the two tables, and whether synthetic rows still fit."""
    kinds = Counter(c["kind"] for c in drift["changes"])
    changes = ", ".join(f"{n} of {kind}" for kind, n in kinds.items()) or "none"
    yield Line(f"Changes from the earlier to the later table beyond noise: {changes}.")
    unfit = [c for c in drift["cells"] if not c["fits"]]
    moved = sum(c["real"]["p_adjusted"] <= 0.05 for c in drift["cells"])
    yield Line(
        f"Of {len(drift['cells']):,} cells with rows in both tables {moved:,} hold other rows than before; "
        f"synthetic rows no longer fit {len(unfit):,}."
    )
    for cell in sorted(unfit, key=lambda c: -c["made"]["effect"])[:3]:
        yield Line("Synthetic rows no longer fit {}, label {}.").format(
            GroupName(cell["group"]), Name(cell["label"])
        )


def noise_section(summary: Summary) -> Section:
    """How strategies fare when attributes of training rows are recorded wrongly."""
    noise, title = summary.get("noise"), "If attributes are recorded wrongly"
    if not noise:
        return Section("noise", title, [])
    names = [k for k in _FIGURES if k in noise[0]["figures"]]
    rows = [
        [Line(Name(point["strategy"])), point["rate"], *(cell for k in names for cell in _gained(point, k))]
        for point in noise
    ]
    columns = [Column("strategy"), *numbers("share of wrong attributes", digits=2)]
    for k in names:
        columns += [*numbers(_FIGURES[k]), Column("against none")]
    intro = Line(
        "Attributes of training rows were changed at random, and the models were trained again and tested on the true "
        "groups. Medians with 95 % intervals; a gain that fades rests on exact attributes."
    )
    table = Table("table-noise", Line("Strategies by share of wrong attributes"), columns, rows)
    return Section("noise", title, [Text(intro), table, Items(list(_faded(noise)), brief=True)])


def _gained(point: Summary, figure: str) -> tuple[Any, Any]:
    """A figure, and its difference to that of none."""
    gain = point["gains"].get(figure)
    against = None
    if gain is not None:
        against = f"{number(gain['median'], signed=True)}{'' if gain['mark'] else ' (within noise)'}"
    return level(point["figures"][figure]), against


def _faded(noise: Sequence[Summary]) -> Iterator[Line]:
    """What remains of every strategy's gain at every rate of error."""
    for name in dict.fromkeys(p["strategy"] for p in noise if p["gains"]):
        points = [(p["rate"], p["gains"]["equalized_odds.if"]) for p in noise if p["strategy"] == name]
        gains = [
            f"{gain['median']:+.3f}{'' if gain['mark'] else ' (noise)'} at {rate:.0%}"
            for rate, gain in points
        ]
        yield Line("IF of {} against none, by share of wrong attributes: {}.").format(
            Name(name), ", ".join(gains)
        )
