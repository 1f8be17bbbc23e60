"""Augmenting a table that is not here: counted, sampled and completed by the engine of a lazy frame.

The fit sees a bounded sample of each (leaf, label) cell. Whether a row enters it depends on what the row holds and
on the seed, not on where it lies: rows are ordered by a hash of their values, and a cell's rows are those with the
smallest hashes. Equal rows have equal hashes, so they are counted, and enter as often as their share says. Synthetic
rows depend on the number of their batch. So any partitioning gives the same rows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairlattice._validation import FloatArray, IntArray, check_columns_exist
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupCounts, Leaf
from fairlattice.samplers._cells import even_share, ranks
from fairlattice.samplers._engines import Engine, cast_like, engine_of
from fairlattice.samplers._places import Places
from fairlattice.samplers._sampler import Piece
from fairlattice.tables._shared import Rules

if TYPE_CHECKING:
    import polars as pl

MOST = 250_000
"""Rows that enter a fit, of all cells together."""
SYNTHETIC = "fairlattice_synthetic"
"""The column that says which rows are new."""
CELL, KEY, ROWS = "fairlattice_cell", "fairlattice_key", "fairlattice_rows"
_SKETCH = 256  # smallest hashes of a cell, which tell how many different rows it has
_ROOM = 1.5  # times as many are kept as are needed, by the estimate


@dataclass(frozen=True)
class Roles:
    """The columns of a lazy frame that are no features: the label, and the attributes."""

    label: str
    sensitive: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], y: Any, sensitive_features: Any, inside: Any) -> Roles:
        """As a user names them.

        Raises
        ------
        InputError
            If they are not names, or not there.
        """
        sensitive = inside if sensitive_features is None else sensitive_features
        named = isinstance(sensitive, Sequence) and all(isinstance(name, str) for name in sensitive)
        if not isinstance(y, str) or not named:
            raise InputError(
                "Of a lazy frame, `y` and `sensitive_features` must be names of its columns, such as 'hired' and "
                "['sex', 'race']."
            )
        sensitive = (sensitive,) if isinstance(sensitive, str) else tuple(sensitive)
        check_columns_exist([y, *sensitive], list(names))
        return cls(y, sensitive)


def counted(X: Any, roles: Roles, *, cuts: Any, missing: str, rules: Rules) -> GroupCounts:
    """The cells: the label counted against itself."""
    return GroupCounts.from_frame(
        X,
        label=roles.label,
        prediction=roles.label,
        sensitive=roles.sensitive,
        cuts=cuts,
        missing=missing,
        na=rules.na,
        decimal=rules.decimal,
    )


def cell_sizes(counts: GroupCounts) -> dict[tuple[Leaf, Any], int]:
    """Rows of every cell of every leaf that has rows, by its levels and its label."""
    own = np.diagonal(counts.table, axis1=1, axis2=2).tolist()
    return {
        (leaf, label): n
        for leaf, sizes in zip(counts.leaves, own, strict=True)
        for label, n in zip(counts.classes, sizes, strict=True)
    }


def shortfalls(counts: GroupCounts, per_cell: str | int) -> dict[tuple[Leaf, Any], int]:
    """How many rows each cell lacks to have `per_cell`, or as many as the largest."""
    sizes = cell_sizes(counts)
    target = per_cell if isinstance(per_cell, int) else max(sizes.values())
    return {cell: target - n for cell, n in sizes.items() if n < target}


def sample(X: Any, counts: GroupCounts, roles: Roles, *, rules: Rules, seed: Sequence[int]) -> pl.DataFrame:
    """Rows of every cell, at most :data:`MOST` together, in an order that only their values and the seed decide."""
    import polars as pl

    engine = engine_of(X)
    sizes = np.diagonal(counts.table, axis1=1, axis2=2).ravel()
    limit = even_share(sizes, MOST, least=2)
    places = Places.of(X, counts, roles.sensitive, roles.label, rules)
    keyed = _Keyed(places, int(np.random.SeedSequence(list(seed)).generate_state(1, np.uint64)[0]))
    bound = np.ones(len(sizes))
    large = sizes > limit
    if large.any():
        sketch = pl.DataFrame(schema={CELL: pl.Int64(), KEY: pl.Float64()})
        distinct = _estimated(engine.kept(_Sketch(keyed), sketch, CELL), len(sizes))
        bound[large] = np.minimum(_ROOM * (limit + 6.0 * np.sqrt(limit) + 20.0) / distinct[large], 1.0)
    columns = engine.schema()
    added = {CELL: pl.Int64(), KEY: pl.Float64(), ROWS: pl.Int64()}
    kept = columns.with_columns(pl.Series(name, [], dtype) for name, dtype in added.items())
    work = _Sample(keyed, bound, limit)
    return _thinned(work.merge(engine.kept(work, kept, CELL)), limit, seed).drop(list(added))


@dataclass(frozen=True)
class _Keyed:
    """A batch with the cell and the hash of every row; hashes are uniform in [0, 1)."""

    places: Callable[[pl.DataFrame], IntArray]
    seed: int

    def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
        import polars as pl
        import polars.selectors as cs

        floats = [cs.by_name(name).as_expr() for name in batch.select(cs.float()).columns]
        # -0.0 equals 0.0, and chance would decide which of them is kept.
        batch = batch.with_columns(pl.when(x == 0.0).then(0.0).otherwise(x).name.keep() for x in floats)
        plain = batch.with_columns((cs.categorical() | cs.enum() | cs.by_dtype(pl.Null)).cast(pl.String))
        hashes = plain.hash_rows(self.seed).to_numpy() >> np.uint64(11)
        keys: FloatArray = hashes.astype(np.float64) * 2.0**-53
        return batch.with_columns(pl.Series(CELL, self.places(batch)), pl.Series(KEY, keys))


@dataclass(frozen=True)
class _Sketch:
    """The smallest hashes of every cell."""

    keyed: _Keyed

    def keep(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Those of a batch."""
        keyed = self.keyed(batch).select(CELL, KEY)
        cells, keys = keyed[CELL].to_numpy(), keyed[KEY].to_numpy()
        # The smallest hashes of a cell nearly always lie below this bound, so only few rows are sorted. If repeated
        # rows leave too few distinct hashes, all rows of the cell are sorted.
        bound = 4 * _SKETCH / np.maximum(np.bincount(cells), 1)
        low = keys < bound[cells]
        found = self.merge(keyed.filter(low))
        enough = (np.bincount(found[CELL].to_numpy(), minlength=len(bound)) >= _SKETCH) | (bound >= 1.0)
        return found if enough.all() else self.merge(keyed.filter(low | ~enough[cells]))

    def merge(self, kept: pl.DataFrame) -> pl.DataFrame:
        """Those of several batches."""
        return _smallest(kept.unique(), _SKETCH)


@dataclass(frozen=True)
class _Sample:
    """The rows of every cell with the smallest hashes, equal ones once, and how many there are.

    No row is kept whose hash is not below the bound of its cell.
    """

    keyed: _Keyed
    bound: FloatArray
    limit: int

    def keep(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Those of a batch."""
        import polars as pl
        import polars.selectors as cs

        keyed = self.keyed(batch)
        found = keyed.filter(keyed[KEY].to_numpy() < self.bound[keyed[CELL].to_numpy()])
        return found.group_by(cs.by_name(*found.columns)).agg(pl.len().cast(pl.Int64).alias(ROWS))

    def merge(self, kept: pl.DataFrame) -> pl.DataFrame:
        """Those of several batches."""
        import polars as pl
        import polars.selectors as cs

        others = [name for name in kept.columns if name != ROWS]
        merged = kept.group_by(cs.by_name(*others)).agg(pl.col(ROWS).sum())
        return _smallest(merged, self.limit)[kept.columns]


def _smallest(found: pl.DataFrame, k: int) -> pl.DataFrame:
    """The rows of each cell with the k smallest hashes, which differ."""
    found = found.sort(CELL, KEY)
    return found.filter(ranks(found[CELL].to_numpy()) < k) if found.height else found


def _estimated(smallest: pl.DataFrame, cells: int) -> FloatArray:
    """How many different rows each cell has, by its k-th smallest hash; exact where there are fewer than k."""
    place, keys = smallest[CELL].to_numpy(), smallest[KEY].to_numpy()
    n = np.bincount(place, minlength=cells).astype(np.float64)
    last = np.zeros(cells)
    last[place] = keys  # increasing within a cell, so the largest stays
    full = n >= _SKETCH
    n[full] = (_SKETCH - 1) / last[full]
    return n


def _thinned(found: pl.DataFrame, limit: int, seed: Sequence[int]) -> pl.DataFrame:
    """At most `limit` rows of each cell, equal rows as often as their share says."""
    found = found.sort(CELL, KEY)
    cells, times = found[CELL].to_numpy(), found[ROWS].to_numpy()
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    picked = []
    for start, end in zip(starts, [*starts[1:], len(cells)], strict=True):
        ends = np.cumsum(times[start:end])
        wanted = min(int(ends[-1]), limit)
        first = np.random.default_rng([*seed, 1, int(cells[start])]).random()
        points = (np.arange(wanted) + first) * (ends[-1] / wanted)
        picked.append(start + np.minimum(np.searchsorted(ends, points, side="right"), end - start - 1))
    return found[np.concatenate(picked)]


@dataclass(frozen=True, eq=False)
class RowMaker:
    """Makes the rows of each batch, in the columns of the table.

    Parameters
    ----------
    augmenter : HierarchicalAugmenter
        Fitted.
    batches : list of list of Piece
        What each batch holds.
    label : str
        The column of labels.
    like : polars.DataFrame
        The columns, without rows.
    """

    augmenter: Any
    batches: list[list[Piece]]
    label: str
    like: pl.DataFrame

    @classmethod
    def of(cls, augmenter: Any, batches: list[list[Piece]], label: str, like: pl.DataFrame) -> RowMaker:
        """With an augmenter of one thread: its tasks run next to each other."""
        alone = copy.copy(augmenter)
        alone.n_jobs = 1
        return cls(alone, batches, label, like)

    def __call__(self, number: int) -> pl.DataFrame:
        """The rows of a batch."""
        made = self.augmenter._batch(self.batches[number], number)
        rows: pl.DataFrame = made.X.with_columns(made.y.alias(self.label))
        return cast_like(rows, self.like.schema)


def augmented(X: Any, augmenter: Any, batches: list[list[Piece]], label: str, like: pl.DataFrame) -> Any:
    """The lazy frame with the rows of all batches, and the column :data:`SYNTHETIC`."""
    engine: Engine = engine_of(X)
    if SYNTHETIC in engine.names():
        raise InputError(f"The table has a column `{SYNTHETIC}` already. Was it augmented before? Drop it.")
    maker = RowMaker.of(augmenter, batches, label, like)
    return engine.with_rows(len(batches), maker, SYNTHETIC)
