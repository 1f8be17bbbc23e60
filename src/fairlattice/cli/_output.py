"""What reaches a person: tables on standard output, progress and notes on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fairlattice._validation import printable
from fairlattice.cli._tables import write_files
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    from fairlattice.cli._skeleton import Found


class _PlainConsole(Console):
    """A console to which the text of others' tables is text, and which leaves a closed pipe to us."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def show(renderable: RenderableType) -> None:
    """Print for a reader; at most 100 columns, 80 where the output is not a terminal. Text is not wrapped."""
    if isinstance(renderable, str):
        show_plain(renderable if renderable.endswith("\n") else f"{renderable}\n")
        return
    console = _PlainConsole()
    console.width = min(console.width, 100) if console.is_terminal else 80
    with _reader_may_leave():
        console.print(renderable)
        sys.stdout.flush()


def show_plain(text: str) -> None:
    """Print text as it is, as UTF-8 whatever the terminal speaks."""
    with _reader_may_leave():
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()


def publish(found: Found, json: Path | None, page: Path | None, *, top: int) -> None:
    """Write the JSON, the page and the other files, all or none; then print the view, or for ``-`` the JSON."""
    report, files = found.report, list(found.files)
    text = "" if report is None else report.to_json()
    to_stdout = str(json) == "-"
    if report is not None:
        files.append((None if to_stdout else json, lambda target: target.write(text.encode())))
    if report is not None and page is not None:
        html = report.to_html().encode()  # made now, so that nothing is written if it cannot be
        files.append((page, lambda target: target.write(html)))
    view = report.view(top=top) if found.view is None and report is not None else found.view
    write_files(*files)
    if to_stdout:
        show_plain(text)
    elif view is not None:
        show(view)


def gate(prog: str, fallen: Sequence[str]) -> int:
    """Say which gates fell; the exit code that follows."""
    if fallen:
        sys.stderr.write(f"{prog}: gate fell: {printable('; '.join(fallen))}.\n")
    return 1 if fallen else 0


def note(prog: str, notes: Iterable[str]) -> None:
    """Say what is unusual, a line each, on standard error."""
    for text in notes:
        sys.stderr.write(f"{prog}: note: {printable(text)}\n")


def silence_stdout() -> None:
    """Let what is still buffered go nowhere, so that the interpreter does not trip over it at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """A function (done, total) that moves a bar on standard error, if that is a terminal."""
    console = _PlainConsole(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        silence_stdout()
    except OSError as error:
        silence_stdout()
        raise InputError(f"Standard output cannot be written: {error.strerror or error}.") from error
