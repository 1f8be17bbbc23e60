"""What a diagnosis says: figures of every source of rows, of every cell and overall, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlattice.benchmark._pictures import CellPicture
from fairlattice.diagnostics import (
    Associations,
    Assumption,
    ClassifierTest,
    Manifold,
    Marginals,
    Memory,
    MMDTest,
)
from fairlattice.groups import Group, GroupLattice

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
        The parents, and how many rows of the cell's label each has beside the cell's own.
    p_adjusted : tuple of float or None
        Of the parents and, last, of the mix; by Holm over all cells. None for a parent without other rows.
    verdict : {"holds", "fails", "not enough data"}
        Whether the mix can stand for the cell.
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
    """A made row that is, or nearly is, a training row.

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
class Diagnosis:
    """Can the made rows be trusted? Made by :func:`diagnose`.

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
        """The cells that their parents' mix does not stand for."""
        return tuple(c for c in self.cells if c.assumption is not None and c.assumption.verdict == "fails")
