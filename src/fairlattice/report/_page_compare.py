"""The page of a comparison: the decision and its price, the trade-off, groups under each strategy, whom it hurts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.metrics._shared import UNSURE
from fairlattice.report._charts import BLUE, GREEN, ORANGE, RED, Kind
from fairlattice.report._charts_kinds import Row, Spot, row_chart, tradeoff_chart
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
from fairlattice.report._text_compare import (
    SIGNS,
    decision_lines,
    figure_of_notion,
    gap_to_none,
    notion_words,
    price_sentence,
    side_by_side,
)
from fairlattice.strategies._shared import BASELINE

Summary = Mapping[str, Any]
_MOST_GROUPS = 20
_LOOKS = ((RED, "diamond"), (BLUE, "circle"), (ORANGE, "square"), (GREEN, "triangle-up"))
_RATES = ("tpr", "tnr")


def compare_answer(summary: Summary) -> Answer:
    """What to do, at what price, and whom it hurts."""
    if not summary["strategies"]:
        return Answer([Markup("No strategy was run, so there is nothing to compare.")], [])
    first, *rest = decision_lines(summary)
    lead = [Markup("<strong>{}</strong> {}").format(plain(first), plain(" ".join(rest)))]
    lead.append(_how(summary))
    considered = _considered(summary)
    cards = [_decision_card(summary), _price_card(summary)]
    if considered is not None:
        cards += [_harm_card(considered), _leveling_card(considered)]
    return Answer(lead, cards)


def _considered(summary: Summary) -> Summary | None:
    """The strategy that was weighed against none, if it is another."""
    wanted = summary["recommendation"]["considered"]
    found = {s["name"]: s for s in summary["strategies"]}.get(wanted)
    return None if found is None or wanted == BASELINE else found


def _how(summary: Summary) -> Markup:
    """The lines that train the strategy."""
    return Markup("<code>{}</code>").format(
        Markup("<br>").join(plain(line) for line in summary["recommendation"]["python"].splitlines())
    )


def _decision_card(summary: Summary) -> Card:
    found = summary["recommendation"]
    tone = {"take": "good", "keep": "good"}.get(found["verdict"], "unsure")
    word = {"take": f"take {found['strategy']}", "keep": f"keep {found['strategy']}"}.get(
        found["verdict"], UNSURE
    )
    detail = plain(" ".join([*found["reasons"], *found["advice"]]))
    if found["probability_best"] is not None:
        detail += Markup(" It is the fairest of those allowed with probability {}.").format(
            number(found["probability_best"], 2)
        )
    return Card("Which strategy?", cut(shown(word)), tone, detail)


def _price_card(summary: Summary) -> Card:
    accuracy = summary["recommendation"]["price"]["accuracy"]
    word = UNSURE if accuracy["before"] is None else "no" if accuracy["high"] >= 0 else "yes"
    tone = {"yes": "bad", "no": "good"}.get(word, "unsure")
    return Card("Does it cost accuracy?", word, tone, plain(price_sentence(summary)))


def _harm_card(strategy: Summary) -> Card:
    fell, rose = strategy["harm"]["fell"], strategy["harm"]["rose"]
    detail = Markup("Under {} {:,} group rates fell and {:,} rose beyond noise.").format(
        name(strategy["name"]), len(fell), len(rose)
    )
    if fell:
        detail += Markup(" Most of all {}: {} {} to {}.").format(
            group_name(fell[0]["group"]), rate_name(fell[0]["rate"]), number(fell[0]["before"], 2),
            number(fell[0]["after"], 2),
        )  # fmt: skip
    return Card("Is any group hurt?", "yes" if fell else "not seen", "bad" if fell else "good", detail)


def _leveling_card(strategy: Summary) -> Card:
    found = strategy["leveling_down"]
    probabilities = listed(
        Markup("{}: {}").format(rate_name(rate), number(p, 2)) for rate, p in found["probability"].items()
    )
    detail = Markup("Probability that {} looks fairer while its worst-off group fares worse: {}.").format(
        name(strategy["name"]), probabilities
    )
    tone = {"yes": "bad", "no": "good"}.get(found["verdict"], "unsure")
    return Card("Is it fairer by leveling down?", found["verdict"] or UNSURE, tone, detail)


def compare_sections(summary: Summary) -> list[Section]:
    """The sections that the report has something for."""
    if not summary["strategies"]:
        return []
    found = [_tradeoff(summary), _groups(summary), _changed(summary), _gaps(summary)]
    return [s for s in found if s.blocks]


def _tradeoff(summary: Summary) -> Section:
    settings = summary["settings"]
    intro = Markup(
        "Posterior medians and 95 % intervals for {}, from {:,} repeats of {:,} folds in which everyone is tested. "
        "Small unfairness is fair. Marks: ▲ better, ▼ worse than none, such that at most 2.5 % of the signs are "
        "expected to be wrong."
    ).format(plain(notion_words(summary)), settings["repeats"], settings["folds"])
    figures = [Figure(_tradeoff_chart(summary, kind)) for kind in ("if", "df")]
    tables = [_strategy_table(summary), _raw_table(summary)]
    return Section("tradeoff", "Fairness against accuracy", [Text(intro), *figures, *tables])


def _words(summary: Summary, kind: str) -> str:
    return f"IF{summary['settings']['alpha']:g}" if kind == "if" else "DF"


def _tradeoff_chart(summary: Summary, kind: str) -> Any:
    rate, words, spots = figure_of_notion(summary)[0], _words(summary, kind), []
    for s in summary["strategies"]:
        x, y = s["estimates"][rate][kind], s["balanced_accuracy"]
        label = undirected(cut(shown(s["name"]), 24))
        half = (x["high"] - x["low"]) / 3.92
        about = f"{label}\nbalanced accuracy {number(y['mean'])}\n{words} {_level(x)}"
        spots.append(Spot(label, x["median"], y["mean"], half, y["se"] or 0.0, about, s["name"] == BASELINE))
    return tradeoff_chart(
        f"tradeoff-{kind}",
        f"Balanced accuracy against unfairness ({words}, {notion_words(summary)})",
        "Every point is a strategy, the diamond the unconstrained model; lines are one standard error either way.",
        spots,
        x_title=f"unfairness: {words}, small is fair",
        y_title="balanced accuracy",
    )


def _level(level: Summary, digits: int = 3) -> str:
    return f"{number(level['median'], digits)} ({number(level['low'], digits)} to {number(level['high'], digits)})"


def _arrow(gap: Summary | None) -> Markup:
    sign = (gap or {}).get("mark")
    if not sign:
        return Markup()
    tone = "good" if sign == "better" else "bad"
    return Markup(' <span class="a {}" title="{} than none beyond noise">{}</span>').format(
        tone, sign, SIGNS[sign]
    )


def _strategy_table(summary: Summary) -> Table:
    rate = figure_of_notion(summary)[0]
    rows = []
    for s in summary["strategies"]:
        levels = [(s["estimates"][rate]["if"], f"{rate}.if"), (s["estimates"][rate]["df"], f"{rate}.df")]
        levels += [(s["estimates"][r]["worst"], f"{r}.worst") for r in _RATES]
        fairer, calibration = gap_to_none(s, f"{rate}.if"), s["calibration"]
        rows.append(
            [
                Markup("{}").format(name(s["name"])),
                *(Markup("{}{}").format(_level(x), _arrow(gap_to_none(s, figure))) for x, figure in levels),
                number(None if fairer is None else fairer["probability_better"], 2),
                *(
                    Markup("{}{}").format(number(s[k]["mean"]), _arrow(gap_to_none(s, k)))
                    for k in ("balanced_accuracy", "accuracy", "selection_rate")
                ),
                number(None if calibration is None else calibration["expected_error"]),
                s["leveling_down"]["verdict"] if s["name"] != BASELINE else None,
                str(len(s["harm"]["fell"])) if s["name"] != BASELINE else "–",
                plain(s["about"]),
            ]
        )
    titles = [
        *(f"{_words(summary, kind)}" for kind in ("if", "df")),
        *(f"worst {r.upper()}" for r in _RATES),
        "P(fairer than none)",
        "balanced accuracy",
        "accuracy",
        "selection rate",
        "calibration error",
    ]
    columns = [
        Column("strategy"),
        *(Column(t, "number") for t in titles),
        Column("leveled down?", "verdict"),
        Column("group rates that fell", "number"),
        Column("what it does"),
    ]
    note = Markup(
        "The base rate is {}. Weights move scores away from probabilities; the calibration error says how far."
    ).format(number(summary["base_rate"]))
    return Table("table-strategies", Markup("The strategies"), columns, rows, note=note)


def _raw_table(summary: Summary) -> Table:
    """Plug-in figures, for who wants to recompute them by counting."""
    rows = []
    for s in summary["strategies"]:
        raw = s["raw"]
        found = [raw["equalized_odds"]["if"], raw["equalized_odds"]["df"]]
        found += [raw["measures"][r]["worst"] for r in _RATES]
        rows.append([Markup("{}").format(name(s["name"])), *(number(e["mean"]) for e in found)])
    titles = ("IF of equalized odds", "DF of equalized odds", "worst TPR", "worst TNR")
    columns = [Column("strategy"), *(Column(t, "number") for t in titles)]
    title = Markup("Plug-in figures: the extremes as counted, which small groups push apart")
    return Table("table-raw", title, columns, rows, folded=True)


def _groups(summary: Summary) -> Section:
    blocks: list[Any] = []
    rate = figure_of_notion(summary)[0]
    for place, each in enumerate(_RATES if rate == "equalized_odds" else (rate,)):
        words = rate_text(each)
        blocks.append(Heading(plain(words[:1].upper() + words[1:])))
        rows = summary["strategies"][0]["by_group"][each]
        order = sorted(range(len(rows)), key=lambda i: (rows[i]["rate"], i))
        if order:
            blocks.append(Figure(_beside_chart(summary, each, order, place)))
        blocks.append(_beside_table(summary, each, order, place))
    return Section("groups", "Groups under every strategy", blocks)


def _beside_chart(summary: Summary, rate: str, order: list[int], place: int) -> Any:
    chosen = side_by_side(summary["strategies"])
    kinds = [
        Kind(undirected(cut(shown(s["name"]), 20)), color, shape)
        for s, (color, shape) in zip(chosen, _LOOKS, strict=False)
    ]
    first = chosen[0]["by_group"][rate]
    rows = []
    for i in order[:_MOST_GROUPS]:
        g = first[i]
        rates = "\n".join(
            f"{k.label}: {number(s['by_group'][rate][i]['rate'])}" for k, s in zip(kinds, chosen, strict=True)
        )
        about = f"{group_text(g['group'], most=200)}\n{rates}\n{whole(g['n'])} people"
        label = group_text(g["group"], levels_only=True, most=44)
        rows.append(Row(label, g["rate"], g["low"], g["high"], about, 0, whole(g["n"])))
    heads = cut(" · ".join(undirected(cut(shown(a["name"]), 20)) for a in summary["attributes"]), 44)
    less = f" The {_MOST_GROUPS} worst of {len(order):,}." if len(order) > _MOST_GROUPS else ""
    words = rate_text(rate)
    others = [[s["by_group"][rate][i]["rate"] for i in order[:_MOST_GROUPS]] for s in chosen[1:]]
    return row_chart(
        f"beside-{place}",
        f"{words[:1].upper()}{words[1:]} of the groups worst off under {kinds[0].label}",
        f"Posterior medians; lines are 95 % intervals under {kinds[0].label}.{less}",
        rows,
        kinds,
        axis=words,
        label_title=heads,
        end_title="people",
        others=others,
    )


def _beside_table(summary: Summary, rate: str, order: list[int], place: int) -> Table:
    strategies = summary["strategies"]
    first = strategies[0]["by_group"][rate]
    rows = [
        [
            *group_cells(summary, first[i]["group"]),
            whole(first[i]["n"]),
            *interval_cells(first[i]["low"], first[i]["high"]),
            *(number(s["by_group"][rate][i]["rate"]) for s in strategies),
            Markup('<span class="mark">tiny</span>') if first[i]["n"] < TINY else Markup(),
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


def _changed(summary: Summary) -> Section:
    """Every group rate that fell or rose beyond noise."""
    rows = [
        [
            Markup("{}").format(name(s["name"])),
            group_name(g["group"]),
            rate_name(g["rate"]),
            whole(g["people"]),
            number(g["before"]),
            number(g["after"]),
            number(g["difference"], signed=True),
            *interval_cells(g["low"], g["high"], signed=True),
            verdict(word, tone=tone),
        ]
        for s in summary["strategies"]
        for key, word, tone in (("fell", "fell", "bad"), ("rose", "rose", "good"))
        for g in s["harm"][key]
    ]
    columns = [
        *(Column(t) for t in ("strategy", "group", "rate")),
        *(Column(t, "number") for t in ("people", "none", "with it", "change", "low", "high")),
        Column("beyond noise"),
    ]
    verdicts = [
        Markup("{}: {}").format(name(s["name"]), verdict(s["leveling_down"]["verdict"]))
        for s in summary["strategies"]
        if s["leveling_down"]["verdict"] and s["name"] != BASELINE
    ]
    if not verdicts:
        return Section("leveling", "Whom it costs, and whom it serves", [])
    intro = Markup(
        "Leveling down means: fairer by a measure, while the worst-off group fares worse than under none. "
        "By strategy: {}."
    ).format(Markup(", ").join(verdicts))
    title = Markup("Group rates that changed beyond noise: {:,}").format(len(rows))
    table = [Table("table-leveling", title, columns, rows)] if rows else []
    return Section("leveling", "Whom it costs, and whom it serves", [Text(intro), *table])


def _gaps(summary: Summary) -> Section:
    items = [plain(n) for n in summary.get("notes", ())]
    empty = summary["empty_groups"]
    if empty["n"]:
        named = Markup("; ").join(group_name(g) for g in empty["first"][:12])
        more = Markup("; and {:,} more").format(empty["n"] - 12) if empty["n"] > 12 else ""
        items.append(Markup("Groups without rows ({:,}): {}{}.").format(empty["n"], named, more))
    return Section("gaps", "Where data runs out", [Items(items)] if items else [])
