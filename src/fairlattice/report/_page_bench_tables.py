"""The tables of experiments: all figures, differences, hyper-parameters, made rows, failures, time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.report._page_answer_bench import Study
from fairlattice.report._page_blocks import Column, Table, Text, plain
from fairlattice.report._page_words import listed, name, number, p_value
from fairlattice.report._verdicts_bench import bench_mark

Summary = Mapping[str, Any]
_BLOCKS = (("TPR", "tpr"), ("odds", "equalized_odds"))
_KINDS = (("best-off", "best", True), ("worst-off", "worst", True), ("DF", "df", False), ("IF", "if", False))
_COMPARED = (("IF of equalized odds", "equalized_odds.if"), ("balanced accuracy", "balanced_accuracy"))


def figure_text(estimate: Summary | None, digits: int = 3, *, signed: bool = False) -> str:
    """A mean and its standard error."""
    if estimate is None:
        return "–"
    se = "" if estimate["se"] is None else f" ± {number(estimate['se'], digits)}"
    return f"{number(estimate['mean'], digits, signed=signed)}{se}"


def methods_table(study: Study, table: Summary, *, folded: bool) -> Table | None:
    """All figures of all methods on one number of attributes."""
    if not table["methods"]:
        return None
    alpha = f"IF{table['settings']['alpha']:g}"
    titles = ["balanced accuracy"]
    titles += [f"{block}: {alpha if k == 'IF' else k}" for block, _ in _BLOCKS for k, _, _ in _KINDS]
    columns = [Column("method"), *(Column(t, "number") for t in titles), Column("leveled down?", "verdict")]
    n = len(table["methods"])
    caption = Markup("{}: {:,} method{} on {}").format(
        study.title, n, "" if n == 1 else "s", _attributes(table)
    )
    note = Markup(
        "Posterior mean ± standard deviation, over people and seeds. Small DF and IF are fair. ▲ better, "
        "▼ worse than the baseline ({}) beyond noise; no mark: within noise. TPR is equal opportunity; of equalized "
        "odds, DF and IF are the worse of TPR and TNR, best-off and worst-off are over both."
    ).format(listed(name(b) for b in dict.fromkeys(m["baseline"] for m in table["methods"])))
    rows = [_cells(m) for m in table["methods"]]
    return Table(f"methods-{_id(study, table)}", caption, columns, rows, folded=folded, note=note)


def _id(study: Study, table: Summary) -> str:
    return f"{study.name}-{next(i for i, t in enumerate(study.tables) if t is table)}"


def _attributes(table: Summary) -> Markup:
    return listed(name(a["name"]) for a in table["attributes"])


def _cells(m: Summary) -> list[Any]:
    cells = [(m["balanced_accuracy"], bench_mark(m, "balanced_accuracy", up=True))]
    for _, block in _BLOCKS:
        figures = m["measures"][block] if block in m["measures"] else m[block]
        cells += [(figures[k], bench_mark(m, f"{block}.{k}", up=up)) for _, k, up in _KINDS]
    marked = (Markup("{}{}").format(figure_text(e), _arrow(sign)) for e, sign in cells)
    verdict = m["leveling_down"]["verdict"]
    return [_method(m["name"]), *marked, verdict if m["name"] != m["baseline"] else None]


def _method(text: str) -> Markup:
    """A method's name, which gets room."""
    return Markup('<span class="method">{}</span>').format(name(text))


def _arrow(sign: str) -> Markup:
    if not sign:
        return Markup()
    return Markup(' <span class="a {}">{}</span>').format("good" if sign == "▲" else "bad", sign)


def differences_table(study: Study) -> Table | None:
    """Differences to the baselines with their p-values, each alone and corrected over the methods."""
    rows = [
        [
            _method(m["name"]),
            name(against),
            *(cell for _, figure in _COMPARED for cell in _difference(d[figure])),
        ]
        for m in study.main["methods"]
        for against, d in m["differences"].items()
    ]
    columns = [Column("method"), Column("against")]
    for words, _ in _COMPARED:
        columns += [Column(t, "number") for t in (f"{words}: difference", "p", "p corrected")]
    note = Markup(
        "Difference: the method less what it is compared with, ± standard deviation. p corrected: Holm's, over "
        "the methods beside the same one."
    )
    title = Markup("{}: differences and their p-values").format(study.title)
    return Table(f"differences-{study.name}", title, columns, rows, folded=True, note=note) if rows else None


def _difference(d: Summary) -> list[str]:
    return [figure_text(d, signed=True), p_value(d["p_value"]), p_value(d["p_adjusted"])]


def chosen_table(study: Study) -> Table | None:
    """The hyper-parameters that validation chose, over seeds, and what the runs remarked."""
    several = len(study.tables) > 1
    rows = [
        [
            _method(m["name"]),
            *([str(len(t["attributes"]))] if several else []),
            _choices(m["chosen"]),
            Markup("; ").join(plain(r) for r in m["remarks"]),
        ]
        for t in study.tables
        for m in t["methods"]
        if any(m["chosen"]) or m["remarks"]
    ]
    columns = [Column("method"), *([Column("attributes", "number")] if several else [])]
    columns += [Column("chosen (seeds)"), Column("remarks")]
    title = Markup("{}: hyper-parameters chosen on validation rows").format(study.title)
    return Table(f"chosen-{study.name}", title, columns, rows, folded=True) if rows else None


def _choices(chosen: Any) -> Markup:
    """Every choice and how often it was made, the most frequent first."""
    told = Counter(", ".join(f"{k} = {_short(v)}" for k, v in c.items()) for c in chosen if c)
    return Markup("; ").join(Markup("{} ({:,})").format(name(c), n) for c, n in told.most_common())


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def fidelity_table(study: Study, table: Summary) -> Table | None:
    """Made rows beside held-out real ones."""
    sources = table["fidelity"]
    if not sources:
        return None
    figures = list(next(iter(sources.values())))
    rows = [[name(s), *(_fidelity_text(f[k]) for k in figures)] for s, f in sources.items()]
    titles = [k.replace("_", " ").replace("auc", "AUC").replace("mmd", "MMD effect") for k in figures]
    columns = [Column("rows from"), *(Column(t, "number") for t in titles)]
    note = Markup(
        "Mean over seeds ± standard error. An AUC near 0.5 is good: no classifier tells the rows from real "
        "ones. Small MMD and few copies are good, and high precision, recall and coverage. Real rows are the "
        "floor."
    )
    title = Markup("{}: made rows beside held-out real ones, by {}").format(study.title, _attributes(table))
    return Table(f"fidelity-{_id(study, table)}", title, columns, rows, note=note)


def _fidelity_text(e: Summary | None) -> str:
    if e is None:
        return "–"
    return f"{e['mean']:,.3f}" + ("" if e["se"] is None else f" ± {e['se']:,.3f}")


def failed_table(study: Study) -> Table | None:
    """Trials that ended in an error."""
    rows = [
        [name(f["method"]), str(len(t["attributes"])), str(f["seed"]), plain(f["error"])]
        for t in study.tables
        for f in t["failed"]
    ]
    columns = [Column("method"), Column("attributes", "number"), Column("seed", "number"), Column("error")]
    title = Markup("{}: {:,} failed trial{}").format(study.title, len(rows), "" if len(rows) == 1 else "s")
    note = Markup("Run again with --retry once the cause is mended.")
    return Table(f"failed-{study.name}", title, columns, rows, note=note) if rows else None


def time_table(summary: Summary) -> list[Any]:
    """Seconds of computing by method and stage, the dearest first."""
    spent: dict[str, dict[str, float]] = {}
    for table in summary["tables"]:
        for m in table["methods"]:
            mine = spent.setdefault(m["name"], {})
            for stage, seconds in m["seconds"].items():
                mine[stage] = mine.get(stage, 0.0) + seconds
    if not spent:
        return []
    stages = list(summary["seconds"])
    dearest = sorted(spent.items(), key=lambda item: -sum(item[1].values()))
    rows = [[_method(n), *(_seconds(s[k]) for k in stages), _seconds(sum(s.values()))] for n, s in dearest]
    total = summary["seconds"]
    intro = Markup("{} seconds of one core over all data sets: {}.").format(
        _seconds(sum(total.values())), listed(f"{k} {_seconds(v)}" for k, v in total.items())
    )
    columns = [Column("method"), *(Column(k, "number") for k in (*stages, "all"))]
    title = Markup("Seconds of one core by method, the dearest first")
    return [Text(intro), Table("table-time", title, columns, rows, folded=len(rows) > 12)]


def _seconds(value: float) -> str:
    return f"{value:,.1f}"
