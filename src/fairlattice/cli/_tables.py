"""Tables in and out of files.

Polars reads and writes; this file makes its refusals plain, and no file is ever half written: everything is written to
a temporary file in the same folder, and renamed when all of a command's files are whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from fairlattice._files import FolderWriter, Writer, beside, resolved
from fairlattice.cli._reading import UNREADABLE, reading
from fairlattice.cli._text_files import SEPARATORS
from fairlattice.cli._text_style import TextStyle
from fairlattice.cli._text_tables import read_text, scan_text
from fairlattice.exceptions import InputError

_FORMATS = {
    ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "ipc", ".feather": "ipc", ".ipc": "ipc",
}  # fmt: skip
_OTHER_ARROW = {b"\xff\xff\xff\xff": "an Arrow stream", b"FEA1": "in version 1 of the Feather format"}
_ROW_GROUP = 100_000


def table_format(path: Path) -> str:
    """The format that a file's suffix tells."""
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(_FORMATS)
        hint = " Decompress it first, as with gunzip." if path.suffix.lower() == ".gz" else ""
        raise InputError(f"`{path}` has the suffix {path.suffix or '(none)'!r}; known are {known}.{hint}")
    return kind


def read_table(path: Path, *, as_text: bool = False, decimal: str | None = None) -> pl.DataFrame:
    """The table in a file, with at least one row and distinct column names.

    Parameters
    ----------
    path : Path
        The file.
    as_text : bool, default=False
        Leave every value of a CSV or TSV file as the text that it is.
    decimal : {".", ","}, optional
        The decimal mark of numbers in a CSV or TSV file.

    Raises
    ------
    InputError
        If the file is not there, cannot be read as what its suffix says, or has no rows.
    """
    if os.path.isdir(path):  # noqa: PTH112 - pathlib raises where a name is too long
        raise InputError(
            f"`{path}` is a folder. Only `audit` and `augment` read folders, of Parquet files. Name a file."
        )
    kind = table_format(path)
    with reading(path, kind):
        _check_file(path)
        frame = read_text(path, kind, as_text, decimal) if kind in SEPARATORS else _read_binary(path, kind)
    if not frame.height:
        raise InputError(f"`{path}` has a header but no rows.")
    return frame


def scan_table(path: Path, *, decimal: str | None = None) -> pl.LazyFrame:
    """The table in a file, or in a folder of Parquet files, read in pieces where its format allows it.

    What is asked of it must be collected within :func:`reading`.
    """
    with reading(path):
        if stat.S_ISDIR(path.stat().st_mode):
            return _scan_folder(path)
    if table_format(path) != "parquet":
        return read_table(path, decimal=decimal).lazy()
    with reading(path):
        _check_file(path)
        return pl.scan_parquet(path, glob=False, hive_partitioning=False)


def scan_rows(path: Path, *, as_text: bool = False, decimal: str | None = None) -> pl.LazyFrame:
    """The table in a file of any format, or in a folder of Parquet files, in the order of its rows, never read whole.

    As :func:`read_table` otherwise. What is asked of it must be collected within :func:`reading`.
    """
    with reading(path):
        if stat.S_ISDIR(path.stat().st_mode):
            return _scan_folder(path)
    kind = table_format(path)
    with reading(path, kind):
        _check_file(path)
        if kind == "parquet":
            return pl.scan_parquet(path, glob=False, hive_partitioning=False)
        if kind == "ipc":
            _check_arrow(path)
            return pl.scan_ipc(path, glob=False, hive_partitioning=False)
        return scan_text(path, kind, as_text, decimal)


def many_rows(path: Path) -> int:
    """How many rows a file has, at most: of text the lines are counted; 0 where it cannot be read."""
    try:
        kind = table_format(path)
        with reading(path, kind):
            _check_file(path)
            if kind in SEPARATORS:
                with path.open("rb") as source:
                    return sum(block.count(b"\n") for block in iter(lambda: source.read(2**20), b""))
            return int(scan_rows(path).select(pl.len()).collect().item())
    except (InputError, OSError):
        return 0  # whoever reads it says what is wrong


def scan_parts(path: Path, whole: pl.LazyFrame) -> Iterator[tuple[str, pl.LazyFrame]]:
    """The rows that each file of a table holds, with the file's name in a folder of Parquet files.

    `whole` is the table as :func:`scan_rows` gives it. Names are those of the table's own files; where the names of
    folders hold a column, files hold it too and are numbered.
    """
    if not path.is_dir():
        yield f"{path.stem}.parquet", whole
        return
    parts, first = _parts(path), 0
    keyed = _keyed(path, parts)
    for number, part in enumerate(parts):
        rows = pl.scan_parquet(part, glob=False, hive_partitioning=False)
        if not keyed:
            yield part.relative_to(path).as_posix(), rows
            continue
        n = int(rows.select(pl.len()).collect().item())
        yield f"part-{number:05}.parquet", whole.slice(first, n)
        first += n


def _parts(folder: Path) -> list[Path]:
    """The Parquet files in a folder, in order; hidden ones, as of unfinished jobs, are left out."""

    def refuse(error: OSError) -> NoReturn:  # else what cannot be read would be left out in silence
        raise InputError(f"`{error.filename}` cannot be read: {error.strerror}.") from error

    found, walked = [], set()
    for root, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        walked.add(os.path.realpath(root))
        inner = [name for name in folders if not name.startswith((".", "_"))]
        folders[:] = [name for name in inner if os.path.realpath(Path(root, name)) not in walked]
        shown = (Path(root, name) for name in files if not name.startswith((".", "_")))
        found += [p for p in shown if _FORMATS.get(p.suffix.lower()) == "parquet"]
    return sorted(found)


def _scan_folder(path: Path) -> pl.LazyFrame:
    parts = _parts(path)
    if not parts:
        raise InputError(f"`{path}` is a folder without Parquet files. Name a file, or a folder of them.")
    first: Mapping[str, Any] = {}
    for part in parts:
        with reading(part):
            _check_file(part)
            schema = pl.read_parquet_schema(part)
        _check_alike(part, schema, parts[0], first or schema)
        first = first or schema
    return pl.scan_parquet(parts, glob=False, hive_partitioning=_keyed(path, parts))


def _keyed(folder: Path, parts: Sequence[Path]) -> bool:
    """Whether names of folders hold a column, as of month=1."""
    return any("=" in part.relative_to(folder).parent.as_posix() for part in parts)


def _check_alike(part: Path, schema: Mapping[str, Any], first: Path, expected: Mapping[str, Any]) -> None:
    for name in {**expected, **schema}:
        here, there = schema.get(name, "absent"), expected.get(name, "absent")
        if here != there:
            raise InputError(
                f"Parts differ: column `{name}` is {here} in `{part}`, but {there} in `{first}`. "
                "Write all parts alike, or audit them one by one."
            )


def _check_file(path: Path) -> None:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"`{path}` is a folder. Name a file.")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"`{path}` is not a regular file. Save the table to a file first.")
    if status.st_size == 0:
        raise InputError(f"`{path}` is empty.")


def is_text(path: Path) -> bool:
    """Whether the file is CSV or TSV, whose values are text."""
    return not path.is_dir() and table_format(path) in SEPARATORS


def _check_arrow(path: Path) -> None:
    """Raise if a file is of Arrow, but not of the format that can be read at any place."""
    with path.open("rb") as source:
        start = source.read(4)
    if start in _OTHER_ARROW:
        raise InputError(
            f"`{path}` is {_OTHER_ARROW[start]}, not an Arrow file. Convert it to one or to Parquet, as with pyarrow."
        )


def _read_binary(path: Path, kind: str) -> pl.DataFrame:
    if kind == "ipc":
        _check_arrow(path)
    # Files are passed open: a name could be taken for a pattern that matches other files.
    with path.open("rb") as source:
        return pl.read_parquet(source) if kind == "parquet" else pl.read_ipc(source)


def check_writable(
    *paths: Path | None,
    inputs: tuple[Path, ...] = (),
    json: Path | None = None,
    folder: Path | None = None,
) -> None:
    """Raise, before any work is done, if a file could not be written or would replace an input.

    Only `json`, one more of the paths, may be ``-``, standard output. The path equal to `folder` is to be a folder.
    """
    taken = {resolved(i) for i in inputs}
    whole = None if folder is None else resolved(folder)
    seen: set[Path] = set()
    if json is not None and str(json) != "-":
        paths = (json, *paths)
    for path in paths:
        if path is None:
            continue
        if str(path) == "-":
            raise InputError("Only --json may be - for standard output. Name a file.")
        real = resolved(path)
        if taken & {real, *real.parents}:  # the parents: a folder is an input too
            raise InputError(f"`{path}` is the input file, which is never overwritten. Name another.")
        if whole in real.parents:
            raise InputError(
                f"`{path}` lies in `{folder}`, which is an output itself. Name a file elsewhere."
            )
        if real in seen:
            raise InputError(f"`{path}` is named twice as an output. Name two files.")
        try:
            _check_place(path, real, folder=real == whole)
        except OSError as error:
            raise InputError(f"`{path}` cannot be written: {error.strerror or error}.") from error
        seen.add(real)


def _check_place(path: Path, real: Path, *, folder: bool) -> None:
    """Raise if there can be no regular file or no new folder, or none by us, at this place."""
    mode = real.stat().st_mode if real.exists() else None
    if folder and mode is not None and not stat.S_ISDIR(mode):
        raise InputError(f"`{path}` is to be a folder, but a file is there. Name another.")
    if folder and mode is not None and (real == Path.cwd() or real.is_mount()):
        raise InputError(f"The folder `{path}` cannot be replaced by a new one. Name another.")
    if folder and mode is not None and any(real.iterdir()):
        raise InputError(f"The folder `{path}` is not empty. Name a new one, or remove what is in it.")
    if not folder and mode is not None and stat.S_ISDIR(mode):
        raise InputError(f"`{path}` is a folder. Name a file in it.")
    if not folder and mode is not None and not stat.S_ISREG(mode):
        raise InputError(f"`{path}` is not a regular file. Name one.")
    if not real.parent.is_dir():
        raise InputError(
            f"`{path}` cannot be written: the folder `{path.parent}` is not there. Make it first."
        )
    if not os.access(real.parent, os.W_OK):
        raise InputError(f"`{path}` cannot be written: no permission in `{path.parent}`.")


def write_files(*outputs: tuple[Path | None, Writer | FolderWriter]) -> None:
    """Write several files and folders, or none: each in a temporary place first, then all renamed."""
    # The last is renamed first: the folder, which is refused if something came to be at its place.
    ordered = sorted(outputs, key=lambda output: isinstance(output[1], FolderWriter))
    with contextlib.ExitStack() as stack:
        for path, writer in ordered:
            if path is not None:
                stack.enter_context(beside(path, _plain_errors(path, writer)))


def _plain_errors(path: Path, writer: Writer | FolderWriter) -> Writer | FolderWriter:
    """The writer, its own refusals made plain."""
    own: Callable[[Any], Any] = writer.fill if isinstance(writer, FolderWriter) else writer

    def write(target: Any) -> None:
        try:
            own(target)
        except InputError:
            raise
        except UNREADABLE as error:
            raise InputError(f"`{path}` cannot be written: {str(error).splitlines()[0]}.") from error

    return FolderWriter(write) if isinstance(writer, FolderWriter) else write


def table_writer(frame: pl.DataFrame, path: Path, *, like: Path | None = None) -> Writer:
    """How to write a table in the format of the suffix of `path`; text as in the text file `like`."""
    kind = table_format(path)
    if kind in SEPARATORS:
        style = TextStyle.of(kind, like)
        return lambda target: style.write(frame, target)
    return frame.write_parquet if kind == "parquet" else frame.write_ipc


def lazy_writer(table: pl.LazyFrame, path: Path) -> Writer:
    """How to write a table piece by piece, never whole, in the format that the suffix of `path` tells."""
    kind = table_format(path)
    if kind in SEPARATORS:
        style = TextStyle.of(kind, None)
        return lambda target: style.write(table, target)
    if kind == "parquet":  # a fixed size, so that the bytes do not tell how the engine cut the work
        return lambda target: table.sink_parquet(target, row_group_size=_ROW_GROUP)
    return table.sink_ipc


def file_hash(path: Path) -> str:
    """SHA-256 of a file, by which a reader can tell that two results are about the same data.

    Of a folder: of its Parquet files' names and hashes, in order.
    """
    if path.is_dir():
        whole = hashlib.sha256()
        for part in _parts(path):
            whole.update(f"{part.relative_to(path).as_posix()} {file_hash(part)}\n".encode())
        return whole.hexdigest()
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
