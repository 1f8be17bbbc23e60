"""A document in Markdown: reports to read where there is no page, and cards that travel with a model or a table."""

from __future__ import annotations

from collections.abc import Iterator

from fairlattice.report._document import Code, Document, Facts, Heading, Items, Line, Section, Table, Text
from fairlattice.report._table_formats import markdown_line, markdown_table
from fairlattice.report._words import capitalized

_MOST_ROWS = 50


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


def _line(text: object) -> Line:
    return text if isinstance(text, Line) else Line(str(text))


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
