"""The document of experiments: who is fairer beyond noise, then a section per data set, and where the time went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fairlattice.metrics._shared import UNSURE
from fairlattice.report._bench_charts import axes_figure, groups_figure, looks_of, tradeoff_figures
from fairlattice.report._bench_studies import (
    Study,
    Verdicts,
    against_words,
    leveled,
    methods_named,
    studies,
    verdicts,
    with_strategy,
)
from fairlattice.report._bench_tables import (
    chosen_table,
    differences_table,
    failed_table,
    fidelity_table,
    methods_table,
    time_table,
)
from fairlattice.report._document import (
    Answer,
    Block,
    Card,
    Document,
    GroupName,
    Heading,
    Items,
    Line,
    Name,
    Section,
    Summary,
    Text,
    span,
)
from fairlattice.report._method import method_section
from fairlattice.report._words import levels_line, listed, notion_words, number, rate_name

_MOST_STUDIES, _MOST_TITLES, _MOST_METHODS = 6, 4, 12


def document(summary: Summary) -> Document:
    """What a reader is to see of experiments."""
    found, looks = studies(summary), looks_of(summary)
    sections = [Section(f"data-{s.name}", s.title, list(_study(s, looks))) for s in found]
    notes = [Line(n) for n in summary["notes"]]
    sections += [Section("notes", "Before you rely on it", [Items(notes, brief=True)])] if notes else []
    time = time_table(summary)
    sections += [Section("time", "Where the time went", time)] if time else []
    sections.append(method_section(summary, [s.main for s in found]))
    subject, size = _subject(summary)
    head = Line("{}: {}").format(subject, size)
    return Document("Experiments", "bench", subject, size, _answer(found), sections, (), [head])


def _subject(summary: Summary) -> tuple[Line, str]:
    """The data sets, and how much there is."""
    labels = list(dict.fromkeys(str(t["data"]["name"]) for t in summary["tables"]))
    methods = len({m["name"] for t in summary["tables"] for m in t["methods"]})
    parts = [(len(labels), "data set"), (len(summary["tables"]), "table"), (methods, "method")]
    size = ", ".join(f"{n:,} {word}{'' if n == 1 else 's'}" for n, word in parts)
    return listed((Name(n) for n in labels), most=_MOST_TITLES) or Line("nothing yet"), size


def _answer(found: Sequence[Study]) -> Answer:
    """One or two sentences per data set, then four questions over all of them."""
    if not found:
        return Answer([Line("No experiment has ended, so there is nothing to report.")])
    lead = [_lead(s) for s in found[:_MOST_STUDIES]]
    if len(found) > _MOST_STUDIES:
        lead.append(Line(f"{len(found) - _MOST_STUDIES:,} more are below."))
    return Answer(lead, _cards(found))


def cards(summary: Summary) -> list[Card]:
    """Is any method fairer, also than equal sampling; does any level down; did every trial end well?"""
    return _cards(studies(summary))


def _cards(found: Sequence[Study]) -> list[Card]:
    if not found:
        return []
    with_methods = [s for s in found if s.main["methods"]]
    made: list[Card | None] = []
    if any(verdicts(s.main).compared for s in with_methods):
        made = [
            _fairer_card("fairer", "Does any method make it fairer?", with_methods),
            _fairer_card("fairer_than_equal", "Fairer than equal sampling alone?", with_methods, "equal"),
            _leveling_card(with_methods),
        ]
    return [*(c for c in made if c is not None), _finished_card(found)]


def _lead(study: Study) -> Line:
    """What a reader in a hurry should know of a data set."""
    table, title = study.main, study.title
    if not table["methods"]:
        text = "no method has finished" + ("; see what failed." if table["failed"] else ".")
        if table["fidelity"]:
            text = "synthetic rows were compared with real ones, and no method was trained."
        return span("strong", title, ":") + f" {text}"
    found = verdicts(table)
    if found.compared:
        return Line(" ").join(_sentences(study, found))
    if len(table["methods"]) == 1:
        alone = Line(" one method only, {}; there is nothing to compare it with.")
        return span("strong", title, ":") + alone.format(methods_named(table["methods"]))
    n = len(table["methods"])
    return (
        span("strong", title, ":") + f" {n:,} methods, none with its baseline, so none can be called fairer."
    )


def _sentences(study: Study, found: Verdicts) -> Iterator[Line]:
    table = study.main
    against = against_words(table)
    who, is_ = Line("no method"), "is"
    if found.fairer:
        who, is_ = methods_named(found.fairer), _is(found.fairer)
    fact = Line("{}: {} {} fairer than {} beyond noise").format(study.title, who, is_, against)
    yield span("strong", fact) + _beats_equal(table) + "."
    rest = []
    if found.noise:
        rest.append(Line(f"{len(found.noise):,} of {found.compared:,} {_is(found.noise)} within noise"))
    if found.less:
        rest.append(Line("{} {} less fair").format(methods_named(found.less), _is(found.less)))
    down = leveled(table)
    levels = Line("{} {} down").format(methods_named(down), "levels" if len(down) == 1 else "level")
    rest.append(levels if down else Line("no method is shown to level down"))
    yield Line("; ").join(rest).capitalized() + "."


def _is(methods: Sequence[Summary]) -> str:
    return "is" if len(methods) == 1 else "are"


def _beats_equal(table: Summary) -> Line:
    found, against = verdicts(table, "equal"), against_words(table, "equal")
    if not found.compared:
        return Line()
    if not found.fairer:
        return Line(", and none fairer than {}").format(against)
    return Line("; {} {} fairer than {}").format(methods_named(found.fairer), _is(found.fairer), against)


def _fairer_card(key: str, question: str, found: Sequence[Study], strategy: str = "") -> Card | None:
    compared = [(s, v) for s in found if (v := verdicts(s.main, strategy)).compared]
    if not compared:
        return None
    parts = [
        span("part", s.title, f": {len(v.fairer):,} of {v.compared:,}") for s, v in compared[:_MOST_STUDIES]
    ]
    detail = Line("Methods fairer beyond noise: {}.").format(listed(parts))
    if any(v.fairer for _, v in compared):
        return Card(key, question, "yes, some" if len(compared) == 1 else "in places", "good", detail)
    if all(v.compared == len(v.less) for _, v in compared):
        return Card(key, question, "no", "bad", detail)
    return Card(key, question, UNSURE, "unsure", detail)


def _leveling_card(found: Sequence[Study]) -> Card:
    key, question = "leveling_down", "Does any method level down?"
    down = [(s, leveled(s.main)) for s in found if leveled(s.main)]
    if down:
        parts = [Line("{}: {}").format(s.title, methods_named(m)) for s, m in down[:_MOST_STUDIES]]
        detail = Line("Fairer, but the worst-off group worse off: {}.").format(listed(parts))
        return Card(key, question, "yes", "bad", detail)
    known = [m["leveling_down"]["verdict"] for s in found for m in s.main["methods"]]
    if any(v == "no" for v in known) and not any(v == UNSURE for v in known):
        none = Line("No method is fairer at the cost of the worst-off group.")
        return Card(key, question, "no", "good", none)
    unsure = Line("No method is shown to; for some there is not enough data to tell.")
    return Card(key, question, UNSURE, "unsure", unsure)


def _finished_card(found: Sequence[Study]) -> Card:
    key, question = "finished", "Did every trial end well?"
    tables = [t for s in found for t in s.tables]
    failed, left = sum(len(t["failed"]) for t in tables), sum(len(t["unfinished"]) for t in tables)
    if failed or left:
        more = f"; methods left out, unfinished: {left:,}" if left else ""
        return Card(key, question, "no", "bad", Line(f"{failed:,} failed{more}."))
    return Card(key, question, "yes", "good", Line("Every method has all its seeds."))


def _study(study: Study, looks: Mapping[str, str]) -> Iterator[Block]:
    table = study.main
    yield Text(_facts(study), brief=True)
    if table["methods"]:
        yield from tradeoff_figures(study, looks)
        yield from groups_figure(study, looks)
        yield from axes_figure(study, looks)
        yield Heading(Line("All figures"))
    for t in reversed(study.tables):
        yield from methods_table(study, t, folded=t is not table)
    if table["methods"]:
        yield Items(list(_reading(table)), brief=True)
        yield from differences_table(study)
        yield from chosen_table(study)
    for t in reversed(study.tables):
        yield from fidelity_table(study, t)
    yield from _gone_wrong(study)


def _facts(study: Study) -> Line:
    table = study.main
    data, settings = table["data"], table["settings"]
    line = Line("{}: {:,} rows, label {}; groups: {}.").format(
        study.title, data["rows"], Name(data["label"]), levels_line(table)
    )
    if not settings or not table["methods"]:
        return line
    seeds, beyond = table["seeds"], data["rows"] - data["dealt"]
    line += Line(
        " {:,} seed{}, {:,} rows split {}{}; of each method's hyper-parameters, those with the "
        "least IF{} of {} within {} of the best balanced accuracy on the validation rows."
    ).format(
        seeds,
        "" if seeds == 1 else "s",
        data["dealt"],
        "60/20/20" if settings["split"] == "random" else "as published",
        f", {beyond:,} more tested" if beyond else "",
        f"{settings['alpha']:g}",
        notion_words(str(settings["notion"])),
        f"{settings['margin']:g}",
    )
    return line + (" One seed alone says nothing of noise." if seeds == 1 else "")


def _reading(table: Summary) -> Iterator[Line]:
    """What the figures of a table say, a sentence each."""
    name_of = f"IF{table['settings']['alpha']:g}"
    for strategy in ("", "equal"):
        found = verdicts(table, strategy)
        if found.compared:
            yield from _compared(found, against_words(table, strategy), name_of, strategy)
    if any(m["leveling_down"]["verdict"] for m in table["methods"]):
        down = methods_named(leveled(table), _MOST_METHODS) or "none is shown to"
        yield Line("Leveled down (fairer, but the worst-off group worse off): {}.").format(down)
    front = [m for m in table["methods"] if "equalized_odds" in m["pareto"]]
    if front:
        yield Line("On the front of balanced accuracy and {} of equalized odds: {}.").format(
            name_of, methods_named(front, _MOST_METHODS)
        )
    best = min(table["methods"], key=lambda m: m["equalized_odds"]["if"]["mean"])
    yield Line("Lowest {} of equalized odds on average: {}, {}. {}").format(
        name_of, Name(best["name"]), number(best["equalized_odds"]["if"]["mean"]), _worst_group(best)
    )


def _compared(found: Verdicts, against: Line, name_of: str, strategy: str) -> Iterator[Line]:
    stay = [m for m in found.fairer if _holm(m, strategy)]
    after = Line()
    if found.fairer and found.compared > 1:
        after = Line(" After Holm's correction over the methods: {}.").format(
            methods_named(stay, _MOST_METHODS) or "none"
        )
    yield Line("Fairer than {} beyond noise, by {} of equalized odds: {}.{}").format(
        against, name_of, methods_named(found.fairer, _MOST_METHODS) or "none", after
    )
    for methods, words in ((found.less, "Less fair than"), (found.noise, "No different from")):
        if methods:
            yield Line("{} {} beyond noise: {}.").format(
                words, against, methods_named(methods, _MOST_METHODS)
            )


def _holm(method: Summary, strategy: str) -> bool:
    """Whether a difference is still beyond chance after correction."""
    difference = method["differences"][with_strategy(method["baseline"], strategy)]["equalized_odds.if"]
    p = difference["p_adjusted"]
    return p is not None and p < 0.05


def _worst_group(method: Summary) -> Line:
    """The group that is surest to be badly off: the lowest upper end, as the lowest rate is often one person's."""
    known = [
        (g["high"], rate, g)
        for rate, measure in method["measures"].items()
        for g in measure["by_group"]
        if g["rate"] is not None
    ]
    if not known:
        return Line()
    _, rate, g = min(known, key=lambda k: k[:2])
    return Line("Surest to be badly off under it: {}, {} {} (between {} and {}; {:,} {}).").format(
        GroupName(g["group"]), rate_name(rate), number(g["rate"]), number(g["low"]), number(g["high"]),
        g["n_rows"], "person" if g["n_rows"] == 1 else "people",
    )  # fmt: skip


def _gone_wrong(study: Study) -> Iterator[Block]:
    left: list[Any] = [
        Line("{} has {:,} of {:,} seeds on {} and is left out. Run it again to finish it.").format(
            Name(n), seeds, t["seeds"], listed(Name(a["name"]) for a in t["attributes"])
        )
        for t in study.tables
        for n, seeds in t["unfinished"].items()
    ]
    failed = list(failed_table(study))
    if left or failed:
        yield Heading(Line("What went wrong"))
    if left:
        yield Items(left, brief=True)
    yield from failed
