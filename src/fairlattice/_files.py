"""Files and folders in and out: none is ever half written, and JSON is read as strictly as it is written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

from fairlattice.exceptions import InputError

Writer = Callable[[IO[bytes]], Any]
Built = TypeVar("Built")
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class FolderWriter:
    """Writes the files of a folder, given the folder, which is there and empty."""

    fill: Callable[[Path], Any]


@contextlib.contextmanager
def beside(path: Path, writer: Writer | FolderWriter) -> Iterator[None]:
    """Write a temporary file or folder in the same folder; rename it to `path` at the end, or remove it.

    A folder takes the place of an empty one only.

    Raises
    ------
    InputError
        If it cannot be written; then whatever was at `path` is there still.
    """
    real = resolved(path)
    # Named before it is made: an interruption right after it was made must find it.
    temporary = real.parent / f"{_prefix(real)}{os.getpid()}-{secrets.token_hex(8)}.part"
    try:
        _remove_stale(real)
        if isinstance(writer, FolderWriter):
            temporary.mkdir(0o700)
            writer.fill(temporary)
            temporary.chmod(0o777 & ~_umask())
        else:
            with os.fdopen(os.open(temporary, _NEW, 0o600), "wb") as target:
                _write_through(target, writer)
            temporary.chmod(stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o666 & ~_umask())
        yield
        if isinstance(writer, FolderWriter) and real.is_dir():
            real.rmdir()  # refused unless it is empty
        temporary.replace(real)
    except OSError as error:
        raise InputError(f"`{path}` cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(
            OSError
        ):  # it may never have been made, as in a folder that does not let us in
            _remove(temporary)


def write_part(path: Path, writer: Writer) -> None:
    """Write a file of a folder that is not in its place yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        _write_through(target, writer)


def _write_through(target: IO[bytes], writer: Writer) -> None:
    """Write, and wait until all of it is on the disk."""
    writer(target)
    target.flush()
    os.fsync(target.fileno())


def _remove(temporary: Path) -> None:
    if temporary.is_dir():
        shutil.rmtree(temporary, ignore_errors=True)
    else:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole file, or nothing."""
    with beside(path, lambda target: target.write(text.encode())):
        pass


def written(text: str, path: str | os.PathLike[str] | None) -> str:
    """The text, written to `path` if one is given."""
    if path is not None:
        write_text(Path(path), text)
    return text


def strict_json(text: str) -> Any:
    """Parsed JSON; NaN and infinities, which are none of it, are refused.

    Raises
    ------
    ValueError
        If it is not valid JSON.
    """
    return json.loads(text, parse_constant=_refuse)


def read_json(source: str | os.PathLike[str], schema: str, build: Callable[[dict[str, Any]], Built]) -> Built:
    """What `build` makes of the JSON in a file, or of JSON text, of a given schema.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, or is of another schema.
    """
    if not isinstance(source, str | os.PathLike):
        raise InputError(f"`source` must be a path or JSON text, got {type(source).__name__}.")
    is_text = isinstance(source, str) and source.lstrip().startswith(("{", "["))
    text, name = (str(source), "The text") if is_text else (_text_of(Path(source)), f"`{source}`")
    try:
        found = strict_json(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON: {error}. Pass what `to_json` wrote.") from error
    given = found.get("schema") if isinstance(found, dict) else None
    if given != schema:
        raise InputError(f"{name} has the schema {given!r}, not {schema!r}. Pass what `to_json` wrote.")
    try:
        return build(found)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"{name} is damaged ({reason}). Write it again with `to_json`.") from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def resolved(path: Path) -> Path:
    """Where a path leads, links followed."""
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links, or a working folder that is gone
        raise InputError(f"`{path}` leads nowhere: {error}.") from error


def _prefix(real: Path) -> str:
    """How temporary names of this target on this machine begin; the process that writes follows."""
    place = f"{platform.node()} {real.name}"
    return f".fairlattice-{hashlib.sha256(place.encode()).hexdigest()[:12]}-"


def _remove_stale(real: Path) -> None:
    """Remove what killed processes left of this target."""
    for path in real.parent.glob(f"{_prefix(real)}*.part"):
        process = path.name.removeprefix(_prefix(real)).partition("-")[0]
        if process.isdecimal() and not runs(int(process)):
            _remove(path)


def runs(process: int) -> bool:
    """Whether a process is there; on Windows always."""
    if os.name == "nt":  # there a signal, even none, would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
