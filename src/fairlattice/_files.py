"""Files in and out: none is ever half written, and JSON is read as strictly as it is written."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from fairlattice.exceptions import InputError

Writer = Callable[[IO[bytes]], Any]


@contextlib.contextmanager
def beside(path: Path, writer: Writer) -> Iterator[None]:
    """Write a temporary file in the same folder; rename it to `path` at the end, or remove it.

    Raises
    ------
    InputError
        If it cannot be written; then whatever was at `path` is there still.
    """
    real, temporary = resolved(path), None
    try:
        handle, name = tempfile.mkstemp(prefix=".fairlattice-", suffix=".part", dir=real.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as target:
            writer(target)
            target.flush()
            os.fsync(target.fileno())
        temporary.chmod(stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o666 & ~_umask())
        yield
        temporary.replace(real)
        temporary = None
    except OSError as error:
        raise InputError(f"`{path}` cannot be written: {error.strerror or error}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole file, or nothing."""
    with beside(path, lambda target: target.write(text.encode())):
        pass


def strict_json(text: str) -> Any:
    """Parsed JSON; NaN and infinities, which are none of it, are refused.

    Raises
    ------
    ValueError
        If it is no JSON.
    """
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def resolved(path: Path) -> Path:
    """Where a path leads, links followed."""
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links, or a working folder that is gone
        raise InputError(f"`{path}` leads nowhere: {error}.") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
