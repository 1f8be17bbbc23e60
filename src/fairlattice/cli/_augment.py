"""``fairlattice augment``: a table with more rows for small groups, each telling its origin."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from fairlattice.cli._options import Columns, add_reading, add_table, check_jobs, data_about, reading_options
from fairlattice.exceptions import FairlatticeWarning, InputError

if TYPE_CHECKING:
    import polars as pl

    from fairlattice.samplers import Augmented, HierarchicalAugmenter

NAME = "augment"
HELP = "write the table with synthetic rows for groups too small to learn from"
EPILOG = """\
example:
  fairlattice augment people.csv --label hired --sensitive sex race age:25,45 --out more.csv

The original rows come first, unchanged. Two columns record the origin of every row:
  fairlattice_synthetic  false or true
  fairlattice_parents    source rows of a synthetic row in TABLE (from 0): the one drawn and
                         the one its numbers were moved towards, or of a mix one of each
                         parent group; empty for original rows and for SMOTE
--no-origin leaves them out.

A table of more than a million rows is read and written in pieces, and a sample of each
(group, label) cell enters the fit."""

MANY_ROWS = 1_000_000  # more are not held in memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser)
    parser.add_argument("--positive", metavar="LABEL", help="the positive label, for the record in --json")
    add_reading(parser, features=True)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="where to write; format by suffix"
    )
    parser.add_argument(
        "--per-cell",
        default="max",
        metavar="max|N",
        help="raise every (group, label) cell to as many rows as the largest has (default), or to N",
    )
    parser.add_argument(
        "--mixing",
        default="importance",
        metavar="NAME",
        help="importance (default): real rows that are likely to be of the group, numbers moved; scalar (the "
        "paper's), diagonal or linear: mixes of the parents' rows; smote: SMOTE within the group and label",
    )
    parser.add_argument(
        "--max-copies",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="of importance: share of rows that may equal a row of TABLE (default 0.1)",
    )
    parser.add_argument(
        "--share", default="label", metavar="NAME", help="of mixes: parameters per label (default) or cell"
    )
    parser.add_argument(
        "--beta", type=float, default=1.0, help="of mixes: weight of the diversity term (default 1)"
    )
    parser.add_argument(
        "--drop",
        metavar="COLUMN",
        nargs="+",
        action="extend",
        help="columns to leave empty in synthetic rows",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was done as JSON")
    parser.add_argument("--card", type=Path, metavar="FILE", help="write a data card of the table (Markdown)")
    parser.add_argument("--no-origin", action="store_true", help="leave out the two columns of origin")
    parser.add_argument(
        "--stream", action="store_true", help="read and write in pieces, also a table of fewer rows"
    )
    parser.add_argument(
        "--fit-rows",
        type=int,
        metavar="N",
        help="rows of each cell to fit on, where read in pieces (default: 250,000 rows of all cells)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=-1,
        metavar="N",
        help="threads; -1 (default) is one per core. Their number changes nothing about the rows",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same rows (default 0)")


def run(arguments: argparse.Namespace) -> int:
    """Read, fit, make rows, write: in one piece, or in many where the table is large."""
    from fairlattice._validation import check_count
    from fairlattice.cli._tables import check_writable, many_rows, table_format
    from fairlattice.samplers import HierarchicalAugmenter

    per_cell = _per_cell(arguments.per_cell)
    table_format(arguments.out)
    check_writable(arguments.out, arguments.card, json=arguments.json, inputs=(arguments.table,))
    if arguments.seed < 0:
        raise InputError(f"`--seed` must be at least 0, got {arguments.seed}.")
    check_jobs(arguments.jobs, "threads")
    if arguments.fit_rows is not None:
        check_count("--fit-rows", arguments.fit_rows, 2)
    augmenter = HierarchicalAugmenter(
        arguments.mixing,
        arguments.share,
        max_copies=arguments.max_copies,
        beta=arguments.beta,
        n_jobs=arguments.jobs,
        random_state=arguments.seed,
    )
    if arguments.stream or arguments.fit_rows is not None or many_rows(arguments.table) > MANY_ROWS:
        from fairlattice.cli._augment_stream import augment_stream

        return augment_stream(arguments, augmenter, per_cell)
    return _in_one_piece(arguments, augmenter, per_cell)


def _in_one_piece(
    arguments: argparse.Namespace, augmenter: HierarchicalAugmenter, per_cell: str | int
) -> int:
    from fairlattice.cli._augment_rows import check_names
    from fairlattice.cli._checks import check_infinite, check_roles, notes_on_attributes
    from fairlattice.cli._output import note, progress, publish
    from fairlattice.cli._tables import file_hash, is_text, read_table, table_writer
    from fairlattice.report import augment_summary, data_card, to_json

    frame = read_table(arguments.table, decimal=arguments.decimal)
    columns = Columns.parse(arguments, frame.columns)
    check_names(frame.columns, origin=not arguments.no_origin)
    columns.features(frame)
    features = columns.features(frame, keep_sensitive=True)
    check_roles(frame, columns.label, columns.sensitive, columns.cuts)
    check_infinite(frame, features.columns)
    reading = reading_options(arguments, features.columns)
    augmenter.set_params(sensitive=columns.sensitive, cuts=columns.cuts, **reading)
    with warnings.catch_warnings(record=True) as caught, progress("making rows") as bar:
        warnings.simplefilter("always", FairlatticeWarning)
        augmenter.fit(features, frame[columns.label])
        bar(1, 2)
        more = augmenter.augment(features, frame[columns.label], per_cell=per_cell)
        bar(2, 2)
    # From text to text the original rows keep their very text, such as the zeros of 007.
    verbatim = is_text(arguments.table) and is_text(arguments.out)
    original = read_table(arguments.table, as_text=True) if verbatim else frame
    table = assemble(original, frame.schema, more, columns, origin=not arguments.no_origin)
    told = [str(w.message) for w in caught if issubclass(w.category, FairlatticeWarning)]
    data = data_about(
        arguments, arguments.table.name, frame.height, columns, sha256=file_hash(arguments.table)
    )
    summary = augment_summary(augmenter, more, data, told)
    made = int(more.origin.synthetic.sum())
    publish(
        to_json(summary),
        arguments.json,
        f"wrote {arguments.out}: {frame.height:,} original and {made:,} synthetic rows",
        (arguments.out, table_writer(table, arguments.out)),
        (arguments.card, lambda target: target.write(data_card(summary).encode())),
    )
    note(arguments.prog, [*arguments.assumed, *told, *notes_on_attributes(augmenter.lattice_)])
    return 0


def assemble(
    original: pl.DataFrame, schema: pl.Schema, more: Augmented, columns: Columns, *, origin: bool
) -> pl.DataFrame:
    """The table as it was, with the new rows below it, and the columns of origin if asked."""
    import polars as pl

    from fairlattice.cli._augment_rows import PARENTS, cast_like, new_rows, parents_text
    from fairlattice.samplers._shared import SYNTHETIC

    n = more.X.height - original.height
    new = cast_like(new_rows(more.X.tail(n), more.y.tail(n), schema, columns), original.schema)
    table: pl.DataFrame = pl.concat([original, new])
    if not origin:
        return table
    none = pl.Series([None], dtype=pl.String).new_from_index(0, original.height)
    rows = pl.concat([none, parents_text(more.origin.parents[original.height :])])
    return table.with_columns(pl.Series(SYNTHETIC, more.origin.synthetic), rows.alias(PARENTS))


def _per_cell(text: str) -> str | int:
    if text == "max":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"`--per-cell` must be max or a whole number above 0, got {text!r}.")
    return int(text)
