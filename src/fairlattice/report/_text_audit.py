"""An audit for a terminal: the answers first, then ratios and the groups' rates with their intervals drawn."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group as Stack
from rich.console import RenderableType

from fairlattice.groups import show_group
from fairlattice.metrics._shared import assumed_sentence, notion_words, rate_phrases, rows_phrase
from fairlattice.report._text import Summary, bullets, header, plain_table, some_groups, titled

_BAR = 21
_RATIO_END = 1.25
_MOST_HIDDEN = 3


def audit_text(summary: Summary, *, top: int = 10) -> RenderableType:
    """An audit's summary as sentences and tables; at most `top` groups per rate, worst first."""
    shown = list(summary["judged"])[:4]
    parts: list[RenderableType] = [header("audit", summary)]
    parts += [str(assumed_sentence(summary["data"], summary["settings"])), ""]
    parts.append(bullets(v["sentence"] for v in summary["verdicts"]))
    if summary["impact_ratios"] is not None:
        parts += ["", _ratio_table(summary, top)]
    # Where the selection rate is what the notion is about, the table of ratios has its rates already.
    ratios = (summary["impact_ratios"] or {}).get("rate")
    parts += [part for rate in shown if rate != ratios for part in ("", _group_table(rate, summary, top))]
    parts += ["", _measure_table(summary)]
    if "series" in summary:
        parts += ["", _series_table(summary["series"], summary["settings"]["alpha"])]
    return Stack(*parts, "", bullets(_reading(summary, shown)))


def _ratio_table(summary: Summary, top: int) -> RenderableType:
    found = summary["impact_ratios"]
    known = [g for g in found["by_group"] if g["ratio"] is not None]
    rows = sorted(known, key=lambda g: (g["ratio"], -g["n"]))
    table = plain_table()
    table.add_column("group", ratio=1)
    for name in ("n", "rate", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(f"0  {_percent(summary):>4} intv.   {_RATIO_END:g}", no_wrap=True, width=_BAR)
    table.add_column("below .8?", no_wrap=True)
    for g in rows[:top]:
        high = _RATIO_END if g["high"] is None else g["high"]
        bar = _interval(g["low"] / _RATIO_END, g["ratio"] / _RATIO_END, high / _RATIO_END)
        table.add_row(
            show_group(g["group"]),
            f"{g['n']:,.0f}",
            f"{g['rate']:.3f}",
            f"{g['ratio']:.2f}",
            bar,
            g["verdict"],
        )
    what = rate_phrases(found["rate"], summary["data"])[1]
    return titled(f"who {what}: ratio to {_compared_with(found, known)}{_left(len(rows) - top)}", table)


def _compared_with(found: Summary, known: list[Summary]) -> str:
    if found["reference"] == "others":
        return "everyone else"
    if isinstance(found["reference"], str):
        return f"the best-off group, {show_group(known[0]['against'])}" if known else "the best-off group"
    return show_group(found["reference"])


def _left(n: int) -> str:
    return f" ({n} more not shown)" if n > 0 else ""


def _measure_table(summary: Summary) -> RenderableType:
    table = plain_table()
    names = ("rate", f"IF{summary['settings']['alpha']:g}", "corrected", "DF", "corrected", "p")
    for name in names:
        table.add_column(name, justify="left" if name == "rate" else "right", no_wrap=True)
    for rate, m in summary["measures"].items():
        if m["df"] is None:
            table.add_row(rate, *["undefined"] * 5)
            continue
        cells = [
            cell
            for d in (m["if"], m["df"])
            for cell in (f"{d['value']:.3f}", f"{d['corrected']:.2f} [{d['low']:.2f}, {d['high']:.2f}]")
        ]
        table.add_row(rate, *cells, _p_value(m["df"]["p_value"]))
    return titled(
        f"unfairness, small is fair; corrected for small groups [{_percent(summary)} interval]", table
    )


def _p_value(p: float) -> str:
    return "<.001" if p < 0.001 else f"{p:.3f}"


def _group_table(rate: str, summary: Summary, top: int) -> RenderableType:
    measure = summary["measures"][rate]
    rows = sorted(
        (g for g in measure["by_group"] if g["rate"] is not None), key=lambda g: (g["rate"], -g["n"])
    )
    table = plain_table()
    table.add_column("group", ratio=1)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("rate", justify="right", no_wrap=True)
    table.add_column(f"0   {_percent(summary):>4} interval   1", no_wrap=True, width=_BAR)
    for g in rows[:top]:
        bar = _interval(g["low"], g["rate"], g["high"])
        table.add_row(show_group(g["group"]), f"{g['n']:,.0f}", f"{g['rate']:.3f}", bar)
    who, what = rows_phrase(rate, summary["data"]), rate_phrases(rate, summary["data"])[1]
    return titled(f"{rate}: {who}, who {what}; worst groups first{_left(len(rows) - top)}", table)


def _series_table(series: Summary, alpha: float) -> RenderableType:
    table, notion = plain_table(), series["notion"]
    for name in (series["by"], "n", f"IF{alpha:g}, corrected", "DF, corrected"):
        table.add_column(name, justify="left" if name == series["by"] else "right", no_wrap=True)
    for row in series["periods"]:
        cells = [
            f"{d['corrected']:.2f} [{d['low']:.2f}, {d['high']:.2f}]" if d is not None else "undefined"
            for d in (row[notion]["if"], row[notion]["df"])
        ]
        table.add_row(str(row["period"]), f"{row['n']:,}", *cells)
    return titled(f"{notion_words(notion)} over time", table)


def _percent(summary: Summary) -> str:
    return f"{100 * summary['settings']['confidence']:g} %"


def _interval(low: float, value: float, high: float) -> str:
    """An interval drawn on a line from 0 to 1."""
    first, at, last = (round(min(v, 1.0) * (_BAR - 1)) for v in (low, value, high))
    return "".join("●" if i == at else "─" if first <= i <= last else "·" for i in range(_BAR))


def _reading(summary: Summary, shown: list[str]) -> Iterator[str]:
    for rate in shown:
        yield from _reading_of_rate(summary, rate)
    yield from _reading_of_groups(summary)
    for key, title in (("harm", "Harm"), ("leveling_down", "Leveling down")):
        if key in summary:
            yield from _reading_of_changes(summary[key], title)
            break  # of the two, harm looks at more groups
    if "scores" in summary:
        yield from _reading_of_scores(summary["scores"])
    if "series" in summary:
        yield from _reading_of_series(summary["series"])


def _reading_of_rate(summary: Summary, rate: str) -> Iterator[str]:
    m = summary["measures"][rate]
    if m["worst"] is None:
        yield f"No group has a row that {rate} is about: undefined."
        return
    yield f"Lowest {rate} of all, with probability: {_likely_worst(m['by_group'])}."
    for w in [w for w in summary["worse_off"] if w["measure"] == rate and w["hidden"]][:_MOST_HIDDEN]:
        yield (
            f"Hidden from every single attribute: {show_group(w['group'])}, {rate} {w['rate']:.2f}, "
            f"{_signed(w['difference'])} to everyone else."
        )
    path = summary["levels"].get(rate, ())
    if len(path) > 2:
        steps = "; ".join(f"{show_group(g['group'])} {g['rate']:.2f}" for g in path)
        yield f"Lowest {rate} at every level: {steps}."
    if m["df"]["p_value"] >= 1 - summary["settings"]["confidence"]:
        yield f"That groups differ in {rate} at all is not certain (p = {m['df']['p_value']:.2f})."
    if m["undefined"]:
        yield f"{rate} is undefined, for want of rows, for {some_groups(m['undefined'])}."


def _likely_worst(groups: list[Summary], top: int = 3) -> str:
    ranked = sorted(groups, key=lambda g: -g["probability_worst"])[:top]
    likely = [g for g in ranked if g["probability_worst"] >= 0.01]
    return (
        "; ".join(f"{show_group(g['group'])} {g['probability_worst']:.2f}" for g in likely)
        or "none above .01"
    )


def _reading_of_groups(summary: Summary) -> Iterator[str]:
    by_action: dict[str, list[Summary]] = {}
    for s in summary["small_groups"]:
        by_action.setdefault(s["action"], []).append(s)
    for action, small in by_action.items():
        told = "; ".join(
            show_group(s["group"]) + (f" into {show_group(s['into'])}" if s["into"] is not None else "")
            for s in small[:3]
        )
        more = f" and {len(small) - 3:,} more" if len(small) > 3 else ""
        yield f"Groups with fewer than {summary['settings']['min_size']:,} rows, {action}: {told}{more}."
    empty = summary["empty_groups"]
    if empty["n"]:
        yield f"Groups without rows: {some_groups(empty['first'], empty['n'])}."
    if summary["excluded"]:
        yield f"Rows left out because an attribute is missing: {summary['excluded']:,}."


def _reading_of_changes(found: Summary, title: str) -> Iterator[str]:
    lost, gained = ([c for c in found["groups"] if c[key]] for key in ("lost", "gained"))
    yield f"{title} against the baseline: {found['verdict']}. Rates beyond noise: {len(lost)} fell, {len(gained)} rose."
    for word, changes in (("Lost", lost), ("Gained", gained[::-1])):
        for c in changes[:5]:
            yield (
                f"{word}: {show_group(c['group'])}, {c['measure']} {c['before']:.3f} → {c['after']:.3f}, "
                f"{_signed(c['difference'])}."
            )


def _reading_of_scores(scores: list[Summary]) -> Iterator[str]:
    ranked = [s for s in scores if s["auc"] is not None]
    if ranked:
        least = min(ranked, key=lambda s: s["auc_high"])
        yield (
            f"Surest to be ranked badly by the score: {show_group(least['group'])}, AUC {least['auc']:.2f} "
            f"(between {least['auc_low']:.2f} and {least['auc_high']:.2f}; {least['n']:,} rows)."
        )
    off = [s for s in scores if s["calibration_low"] > 0 or s["calibration_high"] < 0]
    worst = max(off, key=lambda s: abs(s["calibration"]), default=None)
    if worst is not None:
        word = "much" if worst["calibration"] > 0 else "little"
        yield (
            f"The score is miscalibrated beyond noise for {len(off)} of {len(scores)} groups; most for "
            f"{show_group(worst['group'])}: it promises {abs(worst['calibration']):.3f} too {word}."
        )


def _reading_of_series(series: Summary) -> Iterator[str]:
    yield f"Changes by {series['by']} beyond noise: {len(series['changes'])}."
    for c in series["changes"][:10]:
        what = {
            "composition": f"share of {show_group(c['group'])}",
            "rate": f"{c['measure']} of everyone",
            "fairness": f"{c['measure']} of {show_group(c['group'])} beside everyone else's",
        }[c["kind"]]
        yield f"{c['period']}: {what} {_signed(c['difference'])}, against {c['since']} and after."


def _signed(d: Summary) -> str:
    return f"{d['value']:+.3f} [{d['low']:+.3f}, {d['high']:+.3f}]"
