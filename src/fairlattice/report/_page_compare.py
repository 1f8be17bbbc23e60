"""The page of a comparison: the answer, the trade-off, the strategies, the groups under each, whom they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.report._charts import BLUE, GREEN, ORANGE, RED, Kind
from fairlattice.report._charts_kinds import Row, Spot, row_chart, tradeoff_chart
from fairlattice.report._page_answer import UNSURE
from fairlattice.report._page_blocks import (
    Answer,
    Card,
    Column,
    Figure,
    Heading,
    Items,
    Section,
    Table,
    Text,
    group_cells,
    group_columns,
    interval_cells,
    plain,
    verdict,
)
from fairlattice.report._page_words import (
    TINY,
    cut,
    group_name,
    group_text,
    listed,
    name,
    number,
    rate_name,
    rate_text,
    shown,
    undirected,
    whole,
)
from fairlattice.report._text import mark
from fairlattice.report._text_compare import side_by_side
from fairlattice.strategies._shared import BASELINE

Summary = Mapping[str, Any]
_MOST_GROUPS = 20
_LOOKS = ((RED, "diamond"), (BLUE, "circle"), (ORANGE, "square"), (GREEN, "triangle-up"))


def compare_sections(summary: Summary) -> list[Section]:
    """The sections that the report has something for."""
    if not summary["strategies"]:
        return []
    found = [_tradeoff(summary), _groups(summary), _leveling(summary), _gaps(summary)]
    return [s for s in found if s.blocks]


def _tradeoff(summary: Summary) -> Section:
    alpha = f"IF{summary['settings']['alpha']:g}"
    intro = Markup(
        "Mean over {:,} splits ± standard error. Small unfairness is fair. Marks: ▲ better, ▼ worse than "
        "none beyond noise; no mark: within noise."
    ).format(summary["settings"]["repeats"])
    figures = [Figure(_tradeoff_chart(summary, kind, words)) for kind, words in (("if", alpha), ("df", "DF"))]
    return Section(
        "tradeoff", "Fairness against accuracy", [Text(intro), *figures, _strategy_table(summary, alpha)]
    )


def _tradeoff_chart(summary: Summary, kind: str, words: str) -> Any:
    spots = []
    for s in summary["strategies"]:
        x, y = s["equalized_odds"][kind], s["balanced_accuracy"]
        label = undirected(cut(shown(s["name"]), 24))
        told = f"{label}\nbalanced accuracy {_figure(y)}\n{words} {_figure(x)}"
        spots.append(
            Spot(label, x["mean"], y["mean"], x["se"] or 0.0, y["se"] or 0.0, told, s["name"] == BASELINE)
        )
    return tradeoff_chart(
        f"tradeoff-{kind}",
        f"Balanced accuracy against unfairness ({words} of equalized odds)",
        "Every point is a strategy, the diamond the unconstrained model; lines are one standard error "
        "either way.",
        spots,
        x_title=f"unfairness: {words} of equalized odds, small is fair",
        y_title="balanced accuracy",
    )


def _figure(estimate: Summary, digits: int = 3) -> str:
    se = "" if estimate["se"] is None else f" ± {number(estimate['se'], digits)}"
    return f"{number(estimate['mean'], digits)}{se}"


def _strategy_table(summary: Summary, alpha: str) -> Table:
    rows = []
    for s in summary["strategies"]:
        odds, rates = s["equalized_odds"], s["measures"]
        cells = [
            (s["balanced_accuracy"], mark(s, "balanced_accuracy", up=True)),
            (odds["if"], mark(s, "equalized_odds.if", up=False)),
            (odds["df"], mark(s, "equalized_odds.df", up=False)),
            *((rates[r]["worst"], mark(s, f"{r}.worst", up=True)) for r in rates),
        ]
        rows.append(
            [
                Markup("{}").format(name(s["name"])),
                *(Markup("{}{}").format(_figure(e), _arrow(m)) for e, m in cells),
                s["leveling_down"]["verdict"] if s["name"] != BASELINE else None,
                str(len(losses(s))) if s["leveling_down"]["verdict"] else "–",
                plain(s["about"]),
            ]
        )
    rates = list(summary["strategies"][0]["measures"])
    titles = [
        "balanced accuracy",
        f"{alpha} of equalized odds",
        "DF of equalized odds",
        *(f"worst {r.upper()}" for r in rates),
    ]
    columns = [
        Column("strategy"),
        *(Column(t, "number") for t in titles),
        Column("leveled down?", "verdict"),
        Column("groups hurt", "number"),
        Column("what it does"),
    ]
    note = Markup("Groups hurt: group rates that fell below those of none beyond noise.")
    return Table("table-strategies", Markup("The strategies"), columns, rows, note=note)


def _arrow(sign: str) -> Markup:
    if not sign:
        return Markup()
    tone, words = ("good", "better") if sign == "▲" else ("bad", "worse")
    return Markup(' <span class="a {}" title="{} than none beyond noise">{}</span>').format(tone, words, sign)


def _groups(summary: Summary) -> Section:
    first = summary["strategies"][0]
    blocks: list[Any] = []
    for place, rate in enumerate(first["measures"]):
        words = rate_text(rate)
        blocks.append(Heading(plain(words[:1].upper() + words[1:])))
        rows = first["measures"][rate]["by_group"]
        order = sorted(
            (i for i, g in enumerate(rows) if g["rate"] is not None), key=lambda i: (rows[i]["rate"], i)
        )
        if order:
            blocks.append(Figure(_beside_chart(summary, rate, order, place)))
        rest = [i for i in range(len(rows)) if rows[i]["rate"] is None]
        blocks.append(_beside_table(summary, rate, [*order, *rest], place))
    return Section("groups", "Groups under every strategy", blocks)


def _beside_chart(summary: Summary, rate: str, order: list[int], place: int) -> Any:
    chosen = side_by_side(summary["strategies"])
    kinds = [
        Kind(undirected(cut(shown(s["name"]), 20)), color, shape)
        for s, (color, shape) in zip(chosen, _LOOKS, strict=False)
    ]
    first = chosen[0]["measures"][rate]["by_group"]
    rows = []
    for i in order[:_MOST_GROUPS]:
        g = first[i]
        label = group_text(g["group"], levels_only=True, most=44)
        told = "\n".join(
            f"{k.label}: {number(s['measures'][rate]['by_group'][i]['rate'])}"
            for k, s in zip(kinds, chosen, strict=True)
        )
        told = f"{group_text(g['group'], most=200)}\n{told}\n{g['n_rows']:,} people"
        rows.append((g, label, told))
    heads = cut(" · ".join(undirected(cut(shown(a["name"]), 20)) for a in summary["attributes"]), 44)
    less = f" The {_MOST_GROUPS} worst of {len(order):,}." if len(order) > _MOST_GROUPS else ""
    base_rows = [
        Row(label, g["rate"], g["low"], g["high"], told, 0, whole(g["n_rows"])) for g, label, told in rows
    ]
    words = rate_text(rate)
    others = [[s["measures"][rate]["by_group"][i]["rate"] for i in order[:_MOST_GROUPS]] for s in chosen[1:]]
    return row_chart(
        f"beside-{place}",
        f"{words[:1].upper()}{words[1:]} of the groups worst off under {kinds[0].label}",
        f"Lines are the intervals under {kinds[0].label}; people are distinct ones over all splits.{less}",
        base_rows,
        kinds,
        axis=words,
        label_title=heads,
        end_title="people",
        others=others,
    )


def _beside_table(summary: Summary, rate: str, order: list[int], place: int) -> Table:
    strategies = summary["strategies"]
    first = strategies[0]["measures"][rate]["by_group"]
    rows = [
        [
            *group_cells(summary, first[i]["group"]),
            whole(first[i]["n_rows"]),
            *interval_cells(
                first[i]["low"] if first[i]["rate"] is not None else None,
                first[i]["high"] if first[i]["rate"] is not None else None,
            ),
            *(number(s["measures"][rate]["by_group"][i]["rate"]) for s in strategies),
            Markup('<span class="mark">tiny</span>') if first[i]["n_rows"] < TINY else Markup(),
        ]
        for i in order
    ]
    columns = [
        *group_columns(summary),
        Column("people", "number"),
        *(Column(Markup("{} {}").format(name(strategies[0]["name"]), t), "number") for t in ("low", "high")),
        *(Column(name(s["name"]), "number") for s in strategies),
        Column("note"),
    ]
    words = rate_text(rate)
    title = Markup("{} of {:,} groups under every strategy").format(words[:1].upper() + words[1:], len(rows))
    return Table(f"table-beside-{place}", title, columns, rows, folded=True)


def _leveling(summary: Summary) -> Section:
    rows = [
        [
            Markup("{}").format(name(s["name"])),
            group_name(g["group"]),
            rate_name(g["measure"]),
            number(g["before"]),
            number(g["after"]),
            number(g["difference"]["mean"], signed=True),
            number(g["difference"]["se"]),
            verdict("fell", tone="bad")
            if not g["difference"]["within_noise"]
            else verdict("within noise", tone="unsure"),
        ]
        for s in summary["strategies"]
        for g in s["leveling_down"]["groups"]
    ]
    columns = [
        *(Column(t) for t in ("strategy", "group", "rate")),
        *(Column(t, "number") for t in ("none", "with it", "change", "standard error")),
        Column("beyond noise?"),
    ]
    told = [
        Markup("{}: {}").format(name(s["name"]), verdict(s["leveling_down"]["verdict"]))
        for s in summary["strategies"]
        if s["leveling_down"]["verdict"] and s["name"] != BASELINE
    ]
    intro = Markup(
        "Leveling down means: fairer by a measure, while the worst-off group fares worse than under none. "
        "By strategy: {}."
    ).format(Markup(", ").join(told))
    title = Markup("Group rates that fell on average: {:,}").format(len(rows))
    table = [Table("table-leveling", title, columns, rows)] if rows else []
    return Section("leveling", "Whom it cost", [Text(intro), *table] if told else [])


def _gaps(summary: Summary) -> Section:
    items = [plain(n) for n in summary.get("notes", ())]
    empty = summary["empty_groups"]
    if empty["n"]:
        told = Markup("; ").join(group_name(g) for g in empty["first"][:12])
        more = Markup("; and {:,} more").format(empty["n"] - 12) if empty["n"] > 12 else ""
        items.append(Markup("Groups without rows ({:,}): {}{}.").format(empty["n"], told, more))
    return Section("gaps", "Where data runs out", [Items(items)] if items else [])


def compare_answer(summary: Summary) -> Answer:
    """Who is worst off under the first strategy, what helped, at what cost, and whom it hurt."""
    strategies = summary["strategies"]
    if not strategies:
        return Answer([Markup("No strategy was run, so there is nothing to compare.")], [])
    others = [s for s in strategies if "none" in s["differences"]]
    lead = [_worst(strategies[0]), _verdict_sentence(summary, others)]
    cards = (
        [_fairer_card(others), _cost_card(others), _hurt_card(others), _leveling_card(others)]
        if others
        else []
    )
    return Answer([s for s in lead if s], cards)


def losses(strategy: Summary) -> list[Summary]:
    """The groups that fell beyond noise."""
    return [g for g in strategy["leveling_down"]["groups"] if not g["difference"]["within_noise"]]


def _worst(strategy: Summary) -> Markup:
    found = [
        (g["high"], rate, g)
        for rate, measure in strategy["measures"].items()
        for g in measure["by_group"]
        if g["rate"] is not None
    ]
    if not found:
        return Markup()
    _, rate, g = min(found, key=lambda f: f[:2])
    people = g["n_rows"]
    few = " Few people: not enough data for more than a warning." if people < 30 else ""
    return Markup(
        "<strong>Surest to be badly off under {}: {}.</strong> Its {} is {} (between {} and {}; {:,} {}).{}"
    ).format(
        name(strategy["name"]),
        group_name(g["group"]),
        rate_name(rate),
        number(g["rate"]),
        number(g["low"]),
        number(g["high"]),
        people,
        "person" if people == 1 else "people",
        few,
    )


def _names(strategies: list[Summary]) -> Markup:
    return listed(name(s["name"]) for s in strategies)


def _verdict_sentence(summary: Summary, others: list[Summary]) -> Markup:
    if not others:
        return Markup("Without another strategy beside none there is nothing to compare.")
    alpha = f"{summary['settings']['alpha']:g}"
    best = min(reversed(summary["strategies"]), key=lambda s: s["equalized_odds"]["if"]["mean"])
    fairer = [s for s in others if mark(s, "equalized_odds.if", up=False) == "▲"]
    lowest = Markup("the lowest unfairness on average (IF{}) is that of {}, {}").format(
        alpha, name(best["name"]), number(best["equalized_odds"]["if"]["mean"])
    )
    hurt = [s for s in others if losses(s)]
    tail = (
        Markup(" {} hurt some group beyond noise.").format(_names(hurt))
        if hurt
        else Markup(" No group is shown to be hurt by any strategy, which is no proof that none is.")
    )
    if fairer:
        return Markup("<strong>{} {} it fairer beyond noise</strong> than doing nothing; {}.{}").format(
            _names(fairer), "makes" if len(fairer) == 1 else "make", lowest, tail
        )
    return Markup(
        "<strong>No strategy makes it fairer beyond noise</strong> than doing nothing; {}.{}"
    ).format(lowest, tail)


def _fairer_card(others: list[Summary]) -> Card:
    question = "Does a strategy make it fairer?"
    marks = {s["name"]: mark(s, "equalized_odds.if", up=False) for s in others}
    fairer = [s for s in others if marks[s["name"]] == "▲"]
    if fairer:
        return Card(question, "yes", "good", Markup("Beyond noise: {}.").format(_names(fairer)))
    if all(m == "▼" for m in marks.values()):
        return Card(question, "no", "bad", Markup("All are less fair than none beyond noise."))
    return Card(
        question, UNSURE, "unsure", Markup("All differences to none are within noise, or for the worse.")
    )


def _cost_card(others: list[Summary]) -> Card:
    question = "Does it cost accuracy?"
    dearer = [s for s in others if mark(s, "balanced_accuracy", up=True) == "▼"]
    if dearer:
        return Card(
            question, "yes", "bad", Markup("Less accurate than none beyond noise: {}.").format(_names(dearer))
        )
    if all(mark(s, "balanced_accuracy", up=True) == "▲" for s in others):
        return Card(question, "no", "good", Markup("All are more accurate than none beyond noise."))
    return Card(
        question,
        UNSURE,
        "unsure",
        Markup("No loss of balanced accuracy is beyond noise; a small one may be there."),
    )


def _hurt_card(others: list[Summary]) -> Card:
    question = "Was any group hurt?"
    hurt = [s for s in others if losses(s)]
    if hurt:
        told = [Markup("{} ({:,})").format(name(s["name"]), len(losses(s))) for s in hurt]
        return Card(
            question, "yes", "bad", Markup("Group rates that fell beyond noise: {}.").format(listed(told))
        )
    fell = sum(len(s["leveling_down"]["groups"]) for s in others)
    if not fell:
        return Card(question, "no", "good", Markup("No group's rate fell on average under any strategy."))
    return Card(
        question, UNSURE, "unsure", Markup("{:,} group rates fell on average, all within noise.").format(fell)
    )


def _leveling_card(others: list[Summary]) -> Card:
    found = {v: [s for s in others if s["leveling_down"]["verdict"] == v] for v in ("yes", UNSURE)}
    gravest = next((v for v, s in found.items() if s), "no")
    detail = (
        Markup("By {}.").format(_names(found[gravest]))
        if gravest != "no"
        else Markup("No strategy was fairer while its worst-off group did worse.")
    )
    tone = {"yes": "bad", "no": "good"}.get(gravest, "unsure")
    return Card("Was it made fairer by leveling down?", gravest, tone, detail)
