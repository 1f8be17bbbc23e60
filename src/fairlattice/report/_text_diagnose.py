"""A diagnosis for a terminal: sources beside the floor, cells whose parents do not stand for them, copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from fairlattice.groups import show_group
from fairlattice.report._text import Summary, bullets, plain_table, titled
from fairlattice.strategies import STRATEGIES


def diagnose_text(summary: Summary, *, top: int = 10) -> RenderableType:
    """A diagnosis's summary as tables and sentences; at most `top` cells, worst first."""
    data, overall = summary["data"], summary["overall"]
    levels = " × ".join(f"{a['name']} ({len(a['levels'])})" for a in summary["attributes"])
    head = Text(
        f"fairlattice diagnose\n{data['name']}: {data['rows']:,} rows, label {data['label']}\n"
        f"groups: {levels}\n{overall['n_train']:,} rows to learn from, {overall['n_held_out']:,} to judge "
        f"by, seed {summary['settings']['seed']}"
    )
    failing = [c for c in summary["cells"] if (c["assumption"] or {}).get("verdict") == "fails"]
    parts: list[RenderableType] = [head, "", _sources(summary)]
    if failing:
        parts += ["", _failing(failing, top)]
    return Stack(*parts, "", bullets(_reading(summary, failing)))


def _sources(summary: Summary) -> RenderableType:
    table = plain_table()
    table.add_column("rows from", no_wrap=True)
    for name in ("AUC\nlinear", "AUC\nneighb.", "MMD²\neffect", "pre-\ncision", "re-\ncall", "cover-\nage",
                 "columns\nworst", "copies", "leak"):  # fmt: skip
        table.add_column(Text(name, justify="right"), justify="right", no_wrap=True)
    sources = summary["overall"]["sources"]
    for name in sorted(sources, key=lambda s: s != "real"):
        f = sources[name]
        if f is None:
            table.add_row(name, *["–"] * 9)
            continue
        memory = f["memory"]
        copied = ("", "") if memory is None else (
            f"{memory['exact'] + memory['near']:,}", f"{memory['membership_advantage']:.2f}"
        )  # fmt: skip
        tests = [_marked(t["auc"], t["p_adjusted"], 2) for t in f["classifiers"].values()]
        table.add_row(
            name, *tests, _marked(f["mmd"]["effect"], f["mmd"]["p_adjusted"], 1),
            *(f"{f[k]:.2f}" for k in ("precision", "recall", "coverage")),
            f"{f['marginals']['worst']:.2f}", *copied,
        )  # fmt: skip
    told = "all cells together; an AUC of .5 cannot be told from real rows; * differs beyond noise"
    return titled(told, table)


def _marked(value: float, p_value: float, digits: int) -> Text:
    sure = p_value <= 0.05
    return Text(f"{value:.{digits}f}{'*' if sure else ' '}", style="red" if sure else "")


def _failing(cells: list[Summary], top: int) -> RenderableType:
    table = plain_table()
    table.add_column("cell", ratio=1)
    for name in ("rows", "effect", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("advice", ratio=1)
    for cell in sorted(cells, key=lambda c: -c["assumption"]["mix"]["effect"])[:top]:
        mix = cell["assumption"]["mix"]
        table.add_row(
            Text(f"{show_group(cell['group'])}, label {cell['label']}"),
            f"{cell['n_train'] + cell['n_held_out']:,}",
            f"{mix['effect']:.1f}",
            f"{mix['p_adjusted']:.3f}",
            Text(cell["assumption"]["advice"]),
        )
    more = f" ({len(cells) - top:,} more not shown)" if len(cells) > top else ""
    return titled(f"cells that the mix of their parents does not stand for{more}", table)


def _reading(summary: Summary, failing: list[Summary]) -> Iterator[str]:
    cells = summary["cells"]
    verdicts = Counter(c["assumption"]["verdict"] if c["assumption"] else "not enough data" for c in cells)
    yield (
        f"Of {len(cells):,} cells (group and label) the mix of parents stands for {verdicts['holds']:,}, "
        f"does not for {len(failing):,}, and data do not suffice for {verdicts['not enough data']:,}."
    )
    yield from _beside_the_floor(summary["overall"]["sources"])
    for name, figures in summary["overall"]["sources"].items():
        memory = (figures or {}).get("memory") or {"exact": 0, "near": 0}
        if memory["exact"] + memory["near"] > 0:
            expected = memory["exact_expected"] + memory["near_expected"]
            yield (
                f"{name}: of {figures['n']:,} rows {memory['exact']:,} equal a training row and "
                f"{memory['near']:,} nearly do; of as many real rows {expected:.0f} would."
            )
    yield from _later(summary.get("drift"))
    yield from _faded(summary.get("noise", ()))
    yield from summary["caveats"]


def _later(drift: Summary | None) -> Iterator[str]:
    """What changed between the two tables, and whether made rows still fit."""
    if drift is None:
        return
    kinds = Counter(c["kind"] for c in drift["changes"])
    told = ", ".join(f"{n} of {kind}" for kind, n in kinds.items()) or "none"
    yield f"Changes from the earlier to the later table beyond noise: {told}."
    unfit = [c for c in drift["cells"] if not c["fits"]]
    moved = sum(c["real"]["p_adjusted"] <= 0.05 for c in drift["cells"])
    yield (
        f"Of {len(drift['cells']):,} cells with rows in both tables {moved:,} hold other rows than before; "
        f"made rows no longer fit {len(unfit):,}."
    )
    for cell in sorted(unfit, key=lambda c: -c["made"]["effect"])[:3]:
        yield f"Made rows no longer fit {show_group(cell['group'])}, label {cell['label']}."


def _faded(noise: Sequence[Summary]) -> Iterator[str]:
    """What remains of every strategy's gain at every rate of error."""
    strategies = dict.fromkeys(p["strategy"] for p in noise if p["gains"])
    for name in strategies:
        gains = [
            f"{p['gains']['equalized_odds.if']['median']:+.3f}"
            f"{'' if p['gains']['equalized_odds.if']['mark'] else ' (noise)'} at {p['rate']:.0%}"
            for p in noise
            if p["strategy"] == name
        ]
        yield f"IF of {name} against none, by share of wrong attributes: {', '.join(gains)}."


def _learns(source: str) -> bool:
    """Whether a source fits anything before it draws rows."""
    return bool(getattr(STRATEGIES[source].rows, "learns", True)) if source in STRATEGIES else True


def _beside_the_floor(sources: Summary) -> Iterator[str]:
    """Whether a generator is nearer to real rows than the rows that cost nothing."""
    plain = {name: f for name, f in sources.items() if f is not None and name != "real" and not _learns(name)}
    for name, f in sources.items():
        if name in ("real", *plain) or f is None or not plain:
            continue
        best = min(plain, key=lambda other: plain[other]["mmd"]["mmd2"])
        nearer = f["mmd"]["mmd2"] < plain[best]["mmd"]["mmd2"]
        if min(f["mmd"]["p_adjusted"], plain[best]["mmd"]["p_adjusted"]) > 0.05:
            yield f"By MMD² neither {name} nor {best} differs from real rows beyond noise."
            continue
        yield (
            f"Rows of {name} are {'nearer to' if nearer else 'no nearer to'} real rows than "
            f"those of {best} (MMD² {f['mmd']['mmd2']:.4f} against {plain[best]['mmd']['mmd2']:.4f})."
        )
