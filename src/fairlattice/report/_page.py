"""A report as one HTML document that needs nothing else: no host, no script library, no font.

The page shows what the JSON holds and nothing that it does not; the same JSON gives the same bytes. Its
one script may only run because the document's policy names its hash, so nothing in the data can.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, UndefinedError
from markupsafe import Markup

from fairlattice._validation import did_you_mean
from fairlattice.exceptions import InputError
from fairlattice.report._charts import draw
from fairlattice.report._page_answer import audit_answer, audit_head
from fairlattice.report._page_answer_bench import bench_answer
from fairlattice.report._page_audit import audit_sections
from fairlattice.report._page_bench import bench_method, bench_sections, bench_subject
from fairlattice.report._page_blocks import Answer, Explorer, Figure, Section
from fairlattice.report._page_compare import compare_answer, compare_sections
from fairlattice.report._page_diagnose import diagnose_answer, diagnose_sections
from fairlattice.report._page_method import method_section
from fairlattice.report._page_words import clean, cut, name, shown, undirected

Summary = Mapping[str, Any]


def _table_subject(summary: Summary) -> tuple[str, Markup, str]:
    """What the page is about: for its title, for its heading, and how many rows there are."""
    data = summary["data"]
    return undirected(cut(shown(data["name"]))), name(data["name"]), f"{data['rows']:,} rows"


@dataclass(frozen=True)
class _Kind:
    """What is shown of a schema, in the page's order."""

    title: str
    answer: Callable[[Summary], Answer]
    sections: Callable[[Summary], list[Section]]
    method: Callable[[Summary], Section] = method_section
    subject: Callable[[Summary], tuple[str, Markup, str]] = _table_subject
    head: Callable[[Summary], list[Markup]] = lambda _: []


_SCHEMAS = {
    "fairlattice/audit/2": _Kind("Fairness audit", audit_answer, audit_sections, head=audit_head),
    "fairlattice/bench/2": _Kind("Experiments", bench_answer, bench_sections, bench_method, bench_subject),
    "fairlattice/compare/2": _Kind("Comparison of strategies", compare_answer, compare_sections),
    "fairlattice/diagnose/1": _Kind("Diagnosis of synthetic rows", diagnose_answer, diagnose_sections),
}


def to_html(summary: Summary) -> str:
    """A report as one self-contained HTML document.

    Parameters
    ----------
    summary : mapping
        The parsed JSON of an audit, a comparison, a diagnosis or experiments, as its key ``schema`` tells.

    Returns
    -------
    str
        The document. It loads nothing, prints, and reads without its script.

    Raises
    ------
    InputError
        If the schema is not one of those known, or something that it promises is not there.

    Examples
    --------
    >>> import fairlattice as fl
    >>> from fairlattice.report import audit_summary
    >>> audit = fl.audit([1, 0, 1, 1], [1, 0, 0, 1], sensitive_features={"sex": ["f", "f", "m", "m"]})
    >>> data = {"name": "scored.csv", "rows": 4, "label": "y", "prediction": "p"}
    >>> to_html(audit_summary(audit, data)).startswith("<!doctype html>")
    True
    """
    kind = _known(summary)
    return str(_guarded(summary, lambda: _render(summary, kind)))


def _render(summary: Summary, kind: _Kind) -> str:
    script, body = _resource("page.js"), kind.sections(summary)
    title, heading, size = kind.subject(summary)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            kind=kind.title,
            title=f"{kind.title}: {title}",
            sub=size,
            head=kind.head(summary),
            data_name=heading,
            answer=kind.answer(summary),
            sections=[*body, kind.method(summary)],
            style=Markup(_resource("page.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            lattice=_embedded(body),
            svg=lambda chart: Markup(draw(chart)),
        )
    )


def figures(summary: Summary) -> dict[str, str]:
    """The charts of a report's page by name, each as the text of an SVG image for a paper.

    Parameters
    ----------
    summary : mapping
        The parsed JSON of a report; see :func:`to_html`.

    Returns
    -------
    dict of str to str
        Text and axes take the colour of the text around them, black where there is none.

    Raises
    ------
    InputError
        As :func:`to_html` does.
    """
    kind = _known(summary)

    def drawn() -> dict[str, str]:
        blocks = [b for s in kind.sections(summary) for b in s.blocks if isinstance(b, Figure)]
        return {b.chart.name: draw(b.chart) for b in blocks}

    found: dict[str, str] = _guarded(summary, drawn)
    return found


def _known(summary: Any) -> _Kind:
    schema = summary.get("schema") if isinstance(summary, Mapping) else None
    if not isinstance(schema, str) or schema not in _SCHEMAS:
        hint = did_you_mean(schema, _SCHEMAS) if isinstance(schema, str) else ""
        shown_schema = cut(repr(schema), 80)
        raise InputError(f"`schema` must be one of {', '.join(_SCHEMAS)}; got {shown_schema}.{hint}")
    return _SCHEMAS[schema]


def _guarded(summary: Summary, make: Callable[[], Any]) -> Any:
    """What `make` makes; a key that the report lacks, or a value of the wrong kind, is told as such."""
    try:
        return make()
    except InputError:
        raise
    except KeyError as error:
        raise InputError(
            f"The report lacks {error}, which `{summary['schema']}` has. Write it again with this version."
        ) from error
    except (TypeError, AttributeError, ValueError, IndexError, ArithmeticError, UndefinedError) as error:
        raise InputError(
            f"The report is damaged ({type(error).__name__}: {error}). Write it again with this version."
        ) from error


def _embedded(sections: list[Section]) -> Markup | None:
    """The explorer's data as JSON that can end no element."""
    for block in (b for s in sections for b in s.blocks):
        if isinstance(block, Explorer):
            text = json.dumps(block.data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            for sign in "<>&\u2028\u2029":
                text = text.replace(sign, f"\\u{ord(sign):04x}")
            return Markup(clean(text))
    return None


class _Package(BaseLoader):
    """Templates that lie beside this file, also where the package is a zip archive."""

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
    return Environment(
        loader=_Package(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _resource(file: str) -> str:
    return (files("fairlattice.report") / "page" / file).read_text(encoding="utf-8")
