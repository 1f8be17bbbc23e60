"""The last section of every page: data, settings, versions, how the figures are made, what to beware of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from fairlattice.report._page_blocks import Facts, Heading, Items, Section, plain
from fairlattice.report._page_words import cut, listed, name, percent, shown

Summary = Mapping[str, Any]
_MOST_NAMED = 40


def method_section(summary: Summary, tables: Sequence[Summary] | None = None) -> Section:
    """How the report was made, so that it can be made again; of several tables, each with its settings."""
    blocks: list[Any] = []
    told = [summary] if tables is None else tables
    for table in told:
        which = Markup(": {}").format(name(table["data"]["name"])) if len(told) > 1 else ""
        blocks += [Heading(Markup("Data{}").format(which)), Facts(list(_data(table)))]
        settings = [(_words(k), _value(v)) for k, v in table["settings"].items()]
        blocks += [Heading(Markup("Settings{}").format(which)), Facts(settings)] if settings else []
    if summary.get("versions"):
        blocks += [
            Heading(Markup("Versions")),
            Facts([(cut(shown(k)), _value(v)) for k, v in summary["versions"].items()]),
        ]
    blocks += [Heading(Markup("How to read it")), Items(list(_reading(summary, told)))]
    return Section("method", "Method, data and caveats", blocks)


def _words(setting: str) -> str:
    return cut(shown(setting).replace("_", " "))


def _value(value: Any) -> Markup:
    if isinstance(value, list | tuple):
        more = [f"{len(value) - _MOST_NAMED:,} more"] if len(value) > _MOST_NAMED else []
        return listed([*(name(v) for v in value[:_MOST_NAMED]), *more]) if value else Markup("none")
    if isinstance(value, Mapping):
        return Markup(", ").join(Markup("{}: {}").format(name(k), name(v)) for k, v in value.items())
    return Markup("none") if value is None else name(value)


def _data(summary: Summary) -> Iterator[tuple[str, Markup]]:
    data = summary["data"]
    yield "name", name(data["name"], 200)
    yield "rows", plain(f"{data['rows']:,}")
    if data.get("about"):
        yield "origin", plain(data["about"])
    if data.get("sha256"):
        yield "SHA-256", Markup("<code>{}</code>").format(shown(data["sha256"]))
    named = (
        ("label", "label"),
        ("prediction", "prediction"),
        ("baseline", "baseline"),
        ("positive", "positive class"),
    )
    for key, words in named:
        if data.get(key) is not None:
            yield words, name(data[key])
    yield from (("assumed", plain(text)) for text in data.get("assumed", ()))
    for key, words in (("classes", "classes"), ("features", "features"), ("dropped", "columns left out")):
        if data.get(key):
            yield words, _value(data[key])
    for a in summary["attributes"]:
        cuts = Markup(" (cut at {})").format(listed(a["cuts"])) if a.get("cuts") else ""
        yield "attribute", Markup("{}{}: {}").format(name(a["name"]), cuts, _value(a["levels"]))
    if summary.get("weighted"):
        yield "weights", plain("rows are weighted; numbers of rows are effective numbers")


def _reading(summary: Summary, tables: Sequence[Summary]) -> Iterator[Markup]:
    every = [t["settings"] for t in tables]
    settings, schema = every[0] if every else {}, summary["schema"]
    if "audit" in schema:
        yield Markup("Every interval holds at {} confidence; single rates have {} intervals.").format(
            percent(settings["confidence"]), str(settings.get("interval", "jeffreys")).capitalize()
        )
        yield Markup(
            "“Beyond noise” allows for all the groups looked at together. “Not enough data” is no proof "
            "that all is well: it says that these rows can show neither harm nor its absence."
        )
    elif "compare" in schema:
        yield Markup(
            "Every strategy is trained on the same folds, and everyone is tested by models that have not seen them. "
            "Rates of groups are drawn from their joint posterior: small groups are shrunk towards what their levels "
            "predict, all strategies share the weights of a bootstrap over people, and the repeats show how much the "
            "training rows matter."
        )
    elif "bench" in schema:
        yield Markup(
            "Every method is trained, chosen and tested on the same splits, one per seed. Splits share rows, "
            "so what is beyond noise is judged by a corrected variance, wider than the standard errors shown."
        )
    for alpha in dict.fromkeys(s["alpha"] for s in every if "alpha" in s):
        yield Markup(
            "DF (differential fairness): the largest log ratio of two groups' rates. IF{}: α·(1 − the worse "
            "rate) + (1 − α)·(1 − worse/better), the largest over pairs, with α = {}. Both are taken of "
            "smoothed rates."
        ).format(f"{alpha:g}", f"{alpha:g}")
    yield from (plain(cut(shown(c), 1_000)) for c in summary.get("caveats", ()))
    yield Markup(
        "Figures describe this table. They say nothing of people who are not in it, nor whether its labels "
        "are just."
    )
    yield Markup("Report: {}.").format(plain(schema))
