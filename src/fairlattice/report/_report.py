"""A result as a report: JSON, text, page and figures of the same plain data."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from fairlattice._files import strict_json, write_text
from fairlattice.benchmark import BenchResults, Comparison, Diagnosis
from fairlattice.exceptions import InputError
from fairlattice.metrics import Audit
from fairlattice.report._page import figures, to_html
from fairlattice.report._summary import Summary, to_json
from fairlattice.report._summary_audit import audit_summary
from fairlattice.report._summary_bench import bench_summary
from fairlattice.report._summary_compare import compare_summary
from fairlattice.report._summary_diagnose import diagnose_summary

_HEIGHT = 720  # of the page in a notebook, in pixels


@dataclass(frozen=True)
class Report:
    """A report; in a notebook it shows as its page.

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
        given: Any = self.summary
        if not isinstance(given, Mapping) or "schema" not in given:
            raise InputError("This is no result of fairlattice: it has no `schema`. Write one with --json.")

    @classmethod
    def of(
        cls,
        result: Audit | Comparison | Diagnosis | BenchResults,
        *,
        name: str = "data",
        label: str | None = None,
        **more: Any,
    ) -> Self:
        """The report of an audit, a comparison, a diagnosis or experiments.

        Parameters
        ----------
        result : Audit, Comparison, Diagnosis or BenchResults
            What was found.
        name, label : str
            What the data and the label are called in it; an audit of a frame knows its label, and experiments bring
            their own names.
        **more
            What the summary of an audit or a diagnosis may also hold: ``leveling``, ``harm``, ``scores``, ``series``;
            ``noise``, ``drift``; of experiments: ``experiment``, the one to show.

        Raises
        ------
        InputError
            If the result is none of these.
        """
        about = {"name": name, "label": label or "label"}
        if isinstance(result, Audit):
            rows = result.counts.n + result.counts.excluded
            named = {"label": label or result.task.label, "prediction": result.task.prediction}
            return cls(audit_summary(result, {"name": name, **named, "rows": rows}, **more))
        if isinstance(result, Comparison):
            return cls(compare_summary(result, {**about, "rows": len(result.truth)}, **more))
        if isinstance(result, Diagnosis):
            rows = result.n_train + result.n_held_out
            return cls(diagnose_summary(result, {**about, "rows": rows}, **more))
        if isinstance(result, BenchResults):
            return cls(bench_summary(result, **more))
        raise InputError(
            "A report is made of an audit, a comparison, a diagnosis or experiments, "
            f"got {type(result).__name__}."
        )

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Self:
        """A report that was written with :meth:`to_json`, or by the command line with ``--json``.

        Raises
        ------
        InputError
            If the file cannot be read, or holds no report.
        """
        try:
            found = strict_json(Path(path).read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError(f"`{path}` cannot be read: {error.strerror or error}.") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"`{path}` is no JSON: {error}. Write it with --json.") from error
        try:
            return cls(found)
        except InputError as error:
            raise InputError(f"`{path}`: {error}") from error

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The report as JSON text; written to `path` if one is given."""
        return _written(to_json(self.summary), path)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The report as a page, one file without a network; written to `path` if one is given."""
        return _written(to_html(self.summary), path)

    def figures(self) -> dict[str, str]:
        """The report's figures as SVG, by name."""
        return figures(self.summary)

    def _repr_html_(self) -> str:
        # In a frame of its own, so that the page's style does not touch the notebook's.
        page = html.escape(self.to_html(), quote=True)
        return (
            f'<iframe title="fairlattice report" sandbox="allow-scripts allow-downloads" srcdoc="{page}" '
            f'style="width:100%;height:{_HEIGHT}px;border:0"></iframe>'
        )


def _written(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        write_text(Path(path), text)
    return text
