"""Documents: lines hold names as values, each renderer makes them safe, and all renderings say the same."""

import io
import json
import re
from html import unescape

import numpy as np
import pytest
from rich.console import Console, Group

import fairlattice as fl
from fairlattice.report import Report
from fairlattice.report._document import (
    Column,
    GroupName,
    Items,
    Line,
    Measured,
    Name,
    Table,
    Text,
    span,
    table_of,
)
from fairlattice.report._html import html
from fairlattice.report._markdown import csv_table, latex_tables, markdown_line, markdown_tables
from fairlattice.report._words import cell_line, listed

NASTY = "<b>&|*x*_\\ {0} % $"


@pytest.fixture(scope="module")
def report():
    """An audit against a baseline, of people whose groups have names that would rather be something else."""
    rng = np.random.default_rng(1)
    n = 900
    S = {"sex": rng.choice(["f", NASTY, "\x1b[31mred"], n), "age": rng.choice(["<25", ">=25"], n)}
    y = rng.integers(0, 2, n)
    before = np.where(rng.random(n) < 0.1, 1 - y, y)
    after = np.where(rng.random(n) < np.where(S["sex"] == "f", 0.5, 0.1), 1 - y, y)
    audit = fl.audit(y, after, sensitive_features=S)
    return Report.of(audit, name="people", harm=fl.harm(y, before, after, sensitive_features=S))


def words(text):
    return " ".join(text.split())


def page_text(report):
    said = re.sub(r"<(style|script)\b.*?</\1>", "", report.to_html(), flags=re.DOTALL)
    return words(unescape(re.sub(r"<[^>]*>", "", said)))


def test_a_line_is_filled_in_added_and_joined_with_names_kept():
    line = Line("{} of {:,} in {}").format(Name("{x}"), 12_000, GroupName({"sex": "f", "age": "<25"}))
    assert line.text == "{x} of 12,000 in sex=f, age<25"
    assert [type(p) for p in line.parts if not isinstance(p, str)] == [Name, GroupName]
    assert (line + "." + span("strong", "now")).text.endswith("age<25.now")
    assert Line(", ").join([Line("a"), Name("b"), "c"]).text == "a, b, c"
    assert not Line() and not Line("")
    assert Line("who {}").capitalized().format("x") == Line("Who {}").format("x")
    assert [listed(list("abcd")[:n]).text for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert listed(map(Name, range(9)), most=2).text == "0, 1 and 7 more"


def test_every_renderer_makes_a_name_safe_in_its_own_way():
    line = Line("of {}").format(Name(NASTY))
    assert (
        html(line) == f"of <bdi>{NASTY.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</bdi>"
    )
    assert "<b>" not in markdown_line(line) and r"\|\*x\*\_" in markdown_line(line)
    table = Table("t", line, [Column("a"), Column("b", "number")], [[Name(NASTY), 0.12345]])
    (row,) = [r for r in markdown_tables([table]).splitlines() if r.startswith("| &lt;")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    tex = latex_tables([table])
    assert r"\&" in tex and r"\%" in tex and r"\$" in tex and r"\{0\}" in tex
    assert csv_table(table).splitlines()[1].endswith(",0.12345")


def test_columns_get_their_cells_and_figures_have_one_form():
    columns = [
        Column("a", get="x.y", kind="number", digits=1),
        Column("b", get=lambda r: r["n"], kind="whole"),
        Column("c", kind="p", get="p"),
    ]
    (row,) = table_of("t", Line("t"), columns, [{"x": {"y": 0.25}, "n": 1234, "p": 0.00001}]).rows
    assert [cell_line(v, c).text for v, c in zip(row, columns, strict=True)] == ["0.2", "1,234", "<.001"]
    figure = Column("f", "number")
    assert cell_line(Measured(0.5, 0.0125, mark="better"), figure).text == "0.500 ± 0.013 ▲"
    assert cell_line(Measured(0.5, low=0.25, high=0.75), figure).text == "0.500 (0.250 to 0.750)"
    assert cell_line(None, figure).text == "–"
    assert cell_line(250.0, figure).text == "∞"
    assert cell_line(250.0, Column("f", "amount")).text == "250.000"


def test_the_terminal_says_nothing_that_the_page_and_the_json_do_not(report):
    page, sentences = page_text(report), [
        line.text
        for section in report.document.sections
        for block in section.blocks
        if isinstance(block, Text | Items) and block.brief
        for line in ([block.line] if isinstance(block, Text) else block.lines)
    ]  # fmt: skip
    assert len(sentences) >= 5
    for sentence in sentences:
        assert words(sentence.replace("\x1b", "\ufffd")) in page
    text = report.to_text()
    assert "\x1b" not in text and "\\x1b[31mred" in text
    assert max(map(len, text.splitlines())) <= 80
    printed = words(text.replace("•", ""))
    for verdict in report.summary["verdicts"]:
        assert words(verdict["sentence"].replace("\x1b", "\\x1b")) in printed


def test_markdown_has_every_table_and_verdict_and_no_markup_from_data(report):
    text = report.to_markdown()
    assert text.startswith("# Fairness audit: people")
    assert "<b>" not in text
    for section in report.document.sections:
        if any(isinstance(b, Table | Text | Items) for b in section.blocks):
            assert f"\n## {section.title}\n" in text
    tables = report.document.blocks(Table)
    assert text.count("| --- |") + text.count("| ---: |") >= len(tables)
    worst = report.summary["measures"]["tpr"]["worst"]["group"]
    assert markdown_line(Line(GroupName(worst))) in text


def test_a_report_is_rich_and_its_json_is_what_is_shown(report):
    again = Report(json.loads(report.to_json()))
    assert again.to_text() == report.to_text()
    assert again.to_text(top=1).count("more not shown") >= 2
    console = Console(width=80, color_system=None, record=True, file=io.StringIO())
    console.print(report)
    assert "fairlattice audit" in console.export_text()


@pytest.mark.parametrize("width", range(12, 40))
def test_no_line_of_a_terminal_begins_with_a_percent_sign(width):
    from fairlattice.report._terminal import bullets, styled

    line = Line("Of women, 38 % got a loan, against 95 % of everyone else (95 % interval).")
    for shown in (Group(styled(line)), bullets([line])):
        console = Console(width=width, record=True, file=io.StringIO())
        console.print(shown)
        text = console.export_text()
        assert [*re.finditer("%", text)] and not re.search(r"^[•\s]*%", text, re.MULTILINE)
        assert " ".join(text.replace("•", " ").split()) == line.text
