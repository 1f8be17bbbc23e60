"""``fairlattice compare``: does a strategy help, and whom does it hurt."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice.cli._options import (
    Columns,
    add_positive,
    add_reading,
    add_table,
    add_training,
    check_jobs,
    data_about,
    reading_options,
)
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
    add_positive(parser)
    add_reading(parser, features=True)
    parser.add_argument(
        "--drop", metavar="COLUMN", nargs="+", action="extend", help="columns not used as features"
    )
    parser.add_argument(
        "--unit",
        metavar="COLUMN",
        help="column of the person that a row is of; rows of one person stay together",
    )
    parser.add_argument(
        "--keep-sensitive",
        action="store_true",
        help="learn from the sensitive columns too (left out by default)",
    )
    add_training(parser, repeats=2)


def run(arguments: argparse.Namespace) -> int:
    """Read, compare, print, write, gate."""
    from fairlattice.cli._tables import check_writable, file_hash, read_table

    check_writable(*written(arguments), json=arguments.json, inputs=(arguments.table,))
    frame = read_table(arguments.table, decimal=arguments.decimal)
    others = () if arguments.unit is None else (arguments.unit,)
    columns = Columns.parse(arguments, frame.columns, *others)
    data = data_about(
        arguments, arguments.table.name, frame.height, columns, sha256=file_hash(arguments.table)
    )
    roles = {
        "positive": arguments.positive,
        "unit": arguments.unit,
        "keep_sensitive": arguments.keep_sensitive,
    }
    return compare_frame(arguments, frame, columns, data, **roles)


def written(arguments: argparse.Namespace) -> tuple[Path | None, ...]:
    """The files that a comparison was asked to write, beside its JSON."""
    return arguments.predictions, arguments.report, arguments.card


def compare_frame(
    arguments: argparse.Namespace,
    frame: pl.DataFrame,
    columns: Columns,
    data: dict[str, Any],
    *,
    positive: Any,
    unit: str | None,
    keep_sensitive: bool,
) -> int:
    """The comparison of one frame, from checks to exit code."""
    import polars.selectors as cs

    from fairlattice.benchmark import compare
    from fairlattice.cli._checks import check_infinite, check_roles, notes_on_attributes
    from fairlattice.cli._interrupt import start_workers
    from fairlattice.cli._output import for_terminal, gate, note, progress, publish, report_file
    from fairlattice.cli._tables import table_format, table_writer
    from fairlattice.report import compare_summary, model_card, to_json
    from fairlattice.report._shared import compare_text
    from fairlattice.strategies._shared import BASELINE

    if arguments.predictions is not None:
        table_format(arguments.predictions)
    strategies = chosen_strategies(arguments)
    check_jobs(arguments.jobs)
    if arguments.fail_on_leveling_down and BASELINE not in [s.name for s in strategies]:
        raise InputError(
            f"--fail-on-leveling-down needs the strategy {BASELINE} to compare with. Add it to --strategies."
        )
    features = columns.features(frame, keep_sensitive=keep_sensitive)
    if unit is not None:
        features = features.select(cs.exclude(cs.by_name(unit, require_all=False)))
    check_roles(frame, columns.label, columns.sensitive, columns.cuts)
    check_infinite(frame, features.columns)
    jobs = _jobs(arguments, frame.height, len(strategies))
    start_workers(jobs)
    with progress("training") as bar:
        comparison = compare(
            features,
            frame[columns.label],
            sensitive_features=frame[list(columns.sensitive)],
            strategies=strategies,
            classifier=arguments.classifier,
            groups_at_prediction=arguments.groups_at_prediction,
            notion=arguments.notion,
            folds=arguments.folds,
            repeats=arguments.repeats,
            max_loss=arguments.max_loss,
            units=None if unit is None else frame[unit],
            per_cell=arguments.per_cell,
            alpha=arguments.alpha,
            positive=positive,
            cuts=columns.cuts,
            random_state=arguments.seed,
            n_jobs=jobs,
            progress=bar,
            **reading_options(arguments, features.columns),
        )
    summary = compare_summary(comparison, {**data, "features": features.columns})
    others = [report_file(arguments.report, summary)]
    if arguments.card is not None:
        card = model_card(summary)
        others.append((arguments.card, lambda target: target.write(card.encode())))
    if arguments.predictions is not None:
        table = _prediction_frame(comparison)
        others.append((arguments.predictions, table_writer(table, arguments.predictions)))
    publish(to_json(summary), arguments.json, compare_text(for_terminal(summary)), *others)
    note(arguments.prog, [*arguments.assumed, *notes_on_attributes(comparison.lattice)])
    fallen = [s["name"] for s in summary["strategies"] if s["leveling_down"]["verdict"] == "yes"]
    gated = arguments.fail_on_leveling_down and fallen
    return gate(arguments.prog, [f"leveling down under {', '.join(fallen)}"] if gated else [])


def _jobs(arguments: argparse.Namespace, rows: int, strategies: int) -> int:
    """One process, unless told otherwise, for work that is done before others have imported what they need."""
    quick = rows * strategies * arguments.folds * arguments.repeats <= _QUICK
    return 1 if quick and arguments.jobs == -1 and arguments.classifier == "logistic" else arguments.jobs


def chosen_strategies(arguments: argparse.Namespace) -> list[Any]:
    """The strategies that were asked for, those of plugins among them."""
    from fairlattice.benchmark import Plugins
    from fairlattice.strategies import STRATEGIES
    from fairlattice.strategies._shared import strategies_of

    own = Plugins.of(arguments.plugin or ()).strategies()
    known = {**STRATEGIES, **own}
    if arguments.strategies is None:
        names = [name for name, s in known.items() if arguments.groups_at_prediction or not s.needs_groups]
    else:
        names = [name.strip() for name in arguments.strategies.split(",")]
    return strategies_of(names, known=own)


def _prediction_frame(comparison: Comparison) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        {
            name: pl.Series(name, values.tolist() if values.dtype == object else values, strict=False)
            for name, values in comparison.predictions().items()
        }
    )
