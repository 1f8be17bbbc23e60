"""Tables in and out of files. Polars reads and writes; this file makes its refusals plain, and sees to
it that no file is ever half written: everything is written beside its place, then renamed.
"""  # noqa: D205

from __future__ import annotations

import contextlib
import csv
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from fairlattice._validation import did_you_mean
from fairlattice.exceptions import InputError

_FORMATS = {
    ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "ipc", ".feather": "ipc", ".ipc": "ipc",
}  # fmt: skip
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeError, ValueError)


def table_format(path: Path) -> str:
    """The format that a file's suffix tells."""
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(_FORMATS)
        raise InputError(f"`{path}` has the suffix {path.suffix or '(none)'!r}; known are {known}.")
    return kind


def read_table(path: Path) -> pl.DataFrame:
    """The table in a file, with at least one row and distinct column names.

    Raises
    ------
    InputError
        If the file is not there, cannot be read as what its suffix says, or has no rows.
    """
    kind = table_format(path)
    if not path.exists():
        near = _near(path)
        raise InputError(f"`{path}` is not there.{near}")
    if path.is_dir():
        raise InputError(f"`{path}` is a folder. Name a file.")
    if path.stat().st_size == 0:
        raise InputError(f"`{path}` is empty.")
    try:
        frame = _read(path, kind)
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror or error}.") from error
    except _UNREADABLE as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = (
            "Convert it to UTF-8 first, as with iconv."
            if "utf-8" in told.lower()
            else "The file may be truncated or of another format."
        )
        raise InputError(f"`{path}` cannot be read as {kind.upper()}: {told.rstrip('.')}. {hint}") from error
    if not frame.height:
        raise InputError(f"`{path}` has a header but no rows.")
    return frame


def _read(path: Path, kind: str) -> pl.DataFrame:
    if kind == "parquet":
        return pl.read_parquet(path)
    if kind == "ipc":
        return pl.read_ipc(path)
    separator = "," if kind == "csv" else "\t"
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header = next(csv.reader(lines, delimiter=separator), [])
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"`{path}` has two columns named {twice!r}. Rename one.")
    return pl.read_csv(path, separator=separator, infer_schema_length=None, encoding="utf8")


def refuse_infinite(frame: pl.DataFrame, columns: list[str]) -> None:
    """Raise if one of the columns holds an infinite number."""
    floats = [c for c in columns if frame.schema[c].is_float()]
    for name in floats:
        n = int(frame[name].is_infinite().sum() or 0)
        if n:
            raise InputError(f"Column `{name}` has {n:,} infinite values. Remove or replace them.")


def refuse_identifier(frame: pl.DataFrame, columns: tuple[str, ...], cut: dict[str, Any]) -> None:
    """Raise if an attribute that is not cut has nearly as many levels as there are rows."""
    for name in columns:
        if name in cut:
            continue
        levels = frame[name].n_unique()
        if frame.height >= 20 and levels > frame.height / 2:
            raise InputError(
                f"Attribute `{name}` has {levels:,} levels in {frame.height:,} rows: it looks like an "
                f"identifier. Leave it out, or cut it if it is a number, as in {name}:25,45."
            )


def check_labels(frame: pl.DataFrame, label: str) -> None:
    """Raise if the label has missing values or a single class."""
    refuse_infinite(frame, [label])
    column = frame[label]
    gone = column.null_count() + int(column.is_nan().sum() or 0 if column.dtype.is_float() else 0)
    if gone:
        raise InputError(f"Label `{label}` has {gone:,} missing values. Remove these rows first.")
    if column.n_unique() < 2:
        raise InputError(f"Label `{label}` has one class only, {column[0]!r}. At least two are needed.")


def check_writable(*paths: Path | None, inputs: tuple[Path, ...] = ()) -> None:
    """Raise, before any work is done, if a file could not be written or would replace an input."""
    given = [p for p in paths if p is not None and str(p) != "-"]
    resolved = [p.resolve() for p in given]
    for path, real in zip(given, resolved, strict=True):
        if real in {i.resolve() for i in inputs}:
            raise InputError(f"`{path}` is the input file, which is never overwritten. Name another.")
        if resolved.count(real) > 1:
            raise InputError(f"`{path}` is named twice as an output. Name two files.")
        if path.is_dir():
            raise InputError(f"`{path}` is a folder. Name a file in it.")
        if not path.parent.is_dir():
            raise InputError(
                f"`{path}` cannot be written: the folder `{path.parent}` is not there. Make it first."
            )
        if not os.access(path.parent, os.W_OK):
            raise InputError(f"`{path}` cannot be written: no permission in `{path.parent}`.")


def write_text(text: str, path: Path) -> None:
    """Write text; all of it, or nothing."""
    with _beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a table in the format that the suffix tells; all of it, or nothing."""
    writers: dict[str, Callable[[Path], Any]] = {
        "csv": frame.write_csv,
        "tsv": lambda p: frame.write_csv(p, separator="\t"),
        "parquet": frame.write_parquet,
        "ipc": frame.write_ipc,
    }
    kind = table_format(path)
    with _beside(path) as temporary:
        writers[kind](temporary)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, by which a reader can tell that two results are about the same data."""
    with path.open("rb") as lines:
        return hashlib.file_digest(lines, "sha256").hexdigest()


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A temporary file in the same folder, renamed to `path` if all goes well and removed if not."""
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise InputError(f"`{path}` cannot be written: {error.strerror or error}.") from error
    except _UNREADABLE as error:
        raise InputError(f"`{path}` cannot be written: {str(error).splitlines()[0]}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _near(path: Path) -> str:
    return (
        did_you_mean(path.name, sorted(p.name for p in path.parent.glob("*"))) if path.parent.is_dir() else ""
    )
