"""Results for a terminal of 80 columns: tables first, then what they say, in words.

Everything is read from the summary, so the terminal can show nothing that the JSON does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairlattice.groups import show_group

Summary = Mapping[str, Any]
_BAR = 21


def audit_text(summary: Summary, *, top: int = 10) -> RenderableType:
    """An audit's summary as tables and sentences; at most `top` groups per rate, worst first."""
    measures = summary["measures"]
    shown = [r for r in ("tpr", "tnr") if r in measures] or [r for r in measures if r.startswith("recall:")][:4]
    parts: list[RenderableType] = [_header("audit", summary), "", _measure_table(summary)]
    parts += [part for rate in shown for part in ("", _group_table(rate, measures[rate], top))]
    parts += ["", _bullets(_audit_reading(summary, shown))]
    return Stack(*parts)


def compare_text(summary: Summary, *, top: int = 8) -> RenderableType:
    """A comparison's summary as tables and sentences; at most `top` groups, worst first."""
    return Stack(
        _header("compare", summary),
        "",
        _strategy_table(summary),
        "",
        _worst_groups(summary, top),
        "",
        _bullets(_compare_reading(summary)),
    )


def _header(command: str, summary: Summary) -> Text:
    data, attributes = summary["data"], summary["attributes"]
    levels = " × ".join(f"{a['name']} ({len(a['levels'])})" for a in attributes)
    positive = "" if data["positive"] is None else f", positive is {data['positive']}"
    lines = [
        f"{data.get('name', 'table')}: {data['rows']:,} rows, label {data['label']}{positive}",
        f"groups: {levels}; {summary['empty_groups']['n']:,} of them without rows",
    ]
    if command == "compare":
        s = summary["settings"]
        splits = f"{s['repeats']} split{'s' if s['repeats'] > 1 else ''}"
        lines.append(f"{s['classifier']}, {splits}, {s['test_size']:.0%} test rows, seed {s['seed']}")
    return Text("\n".join([f"fairlattice {command}", *lines]))


def _measure_table(summary: Summary) -> Table:
    alpha = summary["settings"]["alpha"]
    table = _table("95 % bounds hold for all groups at once; small is fair")
    for name in ("rate", f"IF{alpha:g}", "DF", "worst group", "best group"):
        table.add_column(name, justify="left" if name == "rate" else "right", no_wrap=True)
    for rate, m in summary["measures"].items():
        if m["df"] is None:
            table.add_row(rate, *["undefined"] * 4)
        else:
            cells = [f"{d['value']:.3f} [{d['low']:.2f}, {d['high']:.2f}]" for d in (m["if"], m["df"])]
            table.add_row(rate, *cells, f"{m['worst']['value']:.3f}", f"{m['best']['value']:.3f}")
    return table


def _group_table(rate: str, measure: Summary, top: int) -> Table:
    rows = sorted(
        (g for g in measure["by_group"] if g["rate"] is not None), key=lambda g: (g["rate"], -g["n"])
    )
    hidden = len(rows) - top
    table = _table(f"{rate}: worst groups first" + (f" ({hidden} more not shown)" if hidden > 0 else ""))
    table.add_column("group", ratio=1)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("rate", justify="right", no_wrap=True)
    table.add_column("0    95 % interval   1", no_wrap=True, width=_BAR)
    for g in rows[:top]:
        table.add_row(show_group(g["group"]), f"{g['n']:,}", f"{g['rate']:.3f}", _interval(g))
    return table


def _interval(g: Summary) -> str:
    """An interval drawn on a line from 0 to 1."""
    low, at, high = (round(g[k] * (_BAR - 1)) for k in ("low", "rate", "high"))
    return "".join("●" if i == at else "─" if low <= i <= high else "·" for i in range(_BAR))


def _strategy_table(summary: Summary) -> Table:
    alpha = summary["settings"]["alpha"]
    baseline = "none" if any(s["name"] == "none" for s in summary["strategies"]) else None
    note = "mean ± standard error; ▲ better, ▼ worse than none, beyond noise" if baseline else "mean ± standard error"
    table = _table(note)
    table.add_column("strategy", no_wrap=True)
    for name in ("balanced\naccuracy", f"IF{alpha:g}\neq. odds", "DF\neq. odds", "worst\nTPR", "worst\nTNR"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("leveling\ndown", no_wrap=True)
    for s in summary["strategies"]:
        cells = [
            _figure(s["balanced_accuracy"], _mark(s, "balanced_accuracy", up=True)),
            _figure(s["equalized_odds"]["if"], _mark(s, "equalized_odds.if", up=False)),
            _figure(s["equalized_odds"]["df"], _mark(s, "equalized_odds.df", up=False), digits=2),
            *(
                _figure(s["measures"][rate]["worst"], _mark(s, f"{rate}.worst", up=True))
                for rate in ("tpr", "tnr")
            ),
        ]
        verdict = s["leveling_down"]["verdict"]
        told = "" if s["name"] == "none" or verdict is None else {"not enough data": "unclear"}.get(verdict, verdict)
        table.add_row(s["name"], *cells, Text(told, style="bold red" if told == "yes" else ""))
    return table


def _figure(estimate: Summary, mark: str, digits: int = 3) -> Text:
    se = "" if estimate["se"] is None else f"±{estimate['se']:.{digits}f}".replace("±0.", "±.")
    style = {"▲": "green", "▼": "red"}.get(mark, "")
    return Text(f"{estimate['mean']:.{digits}f}{se}{mark or ' '}", style=style)


def _mark(strategy: Summary, figure: str, *, up: bool) -> str:
    """▲ where the difference to `none` is a gain beyond noise, ▼ where a loss, nothing within noise."""
    difference = strategy["differences"].get("none", {}).get(figure)
    if difference is None or difference["within_noise"]:
        return ""
    return "▲" if (difference["mean"] > 0) == up else "▼"


def _worst_groups(summary: Summary, top: int) -> Table:
    """The groups that fare worst under the first strategy, and how they fare under the others."""
    strategies = summary["strategies"]
    first = strategies[0]["measures"]["tpr"]["by_group"]
    order = sorted((i for i, g in enumerate(first) if g["rate"] is not None), key=lambda i: first[i]["rate"])
    wanted = ("none", "label", "equal", "augment")
    columns = [s for s in strategies if s["name"] in wanted] or strategies[:4]
    table = _table(f"TPR of the groups worst off under {strategies[0]['name']} (test rows of all splits)")
    table.add_column("group", ratio=1)
    table.add_column("n", justify="right", no_wrap=True)
    for s in columns:
        table.add_column(s["name"], justify="right", no_wrap=True)
    for i in order[:top]:
        rates = [s["measures"]["tpr"]["by_group"][i]["rate"] for s in columns]
        table.add_row(show_group(first[i]["group"]), f"{first[i]['n']:,}", *(f"{r:.3f}" for r in rates))
    return table


def _audit_reading(summary: Summary, shown: list[str]) -> Iterator[str]:
    for rate in shown:
        m = summary["measures"][rate]
        if m["worst"] is None:
            yield f"No group has a row that {rate} is about: undefined."
            continue
        worst = m["worst"]
        yield (
            f"Worst off by {rate}: {show_group(worst['group'])}, "
            f"likely between {worst['low']:.2f} and {worst['high']:.2f}; best: {show_group(m['best']['group'])}."
        )
        if m["df"]["low"] == 0:
            yield f"That the groups differ in {rate} at all is not certain at 95 %: DF may be 0."
        if m["undefined"]:
            yield f"{rate} is undefined (no such rows) for: {_some(m['undefined'])}."
    if summary["empty_groups"]["n"]:
        yield f"No rows at all: {_some(summary['empty_groups']['first'], summary['empty_groups']['n'])}."
    if "leveling_down" in summary:
        found = summary["leveling_down"]
        lost = [c for c in found["groups"] if c["lost"]]
        yield f"Leveling down against the baseline: {found['verdict']}; {len(lost)} group rates fell beyond noise."
        for c in lost[:5]:
            yield f"Lost: {show_group(c['group'])}, {c['measure']} {c['before']:.3f} → {c['after']:.3f}."


def _compare_reading(summary: Summary) -> Iterator[str]:
    strategies = {s["name"]: s for s in summary["strategies"]}
    best = min(strategies.values(), key=lambda s: s["equalized_odds"]["if"]["mean"])
    alpha = summary["settings"]["alpha"]
    told = f"Fairest by IF{alpha:g} (equalized odds): {best['name']}, {best['equalized_odds']['if']['mean']:.3f}."
    yield told
    for baseline in ("none", "equal"):
        d = best["differences"].get(baseline, {}).get("equalized_odds.if")
        if d is not None:
            noise = "within noise" if d["within_noise"] else "beyond noise"
            accuracy = best["differences"][baseline]["balanced_accuracy"]["mean"]
            yield (
                f"{best['name']} against {baseline}: IF{alpha:g} {d['mean']:+.3f} ({noise}), "
                f"balanced accuracy {accuracy:+.3f}."
            )
    rows = strategies.get("augment")
    d = rows["differences"].get("equal", {}).get("equalized_odds.if") if rows else None
    if d is not None:
        if d["within_noise"]:
            yield "Synthetic rows (augment) make no difference beyond noise to equal weights alone."
        else:
            verb = "help" if d["mean"] < 0 else "hurt"
            yield f"Synthetic rows (augment) {verb}, compared with equal weights alone: IF{alpha:g} {d['mean']:+.3f}."
    for verdict, words in (("yes", "Leveling down"), ("not enough data", "Leveling down not excluded")):
        names = [s["name"] for s in strategies.values() if s["leveling_down"]["verdict"] == verdict]
        if names:
            yield f"{words}: {', '.join(names)}."
    yield from summary["notes"]


def _bullets(lines: Iterator[str]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column()
    for line in lines:
        table.add_row("•", Text(line))
    return Padding(table, 0)


def _some(groups: list[Mapping[str, Any]], n: int | None = None) -> str:
    n = len(groups) if n is None else n
    shown = "; ".join(show_group(g) for g in groups[:3])
    return f"{shown}; and {n - 3:,} more" if n > 3 else shown


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="italic", box=None, pad_edge=False, padding=(0, 1))
