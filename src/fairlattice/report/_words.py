"""Words and numbers: names made safe to read, rates in plain English, every figure formatted in one place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from fairlattice.groups._shared import is_open_band, show_level
from fairlattice.metrics._shared import Style
from fairlattice.report._document import LONGEST, Column, GroupName, Line, Measured, Name, span

TINY = 10
STYLE = Style(Line, GroupName, Name)  # sentences of the measures as lines
LONGEST_TITLE = 2_000
SIGNS = {"better": "▲", "worse": "▼"}
_BEYOND = 100.0  # ends of intervals of logarithms that mean "no limit"
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


def cut(text: str, most: int = LONGEST) -> str:
    """Text of at most `most` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def undirected(text: str) -> str:
    """Text without marks of writing direction, for places that cannot isolate them."""
    return _DIRECTIONS.sub("", text)


def label_of(value: Any, most: int = LONGEST) -> str:
    """A name as plain text for a chart."""
    return undirected(cut(shown(value), most))


def group_text(group: Mapping[str, Any], *, levels_only: bool = False, most: int = LONGEST) -> str:
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


def attributes_title(summary: Mapping[str, Any]) -> str:
    """What heads the labels of leaves in a chart."""
    return cut(" · ".join(label_of(a["name"], 20) for a in summary["attributes"]), 44)


def leaf_label(summary: Mapping[str, Any], group: Mapping[str, Any]) -> str:
    """A group in a chart: a leaf by its levels alone, as the attributes head the column."""
    return group_text(group, levels_only=len(group) == len(summary["attributes"]), most=44)


def levels_line(summary: Mapping[str, Any]) -> Line:
    """The attributes and how many levels each has."""
    pairs = (Line("{} ({:,})").format(Name(a["name"]), len(a["levels"])) for a in summary["attributes"])
    return Line(" × ").join(pairs)


def key(group: Mapping[str, Any]) -> str:
    """What makes a group itself, its attributes being in the lattice's order: 1, 1.0 and True are different levels."""
    return repr(group)


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """A figure; an en dash where there is none, ∞ where it only means "no limit"."""
    if value is None:
        return "–"
    if value != value:
        raise ValueError("a figure is not a number")
    if abs(value) >= _BEYOND:
        return "∞" if value > 0 else "-∞"
    return f"{value:{'+' if signed else ''}.{digits}f}"


def amount(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """A figure of any size."""
    return f"{value:{'+' if signed else ''},.{digits}f}"


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


def range_text(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """An interval in words."""
    return f"between {number(low, signed=signed)} and {number(high, signed=signed)}"


def signed_interval(d: Mapping[str, float]) -> str:
    """A difference with its interval."""
    return f"{d['value']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f})"


def measured_text(
    m: Measured, digits: int = 3, *, signed: bool = False, narrow: bool = False, form: Any = number
) -> str:
    """A figure with its error or interval; where room is scarce, without the interval."""
    text = str(form(m.value, digits, signed=signed))
    if m.se is not None:
        text += f" ± {form(m.se, digits)}" if not narrow else f"±{m.se:.{digits}f}".replace("±0.", "±.")
    if m.low is not None and not narrow:
        text += f" ({number(m.low, digits)} to {number(m.high, digits)})"
    return text


def estimate(found: Mapping[str, Any], mark: str | None = None) -> Measured:
    """A mean and its standard error, as results hold them."""
    return Measured(found["mean"], found["se"], mark=mark)


def level(found: Mapping[str, Any], mark: str | None = None) -> Measured:
    """A posterior median and its interval, as results hold them."""
    return Measured(found["median"], low=found["low"], high=found["high"], mark=mark)


def listed(parts: Iterable[Any], last: str = "and", most: int | None = None) -> Line:
    """Parts as English lists them: a, b and c; of more than `most`, how many more there are."""
    known = list(parts)
    if most is not None and len(known) > most:
        known = [*known[:most], f"{len(known) - most:,} more"]
    if len(known) < 2:
        return Line(*known)
    return Line("{} {} {}").format(Line(", ").join(known[:-1]), last, known[-1])


def some_groups(groups: Iterable[Mapping[str, Any]], n: int | None = None, most: int = 12) -> Line:
    """The first few groups, and how many more there are."""
    first = list(groups)
    n = len(first) if n is None else n
    more = [f"and {n - most:,} more"] if n > most else []
    return Line("; ").join([*(GroupName(g) for g in first[:most]), *more])


def notion_words(notion: str) -> str:
    """A notion in words."""
    return notion.replace("_", " ")


def rate_name(rate: str) -> Line:
    """A rate in words."""
    for kind, words in (
        ("recall:", "recall of"),
        ("selection:", "selection rate of"),
        ("precision:", "precision of"),
        ("specificity:", "others of"),
    ):
        if rate.startswith(kind):
            return Line("{} {}").format(words, Name(rate.removeprefix(kind)))
    known = {
        "tpr": "true-positive rate",
        "tnr": "true-negative rate",
        "accuracy": "accuracy",
        "selection_rate": "selection rate",
        "ppv": "positive predictive value",
        "npv": "negative predictive value",
    }
    return Line(known.get(rate, notion_words(rate)))


def rate_text(rate: str) -> str:
    """A rate in words, as plain text for charts and menus."""
    return undirected(cut(clean(rate_name(rate).text), 50)) if rate else ""


def capitalized(text: str) -> str:
    """Text with a capital letter first."""
    return text[:1].upper() + text[1:]


def verdict(word: str | None, *, tone: str | None = None) -> Line:
    """A verdict as a word with a tone; the word alone carries the meaning.

    By itself "yes" is bad, as in "worse off?", and "no" is good.
    """
    if not word:
        return Line("–")
    tones = {"yes": "bad", "fails": "bad", "no": "good", "holds": "good"}
    return span(tone or tones.get(word, "unsure"), word)


def group_column(summary: Mapping[str, Any], short: str | None = None) -> Column:
    """The column that names a leaf."""
    names = tuple(a["name"] for a in summary["attributes"])
    return Column("group", "group", short, attributes=names, get="group")


def name_column(title: str, get: str, short: str | None = None) -> Column:
    """A column of names that come from data."""
    return Column(title, short=short, get=lambda record: Line(Name(record[get])))


def rate_column(get: str = "measure") -> Column:
    """A column of rates by name."""
    return Column("rate", get=lambda record: rate_name(record[get]) if record[get] else None)


def numbers(*titles: str, **options: Any) -> list[Column]:
    """Columns of numbers, which records hold by these titles."""
    return [Column(title, "number", get=title, **options) for title in titles]


def spread(title: str, get: str, **options: Any) -> list[Column]:
    """A difference and the ends of its interval."""
    keys = {title: f"{get}.value", "low": f"{get}.low", "high": f"{get}.high"}
    return [Column(t, "number", signed=True, get=key, **options) for t, key in keys.items()]


def cell_line(value: Any, column: Column, *, narrow: bool = False) -> Line:
    """What a cell says, for every renderer."""
    if isinstance(value, Line):
        return value
    form = amount if column.kind == "amount" else number
    if isinstance(value, Measured):
        digits = min(column.digits, 2) if narrow and value.low is not None else column.digits
        text = measured_text(value, digits, signed=column.signed, narrow=narrow, form=form)
        if value.mark is None:
            return Line(text)
        return Line(text, "" if narrow else " ") + span(value.mark, SIGNS[value.mark])
    if column.kind == "verdict":
        return verdict(value)
    if isinstance(value, Name):
        return Line(value)
    if isinstance(value, Mapping):
        return Line(GroupName(value))
    if value is None:
        return Line("–")
    if isinstance(value, str):
        return Line(value)
    if column.kind in ("whole", "p"):
        return Line(whole(value) if column.kind == "whole" else p_value(value))
    return Line(form(value, column.digits, signed=column.signed))


def table_brief(summary: Mapping[str, Any]) -> list[Line]:
    """For a terminal: the table, what its columns are, and the groups."""
    data = summary["data"]
    parts = [Line("no labels") if data.get("label") is None else Line("label ", Name(data["label"]))]
    parts += [
        Line(role, " ", Name(data[role])) for role in ("prediction", "baseline") if data.get(role) is not None
    ]
    if data.get("positive") is not None:
        parts.append(Line("positive is ", Name(data["positive"])))
    head = Line(Name(data["name"]), f": {data['rows']:,} rows, ", Line(", ").join(parts))
    if data.get("positive_prediction") is not None:
        means = Line("; {} = {} means that, any other does not")
        head += means.format(Name(data["prediction"]), Name(data["positive_prediction"]))
    n = summary.get("empty_groups", {}).get("n", 0)
    empty = f"; {n:,} of them without rows" if n else ""
    return [head, Line("groups: ") + levels_line(summary) + empty]
