"""A document for a terminal of 80 columns: the answer, then the brief tables and sentences of every section."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.console import Group as Stack
from rich.containers import Lines
from rich.table import Table as Grid
from rich.text import Text as Styled

from fairlattice.report._document import Column, Document, Heading, Items, Line, Section, Span, Table, Text
from fairlattice.report._words import capitalized, cell_line

BAR = 21  # signs that an interval takes
_KEPT = "\ue000"  # a letter, as wrapping breaks lines at every kind of space
_PERCENT = re.compile(r"(?<=\d) (?=%)")
_STYLES = {"bad": "bold red", "worse": "red", "better": "green"}


def view(document: Document, *, top: int = 10) -> RenderableType:
    """The document as something that rich prints; of long tables the first `top` rows."""
    parts: list[RenderableType] = [Stack(*(styled(line) for line in _head(document))), ""]
    parts += _answer(document)
    for section in document.sections:
        parts += _section(section, top)
    return Stack(*parts)


def _head(document: Document) -> Iterator[Line]:
    yield Line(f"fairlattice {document.command}")
    yield from document.brief


def _answer(document: Document) -> Iterator[RenderableType]:
    answer = document.answer
    if answer.more is not None:
        yield bullets([*answer.lead, *answer.more])
        return
    yield Stack(*(styled(line, bold=True) for line in answer.lead))
    if answer.code:
        yield Styled(visible(answer.code), style="dim")
    cards = [c for c in answer.cards if c.brief]
    if cards:
        yield ""
        yield bullets(Line("{} {}. {}").format(c.question, capitalized(c.verdict), c.detail) for c in cards)


def _section(section: Section, top: int) -> Iterator[RenderableType]:
    heading: Line | None = None
    for block in section.blocks:
        if isinstance(block, Heading):
            heading = block.line
            continue
        if isinstance(block, Table) and block.brief is not None:
            yield ""
            yield titled(block, top)
        elif isinstance(block, Text) and block.brief:
            yield ""
            yield styled(block.line)
        elif isinstance(block, Items) and block.brief and block.lines:
            yield ""
            if heading is not None:
                yield styled(heading, style="italic")
            yield bullets(block.lines)
        heading = None


def titled(table: Table, top: int) -> RenderableType:
    """A table below its title; as a title of its own that would be wrapped to the table's width."""
    rows = table.rows[:top] if table.cut else table.rows
    left = len(table.rows) - len(rows)
    title = (table.brief or Line()) + (f" ({left:,} more not shown)" if left else "")
    return Stack(styled(title, style="italic"), _grid(table, rows))


def _grid(table: Table, rows: Sequence[Sequence[object]]) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    kept = [(i, c) for i, c in enumerate(table.columns) if c.short is not None]
    for _, c in kept:
        side: Any = "right" if c.numeric else "left"
        free = c.kind in ("text", "group", "verdict")
        width = BAR if c.kind == "bar" else None
        grid.add_column(
            Styled(visible(c.short or ""), justify=side), justify=side, no_wrap=not free, width=width,
            ratio=1 if c.kind == "group" else None, overflow="fold",
        )  # fmt: skip
    for row in rows:
        grid.add_row(*(_cell(row[i], c) for i, c in kept))
    return grid


def _cell(value: object, column: Column) -> RenderableType:
    if column.kind == "bar":
        return Styled(_bar(value, column.end)) if isinstance(value, tuple) else ""
    return styled(cell_line(value, column, narrow=True))


def _bar(interval: Sequence[float], end: float) -> str:
    """An interval drawn on a line from 0."""
    first, at, last = (round(min(max(v / end, 0.0), 1.0) * (BAR - 1)) for v in interval)
    return "".join("●" if i == at else "─" if first <= i <= last else "·" for i in range(BAR))


def bullets(lines: Iterable[Line]) -> Grid:
    """Sentences as a list."""
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for line in lines:
        grid.add_row("•", styled(line))
    return grid


class _Wrapped(Styled):
    """Text that is wrapped without a break between a number and its percent sign."""

    def wrap(self, console: Console, width: int, **options: Any) -> Lines:
        lines = super().wrap(console, width, **options)
        for line in lines:
            line.plain = line.plain.replace(_KEPT, " ")
        return lines


def styled(line: Line, *, bold: bool = False, style: str = "") -> Styled:
    """A line with its colours."""
    found = _Wrapped(style="bold" if bold else style)
    for part in line.parts:
        look = _STYLES.get(part.look, "") if isinstance(part, Span) else ""
        found.append(_PERCENT.sub(_KEPT, visible(Line(part).text)), style=look or None)
    return found


def visible(text: str) -> str:
    """Text without signs that a terminal would obey: names and levels may hold any."""
    if text.isprintable():
        return text
    return "".join(s if s.isprintable() or s in "\t\n" else s.encode("unicode_escape").decode() for s in text)
