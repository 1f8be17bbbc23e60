"""The document of a comparison: the decision and its price, the trade-off, groups by strategy, whom it hurts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairlattice.metrics._shared import UNSURE
from fairlattice.report._charts import BLUE, RED, Chart, Kind
from fairlattice.report._charts_bench import Dot, front_chart
from fairlattice.report._charts_kinds import Spot
from fairlattice.report._compare_groups import RATES, figure_of_notion, groups_section
from fairlattice.report._compare_thresholds import thresholds_section
from fairlattice.report._document import (
    Answer,
    Card,
    Column,
    Document,
    Figure,
    GroupName,
    Items,
    Line,
    Measured,
    Name,
    Section,
    Summary,
    Table,
    Text,
    span,
    table_of,
)
from fairlattice.report._method import method_section
from fairlattice.report._words import (
    label_of,
    level,
    listed,
    measured_text,
    name_column,
    notion_words,
    number,
    numbers,
    rate_column,
    rate_name,
    some_groups,
    table_brief,
    verdict,
)
from fairlattice.strategies._shared import BASELINE

_MOST_FEATURES = 8
_SHORT = {"equalized_odds": "eq. odds", "selection_rate": "selected"}


def document(summary: Summary) -> Document:
    """What a reader is to see of a comparison."""
    data, settings = summary["data"], summary["settings"]
    n = settings["repeats"]
    brief = table_brief(summary)
    brief.append(
        Line("{}, {} repeat{} of {} folds, seed {}").format(
            Name(settings["classifier"]), n, "" if n == 1 else "s", settings["folds"], settings["seed"]
        )
    )
    names = data.get("features", [])
    if names:
        brief.append(Line("features: ") + listed((Name(f) for f in names), most=_MOST_FEATURES))
    parts = [_tradeoff, groups_section, _changed, thresholds_section, _gaps] if summary["strategies"] else []
    found = [part(summary) for part in parts]
    sections = [*(s for s in found if s.blocks), method_section(summary)]
    subject, size = Line(Name(data["name"])), f"{data['rows']:,} rows"
    return Document(
        "Comparison of strategies", "compare", subject, size, _answer(summary), sections, (), brief
    )


def _answer(summary: Summary) -> Answer:
    """What to do, at what price, and whom it hurts."""
    if not summary["strategies"]:
        return Answer([Line("No strategy was run, so there is nothing to compare.")])
    first, *rest = decision_lines(summary)
    lead = [span("strong", first), *rest]
    return Answer(lead, cards(summary), code=summary["recommendation"]["python"])


def decision_lines(summary: Summary) -> Iterator[Line]:
    """What to do, how sure that is, and the price."""
    found = summary["recommendation"]
    strategy, p = Name(found["strategy"]), found["probability_fairer"]
    sure = Line()
    if p is not None:
        sure = Line(" Probability that {} is fairer than {}: {:.2f}.").format(
            Name(found["considered"]), BASELINE, p
        )
    if found["verdict"] == "take":
        yield Line("Take {}.{}").format(strategy, sure)
        yield _price(summary)
        if found["simplest"]:
            yield Line("{} is simpler and as fair within .01.").format(Name(found["simplest"]))
    elif found["verdict"] == "keep":
        yield Line("Keep {}. {}{}").format(strategy, found["reasons"][-1], sure)
    else:
        considered = Name(found["considered"])
        yield Line("Not enough data to tell whether {} is fairer: keep {}.{}").format(
            considered, strategy, sure
        )
        yield from (Line(advice) for advice in found["advice"])


def further_reasons(found: Summary) -> list[str]:
    """The reasons of a recommendation; without the last one where that is why none is kept, as the lead says so."""
    reasons: list[str] = found["reasons"]
    return reasons[:-1] if found["verdict"] == "keep" else reasons


def _price(summary: Summary) -> Line:
    """Accuracy, balanced accuracy and selection rate, before and after."""
    price, base = summary["recommendation"]["price"], summary["base_rate"]
    if price["accuracy"]["before"] is None:
        return Line("There is no comparison with none, so the price is unknown.")
    a, b, s = (price[k] for k in ("accuracy", "balanced_accuracy", "selection_rate"))
    return Line(
        f"Price: accuracy {a['before']:.3f} to {a['after']:.3f} ({a['difference']:+.3f}), balanced accuracy "
        f"{b['before']:.3f} to {b['after']:.3f} ({b['difference']:+.3f}), selected {s['before']:.1%} to "
        f"{s['after']:.1%} (base rate {base:.1%})."
    )


def cards(summary: Summary) -> list[Card]:
    """Which strategy, at what price, who is hurt, and whether it levels down."""
    if not summary["strategies"]:
        return []
    decision, considered = _decision_card(summary), _considered(summary)
    if considered is None:
        return [decision]
    return [decision, _price_card(summary), _harm_card(considered), _leveling_card(considered)]


def _considered(summary: Summary) -> Summary | None:
    """The strategy that was weighed against none, if it is another."""
    wanted = summary["recommendation"]["considered"]
    found = {s["name"]: s for s in summary["strategies"]}.get(wanted)
    return None if found is None or wanted == BASELINE else found


def _decision_card(summary: Summary) -> Card:
    found = summary["recommendation"]
    sure = found["verdict"] in ("take", "keep")
    word = f"{found['verdict']} {found['strategy']}" if sure else UNSURE
    detail = Line(" ").join(Line(sentence) for sentence in [*further_reasons(found), *found["advice"]])
    if found["probability_best"] is not None:
        detail += Line(" The probability that {} is the fairest of all that are allowed is {}.").format(
            Name(found["considered"]), number(found["probability_best"], 2)
        )
    return Card("strategy", "Which strategy?", word, "good" if sure else "unsure", detail, bool(detail.parts))


def _price_card(summary: Summary) -> Card:
    accuracy = summary["recommendation"]["price"]["accuracy"]
    word = UNSURE if accuracy["before"] is None else "no" if accuracy["high"] >= 0 else "yes"
    tone = {"yes": "bad", "no": "good"}.get(word, "unsure")
    brief = summary["recommendation"]["verdict"] != "take"  # where it is not part of the lead
    return Card("price", "Does it cost accuracy?", word, tone, _price(summary), brief)


def _harm_card(strategy: Summary) -> Card:
    fell, rose = strategy["harm"]["fell"], strategy["harm"]["rose"]
    detail = Line("Under {} {:,} group rates fell and {:,} rose beyond noise.").format(
        Name(strategy["name"]), len(fell), len(rose)
    )
    for shifts, words in ((fell, "fall"), (rose, "rise")):
        if shifts:
            g = shifts[0]
            detail += Line(" The greatest {}: {}, {} {} to {}.").format(
                words,
                GroupName(g["group"]),
                rate_name(g["rate"]),
                number(g["before"], 2),
                number(g["after"], 2),
            )
    return Card(
        "harm", "Is any group hurt?", "yes" if fell else "not seen", "bad" if fell else "good", detail
    )


def _leveling_card(strategy: Summary) -> Card:
    found = strategy["leveling_down"]
    probabilities = listed(
        Line("{}: {}").format(rate_name(rate), number(p, 2)) for rate, p in found["probability"].items()
    )
    detail = Line("Probability that {} looks fairer while its worst-off group fares worse: {}.").format(
        Name(strategy["name"]), probabilities
    )
    tone = {"yes": "bad", "no": "good"}.get(found["verdict"], "unsure")
    return Card("leveling_down", "Is it fairer by leveling down?", found["verdict"] or UNSURE, tone, detail)


def _tradeoff(summary: Summary) -> Section:
    settings = summary["settings"]
    n = settings["repeats"]
    intro = Line(
        "Posterior medians and 95 % intervals for {}, from {:,} repeat{} of {:,} folds in which everyone is tested. "
        "Small unfairness is fair. Marks: ▲ better, ▼ worse than none, such that at most 2.5 % of the signs are "
        "expected to be wrong."
    ).format(notion_words(settings["notion"]), n, "" if n == 1 else "s", settings["folds"])
    figures = [Figure(_tradeoff_chart(summary, kind)) for kind in ("if", "df")]
    gained = list(_gained(summary))
    more = [Items(gained, brief=True)] if gained else []
    tables = [_strategy_table(summary), _raw_table(summary)]
    return Section("tradeoff", "Fairness against accuracy", [Text(intro), *figures, *tables, *more])


def _words(summary: Summary, kind: str) -> str:
    return f"IF{summary['settings']['alpha']:g}" if kind == "if" else "DF"


def _tradeoff_chart(summary: Summary, kind: str) -> Chart:
    rate, words, dots = figure_of_notion(summary), _words(summary, kind), []
    notion = notion_words(summary["settings"]["notion"])
    for s in summary["strategies"]:
        x, y = s["estimates"][rate][kind], s["balanced_accuracy"]
        label = label_of(s["name"], 24)
        half = (x["high"] - x["low"]) / 3.92
        tip = f"{label}\nbalanced accuracy {number(y['mean'])}\n{words} {measured_text(level(x))}"
        spot = Spot(label, x["median"], y["mean"], half, y["se"] or 0.0, tip)
        look = Kind("", RED, "diamond") if s["name"] == BASELINE else Kind("", BLUE)
        dots.append(Dot(spot, look, front=False))
    return front_chart(
        f"tradeoff-{kind}",
        f"Balanced accuracy against unfairness ({words}, {notion})",
        "Every point is a strategy, the diamond the unconstrained model; lines are one standard error either way.",
        dots,
        (),
        x_title=f"unfairness: {words}, small is fair",
        y_title="balanced accuracy",
        hint="↖ better: fairer and more accurate",
    )


def gap_to_none(strategy: Summary, figure: str) -> Summary:
    """A figure of a strategy minus that of none; empty where there is no such difference."""
    return strategy["differences"].get(BASELINE, {}).get(figure) or {}


def _strategy_table(summary: Summary) -> Table:
    rate = figure_of_notion(summary)
    name, notion = _words(summary, "if"), notion_words(summary["settings"]["notion"])
    columns = [
        Column("strategy", short="strategy"),
        Column(name, "number", f"{name}\n{_SHORT.get(rate, rate)}"),
        Column("", "number", "95 %\ninterval"),
        Column("DF", "number"),
        *(Column(f"worst {r.upper()}", "number", f"worst\n{r.upper()}") for r in RATES),
        Column("P(fairer than none)", "number", "fairer\nP", digits=2),
        Column("balanced accuracy", "number", "bal.\nacc."),
        Column("accuracy", "number", "accu-\nracy"),
        Column("selection rate", "number", "sel.\nrate"),
        *numbers("calibration error"),
        Column("leveled down?", "verdict"),
        Column("group rates that fell", "number"),
        Column("what it does"),
    ]
    note = Line(
        "The base rate is {}. Weights move scores away from probabilities; the calibration error says how far."
    ).format(number(summary["base_rate"]))
    brief = Line(f"posterior medians for {notion}; small IF is fair; ▲ better ▼ worse than none beyond noise")
    rows = [_strategy_row(s, rate) for s in summary["strategies"]]
    return Table("table-strategies", Line("The strategies"), columns, rows, note=note, brief=brief, cut=False)


def _strategy_row(s: Summary, rate: str) -> list[Any]:
    def marked(found: Summary, figure: str) -> Measured:
        return level(found, gap_to_none(s, figure).get("mark"))

    unfair, calibration, other = s["estimates"][rate], s["calibration"], s["name"] != BASELINE
    return [
        Line(Name(s["name"])),
        marked(unfair["if"], f"{rate}.if"),
        Line(f"{unfair['if']['low']:.2f}–{unfair['if']['high']:.2f}"),
        marked(unfair["df"], f"{rate}.df"),
        *(marked(s["estimates"][r]["worst"], f"{r}.worst") for r in RATES),
        gap_to_none(s, f"{rate}.if").get("probability_better"),
        *(
            Measured(s[k]["mean"], mark=gap_to_none(s, k).get("mark"))
            for k in ("balanced_accuracy", "accuracy", "selection_rate")
        ),
        None if calibration is None else calibration["expected_error"],
        s["leveling_down"]["verdict"] if other else None,
        str(len(s["harm"]["fell"])) if other else None,
        s["about"],
    ]


def _raw_table(summary: Summary) -> Table:
    """Plug-in figures, for who wants to recompute them by counting."""
    kinds = ("if", "df")
    columns = [
        name_column("strategy", "name"),
        *(
            Column(f"{k.upper()} of equalized odds", "number", get=f"raw.equalized_odds.{k}.mean")
            for k in kinds
        ),
        *(Column(f"worst {r.upper()}", "number", get=f"raw.measures.{r}.worst.mean") for r in RATES),
    ]
    title = Line("Plug-in figures: the extremes as counted, which small groups push apart")
    return table_of("table-raw", title, columns, summary["strategies"], folded=True)


def _gained(summary: Summary) -> Iterator[Line]:
    """What the strategy gains over the same with one part removed."""
    s = _considered(summary)
    rate = figure_of_notion(summary)
    for without in s["ablations"] if s is not None else ():
        if s is not None and without != BASELINE and without in s["differences"]:
            gap = s["differences"][without][f"{rate}.if"]
            yield Line(
                "{} against {}, which lacks one of its parts: IF {:+.3f} ({:+.2f} to {:+.2f}), fairer with probability "
                "{:.2f}."
            ).format(
                Name(s["name"]),
                Name(without),
                gap["median"],
                gap["low"],
                gap["high"],
                gap["probability_better"],
            )


def _changed(summary: Summary) -> Section:
    """Every group rate that fell or rose beyond noise."""
    title = "Whom it costs, and whom it serves"
    verdicts = [
        Line("{}: {}").format(Name(s["name"]), verdict(s["leveling_down"]["verdict"]))
        for s in summary["strategies"]
        if s["leveling_down"]["verdict"] and s["name"] != BASELINE
    ]
    if not verdicts:
        return Section("leveling", title, [])
    intro = "Leveling down means: fairer by a measure, while the worst-off group fares worse than under none."
    items = Items([Line("Leveled down, by strategy: {}.").format(Line(", ").join(verdicts))], brief=True)
    taken = summary["recommendation"]["considered"]
    records = [
        {**g, "strategy": s["name"], "word": verdict(key, tone=tone)}
        for s in sorted(summary["strategies"], key=lambda s: s["name"] != taken)
        for key, tone in (("fell", "bad"), ("rose", "good"))
        for g in s["harm"][key]
    ]
    columns = [
        name_column("strategy", "strategy"),
        Column("group", "group", get="group"),
        rate_column("rate"),
        Column("people", "whole", get="people"),
        Column("none", "number", get="before"),
        Column("with it", "number", get="after"),
        Column("change", "number", signed=True, get="difference"),
        *numbers("low", "high", signed=True),
        Column("beyond noise", get="word"),
    ]
    changed = Line(f"Group rates that changed beyond noise: {len(records):,}")
    more = [table_of("table-leveling", changed, columns, records)] if records else []
    return Section("leveling", title, [Text(Line(intro)), items, *more])


def _gaps(summary: Summary) -> Section:
    items = [Line(n) for n in summary.get("notes", ())]
    empty = summary["empty_groups"]
    if empty["n"]:
        items.append(
            Line("Groups without rows ({:,}): {}.").format(
                empty["n"], some_groups(empty["first"], empty["n"])
            )
        )
    return Section("gaps", "Where data runs out", [Items(items, brief=True)] if items else [])
