"""The fidelity experiment: how close the synthetic rows of each strategy are to held-out real rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from fairlattice.benchmark._diagnose import SOURCES, diagnose
from fairlattice.benchmark._diagnosis import REAL, Diagnosis, SourceFigures
from fairlattice.benchmark._plugins import Plugins
from fairlattice.benchmark._protocol import one_row_per_unit
from fairlattice.benchmark._table import Table
from fairlattice.benchmark._trial import digest
from fairlattice.exceptions import InputError
from fairlattice.samplers._shared import take_rows

FIDELITY = (
    "auc_linear",
    "auc_neighbours",
    "mmd",
    "precision",
    "recall",
    "coverage",
    "copies",
    "cells_told_apart",
)


@dataclass(frozen=True)
class FidelityTrial:
    """A diagnosis of a table's synthetic rows.

    Parameters
    ----------
    table : str
        Digest of the table.
    seed : int
        Of the halves and of everything that is drawn. A person's first row represents all of them.
    code : str
        Digest of the code that computes it.
    """

    table: str
    seed: int
    code: str = ""

    def plain(self) -> dict[str, Any]:
        """The full specification, as JSON can hold it."""
        return {"kind": "fidelity", "table": self.table, "seed": self.seed, "code": self.code}

    @property
    def key(self) -> str:
        """Digest of the full specification."""
        return digest(self.plain())

    def run(self, table: Table, plugins: Plugins) -> FidelityOutcome:  # noqa: ARG002 - as every task
        """Do it."""
        import polars as pl

        if table.text:
            raise InputError(f"Data set `{table.name}` holds free text, of which no rows can be made.")
        rows = one_row_per_unit(table)
        with threadpool_limits(limits=1):
            found = diagnose(
                pl.DataFrame(take_rows(dict(table.X), rows), strict=False),
                table.truth[rows],
                sensitive_features=table.lattice.level_columns(table.leaves[rows]),
                sources=SOURCES,
                pictures=0,
                random_state=self.seed,
                n_jobs=1,
            )
        return FidelityOutcome({name: _figures(found, name) for name in (REAL, *SOURCES)})


@dataclass(frozen=True)
class FidelityOutcome:
    """Figures of every source of rows.

    Parameters
    ----------
    figures : dict of str to dict of str to float or None
        By source, then by figure.
    """

    figures: dict[str, dict[str, float | None]]

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"figures": self.figures}

    def payload(self) -> bytes:
        """Nothing more."""
        return b""


def _figures(found: Diagnosis, source: str) -> dict[str, float | None]:
    overall = found.overall[source]
    if overall is None:
        return dict.fromkeys(FIDELITY)
    cells = [f for c in found.cells if (f := c.sources.get(source)) is not None]
    return {
        **{f"auc_{name}": test.auc for name, test in overall.classifiers.items()},
        "mmd": overall.mmd.effect,
        "precision": overall.manifold.precision,
        "recall": overall.manifold.recall,
        "coverage": overall.manifold.coverage,
        "copies": _copies(overall),
        "cells_told_apart": sum(map(_distinguished, cells)) / len(cells) if cells else None,
    }


def _copies(figures: SourceFigures) -> float | None:
    """Share of rows that copy a training row, or nearly do."""
    memory = figures.memory
    return None if memory is None else (memory.exact + memory.near) / figures.n


def _distinguished(figures: SourceFigures) -> bool:
    """Whether one of the tests distinguishes a cell's synthetic rows from real ones, over all cells and tests."""
    return min(figures.p_adjusted.values()) * len(figures.p_adjusted) <= 0.05
