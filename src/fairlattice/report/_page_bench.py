"""The sections of experiments: per data set trade-offs, groups, axes and tables; then where the time went."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from fairlattice.report._charts import Chart, Kind
from fairlattice.report._charts_bench import (
    COLORS,
    INK,
    OTHER_SHAPE,
    SHAPES,
    Climb,
    Dot,
    GroupRow,
    Interval,
    axes_chart,
    front_chart,
    groups_chart,
)
from fairlattice.report._charts_kinds import Spot
from fairlattice.report._page_answer_bench import Study, studies, study_items
from fairlattice.report._page_bench_tables import (
    chosen_table,
    differences_table,
    failed_table,
    fidelity_table,
    figure_text,
    methods_table,
    time_table,
)
from fairlattice.report._page_blocks import Figure, Heading, Items, Section, Text, plain
from fairlattice.report._page_method import method_section
from fairlattice.report._page_words import (
    cut,
    group_text,
    key,
    listed,
    name,
    number,
    shown,
    undirected,
    whole,
)
from fairlattice.strategies._shared import DEFAULT

Summary = Mapping[str, Any]
_MOST_GROUPS, _MOST_BESIDE, _MOST_CLIMBS, _ALL_NAMED, _MOST_TITLES = 12, 4, 10, 10, 4
_NOTIONS = (
    ("tradeoff", "equalized_odds", "equalized odds"),
    ("tradeoff_tpr", "equal_opportunity", "equal opportunity"),
)


def bench_sections(summary: Summary) -> list[Section]:
    """A section per data set, what to beware of, and the time."""
    looks = _looks(summary)
    found = [
        Section(f"data-{s.name}", s.title, [b for b in _study(s, looks) if b is not None])
        for s in studies(summary)
    ]
    notes = [plain(n) for n in summary["notes"]]
    found += [Section("notes", "Before you rely on it", [Items(notes)])] if notes else []
    time = time_table(summary)
    return [*found, Section("time", "Where the time went", time)] if time else found


def bench_method(summary: Summary) -> Section:
    """How the experiments were made."""
    return method_section(summary, [s.main for s in studies(summary)])


def bench_subject(summary: Summary) -> tuple[str, Markup, str]:
    """What the page is about: for its title, for its heading, and how much there is."""
    labels = list(dict.fromkeys(str(t["data"]["name"]) for t in summary["tables"]))
    methods = len({m["name"] for t in summary["tables"] for m in t["methods"]})
    parts = [(len(labels), "data set"), (len(summary["tables"]), "table"), (methods, "method")]
    told = ", ".join(f"{n:,} {word}{'' if n == 1 else 's'}" for n, word in parts)
    more = [f"{len(labels) - _MOST_TITLES:,} more"] if len(labels) > _MOST_TITLES else []
    first = labels[:_MOST_TITLES]
    plain_title = ", ".join([*(undirected(cut(shown(n), 40)) for n in first), *more]) or "nothing yet"
    return plain_title, listed([*(name(n) for n in first), *more]) or Markup("nothing yet"), told


Looks = Mapping[str, str]


def _looks(summary: Summary) -> Looks:
    """Every method's colour, the same in all charts; the baselines that others are compared with are ink."""
    methods = list(dict.fromkeys(m["method"] for t in summary["tables"] for m in t["methods"]))
    if not methods:
        return {}
    first = "unconstrained" if "unconstrained" in methods else methods[0]
    others = [m for m in methods if m != first]
    return {first: INK, **{m: COLORS[i % len(COLORS)] for i, m in enumerate(others)}}


def _kind(method: Summary, looks: Looks) -> Kind:
    shape = SHAPES.get(method["strategy"], OTHER_SHAPE)
    return Kind(_label(method["name"]), looks[method["method"]], shape)


def _label(text: Any) -> str:
    return undirected(cut(shown(text), 26))


def _study(study: Study, looks: Looks) -> Iterator[Any]:
    table = study.main
    yield Text(_facts(study))
    if table["methods"]:
        yield Items(list(study_items(table)))
        for kind, notion, words in _NOTIONS:
            yield Figure(_tradeoff(study, looks, kind, notion, words))
        yield from _groups(study, looks)
        if len([t for t in study.tables if t["methods"]]) > 1:
            yield Heading(Markup("As attributes join"))
            yield Figure(_axes(study, looks))
        yield Heading(Markup("All figures"))
    for t in reversed(study.tables):
        yield methods_table(study, t, folded=t is not table)
    if table["methods"]:
        yield differences_table(study)
        yield chosen_table(study)
    yield from (fidelity_table(study, t) for t in reversed(study.tables))
    yield from _gone_wrong(study)


def _facts(study: Study) -> Markup:
    table = study.main
    data, settings = table["data"], table["settings"]
    levels = Markup(" × ").join(
        Markup("{} ({:,})").format(name(a["name"]), len(a["levels"])) for a in table["attributes"]
    )
    told = Markup("{:,} rows, label {}; groups: {}.").format(data["rows"], name(data["label"]), levels)
    if settings and table["methods"]:
        seeds, beyond = table["seeds"], data["rows"] - data["dealt"]
        told += Markup(
            " {:,} seed{}, {:,} rows dealt out {}{}; of each method's hyper-parameters, those with the "
            "least IF{} of {} within {} of the best balanced accuracy on the validation rows."
        ).format(
            seeds,
            "" if seeds == 1 else "s",
            data["dealt"],
            "60/20/20" if settings["split"] == "random" else "as published",
            f", {beyond:,} more tested" if beyond else "",
            f"{settings['alpha']:g}",
            str(settings["notion"]).replace("_", " "),
            f"{settings['margin']:g}",
        )
        told += Markup(" One seed alone tells nothing of noise.") if seeds == 1 else Markup()
    return told


def _tradeoff(study: Study, looks: Looks, kind: str, notion: str, words: str) -> Chart:
    table = study.main
    methods, figure = table["methods"], f"IF{table['settings']['alpha']:g} of {words}"
    dots = []
    for m in methods:
        x, y = m["balanced_accuracy"], _unfairness(m, notion)
        front = notion in m["pareto"]
        named = len(methods) <= _ALL_NAMED or front or m["name"] == m["baseline"]
        label = _label(m["name"])
        told = f"{label}\nbalanced accuracy {figure_text(x)}\n{figure} {figure_text(y)}"
        spot = Spot(label if named else "", x["mean"], y["mean"], x["se"] or 0.0, y["se"] or 0.0, told)
        dots.append(Dot(spot, _kind(m, looks), front))
    some = (
        "" if all(d.spot.label for d in dots) else " Named: the front and the baselines; the table has all."
    )
    return front_chart(
        f"{kind}_{study.name}",
        f"{study.plain}: balanced accuracy against unfairness ({figure})",
        "Every point is a method, its posterior mean; bars are one standard deviation either way. Low and to the "
        f"right is better. The stepped line is the front: no method beats those on it in both.{some}",
        dots,
        _legends(methods, looks),
        x_title="balanced accuracy",
        y_title=f"unfairness: {figure}, small is fair",
    )


def _unfairness(method: Summary, notion: str) -> Summary:
    found: Summary = (method["measures"]["tpr"] if notion == "equal_opportunity" else method[notion])["if"]
    return found


def _legends(methods: Sequence[Summary], looks: Looks) -> list[list[Kind]]:
    """Colours are methods, shapes are strategies."""
    colors = [Kind(_label(m), looks[m]) for m in dict.fromkeys(m["method"] for m in methods)]
    strategies = dict.fromkeys(m["strategy"] for m in methods)
    shapes = [
        Kind("as it is" if s == "none" else f"+{_label(s)}", INK, SHAPES.get(s, OTHER_SHAPE), filled=False)
        for s in strategies
    ]
    return [colors, shapes]


def _beside(table: Summary) -> list[Summary]:
    """The baseline, the baseline with equal sampling and by the default strategy, and the fairest."""
    methods = table["methods"]
    known = {m["name"]: m for m in methods}
    first = known.get(methods[0]["baseline"], methods[0])
    wanted = (first["name"], f"{first['name']}+equal", f"{first['name']}+{DEFAULT}")
    fairest = min(methods, key=lambda m: m["equalized_odds"]["if"]["mean"])
    names = dict.fromkeys(n for n in (*wanted, fairest["name"]) if n in known)
    return [known[n] for n in names][:_MOST_BESIDE]


def _groups(study: Study, looks: Looks) -> Iterator[Any]:
    chosen = _beside(study.main)
    found = [
        (g["high"], rate, i, g)
        for rate, measure in chosen[0]["measures"].items()
        for i, g in enumerate(measure["by_group"])
        if g["rate"] is not None
    ]
    if not found:
        return
    worst = sorted(found, key=lambda f: f[:3])[:_MOST_GROUPS]
    rates = {
        (m["name"], rate): {key(g["group"]): g for g in measure["by_group"]}
        for m in chosen
        for rate, measure in m["measures"].items()
    }
    rows = [
        GroupRow(
            f"{group_text(g['group'], levels_only=True, most=38)} {rate.upper()}",
            [_interval(m, rates[m["name"], rate].get(key(g["group"])), rate) for m in chosen],
            whole(g["n_rows"]),
        )
        for _, rate, _, g in worst
    ]
    yield Heading(Markup("The groups worst off"))
    heads = cut(" · ".join(undirected(cut(shown(a["name"]), 20)) for a in study.main["attributes"]), 44)
    first = _label(chosen[0]["name"])
    yield Figure(
        groups_chart(
            f"groups_{study.name}",
            f"{study.plain}: rates of the groups surest to be badly off under {first}",
            f"The {len(rows)} lowest of {len(found):,} by the upper end of the interval under {first}; lines "
            "are 95 % intervals, people are distinct ones over all seeds. A high rate is good.",
            rows,
            [_kind(m, looks) for m in chosen],
            axis="rate",
            label_title=heads,
        )
    )


def _interval(method: Summary, g: Summary | None, rate: str) -> Interval | None:
    if g is None or g["rate"] is None:
        return None
    told = (
        f"{_label(method['name'])}\n{group_text(g['group'], most=200)}\n{rate.upper()} {number(g['rate'])}, "
        f"between {number(g['low'])} and {number(g['high'])}\n{whole(g['n_rows'])} people"
    )
    return Interval(g["rate"], g["low"], g["high"], told)


def _axes(study: Study, looks: Looks) -> Chart:
    tables = [t for t in study.tables if t["methods"]]
    figure = f"IF{study.main['settings']['alpha']:g} of equalized odds"
    found = [{m["name"]: m for m in t["methods"]} for t in tables]
    chosen = _climbing(study.main, found)
    climbs = [
        Climb(
            _kind(m, looks),
            [_step(known.get(n), t, figure) for known, t in zip(found, tables, strict=True)],
        )
        for n, m in chosen.items()
    ]
    most = len({n for known in found for n in known})
    less = f" Shown: {len(climbs)} of {most} methods; the tables have all." if most > len(climbs) else ""
    return axes_chart(
        f"axes_{study.name}",
        f"{study.plain}: unfairness against the number of attributes",
        f"{figure}, posterior mean; bars are one standard deviation either way. Small is fair.{less}",
        climbs,
        [_step_words(t) for t in tables],
        y_title=f"unfairness: {figure}",
    )


def _climbing(main: Summary, found: Sequence[Mapping[str, Summary]]) -> dict[str, Summary]:
    """The methods drawn: those compared by group, then those that most tables hold, the fairest first."""
    every = {n: m for known in found for n, m in known.items()}
    counts = Counter(n for known in found for n in known)
    order = sorted(every, key=lambda n: (-counts[n], every[n]["equalized_odds"]["if"]["mean"]))
    names = dict.fromkeys([*(m["name"] for m in _beside(main)), *order])
    return {n: every[n] for n in list(names)[:_MOST_CLIMBS]}


def _step(method: Summary | None, table: Summary, figure: str) -> tuple[float, float, str] | None:
    if method is None:
        return None
    e, n = method["equalized_odds"]["if"], len(table["attributes"])
    told = f"{_label(method['name'])}\n{n} attribute{'' if n == 1 else 's'}: {figure} {figure_text(e)}"
    return e["mean"], e["se"] or 0.0, told


def _step_words(table: Summary) -> tuple[str, str]:
    attributes = table["attributes"]
    added = undirected(cut(shown(attributes[-1]["name"]), 16))
    groups = math.prod(len(a["levels"]) for a in attributes)
    return f"{len(attributes)}: {'' if len(attributes) == 1 else '+ '}{added}", f"{groups:,} groups"


def _gone_wrong(study: Study) -> Iterator[Any]:
    left = [
        Markup("{} has {:,} of {:,} seeds on {} and is left out. Run it again to finish it.").format(
            name(n), seeds, t["seeds"], listed(name(a["name"]) for a in t["attributes"])
        )
        for t in study.tables
        for n, seeds in t["unfinished"].items()
    ]
    failed = failed_table(study)
    if left or failed is not None:
        yield Heading(Markup("What went wrong"))
    if left:
        yield Items(left)
    yield failed
