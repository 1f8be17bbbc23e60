"""Results of experiments for a terminal: a table per data set, what failed, and where the time went."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from fairlattice.groups import show_group
from fairlattice.report._text import Summary, bullets, plain_table, titled
from fairlattice.report._text_compare import VERDICTS
from fairlattice.report._verdicts_bench import baseline_words, bench_mark, leveled, verdicts

_MOST_FAILED = 5


def figure_text(estimate: Summary, mark: str, digits: int = 3) -> Text:
    """A mean with its standard error and mark."""
    se = "" if estimate["se"] is None else f"±{estimate['se']:.{digits}f}".replace("±0.", "±.")
    style = {"▲": "green", "▼": "red"}.get(mark, "")
    return Text(f"{estimate['mean']:.{digits}f}{se}{mark or ' '}", style=style)


def bench_text(summary: Summary) -> RenderableType:
    """The results as tables and sentences."""
    parts: list[RenderableType] = [Text("fairlattice bench")]
    for table in summary["tables"]:
        parts += ["", _head(table)]
        if table["methods"]:
            parts += ["", _methods(table), "", bullets(_reading(table))]
        if table["fidelity"]:
            parts += ["", _fidelity(table)]
        parts += ["", bullets(_gone_wrong(table))] if table["failed"] or table["unfinished"] else []
    return Stack(*parts, "", _time(summary), "", bullets(iter(summary["notes"])))


def _head(table: Summary) -> Text:
    data, settings = table["data"], table["settings"]
    levels = " × ".join(f"{a['name']} ({len(a['levels'])})" for a in table["attributes"])
    lines = [f"{data['name']}: {data['rows']:,} rows, label {data['label']}; groups: {levels}"]
    if settings:
        beyond = data["rows"] - data["dealt"]
        dealt = f" of {data['dealt']:,} rows, {beyond:,} more tested" if beyond else ""
        how = "60/20/20" if settings["split"] == "random" else "as published"
        lines.append(
            f"{table['seeds']} seeds, {how}{dealt}; chosen: least IF{settings['alpha']:g} of "
            f"{settings['notion'].replace('_', ' ')} within {settings['margin']:g} of the best "
            "balanced accuracy"
        )
    return Text("\n".join(lines))


def _methods(table: Summary) -> RenderableType:
    alpha = f"{table['settings']['alpha']:g}"
    rows = [_row(m) for m in table["methods"]]
    baseline = baseline_words(table)
    for column in zip(*rows, strict=True):
        width = max(map(len, column))
        for cell in column:
            cell.pad_left(width - len(cell))
    grid = plain_table()
    grid.collapse_padding = True  # seven columns in 80
    grid.add_column(
        "method", overflow="fold", min_width=min(21, max(len(m["name"]) for m in table["methods"]))
    )
    heads = ("balanced\naccuracy", f"IF{alpha}\neq. odds", "worst\nTPR", "worst\nTNR")
    for head in heads:
        grid.add_column(Text(head, justify="right"), no_wrap=True)
    grid.add_column("leveled\ndown", no_wrap=True, min_width=7)
    for m, cells in zip(table["methods"], rows, strict=True):
        verdict = VERDICTS.get(m["leveling_down"]["verdict"], "")
        grid.add_row(m["name"], *cells, Text(verdict, style="bold red" if verdict == "yes" else ""))
    return titled(f"posterior mean ± deviation; small IF is fair; ▲ better ▼ worse than {baseline}", grid)


def _row(m: Summary) -> list[Text]:
    rates = m["measures"]
    return [
        figure_text(m["balanced_accuracy"], bench_mark(m, "balanced_accuracy", up=True)),
        figure_text(m["equalized_odds"]["if"], bench_mark(m, "equalized_odds.if", up=False)),
        *(figure_text(rates[r]["worst"], bench_mark(m, f"{r}.worst", up=True)) for r in ("tpr", "tnr")),
    ]


def _reading(table: Summary) -> Iterator[str]:
    name, methods = f"IF{table['settings']['alpha']:g}", table["methods"]
    for strategy in ("", "equal"):
        found = verdicts(table, strategy)
        if found.compared:
            fairer = _some([m["name"] for m in found.fairer])
            than = baseline_words(table, strategy)
            yield f"Fairer than {than} beyond noise, by {name} of equalized odds: {fairer}."
    if any(m["leveling_down"]["verdict"] for m in methods):
        names = _some([m["name"] for m in leveled(table)])
        yield f"Leveled down (fairer on average, but the worst-off group worse off): {names}."
    front = [m["name"] for m in methods if "equalized_odds" in m["pareto"]]
    yield f"On the front of balanced accuracy and {name} of equalized odds: {_some(front)}."
    best = min(methods, key=lambda m: m["equalized_odds"]["if"]["mean"])
    yield f"Lowest {name} of equalized odds on average: {best['name']}. {_worst_group(best)}"


def _some(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _worst_group(method: Summary) -> str:
    rate = max(("tpr", "tnr"), key=lambda r: method["measures"][r]["if"]["mean"])
    known = [g for g in method["measures"][rate]["by_group"] if g["rate"] is not None]
    worst = min(known, key=lambda g: g["high"])  # surest to fare badly: the lowest rate is often one person's
    told = f"{worst['rate']:.3f} ({worst['n_rows']:,} people)"
    return f"Surest to fare badly under it, by {rate.upper()}: {show_group(worst['group'])}, {told}."


def _fidelity(table: Summary) -> RenderableType:
    figures = list(next(iter(table["fidelity"].values())))
    grid = plain_table()
    grid.add_column("rows from", no_wrap=True)
    for figure in figures:
        grid.add_column(Text(figure.replace("_", "\n"), justify="right"), justify="right", no_wrap=True)
    for source, found in table["fidelity"].items():
        grid.add_row(source, *("–" if e is None else f"{e['mean']:.3f}" for e in found.values()))
    return titled(
        "made rows beside held-out real ones; an AUC of ½ is good, so are small MMD and copies", grid
    )


def _gone_wrong(table: Summary) -> Iterator[str]:
    for name, n in table["unfinished"].items():
        yield f"{name} has {n} of {table['seeds']} seeds and is left out. Run it again to finish it."
    for f in table["failed"][:_MOST_FAILED]:
        yield f"{f['method']}, seed {f['seed']}, failed: {f['error']}"
    if len(table["failed"]) > _MOST_FAILED:
        more = len(table["failed"]) - _MOST_FAILED
        yield f"{more} more failed. Run again with --retry once the cause is mended."


def _time(summary: Summary) -> RenderableType:
    """Seconds of computing by method and stage, the dearest methods first."""
    spent: dict[str, dict[str, float]] = {}
    for table in summary["tables"]:
        for m in table["methods"]:
            mine = spent.setdefault(m["name"], dict.fromkeys(m["seconds"], 0.0))
            for stage, seconds in m["seconds"].items():
                mine[stage] += seconds
    if not spent:
        return ""
    grid = plain_table()
    grid.add_column("method", overflow="fold")
    stages = list(summary["seconds"])
    for head in (*stages, "all"):
        grid.add_column(head, justify="right", no_wrap=True)
    for name, seconds in sorted(spent.items(), key=lambda item: -sum(item[1].values())):
        grid.add_row(name, *(f"{seconds[s]:,.1f}" for s in stages), f"{sum(seconds.values()):,.1f}")
    total = {stage: sum(seconds[stage] for seconds in spent.values()) for stage in stages}
    grid.add_row("all", *(f"{total[s]:,.1f}" for s in stages), f"{sum(total.values()):,.1f}", style="bold")
    title = "where the time went: seconds of one core; what several methods share is told with the first"
    return titled(title, grid)
