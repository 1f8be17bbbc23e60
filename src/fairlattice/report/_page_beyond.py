"""What a diagnosis may also hold: cells drawn, a later table, attributes recorded with error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.report._charts import BLUE, GREY, RED, Kind
from fairlattice.report._charts_kinds import cloud_chart
from fairlattice.report._page_blocks import Column, Figure, Section, Table, Text, verdict
from fairlattice.report._page_over import changes_table
from fairlattice.report._page_words import group_name, group_text, name, number, p_value, shown, whole

Summary = Mapping[str, Any]
_MOST_PICTURES = 12
_CLOUDS = {
    "parents": Kind("the parents' rows", GREY, "circle", filled=False),
    "made": Kind("made rows", RED, "triangle-up", filled=False),
    "real": Kind("real rows, held out", BLUE),
}
_WAYS = {"pca": "by principal components", "tsne": "by t-SNE"}
_FIGURES = {
    "tpr.worst": "worst true-positive rate",
    "equalized_odds.if": "IF of equalized odds",
    "equalized_odds.df": "DF of equalized odds",
    "balanced_accuracy": "balanced accuracy",
}


def pictures_section(summary: Summary) -> Section:
    """Cells drawn: real rows, made rows and the parents' rows laid out in two dimensions."""
    found = [(cell, p) for cell in summary["cells"] for p in cell.get("pictures") or ()]
    blocks: list[Any] = []
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
        more = Markup("{:,} more pictures are in the JSON report.").format(len(found) - _MOST_PICTURES)
        blocks.append(Text(more))
    return Section("pictures", "Cells drawn", blocks)


def drift_section(summary: Summary) -> Section:
    """What changed from the table learned from to a later one, and whether made rows still fit."""
    drift = summary.get("drift")
    if drift is None:
        return Section("drift", "Beside a later table", [])
    rows = [
        [
            group_name(c["group"]),
            name(c["label"]),
            whole(c["n_earlier"]),
            whole(c["n_later"]),
            number(c["real"]["effect"], 2),
            p_value(c["real"]["p_adjusted"]),
            number(c["made"]["effect"], 2),
            p_value(c["made"]["p_adjusted"]),
            verdict("not shown not to", tone="unsure") if c["fits"] else verdict("no", tone="bad"),
        ]
        for c in drift["cells"]
    ]
    titles = (
        "rows before",
        "rows later",
        "change of real rows",
        "p corrected",
        "made against later",
        "p corrected",
    )
    columns = [Column("group"), Column("label"), *(Column(t, "number") for t in titles)]
    columns.append(Column("do made rows still fit?"))
    unfit = sum(not c["fits"] for c in drift["cells"])
    intro = Markup(
        "Rows made from the earlier table, against rows of a later one: of {:,} cells with enough rows in "
        "both, made rows no longer fit {:,}. Changes beyond noise: {:,}."
    ).format(len(drift["cells"]), unfit, len(drift["changes"]))
    note = Markup("Change: MMD effect, in standard deviations of chance; small is good.")
    table = [Table("table-drift", Markup("Cells, then and later"), columns, rows, note=note)] if rows else []
    changes = changes_table(drift["changes"])
    return Section("drift", "Beside a later table", [Text(intro), *table, *changes])


def noise_section(summary: Summary) -> Section:
    """How strategies fare when attributes of training rows are recorded wrongly."""
    noise = summary.get("noise")
    if not noise:
        return Section("noise", "If attributes are recorded wrongly", [])
    names = [k for k in _FIGURES if k in noise[0]["figures"]]
    rows = [
        [
            name(point["strategy"]),
            number(point["rate"], 2),
            *(cell for k in names for cell in _gained(point, k)),
        ]
        for point in noise
    ]
    columns = [Column("strategy"), Column("share of wrong attributes", "number")]
    for k in names:
        columns += [Column(_FIGURES[k], "number"), Column("against none")]
    intro = Markup(
        "Attributes of training rows were changed at random, the models trained again and judged by the true "
        "groups. Mean ± standard error; a gain that fades rests on exact attributes."
    )
    table = Table("table-noise", Markup("Strategies by share of wrong attributes"), columns, rows)
    return Section("noise", "If attributes are recorded wrongly", [Text(intro), table])


def _gained(point: Summary, figure: str) -> tuple[str, Markup]:
    """A figure, and its difference to that of none."""
    estimate, gain = point["figures"][figure], point["gains"].get(figure)
    se = "" if estimate["se"] is None else f" ± {number(estimate['se'])}"
    told = Markup("–")
    if gain is not None:
        noise = " (within noise)" if gain["within_noise"] else ""
        told = Markup("{}{}").format(number(gain["mean"], signed=True), noise)
    return f"{number(estimate['mean'])}{se}", told
