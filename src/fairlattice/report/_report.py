"""A result as a report, the one door to all of its renderings: JSON, text, page, Markdown, figures."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fairlattice._files import strict_json, written
from fairlattice._validation import did_you_mean
from fairlattice.exceptions import InputError
from fairlattice.metrics import Audit
from fairlattice.report._document import Card, Document, Figure
from fairlattice.report._summary import Summary, to_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from fairlattice.benchmark import BenchResults, Comparison, Diagnosis
    from fairlattice.samplers import HierarchicalAugmenter

_HEIGHT = 720  # of the page in a notebook, in pixels
# The schemas that this version writes, and the module that makes a document of each.
SCHEMAS = {
    "fairlattice/audit/2": "_audit_document",
    "fairlattice/augment/2": "_augment",
    "fairlattice/bench/2": "_bench_document",
    "fairlattice/compare/2": "_compare_document",
    "fairlattice/diagnose/2": "_diagnose_document",
}
_ALIKE = {"fairlattice/augment/1", "fairlattice/diagnose/1"}  # older ones that lack nothing of the next


@dataclass(frozen=True)
class Report:
    """A report; in a notebook it shows as its page, and rich prints it as text.

    Parameters
    ----------
    summary : dict
        Plain data, as the command line writes with ``--json``.

    Examples
    --------
    >>> import fairlattice as fl
    >>> audit = fl.audit([1, 1, 0, 1], [1, 0, 0, 1], sensitive_features={"sex": ["f", "f", "m", "m"]})
    >>> report = fl.Report.of(audit, name="hiring")
    >>> report.summary["schema"], "hiring" in report.to_html()
    ('fairlattice/audit/2', True)
    """

    summary: Summary = field(repr=False)

    def __post_init__(self) -> None:
        schema = known_schema(self.summary)
        if schema != self.summary["schema"]:
            object.__setattr__(self, "summary", {**self.summary, "schema": schema})

    @classmethod
    def of(
        cls,
        result: Audit | Comparison | Diagnosis | BenchResults | HierarchicalAugmenter,
        *,
        name: str = "data",
        label: str | None = None,
        data: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Self:
        """The report of an audit, a comparison, a diagnosis, experiments or an augmentation.

        Parameters
        ----------
        result : Audit, Comparison, Diagnosis, BenchResults or HierarchicalAugmenter
            The result; of an augmentation, the fitted augmenter.
        name, label : str
            What the data and the label are called in it; an audit of a frame knows its label, and experiments bring
            their own names.
        data : mapping, optional
            What else is known of the data: rows, date, sha256, features, dropped, assumed.
        **more
            What the summary may also hold: of an audit ``leveling``, ``harm``, ``scores``, ``series``, ``gates``; of a
            diagnosis ``noise``, ``drift``; of experiments ``experiment``, the one to show; of an augmenter ``rows``,
            the augmented table, and ``notes``.

        Raises
        ------
        InputError
            If the result is none of these.
        """
        about = {"name": name, **(data or {})}
        summary = _summary_of(result, about, label, more)
        return cls({**summary, "verdicts": summary.get("verdicts") or _verdicts(summary)})

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Self:
        """A report that was written with :meth:`to_json`, or by the command line with ``--json``.

        Raises
        ------
        InputError
            If the file cannot be read, holds no report, or one of a version that this one cannot read.
        """
        try:
            found = strict_json(Path(path).read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError(f"`{path}` cannot be read: {error.strerror or error}.") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"`{path}` is not JSON: {error}. Write it with --json.") from error
        try:
            return cls(found)
        except InputError as error:
            raise InputError(f"`{path}`: {error}") from error

    @cached_property
    def document(self) -> Document:
        """What a reader is to see, as plain values."""
        module = import_module(f"fairlattice.report.{SCHEMAS[self.summary['schema']]}")
        found: Document = self._guarded(lambda: module.document(self.summary))
        return found

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The report as JSON text; written to `path` if one is given."""
        return written(to_json(self.summary), path)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The report as a page, one file that loads nothing; written to `path` if one is given.

        Raises
        ------
        InputError
            If something that the schema promises is missing.
        """
        from fairlattice.report._html import page

        document = self.document
        return written(str(self._guarded(lambda: page(document))), path)

    def to_markdown(self, path: str | os.PathLike[str] | None = None) -> str:
        """The report in Markdown, without figures; of an augmentation, its data card."""
        from fairlattice.report._markdown import markdown

        document = self.document
        return written(self._guarded(lambda: markdown(document)), path)

    def to_text(self, *, width: int = 80, top: int = 10) -> str:
        """The report as the command line prints it.

        Parameters
        ----------
        width : int, default=80
            Columns.
        top : int, default=10
            Rows of long tables.
        """
        from rich.console import Console

        console = Console(width=width, color_system=None, highlight=False, markup=False, emoji=False)
        with console.capture() as captured:
            console.print(self.view(top=top))
        return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"

    def view(self, *, top: int = 10) -> RenderableType:
        """The report as something that rich prints; of long tables the first `top` rows."""
        from fairlattice.report._terminal import view

        document = self.document
        found: RenderableType = self._guarded(lambda: view(document, top=top))
        return found

    def card(self, strategy: str | None = None, path: str | os.PathLike[str] | None = None) -> str:
        """A card in Markdown: of a comparison a model card, of an augmentation a data card.

        Parameters
        ----------
        strategy : str, optional
            Of a comparison, the strategy; by default the one that it recommends.
        path : path, optional
            Where to write it.

        Raises
        ------
        InputError
            If the report is of something else, or there is no such strategy.
        """
        from fairlattice.report._markdown import markdown

        schema = self.summary["schema"]
        if schema.startswith("fairlattice/augment/"):
            return self.to_markdown(path)
        if not schema.startswith("fairlattice/compare/"):
            raise InputError(f"Cards are made of comparisons and augmentations; this is `{schema}`.")
        from fairlattice.report._compare_card import model_card

        found: Document = self._guarded(lambda: model_card(self.summary, strategy))
        return written(markdown(found), path)

    def figures(self) -> dict[str, str]:
        """The report's figures by name, each as the text of an SVG image.

        Text and axes take the colour of the text around them, black where there is none.
        """
        from fairlattice.report._charts import draw

        charts = [figure.chart for figure in self.document.blocks(Figure)]
        found: dict[str, str] = self._guarded(lambda: {c.name: draw(c) for c in charts})
        return found

    def _guarded(self, make: Callable[[], Any]) -> Any:
        """What `make` makes; say plainly if the report lacks a key or holds a value of the wrong kind."""
        schema = self.summary["schema"]
        try:
            return make()
        except InputError:
            raise
        except KeyError as error:
            raise InputError(
                f"The report lacks {error}, which `{schema}` has. Write it again with this version."
            ) from error
        except (TypeError, AttributeError, ValueError, IndexError, ArithmeticError) as error:
            raise InputError(
                f"The report is damaged ({type(error).__name__}: {error}). Write it again with this version."
            ) from error

    def __rich__(self) -> RenderableType:
        return self.view()

    def _repr_html_(self) -> str:
        # In a frame of its own, so that the page's style does not touch the notebook's.
        page = html.escape(self.to_html(), quote=True)
        return (
            f'<iframe title="fairlattice report" sandbox="allow-scripts allow-downloads" srcdoc="{page}" '
            f'style="width:100%;height:{_HEIGHT}px;border:0"></iframe>'
        )


def known_schema(summary: Any) -> str:
    """The schema of a report as this version writes it.

    Raises
    ------
    InputError
        If it is none of this library, or of a version that this one cannot read.
    """
    if not isinstance(summary, Mapping) or "schema" not in summary:
        raise InputError("This is not a result of fairlattice: it has no `schema`. Write one with --json.")
    schema = summary["schema"]
    if isinstance(schema, str) and schema in SCHEMAS:
        return schema
    kind, _, version = schema.rpartition("/") if isinstance(schema, str) else ("", "", "")
    ours = next((s for s in SCHEMAS if s.rpartition("/")[0] == kind), None)
    if ours is not None and schema in _ALIKE:
        return ours
    if ours is not None and version.isdecimal():
        older = int(version) < int(ours.rpartition("/")[2])
        advice = (
            "Run the command again with this version." if older else "Use a newer fairlattice to read it."
        )
        raise InputError(f"`schema` is {schema!r}, and this version reads {ours}. {advice}")
    shown = json.dumps(schema)[:80]
    hint = did_you_mean(schema, SCHEMAS) if isinstance(schema, str) else ""
    raise InputError(f"`schema` must be one of {', '.join(SCHEMAS)}; got {shown}.{hint}")


def _summary_of(result: Any, about: dict[str, Any], label: str | None, more: dict[str, Any]) -> Summary:
    if isinstance(result, Audit):
        from fairlattice.report._summary_audit import audit_summary

        named = {"label": label or result.task.label, "prediction": result.task.prediction}
        rows = result.counts.n + result.counts.excluded
        return audit_summary(result, {**named, "rows": rows, **about}, **more)
    from fairlattice.samplers import HierarchicalAugmenter

    if isinstance(result, HierarchicalAugmenter):
        from fairlattice.report._augment import augment_summary

        return augment_summary(result, more.pop("rows"), {"label": label or "label", **about}, **more)
    from fairlattice.benchmark import Comparison  # each kind is loaded when it is asked for

    about = {"label": label or "label", **about}
    if isinstance(result, Comparison):
        from fairlattice.report._summary_compare import compare_summary

        return compare_summary(result, {"rows": len(result.truth), **about}, **more)
    from fairlattice.benchmark import Diagnosis

    if isinstance(result, Diagnosis):
        from fairlattice.report._summary_diagnose import diagnose_summary

        return diagnose_summary(result, {"rows": result.n_train + result.n_held_out, **about}, **more)
    from fairlattice.benchmark import BenchResults

    if isinstance(result, BenchResults):
        from fairlattice.report._summary_bench import bench_summary

        return bench_summary(result, **more)
    raise InputError(
        "A report is made of an audit, a comparison, a diagnosis, experiments or an augmenter, "
        f"got {type(result).__name__}."
    )


def _verdicts(summary: Summary) -> list[Summary]:
    """The verdicts of the document's cards as plain data."""
    module = import_module(f"fairlattice.report.{SCHEMAS[summary['schema']]}")
    cards: list[Card] = module.cards(summary)
    return [{"question": c.key, "verdict": c.verdict, "sentence": c.detail.text} for c in cards]
