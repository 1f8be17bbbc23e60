"""An audit for a terminal: the measures, the worst groups with their intervals drawn, what it says."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group as Stack
from rich.console import RenderableType

from fairlattice.groups import show_group
from fairlattice.report._text import Summary, bullets, header, plain_table, some_groups, titled

_BAR = 21


def audit_text(summary: Summary, *, top: int = 10) -> RenderableType:
    """An audit's summary as tables and sentences; at most `top` groups per rate, worst first."""
    measures = summary["measures"]
    shown = [r for r in ("tpr", "tnr") if r in measures] or [r for r in measures if r.startswith("recall:")][
        :4
    ]
    parts: list[RenderableType] = [header("audit", summary), "", _measure_table(summary)]
    parts += [part for rate in shown for part in ("", _group_table(rate, summary, top))]
    return Stack(*parts, "", bullets(_reading(summary, shown)))


def _measure_table(summary: Summary) -> RenderableType:
    alpha = summary["settings"]["alpha"]
    table = plain_table()
    for name in ("rate", f"IF{alpha:g}", "DF", "worst group", "best group"):
        table.add_column(name, justify="left" if name == "rate" else "right", no_wrap=True)
    for rate, m in summary["measures"].items():
        if m["df"] is None:
            table.add_row(rate, *["undefined"] * 4)
        else:
            cells = [f"{d['value']:.3f} [{d['low']:.2f}, {d['high']:.2f}]" for d in (m["if"], m["df"])]
            table.add_row(rate, *cells, f"{m['worst']['value']:.3f}", f"{m['best']['value']:.3f}")
    return titled(
        f"{_percent(summary)} bounds hold for all groups at once; rates smoothed (k + ½)/(n + 1)", table
    )


def _group_table(rate: str, summary: Summary, top: int) -> RenderableType:
    measure = summary["measures"][rate]
    rows = sorted(
        (g for g in measure["by_group"] if g["rate"] is not None), key=lambda g: (g["rate"], -g["n"])
    )
    hidden = len(rows) - top
    table = plain_table()
    table.add_column("group", ratio=1)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("rate", justify="right", no_wrap=True)
    table.add_column(f"0   {_percent(summary):>4} interval   1", no_wrap=True, width=_BAR)
    for g in rows[:top]:
        table.add_row(show_group(g["group"]), f"{g['n']:,}", f"{g['rate']:.3f}", _interval(g))
    return titled(
        f"{rate}: worst groups first" + (f" ({hidden} more not shown)" if hidden > 0 else ""), table
    )


def _percent(summary: Summary) -> str:
    return f"{100 * summary['settings']['confidence']:g} %"


def _interval(g: Summary) -> str:
    """An interval drawn on a line from 0 to 1."""
    low, at, high = (round(g[k] * (_BAR - 1)) for k in ("low", "rate", "high"))
    return "".join("●" if i == at else "─" if low <= i <= high else "·" for i in range(_BAR))


def _told(g: Summary) -> str:
    people = "1 row" if g["n"] == 1 else f"{g['n']:,} rows"
    return f"{show_group(g['group'])}, {g['rate']:.2f} (between {g['low']:.2f} and {g['high']:.2f}; {people})"


def _reading(summary: Summary, shown: list[str]) -> Iterator[str]:
    for rate in shown:
        m = summary["measures"][rate]
        if m["worst"] is None:
            yield f"No group has a row that {rate} is about: undefined."
            continue
        surest = min((g for g in m["by_group"] if g["rate"] is not None), key=lambda g: g["high"])
        yield f"Surest to be badly off by {rate}: {_told(surest)}."
        worst = next(g for g in m["by_group"] if g["group"] == m["worst"]["group"])
        if worst is not surest:
            yield f"Lowest {rate}, smoothed: {_told({**worst, **m['worst'], 'rate': worst['rate']})}."
        if m["df"]["low"] == 0:
            yield f"That groups differ in {rate} at all is not certain: its DF may be 0."
        if m["undefined"]:
            yield f"{rate} is undefined, for want of rows, for {some_groups(m['undefined'])}."
    empty = summary["empty_groups"]
    if empty["n"]:
        yield f"Groups without rows: {some_groups(empty['first'], empty['n'])}."
    if "leveling_down" in summary:
        found = summary["leveling_down"]
        lost = [c for c in found["groups"] if c["lost"]]
        yield f"Leveling down against the baseline: {found['verdict']}."
        yield f"Group rates that fell beyond noise: {len(lost)}."
        for c in lost[:5]:
            yield f"Lost: {show_group(c['group'])}, {c['measure']} {c['before']:.3f} → {c['after']:.3f}."
