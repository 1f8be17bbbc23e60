"""``fairlattice demo``: the whole job on real data, without a file of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path

from fairlattice.cli._compare import compare_frame, written
from fairlattice.cli._options import Columns, add_training, data_about
from fairlattice.exceptions import InputError

NAME = "demo"
HELP = "compare strategies on real data that comes along; needs no file and no network"
EPILOG = """\
datasets:
  census    30,000 people of the US census survey: race × sex × age (default)
  diabetes  442 patients, from scikit-learn: sex × age × body-mass index
  adult     48,842 people, fetched from OpenML, or from UCI's files in --data-dir
`fairlattice bench list datasets` lists all others."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--dataset",
        default="census",
        metavar="NAME",
        help="census (default), diabetes, adult, or another: see bench list",
    )
    parser.add_argument(
        "--data-dir", type=Path, metavar="FOLDER", help="folder with the data set's own files"
    )
    parser.add_argument(
        "--alpha", type=float, default=0.5, help="weight of the worst-off group's own rate in IF"
    )
    add_training(parser, repeats=2)


def run(arguments: argparse.Namespace) -> int:
    """Load, compare, print, and say how to go on."""
    import polars as pl

    from fairlattice.cli._output import show
    from fairlattice.cli._tables import check_writable
    from fairlattice.datasets import load_dataset

    check_writable(*written(arguments), json=arguments.json)
    data = load_dataset(arguments.dataset, arguments.data_dir)
    if data.text:
        raise InputError(f"Data set `{data.name}` holds free text. Run it by `fairlattice bench run`.")
    frame = pl.DataFrame({name: pl.Series(values.tolist()) for name, values in data.columns.items()})
    columns = Columns(data.label, data.sensitive, dict(data.cuts), data.drop)
    quiet = str(arguments.json) == "-"
    if not quiet:
        show(f"{data.about}\n")
    about = data_about(arguments, data.name, frame.height, columns)
    code = compare_frame(
        arguments, frame, columns, about, positive=data.positive, unit=data.unit, keep_sensitive=False
    )
    if not quiet:
        show(
            "\nOn your own table:\n"
            "  fairlattice compare people.csv --label hired --sensitive sex race age:25,45\n"
            "To judge a model that you have:\n"
            "  fairlattice audit scored.csv --label y --prediction p --sensitive sex race"
        )
    return code
