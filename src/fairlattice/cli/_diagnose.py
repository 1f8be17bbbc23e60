"""``fairlattice diagnose``: can synthetic rows for small groups be trusted?"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice.cli._options import (
    READING,
    Columns,
    add_options,
    add_table,
    check_jobs,
    data_about,
    reading_options,
)
from fairlattice.cli._skeleton import Files, Found
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    import polars as pl

NAME = "diagnose"
HELP = "compare synthetic rows with held-out real rows, by cell; find copies, and cells unlike their parents"
EPILOG = """\
example:
  fairlattice diagnose people.csv --label hired --sensitive sex race age:25,45 --report page.html

Generators see half of the rows. What they make is compared with the other half, as are real rows (the floor),
SMOTE, and rows drawn from the parent groups as they are."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser)
    add_options(
        parser,
        *READING,
        sources={
            "metavar": "A,B,…",
            "help": "strategies whose synthetic rows are checked: augment, parents, smote (default), paper; the "
            "verdicts are about the first",
        },
        drop={},
        keep_sensitive={"help": "compare the sensitive columns too (left out by default)"},
        held_out={
            "type": float, "default": 0.5, "metavar": "SHARE", "help": "share of rows held out (default 0.5)",
        },
        max_rows={
            "type": int, "default": 300, "metavar": "N", "help": "rows per cell and test, at most (default 300)",
        },
        permutations={
            "type": int, "metavar": "N", "help": "of every test (default: as many as the cells need)",
        },
        noise={"metavar": "X,Y,…", "help": "flip attributes at these rates, train again: do the gains fade?"},
        later={
            "metavar": "TABLE", "type": Path, "help": "a later table: what drifted, and do synthetic rows still fit?",
        },
        positive={
            "help": "the positive label, where it is not 1 or True; matters with --noise or --later",
        },
        top={"help": "cells to print (default 10)"},
        seed={},
        jobs={"help": "threads; -1 (default) is one per core"},
        json={},
        report={},
    )  # fmt: skip


@dataclass(frozen=True)
class _Tables:
    """The table, the later one, and the rates of noise that were asked for."""

    frame: pl.DataFrame
    columns: Columns
    features: pl.DataFrame
    later: tuple[pl.DataFrame, pl.Series, pl.DataFrame] | None
    rates: list[float] | None


def check(arguments: argparse.Namespace) -> Files:
    """Options, before any work is done."""
    from fairlattice._validation import check_count

    check_count("--top", arguments.top, 0)
    check_jobs(arguments.jobs, "threads")
    return Files(inputs=(arguments.table, arguments.later))


def read(arguments: argparse.Namespace) -> _Tables:
    """Both tables, checked."""
    from fairlattice.cli._checks import check_infinite, check_roles
    from fairlattice.cli._tables import read_table

    frame = read_table(arguments.table, decimal=arguments.decimal)
    columns = Columns.parse(arguments, frame.columns)
    features = columns.features(frame, keep_sensitive=arguments.keep_sensitive)
    check_roles(frame, columns.label, columns.sensitive, columns.cuts)
    check_infinite(frame, features.columns)
    rates = _rates(arguments.noise)
    _check_positive(arguments, frame[columns.label])
    later = None if arguments.later is None else _later(arguments, columns, features.columns)
    return _Tables(frame, columns, features, later, rates)


def compute(arguments: argparse.Namespace, tables: _Tables) -> Found:
    """The diagnosis, and what else was asked for."""
    from fairlattice.benchmark import diagnose
    from fairlattice.cli._checks import notes_on_attributes
    from fairlattice.cli._output import progress
    from fairlattice.cli._tables import file_hash
    from fairlattice.report import Report

    frame, columns, features = tables.frame, tables.columns, tables.features
    groups: dict[str, Any] = {
        "sensitive_features": frame[list(columns.sensitive)],
        "cuts": columns.cuts,
        **reading_options(arguments, features.columns),
    }
    sources: dict[str, Any] = {}
    if arguments.sources is not None:
        sources["sources"] = [s.strip() for s in arguments.sources.split(",") if s.strip()]
    more = _drift(arguments, tables, groups)
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
    more |= _noise(arguments, tables, groups)
    digest = file_hash(arguments.table)
    data = data_about(
        arguments, arguments.table.name, frame.height, columns, sha256=digest, features=features.columns
    )
    notes = [*arguments.assumed, *notes_on_attributes(diagnosis.lattice)]
    return Found(Report.of(diagnosis, data=data, **more), notes=notes)


def _drift(arguments: argparse.Namespace, tables: _Tables, groups: dict[str, Any]) -> dict[str, Any]:
    """What changed from the one table to the other, if there are two."""
    from fairlattice.benchmark import drift
    from fairlattice.cli._output import progress

    if tables.later is None:
        return {}
    rows, label, attributes = tables.later
    table = tables.features, tables.frame[tables.columns.label]
    common = {**groups, "random_state": arguments.seed, "positive": arguments.positive}
    with progress("comparing tables"):
        try:
            return {"drift": drift(*table, rows, label, later_features=attributes, **common)}
        except InputError as error:
            raise InputError(f"`{arguments.later}` against `{arguments.table}`: {error}") from error


def _noise(arguments: argparse.Namespace, tables: _Tables, groups: dict[str, Any]) -> dict[str, Any]:
    """How strategies fare when attributes are recorded wrongly, if that was asked for."""
    from fairlattice.benchmark import annotation_noise
    from fairlattice.cli._interrupt import worker_processes
    from fairlattice.cli._output import progress

    if tables.rates is None:
        return {}
    table = tables.features, tables.frame[tables.columns.label]
    common = {**groups, "random_state": arguments.seed, "positive": arguments.positive}
    with worker_processes(arguments.jobs), progress("training with noise") as bar:
        found = annotation_noise(*table, rates=tables.rates, n_jobs=arguments.jobs, progress=bar, **common)
    return {"noise": found}


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
