"""Engines of lazy frames: work done where the rows are, and rows made there.

Work goes out, and what comes back is small: each partition keeps a few rows, which are merged on the way, so that no
process holds more for a larger table. Polars reads in batches, Dask in its workers, Spark in its executors, DuckDB in
the process that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import narwhals as nw

from fairlattice._validation import as_native
from fairlattice.exceptions import InputError
from fairlattice.groups._shared import without_dask_notice

if TYPE_CHECKING:
    import polars as pl

_MANY = 50_000  # rows kept that are worth merging
_BATCH = 100_000  # rows that DuckDB gives at a time
_TOGETHER = 8  # frames that a task of Dask merges
Maker = Callable[[int], "pl.DataFrame"]
"""Makes the rows of one number, which is all that they depend on."""


_A_TASK = 16  # batches that a task of Spark makes in turn: a million rows, so that files are not small


class Work(Protocol):
    """Keeps some rows of a table, whatever the order and the batches that it comes in."""

    def keep(self, batch: pl.DataFrame) -> pl.DataFrame:
        """What is kept of a batch of the table."""
        ...

    def merge(self, kept: pl.DataFrame) -> pl.DataFrame:
        """What is kept of all that was kept of several batches; merging again changes nothing."""
        ...


class Engine(Protocol):
    """Where a lazy frame is computed."""

    def kept(self, work: Work, like: pl.DataFrame, by: str) -> pl.DataFrame:
        """What `work` keeps of the table: a frame like `like`, which has no rows.

        Rows of different values of the column `by` do not meet when they are merged.
        """
        ...

    def names(self) -> list[str]:
        """Names of the columns."""
        ...

    def schema(self) -> pl.DataFrame:
        """The columns, without rows."""
        ...

    def with_rows(self, n: int, make: Maker, flag: str) -> Any:
        """The frame with what `make` makes of each number below n; a new column `flag` says which rows are new."""
        ...


def is_lazy(data: Any) -> bool:
    """Whether data are a frame that computes nothing until it is asked."""
    with without_dask_notice():
        return isinstance(as_native(data), nw.LazyFrame)


def engine_of(data: Any) -> Engine:
    """The engine of a lazy frame.

    Raises
    ------
    InputError
        If it is none of polars, Dask, Spark and DuckDB.
    """
    with without_dask_notice():
        kind = as_native(data).implementation
    native = nw.to_native(data, pass_through=True)
    if kind.is_polars():
        return PolarsEngine(native)
    if kind.is_dask():
        return DaskEngine(native)
    if kind.is_pyspark():
        return SparkEngine(native)
    if kind.is_duckdb():
        return DuckDBEngine(native)
    raise InputError(
        f"A lazy frame of {kind.name.lower()} cannot be augmented. Pass one of polars, Dask or Spark, or collect it."
    )


class _Kept:
    """What work keeps of many batches, merged whenever it has doubled."""

    def __init__(self, work: Work, like: pl.DataFrame | None = None) -> None:
        self.work, self.frames = work, [] if like is None else [like]
        self.rows = self.merged = 0

    def add(self, kept: pl.DataFrame) -> None:
        """Take in what was kept of a batch."""
        self.frames.append(kept)
        self.rows += kept.height
        if self.rows > max(2 * self.merged, _MANY):
            self.frames = [self.frame()]
            self.rows = self.merged = self.frames[0].height

    def frame(self) -> pl.DataFrame:
        """All of it, merged."""
        import polars as pl

        return self.work.merge(pl.concat(self.frames, how="vertical_relaxed"))


def _kept_of(batches: Iterable[pl.DataFrame], work: Work, like: pl.DataFrame) -> pl.DataFrame:
    """What work keeps of the batches of a partition."""
    found = _Kept(work, like)
    for batch in batches:
        if batch.height:
            found.add(work.keep(batch))
    return found.frame()


@dataclass(frozen=True, eq=False)
class PolarsEngine:
    """Polars' streaming engine."""

    frame: Any

    def kept(self, work: Work, like: pl.DataFrame, by: str) -> pl.DataFrame:  # noqa: ARG002
        """As :class:`Engine` says; batches come from several threads."""
        found, alone = _Kept(work, like), Lock()

        def taken(batch: pl.DataFrame) -> pl.DataFrame:
            if batch.height:
                kept = work.keep(batch)
                with alone:
                    found.add(kept)
            return like

        self.frame.map_batches(taken, schema=like.schema, streamable=True).collect(engine="streaming")
        return found.frame()

    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.collect_schema().names())

    def schema(self) -> pl.DataFrame:
        """The columns, without rows."""
        import polars as pl

        return pl.DataFrame(schema=self.frame.collect_schema())

    def with_rows(self, n: int, make: Maker, flag: str) -> Any:
        """As :class:`Engine` says."""
        import polars as pl
        from polars.io.plugins import register_io_source

        whole = self.frame.with_columns(pl.lit(False).alias(flag))
        schema = whole.collect_schema()

        def source(columns: Any, predicate: Any, most: Any, _size: Any) -> Iterator[pl.DataFrame]:
            left = most
            for number in range(n):
                made = cast_like(make(number).with_columns(pl.lit(True).alias(flag)), schema)
                made = made if predicate is None else made.filter(predicate)
                made = made if columns is None else made[columns]
                if left is not None:
                    made, left = made.head(left), left - min(left, made.height)
                yield made
                if left == 0:
                    return

        return pl.concat([whole, register_io_source(source, schema=schema)])


@dataclass(frozen=True, eq=False)
class DaskEngine:
    """Dask: tasks on its workers."""

    frame: Any

    def kept(self, work: Work, like: pl.DataFrame, by: str) -> pl.DataFrame:  # noqa: ARG002
        """As :class:`Engine` says."""
        from dask.delayed import delayed

        kept = [delayed(_kept_of_pandas)(part, work, like) for part in self.frame.to_delayed()]
        while len(kept) > 1:
            some = [kept[first : first + _TOGETHER] for first in range(0, len(kept), _TOGETHER)]
            kept = [delayed(_merged)(work, frames) for frames in some]
        found: pl.DataFrame = kept[0].compute()
        return found

    def names(self) -> list[str]:
        """Names of the columns."""
        return [str(name) for name in self.frame.columns]

    def schema(self) -> pl.DataFrame:
        """The columns, without rows."""
        import polars as pl

        return pl.from_pandas(self.frame._meta_nonempty).clear()

    def with_rows(self, n: int, make: Maker, flag: str) -> Any:
        """As :class:`Engine` says."""
        import dask.dataframe as dd
        from dask.delayed import delayed

        whole = self.frame.assign(**{flag: False})
        maker = delayed(make, pure=False)  # sent once to each worker
        made = [delayed(_made_pandas)(maker, number, flag, whole._meta) for number in range(n)]
        if not made:
            return whole
        new = dd.from_delayed(made, meta=whole._meta)
        return dd.concat([whole, new])  # type: ignore[no-untyped-call]


def cast_like(frame: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    """The columns of a schema with its types; unlike polars' `select` and `cast` it takes any name for a name."""
    import polars as pl

    columns = {name: frame.get_column(name).alias("values").cast(dtype) for name, dtype in schema.items()}
    return pl.DataFrame(columns)


def _frame_of(table: Any) -> pl.DataFrame:
    """An Arrow table or batch as a polars frame."""
    import polars as pl

    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _kept_of_pandas(part: Any, work: Work, like: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return _kept_of([pl.from_pandas(part)], work, like)


def _merged(work: Work, frames: list[pl.DataFrame]) -> pl.DataFrame:
    import polars as pl

    return work.merge(pl.concat(frames, how="vertical_relaxed"))


def _made_pandas(make: Maker, number: int, flag: str, like: Any) -> Any:
    made = make(number).to_pandas().assign(**{flag: True})
    return made[list(like.columns)].astype(like.dtypes.to_dict())


@dataclass(frozen=True, eq=False)
class SparkEngine:
    """Spark: tasks on its executors, which exchange Arrow tables."""

    frame: Any

    def kept(self, work: Work, like: pl.DataFrame, by: str) -> pl.DataFrame:
        """As :class:`Engine` says; all that was kept of a value of `by` meets in one task."""
        from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

        own = self.frame.schema
        kept = [field for field in own.fields if field.name in like.columns]
        known = {field.name for field in kept}
        added = like[[name for name in like.columns if name not in known]].to_arrow().schema
        fields = {field.name: field for field in [*kept, *from_arrow_schema(added).fields]}
        schema = type(own)([fields[name] for name in like.columns])
        arrow = to_arrow_schema(schema)

        def first(batches: Iterator[Any]) -> Iterator[Any]:
            yield from _kept_of(map(_frame_of, batches), work, like).to_arrow().cast(arrow).to_batches()

        def then(batches: Iterator[Any]) -> Iterator[Any]:
            found = _Kept(work)
            for batch in batches:
                found.add(_frame_of(batch))
            if found.frames:
                yield from found.frame().to_arrow().cast(arrow).to_batches()

        kept = self.frame.mapInArrow(first, schema).repartition(by).mapInArrow(then, schema)
        return _frame_of(kept.toArrow())

    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.columns)

    def schema(self) -> pl.DataFrame:
        """The columns, without rows."""
        return _frame_of(self.frame.limit(0).toArrow())

    def with_rows(self, n: int, make: Maker, flag: str) -> Any:
        """As :class:`Engine` says."""
        from pyspark.sql import functions
        from pyspark.sql.pandas.types import to_arrow_schema

        whole = self.frame.withColumn(flag, functions.lit(False))
        if not n:
            return whole
        arrow = to_arrow_schema(whole.schema)

        def task(batches: Iterator[Any]) -> Iterator[Any]:
            import polars as pl

            for batch in batches:
                for number in batch.column(0).to_pylist():
                    made = make(number).with_columns(pl.lit(True).alias(flag))
                    yield from made[arrow.names].to_arrow().cast(arrow).to_batches()

        numbers = self.frame.sparkSession.range(0, n, 1, -(-n // _A_TASK))
        return whole.unionByName(numbers.mapInArrow(task, whole.schema))


@dataclass(frozen=True, eq=False)
class DuckDBEngine:
    """DuckDB: batches in this process."""

    frame: Any

    def kept(self, work: Work, like: pl.DataFrame, by: str) -> pl.DataFrame:  # noqa: ARG002
        """As :class:`Engine` says."""
        return _kept_of(map(_frame_of, self.frame.to_arrow_reader(_BATCH)), work, like)

    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.columns)

    def schema(self) -> pl.DataFrame:
        """The columns, without rows."""
        return self.frame.limit(0).pl()  # type: ignore[no-any-return]

    def with_rows(self, n: int, make: Maker, flag: str) -> Any:  # noqa: ARG002
        """DuckDB has no tasks to make rows in.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            "DuckDB runs no Python where it reads. Fit on its relation, and augment a polars scan of the same files, "
            "or take rows from `batches`."
        )
