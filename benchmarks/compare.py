"""How long the main job takes, and how much memory, on real tables.

python benchmarks/compare.py --data-dir FOLDER [--only adult|acs]

FOLDER holds adult/adult.data, adult/adult.test and acs/ACSIncome.validation.parquet. Every strategy's run
is timed beside `none` in the same session: the ratio says what making rows and weighing cells costs over
plain training.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import polars as pl
from _timing import launched

from fairlattice.datasets import load_adult
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import BASELINE

CLASSIFIERS = ("logistic", "mlp", "boosting")


def tables(folder, target):
    """(name, file, options) of each table at hand."""
    if (folder / "adult").is_dir():
        data = load_adult(folder / "adult")
        pl.DataFrame({k: pl.Series(v.tolist()) for k, v in data.columns.items()}).write_parquet(
            target / "adult.parquet"
        )
        options = ["--label", "income", "--positive", ">50K", "--sensitive", "race", "sex", "age:25,45"]
        yield "adult", target / "adult.parquet", [*options, "--drop", "fnlwgt", "--repeats", "5"]
    acs = folder / "acs" / "ACSIncome.validation.parquet"
    if acs.is_file():
        options = ["--label", "PINCP", "--sensitive", "RAC1P", "SEX", "AGEP:25,45", "--drop", "index"]
        yield "acs", acs, [*options, "--repeats", "3"]


def measure(table, options):
    """Wall seconds, and the peak memory of the command or of its largest worker, in GB."""
    found = launched([sys.executable, "-m", "fairlattice", "compare", str(table), *options])
    return found.seconds, found.peak


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("FAIRLATTICE_DATA"), required=False)
    parser.add_argument("--only", choices=("adult", "acs"))
    parser.add_argument("--classifier", default="logistic", choices=CLASSIFIERS)
    arguments = parser.parse_args()
    if arguments.data_dir is None:
        parser.error("name the folder of the tables with --data-dir or FAIRLATTICE_DATA")
    with tempfile.TemporaryDirectory() as target:
        for name, table, options in tables(Path(arguments.data_dir), Path(target)):
            if arguments.only not in (None, name):
                continue
            options += ["--classifier", arguments.classifier]
            whole, memory = measure(table, options)
            print(
                f"{name}, {arguments.classifier}, all strategies: {whole:.1f} s, {memory:.2f} GB per process"
            )
            plain, _ = measure(table, [*options, "--strategies", BASELINE])
            for strategy in [name for name in STRATEGIES if name != BASELINE]:
                seconds, _ = measure(table, [*options, "--strategies", strategy])
                print(f"  {strategy:8} {seconds:6.1f} s, {seconds / plain:5.2f} × none ({plain:.1f} s)")


if __name__ == "__main__":
    main()
