"""Engines of lazy frames: work done where the rows are, once for each partition, and rows made there.

Work goes out as a function of polars frames, and what comes back is small. Polars reads in batches, Dask in its
workers, Spark in its executors, DuckDB in the process that asks.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import narwhals as nw

from fairlattice._validation import as_native
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    import polars as pl

Work = Callable[[Iterator["pl.DataFrame"]], "pl.DataFrame"]
"""What is done with the batches of one partition."""
Maker = Callable[[int], "pl.DataFrame"]
"""Makes the rows of one number, which is all that they depend on."""


_A_TASK = (
    16  # batches that a task of Spark makes, one after the other: a million rows, so that files are not small
)


class Engine(Protocol):
    """Where a lazy frame is computed."""

    def partitions(self, work: Work, like: pl.DataFrame) -> Iterable[pl.DataFrame]:
        """What `work` returns for each partition: frames like `like`, which has no rows."""
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
    with unannounced():
        return isinstance(as_native(data), nw.LazyFrame)


def engine_of(data: Any) -> Engine:
    """The engine of a lazy frame.

    Raises
    ------
    InputError
        If it is none of polars, Dask, Spark and DuckDB.
    """
    with unannounced():
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


@contextmanager
def unannounced() -> Iterator[None]:
    """Narwhals announces that its support of Dask will be a package of its own; no user can act on it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Dask support is moving", FutureWarning)
        yield


@dataclass(frozen=True, eq=False)
class PolarsEngine:
    """Polars' streaming engine."""

    frame: Any

    def partitions(self, work: Work, like: pl.DataFrame) -> Iterable[pl.DataFrame]:
        """As :class:`Engine` says; every batch is a partition."""
        found = self.frame.map_batches(lambda batch: work(iter([batch])), schema=like.schema, streamable=True)
        return [found.collect(engine="streaming")]

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
                made = make(number).with_columns(pl.lit(True).alias(flag)).cast(schema)
                made = made if predicate is None else made.filter(predicate)
                made = made if columns is None else made.select(columns)
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

    def partitions(self, work: Work, like: pl.DataFrame) -> Iterable[pl.DataFrame]:  # noqa: ARG002
        """As :class:`Engine` says."""
        from dask.base import compute
        from dask.delayed import delayed

        parts = self.frame.to_delayed()
        found: Iterable[pl.DataFrame] = compute(  # type: ignore[no-untyped-call]
            *[delayed(_worked)(part, work) for part in parts]
        )
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


def _frame_of(table: Any) -> pl.DataFrame:
    """An Arrow table or batch as a polars frame."""
    import polars as pl

    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _worked(part: Any, work: Work) -> pl.DataFrame:
    import polars as pl

    return work(iter([pl.from_pandas(part)]))


def _made_pandas(make: Maker, number: int, flag: str, like: Any) -> Any:
    made = make(number).to_pandas().assign(**{flag: True})
    return made[list(like.columns)].astype(like.dtypes.to_dict())


@dataclass(frozen=True, eq=False)
class SparkEngine:
    """Spark: tasks on its executors, which exchange Arrow tables."""

    frame: Any

    def partitions(self, work: Work, like: pl.DataFrame) -> Iterable[pl.DataFrame]:
        """As :class:`Engine` says."""
        from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

        own = self.frame.schema
        kept = [field for field in own.fields if field.name in like.columns]
        added = like.drop([field.name for field in kept]).to_arrow().schema
        fields = {field.name: field for field in [*kept, *from_arrow_schema(added).fields]}
        schema = type(own)([fields[name] for name in like.columns])
        arrow = to_arrow_schema(schema)

        def task(batches: Iterator[Any]) -> Iterator[Any]:
            yield from work(map(_frame_of, batches)).to_arrow().cast(arrow).to_batches()

        return [_frame_of(self.frame.mapInArrow(task, schema).toArrow())]

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
                    yield from made.select(arrow.names).to_arrow().cast(arrow).to_batches()

        numbers = self.frame.sparkSession.range(0, n, 1, -(-n // _A_TASK))
        return whole.unionByName(numbers.mapInArrow(task, whole.schema))


@dataclass(frozen=True, eq=False)
class DuckDBEngine:
    """DuckDB: batches in this process."""

    frame: Any

    def partitions(self, work: Work, like: pl.DataFrame) -> Iterable[pl.DataFrame]:  # noqa: ARG002
        """As :class:`Engine` says."""
        return [work(map(_frame_of, self.frame.to_arrow_reader()))]

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
