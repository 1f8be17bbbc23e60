"""``fairlattice augment`` on a table larger than memory: read in pieces, written in pieces.

One pass counts the cells, one takes a sample of each for the fit, and one copies the rows as they are
to the new file while new rows are made below them, batch by batch. Into a folder go a file for each of the
table's own, and one of the new rows.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import polars as pl
import polars.selectors as cs
from polars.io.plugins import register_io_source

from fairlattice._files import FolderWriter, Writer, write_part
from fairlattice._validation import IntArray, check_count
from fairlattice.cli._augment import augmented
from fairlattice.cli._augment_rows import PARENTS, check_names, new_rows, parents_text
from fairlattice.cli._checks import check_scan
from fairlattice.cli._fit_rows import rows_per_cell, sample_rows
from fairlattice.cli._options import Columns, reading_options
from fairlattice.cli._output import progress
from fairlattice.cli._reading import reading
from fairlattice.cli._skeleton import Found
from fairlattice.cli._tables import is_text, lazy_writer, scan_parts, scan_rows, table_format
from fairlattice.cli._text_files import SEPARATORS
from fairlattice.cli._text_style import TextStyle
from fairlattice.exceptions import FairlatticeWarning, InputError
from fairlattice.groups import GroupCounts
from fairlattice.samplers import HierarchicalAugmenter
from fairlattice.samplers._shared import SYNTHETIC, Roles, cast_like, cell_sizes, counted, shortfalls
from fairlattice.tables._shared import Rules

if TYPE_CHECKING:
    from fairlattice.samplers import Augmented


def augment_stream(
    arguments: argparse.Namespace, augmenter: HierarchicalAugmenter, per_cell: str | int
) -> Found:
    """Count, sample, fit; rows are drawn while they are written."""
    path, origin = arguments.table, not arguments.no_origin
    with (
        reading(path),
        warnings.catch_warnings(record=True) as caught,
        progress("counting and fitting") as bar,
    ):
        warnings.simplefilter("always", FairlatticeWarning)
        table = scan_rows(path, decimal=arguments.decimal)
        schema = table.collect_schema()
        columns = Columns.parse(arguments, schema.names())
        check_names(schema.names(), origin=origin)
        features = _feature_names(schema, columns)
        _check(table, columns, features)
        rules = Rules(arguments.na, arguments.decimal)
        counts = _counted(table, columns, rules)
        bar(1, 3)
        limit = _limit(arguments.fit_rows, counts)
        sample, numbers = sample_rows(table, counts, columns.label, limit, arguments.seed, rules)
        bar(2, 3)
        reading_as = reading_options(arguments, features)
        augmenter.set_params(sensitive=columns.sensitive, cuts=columns.cuts, **reading_as)
        augmenter.fit(sample[features], sample.get_column(columns.label))
        bar(3, 3)
    wanted = shortfalls(counts, per_cell)
    rows = {cell: (n, wanted.get(cell, 0)) for cell, n in cell_sizes(counts).items()}
    synthetic = sum(wanted.values())
    batches = _Batches(augmenter.batches(wanted), numbers, synthetic)
    write = _folder_writer if arguments.out_folder else _file_writer
    writer = write(arguments, columns, schema, batches)
    return augmented(
        arguments, augmenter, rows, columns, (counts.n, synthetic), writer, caught, fit_rows=limit
    )


class _Batches:
    """Batches of new rows, in the columns of the original table; parents by row number in it."""

    def __init__(self, batches: Iterator[Augmented], numbers: IntArray, total: int) -> None:
        self.batches, self.numbers, self.total = batches, numbers, total

    def frames(self, schema: pl.Schema, columns: Columns, *, origin: bool) -> Iterator[pl.DataFrame]:
        """Frames of the original columns, and those of the origin if asked."""
        done = 0
        with progress("drawing rows") as bar:
            for more in self.batches:
                frame = new_rows(more.X, more.y, schema, columns)
                if origin:
                    parents = parents_text(self.numbers[more.origin.parents])
                    frame = frame.with_columns(pl.lit(True).alias(SYNTHETIC), parents.alias(PARENTS))
                done += frame.height
                bar(done, self.total)
                yield frame


def _file_writer(
    arguments: argparse.Namespace, columns: Columns, typed: pl.Schema, batches: _Batches
) -> Writer:
    """How to write one file: the rows as they are, and the new ones below them."""
    path, origin = arguments.table, not arguments.no_origin
    # From text to text the original rows keep their very text, such as the zeros of 007.
    verbatim = is_text(path) and is_text(arguments.out)
    original = _with_origin(scan_rows(path, as_text=verbatim, decimal=arguments.decimal), origin=origin)
    kind = table_format(arguments.out)
    style = TextStyle.of(kind, path if verbatim else None) if kind in SEPARATORS else None
    if style is None:
        new = _new(batches, typed, columns, original.collect_schema(), origin=origin)
        original = pl.concat([original, new])

    def write(target: IO[bytes]) -> None:
        with reading(path):
            if style is None:
                lazy_writer(original, arguments.out)(target)
                return
            style.write(original, target)
            for frame in batches.frames(typed, columns, origin=origin):  # numbers below text, as they are
                style.write(frame, target, header=False)

    return write


def _folder_writer(
    arguments: argparse.Namespace, columns: Columns, typed: pl.Schema, batches: _Batches
) -> FolderWriter:
    """How to write a folder: a file for each of the table's own, and one of the new rows."""
    path, origin = arguments.table, not arguments.no_origin
    whole = scan_rows(path, decimal=arguments.decimal)
    schema = _with_origin(whole, origin=origin).collect_schema()
    new = _new(batches, typed, columns, schema, origin=origin)

    def fill(folder: Path) -> None:
        names = set()
        with reading(path):
            for name, rows in scan_parts(path, whole):
                part = folder / name
                write_part(part, lazy_writer(_with_origin(rows, origin=origin), part))
                names.add(name.casefold())
            if batches.total:
                free = (f"synthetic{'-' * n}.parquet" for n in count())
                part = folder / next(name for name in free if name not in names)
                write_part(part, lazy_writer(new, part))

    return FolderWriter(fill)


def _with_origin(rows: pl.LazyFrame, *, origin: bool) -> pl.LazyFrame:
    """Original rows, with the columns of the origin if asked."""
    if not origin:
        return rows
    return rows.with_columns(pl.lit(False).alias(SYNTHETIC), pl.lit(None, dtype=pl.String).alias(PARENTS))


def _new(
    batches: _Batches, typed: pl.Schema, columns: Columns, schema: pl.Schema, *, origin: bool
) -> pl.LazyFrame:
    """The new rows, made while they are read."""

    def source(
        with_columns: list[str] | None, _predicate: Any, _n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in batches.frames(typed, columns, origin=origin):
            whole = cast_like(frame, schema)
            yield whole if with_columns is None else whole[with_columns]

    return register_io_source(source, schema=schema)


def _feature_names(schema: pl.Schema, columns: Columns) -> list[str]:
    empty = pl.DataFrame(schema=schema)
    columns.features(empty)
    return columns.features(empty, keep_sensitive=True).columns


def _check(table: pl.LazyFrame, columns: Columns, features: list[str]) -> None:
    """Raise if a column cannot play its part."""
    schema = table.collect_schema()
    check_scan(table, [columns.label, *columns.sensitive], columns.sensitive, columns.cuts)
    numbers = [name for name in [*features, columns.label] if schema[name].is_float()]
    if not numbers:
        return
    infinite = table.select(cs.by_name(numbers).is_infinite().sum()).collect(engine="streaming")
    for name, n in infinite.row(0, named=True).items():
        if n:
            raise InputError(f"Column `{name}` has {n:,} infinite values. Remove or replace them.")


def _counted(table: pl.LazyFrame, columns: Columns, rules: Rules) -> GroupCounts:
    """Count the cells; refuse a label of one class."""
    roles = Roles(columns.label, tuple(columns.sensitive))
    counts = counted(table, roles, cuts=columns.cuts, missing="level", rules=rules)
    if len(counts.classes) < 2:
        raise InputError(
            f"Label `{columns.label}` has one class only, {counts.classes[0]!r}. At least two are needed."
        )
    return counts


def _limit(fit_rows: int | None, counts: GroupCounts) -> int:
    if fit_rows is None:
        return rows_per_cell(np.diagonal(counts.table, axis1=1, axis2=2).ravel())
    return check_count("--fit-rows", fit_rows, 2)
