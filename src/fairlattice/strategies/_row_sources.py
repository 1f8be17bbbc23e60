"""Row sources: where synthetic rows of small cells come from. One class for each idea."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from fairlattice._validation import FloatArray
from fairlattice.samplers import (
    Cell,
    HierarchicalAugmenter,
    ImportanceSampler,
    MixingSampler,
    Sampler,
    SmoteSampler,
)
from fairlattice.samplers._shared import draw_rows
from fairlattice.strategies._training import Synthetic, TrainingTable

# Streams of random numbers, so that parts of one strategy do not share any. Importance resampling has the seed to
# itself: its rows are those that `HierarchicalAugmenter` draws with the same seed.
_SMOTE, _PARENTS, _MIXING = 3, 4, 5


class RowSource(Protocol):
    """Draws synthetic rows. One of your own is a class with these members.

    `name` is what users call it, `about` one line for a reader, and `makes_rows` is false only where no row is ever
    drawn. One that fits nothing to the data may say ``learns = False``: others should beat it.
    """

    @property
    def name(self) -> str:
        """The part's name."""
        ...

    @property
    def about(self) -> str:
        """One line for a reader."""
        ...

    @property
    def makes_rows(self) -> bool:
        """Whether it draws any synthetic rows."""
        ...

    def draw(self, table: TrainingTable, wanted: Mapping[Cell, int], *, distinct: bool = False) -> Synthetic:
        """Synthetic vectors, like those of ``table.features``, for the cells it can draw.

        Parameters
        ----------
        table : TrainingTable
            The training rows.
        wanted : mapping of Cell to int
            How many rows each cell should get.
        distinct : bool, default=False
            Whether to draw no training row again before all have been drawn, for tests that would see repetition.
        """
        ...


@dataclass(frozen=True)
class OwnRows:
    """The training rows as they are."""

    name: ClassVar[str] = "own"
    about: ClassVar[str] = "the table's own rows"
    makes_rows: ClassVar[bool] = False

    def draw(
        self,
        table: TrainingTable,  # noqa: ARG002 - as every row source
        wanted: Mapping[Cell, int],  # noqa: ARG002
        *,
        distinct: bool = False,  # noqa: ARG002
    ) -> Synthetic:
        """No rows."""
        return {}


@dataclass(frozen=True)
class SmoteRows:
    """SMOTE within the cell (doi:10.1613/jair.953)."""

    learns: ClassVar[bool] = False
    name: ClassVar[str] = "smote"
    about: ClassVar[str] = "SMOTE within the cell"
    makes_rows: ClassVar[bool] = True

    def draw(self, table: TrainingTable, wanted: Mapping[Cell, int], *, distinct: bool = False) -> Synthetic:
        """Rows between neighbours of the cell; a cell without rows gets none."""
        sampler = SmoteSampler(table.features.Z, table.index, (*table.entropy, _SMOTE))
        return _from_sampler(sampler, wanted, distinct)


@dataclass(frozen=True)
class ParentRows:
    """Rows of the parent groups, each parent as likely as the others."""

    learns: ClassVar[bool] = False
    name: ClassVar[str] = "parents"
    about: ClassVar[str] = "rows drawn from the parent groups"
    makes_rows: ClassVar[bool] = True

    def draw(self, table: TrainingTable, wanted: Mapping[Cell, int], *, distinct: bool = False) -> Synthetic:
        """Rows of the label that share all attributes of the leaf but one."""
        rng = table.rng(_PARENTS)

        def drawn(cell: Cell, n: int) -> FloatArray:
            parents = [draw_rows(rng, rows, n, distinct=distinct) for rows in table.index.parents(cell)]
            which = rng.integers(len(parents), size=n)
            return table.features.Z[np.stack(parents, axis=1)[np.arange(n), which]]

        return {cell: drawn(cell, n) for cell, n in wanted.items()}


@dataclass(frozen=True)
class MixedRows:
    """Mixes of the parents' rows (arXiv:2405.14521).

    Parameters
    ----------
    mixing : {"scalar", "diagonal", "summed", "linear"}, default="scalar"
        How parents are mixed.
    share : {"label", "cell"}, default="label"
        Whether all leaves of a label share parameters, or each cell has its own.
    beta : float, default=1.0
        Weight of the parents' term of the loss, at least 0.
    bandwidths : "median" or tuple of float, default="median"
        Widths of the RBF mixture.
    """

    mixing: str = "scalar"
    share: str = "label"
    beta: float = 1.0
    bandwidths: Any = "median"

    name: ClassVar[str] = "paper"
    about: ClassVar[str] = "mixes of the parents' rows (arXiv:2405.14521)"
    makes_rows: ClassVar[bool] = True

    def draw(self, table: TrainingTable, wanted: Mapping[Cell, int], *, distinct: bool = False) -> Synthetic:
        """Mixes of one row of each parent, fitted by maximum mean discrepancy."""
        sampler = MixingSampler.fit(
            table.features.Z,
            table.index,
            entropy=(*table.entropy, _MIXING),
            mixing=self.mixing,
            share=self.share,
            beta=self.beta,
            bandwidths=self.bandwidths,
            device=table.device,
        )
        return _from_sampler(sampler, wanted, distinct)


@dataclass(frozen=True)
class ImportanceRows:
    """Importance resampling: the rows that ``fairlattice augment`` writes.

    Parameters
    ----------
    max_copies : float, default=0.1
        Share of synthetic rows, in [0, 1], that are copied unchanged.
    """

    max_copies: float = 0.1

    name: ClassVar[str] = "augment"
    about: ClassVar[str] = "importance resampling by the membership model, as `fairlattice augment` writes"
    makes_rows: ClassVar[bool] = True

    def draw(self, table: TrainingTable, wanted: Mapping[Cell, int], *, distinct: bool = False) -> Synthetic:
        """Rows of the label, drawn by how likely they are to be of the leaf, with their numbers moved."""
        encoder = table.features.encoder
        sampler = ImportanceSampler.fit(
            table.features.Z,
            table.index,
            entropy=table.entropy,
            blocks=encoder.blocks,
            max_copies=self.max_copies,
            snap=encoder.snap,
            crowded=table.features.crowded,
            device=table.device,
        )
        return _from_sampler(sampler, wanted, distinct)


@dataclass(frozen=True)
class AugmenterRows:
    """Rows of an augmenter of the user's own.

    Parameters
    ----------
    augmenter : HierarchicalAugmenter
        Its parameters say how rows are drawn, with which seed, and how many: `per_cell`.
    """

    augmenter: HierarchicalAugmenter

    name: ClassVar[str] = "augmenter"
    about: ClassVar[str] = "rows of the augmenter that was passed"
    makes_rows: ClassVar[bool] = True

    def draw(
        self,
        table: TrainingTable,
        wanted: Mapping[Cell, int],  # noqa: ARG002 - the augmenter says how many
        *,
        distinct: bool = False,
    ) -> Synthetic:
        """Rows of its sampler, fitted to the table's vectors."""
        sampler = self.augmenter.sampler_of(table.features.Z, table.index, table.features.encoder)
        return _from_sampler(sampler, table.index.shortfalls(self.augmenter.per_cell), distinct)


def _from_sampler(sampler: Sampler, wanted: Mapping[Cell, int], distinct: bool) -> Synthetic:
    """Vectors of the cells that the sampler can draw."""
    can = {cell: n for cell, n in wanted.items() if sampler.can_draw(cell)}
    return {cell: sampler.draw(cell, n, distinct=distinct)[0] for cell, n in can.items()}


ROW_SOURCES: dict[str, RowSource] = {
    source.name: source for source in (OwnRows(), SmoteRows(), ParentRows(), MixedRows(), ImportanceRows())
}
"""The row sources by name."""
