"""What a diagnosis says: figures of every source of rows, of every cell and overall, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairlattice._display import ShowsAsPage
from fairlattice._validation import FloatArray
from fairlattice.benchmark._held_out import HeldOut
from fairlattice.benchmark._splits import child_seed
from fairlattice.diagnostics import (
    Associations,
    Assumption,
    ClassifierTest,
    Manifold,
    Marginals,
    Memory,
    MMDTest,
    embedding,
)
from fairlattice.diagnostics._shared import CAVEATS, adjusted, advice, verdict
from fairlattice.groups import Group, GroupLattice, show_group
from fairlattice.samplers import Cell

REAL = "real"  # other real rows in place of made ones: the floor that no generator can be below


@dataclass(frozen=True, eq=False)
class SourceFigures:
    """How rows from one source compare with held-out real rows.

    Parameters
    ----------
    n : int
        Rows of the source that were compared.
    classifiers : dict of str to ClassifierTest
        Can a classifier tell them from real rows? An AUC of ½ is good.
    mmd : MMDTest
        Permutation test of maximum mean discrepancy; small is good.
    manifold : Manifold
        Precision, recall, density, coverage; high is good.
    marginals : Marginals
        Distances of single columns; small is good.
    associations : Associations or None
        Differences between pairwise associations; None with fewer than two columns.
    memory : Memory or None
        Copies of training rows, and what they give away; None for real rows.
    p_adjusted : dict of str to float
        Of "linear", "neighbours" and "mmd", by Holm over all cells of the source; overall as they are.
    """

    n: int
    classifiers: Mapping[str, ClassifierTest]
    mmd: MMDTest
    manifold: Manifold
    marginals: Marginals
    associations: Associations | None
    memory: Memory | None
    p_adjusted: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class CellAssumption:
    """Are a cell's parents, and the mix of them, like the cell?

    Parameters
    ----------
    tests : Assumption
        Every parent's rows, and the mix, against the cell's held-out rows.
    parents : tuple of (Group, int)
        The parents, and how many rows of the cell's label each has besides the cell's own.
    p_adjusted : tuple of float or None
        Of the parents and, last, of the mix; by Holm over all cells. None for a parent without other rows.
    verdict : {"holds", "fails", "not enough data"}
        Whether the mix resembles the cell.
    advice : str
        What to do about it.
    """

    tests: Assumption
    parents: tuple[tuple[Group, int], ...]
    p_adjusted: tuple[float | None, ...]
    verdict: str
    advice: str


@dataclass(frozen=True, eq=False)
class CellDiagnosis:
    """One (leaf, label) cell.

    Parameters
    ----------
    group : dict
        The leaf.
    label : label
        The label.
    n_train, n_held_out : int
        Its rows that generators saw, and those that they are judged by.
    sources : dict of str to SourceFigures or None
        None where a source makes no rows, or there are too few real ones.
    assumption : CellAssumption or None
        None with too few rows.
    why : str or None
        Why figures are lacking.
    pictures : tuple of CellPicture
        The cell by PCA and by t-SNE, of those that are drawn.
    """

    group: Group
    label: Any
    n_train: int
    n_held_out: int
    sources: Mapping[str, SourceFigures | None]
    assumption: CellAssumption | None
    why: str | None
    pictures: tuple[CellPicture, ...] = ()


@dataclass(frozen=True, slots=True)
class CopiedRow:
    """A synthetic row that is, or nearly is, a training row.

    Parameters
    ----------
    source : str
        Who made it.
    group, label
        The cell that it was made for.
    row : int
        Number of the training row in the table given, from 0.
    distance : float
        Between the two, on standardised columns.
    kind : {"exact", "near"}
        Which.
    """

    source: str
    group: Group
    label: Any
    row: int
    distance: float
    kind: str


@dataclass(frozen=True, eq=False)
class Diagnosis(ShowsAsPage):
    """Can the synthetic rows be trusted? Returned by :func:`diagnose`.

    Parameters
    ----------
    settings : dict
        Every option.
    lattice : GroupLattice
        The groups.
    classes : tuple
        The labels.
    n_train, n_held_out : int
        Rows that generators saw, and those that they are judged by.
    overall : dict of str to SourceFigures or None
        Figures of each source over a sample of all cells, in the cells' true shares.
    cells : tuple of CellDiagnosis
        By leaf and label.
    copies : tuple of CopiedRow
        At most 100 per source, closest first.
    notes : tuple of str
        What a reader should know.
    """

    settings: Mapping[str, Any]
    lattice: GroupLattice
    classes: tuple[Any, ...]
    n_train: int
    n_held_out: int
    overall: Mapping[str, SourceFigures | None]
    cells: tuple[CellDiagnosis, ...]
    copies: tuple[CopiedRow, ...]
    notes: tuple[str, ...]

    @property
    def failing(self) -> tuple[CellDiagnosis, ...]:
        """The cells that their parents' mix does not resemble."""
        return tuple(c for c in self.cells if c.assumption is not None and c.assumption.verdict == "fails")


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
        what_to_do = advice(result.tests, said, names=called, p_adjusted=parents, level=error)
        assumed = CellAssumption(result.tests, result.parents, (*parents, p), said, what_to_do)
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


_MOST_SHOWN = 100  # rows of each kind: more would only cover each other


@dataclass(frozen=True, eq=False)
class CellPicture:
    """One cell, drawn.

    Parameters
    ----------
    method : {"pca", "tsne"}
        How rows were laid out.
    points : dict of str to float array of shape (n, 2)
        "real" held-out rows, "made" rows, and rows of the "parents".
    caption : str
        What can, and what cannot be read from it.
    """

    method: str
    points: Mapping[str, FloatArray]
    caption: str


def cell_pictures(split: HeldOut, cell: Cell, made: FloatArray, seed: int) -> tuple[CellPicture, ...]:
    """The cell by PCA and by t-SNE."""
    rng = np.random.default_rng([seed, 4, *cell])
    own = split.index.rows(cell)
    parents = np.unique(np.concatenate(split.index.parents(cell)))
    samples = {
        "real": split.Z_held[split.held.rows(cell)],
        "made": made,
        "parents": split.Z[np.setdiff1d(parents, own)],
    }
    shown = {name: Z[np.sort(rng.permutation(len(Z))[:_MOST_SHOWN])] for name, Z in samples.items()}
    shown = {name: Z for name, Z in shown.items() if len(Z)}
    return tuple(
        CellPicture(
            method, embedding(shown, method=method, random_state=child_seed(seed)), " ".join(CAVEATS[method])
        )
        for method in ("pca", "tsne")
    )
