"""What the engine says while a table is read, made plain: one line that names the file and what to do."""

from __future__ import annotations

import contextlib
import csv
import errno
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from fairlattice._validation import did_you_mean
from fairlattice.exceptions import InputError

UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeError, ValueError, csv.Error)
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextlib.contextmanager
def reading(path: Path, kind: str = "") -> Iterator[None]:
    """Make the refusals of the reader plain, and keep to ourselves what the engine prints of its own failures."""
    kind = kind or path.suffix[1:] or "parquet"  # a folder is one of Parquet files
    try:
        with _quiet_engine():
            yield
    except FileNotFoundError as error:
        if re.match(r"[a-z][a-z0-9+]+:/", str(path)):
            raise InputError(f"`{path}` is an address, not a file. Download it first.") from error
        raise InputError(f"`{path}` is not there.{_near(path)}") from error
    except OSError as error:
        if error.errno in _FULL:
            raise  # what is written is to blame
        raise InputError(f"`{path}` cannot be read: {error.strerror or error}.") from error
    except InputError:
        raise
    except UNREADABLE as error:
        full = re.search(r"os error (\d+)", str(error))
        if full and int(full[1]) in _FULL:
            raise OSError(int(full[1]), os.strerror(int(full[1]))) from error
        words, hint = _explained(error, path)
        raise InputError(f"`{path}` cannot be read as {kind.upper()}: {words}. {hint}") from error


def _explained(error: BaseException, path: Path) -> tuple[str, str]:
    """What the engine says of a file it cannot read, and what to do."""
    words = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    foreign = re.search(r"could not import from `(\w+)` type", str(error))
    if foreign:
        return (
            f"columns of type {foreign[1]} are not supported",
            "Turn them into numbers or text, or drop them.",
        )
    if isinstance(error, pl.exceptions.PanicException):  # the engine's own words help nobody
        words = "its contents contradict each other"
    if "utf-8" in words.lower() and path.suffix.lower() in (".csv", ".tsv"):
        return words, _converted(path)
    return words, "The file may be truncated or of another format."


@contextlib.contextmanager
def _quiet_engine() -> Iterator[None]:
    """Let what the engine itself writes to standard error go nowhere, and ours where it should.

    A damaged file makes its threads print a page of their state, before the exception that we show in a line.
    """
    ours = sys.stderr
    try:
        direct = ours.fileno() == 2
        kept = os.dup(2) if direct else -1
    except (OSError, ValueError, AttributeError):  # not a file, or closed
        direct, kept = False, -1
    if not direct:
        yield
        return
    ours.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        with open(kept, "w", encoding=ours.encoding, errors="replace", closefd=False, buffering=1) as through:
            sys.stderr = through
            yield
    finally:
        sys.stderr = ours
        os.dup2(kept, 2)
        os.close(kept)


def _converted(path: Path) -> str:
    """How a text file of another encoding is converted; of Excel in Western Europe it is Windows-1252."""
    new = path.with_name(f"{path.stem}-utf8{path.suffix}")
    command = f"iconv -f WINDOWS-1252 -t UTF-8 {shlex.quote(str(path))} > {shlex.quote(str(new))}"
    return f"Convert it to UTF-8 first; a file of Excel in Western Europe by: {command}"


def _near(path: Path) -> str:
    try:
        return did_you_mean(path.name, sorted({p.name for p in path.parent.iterdir()} - {path.name}))
    except OSError:
        return ""
