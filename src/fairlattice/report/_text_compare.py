"""A comparison for a terminal: the decision, the strategies, the worst-off groups, whom it hurts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from fairlattice.benchmark._shared import NOTIONS
from fairlattice.groups import show_group
from fairlattice.report._text import Summary, bullets, header, plain_table, titled
from fairlattice.strategies._shared import BASELINE

VERDICTS = {"yes": "yes", "no": "no", "not enough data": "unclear", "not seen": "not seen"}
SIGNS = {"better": "▲", "worse": "▼"}


def compare_text(summary: Summary, *, top: int = 8) -> RenderableType:
    """A comparison's summary as tables and sentences; at most `top` groups, worst first."""
    return Stack(
        header("compare", summary),
        "",
        Text("\n".join(decision_lines(summary)), style="bold"),
        Text(summary["recommendation"]["python"], style="dim"),
        "",
        _strategy_table(summary),
        "",
        _worst_groups(summary, top),
        "",
        bullets(_reading(summary)),
    )


def notion_words(summary: Summary) -> str:
    """The notion that the comparison goes by, in words."""
    return str(summary["settings"]["notion"]).replace("_", " ")


def figure_of_notion(summary: Summary) -> tuple[str, str]:
    """The rate, or notion, and the kind of figure that the recommendation goes by."""
    rate, _, kind = NOTIONS[summary["settings"]["notion"]].partition(".")
    return rate, kind


def decision_lines(summary: Summary) -> Iterator[str]:
    """What to do, how sure that is, and the price."""
    found = summary["recommendation"]
    strategy, p = found["strategy"], found["probability_fairer"]
    sure = "" if p is None else f" Probability that {found['considered']} is fairer than {BASELINE}: {p:.2f}."
    if found["verdict"] == "take":
        yield f"Take {strategy}.{sure}"
        yield price_sentence(summary)
        if found["simplest"]:
            yield f"{found['simplest']} is simpler and as fair within .01."
    elif found["verdict"] == "keep":
        yield f"Keep {strategy}: no strategy is fairer with probability .8.{sure}"
    else:
        yield f"Not enough data to tell whether a strategy is fairer: keep {strategy}.{sure}"
        yield from found["advice"]


def price_sentence(summary: Summary) -> str:
    """Accuracy, balanced accuracy and selection rate, before and after."""
    price, base = summary["recommendation"]["price"], summary["base_rate"]
    if price["accuracy"]["before"] is None:
        return "There is no comparison with none, so the price is unknown."
    a, b, s = (price[k] for k in ("accuracy", "balanced_accuracy", "selection_rate"))
    return (
        f"Price: accuracy {a['before']:.3f} to {a['after']:.3f} ({a['difference']:+.3f}), balanced accuracy "
        f"{b['before']:.3f} to {b['after']:.3f} ({b['difference']:+.3f}), selected {s['before']:.1%} to "
        f"{s['after']:.1%} (base rate {base:.1%})."
    )


def _strategy_table(summary: Summary) -> RenderableType:
    alpha, (rate, kind) = f"{summary['settings']['alpha']:g}", figure_of_notion(summary)
    table = plain_table()
    table.add_column("strategy", no_wrap=True)
    for title in (f"IF{alpha}\n{_short(rate)}", "95 %\ninterval", "fairer\nP", "worst\nTPR", "worst\nTNR",
                  "bal.\nacc.", "accu-\nracy", "sel.\nrate"):  # fmt: skip
        table.add_column(Text(title, justify="right"), justify="right", no_wrap=True)
    for s in summary["strategies"]:
        level, gap = s["estimates"][rate][kind], gap_to_none(s, f"{rate}.{kind}")
        rates = s["estimates"]
        table.add_row(
            s["name"],
            _signed(f"{level['median']:.2f}", gap),
            f"{level['low']:.2f}–{level['high']:.2f}",
            "" if gap is None else f"{gap['probability_better']:.2f}",
            *(
                _signed(f"{rates[r]['worst']['median']:.2f}", gap_to_none(s, f"{r}.worst"))
                for r in ("tpr", "tnr")
            ),
            *(_signed(f"{s[k]['mean']:.3f}", gap_to_none(s, k)) for k in ("balanced_accuracy", "accuracy")),
            f"{s['selection_rate']['mean']:.2f}",
        )
    return titled(
        f"posterior medians for {notion_words(summary)}; small IF is fair; ▲ better ▼ worse than none beyond noise",
        table,
    )


def gap_to_none(strategy: Summary, figure: str) -> Summary | None:
    """A figure of a strategy minus that of none; None where there is no such difference."""
    found: Summary | None = strategy["differences"].get(BASELINE, {}).get(figure)
    return found


def _signed(text: str, gap: Summary | None) -> Text:
    sign = SIGNS.get((gap or {}).get("mark") or "", " ")
    return Text(f"{text}{sign}", style={"▲": "green", "▼": "red"}.get(sign, ""))


def _short(rate: str) -> str:
    return {"equalized_odds": "eq. odds", "selection_rate": "selected"}.get(rate, rate)


def worst_rate(summary: Summary) -> str:
    """The rate on which the first strategy is least fair, among those of the notion."""
    rate, kind = figure_of_notion(summary)
    if rate != "equalized_odds":
        return rate
    first = summary["strategies"][0]["estimates"]
    return max(("tpr", "tnr"), key=lambda r: first[r][kind]["median"])


def _worst_groups(summary: Summary, top: int) -> RenderableType:
    """The groups that fare worst under the first strategy, and how they fare under others."""
    columns = side_by_side(summary["strategies"])
    rate = worst_rate(summary)
    rows = columns[0]["by_group"][rate]
    order = sorted(range(len(rows)), key=lambda i: (rows[i]["rate"], i))
    table = plain_table()
    table.add_column("group", ratio=1)
    for name in ("people", *(s["name"] for s in columns)):
        table.add_column(name, justify="right", no_wrap=True)
    for i in order[:top]:
        rates = [s["by_group"][rate][i]["rate"] for s in columns]
        table.add_row(show_group(rows[i]["group"]), f"{rows[i]['n']:,}", *(f"{r:.3f}" for r in rates))
    return titled(
        f"{rate.upper().replace('_', ' ')} of the groups worst off under {columns[0]['name']}, posterior medians",
        table,
    )


def side_by_side(strategies: Sequence[Summary]) -> list[Summary]:
    """The first strategy and up to three others: the default, and those that have one idea only."""
    first, *others = strategies
    chosen = [s for s in others if s.get("default") or s.get("ablations") == [BASELINE]]
    return [first, *(chosen or others)[:3]]


def _reading(summary: Summary) -> Iterator[str]:
    yield from summary["recommendation"]["reasons"]
    named = {s["name"]: s for s in summary["strategies"]}
    chosen = named.get(summary["recommendation"]["considered"])
    if chosen is not None:
        yield from _changed(chosen)
        yield from _gained(summary, chosen)
    for verdict, words in (("yes", "Leveling down"), ("not enough data", "Leveling down not excluded")):
        names = [s["name"] for s in named.values() if s["leveling_down"]["verdict"] == verdict]
        if names:
            yield f"{words}: {', '.join(names)}."
    yield from summary["notes"]


def _changed(strategy: Summary) -> Iterator[str]:
    """The groups that lose and gain most, beyond noise."""
    for key, words in (("fell", "fare worse"), ("rose", "fare better")):
        shifts = strategy["harm"][key]
        if shifts:
            first = shifts[0]
            yield (
                f"Under {strategy['name']} {len(shifts)} group rates {words} beyond noise, most of all "
                f"{show_group(first['group'])}: {first['rate'].upper()} {first['before']:.2f} to {first['after']:.2f}."
            )


def _gained(summary: Summary, strategy: Summary) -> Iterator[str]:
    """What a strategy gains over the same with one part removed."""
    rate, kind = figure_of_notion(summary)
    for without in strategy["ablations"]:
        if without != BASELINE and without in strategy["differences"]:
            gap = strategy["differences"][without][f"{rate}.{kind}"]
            yield (
                f"{strategy['name']} against {without}, which lacks one of its parts: IF {gap['median']:+.3f} "
                f"({gap['low']:+.2f} to {gap['high']:+.2f}), fairer with probability "
                f"{gap['probability_better']:.2f}."
            )
