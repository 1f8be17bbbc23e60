"""What is in a CSV or TSV file, where it is not what every program agrees on: separators, quotes, line ends.

What can be read is read, with a note; what would be a guess is refused, with the line that it is about.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from fairlattice._validation import BoolArray, printable
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import assume

SEPARATORS = {"csv": ",", "tsv": "\t"}
_OTHERS = ";\t|,"
_KINDS = {
    b"PK\x03\x04": "a ZIP archive, as an Excel workbook is. Save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel or Office file. Save the sheet as CSV",
    b"\x1f\x8b": "compressed by gzip. Decompress it first, as with gunzip",
    b"\x28\xb5\x2f\xfd": "compressed by zstd. Decompress it first",
    b"BZh": "compressed by bzip2. Decompress it first",
    b"\xfd7zXZ": "compressed by xz. Decompress it first",
    b"PAR1": "a Parquet file. Name it .parquet",
    b"ARROW1": "an Arrow file. Name it .arrow",
    b"\xff\xfe": "text in UTF-16. Convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "text in UTF-16. Convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8",
    b"%PDF": "a PDF. Save the table as CSV",
    b"SQLite format 3": "an SQLite database. Save the table as CSV",
}
_FIRST = 65_536
_SHOWN = 20  # rows that show what separates values
_EMPTY = re.compile(rb"\n\r?\n")
_BEFORE = b' "\t\r\n\f\v'  # signs between a separator and a value


@dataclass(frozen=True)
class TextLayout:
    """How a text file writes its table.

    Parameters
    ----------
    path : Path
        The file.
    separator : str
        Between values.
    skip : int
        Lines before the header.
    header : tuple of str
        Names of the columns.
    quote : str or None
        The sign around values that hold separators; None where quotes are part of values, as in 5".
    quoted : bool
        Whether some values are in quotes.
    carriage : bool
        Whether lines end with a carriage return alone.
    announced : bool
        Whether a first line such as ``sep=;`` says what separates.
    empty : tuple of int
        Positions of the rows that are empty lines, which polars reads as rows without values.
    """

    path: Path
    separator: str
    skip: int
    header: tuple[str, ...]
    quote: str | None = '"'
    quoted: bool = False
    carriage: bool = False
    announced: bool = False
    empty: tuple[int, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """Options that polars needs to parse the file."""
        return {"separator": self.separator, "quote_char": self.quote, "skip_lines": self.skip}

    def open(self) -> IO[bytes]:
        """The file, with line ends that every reader knows."""
        if not self.carriage:
            return self.path.open("rb")
        return io.BytesIO(self.path.read_bytes().replace(b"\r", b"\n"))

    def scan_source(self) -> Path | IO[bytes]:
        """Return the path; or bytes, if lines end in carriage returns or the name is not UTF-8, as polars needs."""
        if self.carriage:
            return self.open()
        try:
            str(self.path).encode()
        except UnicodeEncodeError:
            return io.BytesIO(self.path.read_bytes())
        return self.path

    def has_only_digits(self) -> bool:
        """Whether values hold only digits, points and minus signs; false if lines end in carriage returns."""
        if self.carriage:
            return False
        allowed = b"0123456789.-\r\n" + self.separator.encode()
        with self.path.open("rb") as source:
            for _ in range(self.skip + 1):
                source.readline()
            return not any(block.translate(None, allowed) for block in iter(lambda: source.read(2**20), b""))

    def has_leading_zeros(self) -> bool:
        """Whether some value may begin with a zero and another digit, as the code 00501; looked for quickly."""
        opening = rb"[\r\n" + re.escape(self.separator.encode()) + rb']\s*"?\s*0\d'
        before = np.isin(np.arange(256), np.frombuffer(self.separator.encode() + _BEFORE, np.uint8))
        return any(_zero_behind(before, block) and re.search(opening, block) for block in self._blocks())

    def _blocks(self) -> Iterator[bytes]:
        """The file in pieces, each of which begins with the end of the last."""
        tail = b"\n"
        with self.path.open("rb") as source:
            for block in iter(lambda: source.read(2**22), b""):
                yield tail + block
                tail = block[-64:]

    def may_have_empty_lines(self) -> bool:
        """Whether two line ends follow each other, within quotes or not.

        Raises
        ------
        InputError
            If a byte is zero, as in binary data.
        """
        found, tail = False, b"\n"  # a first line may be empty, too
        with self.open() as source:
            for block in iter(lambda: source.read(2**20), b""):
                if b"\x00" in block:
                    raise InputError(
                        f"`{self.path}` has a byte that is zero{self._line_of_zero()}, as binary data has. Remove it, "
                        "or name the file by its format."
                    )
                found = found or bool(_EMPTY.search(tail + block[:2]) or _EMPTY.search(block))
                tail = block[-2:]
        return found

    def _line_of_zero(self) -> str:
        with self.open() as source:
            return next(f" in line {n:,}" for n, line in enumerate(source, 1) if b"\x00" in line)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row below the header: the line where it ends, and its values; empty lines only of a single column.

        Raises
        ------
        InputError
            As :meth:`lines`.
        """
        return ((line, row) for line, row in self.lines() if row or len(self.header) < 2)

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Every row below the header: the line where it ends, and its values; an empty line has none.

        Raises
        ------
        InputError
            If a quote is not closed, or something follows one that is.
        """
        csv.field_size_limit(sys.maxsize)
        with self.open() as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
            for _ in range(self.skip):
                lines.readline()
            literal = {"quoting": csv.QUOTE_NONE} if self.quote is None else {"strict": True}
            reader = csv.reader(lines, delimiter=self.separator, **literal)
            started, header = 0, False
            try:
                for row in reader:
                    if header:
                        yield reader.line_num + self.skip, row
                    header, started = header or bool(row), reader.line_num
            except csv.Error as error:
                raise InputError(
                    f"`{self.path}` has a quote that is not closed, or not where a value begins or ends, in the row of "
                    f'line {started + 1 + self.skip}. Double the quotes within a value, as in "5"" pipe".'
                ) from error


def _zero_behind(before: BoolArray, block: bytes) -> bool:
    """Whether a zero and another digit stand behind one of some signs; many times as fast as a regular expression."""
    signs = np.frombuffer(block, np.uint8)
    zeros = np.flatnonzero((signs[1:-1] == ord("0")) & (signs[2:] - np.uint8(ord("0")) < 10))  # wraps below 0
    return bool(before[signs[zeros]].any())


def text_layout(path: Path, kind: str) -> TextLayout:
    """How a CSV or TSV file writes its table; what is unusual is reported.

    Raises
    ------
    InputError
        If the file is of another kind, or two columns have one name.
    """
    with path.open("rb") as source:
        start = source.read(_FIRST)
    check_kind(path, start)
    carriage = b"\r" in start and b"\n" not in start
    layout = TextLayout(path, SEPARATORS[kind], 0, (), carriage=carriage)
    if carriage:
        assume([f"`{path.name}`: lines end with a carriage return alone."])
    layout = _with_header(_without_preamble(layout))
    often = Counter(layout.header)
    twice = next((name for name in layout.header if often[name] > 1), None)
    if twice is not None:
        raise InputError(f"`{path}` has two columns named {twice!r}. Rename one.")
    return _with_empty_lines(_with_quotes(layout))


def check_kind(path: Path, start: bytes) -> None:
    """Raise if the first bytes of a text file are those of something else."""
    found = next((what for sign, what in _KINDS.items() if start.startswith(sign)), None)
    bare = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:100].lower()
    if bare.startswith((b"<!doctype html", b"<html", b"<?xml")):
        found = "a web page, not a table. Download the file itself"
    if bare.startswith((b'{"', b"{\n", b"[{", b"[\n")):
        found = "JSON. Save the table as CSV"
    if found is None and b"\x00" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        found = "binary data. Is it of another format?"
    if found is not None:
        raise InputError(
            f"`{path}` cannot be read: it is {found.rstrip('.?')}{'?' if found.endswith('?') else '.'}"
        )


def check_rows(layout: TextLayout, height: int | None) -> None:
    """Raise if a row has too many values, a quote is open, or the engine read another number of rows; note short rows.

    `height` is the number of rows that were read, None where they could not be.
    """
    width, n, short, first = len(layout.header), 0, 0, 0
    for line, row in layout.rows():
        n += 1
        if len(row) > width:
            raise InputError(
                f"`{layout.path}` cannot be read as CSV: line {line} has {len(row)} values for {width} columns. "
                "Put quotes around values that hold the separator."
            )
        if len(row) < width and width > 1:
            short, first = short + 1, first or line
    if height is not None and n != height:
        raise InputError(
            f"`{layout.path}` can be read in two ways, as {n:,} or {height:,} rows. Put quotes around whole values, "
            "and double those within."
        )
    if short:
        assume([
            f"`{layout.path.name}`: {short:,} rows have fewer than {width} values (first in line {first}); what they "
            "lack is taken as missing."
        ])  # fmt: skip


def _without_preamble(layout: TextLayout) -> TextLayout:
    """Skip a first line ``sep=;``, which says what separates, and comments above the header."""
    with layout.open() as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
        first = [lines.readline() for _ in range(50)]
    skip = 0
    said = re.fullmatch(r'"?sep=(.)"?[\r\n]*', first[0], re.IGNORECASE)
    if said:
        skip, layout = 1, replace(layout, separator=said[1], announced=True)
    comments = skip
    while comments < len(first) - 1 and first[comments].startswith("#"):
        comments += 1
    signs = layout.separator if layout.announced else layout.separator + _OTHERS
    if comments > skip and not _have_one_width(first[comments - 1], first[comments], signs):
        assume([f"`{layout.path.name}`: {comments - skip} lines of comments above the header are left out."])
        skip = comments
    return replace(layout, skip=skip)


def _have_one_width(above: str, below: str, separators: str) -> bool:
    """Whether two lines may be of one table, so that the upper is its header even where it begins with #."""
    widths = [
        [len(next(csv.reader([line], delimiter=sign), [])) for line in (above, below)] for sign in separators
    ]
    return any(a == b > 1 for a, b in widths) or all(a == b == 1 for a, b in widths)


def _with_header(layout: TextLayout) -> TextLayout:
    rows = _first_rows(layout)
    other = next((m for m in _OTHERS if m != layout.separator and _is_split_by(m, layout, rows)), None)
    if other is not None:
        layout = replace(layout, separator=other)
        rows = _first_rows(layout)
        assume(
            [
                f"`{layout.path.name}`: values are separated by {printable(other) if other != chr(9) else 'tabs'}."
            ]
        )
    return replace(layout, header=tuple(rows[0]) if rows else ())


def _is_split_by(other: str, layout: TextLayout, rows: list[list[str]]) -> bool:
    """Whether another sign separates values, given the first rows as the layout's own separator splits them."""
    if not rows or not any(other in name for name in rows[0]):
        return False
    if len(rows[0]) == 1:
        return True
    # The layout's own sign may stand in a name, as in `age;"income, EUR"`.
    cut = any('"' in name and other in name for name in rows[0])
    if len(rows) < 2 or not (cut or any(len(row) != len(rows[0]) for row in rows)):
        return False
    widths = {len(row) for row in _first_rows(replace(layout, separator=other))}
    return len(widths) == 1 and widths.pop() > len(rows[0])


def _first_rows(layout: TextLayout) -> list[list[str]]:
    """The header and some rows."""
    csv.field_size_limit(sys.maxsize)
    with layout.open() as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
        for _ in range(layout.skip):
            lines.readline()
        rows = (row for row in csv.reader(lines, delimiter=layout.separator) if row)
        return list(islice(rows, _SHOWN))


def _with_empty_lines(layout: TextLayout) -> TextLayout:
    """Find the empty lines, which are not rows; in a table of one column they are missing values."""
    if not layout.may_have_empty_lines() or len(layout.header) < 2:
        return layout
    found = [(place, line) for place, (line, row) in enumerate(layout.lines()) if not row]
    if found:
        assume([
            f"`{layout.path.name}`: empty lines left out: {len(found):,} (first in line {found[0][1]:,})."
        ])  # fmt: skip
    return replace(layout, empty=tuple(place for place, _ in found))


def _with_quotes(layout: TextLayout) -> TextLayout:
    """Whether there are quotes; where no value begins with one, those within are part of values, as in 5"."""
    if layout.carriage:
        return replace(layout, quoted=True)
    opening = re.compile(rb"(?:^|[\r\n]|" + re.escape(layout.separator.encode()) + rb')\s*"')
    found, tail = False, b"\n"
    with layout.path.open("rb") as source:
        for block in iter(lambda: source.read(2**20), b""):
            found = found or b'"' in block
            if b'"' in block and opening.search(tail + block.removeprefix(b"\xef\xbb\xbf")):
                return replace(layout, quoted=True)
            tail = block[-2:]
    return replace(layout, quote=None) if found else layout
