"""The sections of a diagnosis: how sound the new rows are, where their assumption fails, what was copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.report._charts import BLUE, GREEN, RED, Kind
from fairlattice.report._charts_kinds import Row, row_chart
from fairlattice.report._page_answer import UNSURE
from fairlattice.report._page_answer_others import told_apart
from fairlattice.report._page_beyond import drift_section, noise_section, pictures_section
from fairlattice.report._page_blocks import Column, Figure, Section, Table, Text, plain
from fairlattice.report._page_words import (
    cut,
    group_name,
    name,
    number,
    p_value,
    p_words,
    percent,
    shown,
    undirected,
    whole,
)

Summary = Mapping[str, Any]
_HIGH = (
    ("precision", RED, "diamond"),
    ("recall", BLUE, "circle"),
    ("density", GREEN, "square"),
    ("coverage", BLUE, "triangle-up"),
)


def diagnose_sections(summary: Summary) -> list[Section]:
    """The sections that the report has something for."""
    found = [
        _soundness(summary),
        _cells(summary),
        _assumption(summary),
        pictures_section(summary),
        _copies(summary),
        drift_section(summary),
        noise_section(summary),
    ]
    return [s for s in found if s.blocks]


def _limit(summary: Summary) -> float:
    return 1.0 - float(summary["settings"].get("confidence", 0.95))


def _sources(summary: Summary) -> list[tuple[str, Summary]]:
    """The sources that were judged, the floor last."""
    known = [(k, f) for k, f in summary["overall"]["sources"].items() if f is not None]
    return sorted(known, key=lambda item: item[0] == "real")


def _label(source: str) -> str:
    return "real rows (the floor)" if source == "real" else undirected(cut(shown(source), 30))


def _soundness(summary: Summary) -> Section:
    sources = _sources(summary)
    if not sources:
        return Section(
            "soundness", "Are the new rows sound?", [Text(Markup("No source of rows was judged."))]
        )
    overall = summary["overall"]
    intro = Markup(
        "Made from {:,} training rows and judged against {:,} rows held out. Real rows are the floor: no "
        "made row can be asked to look more real than they do."
    ).format(overall["n_train"], overall["n_held_out"])
    figures = [Figure(_auc_chart(sources, summary)), Figure(_high_chart(sources))]
    tables = [_auc_table(sources), _figure_table(sources), *_column_table(sources)]
    return Section("soundness", "Are the new rows sound?", [Text(intro), *figures, *tables])


def _auc_chart(sources: list[tuple[str, Summary]], summary: Summary) -> Any:
    limit = _limit(summary)
    rows = [
        Row(
            label=f"{_label(source)}: {cut(shown(which), 20)}",
            value=c["auc"],
            low=c["null_low"],
            high=c["null_high"],
            told=f"{_label(source)}\nAUC {number(c['auc'])}; by chance {number(c['null_low'])} to "
            f"{number(c['null_high'])}\np = {p_value(c['p_adjusted'])} after correction",
            kind=int(c["p_adjusted"] is None or c["p_adjusted"] > limit),
            end=p_value(c["p_adjusted"]),
        )
        for source, figure in sources
        for which, c in figure["classifiers"].items()
    ]
    kinds = (Kind("can be told apart", RED, "triangle-up"), Kind("not shown to be told apart", BLUE))
    return row_chart(
        "auc",
        "Can a classifier tell the rows from held-out ones?",
        "Points are AUCs, where 0.5 is good; lines are where they would lie if nothing told the rows apart.",
        rows,
        kinds,
        axis="AUC of telling them apart",
        label_title="source: classifier",
        end_title="p",
        reference=0.5,
    )


def _high_chart(sources: list[tuple[str, Summary]]) -> Any:
    kinds = [Kind(word, color, shape, filled=word != "coverage") for word, color, shape in _HIGH]
    top = max([1.0, *(f[w] for _, f in sources for w, *_ in _HIGH if f.get(w) is not None)])
    domain = (0.0, round(top, 3))
    rows, others = [], []
    for source, figure in sources:
        told = "\n".join(f"{w}: {number(figure[w])}" for w, *_ in _HIGH)
        at = figure["precision"] or 0.0
        rows.append(Row(_label(source), at, at, at, f"{_label(source)}\n{told}", end=whole(figure["n"])))
    others = [[f[w] for _, f in sources] for w, *_ in _HIGH[1:]]
    return row_chart(
        "fidelity",
        "How much of the real rows is met, and how closely",
        "High is good. Precision and density: do the rows lie where real ones lie? Recall and coverage: do "
        "they reach all of them?",
        rows,
        kinds,
        axis="share",
        label_title="source",
        domain=domain,
        others=others,
    )


def _auc_table(sources: list[tuple[str, Summary]]) -> Table:
    rows = [
        [
            plain(_label(source)),
            name(which),
            number(c["auc"]),
            number(c["null_low"]),
            number(c["null_high"]),
            p_value(c["p_value"]),
            p_value(c["p_adjusted"]),
        ]
        for source, figure in sources
        for which, c in figure["classifiers"].items()
    ]
    titles = ("AUC", "by chance from", "to", "p", "p corrected")
    columns = [Column("source"), Column("classifier"), *(Column(t, "number") for t in titles)]
    return Table("table-auc", Markup("Telling rows apart"), columns, rows, folded=True)


def _figure_table(sources: list[tuple[str, Summary]]) -> Table:
    rows = []
    for source, f in sources:
        pairwise = f.get("pairwise") or {}
        memory = f.get("memory") or {}
        rows.append(
            [
                plain(_label(source)),
                whole(f["n"]),
                *(number(f[w]) for w, *_ in _HIGH),
                number(f["mmd"]["effect"], 2),
                p_value(f["mmd"]["p_adjusted"]),
                number(f["marginals"]["mean"]),
                number(f["marginals"]["worst"]),
                number(pairwise.get("mean")),
                number(memory.get("distance_ratio"), 2),
                whole(memory.get("exact")),
                whole(memory.get("near")),
                number(memory.get("membership_advantage")),
            ]
        )
    titles = ["rows", *(w for w, *_ in _HIGH), "MMD effect", "p corrected", "columns, mean distance", "worst"]
    titles += ["pairs of columns", "distance ratio", "exact copies", "near copies", "membership advantage"]
    columns = [Column("source"), *(Column(t, "number") for t in titles)]
    note = Markup(
        "MMD effect: distance of the two sets of rows in standard deviations of chance, small is good. "
        "Distances of columns and pairs: 0 is good, 1 is worst. Distance ratio below 1: closer to training "
        "rows than real rows are. Membership advantage: how much better than a coin the rows give away who "
        "was in the training table."
    )
    return Table("table-soundness", Markup("All figures by source"), columns, rows, note=note)


def _column_table(sources: list[tuple[str, Summary]]) -> list[Any]:
    names = list(dict.fromkeys(c["name"] for _, f in sources for c in f["marginals"].get("columns", ())))
    by_source = [{c["name"]: c["distance"] for c in f["marginals"].get("columns", ())} for _, f in sources]
    rows = [[n, *(number(known.get(n)) for known in by_source)] for n in names]
    columns = [Column("column"), *(Column(plain(_label(s)), "number") for s, _ in sources)]
    title = Markup("Distance of every column from the real one, 0 is good")
    return [Table("table-columns", title, columns, rows, folded=True)] if rows else []


def _cells(summary: Summary) -> Section:
    sources = [s for s, _ in _sources(summary)]
    limit = _limit(summary)
    unjudged = any(c.get("why") for c in summary["cells"])
    rows = []
    for c in summary["cells"]:
        figures = []
        for s in sources:
            f = (c.get("sources") or {}).get(s)
            auc = max((k["auc"] for k in f["classifiers"].values()), default=None) if f else None
            figures += [number(auc), told_apart(f, limit)]
        why = [plain(c["why"] or "")] if unjudged else []
        rows.append(
            [
                group_name(c["group"]),
                name(c["label"]),
                whole(c["n_train"]),
                whole(c["n_held_out"]),
                *why,
                *figures,
            ]
        )
    columns = [
        Column("group"),
        Column("label"),
        Column("training rows", "number"),
        Column("held out", "number"),
        *([Column("why not judged")] if unjudged else []),
    ]
    for s in sources:
        columns += [Column(plain(f"{_label(s)}: AUC"), "number"), Column("told apart?", "verdict")]
    intro = Markup("A cell is a group and a label. The AUC is the worse of the classifiers'; 0.5 is good.")
    table = Table("table-cells", Markup("{:,} cells").format(len(rows)), columns, rows)
    return Section("cells", "Cell by cell", [Text(intro), table] if rows else [])


def _assumption(summary: Summary) -> Section:
    judged = [c for c in summary["cells"] if c.get("assumption")]
    order = {"fails": 0, UNSURE: 1, "holds": 2}
    judged.sort(key=lambda c: order.get(c["assumption"]["verdict"], 3))
    rows = []
    for c in judged:
        a = c["assumption"]
        mix = a.get("mix") or {"effect": None, "p_adjusted": None}
        parents = Markup("; ").join(
            Markup("{} ({:,}; {})").format(group_name(p["group"]), p["n"], p_words(p.get("p_adjusted")))
            for p in a["parents"]
        )
        rows.append(
            [
                group_name(c["group"]),
                name(c["label"]),
                a["verdict"],
                number(mix["effect"], 2),
                p_value(mix["p_adjusted"]),
                parents,
                plain(a.get("advice") or ""),
            ]
        )
    columns = [
        Column("group"),
        Column("label"),
        Column("assumption", "verdict"),
        Column("MMD effect of the mix", "number"),
        Column("p corrected", "number"),
        Column("parents (rows; p corrected)"),
        Column("advice"),
    ]
    intro = Markup(
        "New rows come from groups around a cell, its parents first: the groups that free one attribute. "
        "That rests on the cell resembling them. Where this fails at {} confidence, new rows may mislead."
    ).format(percent(float(summary["settings"].get("confidence", 0.95))))
    table = Table(
        "table-assumption", Markup("{:,} cells judged, failures first").format(len(rows)), columns, rows
    )
    return Section("assumption", "Where the assumption fails", [Text(intro), table] if rows else [])


def _copies(summary: Summary) -> Section:
    copies = summary["copies"]
    told = any("source" in c for c in copies)
    places = {"row": "training row"}
    if any("nearest" in c for c in copies):
        places = {"row": "new row", "nearest": "training row"}
    rows = [
        [
            *([name(c["source"])] if told else []),
            group_name(c["group"]),
            name(c["label"]),
            *(whole(c.get(k)) for k in places),
            number(c["distance"], 4),
            plain(c["kind"]),
        ]
        for c in copies
    ]
    columns = [
        *([Column("source")] if told else []),
        Column("group"),
        Column("label"),
        *(Column(words, "number") for words in (*places.values(), "distance")),
        Column("kind"),
    ]
    intro = Markup("New rows that are, or nearly are, rows of people in the training table.")
    table = Table("table-copies", Markup("Copies"), columns, rows)
    nothing = Markup("No new row is a copy of a training row, or nearly so.")
    return Section("copies", "Copies", [Text(intro), table] if rows else [Text(nothing)])
