"""A document in Markdown, also as a card that travels with a model or a table; single tables in Markdown, LaTeX, CSV.

Figures, and what can only be walked on a page, are left out.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fairlattice.report._document import (
    Code,
    Column,
    Document,
    Facts,
    Heading,
    Items,
    Line,
    Section,
    Table,
    Text,
)
from fairlattice.report._words import capitalized, cell_line

_MOST_ROWS = 50
_SIGNS = str.maketrans({c: f"\\{c}" for c in r"\`*_[]|#~"})
_LONGEST = 200
_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--",
    "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$", "≥": r"$\geq$", "<": r"$<$", ">": r"$>$",
    "×": r"$\times$", "α": r"$\alpha$",
}  # fmt: skip


def escaped(value: Any) -> str:
    """A name as text that Markdown and HTML leave alone, on one line."""
    text = " ".join(str(value).split())
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return html.escape(short, quote=False).translate(_SIGNS) or "(empty)"


def markdown_line(line: Line) -> str:
    """A line as Markdown."""
    parts = []
    for part in line.parts:
        if isinstance(part, str):
            parts.append(_sentence(part))
            continue
        text = escaped(Line(part).text)
        look = getattr(part, "look", "")
        parts.append({"strong": f"**{text}**", "code": f"`{Line(part).text}`"}.get(look, text))
    return "".join(parts)


def _sentence(text: str) -> str:
    """Words of ours, and of data; spaces at their ends are kept."""
    middle = html.escape(" ".join(text.split()), quote=False).translate(_SIGNS)
    if not middle:
        return " " if text else ""
    return f"{' ' if text[0].isspace() else ''}{middle}{' ' if text[-1].isspace() else ''}"


def columns_of(table: Table) -> list[tuple[int, Column]]:
    """The columns with a title, and their places; bars are pictures and are left out."""
    return [(i, c) for i, c in enumerate(table.columns) if c.title and c.kind != "bar"]


def _line(text: str | Line) -> Line:
    return text if isinstance(text, Line) else Line(text)


def markdown_rows(
    head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool] | None = None
) -> list[str]:
    """Lines of a table in Markdown, of cells that are escaped; `right` are those set to the right."""
    sides = right or [False] * len(head)
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---:' if side else '---' for side in sides)} |"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def markdown_table(table: Table, most: int | None = None) -> list[str]:
    """A table's lines in Markdown, of its first `most` rows."""
    kept = columns_of(table)
    rows = [[markdown_line(cell_line(row[i], c)) for i, c in kept] for row in table.rows[:most]]
    head = [markdown_line(_line(c.title)) for _, c in kept]
    return markdown_rows(head, rows, [c.numeric for _, c in kept])


def caption(table: Table) -> Line:
    """The title and how to read it."""
    return table.title + ". " + table.note if table.note else table.title


def markdown_tables(tables: Iterable[Table]) -> str:
    """Tables below their captions."""
    parts = ["\n".join([f"**{markdown_line(caption(t))}**", "", *markdown_table(t)]) for t in tables]
    return "\n\n".join(parts) + "\n"


def latex_tables(tables: Iterable[Table]) -> str:
    """Tables for the package booktabs."""
    return "\n\n".join(map(_latex, tables)) + "\n"


def _latex(table: Table) -> str:
    kept = columns_of(table)
    sides = "".join("r" if c.numeric else "l" for _, c in kept)
    rows = [" & ".join(tex(cell_line(row[i], c).text) for i, c in kept) + r" \\" for row in table.rows]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{tex(caption(table).text)}}}",
        rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        " & ".join(tex(_line(c.title).text) for _, c in kept) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def tex(text: str) -> str:
    """Text as LaTeX sets it."""
    return "".join(_TEX.get(sign, sign) for sign in text)


def csv_table(table: Table) -> str:
    """A table with its figures in full."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([_line(c.title).text for _, c in columns_of(table)])
    for row in table.rows:
        writer.writerow(
            [value.text if isinstance(value := row[i], Line) else value for i, _ in columns_of(table)]
        )
    return target.getvalue()


def markdown(document: Document) -> str:
    """The document as Markdown; figures and what can only be walked on a page are left out."""
    title = markdown_line(document.subject)
    parts = [f"# {document.kind}: {title}", *(markdown_line(line) for line in document.head)]
    answer = document.answer
    parts += [markdown_line(line) for line in (*answer.lead, *(answer.more or ()))]
    parts += [_code(answer.code)] if answer.code else []
    cards = [
        f"- **{markdown_line(_line(c.question))}** {capitalized(c.verdict)}. {markdown_line(c.detail)}"
        for c in answer.cards
    ]
    parts += ["\n".join(cards)] if cards and answer.more is None else []
    for section in document.sections:
        blocks = list(_blocks(section))
        parts += [f"## {markdown_line(_line(section.title))}", *blocks] if blocks else []
    return "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    return "\n".join(["```python", text.replace("```", ""), "```"])


def _blocks(section: Section) -> Iterator[str]:
    for block in section.blocks:
        if isinstance(block, Text):
            yield markdown_line(block.line)
        elif isinstance(block, Heading):
            yield f"### {markdown_line(block.line)}"
        elif isinstance(block, Items):
            yield "\n".join(f"- {markdown_line(line)}" for line in block.lines)
        elif isinstance(block, Facts):
            yield "\n".join(f"- {capitalized(key)}: {markdown_line(value)}" for key, value in block.facts)
        elif isinstance(block, Code):
            yield _code(block.text)
        elif isinstance(block, Table):
            yield "\n".join([f"**{markdown_line(block.title)}**", "", *markdown_table(block, _MOST_ROWS)])
            left = len(block.rows) - _MOST_ROWS
            if left > 0:
                yield f"{left:,} more rows are not shown."
            if block.note:
                yield markdown_line(block.note)
