"""Files as their publishers wrote them: found, read and checked, or refused with their name.

A loader knows what its file must look like; this file knows how to say that it does not. Nothing
is ever written, and a folder may be the data set's own or one above it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import did_you_mean
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import is_number

Columns = dict[str, npt.NDArray[Any]]


def find_folder(data_dir: Path | str, folder: str, files: Sequence[str], advice: str) -> Path:
    """Where the first of `files` to be found lies: in `data_dir`/`folder`, or in `data_dir` itself."""
    places = (Path(data_dir) / folder, Path(data_dir))
    for place in places:
        if any((place / name).is_file() for name in files):
            return place
    shown = " or ".join(files)
    raise InputError(f"`{places[0] / shown}` is not there, nor is it in `{places[1]}`. {advice}")


def read_text(path: Path, *, encoding: str = "utf-8", advice: str = "Fetch it again.") -> str:
    """The whole file; one that is not there, empty or not in `encoding` is refused."""
    try:
        text = path.read_bytes().decode(encoding).removeprefix("\ufeff")
    except FileNotFoundError as error:
        raise InputError(f"`{path}` is not there. {advice}") from error
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror or error}. {advice}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"`{path}` is not text in UTF-8, at byte {error.start:,}. {advice}") from error
    if not text.strip():
        raise InputError(f"`{path}` is empty. {advice}")
    return text


def read_rows(
    path: Path, text: str, width: int | None, *, delimiter: str = ",", quoted: bool = True
) -> Iterator[list[str]]:
    """Rows of `width` fields, or of as many as the first has; blank lines are passed over.

    The content of a row is never shown, since it may be personal.
    """
    for line, row in (_quoted if quoted else _plain)(path, text, delimiter):
        width = width or len(row)
        if len(row) != width:
            raise InputError(
                f"`{path}` has a row of {len(row)} fields, not {width}, in line {line:,}. "
                "Is it the right file, and whole?"
            )
        yield row


def _quoted(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        yield from ((reader.line_num, row) for row in reader if row)
    except csv.Error as error:
        raise InputError(
            f"`{path}` is broken in line {reader.line_num:,}: {error}. Fetch it again."
        ) from error


def _plain(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:  # noqa: ARG001 - as _quoted
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    yield from ((i, line.split(delimiter)) for i, line in enumerate(lines, start=1) if line)


def read_table(
    path: Path,
    columns: Iterable[str],
    *,
    delimiter: str = ",",
    quoted: bool = True,
    encoding: str = "utf-8",
    advice: str = "Fetch it again.",
) -> dict[str, list[str]]:
    """A table whose first line names its columns; those of `columns` must be there."""
    text = read_text(path, encoding=encoding, advice=advice)
    return as_table(path, text, columns, delimiter=delimiter, quoted=quoted)


def as_table(
    path: Path, text: str, columns: Iterable[str], *, delimiter: str = ",", quoted: bool = True
) -> dict[str, list[str]]:
    """The same, of text that was read before."""
    rows = read_rows(path, text, None, delimiter=delimiter, quoted=quoted)
    header = [name.strip() for name in next(rows)]
    check_header(path, columns, header)
    table = list(zip(*rows, strict=True))
    if not table:
        raise InputError(f"`{path}` has a header but no rows. Fetch it again.")
    return {name: list(values) for name, values in zip(header, table, strict=True)}


def check_header(path: Path, wanted: Iterable[str], header: Sequence[str]) -> None:
    """Raise, with the file's name, if a column is not there, or there twice."""
    absent = [name for name in wanted if name not in header]
    if absent:
        hint = did_you_mean(absent[0], header) or f" It has {', '.join(header[:8])}."
        raise InputError(f"`{path}` has no column {absent[0]!r}.{hint} Is it the right file?")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"`{path}` has two columns {twice[0]!r}. Is it the right file?")


def numbers(
    path: Path | str,
    name: str,
    values: Iterable[Any],
    low: float = -math.inf,
    high: float = math.inf,
    *,
    whole: bool = True,
) -> npt.NDArray[Any]:
    """Numbers in [low, high], whole ones as integers; anything else is refused with its row."""
    values = list(values)
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        row = next(i for i, value in enumerate(values) if not is_number(value))
        raise InputError(
            f"`{path}` has {values[row]!r} for a number in column `{name}`, row {row + 1:,}. "
            "Is it the right file?"
        ) from None
    bad = ~((array >= low) & (array <= high) & np.isfinite(array))
    if whole:
        bad |= array != np.rint(np.where(bad, 0.0, array))
    if bad.any():
        row = int(np.argmax(bad))
        kind = "a whole number" if whole else "a number"
        raise InputError(
            f"`{path}` has {values[row]!r} in column `{name}`, row {row + 1:,}; {kind} "
            f"in [{low:g}, {high:g}] belongs there. Is it the right file?"
        )
    return array.astype(np.int64) if whole else array


def words(path: Path | str, name: str, values: Iterable[Any], meaning: Mapping[Any, Any]) -> npt.NDArray[Any]:
    """What each code means, as objects; a code that has no meaning is refused with its row."""
    values = list(values)
    unknown = set(values) - set(meaning)
    if unknown:
        row = next(i for i, value in enumerate(values) if value in unknown)
        known = ", ".join(map(repr, list(meaning)[:10]))
        raise InputError(
            f"`{path}` has {values[row]!r} in column `{name}`, row {row + 1:,}; known are {known}. "
            "Is it the right file?"
        )
    return objects(meaning[value] for value in values)


def texts(values: Iterable[Any], missing: Collection[Any] = ("?",)) -> npt.NDArray[Any]:
    """Text as it is, and None where it says that nothing was recorded."""
    return objects(None if value in missing else value for value in values)


def objects(values: Iterable[Any]) -> npt.NDArray[Any]:
    """An array of Python values as they are."""
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
