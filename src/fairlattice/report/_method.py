"""The last section of every report: data, settings, versions, how the figures are made, what to beware of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fairlattice.report._document import Block, Facts, Heading, Items, Line, Name, Section, Summary, span
from fairlattice.report._words import listed, percent, shown

_MOST_NAMED = 40


def method_section(summary: Summary, tables: Sequence[Summary] | None = None) -> Section:
    """How the report was made, so that it can be made again; of several tables, each with its settings."""
    blocks: list[Block] = []
    parts = [summary] if tables is None else tables
    for table in parts:
        which = Line(": ", Name(table["data"]["name"])) if len(parts) > 1 else Line()
        blocks += [Heading(Line("Data") + which), Facts(list(data_facts(table)))]
        settings = settings_facts(table["settings"])
        blocks += [Heading(Line("Settings") + which), Facts(settings)] if settings else []
    if summary.get("versions"):
        versions = [(shown(k), Line(Name(v))) for k, v in summary["versions"].items()]
        blocks += [Heading(Line("Versions")), Facts(versions)]
    blocks += [Heading(Line("How to read it")), Items(list(_reading(summary, parts)))]
    return Section("method", "Method, data and caveats", blocks)


def settings_facts(settings: Mapping[str, Any]) -> list[tuple[str, Line]]:
    """Settings with their values."""
    return [(shown(k).replace("_", " "), _value(v)) for k, v in settings.items()]


def _value(value: Any) -> Line:
    if isinstance(value, list | tuple):
        return listed((Name(v) for v in value), most=_MOST_NAMED) if value else Line("none")
    if isinstance(value, Mapping):
        return Line(", ").join(Line(Name(k), ": ", Name(v)) for k, v in value.items())
    return Line("none") if value is None else Line(Name(value))


def data_facts(summary: Summary) -> Iterator[tuple[str, Line]]:
    """What the data are: names, columns, attributes, and what was assumed of them."""
    data = summary["data"]
    yield "name", Line(Name(data["name"], 200))
    yield "rows", Line(f"{data['rows']:,}")
    if data.get("about"):
        yield "origin", Line(data["about"])
    if data.get("sha256"):
        yield "SHA-256", span("code", shown(data["sha256"]))
    named = (
        ("label", "label"),
        ("prediction", "prediction"),
        ("baseline", "baseline"),
        ("positive", "positive class"),
    )
    for key, words in named:
        if data.get(key) is not None:
            yield words, Line(Name(data[key]))
    yield from (("assumed", Line(text)) for text in data.get("assumed", ()))
    for key, words in (("classes", "classes"), ("features", "features"), ("dropped", "columns left out")):
        if data.get(key):
            yield words, _value(data[key])
    yield from attribute_facts(summary)
    if summary.get("weighted"):
        yield "weights", Line("rows are weighted; numbers of rows are effective numbers")


def attribute_facts(summary: Summary) -> Iterator[tuple[str, Line]]:
    """The attributes with their levels and cuts."""
    for a in summary["attributes"]:
        cuts = Line(" (cut at {})").format(listed(map(str, a["cuts"]))) if a.get("cuts") else Line()
        yield "attribute", Line(Name(a["name"]), cuts, ": ", _value(a["levels"]))


def _reading(summary: Summary, tables: Sequence[Summary]) -> Iterator[Line]:
    every = [t["settings"] for t in tables]
    settings, schema = every[0] if every else {}, summary["schema"]
    if "audit" in schema:
        yield Line("Every interval holds at {} confidence; single rates have {} intervals.").format(
            percent(settings["confidence"]), str(settings.get("interval", "jeffreys")).capitalize()
        )
        yield Line(
            "“Beyond noise” allows for all the groups looked at together. “Not enough data” does not "
            "prove that all is well: it says that these rows can show neither harm nor its absence."
        )
    elif "compare" in schema:
        yield Line(
            "Every strategy is trained on the same folds, and everyone is tested by models that have not seen them. "
            "Rates of groups are drawn from their joint posterior: small groups are shrunk towards what their levels "
            "predict, all strategies share the weights of a bootstrap over people, and the repeats show how much the "
            "training rows matter."
        )
    elif "bench" in schema:
        yield Line(
            "Every method is trained, chosen and tested on the same splits, one per seed. Splits share rows, "
            "so differences are called beyond noise by a corrected variance, wider than the standard errors shown."
        )
    for alpha in dict.fromkeys(s["alpha"] for s in every if "alpha" in s):
        yield Line(
            "DF (differential fairness): the largest log ratio of two groups' rates. IF{}: α·(1 − the worse "
            "rate) + (1 − α)·(1 − worse/better), the largest over pairs, with α = {}. Both are taken of "
            "smoothed rates."
        ).format(f"{alpha:g}", f"{alpha:g}")
    yield from (Line(c) for c in summary.get("caveats", ()))
    yield Line(
        "Figures describe this table. They say nothing of people who are not in it, nor whether its labels "
        "are just."
    )
    yield Line(f"Report: {schema}.")
