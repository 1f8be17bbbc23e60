"""Drawing many rows fast: pieces of cells, each with a stream of its own, mixed a tile at a time.

A cell's rows come in pieces of at most :data:`PIECE` rows, and each piece has its own random stream, so
that pieces may be made by any number of threads, or one after the other and never held together, and are
the same rows. Within a piece the parents' rows are gathered and added a tile at a time, while the tile is
in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from fairlattice._validation import FloatArray, IntArray
from fairlattice.generators import MixingFit
from fairlattice.samplers._cells import Cell

PIECE = 65_536
_TILE = 2048
_KNOWN = ("scalar", "diagonal", "linear")
Vectors = npt.NDArray[Any]


class Piece(NamedTuple):
    """`n` rows of a cell: its part number `part`, of at most :data:`PIECE` rows."""

    cell: Cell
    part: int
    n: int


def pieces_of(wanted: Iterable[tuple[Cell, int]]) -> Iterator[Piece]:
    """The pieces that so many rows of these cells fall into."""
    for cell, n in wanted:
        for part, first in enumerate(range(0, n, PIECE)):
            yield Piece(cell, part, min(PIECE, n - first))


def batches_of(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces one after the other, in lists of at most :data:`PIECE` rows together."""
    batch: list[Piece] = []
    for piece in pieces:
        if batch and sum(p.n for p in batch) + piece.n > PIECE:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def fill_pieces(
    pieces: Sequence[Piece],
    fill: Callable[[Piece, Vectors, IntArray], None],
    *,
    width: int,
    n_behind: int,
    dtype: npt.DTypeLike,
    n_jobs: int | None,
) -> tuple[Vectors, IntArray]:
    """Vectors of pieces, one below the other, and the rows behind them, by threads.

    `fill` gets a piece, and where its vectors, (n, width), and the rows behind them, (n, n_behind), go.
    """
    ends = np.cumsum([piece.n for piece in pieces], dtype=np.int64).tolist()
    total = ends[-1] if ends else 0
    out = np.empty((total, width), dtype=dtype)
    behind = np.empty((n_behind, total), dtype=np.int64).T  # filled column by column
    Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(fill)(piece, out[end - piece.n : end], behind[end - piece.n : end])
        for piece, end in zip(pieces, ends, strict=True)
    )
    return out, behind


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
    linear = fit.mixing == "linear"
    weights = [None] * len(at) if linear else list(fit.parameters.astype(out.dtype))
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
        if linear:
            tile[:] = tile @ turned
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
