"""The table that a CSV or TSV file holds: columns with the types that all of its rows allow, or as text.

Digits that begin with zeros, as of zip codes, stay the text that they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import polars.selectors as cs

from fairlattice.cli._reading import UNREADABLE
from fairlattice.cli._text_files import TextLayout, check_rows, text_layout
from fairlattice.exceptions import InputError

_FIRST_ROWS = 1000
_HELD = 2**28  # bytes; a smaller text file is parsed once, and its table is kept in memory for all passes
_ZEROS = r"^\s*0\d"
T = TypeVar("T")
Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)


def scan_text(path: Path, kind: str, as_text: bool, decimal: str | None) -> pl.LazyFrame:
    """Scan a text file lazily; a small file is parsed into memory first, unless it is wanted as text."""
    layout = text_layout(path, kind)
    if layout.carriage:
        raise InputError(
            f"`{layout.path}` has lines that end with a carriage return alone. Convert them to line feeds first."
        )
    if layout.quoted:
        check_rows(layout, None)  # names the line of a quote that is open
    scan = text = _scan(layout, infer_schema=False)
    if not as_text and layout.path.stat().st_size <= _HELD:
        held = _read_with_types(
            layout, decimal, lambda types: _scan(layout, schema=types).collect(engine="streaming")
        )
        scan = held.lazy()
    elif not as_text:  # each pass over the rows parses the text again
        scan = _scan(layout, schema=_with_codes_as_text(layout, _inferred_types(layout, None), decimal))
    if layout.quoted or layout.empty:
        check_rows(layout, int(scan.select(pl.len()).collect(engine="streaming").item()))
    header, names = layout.header, text.collect_schema().names()
    return scan.rename(dict(zip(names, header, strict=True))) if len(header) == len(names) else scan


def read_text(path: Path, kind: str, as_text: bool, decimal: str | None) -> pl.DataFrame:
    """The table of a text file."""
    layout = text_layout(path, kind)
    try:
        frame = (
            _read(layout)
            if as_text
            else _read_with_types(layout, decimal, lambda types: _read(layout, types))
        )
    except UNREADABLE:
        check_rows(layout, None)  # names the line, where it can
        raise
    if layout.quoted or layout.empty or (frame.width and frame[:, -1].alias("values").null_count()):
        check_rows(layout, frame.height)
    return frame


def _read_with_types(layout: TextLayout, decimal: str | None, read: Callable[[pl.Schema], T]) -> T:
    """Call `read` with column types that fit every row, and return what it returns."""
    # In a file of digits, points and minus signs, inference over all rows yields numbers only. If every value can be
    # parsed with the types inferred from the first rows, inference over all rows would yield the same types.
    if layout.has_only_digits():
        types = _inferred_types(layout, _FIRST_ROWS)
        if pl.String not in types.values():
            with contextlib.suppress(pl.exceptions.ComputeError):
                return read(_with_codes_as_text(layout, types, decimal))
    return read(_with_codes_as_text(layout, _inferred_types(layout, None), decimal))


def _inferred_types(layout: TextLayout, rows: int | None) -> pl.Schema:
    """Infer the column types from the first `rows` rows, or from all rows if it is None."""
    return _scan(layout, infer_schema_length=rows).collect_schema()


def _with_codes_as_text(layout: TextLayout, types: pl.Schema, decimal: str | None) -> pl.Schema:
    """Return the types, with text for columns that hold digits with leading zeros, such as zip codes.

    If the decimal mark is a comma, columns of numbers with a point become text as well. The points are later read as
    thousands separators.
    """
    numbers = [name for name, dtype in types.items() if dtype.is_numeric()]
    codes = []
    if numbers and layout.has_leading_zeros():
        zeros = _scan(layout, infer_schema=False).select(cs.by_name(numbers).str.contains(_ZEROS).any())
        found = zeros.collect(engine="streaming")
        codes = [name for name in numbers if found.get_column(name).item()]
    pointed = [name for name, dtype in types.items() if dtype.is_float()] if decimal == "," else []
    return pl.Schema({**types, **dict.fromkeys([*codes, *pointed], pl.String())})


def _scan(layout: TextLayout, **options: Any) -> pl.LazyFrame:
    scan = pl.scan_csv(layout.scan_source(), glob=False, **layout.options, **options)
    return _without_empty_lines(scan, scan.collect_schema().names(), layout) if layout.empty else scan


def _without_empty_lines(rows: Rows, names: list[str], layout: TextLayout) -> Rows:
    """The rows, except those that are empty lines and have no value; any other stays and is counted one too many."""
    place = max(names, key=len) + "_"  # longer than the name of any column
    empty = pl.col(place).is_in(list(layout.empty)) & pl.all_horizontal(cs.exclude(place).is_null())
    return rows.with_row_index(place).filter(~empty).drop(cs.by_name(place))


def _read(layout: TextLayout, types: pl.Schema | None = None) -> pl.DataFrame:
    """The table of a text file, as text without `types`."""
    with layout.open() as source:
        frame = pl.read_csv(source, schema=types, infer_schema=False, **layout.options)
    if layout.empty:
        frame = _without_empty_lines(frame, frame.columns, layout)
    # Polars leaves doubled quotes in names as they are.
    names = layout.header
    return frame.rename(dict(zip(frame.columns, names, strict=True))) if len(names) == frame.width else frame
