"""The sections of a diagnosis: how sound the new rows are, where their assumption fails, what was copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.metrics._shared import UNSURE
from fairlattice.report._charts import BLUE, GREEN, GREY, RED, Kind
from fairlattice.report._charts_kinds import Row, cloud_chart, row_chart
from fairlattice.report._page_blocks import Answer, Card, Column, Figure, Section, Table, Text, plain, verdict
from fairlattice.report._page_changes import changes_table
from fairlattice.report._page_words import (
    cut,
    group_name,
    group_text,
    listed,
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


def diagnose_answer(summary: Summary) -> Answer:
    """Whether the new rows are sound, where their assumption fails, and whether rows were copied."""
    limit = 1.0 - float(summary["settings"].get("confidence", 0.95))
    cards = [_told_card(summary, limit), _assumption_card(summary), _copies_card(summary)]
    return Answer([s for s in (_sound(summary, limit), _fails(summary)) if s], cards)


def told_apart(figure: Summary | None, limit: float) -> str:
    """Can a classifier tell these rows from held-out ones? "yes", "not shown", or "not enough data"."""
    if figure is None or not figure["classifiers"]:
        return UNSURE
    known = [c["p_adjusted"] for c in figure["classifiers"].values() if c["p_adjusted"] is not None]
    return UNSURE if not known else "yes" if min(known) <= limit else "not shown"


def _sound(summary: Summary, limit: float) -> Markup:
    sources = summary["overall"]["sources"]
    figure = sources.get(first_source(summary))
    if figure is None or not figure["classifiers"]:
        return Markup("<strong>Not enough data to judge the new rows.</strong>")
    which, best = min(figure["classifiers"].items(), key=_surprise)
    floor = (sources.get("real") or {}).get("classifiers", {}).get(which)
    beside = Markup(", against {} for real rows").format(number(floor["auc"], 2)) if floor else Markup("")
    who = "A classifier can" if told_apart(figure, limit) == "yes" else "No classifier is shown to"
    return Markup(
        "<strong>{} tell the new rows from real ones it has not seen:</strong> AUC {}{} (0.5 is a coin's "
        "guess; {} after correction)."
    ).format(who, number(best["auc"], 2), beside, p_words(best["p_adjusted"]))


def first_source(summary: Summary) -> str:
    """The source of rows that a diagnosis is about: the first that was asked for."""
    return next((name for name in summary["settings"].get("sources", ())), "")


def _surprise(named: tuple[str, Summary]) -> tuple[float, float]:
    p, auc = named[1]["p_adjusted"], named[1]["auc"]
    return 2.0 if p is None else p, -auc


def _verdicts(summary: Summary) -> dict[str, list[Summary]]:
    found: dict[str, list[Summary]] = {"fails": [], "holds": [], UNSURE: []}
    for cell in summary["cells"]:
        assumption = cell.get("assumption")
        found.setdefault(assumption["verdict"] if assumption else UNSURE, []).append(cell)
    return found


def _fails(summary: Summary) -> Markup:
    found = _verdicts(summary)
    told = [
        Markup("{} with label {}").format(group_name(c["group"]), name(c["label"]))
        for c in found["fails"][:3]
    ]
    more = [f"{len(found['fails']) - 3:,} more"] if len(found["fails"]) > 3 else []
    if told:
        return Markup("The assumption behind them, that a group resembles its parents, fails for {}.").format(
            listed([*told, *more])
        )
    unsure = len(found[UNSURE])
    more_rows = Markup("; for {:,} of {:,} cells there is not enough data to tell").format(
        unsure, len(summary["cells"])
    )
    return Markup(
        "The assumption behind them, that a group resembles its parents, is nowhere shown to fail{}."
    ).format(more_rows if unsure else "")


def _told_card(summary: Summary, limit: float) -> Card:
    sources = {k: f for k, f in summary["overall"]["sources"].items() if k != "real"}
    found = {k: told_apart(f, limit) for k, f in sources.items()}
    verdict = found.get(first_source(summary), UNSURE)
    tone = "bad" if verdict == "yes" else "unsure"
    told = listed(Markup("{}: {}").format(name(k), v) for k, v in found.items())
    return Card("Can the new rows be told from real ones?", verdict, tone, told + ".")


def _assumption_card(summary: Summary) -> Card:
    found = _verdicts(summary)
    fails, holds, unsure = len(found["fails"]), len(found["holds"]), len(found[UNSURE])
    verdict = "no" if fails else UNSURE if unsure or not holds else "yes"
    tone = {"no": "bad", "yes": "good"}.get(verdict, "unsure")
    detail = Markup("It holds for {:,} cells, fails for {:,}; not enough data for {:,}.").format(
        holds, fails, unsure
    )
    return Card("Do groups resemble their parents?", verdict, tone, detail)


def _copies_card(summary: Summary) -> Card:
    memory = (summary["overall"]["sources"].get(first_source(summary)) or {}).get("memory")
    question = "Are new rows copies of people's rows?"
    if memory is None:
        return Card(question, UNSURE, "unsure", Markup("There were no new rows to judge."))
    exact, near = memory["exact"], memory["near"]
    detail = Markup("Of the new rows judged, {:,} are exact copies and {:,} nearly so{}.").format(
        exact, near, _expected(memory)
    )
    exact = exact > memory.get("exact_expected", 0)
    near = near > memory.get("near_expected", 0)
    verdict, tone = ("yes", "bad") if exact else ("nearly", "unsure") if near else ("no", "good")
    return Card(question, verdict, tone, detail)


def _expected(memory: Summary) -> Markup:
    """How many copies real rows would be: many, where a table has few distinct rows."""
    if memory.get("exact_expected") is None:
        return Markup()
    return Markup("; of as many real rows {:,.0f} and {:,.0f} would be").format(
        memory["exact_expected"], memory["near_expected"]
    )


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
        "groups. Medians with 95 % intervals; a gain that fades rests on exact attributes."
    )
    table = Table("table-noise", Markup("Strategies by share of wrong attributes"), columns, rows)
    return Section("noise", "If attributes are recorded wrongly", [Text(intro), table])


def _gained(point: Summary, figure: str) -> tuple[str, Markup]:
    """A figure, and its difference to that of none."""
    estimate, gain = point["figures"][figure], point["gains"].get(figure)
    against = Markup("–")
    if gain is not None:
        noise = "" if gain["mark"] else " (within noise)"
        against = Markup("{}{}").format(number(gain["median"], signed=True), noise)
    return (
        f"{number(estimate['median'])} ({number(estimate['low'], 2)} to {number(estimate['high'], 2)})",
        against,
    )
