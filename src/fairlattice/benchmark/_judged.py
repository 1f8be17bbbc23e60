"""From the tests of single cells to verdicts over all of them: adjusted p-values, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fairlattice.benchmark._diagnosis import REAL, CellAssumption, CellDiagnosis, SourceFigures
from fairlattice.benchmark._held_out import HeldOut
from fairlattice.diagnostics import Assumption
from fairlattice.diagnostics._shared import adjusted, advice, verdict
from fairlattice.groups import Group, show_group
from fairlattice.samplers import Cell

MADE = 50  # rows made for a cell at least: there is no lack of these
LEAST = 4  # held-out rows of a cell without which nothing is said of it alone


@dataclass(frozen=True, eq=False)
class CellResult:
    """What was measured of one cell, p-values as they are."""

    sources: dict[str, SourceFigures | None]
    tests: Assumption
    parents: tuple[tuple[Group, int], ...]


def judge_cells(
    split: HeldOut, found: dict[Cell, CellResult], error: float
) -> dict[Cell, tuple[dict[str, SourceFigures | None], CellAssumption]]:
    """The cells' results with p-values adjusted over all cells, and what follows for their parents."""
    names = next(iter(found.values())).sources if found else {}
    sources = {cell: dict(result.sources) for cell, result in found.items()}
    for name in names:
        having = {cell: own[name] for cell, own in sources.items() if own[name] is not None}
        for test in ("linear", "neighbours", "mmd"):
            p_values = adjusted([f.p_adjusted[test] for f in having.values() if f is not None])
            for cell, p in zip(having, p_values, strict=True):
                figures = sources[cell][name]
                assert figures is not None
                sources[cell][name] = replace(figures, p_adjusted={**figures.p_adjusted, test: float(p)})
    mixes = adjusted([result.tests.mix.p_value for result in found.values()])
    each = [test for result in found.values() for test in result.tests.parents]
    others = iter(adjusted([None if test is None else test.p_value for test in each]).tolist())
    judged = {}
    for (cell, result), p in zip(found.items(), mixes.tolist(), strict=True):
        parents = [
            None if np.isnan(value) else value for _, value in zip(result.parents, others, strict=False)
        ]
        rows = len(split.held.rows(cell))
        said = verdict(result.tests.mix, rows=rows, p_adjusted=p, level=error)
        called = [show_group(group) for group, _ in result.parents]
        told = advice(result.tests, said, names=called, p_adjusted=parents, level=error)
        assumed = CellAssumption(result.tests, result.parents, (*parents, p), said, told)
        judged[cell] = sources[cell], assumed
    return judged


def cell_diagnosis(
    split: HeldOut,
    cell: Cell,
    sizes: tuple[int, int],
    judged: tuple[dict[str, SourceFigures | None], CellAssumption] | None,
    sources: list[str],
) -> CellDiagnosis:
    """What is said of a cell; without results, why there are none."""
    n_train, n_held_out = sizes
    group, label = split.lattice.group(cell.leaf), split.classes[cell.label]
    if judged is None:
        few = "fewer than 2 training rows" if n_train < 2 else f"fewer than {LEAST} held-out rows"
        nothing = dict.fromkeys([REAL, *sources])
        return CellDiagnosis(group, label, n_train, n_held_out, nothing, None, few)
    return CellDiagnosis(group, label, n_train, n_held_out, *judged, None)
