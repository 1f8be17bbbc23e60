"""A document: what a reader is to see of a result, as plain values without markup.

One document is made of every result (``document`` in the files of its kind), and every rendering is made of it:
terminal, HTML, Markdown, LaTeX, CSV. A renderer decides how something looks, never what is said. Names and groups stay
values inside a line of text, so that each renderer can make them safe in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from string import Formatter
from typing import Any, ClassVar, overload

from fairlattice.groups import show_group
from fairlattice.groups._shared import show_level
from fairlattice.report._charts import Chart

Summary = Mapping[str, Any]
LONGEST = 60  # letters of a name before it is cut


@dataclass(frozen=True)
class Name:
    """A level, column or other name that comes from data."""

    value: Any
    most: int = LONGEST


@dataclass(frozen=True)
class GroupName:
    """A group by its levels."""

    group: Mapping[str, Any]


@dataclass(frozen=True)
class Span:
    """Part of a line with a look: strong, code, bad, good, unsure, better, worse, mark, part or method."""

    line: Line
    look: str


Part = str | Name | GroupName | Span


class Line:
    """Text with names in it; it is formatted, added and joined like a string.

    Examples
    --------
    >>> Line("{} of {:,} rows").format(Name("a"), 1000).text
    'a of 1,000 rows'
    """

    __slots__ = ("parts",)

    def __init__(self, *parts: Part | Line) -> None:
        flat: list[Part] = []
        for part in parts:
            flat += part.parts if isinstance(part, Line) else [part] if part != "" else []
        self.parts: tuple[Part, ...] = tuple(flat)

    def format(self, *values: Any) -> Line:
        """The line with its fields filled in."""
        left = iter(values)
        made: list[Part | Line] = []
        for part in self.parts:
            if not isinstance(part, str):
                made.append(part)
                continue
            for text, name, spec, _ in Formatter().parse(part):
                made.append(text)
                if name is not None:
                    value = next(left)
                    kept = isinstance(value, Line | Name | GroupName | Span)
                    made.append(value if kept else format(value, spec or ""))
        return Line(*made)

    def join(self, lines: Iterable[Any]) -> Line:
        """The lines with this one between them."""
        found: list[Any] = []
        for line in lines:
            found += [self, line] if found else [line]
        return Line(*found)

    def capitalized(self) -> Line:
        """The line with a capital letter first."""
        first, *rest = self.parts or ("",)
        return Line(first[:1].upper() + first[1:], *rest) if isinstance(first, str) else self

    def __add__(self, other: Line | str) -> Line:
        return Line(self, other)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def text(self) -> str:
        """As plain text, with names whole."""
        return "".join(map(_plain, self.parts))


def _plain(part: Part) -> str:
    if isinstance(part, Name):
        return show_level(part.value)
    if isinstance(part, GroupName):
        return show_group(part.group)
    return part if isinstance(part, str) else part.line.text


def span(look: str, *parts: Part | Line) -> Line:
    """A line with a look."""
    return Line(Span(Line(*parts), look))


@dataclass(frozen=True)
class Measured:
    """A figure with its error or interval, and whether it is better or worse than what it is compared with."""

    value: float
    se: float | None = None
    low: float | None = None
    high: float | None = None
    mark: str | None = None


@dataclass(frozen=True)
class Text:
    """A paragraph; `brief` ones are also shown in a terminal."""

    kind: ClassVar[str] = "text"
    line: Line
    brief: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar[str] = "heading"
    line: Line


@dataclass(frozen=True)
class Items:
    """A list of sentences; a `brief` one is also shown in a terminal."""

    kind: ClassVar[str] = "items"
    lines: Sequence[Line]
    brief: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and what they are."""

    kind: ClassVar[str] = "facts"
    facts: Sequence[tuple[str, Line]]


@dataclass(frozen=True)
class Code:
    """Lines of Python."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Figure:
    """A chart; its table follows it."""

    kind: ClassVar[str] = "figure"
    chart: Chart


@dataclass(frozen=True)
class Explorer:
    """The walk from everyone down to a leaf, drawn by the page's script from what `make` returns."""

    kind: ClassVar[str] = "explorer"
    make: Callable[[], Mapping[str, Any]]

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """Every group; computed when a page asks for it, since a terminal has no use for it."""
        return self.make()


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str or Line
        Its heading; without one it is in the terminal only.
    kind : {"text", "group", "number", "amount", "whole", "p", "bar", "verdict"}
        How its cells read and sort. A number of 100 or more means "no limit", an amount means itself; a bar is a triple
        (low, value, high).
    short : str, optional
        Its heading in a terminal; without one it is not shown there.
    digits : int, default=3
        Of numbers.
    signed : bool, default=False
        Whether numbers have their sign.
    attributes : tuple of str
        Of groups: the attributes, each of which may get a column of its own.
    end : float, default=1.0
        Where the line ends that a bar is drawn on.
    get : str or callable, optional
        Where a record holds the cell: a path of keys such as "difference.low", or a function of the record.
    """

    title: str | Line = ""
    kind: str = "text"
    short: str | None = None
    digits: int = 3
    signed: bool = False
    attributes: tuple[str, ...] = ()
    end: float = 1.0
    get: str | Callable[[Any], Any] = ""

    def cell(self, record: Any) -> Any:
        """The cell of a record."""
        if callable(self.get):
            return self.get(record)
        for key in self.get.split("."):
            record = record[key]
        return record

    @property
    def numeric(self) -> bool:
        """Whether its cells are numbers, set to the right and sorted by size."""
        return self.kind in ("number", "amount", "whole", "p")


class Rows(Sequence[Sequence[Any]]):
    """The rows of a table, each computed from its record when it is read: of 48,000, a terminal reads ten."""

    def __init__(self, row: Callable[[Any], Sequence[Any]], records: Sequence[Any]) -> None:
        self._row, self._records = row, records

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, place: int) -> Sequence[Any]: ...

    @overload
    def __getitem__(self, place: slice) -> Rows: ...

    def __getitem__(self, place: int | slice) -> Sequence[Any]:
        found = self._records[place]
        return Rows(self._row, found) if isinstance(place, slice) else self._row(found)


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    name : str
        Its id, unique in the document.
    title : Line
        Its caption.
    columns : sequence of Column
        Its columns.
    rows : sequence of sequences
        Cells: None, numbers, names, groups, lines, :class:`Measured`.
    folded : bool, default=False
        Whether a page shows it closed until someone opens it.
    note : Line
        How to read it.
    brief : Line or None
        Its caption in a terminal, where only columns with a short heading are shown; None: it is not shown there.
    paper : bool, default=False
        Whether it is one for a paper.
    cut : bool, default=True
        Whether a terminal shows the first rows only.
    """

    kind: ClassVar[str] = "table"
    name: str
    title: Line
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    folded: bool = False
    note: Line = field(default_factory=Line)
    brief: Line | None = None
    paper: bool = False
    cut: bool = True


def table_of(
    name: str, title: Line, columns: Sequence[Column], records: Iterable[Any], **options: Any
) -> Table:
    """A table of records, of which every column shows what it gets."""
    return Table(name, title, columns, [[c.cell(r) for c in columns] for r in records], **options)


Block = Text | Heading | Items | Facts | Code | Figure | Explorer | Table


@dataclass(frozen=True)
class Section:
    """A section: its id, its heading, and what it holds."""

    name: str
    title: str | Line
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Card:
    """A question, the verdict and a sentence; `key` is what JSON calls the question.

    Only a `brief` one is shown in a terminal: others say what the lead has said already.
    """

    key: str
    question: str | Line
    verdict: str
    tone: str
    detail: Line
    brief: bool = True


@dataclass(frozen=True)
class Answer:
    """The answer.

    Parameters
    ----------
    lead : sequence of Line
        About two sentences.
    cards : sequence of Card
        Questions with their verdicts.
    more : sequence of Line
        Sentences that a page shows on its cards; a terminal, which has none of these, shows them after the lead.
    code : str
        Python that follows from it.
    """

    lead: Sequence[Line]
    cards: Sequence[Card] = ()
    more: Sequence[Line] | None = None
    code: str = ""


@dataclass(frozen=True)
class Document:
    """What a reader is to see.

    Parameters
    ----------
    kind : str
        What it is, such as "Fairness audit".
    command : str
        The command that makes it.
    subject : Line
        What it is about.
    size : str
        How much that is.
    head : sequence of Line
        More about the subject, for a page.
    brief : sequence of Line
        The same for a terminal.
    answer : Answer
        The answer.
    sections : sequence of Section
        In order.
    """

    kind: str
    command: str
    subject: Line
    size: str
    answer: Answer
    sections: Sequence[Section]
    head: Sequence[Line] = ()
    brief: Sequence[Line] = ()

    def blocks(self, kind: type[Any]) -> list[Any]:
        """All blocks of a kind."""
        return [b for s in self.sections for b in s.blocks if isinstance(b, kind)]
