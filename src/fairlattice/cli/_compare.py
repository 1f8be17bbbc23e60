"""``fairlattice compare``: does a strategy help, and whom does it hurt."""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairlattice.cli._options import (
    READING,
    TRAINING,
    Columns,
    add_options,
    add_table,
    check_jobs,
    data_about,
    reading_options,
)
from fairlattice.cli._skeleton import Files, Found, WrittenFile
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    import polars as pl

    from fairlattice.benchmark import Comparison

NAME = "compare"
HELP = "train with several strategies on the same splits; see whom each helps and hurts"
_EXAMPLE = """\
example:
  fairlattice compare people.csv --label hired --sensitive sex race age:25,45 --json result.json
"""


def epilog() -> str:
    """The example, and the strategies with what each does."""
    from fairlattice.strategies import STRATEGIES

    lines = [
        textwrap.fill(s.about, 96, initial_indent=f"  {name:<12}", subsequent_indent=" " * 14)
        for name, s in STRATEGIES.items()
    ]
    return "\n".join(
        [_EXAMPLE, "strategies:", *lines, "", "Parts combine with +, as in smote+learned+thresholds."]
    )


_QUICK = 100_000  # rows that are trained on, in all fits together: three seconds, as another process takes to start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser)
    add_options(parser, "positive", "alpha", *READING, "drop")
    unit = {
        "metavar": "COLUMN",
        "help": "column of the person that a row is of; rows of one person stay together",
    }
    add_options(parser, "keep_sensitive", unit=unit)
    add_options(parser, *TRAINING)


@dataclass(frozen=True)
class Table:
    """A table to compare strategies on, and what its columns are.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    columns : Columns
        Label, attributes, and columns not used.
    data : dict
        What the report says of the data.
    positive : label or None
        The positive label.
    unit : str or None
        The column of the person that a row is of.
    keep_sensitive : bool
        Whether models learn from the attributes too.
    """

    frame: pl.DataFrame
    columns: Columns
    data: dict[str, Any]
    positive: Any
    unit: str | None
    keep_sensitive: bool = False


def check(arguments: argparse.Namespace) -> Files:
    """Files and options, before any work is done."""
    if arguments.device is not None:
        from fairlattice.samplers._shared import check_device

        check_device(arguments.device, "--device")
    return Files((arguments.predictions, arguments.card), (getattr(arguments, "table", None),))


def read(arguments: argparse.Namespace) -> Table:
    """The table, with its columns' roles."""
    from fairlattice.cli._tables import file_hash, read_table

    frame = read_table(arguments.table, decimal=arguments.decimal)
    others = () if arguments.unit is None else (arguments.unit,)
    columns = Columns.parse(arguments, frame.columns, *others)
    digest = file_hash(arguments.table)
    data = data_about(arguments, arguments.table.name, frame.height, columns, sha256=digest)
    return Table(frame, columns, data, arguments.positive, arguments.unit, arguments.keep_sensitive)


def compute(arguments: argparse.Namespace, table: Table) -> Found:
    """Train every strategy on the same splits."""
    from fairlattice.cli._checks import notes_on_attributes
    from fairlattice.cli._tables import table_format, table_writer
    from fairlattice.report import Report

    if arguments.predictions is not None:
        table_format(arguments.predictions)
    comparison = _compared(arguments, table)
    report = Report.of(comparison, data={**table.data, "features": list(comparison.features)})
    files: list[WrittenFile] = []
    if arguments.card is not None:
        card = report.card().encode()
        files.append((arguments.card, lambda target: target.write(card)))
    if arguments.predictions is not None:
        writer = table_writer(_prediction_frame(comparison), arguments.predictions)
        files.append((arguments.predictions, writer))
    down = [s["name"] for s in report.summary["strategies"] if s["leveling_down"]["verdict"] == "yes"]
    gated = arguments.fail_on_leveling_down and down
    return Found(
        report,
        files=files,
        notes=[*arguments.assumed, *notes_on_attributes(comparison.lattice)],
        fallen=[f"leveling down under {', '.join(down)}"] if gated else [],
    )


def _compared(arguments: argparse.Namespace, table: Table) -> Comparison:
    import polars.selectors as cs

    from fairlattice.benchmark import compare
    from fairlattice.cli._checks import check_infinite, check_roles
    from fairlattice.cli._interrupt import worker_processes
    from fairlattice.cli._output import progress
    from fairlattice.strategies._shared import BASELINE

    strategies = chosen_strategies(arguments)
    check_jobs(arguments.jobs)
    if arguments.fail_on_leveling_down and BASELINE not in [s.name for s in strategies]:
        raise InputError(
            f"--fail-on-leveling-down needs the strategy {BASELINE} to compare with. Add it to --strategies."
        )
    frame, columns, unit = table.frame, table.columns, table.unit
    features = columns.features(frame, keep_sensitive=table.keep_sensitive)
    if unit is not None:
        features = features.select(cs.exclude(cs.by_name(unit, require_all=False)))
    check_roles(frame, columns.label, columns.sensitive, columns.cuts)
    check_infinite(frame, features.columns)
    jobs = _jobs(arguments, frame.height, len(strategies))
    same = (
        "classifier",
        "groups_at_prediction",
        "notion",
        "folds",
        "repeats",
        "max_loss",
        "per_cell",
        "alpha",
        "device",
    )
    with worker_processes(jobs), progress("training") as bar:
        return compare(
            features,
            frame[columns.label],
            sensitive_features=frame[list(columns.sensitive)],
            strategies=strategies,
            units=None if unit is None else frame[unit],
            positive=table.positive,
            cuts=columns.cuts,
            random_state=arguments.seed,
            n_jobs=jobs,
            progress=bar,
            **{name: getattr(arguments, name) for name in same},
            **reading_options(arguments, features.columns),
        )


def _jobs(arguments: argparse.Namespace, rows: int, strategies: int) -> int:
    """Processes: by default one where it is done before others would have imported what they need."""
    quick = rows * strategies * arguments.folds * arguments.repeats <= _QUICK
    return 1 if quick and arguments.jobs == -1 and arguments.classifier == "logistic" else arguments.jobs


def chosen_strategies(arguments: argparse.Namespace) -> list[Any]:
    """The strategies that were asked for, those of plugins among them."""
    from fairlattice.benchmark._shared import make_classifier
    from fairlattice.strategies import STRATEGIES
    from fairlattice.strategies._shared import default_for, strategies_of

    own = {}
    if arguments.plugin:
        from fairlattice.benchmark import Plugins

        own = Plugins.of(arguments.plugin).strategies()
    known = {**STRATEGIES, **own}
    if arguments.strategies is None:
        names = [name for name, s in known.items() if arguments.groups_at_prediction or not s.needs_groups]
    else:
        names = [name.strip() for name in arguments.strategies.split(",")]
    return strategies_of(names, known=own, auto=default_for(make_classifier(arguments.classifier, 0)))


def _prediction_frame(comparison: Comparison) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        {
            name: pl.Series(name, values.tolist() if values.dtype == object else values, strict=False)
            for name, values in comparison.predictions().items()
        }
    )
