"""``fairlattice report``: the page of a result that was saved as JSON."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fairlattice.cli._options import add_options
from fairlattice.cli._skeleton import Files, Found, WrittenFile
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    from fairlattice._files import Writer
    from fairlattice.report import Report

NAME = "report"
HELP = "turn a saved JSON result into a page to hand over, or its figures into SVG files"
EPILOG = """\
example:
  fairlattice audit scored.csv --label y --prediction p --sensitive sex race --json result.json
  fairlattice report result.json --report page.html --figures figures/

The page is one file: it works from disk, without a network, and prints."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("result", metavar="JSON", type=Path, help="a result that a command wrote with --json")
    parser.add_argument(
        "--report",
        "--html",
        type=Path,
        metavar="FILE",
        help="write the page, one HTML file that needs no network",
    )
    folder = "write every figure as SVG and PNG into this folder, which is made if need be"
    add_options(parser, figures={"type": Path, "metavar": "FOLDER", "help": folder})


def check(arguments: argparse.Namespace) -> Files:
    """Files, before any work is done."""
    folder = arguments.figures
    if arguments.report is None and folder is None:
        raise InputError("Name what to write: --report FILE, --figures FOLDER, or both.")
    # pathlib raises where a name is too long; such a folder is refused when it is made.
    if folder is not None and os.path.exists(folder) and not os.path.isdir(folder):  # noqa: PTH110, PTH112
        raise InputError(f"`{folder}` is a file, not a folder. Name another.")
    return Files(inputs=(arguments.result,))


def read(arguments: argparse.Namespace) -> Report:
    """The saved result."""
    from fairlattice.report import Report

    return Report.from_json(arguments.result)


def compute(arguments: argparse.Namespace, report: Report) -> Found:
    """Draw everything, then make the folder."""
    from fairlattice.cli._tables import check_writable
    from fairlattice.report._shared import chart_png

    folder, files = arguments.figures, list[WrittenFile]()
    try:
        page = "" if arguments.report is None else report.to_html()
        drawn = {} if folder is None else report.figures()
    except InputError as error:
        raise InputError(f"`{arguments.result}` cannot be shown: {error}") from error
    for name, svg in drawn.items():
        files.append((folder / f"{name}.svg", _writer(svg.encode())))
        files.append((folder / f"{name}.png", _writer(chart_png(svg))))
    if folder is not None:
        _make_folder(folder)
    check_writable(*(path for path, _ in files), inputs=(arguments.result,))
    files.insert(0, (arguments.report, _writer(page.encode())))
    return Found(view="\n".join(f"wrote {path}" for path, _ in files if path is not None), files=files)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"`{folder}` cannot be made: {error.strerror or error}.") from error


def _writer(content: bytes) -> Writer:
    return lambda target: target.write(content)
