"""What reaches a person: tables on standard output, progress and warnings on standard error."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fairlattice.cli._tables import write_text
from fairlattice.exceptions import FairlatticeWarning


def show(renderable: RenderableType, *, quiet: bool = False) -> None:
    """Print for a reader; at most 100 columns, 80 where the output is no terminal."""
    if not quiet:
        console = Console(highlight=False, soft_wrap=False)
        console.width = min(console.width, 100) if console.is_terminal else 80
        console.print(renderable)


def write_json(text: str, path: Path | None) -> None:
    """Write JSON to a file, to standard output for ``-``, or not at all."""
    if path is None:
        return
    if str(path) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())  # JSON is UTF-8 whatever the terminal speaks
    else:
        write_text(text, path)


@contextlib.contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """A function (done, total) that moves a bar on standard error, if that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def told_warnings(prog: str) -> Iterator[None]:
    """The library's warnings as lines on standard error; others are not the reader's business."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if issubclass(warning.category, FairlatticeWarning):
            sys.stderr.write(f"{prog}: note: {warning.message}\n")
