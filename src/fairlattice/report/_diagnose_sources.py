"""How sound the rows of every source are: distinguished or not, how much of the real rows they meet, what they copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairlattice.metrics._shared import UNSURE
from fairlattice.report._charts import BLUE, GREEN, RED, Chart, Kind
from fairlattice.report._charts_kinds import Row, row_chart
from fairlattice.report._document import (
    Column,
    Figure,
    Items,
    Line,
    Name,
    Section,
    Summary,
    Table,
    Text,
    span,
    table_of,
)
from fairlattice.report._words import cut, label_of, name_column, number, numbers, p_value, shown, whole
from fairlattice.strategies import STRATEGIES

_HIGH = (
    ("precision", RED, "diamond"),
    ("recall", BLUE, "circle"),
    ("density", GREEN, "square"),
    ("coverage", BLUE, "triangle-up"),
)
_SURE = 0.05


def limit(summary: Summary) -> float:
    """The p-value below which a difference is beyond chance."""
    return 1.0 - float(summary["settings"].get("confidence", 0.95))


def distinguished(figure: Summary | None, limit: float) -> str:
    """Can a classifier tell these rows from held-out ones? "yes", "not shown", or "not enough data"."""
    if figure is None or not figure["classifiers"]:
        return UNSURE
    known = [c["p_adjusted"] for c in figure["classifiers"].values() if c["p_adjusted"] is not None]
    return UNSURE if not known else "yes" if min(known) <= limit else "not shown"


def source_label(source: str) -> str:
    """A source of rows in headings and charts."""
    return "real rows (the floor)" if source == "real" else label_of(source, 30)


def sources_of(summary: Summary) -> list[tuple[str, Summary]]:
    """The sources with figures, the floor last."""
    known = [(k, f) for k, f in summary["overall"]["sources"].items() if f is not None]
    return sorted(known, key=lambda item: item[0] == "real")


def sources_section(summary: Summary) -> Section:
    """All sources together."""
    sources, title = sources_of(summary), "Are the new rows sound?"
    if not sources:
        return Section("soundness", title, [Text(Line("No source of rows was compared with real ones."))])
    overall = summary["overall"]
    intro = Line(
        "Made from {:,} training rows and compared with {:,} rows held out. Real rows are the floor: synthetic rows "
        "cannot be asked to look more real than they do."
    ).format(overall["n_train"], overall["n_held_out"])
    figures = [Figure(_auc_chart(sources, summary)), Figure(_high_chart(sources))]
    tables = [_auc_table(sources), _figure_table(sources), *_column_table(sources)]
    lines = list(_against_the_plain(summary["overall"]["sources"]))
    items = [Items(lines, brief=True)] if lines else []
    return Section("soundness", title, [Text(intro), *figures, *tables, *items])


def _auc_chart(sources: list[tuple[str, Summary]], summary: Summary) -> Chart:
    sure = limit(summary)
    rows = [
        Row(
            label=f"{source_label(source)}: {cut(shown(which), 20)}",
            value=c["auc"],
            low=c["null_low"],
            high=c["null_high"],
            tip=f"{source_label(source)}\nAUC {number(c['auc'])}; by chance {number(c['null_low'])} to "
            f"{number(c['null_high'])}\np = {p_value(c['p_adjusted'])} after correction",
            kind=int(c["p_adjusted"] is None or c["p_adjusted"] > sure),
            end=p_value(c["p_adjusted"]),
        )
        for source, figure in sources
        for which, c in figure["classifiers"].items()
    ]
    kinds = (Kind("can be distinguished", RED, "triangle-up"), Kind("not shown to be distinguished", BLUE))
    return row_chart(
        "auc",
        "Can a classifier tell the rows from held-out ones?",
        "Points are AUCs, where 0.5 is good; lines are where they would lie if nothing distinguished the rows.",
        rows,
        kinds,
        axis="AUC of telling them apart",
        label_title="source: classifier",
        end_title="p",
        reference=0.5,
    )


def _high_chart(sources: list[tuple[str, Summary]]) -> Chart:
    kinds = [Kind(word, color, shape, filled=word != "coverage") for word, color, shape in _HIGH]
    top = max([1.0, *(f[w] for _, f in sources for w, *_ in _HIGH if f.get(w) is not None)])
    rows = []
    for source, figure in sources:
        figures = "\n".join(f"{w}: {number(figure[w])}" for w, *_ in _HIGH)
        at, label = figure["precision"] or 0.0, source_label(source)
        rows.append(Row(label, at, at, at, f"{label}\n{figures}", end=whole(figure["n"])))
    return row_chart(
        "fidelity",
        "How much of the real rows is met, and how closely",
        "High is good. Precision and density: do the rows lie where real ones lie? Recall and coverage: do "
        "they reach all of them?",
        rows,
        kinds,
        axis="share",
        label_title="source",
        domain=(0.0, round(top, 3)),
        others=[[f[w] for _, f in sources] for w, *_ in _HIGH[1:]],
    )


def _auc_table(sources: list[tuple[str, Summary]]) -> Table:
    records = [
        {**c, "source": source, "which": which}
        for source, figure in sources
        for which, c in figure["classifiers"].items()
    ]
    columns = [
        Column("source", get=lambda c: source_label(c["source"])),
        name_column("classifier", "which"),
        Column("AUC", "number", get="auc"),
        Column("by chance from", "number", get="null_low"),
        Column("to", "number", get="null_high"),
        Column("p", "p", get="p_value"),
        Column("p corrected", "p", get="p_adjusted"),
    ]
    return table_of("table-auc", Line("Telling rows apart"), columns, records, folded=True)


def _figure_table(sources: list[tuple[str, Summary]]) -> Table:
    which = list(dict.fromkeys(k for _, f in sources for k in f["classifiers"]))
    short = {"precision": "pre-\ncision", "recall": "re-\ncall", "coverage": "cover-\nage"}
    columns = [
        Column("source", short="rows from"),
        Column("rows", "whole"),
        *(Column("", "number", f"AUC\n{k[:6]}{'.' * (len(k) > 6)}") for k in which),
        Column("", "number", "MMD²\neffect"),
        *(Column(w, "number", short.get(w)) for w, *_ in _HIGH),
        *numbers("MMD effect", digits=2),
        Column("p corrected", "p"),
        *numbers("columns, mean distance"),
        Column("worst", "number", "worst\ncolumn"),
        *numbers("pairs of columns"),
        *numbers("distance ratio", digits=2),
        *(Column(t, "whole") for t in ("exact copies", "near copies")),
        Column("", "whole", "copies"),
        Column("membership advantage", "number", "leak"),
    ]
    note = Line(
        "MMD effect: distance of the two sets of rows in standard deviations of chance, small is good. "
        "Distances of columns and pairs: 0 is good, 1 is worst. Distance ratio below 1: closer to training "
        "rows than real rows are. Membership advantage: how much better than a coin the rows give away who "
        "was in the training table."
    )
    brief = Line("all cells together; an AUC of .5 means as good as real rows; * differs beyond noise")
    rows = [_figure_row(source, f, which) for source, f in sources]
    return Table("table-soundness", Line("All figures by source"), columns, rows, note=note, brief=brief)


def _figure_row(source: str, f: Summary, which: list[str]) -> list[Any]:
    pairwise, memory, mmd = f.get("pairwise") or {}, f.get("memory") or {}, f["mmd"]
    tests = [f["classifiers"].get(k) for k in which]
    copies = memory["exact"] + memory["near"] if memory else None
    return [
        source_label(source),
        f["n"],
        *(None if t is None else _starred(t["auc"], t["p_adjusted"], 2) for t in tests),
        _starred(mmd["effect"], mmd["p_adjusted"], 1),
        *(f[w] for w, *_ in _HIGH),
        mmd["effect"],
        mmd["p_adjusted"],
        f["marginals"]["mean"],
        f["marginals"]["worst"],
        pairwise.get("mean"),
        *(memory.get(k) for k in ("distance_ratio", "exact", "near")),
        copies,
        memory.get("membership_advantage"),
    ]


def _starred(value: float, p: float | None, digits: int) -> Line:
    """A figure, with a star if it is beyond noise."""
    text = f"{value:.{digits}f}"
    return span("worse", f"{text}*") if p is not None and p <= _SURE else Line(f"{text} ")


def _column_table(sources: list[tuple[str, Summary]]) -> list[Table]:
    by_source = [{c["name"]: c["distance"] for c in f["marginals"].get("columns", ())} for _, f in sources]
    names = list(dict.fromkeys(name for known in by_source for name in known))
    rows = [[Name(n), *(known.get(n) for known in by_source)] for n in names]
    columns = [Column("column"), *numbers(*(source_label(s) for s, _ in sources))]
    title = Line("Distance of every column from the real one, 0 is good")
    return [Table("table-columns", title, columns, rows, folded=True)] if rows else []


def _learns(source: str) -> bool:
    """Whether a source fits anything before it draws rows."""
    return bool(getattr(STRATEGIES[source].rows, "learns", True)) if source in STRATEGIES else True


def _against_the_plain(sources: Summary) -> Iterator[Line]:
    """Whether a generator is nearer to real rows than the rows that cost nothing."""
    plain = {name: f for name, f in sources.items() if f is not None and name != "real" and not _learns(name)}
    for name, f in sources.items():
        if name in ("real", *plain) or f is None or not plain:
            continue
        best = min(plain, key=lambda other: plain[other]["mmd"]["mmd2"])
        ours, theirs = f["mmd"], plain[best]["mmd"]
        if min(ours["p_adjusted"], theirs["p_adjusted"]) > _SURE:
            yield Line("By MMD² neither {} nor {} differs from real rows beyond noise.").format(
                Name(name), Name(best)
            )
            continue
        yield Line("Rows of {} are {} real rows than those of {} (MMD² {:.4f} against {:.4f}).").format(
            Name(name),
            "nearer to" if ours["mmd2"] < theirs["mmd2"] else "not nearer to",
            Name(best),
            ours["mmd2"],
            theirs["mmd2"],
        )
