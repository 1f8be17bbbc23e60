"""Words and numbers of the page: names from data made safe to read, rates in plain English.

A name is data, never markup: it is escaped, isolated from the text around it (a right-to-left mark
in it turns nothing else around), cut where it is very long, and told where it is empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from fairlattice.groups._shared import is_open_band, show_level

Summary = Mapping[str, Any]
TINY = 10
_LONGEST = 60
LONGEST_TITLE = 2_000
_BEYOND = 100.0  # ends of intervals of logarithms that stand for "no limit"
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Text without characters that no document may hold: control characters, lone surrogates."""
    if text.isprintable():
        return text
    text = re.sub(r"[\t\r\n]+", " ", text)
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)


def shown(value: Any) -> str:
    """A level or name as a person reads it, whole.

    Examples
    --------
    >>> shown(""), shown(None), shown(2.0), shown("(empty)")
    ('(empty)', '(missing)', '2', "'(empty)'")
    """
    if value == "(empty)":
        return repr(value)  # the text itself, not the absence of one
    text = clean(show_level(value))
    return text if text.strip() else "(empty)" if not text else "(blank)"


def cut(text: str, most: int = _LONGEST) -> str:
    """Text of at most `most` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def undirected(text: str) -> str:
    """Text without marks of writing direction, for places that cannot isolate them."""
    return _DIRECTIONS.sub("", text)


def name(value: Any, most: int = _LONGEST) -> Markup:
    """A level or name for a sentence: isolated, escaped, cut with the whole in its title."""
    whole = shown(value)
    short = cut(whole, most)
    if short == whole:
        return Markup("<bdi>{}</bdi>").format(whole)
    return Markup('<bdi title="{}">{}</bdi>').format(cut(whole, LONGEST_TITLE), short)


def group_name(group: Mapping[str, Any]) -> Markup:
    """A group for a sentence: ``race=Black, sex=Female``; with nothing fixed, "everyone"."""
    parts = []
    for attribute, level in group.items():
        text = shown(level)
        sign = "" if is_open_band(text) else "="
        parts.append(Markup("{}{}{}").format(name(attribute), sign, name(level)))
    return Markup('<span class="group">{}</span>').format(Markup(", ").join(parts) or "everyone")


def group_text(group: Mapping[str, Any], *, levels_only: bool = False, most: int = _LONGEST) -> str:
    """A group as plain text for a chart, every part cut so that none hides the others."""
    if not group:
        return "everyone"
    for share in (most, 24, 18, max(most // len(group), 8)):
        text = _group_parts(group, share, levels_only=levels_only)
        if len(text) <= most:
            break
    return cut(text, most)


def _group_parts(group: Mapping[str, Any], share: int, *, levels_only: bool) -> str:
    parts = []
    for attribute, level in group.items():
        text = cut(shown(level), share)
        sign = "" if is_open_band(text) else "="
        parts.append(text if levels_only else f"{cut(shown(attribute), share)}{sign}{text}")
    return undirected((" · " if levels_only else ", ").join(parts))


def key(group: Mapping[str, Any]) -> Hashable:
    """What makes a group itself: 1, 1.0 and True are different levels."""
    return frozenset((k, repr(v)) for k, v in group.items())


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """A figure; an en dash where there is none, ∞ where it only stands for "no limit"."""
    if value is None:
        return "–"
    if value != value:
        raise ValueError("a figure is not a number")
    if abs(value) >= _BEYOND:
        return "∞" if value > 0 else "-∞"
    return f"{value:{'+' if signed else ''}.{digits}f}"


def whole(value: float | None) -> str:
    """A number of rows."""
    return "–" if value is None else f"{value:,.0f}"


def rows_word(n: float) -> str:
    """A number of rows with its noun."""
    return f"{n:,.0f} row{'' if round(n) == 1 else 's'}"


def p_words(p: float | None) -> str:
    """A p-value in a sentence."""
    return "p unknown" if p is None else "p < .001" if p < 0.001 else f"p = {p:.3f}"


def p_value(p: float | None) -> str:
    """A p-value: three digits, or that it is below the last of them."""
    return "–" if p is None else "<.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:g} %"


def listed(parts: Iterable[Any], last: str = "and") -> Markup:
    """Parts as English lists them: a, b and c."""
    known = [escape(p) for p in parts]
    if len(known) < 2:
        return Markup("").join(known)
    return Markup("{} {} {}").format(Markup(", ").join(known[:-1]), last, known[-1])


def rate_name(rate: str) -> Markup:
    """A rate in words."""
    if rate.startswith("recall:"):
        return Markup("recall of {}").format(name(rate.removeprefix("recall:")))
    for kind, words in (
        ("selection:", "selection rate of"),
        ("precision:", "precision of"),
        ("specificity:", "others of"),
    ):
        if rate.startswith(kind):
            return Markup("{} {}").format(words, name(rate.removeprefix(kind)))
    known = {
        "tpr": "true-positive rate",
        "tnr": "true-negative rate",
        "accuracy": "accuracy",
        "selection_rate": "selection rate",
        "ppv": "positive predictive value",
        "npv": "negative predictive value",
    }
    return escape(known.get(rate, rate))


def rate_text(rate: str) -> str:
    """A rate in words, as plain text for charts and menus."""
    return undirected(cut(str(rate_name(rate).striptags()), 50)) if rate else ""


def range_text(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """An interval in words."""
    return f"between {number(low, signed=signed)} and {number(high, signed=signed)}"
