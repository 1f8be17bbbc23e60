"""``fairlattice augment``: a table with more rows for small groups, each telling its origin."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fairlattice.cli._options import Columns, add_table
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    import polars as pl

    from fairlattice.samplers import Augmented

NAME = "augment"
HELP = "write the table with synthetic rows for groups too small to learn from"
EPILOG = """\
example:
  fairlattice augment people.csv --label hired --sensitive sex race age:25,45 --out more.csv

The original rows come first, as they were. Two columns tell the origin of every row:
  fairlattice_synthetic  false or true
  fairlattice_parents    rows of TABLE (from 0) that a synthetic row was mixed from,
                         one of each parent group; empty for original rows
--no-origin leaves them out."""

SYNTHETIC, PARENTS = "fairlattice_synthetic", "fairlattice_parents"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser)
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
        "--mixing", default="scalar", metavar="NAME", help="scalar (default), diagonal or linear"
    )
    parser.add_argument(
        "--share", default="label", metavar="NAME", help="parameters per label (default) or cell"
    )
    parser.add_argument("--beta", type=float, default=1.0, help="weight of the diversity term (default 1)")
    parser.add_argument(
        "--drop",
        metavar="COLUMN",
        nargs="+",
        action="extend",
        help="columns to leave empty in synthetic rows",
    )
    parser.add_argument("--no-origin", action="store_true", help="leave out the two columns of origin")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same rows (default 0)")


def run(arguments: argparse.Namespace) -> int:
    """Read, fit, make rows, write."""
    from fairlattice.cli._output import progress, show, told_warnings
    from fairlattice.cli._tables import (
        check_labels,
        check_writable,
        read_table,
        refuse_identifier,
        refuse_infinite,
        table_format,
        write_table,
    )
    from fairlattice.samplers import HierarchicalAugmenter

    per_cell = _per_cell(arguments.per_cell)
    table_format(arguments.out)
    check_writable(arguments.out, inputs=(arguments.table,))
    if arguments.seed < 0:
        raise InputError(f"`--seed` must be at least 0, got {arguments.seed}.")
    frame = read_table(arguments.table)
    columns = Columns.parse(arguments, frame.columns)
    taken = [c for c in (SYNTHETIC, PARENTS) if c in frame.columns]
    if taken and not arguments.no_origin:
        raise InputError(
            f"The table has a column `{taken[0]}` already. Was it augmented before? Pass --no-origin."
        )
    check_labels(frame, columns.label)
    refuse_infinite(frame, [c for c in frame.columns if c not in columns.drop])
    refuse_identifier(frame, columns.sensitive, columns.cuts)
    columns.features(frame)
    features = columns.features(frame, keep_sensitive=True)
    augmenter = HierarchicalAugmenter(
        arguments.mixing,
        arguments.share,
        beta=arguments.beta,
        sensitive=columns.sensitive,
        cuts=columns.cuts,
        random_state=arguments.seed,
    )
    with told_warnings(arguments.prog), progress("making rows") as bar:
        augmenter.fit(features, frame[columns.label])
        bar(1, 2)
        more = augmenter.augment(features, frame[columns.label], per_cell=per_cell)
        bar(2, 2)
    write_table(assemble(frame, more, columns, origin=not arguments.no_origin), arguments.out)
    made = int(more.origin.synthetic.sum())
    show(f"wrote {arguments.out}: {frame.height:,} original and {made:,} synthetic rows")
    sys.stdout.flush()
    return 0


def assemble(frame: pl.DataFrame, more: Augmented, columns: Columns, *, origin: bool) -> pl.DataFrame:
    """The table as it was, with the new rows below it, and the columns of origin if asked."""
    import polars as pl

    new = more.X.tail(more.X.height - frame.height).with_columns(more.y.tail(more.X.height - frame.height))
    new = new.with_columns(pl.lit(None, dtype=frame.schema[c]).alias(c) for c in columns.drop)
    table: pl.DataFrame = pl.concat([frame, new.select(frame.columns)])
    if not origin:
        return table
    rows = [
        " ".join(map(str, r)) if s else None
        for r, s in zip(more.origin.parents.tolist(), more.origin.synthetic, strict=True)
    ]
    return table.with_columns(
        pl.Series(SYNTHETIC, more.origin.synthetic), pl.Series(PARENTS, rows, dtype=pl.String)
    )


def _per_cell(text: str) -> str | int:
    if text == "max":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"`--per-cell` must be max or a whole number above 0, got {text!r}.")
    return int(text)
