"""What a table must be like for a command to make sense of it, and notes for its reader."""

from __future__ import annotations

from typing import Any

import polars as pl
import polars.selectors as cs

from fairlattice.exceptions import InputError
from fairlattice.groups import GroupCounts, GroupLattice
from fairlattice.groups._shared import check_agreement

_FIRST_ROWS = 10_000


def check_roles(frame: pl.DataFrame, label: str, sensitive: tuple[str, ...], cut: dict[str, Any]) -> None:
    """Raise if the label or a sensitive column cannot play its part."""
    _check_types(frame.schema, [label, *sensitive])
    check_infinite(frame, [label, *sensitive])
    _check_label(frame, label)
    for name in sensitive:
        if name not in cut:
            _check_identifier(frame, name)


def check_scan(
    table: pl.LazyFrame, columns: list[str], sensitive: tuple[str, ...], cut: dict[str, Any]
) -> None:
    """Raise, before a table is counted, if a column cannot play its part; looks at its first rows only."""
    _check_types(table.collect_schema(), columns)
    first = table.select(cs.by_name(columns)).head(_FIRST_ROWS).collect()
    for name in sensitive:
        if name not in cut and first.height:
            _check_identifier(first, name)
    _check_not_continuous(first, columns[0])


def period_order(schema: pl.Schema, name: str) -> list[str] | None:
    """The order of a column of periods that has one of its own; durations, which have none in time, are refused."""
    dtype = schema[name]
    if dtype.base_type() == pl.Duration:
        raise InputError(f"Column `{name}` of type {dtype} cannot be periods. Use numbers or dates.")
    return dtype.categories.to_list() if isinstance(dtype, pl.Enum) else None


def check_counted(counts: GroupCounts, label: str, prediction: str) -> None:
    """Raise if the label has one class only, or labels and predictions are spelled in two ways."""
    there = [c for c, n in zip(counts.classes, counts.table.sum(axis=(0, 2)), strict=True) if n > 0]
    _check_two_classes(label, len(there), there[0])
    check_agreement(counts, label, prediction)


def check_infinite(frame: pl.DataFrame, columns: list[str]) -> None:
    """Raise if one of the columns holds an infinite number."""
    for name in columns:
        column = _plain(frame, name)  # a schema is written anew, of all columns, each time it is asked for
        if column.dtype.is_float():
            n = int(column.is_infinite().sum() or 0)
            if n:
                raise InputError(f"Column `{name}` has {n:,} infinite values. Remove or replace them.")


def notes_on_attributes(lattice: GroupLattice) -> list[str]:
    """Sentences on attributes that are likely not meant as they are."""
    return [
        f"Attribute `{a.name}` is a number with {len(a.levels)} levels, each a group of its own. "
        f"Cut it into bands, as in {a.name}:25,45."
        for a in lattice.attributes
        if not a.cuts and len(a.levels) > 12 and all(isinstance(v, int | float) for v in a.levels[:-1])
    ]


def _plain(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column under a name that Polars takes for no pattern."""
    return frame.get_column(name).alias("values")


def _check_types(schema: pl.Schema, columns: list[str]) -> None:
    for name in columns:
        if schema[name].is_nested() or schema[name] in (pl.Binary, pl.Object):
            raise InputError(f"Column `{name}` has type {schema[name]}. Turn it into numbers or text.")


def _check_two_classes(label: str, n: int, first: Any) -> None:
    if n < 2:
        raise InputError(f"Label `{label}` has one class only, {first!r}. At least two are needed.")


def _check_label(frame: pl.DataFrame, label: str) -> None:
    column = _plain(frame, label)
    gone = column.null_count() + (int(column.is_nan().sum() or 0) if column.dtype.is_float() else 0)
    if gone:
        raise InputError(f"Label `{label}` has {gone:,} missing values. Remove these rows first.")
    _check_two_classes(label, column.n_unique(), column[0])
    _check_not_continuous(frame, label)


def _check_not_continuous(frame: pl.DataFrame, label: str) -> None:
    classes = _plain(frame, label).n_unique()
    if frame.schema[label].is_float() and frame.height >= 20 and classes > frame.height / 2:
        raise InputError(
            f"Label `{label}` has {classes:,} distinct numbers in {frame.height:,} rows. "
            "Turn it into classes first, as by a threshold."
        )


def _check_identifier(frame: pl.DataFrame, name: str) -> None:
    """Raise if an attribute that is not cut has nearly as many levels as there are rows."""
    levels = _plain(frame, name).n_unique()
    if frame.height >= 20 and levels > frame.height / 2:
        advice = f", or cut it, as in {name}:25,45" if frame.schema[name].is_numeric() else ""
        raise InputError(
            f"Attribute `{name}` has {levels:,} levels in {frame.height:,} rows, like an identifier. "
            f"Leave it out{advice}."
        )
