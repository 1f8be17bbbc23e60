"""SMOTE within a cell: rows between a real row of the cell and one of its nearest neighbours in the cell.

Chawla et al. (2002), SMOTE: Synthetic Minority Over-sampling Technique, JAIR 16:321-357,
doi:10.1613/jair.953, as imbalanced-learn implements it. It does not report which rows it interpolated, so a
synthetic row has no source rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fairlattice._validation import FloatArray, IntArray
from fairlattice.exceptions import InputError
from fairlattice.generators import MixingFit
from fairlattice.groups import show_group
from fairlattice.samplers._cells import Cell, CellIndex
from fairlattice.samplers._sampler import Piece, Vectors, fill_pieces, pieces_of, stream_of

_NEIGHBOURS = 5
_MOST_ROWS = 20_000


@dataclass(frozen=True)
class SmoteSampler:
    """SMOTE among the rows of one cell.

    A cell of fewer than six rows uses all of its other rows as neighbours, and a cell of one row is repeated. From a
    cell of more than 20,000 rows, 20,000 are drawn first, because SMOTE compares all pairs of rows even if few
    synthetic rows are wanted.

    Parameters
    ----------
    Z : float array of shape (n, d)
        The training rows.
    index : CellIndex
        Which of them belong to which cell.
    entropy : tuple of int
        Seed of all draws.
    """

    Z: FloatArray
    index: CellIndex
    entropy: tuple[int, ...]

    n_sources: ClassVar[int] = 0
    """SMOTE does not report the rows it interpolated."""
    parameters: ClassVar[Mapping[int | Cell, MixingFit]] = {}
    """No mixing is fitted."""

    def can_draw(self, cell: Cell) -> bool:
        """Whether the cell has a row."""
        return len(self.index.rows(cell)) > 0

    def draw(
        self,
        cell: Cell,
        n: int,
        *,
        stream: int = 0,
        distinct: bool = False,  # noqa: ARG002 - interpolated rows are distinct
    ) -> tuple[Vectors, IntArray]:
        """`n` vectors of a cell, of shape (n, d), and no source rows.

        Raises
        ------
        InputError
            If the cell has no row.
        """
        return self.draw_pieces(list(pieces_of([(cell, n)])), stream=stream)

    def draw_pieces(
        self,
        pieces: Sequence[Piece],
        *,
        stream: int = 0,
        dtype: npt.DTypeLike = np.float64,
        n_jobs: int | None = None,
    ) -> tuple[Vectors, IntArray]:
        """The vectors of several pieces, one below the other, and no source rows."""

        def fill(piece: Piece, out: Vectors, _: IntArray) -> None:
            out[:] = self._interpolated(piece, stream)

        return fill_pieces(
            pieces, fill, width=self.Z.shape[1], n_sources=self.n_sources, dtype=dtype, n_jobs=n_jobs
        )

    def _interpolated(self, piece: Piece, stream: int) -> FloatArray:
        own = self.index.rows(piece.cell)
        if len(own) > _MOST_ROWS:  # the same rows are drawn for every piece of the cell
            rng = stream_of(self.entropy, *piece.cell)
            own = np.sort(rng.choice(own, _MOST_ROWS, replace=False))
        rows = self.Z[own]
        if not len(rows):
            group = show_group(self.index.lattice.group(piece.cell.leaf))
            raise InputError(
                f"Group ({group}) has no rows with the label, so SMOTE has nothing to start from."
            )
        if len(rows) == 1:
            return np.repeat(rows, piece.n, axis=0)
        later = (stream, piece.part) if stream or piece.part else ()
        key = [*self.entropy, *piece.cell, *later]
        return _interpolate(rows, piece.n, seed=int(np.random.SeedSequence(key).generate_state(1)[0]))


def _interpolate(rows: FloatArray, n: int, *, seed: int) -> FloatArray:
    """`n` vectors by SMOTE among `rows` alone."""
    from imblearn.over_sampling import SMOTE  # takes a third of a second to import

    # SMOTE raises a minority class to a target size, so a dummy majority makes the cell a minority.
    k, size = min(_NEIGHBOURS, len(rows) - 1), len(rows)
    stacked = np.concatenate([rows, np.zeros((size + n, rows.shape[1]))])
    which = np.repeat([1, 0], [size, size + n])
    grown, _ = SMOTE(k_neighbors=k, random_state=seed).fit_resample(stacked, which)
    new: FloatArray = grown[len(stacked) :]
    return new
