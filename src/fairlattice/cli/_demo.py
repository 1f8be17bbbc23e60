"""``fairlattice demo``: the whole job on real data, without a file of one's own."""

from __future__ import annotations

import argparse
from dataclasses import replace

from fairlattice.cli import _compare
from fairlattice.cli._options import TRAINING, Columns, add_options, data_about
from fairlattice.cli._skeleton import Files, Found
from fairlattice.exceptions import InputError

NAME = "demo"
HELP = "compare strategies on real data that the package carries; needs no file and no network"
EPILOG = """\
datasets:
  census    30,000 people of the US census survey: race × sex × age (default)
  diabetes  442 patients, from scikit-learn: sex × age × body-mass index
  adult     48,842 people, fetched from OpenML, or from UCI's files in --data-dir
`fairlattice bench list datasets` lists all others."""


_NEXT = """
On your own table:
  fairlattice compare people.csv --label hired --sensitive sex race age:25,45
To audit a model that you have:
  fairlattice audit scored.csv --label y --prediction p --sensitive sex race"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    known = "census (default), diabetes, adult, or another: see bench list"
    add_options(
        parser,
        "data_dir",
        "alpha",
        *TRAINING,
        dataset={"default": "census", "metavar": "NAME", "help": known},
    )


def check(arguments: argparse.Namespace) -> Files:
    """Files and options, before any work is done."""
    return _compare.check(arguments)


def read(arguments: argparse.Namespace) -> tuple[_compare.Table, str]:
    """The data set, and what it is."""
    import polars as pl

    from fairlattice.datasets import load_dataset

    data = load_dataset(arguments.dataset, arguments.data_dir)
    if data.text:
        raise InputError(f"Data set `{data.name}` holds free text. Run it by `fairlattice bench run`.")
    frame = pl.DataFrame({name: pl.Series(values.tolist()) for name, values in data.columns.items()})
    columns = Columns(data.label, data.sensitive, dict(data.cuts), data.drop)
    about = data_about(arguments, data.name, frame.height, columns)
    return _compare.Table(frame, columns, about, data.positive, data.unit), data.about


def compute(arguments: argparse.Namespace, data: tuple[_compare.Table, str]) -> Found:
    """The comparison, and how to go on."""
    from rich.console import Group

    table, about = data
    found = _compare.compute(arguments, table)
    if found.report is None:
        return found
    return replace(found, view=Group(f"{about}\n", found.report.view(), _NEXT))
