"""What a section of the page is made of: sentences, lists, figures, tables, and the explorer.

The sections say what there is to see; the template says how it looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from markupsafe import Markup, escape

from fairlattice.report._charts import Chart
from fairlattice.report._page_words import LONGEST_TITLE, clean, cut, group_name, number, shown


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    html: Markup


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar[str] = "heading"
    html: Markup


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    kind: ClassVar[str] = "items"
    items: Sequence[Markup]


@dataclass(frozen=True)
class Facts:
    """Names and what they are."""

    kind: ClassVar[str] = "facts"
    facts: Sequence[tuple[str, Markup]]


@dataclass(frozen=True)
class Figure:
    """A chart; its table follows it."""

    kind: ClassVar[str] = "figure"
    chart: Chart


@dataclass(frozen=True)
class Explorer:
    """The walk from everyone down to a leaf, drawn by the page's script from `data`."""

    kind: ClassVar[str] = "explorer"
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str or Markup
        Its heading.
    kind : {"text", "number", "bar", "verdict"}
        How its cells look and sort. A bar is a triple (low, value, high) in [0, 1], or None.
    """

    title: str | Markup
    kind: str = "text"


@dataclass(frozen=True)
class Table:
    """A table that can be sorted, filtered, and copied.

    Parameters
    ----------
    name : str
        Its id, unique on the page.
    title : Markup
        Its caption.
    columns : sequence of Column
        Its columns.
    rows : sequence of sequences
        Cells: a Markup stands as it is; anything else is shown as a name.
    folded : bool, default=False
        Whether it is closed until someone opens it.
    """

    kind: ClassVar[str] = "table"
    name: str
    title: Markup
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    folded: bool = False
    note: Markup = field(default_factory=Markup)

    @property
    def body(self) -> Markup:
        """The rows as HTML; made here, as templates are slow where there are thousands."""
        kinds = [c.kind for c in self.columns]
        return Markup("\n").join(
            Markup("<tr>{}</tr>").format(
                Markup("").join(
                    _cell(c, k, first=i == 0) for i, (c, k) in enumerate(zip(r, kinds, strict=True))
                )
            )
            for r in self.rows
        )


def _cell(value: Any, kind: str, *, first: bool) -> Markup:
    if kind == "number":
        return Markup('<td class="n">{}</td>').format(value)
    if kind == "bar":
        return Markup('<td class="bar">{}</td>').format(bar(value))
    tag, scope = ("th", ' scope="row"') if first else ("td", "")
    if kind == "verdict":
        return Markup("<td>{}</td>").format(verdict(value))
    if isinstance(value, Markup):
        return Markup(f"<{tag}{scope}>{{}}</{tag}>").format(value)
    text = shown(value)
    short = cut(text)
    title = Markup(' title="{}"').format(cut(text, LONGEST_TITLE)) if short != text else ""
    return Markup(f'<{tag}{scope} dir="auto"{{}}>{{}}</{tag}>').format(title, short)


def bar(interval: tuple[float, float | None, float] | None) -> Markup:
    """An interval drawn on a line from 0 to 1; its numbers stand beside it, so it needs no name."""
    if interval is None or interval[1] is None:
        return Markup()
    low, at, high = (f"{100 * min(max(v, 0.0), 1.0):.0f}" for v in interval if v is not None)
    return Markup('<i class="iv" style="--l:{};--v:{};--h:{}"></i>').format(low, at, high)


def verdict(word: str | None, *, tone: str | None = None) -> Markup:
    """A verdict as a word with a tone; the word alone carries the meaning.

    By itself "yes" is bad, as in "worse off?", and "no" is good.
    """
    if not word:
        return Markup("–")
    tones = {"yes": "bad", "fails": "bad", "no": "good", "holds": "good"}
    return Markup('<span class="v {}">{}</span>').format(tone or tones.get(word, "unsure"), word)


@dataclass(frozen=True)
class Section:
    """A section of the page: its id, its heading, and what it holds."""

    name: str
    title: str
    blocks: Sequence[Any]


@dataclass(frozen=True)
class Card:
    """A question, the verdict, and a sentence."""

    question: str
    verdict: str
    tone: str
    detail: Markup


@dataclass(frozen=True)
class Answer:
    """The answer: about two sentences, then questions with verdicts."""

    lead: Sequence[Markup]
    cards: Sequence[Card]


def attribute_columns(summary: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The attributes' names, and whether every one gets a column of its own."""
    names = [a["name"] for a in summary["attributes"]]
    return names, 0 < len(names) <= 6


def group_columns(summary: Mapping[str, Any]) -> list[Column]:
    """The columns that name a leaf."""
    names, apart = attribute_columns(summary)
    return (
        [Column(Markup("<bdi>{}</bdi>").format(cut(shown(n), 40))) for n in names]
        if apart
        else [Column("group")]
    )


def group_cells(summary: Mapping[str, Any], group: Mapping[str, Any]) -> list[Any]:
    """A group in these columns; "any" where an attribute is free."""
    names, apart = attribute_columns(summary)
    if not apart:
        return [group_name(group)]
    return [group[n] if n in group else Markup('<span class="any">any</span>') for n in names]


def interval_cells(
    low: float | None, high: float | None, digits: int = 3, *, signed: bool = False
) -> list[str]:
    """The ends of an interval as two cells."""
    return [number(low, digits, signed=signed), number(high, digits, signed=signed)]


def plain(text: Any) -> Markup:
    """A sentence from data as it is, escaped; a very long one is cut."""
    return escape(cut(clean(str(text)), LONGEST_TITLE))
