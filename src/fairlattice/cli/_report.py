"""``fairlattice report``: the page of a result that was saved as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fairlattice.exceptions import InputError

NAME = "report"
HELP = "turn a saved JSON result into a page to hand over, or its figures into SVG files"
EPILOG = """\
example:
  fairlattice audit scored.csv --label y --prediction p --sensitive sex race --json result.json
  fairlattice report result.json --html page.html --figures figures/

The page is one file: it works from disk, without a network, and prints."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("result", metavar="JSON", type=Path, help="a result that a command wrote with --json")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page")
    parser.add_argument("--figures", type=Path, metavar="FOLDER", help="write every figure as SVG and PNG")


def run(arguments: argparse.Namespace) -> int:
    """Read, render, write."""
    from fairlattice.cli._output import report_file, show
    from fairlattice.cli._tables import check_writable, write_files
    from fairlattice.report import Report
    from fairlattice.report._shared import chart_png

    if arguments.html is None and arguments.figures is None:
        raise InputError("Name what to write: --html FILE, --figures FOLDER, or both.")
    check_writable(arguments.html, inputs=(arguments.result,))
    if arguments.figures is not None and arguments.figures.exists() and not arguments.figures.is_dir():
        raise InputError(f"`{arguments.figures}` is a file, not a folder. Name another.")
    report = Report.from_json(arguments.result)
    try:
        files = [report_file(arguments.html, report.summary)]
        drawn = {} if arguments.figures is None else report.figures()
    except InputError as error:
        raise InputError(f"`{arguments.result}` cannot be shown: {error}") from error
    for name, svg in drawn.items():
        files.append((arguments.figures / f"{name}.svg", _writer(svg.encode())))
        files.append((arguments.figures / f"{name}.png", _writer(chart_png(svg))))
    if arguments.figures is not None:
        _make_folder(arguments.figures)
    check_writable(*(path for path, _ in files[1:]), inputs=(arguments.result,))
    write_files(*files)
    show("\n".join(f"wrote {path}" for path, _ in files if path is not None))
    return 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"`{folder}` cannot be made: {error.strerror or error}.") from error


def _writer(content: bytes) -> Any:
    return lambda target: target.write(content)
