"""The contract of a sampler, and how the work is split into pieces.

A sampler draws synthetic vectors for any (leaf, label) cell. The rows of a cell are drawn in pieces of at most
:data:`PIECE` rows, each with a random stream of its own, so that any number of threads, or one after another
without holding them together, draws the same rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.utils import check_random_state

from fairlattice._validation import IntArray, check_count
from fairlattice.generators import MixingFit
from fairlattice.samplers._cells import Cell, CellIndex

PIECE = 65_536
T = TypeVar("T")
R = TypeVar("R")
Vectors = npt.NDArray[Any]


class Piece(NamedTuple):
    """`n` rows of a cell: its part number `part`, of at most :data:`PIECE` rows."""

    cell: Cell
    part: int
    n: int


class Sampler(Protocol):
    """Draws synthetic vectors of cells from the rows of a training table.

    A sampler is a frozen value. Where two calls ask for the same piece of the same stream, they return the same
    vectors, whatever was drawn before and whatever the number of threads.
    """

    @property
    def index(self) -> CellIndex:
        """Which training rows belong to which cell."""
        ...

    @property
    def entropy(self) -> tuple[int, ...]:
        """Seed of all draws."""
        ...

    @property
    def n_sources(self) -> int:
        """How many training rows are recorded as the sources of a synthetic one; 0 where none are."""
        ...

    @property
    def parameters(self) -> Mapping[int | Cell, MixingFit]:
        """Fitted mixings by label code or cell; empty where a sampler has none."""
        ...

    def can_draw(self, cell: Cell) -> bool:
        """Whether synthetic rows of the cell can be drawn."""
        ...

    def draw(
        self, cell: Cell, n: int, *, stream: int = 0, distinct: bool = False
    ) -> tuple[Vectors, IntArray]:
        """`n` vectors of a cell, of shape (n, d), and their source rows, of shape (n, `n_sources`).

        With `distinct`, no source row is drawn again before all have been, as far as there are enough.
        """
        ...

    def draw_pieces(
        self,
        pieces: Sequence[Piece],
        *,
        stream: int = 0,
        dtype: npt.DTypeLike = np.float64,
        n_jobs: int | None = None,
    ) -> tuple[Vectors, IntArray]:
        """The vectors of several pieces, one below the other, and their source rows."""
        ...


def stream_of(entropy: Sequence[int], *key: int) -> np.random.Generator:
    """The random stream of `key` under a seed."""
    return np.random.default_rng(np.random.SeedSequence(list(entropy), spawn_key=key))


def entropy_of(random_state: Any) -> tuple[int, ...]:
    """The seed of all draws that a `random_state` means.

    An integer s is the pair (s, 0): the seed of a comparison and its repeat 0. So what is fitted with the seed of a
    comparison draws what the comparison drew in its first repeat, and (s, r) draws what it drew in repeat r.
    """
    if random_state is None:
        entropy: Any = np.random.SeedSequence().entropy
        return (int(entropy),)
    if isinstance(random_state, int | np.integer):
        return check_count("random_state", random_state, 0), 0
    if isinstance(random_state, Sequence):
        return tuple(check_count("random_state", number, 0) for number in random_state)
    return tuple(check_random_state(random_state).randint(2**31, size=4).tolist())


def stream_of_piece(entropy: Sequence[int], *key: int, piece: Piece, stream: int) -> np.random.Generator:
    """The random stream of a piece."""
    part = (piece.part,) if piece.part else ()
    return stream_of(entropy, *key, *piece.cell, stream, *part)


def pieces_of(wanted: Iterable[tuple[Cell, int]]) -> Iterator[Piece]:
    """The pieces that the wanted numbers of rows are drawn in."""
    for cell, n in wanted:
        for part, first in enumerate(range(0, n, PIECE)):
            yield Piece(cell, part, min(PIECE, n - first))


def batches_of(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces in order, in lists of at most :data:`PIECE` rows together."""
    batch: list[Piece] = []
    for piece in pieces:
        if batch and sum(p.n for p in batch) + piece.n > PIECE:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def in_order(work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Apply `work` to each item and yield the results in order; at most `threads` items are worked on ahead.

    joblib would compute every item and keep the results, even if the caller stops early.
    """
    if threads == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[R]] = deque()
        try:
            for item in items:
                if len(ahead) == threads:
                    yield ahead.popleft().result()
                ahead.append(pool.submit(work, item))
            while ahead:
                yield ahead.popleft().result()
        finally:  # the caller stopped early, or an item failed
            for waiting in ahead:
                waiting.cancel()


def fill_pieces(
    pieces: Sequence[Piece],
    fill: Callable[[Piece, Vectors, IntArray], None],
    *,
    width: int,
    n_sources: int,
    dtype: npt.DTypeLike,
    n_jobs: int | None,
) -> tuple[Vectors, IntArray]:
    """Vectors of pieces, one below the other, and their source rows, drawn by threads.

    `fill` gets a piece and the places of its vectors, (n, width), and of its source rows, (n, n_sources).
    """
    ends = np.cumsum([piece.n for piece in pieces], dtype=np.int64).tolist()
    total = ends[-1] if ends else 0
    out = np.empty((total, width), dtype=dtype)
    sources = np.empty((n_sources, total), dtype=np.int64).T  # filled column by column
    Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(fill)(piece, out[end - piece.n : end], sources[end - piece.n : end])
        for piece, end in zip(pieces, ends, strict=True)
    )
    return out, sources
