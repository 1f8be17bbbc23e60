"""``fairlattice diagnose``: can the rows made for small groups be trusted?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice.cli._options import (
    Columns,
    add_reading,
    add_report,
    add_table,
    check_jobs,
    data_about,
    reading_options,
)
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    import polars as pl

NAME = "diagnose"
HELP = "compare made rows with held-out real rows, cell by cell; find copies, and cells unlike their parents"
EPILOG = """\
example:
  fairlattice diagnose people.csv --label hired --sensitive sex race age:25,45 --report page.html

Generators see half of the rows and are judged by the other half, beside other real rows (the floor),
SMOTE, and rows drawn plainly from the parent groups."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser)
    add_reading(parser, features=True)
    parser.add_argument(
        "--sources",
        metavar="A,B,…",
        help="strategies whose synthetic rows are checked: augment, parents, smote (default), paper; the "
        "verdicts are about the first",
    )
    parser.add_argument(
        "--drop", metavar="COLUMN", nargs="+", action="extend", help="columns that are no features"
    )
    parser.add_argument(
        "--keep-sensitive",
        action="store_true",
        help="compare the sensitive columns too (left out by default)",
    )
    parser.add_argument(
        "--held-out", type=float, default=0.5, metavar="SHARE", help="rows to judge by (default 0.5)"
    )
    parser.add_argument(
        "--max-rows", type=int, default=300, metavar="N", help="rows per cell and test, at most (default 300)"
    )
    parser.add_argument(
        "--permutations", type=int, metavar="N", help="of every test (default: as many as the cells need)"
    )
    parser.add_argument(
        "--noise", metavar="X,Y,…", help="flip attributes at these rates, train again: do the gains fade?"
    )
    parser.add_argument(
        "--later", metavar="TABLE", type=Path, help="a later table: what drifted, and do made rows still fit?"
    )
    parser.add_argument(
        "--positive",
        metavar="LABEL",
        help="the positive label, where it is not 1 or True; matters with --noise or --later",
    )
    parser.add_argument("--top", type=int, default=10, metavar="N", help="cells to print (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same result (default 0)")
    parser.add_argument(
        "--jobs", type=int, default=-1, metavar="N", help="threads; -1 (default): one per core"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the result as JSON (- is standard output)"
    )
    add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, make, compare, write, print."""
    from fairlattice._validation import check_count
    from fairlattice.benchmark import annotation_noise, diagnose, drift
    from fairlattice.cli._checks import check_infinite, check_roles, notes_on_attributes
    from fairlattice.cli._interrupt import start_workers
    from fairlattice.cli._output import for_terminal, note, progress, publish, report_file
    from fairlattice.cli._tables import check_writable, file_hash, read_table
    from fairlattice.report import diagnose_summary, to_json
    from fairlattice.report._shared import diagnose_text

    check_count("--top", arguments.top, 0)
    check_jobs(arguments.jobs, "threads")
    inputs = tuple(path for path in (arguments.table, arguments.later) if path is not None)
    check_writable(arguments.report, json=arguments.json, inputs=inputs)
    frame = read_table(arguments.table, decimal=arguments.decimal)
    columns = Columns.parse(arguments, frame.columns)
    features = columns.features(frame, keep_sensitive=arguments.keep_sensitive)
    check_roles(frame, columns.label, columns.sensitive, columns.cuts)
    check_infinite(frame, features.columns)
    rates = _rates(arguments.noise)
    _check_positive(arguments, frame[columns.label])
    later = None if arguments.later is None else _later(arguments, columns, features.columns)
    sources: dict[str, Any] = (
        {}
        if arguments.sources is None
        else {"sources": [s.strip() for s in arguments.sources.split(",") if s.strip()]}
    )
    table = features, frame[columns.label]
    groups: dict[str, Any] = {
        "sensitive_features": frame[list(columns.sensitive)],
        "cuts": columns.cuts,
        **reading_options(arguments, features.columns),
    }
    common = {**groups, "random_state": arguments.seed, "positive": arguments.positive}
    more: dict[str, Any] = {}
    if later is not None:
        rows, label, attributes = later
        with progress("comparing tables"):
            try:
                more["drift"] = drift(*table, rows, label, later_features=attributes, **common)
            except InputError as error:
                raise InputError(f"`{arguments.later}` beside `{arguments.table}`: {error}") from error
    with progress("comparing") as bar:
        diagnosis = diagnose(
            features,
            frame[columns.label],
            held_out=arguments.held_out,
            max_rows=arguments.max_rows,
            permutations=arguments.permutations,
            random_state=arguments.seed,
            n_jobs=arguments.jobs,
            progress=bar,
            **groups,
            **sources,
        )
    if rates is not None:
        start_workers(arguments.jobs)
        with progress("training with noise") as bar:
            more["noise"] = annotation_noise(
                *table, rates=rates, n_jobs=arguments.jobs, progress=bar, **common
            )
    data = data_about(
        arguments, arguments.table.name, frame.height, columns, sha256=file_hash(arguments.table)
    )
    summary = diagnose_summary(diagnosis, {**data, "features": features.columns}, **more)
    view = diagnose_text(for_terminal(summary), top=arguments.top)
    publish(to_json(summary), arguments.json, view, report_file(arguments.report, summary))
    note(arguments.prog, [*arguments.assumed, *notes_on_attributes(diagnosis.lattice)])
    return 0


def _rates(text: str | None) -> list[float] | None:
    """``0.01,0.1`` as numbers; no noise at all comes first, to compare with."""
    if text is None:
        return None
    try:
        rates = [float(part) for part in text.split(",")]
    except ValueError:
        rates = []
    if not rates or not all(0 <= rate <= 1 for rate in rates):
        raise InputError(f"`--noise` takes error rates in [0, 1], such as 0.01,0.05,0.1, got {text!r}.")
    return [0.0, *(rate for rate in rates if rate)]


def _check_positive(arguments: argparse.Namespace, label: pl.Series) -> None:
    """Raise, before any work is done, if a question about two classes cannot be asked."""
    from fairlattice._validation import distinct_values
    from fairlattice.metrics._shared import find_positive

    if arguments.noise is None and arguments.later is None:
        if arguments.positive is not None:
            find_positive(tuple(distinct_values(label.to_numpy())), arguments.positive)
        return
    classes = distinct_values(label.to_numpy())
    if arguments.noise is not None and len(classes) != 2:
        raise InputError(f"--noise needs a label with two classes; `{label.name}` has {len(classes)}.")
    find_positive(tuple(classes), arguments.positive)


def _later(
    arguments: argparse.Namespace, columns: Columns, features: list[str]
) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Features, labels and attributes of the later table, which must have the same columns."""
    from fairlattice._validation import check_columns_exist
    from fairlattice.cli._checks import check_infinite, check_roles
    from fairlattice.cli._tables import read_table

    frame = read_table(arguments.later, decimal=arguments.decimal)
    try:
        check_columns_exist([columns.label, *columns.sensitive, *features], frame.columns)
        check_roles(frame, columns.label, columns.sensitive, columns.cuts)
        check_infinite(frame, features)
    except InputError as error:
        raise InputError(f"In `{arguments.later}`: {error}") from error
    return frame[features], frame[columns.label], frame[list(columns.sensitive)]
