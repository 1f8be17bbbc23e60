"""A document as one HTML page that needs nothing else: no host, no script library, no font.

The same JSON gives the same bytes. The one script may only run because the document's policy names its hash, so nothing
in the data can. A name is data, never markup: it is escaped, isolated from the text around it (a right-to-left mark in
it turns nothing else around), and cut where it is very long.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from markupsafe import Markup, escape

from fairlattice.groups._shared import is_open_band
from fairlattice.report._charts import draw
from fairlattice.report._document import (
    LONGEST,
    Column,
    Document,
    Explorer,
    GroupName,
    Line,
    Name,
    Part,
    Table,
)
from fairlattice.report._words import LONGEST_TITLE, cell_line, clean, cut, label_of, shown

_MOST_COLUMNS = 6  # attributes with a column each
_PROSE = 40  # letters from which on a cell is read as a sentence and needs room
_TAGS = {
    "strong": "<strong>{}</strong>",
    "code": "<code>{}</code>",
    "better": '<span class="a good" title="better beyond noise">{}</span>',
    "worse": '<span class="a bad" title="worse beyond noise">{}</span>',
    **{tone: f'<span class="v {tone}">{{}}</span>' for tone in ("bad", "good", "unsure")},
    **{look: f'<span class="{look}">{{}}</span>' for look in ("mark", "part", "method")},
}


def page(document: Document) -> str:
    """The document as HTML."""
    script = _resource("page.js")
    subject = cut(label_line(document.subject), 200)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            d=document,
            title=f"{document.kind}: {subject}",
            style=Markup(_resource("page.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            lattice=_embedded(document),
        )
    )


def label_line(line: Line) -> str:
    """A line as plain text for a place that cannot isolate names."""
    return "".join(p if isinstance(p, str) else _part_text(p) for p in line.parts)


def _part_text(part: Part) -> str:
    return label_of(part.value, 40) if isinstance(part, Name) else clean(Line(part).text)


def html(line: Line | str) -> Markup:
    """A line as HTML."""
    return Markup("").join(map(_part, (line if isinstance(line, Line) else Line(line)).parts))


def _part(part: Part) -> Markup:
    if isinstance(part, str):
        return escape(cut(clean(part), LONGEST_TITLE))
    if isinstance(part, Name):
        return _name(part.value, part.most)
    if isinstance(part, GroupName):
        return _group(part.group)
    return Markup(_TAGS[part.look]).format(html(part.line))


def _name(value: Any, most: int = LONGEST) -> Markup:
    """A level or name: isolated, escaped, cut with the whole in its title."""
    text = shown(value)
    short = cut(text, most)
    if short == text:
        return Markup("<bdi>{}</bdi>").format(text)
    return Markup('<bdi title="{}">{}</bdi>').format(cut(text, LONGEST_TITLE), short)


def _group(group: Mapping[str, Any]) -> Markup:
    """A group: ``race=Black, sex=Female``; with nothing fixed, "everyone"."""
    parts = []
    for attribute, level in group.items():
        sign = "" if is_open_band(shown(level)) else "="
        parts.append(Markup("{}{}{}").format(_name(attribute), sign, _name(level)))
    return Markup('<span class="group">{}</span>').format(Markup(", ").join(parts) or "everyone")


def _head(table: Table) -> Markup:
    """The headings of a table."""
    cells = []
    for column in _columns(table):
        kind = "n" if column.numeric else "bar" if column.kind == "bar" else ""
        style = Markup(' class="{}"').format(kind) if kind else ""
        cells.append(Markup('<th scope="col"{}>{}</th>').format(style, html(column.title)))
    return Markup("").join(cells)


def _apart(column: Column) -> bool:
    """Whether every attribute of a column of groups gets a column of its own."""
    return column.kind == "group" and 0 < len(column.attributes) <= _MOST_COLUMNS


def _columns(table: Table) -> list[Column]:
    """The columns that a page has: those with a title, groups by their attributes."""
    found = []
    for column in table.columns:
        if _apart(column):
            found += [Column(Line(Name(a, 40))) for a in column.attributes]
        elif column.title:
            found.append(column)
    return found


def _body(table: Table) -> Markup:
    """The rows of a table; made here, as templates are slow where there are thousands."""
    shown_columns = [(i, c) for i, c in enumerate(table.columns) if c.title]
    rows = []
    for row in table.rows:
        cells: list[Markup] = []
        for i, column in shown_columns:
            if _apart(column):
                cells += [_level(row[i], a, first=not (cells or k)) for k, a in enumerate(column.attributes)]
            else:
                cells.append(_cell(row[i], column, first=not cells))
        rows.append(Markup("<tr>{}</tr>").format(Markup("").join(cells)))
    return Markup("\n").join(rows)


def _level(group: Mapping[str, Any], attribute: str, *, first: bool) -> Markup:
    """A group's level of an attribute; "any" where that is free."""
    if attribute in group:
        return _cell(Name(group[attribute]), Column(), first=first)
    tag, scope = ("th", ' scope="row"') if first else ("td", "")
    return Markup(f'<{tag}{scope}><span class="any">any</span></{tag}>')


def _cell(value: Any, column: Column, *, first: bool) -> Markup:
    if column.kind == "bar":
        return Markup('<td class="bar">{}</td>').format(_bar(value, column.end))
    line = cell_line(value, column)
    if column.numeric:
        return Markup('<td class="n">{}</td>').format(html(line))
    tag, scope = ("th", ' scope="row"') if first else ("td", "")
    if not isinstance(value, Name):
        prose = ' class="prose"' if isinstance(value, str) and len(value) >= _PROSE else ""
        return Markup(f"<{tag}{scope}{prose}>{{}}</{tag}>").format(html(line))
    text = shown(value.value)
    short = cut(text, value.most)
    title = Markup(' title="{}"').format(cut(text, LONGEST_TITLE)) if short != text else ""
    return Markup(f'<{tag}{scope} dir="auto"{{}}>{{}}</{tag}>').format(title, short)


def _bar(interval: tuple[float, float | None, float] | None, end: float) -> Markup:
    """An interval drawn on a line from 0; its numbers are in the same row, so it needs no name."""
    if interval is None or interval[1] is None:
        return Markup()
    low, at, high = (f"{100 * min(max(v / end, 0.0), 1.0):.0f}" for v in interval if v is not None)
    return Markup('<i class="iv" style="--l:{};--v:{};--h:{}"></i>').format(low, at, high)


def _embedded(document: Document) -> Markup | None:
    """The explorer's data as JSON that can end no element."""
    found: Sequence[Explorer] = document.blocks(Explorer)
    if not found:
        return None
    text = json.dumps(found[0].data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(clean(text))


class _Package(BaseLoader):
    """Templates in the folder of this file, also where the package is a zip archive."""

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 - part of the loader's interface
        template: str,
    ) -> tuple[str, str | None, Callable[[], bool]]:
        try:
            return _resource(template), None, lambda: True
        except FileNotFoundError as error:
            raise TemplateNotFound(template) from error


@cache
def _environment() -> Environment:
    found = Environment(
        loader=_Package(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Callable[..., Markup]] = {
        "line": html,
        "svg": lambda chart: Markup(draw(chart)),
        "head": _head,
        "body": _body,
    }
    found.filters |= filters
    return found


@cache
def _resource(file: str) -> str:
    return (files("fairlattice.report") / "page" / file).read_text(encoding="utf-8")
