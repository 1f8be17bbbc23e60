"""The document of a diagnosis: are the synthetic rows sound, do groups resemble their parents, was anyone copied."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fairlattice.metrics._shared import UNSURE
from fairlattice.report._diagnose_more import drift_section, noise_section, pictures_section
from fairlattice.report._diagnose_sources import distinguished, limit, source_label, sources_section
from fairlattice.report._document import (
    Answer,
    Card,
    Column,
    Document,
    GroupName,
    Items,
    Line,
    Name,
    Section,
    Summary,
    Text,
    span,
    table_of,
)
from fairlattice.report._method import method_section
from fairlattice.report._words import listed, name_column, number, p_words, percent, table_brief


def document(summary: Summary) -> Document:
    """What a reader is to see of a diagnosis."""
    data, overall = summary["data"], summary["overall"]
    found = [
        sources_section(summary),
        _cells(summary),
        _assumption(summary),
        pictures_section(summary),
        _copies(summary),
        drift_section(summary),
        noise_section(summary),
        Section("caveats", "Before you rely on it", _caveats(summary)),
    ]
    split = Line(
        f"{overall['n_train']:,} rows to learn from, {overall['n_held_out']:,} held out, "
        f"seed {summary['settings']['seed']}"
    )
    lead = [s for s in (_sound(summary), _fails(summary)) if s]
    sections = [*(s for s in found if s.blocks), method_section(summary)]
    return Document(
        "Diagnosis of synthetic rows", "diagnose", Line(Name(data["name"])), f"{data['rows']:,} rows",
        Answer(lead, cards(summary)), sections, (), [*table_brief(summary), split],
    )  # fmt: skip


def cards(summary: Summary) -> list[Card]:
    """Can the rows be distinguished, do groups resemble their parents, are there copies?"""
    return [_distinction_card(summary), _assumption_card(summary), _copies_card(summary)]


def first_source(summary: Summary) -> str:
    """The source of rows that a diagnosis is about: the first that was asked for."""
    return next((name for name in summary["settings"].get("sources", ())), "")


def _sound(summary: Summary) -> Line:
    sources = summary["overall"]["sources"]
    figure = sources.get(first_source(summary))
    if figure is None or not figure["classifiers"]:
        return span("strong", "Not enough data to assess the new rows.")
    which, best = min(figure["classifiers"].items(), key=_surprise)
    floor = (sources.get("real") or {}).get("classifiers", {}).get(which)
    against = Line(", against {} for real rows").format(number(floor["auc"], 2)) if floor else Line()
    who = (
        "A classifier can" if distinguished(figure, limit(summary)) == "yes" else "No classifier is shown to"
    )
    return span("strong", f"{who} tell the new rows from real ones it has not seen:") + Line(
        " AUC {}{} (0.5 is a coin's guess; {} after correction)."
    ).format(number(best["auc"], 2), against, p_words(best["p_adjusted"]))


def _surprise(named: tuple[str, Summary]) -> tuple[float, float]:
    p, auc = named[1]["p_adjusted"], named[1]["auc"]
    return 2.0 if p is None else p, -auc


def _verdicts(summary: Summary) -> dict[str, list[Summary]]:
    found: dict[str, list[Summary]] = {"fails": [], "holds": [], UNSURE: []}
    for cell in summary["cells"]:
        assumption = cell.get("assumption")
        found.setdefault(assumption["verdict"] if assumption else UNSURE, []).append(cell)
    return found


def _fails(summary: Summary) -> Line:
    found = _verdicts(summary)
    if found["fails"]:
        named = [
            Line("{} with label {}").format(GroupName(c["group"]), Name(c["label"])) for c in found["fails"]
        ]
        return Line("The assumption behind them, that a group resembles its parents, fails for {}.").format(
            listed(named, most=3)
        )
    unsure = len(found[UNSURE])
    more = f"; for {unsure:,} of {len(summary['cells']):,} cells there is not enough data to tell"
    return Line(
        "The assumption behind them, that a group resembles its parents, is nowhere shown to fail{}."
    ).format(more if unsure else "")


def _distinction_card(summary: Summary) -> Card:
    sources = {k: f for k, f in summary["overall"]["sources"].items() if k != "real"}
    found = {k: distinguished(f, limit(summary)) for k, f in sources.items()}
    word = found.get(first_source(summary), UNSURE)
    detail = listed(Line("{}: {}").format(Name(k), v) for k, v in found.items()) + "."
    tone = "bad" if word == "yes" else "unsure"
    return Card("distinguished", "Can the new rows be distinguished from real ones?", word, tone, detail)


def _assumption_card(summary: Summary) -> Card:
    found = _verdicts(summary)
    fails, holds, unsure = len(found["fails"]), len(found["holds"]), len(found[UNSURE])
    word = "no" if fails else UNSURE if unsure or not holds else "yes"
    tone = {"no": "bad", "yes": "good"}.get(word, "unsure")
    detail = Line(
        "Of {:,} cells (group and label) the mix of their parents resembles {:,} and does not resemble {:,}; not "
        "enough data for {:,}."
    ).format(len(summary["cells"]), holds, fails, unsure)
    return Card("resemble_parents", "Do groups resemble their parents?", word, tone, detail)


def _copies_card(summary: Summary) -> Card:
    memory = (summary["overall"]["sources"].get(first_source(summary)) or {}).get("memory")
    question = "Are new rows copies of people's rows?"
    if memory is None:
        return Card("copies", question, UNSURE, "unsure", Line("There were no new rows to compare."))
    detail = Line("Of the new rows compared, {:,} are exact copies and {:,} nearly so{}.").format(
        memory["exact"], memory["near"], _expected(memory)
    )
    exact = memory["exact"] > memory.get("exact_expected", 0)
    near = memory["near"] > memory.get("near_expected", 0)
    word, tone = ("yes", "bad") if exact else ("nearly", "unsure") if near else ("no", "good")
    return Card("copies", question, word, tone, detail)


def _expected(memory: Summary) -> str:
    """How many copies real rows would be: many, where a table has few distinct rows."""
    if memory.get("exact_expected") is None:
        return ""
    exact, near = memory["exact_expected"], memory["near_expected"]
    return f"; of as many real rows {exact:,.0f} and {near:,.0f} would be"


def _cells(summary: Summary) -> Section:
    sources = [s for s, f in summary["overall"]["sources"].items() if f is not None]
    unassessed = any(c.get("why") for c in summary["cells"])
    columns = [
        Column("group", "group", get="group"),
        name_column("label", "label"),
        Column("training rows", "whole", get="n_train"),
        Column("held out", "whole", get="n_held_out"),
        *([Column("why not assessed", get=lambda c: c["why"] or "")] if unassessed else []),
    ]
    for s in sources:
        auc = partial(_worst_auc, source=s)
        columns.append(Column(f"{source_label(s)}: AUC", "number", get=auc))
        word = partial(_distinguished, source=s, limit=limit(summary))
        columns.append(Column("distinguished?", "verdict", get=word))
    intro = Line("A cell is a group and a label. The AUC is the worse of the classifiers'; 0.5 is good.")
    cells = summary["cells"]
    each = table_of("table-cells", Line(f"{len(cells):,} cells"), columns, cells)
    return Section("cells", "Cell by cell", [Text(intro), each] if cells else [])


def _worst_auc(cell: Summary, source: str) -> float | None:
    """The AUC of the classifier that tells the rows of a source apart best."""
    figures = (cell.get("sources") or {}).get(source)
    return max((k["auc"] for k in figures["classifiers"].values()), default=None) if figures else None


def _distinguished(cell: Summary, source: str, limit: float) -> str:
    return distinguished((cell.get("sources") or {}).get(source), limit)


def _assumption(summary: Summary) -> Section:
    order = {"fails": 0, UNSURE: 1, "holds": 2}
    records = [
        {**c, **c["assumption"], "mix": c["assumption"].get("mix") or {"effect": None, "p_adjusted": None}}
        for c in summary["cells"]
        if c.get("assumption")
    ]
    records.sort(key=lambda c: (order.get(c["verdict"], 3), -(c["mix"]["effect"] or 0.0)))
    columns = [
        Column("group", "group", "group", get="group"),
        name_column("label", "label", "label"),
        Column("", "whole", "rows", get=lambda c: c["n_train"] + c["n_held_out"]),
        Column("assumption", "verdict", "verdict", get="verdict"),
        Column("MMD effect of the mix", "number", "effect", digits=2, get="mix.effect"),
        Column("p corrected", "p", "p", get="mix.p_adjusted"),
        Column("parents (rows; p corrected)", get=_parents),
        Column("advice", short="advice", get=lambda c: c.get("advice") or ""),
    ]
    intro = Line(
        "New rows come from groups around a cell, its parents first: the groups that free one attribute. "
        "That rests on the cell resembling them. Where this fails at {} confidence, new rows may mislead."
    ).format(percent(float(summary["settings"].get("confidence", 0.95))))
    title = Line(f"{len(records):,} cells assessed, failures first")
    failing = any(c["verdict"] == "fails" for c in records)
    brief = Line("does the mix of a cell's parents resemble it? failures first") if failing else None
    table = table_of("table-assumption", title, columns, records, brief=brief)
    return Section("assumption", "Where the assumption fails", [Text(intro), table] if records else [])


def _parents(cell: Summary) -> Line:
    return Line("; ").join(
        Line("{} ({:,}; {})").format(GroupName(p["group"]), p["n"], p_words(p.get("p_adjusted")))
        for p in cell["parents"]
    )


def _copies(summary: Summary) -> Section:
    copies = summary["copies"]
    with_source = any("source" in c for c in copies)
    places = {"row": "training row"}
    if any("nearest" in c for c in copies):
        places = {"row": "new row", "nearest": "training row"}
    columns = [
        *([name_column("source", "source")] if with_source else []),
        Column("group", "group", get="group"),
        name_column("label", "label"),
        *(Column(title, "whole", get=key) for key, title in places.items()),
        Column("distance", "number", digits=4, get="distance"),
        Column("kind", get="kind"),
    ]
    lines = list(_copied(summary))
    items = [Items(lines, brief=True)] if lines else []
    intro = Line("New rows that are, or nearly are, rows of people in the training table.")
    nothing = Line("No new row is a copy of a training row, or nearly so.")
    if not copies:
        return Section("copies", "Copies", [Text(nothing), *items])
    return Section(
        "copies", "Copies", [Text(intro), *items, table_of("table-copies", Line("Copies"), columns, copies)]
    )


def _copied(summary: Summary) -> Iterator[Line]:
    """How many rows of every source are copies, and how many real rows would be."""
    for name, figures in summary["overall"]["sources"].items():
        memory = (figures or {}).get("memory") or {"exact": 0, "near": 0}
        if memory["exact"] + memory["near"] > 0:
            expected = memory.get("exact_expected", 0) + memory.get("near_expected", 0)
            yield Line(
                "{}: of {:,} rows {:,} equal a training row and {:,} nearly do; of as many real rows {:.0f} would."
            ).format(Name(name), figures["n"], memory["exact"], memory["near"], expected)


def _caveats(summary: Summary) -> list[Items]:
    lines = [Line(c) for c in summary.get("caveats", ())]
    return [Items(lines, brief=True)] if lines else []
