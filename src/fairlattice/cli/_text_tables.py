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
_HELD = 2**28  # bytes of text whose table is held in memory while it is asked for several things
_ZEROS = r"^\s*0\d"
T = TypeVar("T")


def scan_text(path: Path, kind: str, as_text: bool, decimal: str | None) -> pl.LazyFrame:
    """The table of a text file, read in pieces; a small one is read at once."""
    layout = text_layout(path, kind)
    if layout.carriage:
        raise InputError(
            f"`{layout.path}` has lines that end with a carriage return alone. Convert them to line feeds first."
        )
    if layout.quoted:
        check_rows(layout, None)  # names the line of a quote that is open
    scan = text = _scan(layout, infer_schema=False)
    if not as_text and layout.path.stat().st_size <= _HELD:
        held = _with_types(
            layout, decimal, lambda types: _scan(layout, schema=types).collect(engine="streaming")
        )
        scan = held.lazy()
    elif not as_text:  # every pass over the rows reads their text again
        scan = _scan(layout, schema=_as_meant(layout, _types(layout, None), decimal))
    if layout.quoted:
        check_rows(layout, int(scan.select(pl.len()).collect(engine="streaming").item()))
    header, names = layout.header, text.collect_schema().names()
    return scan.rename(dict(zip(names, header, strict=True))) if len(header) == len(names) else scan


def read_text(path: Path, kind: str, as_text: bool, decimal: str | None) -> pl.DataFrame:
    """The table of a text file."""
    layout = text_layout(path, kind)
    try:
        frame = _read(layout) if as_text else _with_types(layout, decimal, lambda types: _read(layout, types))
    except UNREADABLE:
        check_rows(layout, None)  # names the line, where it can
        raise
    if layout.quoted or (frame.width and frame[:, -1].alias("values").null_count()):
        check_rows(layout, frame.height)
    return frame


def _with_types(layout: TextLayout, decimal: str | None, read: Callable[[pl.Schema], T]) -> T:
    """What `read` makes of the file, given the types that all rows allow, as they are meant."""
    # What is of digits alone and can be read as a number looks like one to whoever looks at all rows, too; so where
    # every value can be read as what the first rows are, no other type would be found.
    if layout.is_digits():
        types = _types(layout, _FIRST_ROWS)
        if pl.String not in types.values():
            with contextlib.suppress(pl.exceptions.ComputeError):
                return read(_as_meant(layout, types, decimal))
    return read(_as_meant(layout, _types(layout, None), decimal))


def _types(layout: TextLayout, rows: int | None) -> pl.Schema:
    """The types that the first rows allow, or all."""
    return _scan(layout, infer_schema_length=rows).collect_schema()


def _as_meant(layout: TextLayout, types: pl.Schema, decimal: str | None) -> pl.Schema:
    """The types, with text for digits that begin with zeros, as of zip codes.

    Where the decimal mark is a comma, numbers with a point are text too, to be read as thousands.
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
    return pl.scan_csv(layout.scanned(), glob=False, **layout.options, **options)


def _read(layout: TextLayout, types: pl.Schema | None = None) -> pl.DataFrame:
    """The table of a text file, as text without `types`."""
    with layout.open() as source:
        frame = pl.read_csv(source, schema=types, infer_schema=False, **layout.options)
    # Polars leaves doubled quotes in names as they are.
    names = layout.header
    return frame.rename(dict(zip(frame.columns, names, strict=True))) if len(names) == frame.width else frame
