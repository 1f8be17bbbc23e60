"""Every command does the same in the same order: check the options, read, compute, publish, gate.

A command is a module with ``NAME``, ``HELP``, ``EPILOG``, ``add_arguments`` and three functions: ``check`` raises
before any work is done and names the files to write and to read; ``read`` returns the data; ``compute`` returns what is
to be published. Nothing is written before everything has been computed, and all files are written or none.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from fairlattice._files import FolderWriter, Writer
    from fairlattice.report import Report

WrittenFile = tuple["Path | None", "Writer | FolderWriter"]


@dataclass(frozen=True)
class Files:
    """The files that a command was asked to write besides ``--json`` and ``--report``, and those that it reads.

    Of those written, `folder` is a folder.
    """

    written: Sequence[Path | None] = ()
    inputs: Sequence[Path | None] = ()
    folder: Path | None = None


@dataclass(frozen=True)
class Found:
    """What a command found.

    Parameters
    ----------
    report : Report, optional
        What ``--json`` and ``--report`` write.
    view : renderable, optional
        What is printed; by default the report as text.
    files : sequence of (path, writer)
        Further files to write; those without a path are left out.
    notes : sequence of str
        What is unusual, for standard error.
    fallen : sequence of str
        Gates that fell.
    failure : str
        Why the command failed all the same, once everything is published.
    """

    report: Report | None = None
    view: RenderableType | None = None
    files: Sequence[WrittenFile] = ()
    notes: Sequence[str] = ()
    fallen: Sequence[str] = ()
    failure: str = ""


class Command(Protocol):
    """A command, as a module or an object."""

    def check(self, arguments: argparse.Namespace) -> Files:
        """Raise if options do not go together."""

    def read(self, arguments: argparse.Namespace) -> Any:
        """The data."""

    def compute(self, arguments: argparse.Namespace, data: Any) -> Found:
        """The results."""


def run(command: Command, arguments: argparse.Namespace) -> int:
    """Run a command and return its exit code."""
    from fairlattice.cli._output import gate, note, publish
    from fairlattice.cli._tables import check_writable

    files = command.check(arguments)
    json, page = getattr(arguments, "json", None), getattr(arguments, "report", None)
    inputs = tuple(path for path in files.inputs if path is not None)
    check_writable(*files.written, page, json=json, inputs=inputs, folder=files.folder)
    with _rare_collections():
        found = command.compute(arguments, command.read(arguments))
        publish(found, json, page, top=getattr(arguments, "top", 10))
    note(arguments.prog, found.notes)
    if found.failure:
        raise InputError(found.failure)
    return gate(arguments.prog, found.fallen)


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for unreachable cycles a hundred times less often: results are millions of plain values without any."""
    before = gc.get_threshold()
    gc.set_threshold(100 * before[0], *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
