"""The answer of an audit: its verdicts in the words that they come with, and the questions behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.metrics._shared import (
    Style,
    assumed_sentence,
    is_favour,
    needed_words,
    rate_phrases,
    rows_phrase,
    verdict_sentence,
)
from fairlattice.report._page_blocks import Answer, Card
from fairlattice.report._page_words import group_name, name, rate_name

Summary = Mapping[str, Any]
STYLE = Style(Markup, group_name, name)
_MOST_LEAD = 3
_QUESTIONS = {
    "worse_off": "Does some group fare worse than everyone else?",
    "four_fifths": "Is some group below four fifths?",
    "harm": "Was some group harmed, against the baseline?",
    "leveling_down": "Was it made fairer by leveling down?",
}
_TONES = {"yes": "bad", "no": "good", "not seen": "good"}


def audit_answer(summary: Summary) -> Answer:
    """The first answers as sentences, all of them as cards; a card whose sentence is told says how many groups."""
    sure, data = summary["settings"]["confidence"], summary["data"]
    sentences = [verdict_sentence(v, data, sure, STYLE) for v in summary["verdicts"]]
    cards = [
        Card(
            _question(v, summary),
            v["verdict"],
            _TONES.get(v["verdict"], "unsure"),
            _count(v, summary) if place < _MOST_LEAD else sentence,
        )
        for place, (v, sentence) in enumerate(zip(summary["verdicts"], sentences, strict=True))
    ]
    return Answer(sentences[:_MOST_LEAD], cards)


def audit_head(summary: Summary) -> list[Markup]:
    """What the audit is of, and by what: columns, date, notion."""
    data = summary["data"]
    columns = [
        Markup("{} {}").format(role, name(data[role]))
        for role in ("label", "prediction", "baseline")
        if data.get(role) is not None
    ]
    date = [Markup("{}").format(data["date"])] if data.get("date") else []
    lines = [Markup(" · ").join([*columns, *date])] if columns or date else []
    return [*lines, Markup(assumed_sentence(data, summary["settings"], STYLE))]


def needed_cell(found: Summary | None) -> str:
    """About how many rows would tell, for a table."""
    return "–" if found is None or found["needed"] is None else needed_words(found["needed"])


def people_words(rate: str, summary: Summary) -> Markup:
    """What the rows of a rate are called."""
    return Markup(rows_phrase(rate, summary["data"], STYLE))


def about_words(rate: str, summary: Summary) -> Markup:
    """What a rate is the share of."""
    what = rate_phrases(rate, summary["data"], STYLE)[1]
    return Markup("of {}, the share who {}").format(people_words(rate, summary), what)


def _question(v: Summary, summary: Summary) -> Markup:
    if v["question"] != "worse_off":
        return Markup(_QUESTIONS[v["question"]])
    favour = is_favour(v["rate"], summary["data"])
    words = "Is some group wrongly favoured?" if favour else _QUESTIONS["worse_off"]
    return Markup("{} ({})").format(words, rate_name(v["rate"]))


def _count(v: Summary, summary: Summary) -> Markup:
    """How many groups show it, of those looked at."""
    what = {
        "worse_off": "{:,} of {:,} groups, at any level, are worse off beyond noise.",
        "four_fifths": "{:,} of {:,} groups are below four fifths beyond noise.",
        "harm": "{:,} of {:,} rates of groups fell beyond noise.",
    }.get(v["question"])
    if what is None:
        return Markup(verdict_sentence(v, summary["data"], summary["settings"]["confidence"], STYLE))
    if v["question"] == "worse_off" and is_favour(v["rate"], summary["data"]):
        what = what.replace("worse off", "wrongly favoured")
    return Markup(what).format(v["count"], v["looked_at"])
