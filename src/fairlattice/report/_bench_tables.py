"""The tables of experiments: all figures, differences, hyper-parameters, synthetic rows, failures, time; CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from fairlattice._validation import check_choice
from fairlattice.benchmark._shared import FIGURES
from fairlattice.report._bench_studies import Study, against_words, mark_of
from fairlattice.report._document import (
    Block,
    Column,
    Document,
    Line,
    Name,
    Summary,
    Table,
    Text,
    span,
    table_of,
)
from fairlattice.report._markdown import csv_table, latex_tables, markdown_tables
from fairlattice.report._words import estimate, listed, name_column, numbers

BENCH_FORMATS = ("terminal", "markdown", "latex", "csv")
_BLOCKS = (("TPR", "tpr"), ("odds", "equalized_odds"))
_KINDS = (("best-off", "best", True), ("worst-off", "worst", True), ("DF", "df", False), ("IF", "if", False))
_COMPARED = (("IF of equalized odds", "equalized_odds.if"), ("balanced accuracy", "balanced_accuracy"))


def bench_table(document: Document, summary: Summary, form: str) -> str:
    """The results as ``markdown``, ``latex`` or ``csv``.

    Raises
    ------
    InputError
        If there is no such format.
    """
    check_choice("form", form, BENCH_FORMATS[1:])
    if form == "csv":
        return csv_table(_long_table(summary))
    tables = [table for table in document.blocks(Table) if table.paper]
    return markdown_tables(tables) if form == "markdown" else latex_tables(tables)


def methods_table(study: Study, table: Summary, *, folded: bool) -> Iterator[Table]:
    """All figures of all methods on one number of attributes."""
    if not table["methods"]:
        return
    alpha = f"IF{table['settings']['alpha']:g}"
    short = {"TPR: worst-off": "worst\nTPR", f"odds: {alpha}": f"{alpha}\neq. odds"}
    titles = [f"{block}: {alpha if k == 'IF' else k}" for block, _ in _BLOCKS for k, _, _ in _KINDS]
    columns = [
        Column("method", short="method"),
        Column("balanced accuracy", "number", "balanced\naccuracy"),
        *(Column(t, "number", short.get(t)) for t in titles),
        Column("", "number", "worst\nTNR"),
        Column("leveled down?", "verdict", "leveled\ndown?"),
    ]
    n, seeds, data = len(table["methods"]), table["seeds"], table["data"]
    part = "" if data["dealt"] == data["rows"] else f"{data['dealt']:,} of "
    size = f"{part}{data['rows']:,}"
    title = Line("{}: {:,} method{} on {}, {} rows, {:,} seed{}").format(
        study.title, n, "" if n == 1 else "s", _attributes(table), size,
        seeds, "" if seeds == 1 else "s",
    )  # fmt: skip
    note = Line(
        "Posterior mean ± standard deviation, over people and seeds. Small DF and IF are fair. ▲ better, "
        "▼ worse than the baseline ({}) beyond noise; no mark: within noise. TPR is equal opportunity; of equalized "
        "odds, DF and IF are the worse of TPR and TNR, best-off and worst-off are over both."
    ).format(listed(Name(b) for b in dict.fromkeys(m["baseline"] for m in table["methods"])))
    brief = Line("{}: posterior mean ± deviation; small IF is fair; ▲ better ▼ worse than {}").format(
        _attributes(table), against_words(table)
    )
    rows = [_method_row(m) for m in table["methods"]]
    yield Table(
        f"methods-{_id(study, table)}", title, columns, rows, folded, note, brief, paper=True, cut=False
    )


def _id(study: Study, table: Summary) -> str:
    return f"{study.name}-{next(i for i, t in enumerate(study.tables) if t is table)}"


def _attributes(table: Summary) -> Line:
    return listed(Name(a["name"]) for a in table["attributes"])


def _method_row(m: Summary) -> list[Any]:
    cells = [estimate(m["balanced_accuracy"], mark_of(m, "balanced_accuracy", up=True))]
    for _, block in _BLOCKS:
        figures = m["measures"][block] if block in m["measures"] else m[block]
        cells += [estimate(figures[k], mark_of(m, f"{block}.{k}", up=up)) for _, k, up in _KINDS]
    cells.append(estimate(m["measures"]["tnr"]["worst"], mark_of(m, "tnr.worst", up=True)))
    verdict = m["leveling_down"]["verdict"]
    return [_method(m["name"]), *cells, verdict if m["name"] != m["baseline"] else None]


def _method(text: str) -> Line:
    """A method's name, which gets room."""
    return span("method", Name(text))


def differences_table(study: Study) -> Iterator[Table]:
    """Differences to the baselines with their p-values, each alone and corrected over the methods."""
    rows = [
        [
            _method(m["name"]),
            Line(Name(against)),
            *(c for _, f in _COMPARED for c in (estimate(d[f]), d[f]["p_value"], d[f]["p_adjusted"])),
        ]
        for m in study.main["methods"]
        for against, d in m["differences"].items()
    ]
    columns = [Column("method"), Column("against")]
    for words, _ in _COMPARED:
        columns += [
            *numbers(f"{words}: difference", signed=True),
            Column("p", "p"),
            Column("p corrected", "p"),
        ]
    note = Line(
        "Difference: the method less what it is compared with, ± standard deviation. p corrected: Holm's, over "
        "the methods compared with the same one."
    )
    title = study.title + ": differences and their p-values"
    if rows:
        yield Table(f"differences-{study.name}", title, columns, rows, folded=True, note=note)


def chosen_table(study: Study) -> Iterator[Table]:
    """The hyper-parameters that validation chose, over seeds, and what the runs remarked."""
    several = len(study.tables) > 1
    rows = [
        [
            _method(m["name"]),
            *([len(t["attributes"])] if several else []),
            _choices(m["chosen"]),
            Line("; ").join(m["remarks"]),
        ]
        for t in study.tables
        for m in t["methods"]
        if any(m["chosen"]) or m["remarks"]
    ]
    columns = [Column("method"), *([Column("attributes", "whole")] if several else [])]
    columns += [Column("chosen (seeds)"), Column("remarks")]
    title = study.title + ": hyper-parameters chosen on validation rows"
    if rows:
        yield Table(f"chosen-{study.name}", title, columns, rows, folded=True)


def _choices(chosen: Any) -> Line:
    """Every choice and how often it was made, the most frequent first."""
    counts = Counter(", ".join(f"{k} = {_short(v)}" for k, v in c.items()) for c in chosen if c)
    return Line("; ").join(Line("{} ({:,})").format(Name(c), n) for c, n in counts.most_common())


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def fidelity_table(study: Study, table: Summary) -> Iterator[Table]:
    """Synthetic rows against held-out real ones."""
    sources = table["fidelity"]
    if not sources:
        return
    figures = list(next(iter(sources.values())))
    rows = [
        [Line(Name(s)), *(e and estimate(e) for e in found), *(e and e["mean"] for e in found)]
        for s, f in sources.items()
        for found in [[f[k] for k in figures]]
    ]
    titles = [k.replace("_", " ").replace("auc", "AUC").replace("mmd", "MMD effect") for k in figures]
    columns = [
        Column("rows from", short="rows from"),
        *(Column(t, "amount") for t in titles),
        *(Column("", "amount", k.replace("_", "\n")) for k in figures),
    ]
    note = Line(
        "Mean over seeds ± standard error. An AUC near 0.5 is good: no classifier tells the rows from real "
        "ones. Small MMD and few copies are good, and high precision, recall and coverage. Real rows are the "
        "floor."
    )
    title = Line("{}: synthetic rows against held-out real ones, by {}").format(
        study.title, _attributes(table)
    )
    brief = Line(
        "synthetic rows against held-out real ones; an AUC of ½ is good, so are small MMD and copies"
    )
    yield Table(f"fidelity-{_id(study, table)}", title, columns, rows, note=note, brief=brief, paper=True)


def failed_table(study: Study) -> Iterator[Table]:
    """Trials that ended in an error."""
    rows = [{**f, "n": len(t["attributes"])} for t in study.tables for f in t["failed"]]
    columns = [
        name_column("method", "method", "method"),
        Column("attributes", "whole", get="n"),
        Column("seed", "whole", "seed", get="seed"),
        Column("error", short="error", get="error"),
    ]
    title = study.title + f": {len(rows):,} failed trial{'' if len(rows) == 1 else 's'}"
    note = Line("Run again with --retry once the cause is mended.")
    if rows:
        brief = title + "; run again with --retry once the cause is mended"
        yield table_of(f"failed-{study.name}", title, columns, rows, note=note, brief=brief)


def time_table(summary: Summary) -> list[Block]:
    """Seconds of computing by method and stage, the most expensive first."""
    spent: dict[str, dict[str, float]] = {}
    for table in summary["tables"]:
        for m in table["methods"]:
            mine = spent.setdefault(m["name"], {})
            for stage, seconds in m["seconds"].items():
                mine[stage] = mine.get(stage, 0.0) + seconds
    if not spent:
        return []
    total: Mapping[str, float] = summary["seconds"]
    ranked = sorted(spent.items(), key=lambda item: -sum(item[1].values()))
    rows = [[_method(n), *(s.get(k, 0.0) for k in total), sum(s.values())] for n, s in ranked]
    intro = Line("{:,.1f} seconds of one core over all data sets: {}.").format(
        sum(total.values()), listed(f"{k} {v:,.1f}" for k, v in total.items())
    )
    columns = [Column("method", short="method"), *(Column(k, "amount", k, digits=1) for k in (*total, "all"))]
    title = Line("Seconds of one core by method, the most expensive first")
    brief = Line(
        "where the time went: seconds of one core; what several methods share is counted with the first"
    )
    table = Table("table-time", title, columns, rows, folded=len(rows) > 12, brief=brief)
    return [Text(intro, brief=True), table]


_COLUMNS = (
    "dataset", "attributes", "rows", "seeds", "method", "strategy", "figure", "mean", "se", "against",
    "difference", "difference_se", "p_value", "p_adjusted", "within_noise",
)  # fmt: skip


def _long_table(summary: Summary) -> Table:
    """One line per method, figure, and baseline that it is compared with."""
    rows = [line for table in summary["tables"] for line in _lines(table)]
    return Table("long", Line(), [Column(c) for c in _COLUMNS], [[r.get(c) for c in _COLUMNS] for r in rows])


def _lines(table: Summary) -> Iterator[dict[str, Any]]:
    about = {
        "dataset": table["data"]["name"],
        "attributes": " ".join(a["name"] for a in table["attributes"]),
        "rows": table["data"]["rows"],
        "seeds": table["seeds"],
    }
    for m in table["methods"]:
        for figure, found in _figures(m).items():
            line = {**about, "method": m["method"], "strategy": m["strategy"], "figure": figure, **found}
            yield line
            for baseline, differences in m["differences"].items():
                d = differences[figure]
                kept = {k: d[k] for k in ("p_value", "p_adjusted", "within_noise")}
                yield {**line, "against": baseline, "difference": d["mean"], "difference_se": d["se"], **kept}
    for source, figures in table["fidelity"].items():
        for figure, found in figures.items():
            yield {**about, "method": "fidelity", "strategy": source, "figure": figure, **(found or {})}


def _figures(m: Summary) -> dict[str, Any]:
    found = {"balanced_accuracy": m["balanced_accuracy"]}
    for block, figures in (*m["measures"].items(), ("equalized_odds", m["equalized_odds"])):
        found |= {f"{block}.{k}": figures[k] for k in FIGURES}
    return found
