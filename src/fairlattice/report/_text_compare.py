"""A comparison for a terminal: the strategies, the worst-off groups under each, what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from fairlattice.groups import show_group
from fairlattice.report._text import Summary, bullets, header, mark, plain_table, titled
from fairlattice.strategies._shared import BASELINE

_UNSURE = 0.02  # a loss of balanced accuracy worth a word even if it may be noise
VERDICTS = {"yes": "yes", "no": "no", "not enough data": "unclear"}


def compare_text(summary: Summary, *, top: int = 8) -> RenderableType:
    """A comparison's summary as tables and sentences; at most `top` groups, worst first."""
    return Stack(
        header("compare", summary),
        "",
        _strategy_table(summary),
        "",
        _worst_groups(summary, top),
        "",
        bullets(_reading(summary)),
    )


def _strategy_table(summary: Summary) -> RenderableType:
    alpha = f"{summary['settings']['alpha']:g}"
    compared = any(s["name"] == BASELINE for s in summary["strategies"])
    rows = [_strategy_row(s) for s in summary["strategies"]]
    for column in zip(*rows, strict=True):
        width = max(map(len, column))
        for cell in column:  # padded here: a right-justified column would drop the blank of a missing mark
            cell.pad_left(width - len(cell))
    table = plain_table()
    table.add_column("strategy", no_wrap=True)
    for name in ("balanced\naccuracy", f"IF{alpha}\neq. odds", "DF\neq. odds", "worst\nTPR", "worst\nTNR"):
        table.add_column(Text(name, justify="right"), no_wrap=True)
    table.add_column("leveled\ndown", no_wrap=True, min_width=7)
    for s, cells in zip(summary["strategies"], rows, strict=True):
        verdict = VERDICTS.get(s["leveling_down"]["verdict"], "") if s["name"] != BASELINE else ""
        table.add_row(s["name"], *cells, Text(verdict, style="bold red" if verdict == "yes" else ""))
    marks = "; ▲ better ▼ worse than none" if compared else ""
    return titled(f"mean ± standard error; small IF and DF are fair{marks}", table)


def _strategy_row(s: Summary) -> list[Text]:
    odds, rates = s["equalized_odds"], s["measures"]
    return [
        figure_text(s["balanced_accuracy"], mark(s, "balanced_accuracy", up=True)),
        figure_text(odds["if"], mark(s, "equalized_odds.if", up=False)),
        figure_text(odds["df"], mark(s, "equalized_odds.df", up=False), digits=2),
        *(figure_text(rates[r]["worst"], mark(s, f"{r}.worst", up=True)) for r in ("tpr", "tnr")),
    ]


def figure_text(estimate: Summary, mark: str, digits: int = 3) -> Text:
    se = "" if estimate["se"] is None else f"±{estimate['se']:.{digits}f}".replace("±0.", "±.")
    style = {"▲": "green", "▼": "red"}.get(mark, "")
    return Text(f"{estimate['mean']:.{digits}f}{se}{mark or ' '}", style=style)


def _worst_groups(summary: Summary, top: int) -> RenderableType:
    """The groups that fare worst under the first strategy, and how they fare under others."""
    strategies = summary["strategies"]
    first = strategies[0]
    rate = max(("tpr", "tnr"), key=lambda r: first["measures"][r]["if"]["mean"])
    rows = first["measures"][rate]["by_group"]
    order = sorted((i for i, g in enumerate(rows) if g["rate"] is not None), key=lambda i: rows[i]["rate"])
    columns = side_by_side(strategies)
    table = plain_table()
    table.add_column("group", ratio=1)
    for name in ("people", *(s["name"] for s in columns)):
        table.add_column(name, justify="right", no_wrap=True)
    for i in order[:top]:
        rates = [s["measures"][rate]["by_group"][i]["rate"] for s in columns]
        table.add_row(show_group(rows[i]["group"]), f"{rows[i]['n_rows']:,}", *(f"{r:.3f}" for r in rates))
    return titled(
        f"{rate.upper()} of the groups worst off under {first['name']}, over all splits (people: distinct)",
        table,
    )


def side_by_side(strategies: Sequence[Summary]) -> list[Summary]:
    """The first strategy and up to three others: the default, and those that have one idea only."""
    first, *others = strategies
    chosen = [s for s in others if s.get("default") or s.get("ablations") == [BASELINE]]
    return [first, *(chosen or others)[:3]]


def _reading(summary: Summary) -> Iterator[str]:
    strategies = {s["name"]: s for s in summary["strategies"]}
    name = f"IF{summary['settings']['alpha']:g}"
    yield from _worst_off(summary["strategies"][0])
    if BASELINE in strategies and len(strategies) > 1:
        fairer = [s["name"] for s in strategies.values() if mark(s, "equalized_odds.if", up=False) == "▲"]
        yield f"Fairer than none beyond noise, by {name}: {', '.join(fairer) or 'no strategy'}."
        dearer = [s["name"] for s in strategies.values() if mark(s, "balanced_accuracy", up=True) == "▼"]
        yield f"Less accurate than none beyond noise: {', '.join(dearer) or 'no strategy'}."
        unsure = [s["name"] for s in strategies.values() if _unsure_loss(s)]
        if unsure:
            yield f"Perhaps less accurate, though these splits cannot prove it: {', '.join(unsure)}."
    best = min(strategies.values(), key=lambda s: s["equalized_odds"]["if"]["mean"])
    yield f"Lowest {name} on average: {best['name']}, {best['equalized_odds']['if']['mean']:.3f}."
    default = [s for s in strategies.values() if s.get("default") and s is not best]
    for s in (best, *default):
        yield from _added(s, name)
    for verdict, words in (("yes", "Leveling down"), ("not enough data", "Leveling down not excluded")):
        names = [s["name"] for s in strategies.values() if s["leveling_down"]["verdict"] == verdict]
        if names:
            yield f"{words}: {', '.join(names)}."
    yield from summary["notes"]


def _added(strategy: Summary, name: str) -> Iterator[str]:
    """What a strategy gains over the same with one part removed."""
    without = next((a for a in strategy.get("ablations", ()) if a in strategy["differences"]), None)
    if without is not None and without != BASELINE:
        found = strategy["differences"][without]
        d, accuracy = found["equalized_odds.if"], found["balanced_accuracy"]
        yield (
            f"What {strategy['name']} gains over {without}, which lacks one of its parts: {name} {d['mean']:+.3f} "
            f"({_direction(d['mean'])}, {_noise(d)}), balanced accuracy "
            f"{accuracy['mean']:+.3f} ({_noise(accuracy)})."
        )


def _worst_off(strategy: Summary) -> Iterator[str]:
    """The group whose rate is low beyond doubt: the one whose interval ends lowest."""
    found = [
        (g["high"], rate, g)
        for rate in ("tpr", "tnr")
        for g in strategy["measures"][rate]["by_group"]
        if g["rate"] is not None
    ]
    if found:
        _, rate, g = min(found, key=lambda f: f[:2])
        yield (
            f"Surest to be badly off under {strategy['name']}: {show_group(g['group'])}, {rate.upper()} "
            f"{g['rate']:.2f} (between {g['low']:.2f} and {g['high']:.2f}; {g['n_rows']:,} people)."
        )


def _direction(change: float) -> str:
    return "as fair" if abs(change) < 0.0005 else "fairer" if change < 0 else "less fair"


def _unsure_loss(strategy: Summary) -> bool:
    d = strategy["differences"].get(BASELINE, {}).get("balanced_accuracy")
    return d is not None and d["mean"] < -_UNSURE and bool(d["within_noise"])


def _noise(difference: Summary) -> str:
    return "within noise" if difference["within_noise"] else "beyond noise"
