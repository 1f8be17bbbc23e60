"""The figures of a study: trade-offs with their front, groups under several methods, attributes joining."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fairlattice.report._bench_studies import Study
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
from fairlattice.report._document import Block, Figure, Heading, Line, Summary
from fairlattice.report._words import (
    attributes_title,
    estimate,
    group_text,
    key,
    label_of,
    measured_text,
    number,
    whole,
)
from fairlattice.strategies._shared import WEIGHTS

Looks = Mapping[str, str]
_MOST_GROUPS, _MOST_BESIDE, _MOST_CLIMBS, _ALL_NAMED = 12, 4, 10, 10
_NOTIONS = (
    ("tradeoff", "equalized_odds", "equalized odds"),
    ("tradeoff_tpr", "equal_opportunity", "equal opportunity"),
)


def tradeoff_figures(study: Study, looks: Looks) -> Iterator[Block]:
    """Accuracy against unfairness, by two notions."""
    for kind, notion, words in _NOTIONS:
        yield Figure(_tradeoff(study, looks, kind, notion, words))


def axes_figure(study: Study, looks: Looks) -> Iterator[Block]:
    """Unfairness as attributes join, where there are tables of several numbers of them."""
    if len([t for t in study.tables if t["methods"]]) > 1:
        yield Heading(Line("As attributes join"))
        yield Figure(_axes(study, looks))


def looks_of(summary: Summary) -> Looks:
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
    return label_of(text, 26)


def _tradeoff(study: Study, looks: Looks, kind: str, notion: str, words: str) -> Chart:
    table = study.main
    methods, figure = table["methods"], f"IF{table['settings']['alpha']:g} of {words}"
    dots = []
    for m in methods:
        x, y = m["balanced_accuracy"], _unfairness(m, notion)
        front = notion in m["pareto"]
        named = len(methods) <= _ALL_NAMED or front or m["name"] == m["baseline"]
        label = _label(m["name"])
        tip = (
            f"{label}\nbalanced accuracy {measured_text(estimate(x))}\n{figure} {measured_text(estimate(y))}"
        )
        spot = Spot(label if named else "", x["mean"], y["mean"], x["se"] or 0.0, y["se"] or 0.0, tip)
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
        hint="better lies to the lower right: more accurate and fairer ↘",
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
    """The baseline, the baseline with equal sampling and with learned weights, and the fairest."""
    methods = table["methods"]
    known = {m["name"]: m for m in methods}
    first = known.get(methods[0]["baseline"], methods[0])
    wanted = (first["name"], f"{first['name']}+equal", f"{first['name']}+{WEIGHTS}")
    fairest = min(methods, key=lambda m: m["equalized_odds"]["if"]["mean"])
    names = dict.fromkeys(n for n in (*wanted, fairest["name"]) if n in known)
    return [known[n] for n in names][:_MOST_BESIDE]


def groups_figure(study: Study, looks: Looks) -> Iterator[Block]:
    """The groups worst off under the baseline, and how they fare under others."""
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
    yield Heading(Line("The groups worst off"))
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
            label_title=attributes_title(study.main),
        )
    )


def _interval(method: Summary, g: Summary | None, rate: str) -> Interval | None:
    if g is None or g["rate"] is None:
        return None
    tip = (
        f"{_label(method['name'])}\n{group_text(g['group'], most=200)}\n{rate.upper()} {number(g['rate'])}, "
        f"between {number(g['low'])} and {number(g['high'])}\n{whole(g['n_rows'])} people"
    )
    return Interval(g["rate"], g["low"], g["high"], tip)


def _axes(study: Study, looks: Looks) -> Chart:
    tables = [t for t in study.tables if t["methods"]]
    figure = f"IF{study.main['settings']['alpha']:g} of equalized odds"
    found = [{m["name"]: m for m in t["methods"]} for t in tables]
    chosen = _climbing(study.main, found)
    climbs = [
        Climb(
            _kind(m, looks), [_step(known.get(n), t, figure) for known, t in zip(found, tables, strict=True)]
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
    tip = f"{_label(method['name'])}\n{n} attribute{'' if n == 1 else 's'}: {figure} {measured_text(estimate(e))}"
    return e["mean"], e["se"] or 0.0, tip


def _step_words(table: Summary) -> tuple[str, str]:
    attributes = table["attributes"]
    added = label_of(attributes[-1]["name"], 16)
    groups = math.prod(len(a["levels"]) for a in attributes)
    return f"{len(attributes)}: {'' if len(attributes) == 1 else '+ '}{added}", f"{groups:,} groups"
