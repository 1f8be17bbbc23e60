"""The answer of experiments in plain words: who is fairer beyond noise, who levels down, what is noise.

A study is what is said of one data set under one protocol: its tables over growing numbers of attributes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fairlattice.metrics._shared import UNSURE
from fairlattice.report._page_blocks import Answer, Card
from fairlattice.report._page_words import cut, group_name, listed, name, number, rate_name, shown, undirected
from fairlattice.report._verdicts_bench import (
    Verdicts,
    baseline_words,
    baselines,
    leveled,
    verdicts,
    with_strategy,
)

Summary = Mapping[str, Any]
FIGURES = ("tradeoff", "tradeoff_tpr", "groups", "axes")
_MOST_NAMED, _MOST_STUDIES = 3, 6


@dataclass(frozen=True)
class Study:
    """The tables of one data set under one protocol, by growing numbers of attributes.

    Parameters
    ----------
    name : str
        Part of names of files and of ids: small letters, digits and underscores, unique on the page.
    title : Markup
        The data set.
    plain : str
        The same for charts.
    tables : sequence of mapping
        At least one.
    """

    name: str
    title: Markup
    plain: str
    tables: Sequence[Summary]

    @property
    def main(self) -> Summary:
        """The table of most attributes that holds methods; without any, the last."""
        return next((t for t in reversed(self.tables) if t["methods"]), self.tables[-1])


def studies(summary: Summary) -> list[Study]:
    """The tables as studies, in the order of their first tables."""
    tables = list(summary["tables"])
    chains: list[list[int]] = []
    for i in sorted(range(len(tables)), key=lambda i: len(tables[i]["attributes"])):
        chain = next((c for c in chains if _goes_on(tables[c[-1]], tables[i])), None)
        if chain is None:
            chains.append([i])
        else:
            chain.append(i)
    taken: set[str] = set()
    seen: dict[str, int] = {}
    found = []
    for chain in sorted(chains, key=min):
        label = tables[chain[0]]["data"]["name"]
        seen[str(label)] = nth = seen.get(str(label), 0) + 1
        more = f" ({nth})" if nth > 1 else ""
        found.append(
            Study(
                _safe(str(label), taken),
                Markup("{}{}").format(name(label), more),
                undirected(cut(shown(label), 40)) + more,
                [tables[i] for i in chain],
            )
        )
    return found


def _goes_on(before: Summary, after: Summary) -> bool:
    """Whether a table is another one with further attributes."""
    if any(before["data"][k] != after["data"][k] for k in ("name", "rows")) or _kept(before) != _kept(after):
        return False
    fewer, more = ([a["name"] for a in t["attributes"]] for t in (before, after))
    return len(fewer) < len(more) and more[: len(fewer)] == fewer


def _kept(table: Summary) -> str:
    return json.dumps(table["settings"], sort_keys=True)


def _safe(label: str, taken: set[str]) -> str:
    """A name for files none of whose figures is called as another's."""
    stem = re.sub(r"[^a-z0-9]+", "_", label.lower()[:200]).strip("_")[:40].strip("_") or "data"
    nth = 1
    while True:
        found = stem if nth == 1 else f"{stem}_{nth}"
        names = {f"{kind}_{found}" for kind in FIGURES}
        if not names & taken:
            taken |= names
            return found
        nth += 1


def methods_named(methods: Sequence[Summary], most: int = _MOST_NAMED) -> Markup:
    """Their names in a sentence, the first of them where there are many."""
    rest = len(methods) - most
    more = [f"{rest:,} more"] if rest > 0 else []
    *first, last = [*(name(m["name"]) for m in methods[:most]), *more] or [Markup()]
    parts = [Markup('<span class="part">{}{}</span>').format(p, "," * (p is not first[-1])) for p in first]
    return Markup(" ").join([*parts, *(["and"] if parts else []), last])


def against_words(table: Summary, strategy: str = "") -> Markup:
    """What the methods are compared with."""
    found = baselines(table, strategy)
    return name(found[0]) if len(found) == 1 else Markup(baseline_words(table, strategy))


def bench_answer(summary: Summary) -> Answer:
    """One or two sentences per data set, then four questions over all of them."""
    found = studies(summary)
    if not found:
        return Answer([Markup("No experiment has ended, so there is nothing to tell.")], [])
    lead = [study_lead(s) for s in found[:_MOST_STUDIES]]
    if len(found) > _MOST_STUDIES:
        lead.append(Markup("{:,} more are below.").format(len(found) - _MOST_STUDIES))
    with_methods = [s for s in found if s.main["methods"]]
    cards = []
    if any(verdicts(s.main).compared for s in with_methods):
        cards = [
            _fairer_card("Does any method make it fairer?", with_methods),
            _fairer_card("Fairer than equal sampling alone?", with_methods, "equal"),
            _leveling_card(with_methods),
        ]
    return Answer(lead, [*(c for c in cards if c is not None), _finished_card(found)])


def study_lead(study: Study) -> Markup:
    """What a reader in a hurry should know of a data set."""
    table = study.main
    if not table["methods"]:
        if table["fidelity"]:
            return Markup("<strong>{}:</strong> made rows were judged, and no method was trained.").format(
                study.title
            )
        return Markup("<strong>{}:</strong> no method has finished{}.").format(
            study.title, "; see what failed" if table["failed"] else ""
        )
    found = verdicts(table)
    if not found.compared:
        return (
            Markup("<strong>{}:</strong> one method only, {}; there is nothing to compare it with.").format(
                study.title, methods_named(table["methods"])
            )
            if len(table["methods"]) == 1
            else Markup(
                "<strong>{}:</strong> {:,} methods, none beside its baseline, so none can be called fairer."
            ).format(study.title, len(table["methods"]))
        )
    return Markup(" ").join(_sentences(study, found))


def _sentences(study: Study, found: Verdicts) -> Iterator[Markup]:
    table = study.main
    against = against_words(table)
    if found.fairer:
        yield Markup("<strong>{}: {} {} fairer than {} beyond noise</strong>{}.").format(
            study.title, methods_named(found.fairer), _is(found.fairer), against, _beats_equal(table)
        )
    else:
        yield Markup("<strong>{}: no method is fairer than {} beyond noise</strong>{}.").format(
            study.title, against, _beats_equal(table)
        )
    rest = []
    if found.noise:
        rest.append(
            Markup("{:,} of {:,} {} within noise").format(
                len(found.noise), found.compared, "is" if len(found.noise) == 1 else "are"
            )
        )
    if found.less:
        rest.append(Markup("{} {} less fair").format(methods_named(found.less), _is(found.less)))
    down = leveled(table)
    if down:
        rest.append(Markup("{} {} down").format(methods_named(down), "levels" if len(down) == 1 else "level"))
    else:
        rest.append(Markup("none is shown to level down"))
    told = Markup("; ").join(rest)
    yield Markup("{}.").format(told)


def _is(methods: Sequence[Summary]) -> str:
    return "is" if len(methods) == 1 else "are"


def _beats_equal(table: Summary) -> Markup:
    found = verdicts(table, "equal")
    if not found.compared:
        return Markup()
    if not found.fairer:
        return Markup(", and none fairer than {}").format(against_words(table, "equal"))
    return Markup("; {} {} fairer than {}").format(
        methods_named(found.fairer), _is(found.fairer), against_words(table, "equal")
    )


def study_items(table: Summary) -> Iterator[Markup]:
    """What the figures of a table say, a sentence each."""
    name_of = f"IF{table['settings']['alpha']:g}"
    for strategy in ("", "equal"):
        found = verdicts(table, strategy)
        if found.compared:
            yield from _compared(found, against_words(table, strategy), name_of, strategy)
    if any(m["leveling_down"]["verdict"] for m in table["methods"]):
        yield Markup("Leveled down (fairer, but the worst-off group worse off): {}.").format(
            methods_named(leveled(table), 12) or "none is shown to"
        )
    front = [m for m in table["methods"] if "equalized_odds" in m["pareto"]]
    if front:
        yield Markup("On the front of balanced accuracy and {} of equalized odds: {}.").format(
            name_of, methods_named(front, 12)
        )
    best = min(table["methods"], key=lambda m: m["equalized_odds"]["if"]["mean"])
    yield Markup("Lowest {} of equalized odds on average: {}, {}. {}").format(
        name_of, name(best["name"]), number(best["equalized_odds"]["if"]["mean"]), _worst_group(best)
    )


def _compared(found: Verdicts, against: Markup, name_of: str, strategy: str) -> Iterator[Markup]:
    stay = [m for m in found.fairer if _holm(m, strategy)]
    after = (
        Markup(" After Holm's correction over the methods: {}.").format(methods_named(stay, 12) or "none")
        if found.fairer and found.compared > 1
        else Markup()
    )
    yield Markup("Fairer than {} beyond noise, by {} of equalized odds: {}.{}").format(
        against, name_of, methods_named(found.fairer, 12) or "none", after
    )
    if found.less:
        yield Markup("Less fair than {} beyond noise: {}.").format(against, methods_named(found.less, 12))
    if found.noise:
        yield Markup("No different from {} beyond noise: {}.").format(against, methods_named(found.noise, 12))


def _holm(method: Summary, strategy: str) -> bool:
    """Whether a difference is still beyond chance after correction."""
    difference = method["differences"][with_strategy(method["baseline"], strategy)]["equalized_odds.if"]
    p = difference["p_adjusted"]
    return p is not None and p < 0.05


def _worst_group(method: Summary) -> Markup:
    """The group that is surest to be badly off."""
    known = [
        (g["high"], rate, g)
        for rate, measure in method["measures"].items()
        for g in measure["by_group"]
        if g["rate"] is not None
    ]
    if not known:
        return Markup()
    _, rate, g = min(known, key=lambda k: k[:2])
    return Markup("Surest to be badly off under it: {}, {} {} (between {} and {}; {:,} {}).").format(
        group_name(g["group"]),
        rate_name(rate),
        number(g["rate"]),
        number(g["low"]),
        number(g["high"]),
        g["n_rows"],
        "person" if g["n_rows"] == 1 else "people",
    )


def _fairer_card(question: str, found: Sequence[Study], strategy: str = "") -> Card | None:
    judged = [(s, v) for s in found if (v := verdicts(s.main, strategy)).compared]
    if not judged:
        return None
    told = listed(
        Markup('<span class="part">{}: {:,} of {:,}</span>').format(s.title, len(v.fairer), v.compared)
        for s, v in judged[:_MOST_STUDIES]
    )
    detail = Markup("Methods fairer beyond noise: {}.").format(told)
    if any(v.fairer for _, v in judged):
        return Card(question, "yes, some" if len(judged) == 1 else "in places", "good", detail)
    if all(v.compared == len(v.less) for _, v in judged):
        return Card(question, "no", "bad", detail)
    return Card(question, UNSURE, "unsure", detail)


def _leveling_card(found: Sequence[Study]) -> Card:
    question = "Does anyone level down?"
    down = [(s, leveled(s.main)) for s in found if leveled(s.main)]
    if down:
        told = listed(Markup("{}: {}").format(s.title, methods_named(m, 3)) for s, m in down[:_MOST_STUDIES])
        return Card(
            question, "yes", "bad", Markup("Fairer, but the worst-off group worse off: {}.").format(told)
        )
    known = [m["leveling_down"]["verdict"] for s in found for m in s.main["methods"]]
    if any(v == "no" for v in known) and not any(v == UNSURE for v in known):
        return Card(question, "no", "good", Markup("No method is fairer at the cost of the worst-off group."))
    return Card(
        question,
        UNSURE,
        "unsure",
        Markup("No method is shown to; for some there is not enough data to tell."),
    )


def _finished_card(found: Sequence[Study]) -> Card:
    question = "Did every trial end well?"
    tables = [t for s in found for t in s.tables]
    failed, left = sum(len(t["failed"]) for t in tables), sum(len(t["unfinished"]) for t in tables)
    if failed or left:
        told = f"{failed:,} failed" + (f"; methods left out, unfinished: {left:,}" if left else "")
        return Card(question, "no", "bad", Markup("{}.").format(told))
    return Card(question, "yes", "good", Markup("Every method has all its seeds."))
