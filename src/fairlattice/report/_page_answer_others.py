"""The answers of a comparison and of a diagnosis in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.report._page_answer import UNSURE
from fairlattice.report._page_blocks import Answer, Card
from fairlattice.report._page_words import group_name, listed, name, number, p_words, rate_name
from fairlattice.report._text import mark

Summary = Mapping[str, Any]


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


def diagnose_answer(summary: Summary) -> Answer:
    """Whether the new rows are sound, where their assumption fails, and whether rows were copied."""
    limit = 1.0 - float(summary["settings"].get("confidence", 0.95))
    cards = [_told_card(summary, limit), _assumption_card(summary), _copies_card(summary)]
    return Answer([s for s in (_sound(summary, limit), _fails(summary)) if s], cards)


def told_apart(figure: Summary | None, limit: float) -> str:
    """Can a classifier tell these rows from held-out ones? "yes", "not shown", or "not enough data"."""
    if figure is None or not figure["classifiers"]:
        return UNSURE
    known = [c["p_adjusted"] for c in figure["classifiers"].values() if c["p_adjusted"] is not None]
    return UNSURE if not known else "yes" if min(known) <= limit else "not shown"


def _sound(summary: Summary, limit: float) -> Markup:
    sources = summary["overall"]["sources"]
    figure = sources.get(first_source(summary))
    if figure is None or not figure["classifiers"]:
        return Markup("<strong>Not enough data to judge the new rows.</strong>")
    which, best = min(figure["classifiers"].items(), key=_surprise)
    floor = (sources.get("real") or {}).get("classifiers", {}).get(which)
    beside = Markup(", against {} for real rows").format(number(floor["auc"], 2)) if floor else Markup("")
    who = "A classifier can" if told_apart(figure, limit) == "yes" else "No classifier is shown to"
    return Markup(
        "<strong>{} tell the new rows from real ones it has not seen:</strong> AUC {}{} (0.5 is a coin's "
        "guess; {} after correction)."
    ).format(who, number(best["auc"], 2), beside, p_words(best["p_adjusted"]))


def first_source(summary: Summary) -> str:
    """The source of rows that a diagnosis is about: the first that was asked for."""
    return next((name for name in summary["settings"].get("sources", ())), "")


def _surprise(named: tuple[str, Summary]) -> tuple[float, float]:
    p, auc = named[1]["p_adjusted"], named[1]["auc"]
    return 2.0 if p is None else p, -auc


def _verdicts(summary: Summary) -> dict[str, list[Summary]]:
    found: dict[str, list[Summary]] = {"fails": [], "holds": [], UNSURE: []}
    for cell in summary["cells"]:
        assumption = cell.get("assumption")
        found.setdefault(assumption["verdict"] if assumption else UNSURE, []).append(cell)
    return found


def _fails(summary: Summary) -> Markup:
    found = _verdicts(summary)
    told = [
        Markup("{} with label {}").format(group_name(c["group"]), name(c["label"]))
        for c in found["fails"][:3]
    ]
    more = [f"{len(found['fails']) - 3:,} more"] if len(found["fails"]) > 3 else []
    if told:
        return Markup("The assumption behind them, that a group resembles its parents, fails for {}.").format(
            listed([*told, *more])
        )
    unsure = len(found[UNSURE])
    more_rows = Markup("; for {:,} of {:,} cells there is not enough data to tell").format(
        unsure, len(summary["cells"])
    )
    return Markup(
        "The assumption behind them, that a group resembles its parents, is nowhere shown to fail{}."
    ).format(more_rows if unsure else "")


def _told_card(summary: Summary, limit: float) -> Card:
    sources = {k: f for k, f in summary["overall"]["sources"].items() if k != "real"}
    found = {k: told_apart(f, limit) for k, f in sources.items()}
    verdict = found.get(first_source(summary), UNSURE)
    tone = "bad" if verdict == "yes" else "unsure"
    told = listed(Markup("{}: {}").format(name(k), v) for k, v in found.items())
    return Card("Can the new rows be told from real ones?", verdict, tone, told + ".")


def _assumption_card(summary: Summary) -> Card:
    found = _verdicts(summary)
    fails, holds, unsure = len(found["fails"]), len(found["holds"]), len(found[UNSURE])
    verdict = "no" if fails else UNSURE if unsure or not holds else "yes"
    tone = {"no": "bad", "yes": "good"}.get(verdict, "unsure")
    detail = Markup("It holds for {:,} cells, fails for {:,}; not enough data for {:,}.").format(
        holds, fails, unsure
    )
    return Card("Do groups resemble their parents?", verdict, tone, detail)


def _copies_card(summary: Summary) -> Card:
    memory = (summary["overall"]["sources"].get(first_source(summary)) or {}).get("memory")
    question = "Are new rows copies of people's rows?"
    if memory is None:
        return Card(question, UNSURE, "unsure", Markup("There were no new rows to judge."))
    exact, near = memory["exact"], memory["near"]
    detail = Markup("Of the new rows judged, {:,} are exact copies and {:,} nearly so{}.").format(
        exact, near, _expected(memory)
    )
    exact = exact > memory.get("exact_expected", 0)
    near = near > memory.get("near_expected", 0)
    verdict, tone = ("yes", "bad") if exact else ("nearly", "unsure") if near else ("no", "good")
    return Card(question, verdict, tone, detail)


def _expected(memory: Summary) -> Markup:
    """How many copies real rows would be: many, where a table has few distinct rows."""
    if memory.get("exact_expected") is None:
        return Markup()
    return Markup("; of as many real rows {:,.0f} and {:,.0f} would be").format(
        memory["exact_expected"], memory["near_expected"]
    )
