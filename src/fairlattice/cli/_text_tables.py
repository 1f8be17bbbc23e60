"""The table that a CSV or TSV file holds: columns with the types that all of its rows allow, or as text.

Digits that begin with zeros, as of zip codes, stay the text that they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

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
    options = {"glob": False, **layout.options}
    if layout.quoted:
        check_rows(layout, None)  # names the line of a quote that is open
    source = layout.scanned()
    scan = text = pl.scan_csv(source, infer_schema=False, **options)
    names = text.collect_schema().names()

    def typed(types: pl.Schema) -> pl.LazyFrame:
        numbers = [name for name, dtype in types.items() if dtype.is_numeric()]
        codes = []
        if numbers and layout.has_leading_zeros():
            zeros = text.select(cs.by_name(numbers).str.contains(_ZEROS).any()).collect(engine="streaming")
            codes = [name for name in numbers if zeros.get_column(name).item()]
        pointed = [name for name, dtype in types.items() if dtype.is_float()] if decimal == "," else []
        found = pl.Schema({**types, **dict.fromkeys([*codes, *pointed], pl.String())})
        return pl.scan_csv(source, schema=found, **options)

    if (
        not as_text and layout.path.stat().st_size <= _HELD
    ):  # else every pass over the rows reads their text again
        scan = _with_types(layout, lambda types: typed(types).collect(engine="streaming")).lazy()
    elif not as_text:
        scan = typed(_types(layout, None))
    if layout.quoted:
        check_rows(layout, int(scan.select(pl.len()).collect(engine="streaming").item()))
    header = layout.header
    return scan.rename(dict(zip(names, header, strict=True))) if len(header) == len(names) else scan


def read_text(path: Path, kind: str, as_text: bool, decimal: str | None) -> pl.DataFrame:
    """The table of a text file."""
    layout = text_layout(path, kind)
    try:
        frame = _read(layout) if as_text else _with_types(layout, lambda types: _read(layout, types))
    except UNREADABLE:
        check_rows(layout, None)  # names the line, where it can
        raise
    if layout.quoted or (frame.width and frame[:, -1].alias("values").null_count()):
        check_rows(layout, frame.height)
    return frame if as_text else _with_codes(frame, layout, decimal)


def _with_types(layout: TextLayout, read: Callable[[pl.Schema], T]) -> T:
    """What `read` makes of the file, given the types that all rows allow."""
    # What is of digits alone and can be read as a number looks like one to whoever looks at all rows, too; so where
    # every value can be read as what the first rows are, no other type would be found.
    if layout.is_digits():
        types = _types(layout, _FIRST_ROWS)
        if pl.String not in types.values():
            with contextlib.suppress(pl.exceptions.ComputeError):
                return read(types)
    return read(_types(layout, None))


def _types(layout: TextLayout, rows: int | None) -> pl.Schema:
    """The types that the first rows allow, or all."""
    scan = pl.scan_csv(layout.scanned(), infer_schema_length=rows, glob=False, **layout.options)
    return scan.collect_schema()


def _read(
    layout: TextLayout, types: pl.Schema | None = None, columns: list[str] | None = None
) -> pl.DataFrame:
    """The table of a text file, as text without `types`; `columns` are those to read, by their own names."""
    with layout.open() as source:
        frame = pl.read_csv(
            source,
            schema=types,
            infer_schema=False,
            columns=None if columns is None else [layout.header.index(name) for name in columns],
            **layout.options,
        )
    # Polars leaves doubled quotes in names as they are.
    names = layout.header if columns is None else columns
    return frame.rename(dict(zip(frame.columns, names, strict=True))) if len(names) == frame.width else frame


def _with_codes(frame: pl.DataFrame, layout: TextLayout, decimal: str | None) -> pl.DataFrame:
    """The table with digits that begin with zeros, as of zip codes, as the text that they are.

    Where the decimal mark is a comma, numbers with a point are text too, to be read as thousands.
    """
    if len(layout.header) != frame.width:
        return frame
    numbers = [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
    pointed = [name for name, dtype in frame.schema.items() if dtype.is_float()] if decimal == "," else []
    zeros = numbers if layout.has_leading_zeros() else []
    if not zeros and not pointed:
        return frame
    wanted = zeros or pointed
    text = _read(layout, columns=wanted)
    return frame.with_columns(
        text.get_column(name) for name in text.columns if name in pointed or _has_zeros(text, name)
    )


def _has_zeros(text: pl.DataFrame, name: str) -> bool:
    return bool(text.get_column(name).alias("values").str.contains(_ZEROS).any())
