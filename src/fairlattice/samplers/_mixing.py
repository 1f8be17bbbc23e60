"""New vectors for any cell: draw one row of each parent, mix.

Rows are mixed as deviations from the mean of all training rows, so that every column is centred as
the method supposes. Otherwise parameters that do not sum to 1 would scale the 0/1 coordinates of
categories by an amount that tells the label. This is the method on vectors;
:class:`HierarchicalAugmenter` is the same on tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from fairlattice._validation import FloatArray, IntArray, check_choice
from fairlattice.divergences import median_bandwidths
from fairlattice.exceptions import InputError
from fairlattice.generators import CellRows, MixingFit, fit_mixing
from fairlattice.samplers._cells import Cell, CellIndex, pick
from fairlattice.samplers._draws import Piece, Vectors, fill_pieces, mix_into, pieces_of

SHARES = ("label", "cell")
_COPIED = 65_536  # rows of a table that may be copied without a thought


@dataclass(frozen=True)
class MixingSampler:
    """Fitted mixings, and the rows that they mix; made by :meth:`fit`.

    Parameters
    ----------
    Z : float array of shape (n, d)
        The training rows.
    centre : float array of shape (d,)
        The mean of the training rows; deviations from it are mixed.
    index : CellIndex
        Which of them belong to which cell and parent.
    by_label : tuple of MixingFit
        One fit per label, shared by all of its leaves.
    by_cell : dict of Cell to MixingFit
        Fits of single cells, where parameters are not shared.
    entropy : tuple of int
        Seed of all draws.
    """

    Z: FloatArray
    centre: FloatArray
    index: CellIndex
    by_label: tuple[MixingFit, ...]
    by_cell: dict[Cell, MixingFit]
    entropy: tuple[int, ...]

    @classmethod
    def fit(
        cls,
        Z: FloatArray,
        index: CellIndex,
        *,
        entropy: Sequence[int],
        mixing: str = "scalar",
        share: str = "label",
        beta: float = 1.0,
        bandwidths: str | Sequence[float] = "median",
        batch_size: int = 128,
        max_steps: int = 200,
        n_jobs: int | None = None,
    ) -> MixingSampler:
        """Fit one mixing per label, and where `share` is "cell" one per cell with rows as well.

        `n_jobs` fits run at a time, in threads; their number changes nothing about the result.

        Raises
        ------
        InputError
            If there is no attribute, or an option is out of range.
        """
        check_choice("share", share, SHARES)
        if not index.lattice.attributes:
            raise InputError(
                "Rows are made from parent groups, so at least one sensitive attribute is needed."
            )
        centre = Z.mean(axis=0, dtype=np.float64)
        deviations: Any = Z - centre if len(Z) <= _COPIED else _Deviations(Z, centre)
        if isinstance(bandwidths, str):
            check_choice("bandwidths", bandwidths, ("median",))
            widths = median_bandwidths(deviations, rng=_stream(entropy, 0))
        else:
            widths = tuple(float(h) for h in bandwidths)
        cells = [cell for cell, size in index.cells() if size]

        def fitted(members: list[Cell], *key: int) -> MixingFit:
            return fit_mixing(
                deviations,
                [CellRows(index.rows(c), index.parents(c)) for c in members],
                mixing=mixing,
                beta=beta,
                bandwidths=widths,
                batch_size=batch_size,
                max_steps=max_steps,
                rng=_stream(entropy, 1, *key),
            )

        jobs: list[tuple[Any, ...]] = [([c for c in cells if c.label == k], k) for k in range(index.n_labels)]
        jobs += [([c], *c) for c in cells] if share == "cell" else []
        fits = Parallel(n_jobs=n_jobs, require="sharedmem")(delayed(fitted)(*job) for job in jobs)
        by_cell = dict(zip(cells, fits[index.n_labels :], strict=True)) if share == "cell" else {}
        return cls(Z, centre, index, tuple(fits[: index.n_labels]), by_cell, tuple(entropy))

    def draw(
        self,
        cell: Cell,
        n: int,
        *,
        stream: int = 0,
        distinct: bool = False,
        dtype: npt.DTypeLike = np.float64,
        n_jobs: int | None = None,
    ) -> tuple[Any, IntArray]:
        """`n` new vectors of a cell, of shape (n, d), and the row of each parent behind them, (n, p).

        The same cell and `stream` give the same vectors, whatever was drawn before and whatever
        `n_jobs`, the number of threads. A cell without rows uses the parameters that its label shares.
        If `distinct`, no row of a parent is drawn again before all have been: tests of made rows would
        see the repetition. Vectors of `dtype` float32 are made in half the time.
        """
        if not distinct:
            return self.draw_pieces(list(pieces_of([(cell, n)])), stream=stream, dtype=dtype, n_jobs=n_jobs)
        rng, parents = self._rng(Piece(cell, 0, n), stream), self.index.parents(cell)
        rows = np.stack([pick(rng, parent, n, distinct=True) for parent in parents])
        at = np.stack([np.searchsorted(parent, own) for parent, own in zip(parents, rows, strict=True)])
        out = np.empty((n, self.Z.shape[1]), dtype=dtype)
        mix_into(out, self._table(out.dtype), parents, at, self._fit_of(cell), self.centre)
        return out, rows.T

    def draw_pieces(
        self,
        pieces: Sequence[Piece],
        *,
        stream: int = 0,
        dtype: npt.DTypeLike = np.float64,
        n_jobs: int | None = None,
    ) -> tuple[Any, IntArray]:
        """The vectors of several pieces of cells, one below the other, and their parents' rows."""
        Z = self._table(np.dtype(dtype))

        def fill(piece: Piece, out: Vectors, behind: IntArray) -> None:
            rng, parents = self._rng(piece, stream), self.index.parents(piece.cell)
            at = np.stack([rng.integers(0, len(parent), piece.n) for parent in parents])
            for i, (parent, places) in enumerate(zip(parents, at, strict=True)):
                behind[:, i] = parent[places]
            mix_into(out, Z, parents, at, self._fit_of(piece.cell), self.centre)

        width, n_behind = self.Z.shape[1], self.n_behind
        return fill_pieces(pieces, fill, width=width, n_behind=n_behind, dtype=dtype, n_jobs=n_jobs)

    @property
    def n_behind(self) -> int:
        """How many rows stand behind a made one: one of each parent."""
        return len(self.index.lattice.attributes)

    def _rng(self, piece: Piece, stream: int) -> np.random.Generator:
        part = (piece.part,) if piece.part else ()
        return _stream(self.entropy, 2, *piece.cell, stream, *part)

    def _fit_of(self, cell: Cell) -> MixingFit:
        return self.by_cell.get(cell, self.by_label[cell.label])

    def _table(self, dtype: np.dtype[Any]) -> Vectors:
        """The training rows as numbers of this kind."""
        return self._single if dtype == np.float32 else np.asarray(self.Z, dtype=dtype)

    @cached_property
    def _single(self) -> Vectors:
        return self.Z.astype(np.float32, copy=False)


class _Deviations:
    """Rows of a table as deviations from a centre, worked out as they are taken: no copy of the table."""

    def __init__(self, Z: FloatArray, centre: FloatArray) -> None:
        self.Z, self.centre, self.shape, self.dtype = Z, centre, Z.shape, centre.dtype

    def __len__(self) -> int:
        return len(self.Z)

    def __getitem__(self, rows: Any) -> FloatArray:
        deviations: FloatArray = self.Z[rows] - self.centre
        return deviations


def _stream(entropy: Sequence[int], *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(list(entropy), spawn_key=key))
