"""Mixing (arXiv:2405.14521): draw one row of each parent and mix them.

Rows are mixed as deviations from the mean of all training rows, so that every column is centred as the method
assumes. Otherwise parameters that do not sum to 1 would scale the 0/1 coordinates of categories by an amount
that reveals the label. Within a piece the parents' rows are gathered and added a tile at a time, while the tile
is in the processor's cache. This is the method on vectors; :class:`HierarchicalAugmenter` applies it to tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from fairlattice._validation import FloatArray, IntArray, check_choice
from fairlattice.divergences import median_bandwidths
from fairlattice.exceptions import InputError
from fairlattice.generators import CellRows, MixingFit, fit_mixing
from fairlattice.samplers._cells import Cell, CellIndex, draw_rows
from fairlattice.samplers._device import check_device, on_device
from fairlattice.samplers._sampler import Piece, Vectors, fill_pieces, pieces_of, stream_of, stream_of_piece

SHARES = ("label", "cell")
_COPIED = 65_536  # rows of a table small enough to copy
_TILE = 2048
_SUMMED = ("summed", "linear")  # parents are added before they are weighted
_KNOWN = ("scalar", "diagonal", *_SUMMED)


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
        device: str | None = None,
    ) -> MixingSampler:
        """Fit one mixing per label, and where `share` is "cell" one per cell with rows as well.

        A cell with fewer rows than it has parents cannot tell their weights apart, and uses its label's. Among many
        attributes nearly all cells are like that, and would take a descent from every parent each.

        `n_jobs` fits run at a time, in threads; their number changes nothing about the result. With `device`, a device
        of PyTorch, all rows lie on it in double precision while parameters are fitted; these agree with NumPy's to
        four digits. Rows are mixed in NumPy.

        Raises
        ------
        InputError
            If there is no attribute, or an option is out of range.
        """
        check_choice("share", share, SHARES)
        check_device(device)
        if not index.lattice.attributes:
            raise InputError(
                "Rows are drawn from parent groups, so at least one sensitive attribute is needed."
            )
        centre = Z.mean(axis=0, dtype=np.float64)
        deviations: Any = Z - centre if len(Z) <= _COPIED else _Deviations(Z, centre)
        if isinstance(bandwidths, str):
            check_choice("bandwidths", bandwidths, ("median",))
            widths = median_bandwidths(deviations, rng=stream_of(entropy, 0))
        else:
            widths = tuple(float(h) for h in bandwidths)
        if device is not None:
            deviations = on_device(Z - centre, device)
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
                rng=stream_of(entropy, 1, *key),
            )

        jobs: list[tuple[Any, ...]] = [([c for c in cells if c.label == k], k) for k in range(index.n_labels)]
        alone = (
            [c for c in cells if len(index.rows(c)) >= len(index.lattice.attributes)]
            if share == "cell"
            else []
        )
        jobs += [([c], *c) for c in alone]
        fits = Parallel(n_jobs=n_jobs, require="sharedmem")(delayed(fitted)(*job) for job in jobs)
        by_cell = dict(zip(alone, fits[index.n_labels :], strict=True))
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
        """`n` new vectors of a cell, of shape (n, d), and the row of each parent that was mixed, (n, p).

        The same cell and `stream` give the same vectors, whatever was drawn before and whatever
        `n_jobs`, the number of threads. A cell without rows uses the parameters that its label shares.
        If `distinct`, no row of a parent is drawn again before all have been: tests of synthetic rows would
        see the repetition. Vectors of `dtype` float32 take half the time.
        """
        if not distinct:
            return self.draw_pieces(list(pieces_of([(cell, n)])), stream=stream, dtype=dtype, n_jobs=n_jobs)
        rng, parents = self._rng(Piece(cell, 0, n), stream), self.index.parents(cell)
        rows = np.stack([draw_rows(rng, parent, n, distinct=True) for parent in parents])
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

        def fill(piece: Piece, out: Vectors, sources: IntArray) -> None:
            rng, parents = self._rng(piece, stream), self.index.parents(piece.cell)
            at = np.stack([rng.integers(0, len(parent), piece.n) for parent in parents])
            for i, (parent, places) in enumerate(zip(parents, at, strict=True)):
                sources[:, i] = parent[places]
            mix_into(out, Z, parents, at, self._fit_of(piece.cell), self.centre)

        width, n_sources = self.Z.shape[1], self.n_sources
        return fill_pieces(pieces, fill, width=width, n_sources=n_sources, dtype=dtype, n_jobs=n_jobs)

    @property
    def n_sources(self) -> int:
        """Source rows of a synthetic one: one of each parent."""
        return len(self.index.lattice.attributes)

    @property
    def parameters(self) -> Mapping[int | Cell, MixingFit]:
        """Fits by label code, and by cell where parameters are not shared."""
        shared: dict[int | Cell, MixingFit] = dict(enumerate(self.by_label))
        return shared | dict(self.by_cell)

    def can_draw(self, cell: Cell) -> bool:
        """Whether the cell's label has rows."""
        return bool((self.index.labels == cell.label).any())

    def _rng(self, piece: Piece, stream: int) -> np.random.Generator:
        return stream_of_piece(self.entropy, 2, piece=piece, stream=stream)

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


def mix_into(
    out: Vectors, Z: Vectors, parents: Sequence[IntArray], at: IntArray, fit: MixingFit, centre: FloatArray
) -> None:
    """Mix deviations from `centre` of the parents' rows at the positions `at`, (p, n), into `out`, (n, d).

    `parents` holds the row numbers, in Z, of every parent. Mixing is linear, so what the centre adds is the
    same for every row, and is worked out once.
    """
    if fit.mixing not in _KNOWN:
        rows = np.stack([parent[own] for parent, own in zip(parents, at, strict=True)])
        out[:] = fit.generate(Z[rows] - centre) + centre
        return
    weights = [None] * len(at) if fit.mixing in _SUMMED else list(fit.parameters.astype(out.dtype))
    ours = fit.generate(np.broadcast_to(centre, (len(at), 1, len(centre))))[0]
    offset = (centre - ours).astype(out.dtype)
    turned = fit.parameters.T.astype(out.dtype)
    sources = [_Source.of(Z, *each) for each in zip(parents, at, weights, strict=True)]
    spare = np.empty((min(_TILE, len(out)), out.shape[1]), dtype=out.dtype)
    for first in range(0, len(out), _TILE):
        tile = out[first : first + _TILE]
        sources[0].take(first, tile)
        for source in sources[1:]:
            source.take(first, spare[: len(tile)])
            tile += spare[: len(tile)]
        if fit.mixing == "linear":
            tile[:] = tile @ turned
        elif fit.mixing == "summed":
            tile *= turned
        tile += offset


class _Source(NamedTuple):
    """Rows of one parent in the order in which they are wanted, each to be multiplied by a weight."""

    table: Vectors
    rows: IntArray
    weight: Any

    @classmethod
    def of(cls, Z: Vectors, parent: IntArray, at: IntArray, weight: Any) -> _Source:
        """A parent wanted several times over is copied and weighted once; the products are the same."""
        if 2 * len(parent) > len(at):
            return cls(Z, parent[at], weight)
        own = Z[parent]
        return cls(own if weight is None else own * weight, at, None)

    def take(self, first: int, out: Vectors) -> None:
        # The rows are known to be there; "clip" spares a check of each.
        self.table.take(self.rows[first : first + len(out)], axis=0, out=out, mode="clip")
        if self.weight is not None:
            np.multiply(out, self.weight, out=out)
