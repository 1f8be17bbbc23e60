"""A model card of a strategy, after Mitchell et al. (2019), Model cards for model reporting, arXiv:1810.03993."""

from __future__ import annotations

from collections.abc import Iterator

from fairlattice.exceptions import InputError
from fairlattice.report._compare_document import decision_lines, further_reasons
from fairlattice.report._compare_groups import figure_of_notion
from fairlattice.report._document import (
    Answer,
    Block,
    Code,
    Column,
    Document,
    Facts,
    GroupName,
    Items,
    Line,
    Name,
    Section,
    Summary,
    Table,
    Text,
    span,
    table_of,
)
from fairlattice.report._method import attribute_facts, data_facts
from fairlattice.report._words import estimate, level, listed, notion_words, numbers
from fairlattice.strategies._shared import BASELINE

_MOST_GROUPS, _MOST_FEATURES = 50, 30
_LEVELED = {
    "yes": "Yes: it looks fairer while the worst-off group fares worse than without mitigation.",
    "no": "No leveling down against the unconstrained model.",
    "not enough data": "Leveling down is not excluded: the data do not suffice to tell.",
}


def model_card(summary: Summary, strategy: str | None = None) -> Document:
    """The model card of the strategy that a comparison chose, or of one by name.

    Raises
    ------
    InputError
        If there is no such strategy.
    """
    name = summary["recommendation"]["strategy"] if strategy is None else strategy
    own = next((s for s in summary["strategies"] if s["name"] == name), None)
    if own is None:
        known = ", ".join(s["name"] for s in summary["strategies"])
        raise InputError(f"No strategy {name!r}; the comparison has {known}.")
    data, settings, found = summary["data"], summary["settings"], summary["recommendation"]
    classifier = Name(settings["classifier"])
    evaluated = Line(
        "{} repeats of {} folds, seed {}, for {}. Posterior medians with 95 % intervals."
    ).format(settings["repeats"], settings["folds"], settings["seed"], notion_words(settings["notion"]))
    sections = [
        Section("model", "Model", [Facts(list(_model(summary, own)))]),
        Section("use", "Intended use", [
            Text(Line("To be filled in by whoever deploys the model: decisions it supports, and those it must not.")),
        ]),
        Section("groups", "Groups", [Facts([
            *attribute_facts(summary),
            ("groups without rows", Line(f"{summary['empty_groups']['n']:,}")),
        ])]),
        Section("data", "Data", [Facts(list(data_facts({**summary, "attributes": []})))]),
        Section("decision", "Decision", [
            Items([*decision_lines(summary), *(Line(reason) for reason in further_reasons(found))]),
            Code(found["python"]),
        ]),
        Section("evaluation", "Evaluation", [Text(evaluated), _strategies(summary, name)]),
        Section("served", "Who is served how", [_groups(own, rate) for rate in ("tpr", "tnr")]),
        Section("hurt", "Was anyone hurt", list(_hurt(own))),
        Section("caveats", "Caveats", [Items([
            Line("Rates of groups with few rows are uncertain; read their intervals."),
            *(Line(note) for note in summary["notes"]),
        ])]),
    ]  # fmt: skip
    subject = Line("{} by {}, {}").format(Name(data["label"]), classifier, Name(name))
    return Document("Model card", "compare", subject, f"{data['rows']:,} rows", Answer([]), sections)


def _model(summary: Summary, own: Summary) -> Iterator[tuple[str, Line]]:
    data = summary["data"]
    yield "classifier", Line(Name(summary["settings"]["classifier"]))
    yield "mitigation", Line(Name(own["name"]), f" ({own['about']})")
    yield "predicts", Line("{}, positive is {}").format(Name(data["label"]), Name(data["positive"]))
    names = data.get("features", [])
    yield "features", listed(map(Name, names), most=_MOST_FEATURES) if names else Line("(not recorded)")


def _strategies(summary: Summary, chosen: str) -> Table:
    rate = figure_of_notion(summary)
    rows = []
    for s in summary["strategies"]:
        name = Line(Name(s["name"]))
        unfair = [level(s["estimates"][rate][k]) for k in ("if", "df")]
        worst = [level(s["estimates"][r]["worst"]) for r in ("tpr", "tnr")]
        accuracies = [estimate(s[k]) for k in ("balanced_accuracy", "accuracy")]
        rows.append([span("strong", name) if s["name"] == chosen else name, *accuracies, *unfair, *worst])
    titles = ("balanced accuracy", "accuracy", f"IF{summary['settings']['alpha']:g}, small is fair",
              "DF, small is fair", "worst TPR", "worst TNR")  # fmt: skip
    return Table("strategies", Line("The strategies"), [Column("strategy"), *numbers(*titles)], rows)


def _groups(strategy: Summary, rate: str) -> Table:
    ranked = sorted(strategy["by_group"][rate], key=lambda g: g["rate"])[:_MOST_GROUPS]
    columns = [Column("group", "group", get="group"), Column("people", "whole", get="n")]
    columns += numbers("rate", "low", "high")
    return table_of(f"groups-{rate}", Line(f"{rate.upper()}, worst groups first"), columns, ranked)


def _hurt(strategy: Summary) -> Iterator[Block]:
    verdict = strategy["leveling_down"]["verdict"]
    if strategy["name"] == BASELINE or verdict is None:
        yield Text(Line("This is the unconstrained model, or there was none to compare with."))
        return
    yield Text(Line(_LEVELED[verdict]))
    for key, title in (
        ("fell", "Group rates that fell beyond noise:"),
        ("rose", "Group rates that rose beyond noise:"),
    ):
        shifts = strategy["harm"][key]
        if shifts:
            yield Text(Line(title))
            yield Items(
                [
                    Line("{}, {} {:.2f} to {:.2f}").format(
                        GroupName(g["group"]), g["rate"].upper(), g["before"], g["after"]
                    )
                    for g in shifts[:_MOST_GROUPS]
                ]
            )
