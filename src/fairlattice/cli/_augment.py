"""``fairlattice augment``: a table with more rows for small groups, each with its origin."""

from __future__ import annotations

import argparse
import os
import shlex
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice.cli._options import (
    READING,
    TABLE_HELP,
    Columns,
    add_options,
    add_table,
    check_jobs,
    data_about,
    reading_options,
)
from fairlattice.cli._skeleton import Files, Found
from fairlattice.exceptions import FairlatticeWarning, InputError

if TYPE_CHECKING:
    import polars as pl

    from fairlattice._files import FolderWriter, Writer
    from fairlattice.groups import Leaf
    from fairlattice.samplers import Augmented, HierarchicalAugmenter

    CellRows = Mapping[tuple[Leaf, Any], tuple[int, int]]

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
(group, label) cell enters the fit.

Of a folder, FILE without extension is a folder too; a name that ends in / always is. It gets
a Parquet file for each of the table's files, and synthetic.parquet."""

MANY_ROWS = 1_000_000  # more are not held in memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser, help_text=f"{TABLE_HELP}; or a folder of Parquet files")
    add_options(
        parser,
        *READING,
        positive={"help": "the positive label, for the record in --json"},
        out={
            "type": str, "required": True, "metavar": "FILE",
            "help": "where to write; format by extension; FOLDER/ for a folder of Parquet files",
        },
        per_cell={
            "type": str, "default": "max", "metavar": "max|N",
            "help": "raise every (group, label) cell to as many rows as the largest has (default), or to N",
        },
        mixing={
            "default": "importance", "metavar": "NAME",
            "help": "importance (default): real rows that are likely to be of the group, numbers moved; scalar (the "
            "paper's), diagonal, summed or linear: mixes of the parents' rows; smote: SMOTE within the group and label",
        },
        max_copies={
            "type": float, "default": 0.1, "metavar": "SHARE",
            "help": "of importance: share of rows that are copied unchanged (default 0.1); the others' numbers are "
            "moved, and may equal another row where columns have few values",
        },
        share={
            "default": "label", "metavar": "NAME", "help": "of mixes: parameters per label (default) or cell",
        },
        beta={"type": float, "default": 1.0, "help": "of mixes: weight of the diversity term (default 1)"},
        drop={"help": "columns to leave empty in synthetic rows"},
        json={"help": "write what was done as JSON (- is standard output)"},
        card={"help": "write a data card of the table (Markdown)"},
        no_origin={"action": "store_true", "help": "leave out the two columns of origin"},
        stream={"action": "store_true", "help": "read and write in pieces, also a table of fewer rows"},
        fit_rows={
            "type": int, "metavar": "N",
            "help": "rows of each cell to fit on, where read in pieces (default: 250,000 rows of all cells)",
        },
        device={
            "help": "PyTorch device to fit on, such as cuda (default: NumPy); rows agree with NumPy's up to rounding",
        },
        jobs={
            "help": "threads; -1 (default) is one per core. Their number changes nothing about the rows",
        },
        seed={"help": "the same seed gives the same rows (default 0)"},
    )  # fmt: skip


def check(arguments: argparse.Namespace) -> Files:
    """Options, before any work is done."""
    from fairlattice._validation import check_count
    from fairlattice.cli._tables import table_format

    _per_cell(arguments.per_cell)
    folder = _is_folder(arguments.out, arguments.table)
    arguments.out, arguments.out_folder = Path(arguments.out), folder
    if not folder:
        table_format(arguments.out)
    if arguments.seed < 0:
        raise InputError(f"`--seed` must be at least 0, got {arguments.seed}.")
    check_jobs(arguments.jobs, "threads")
    if arguments.device is not None:
        from fairlattice.samplers._shared import check_device

        if arguments.mixing == "smote":
            raise InputError("`--device` has no meaning with SMOTE, which fits nothing. Leave it out.")
        check_device(arguments.device, "--device")
    if arguments.fit_rows is not None:
        check_count("--fit-rows", arguments.fit_rows, 2)
    return Files(
        (arguments.out, arguments.card), (arguments.table,), folder=arguments.out if folder else None
    )


def _is_folder(out: str, table: Path) -> bool:
    """Whether a folder is to be written: of a folder unless an extension says otherwise, or by a / at the end."""
    ends = out.endswith(tuple(filter(None, (os.sep, os.altsep))))
    # pathlib raises where a name is too long; such a file is refused when it is read.
    return ends or (not Path(out).suffix and os.path.isdir(table))  # noqa: PTH112


def read(arguments: argparse.Namespace) -> pl.DataFrame | None:
    """The table; None where it is too large to be held."""
    from fairlattice.cli._tables import many_rows, read_table

    folder = os.path.isdir(arguments.table)  # noqa: PTH112 - as above
    pieces = arguments.stream or arguments.fit_rows is not None or folder or arguments.out_folder
    if pieces or many_rows(arguments.table) > MANY_ROWS:
        return None
    return read_table(arguments.table, decimal=arguments.decimal)


def compute(arguments: argparse.Namespace, frame: pl.DataFrame | None) -> Found:
    """Fit and draw rows: in one piece, or in many where the table is large."""
    from fairlattice.samplers import HierarchicalAugmenter

    per_cell = _per_cell(arguments.per_cell)
    augmenter = HierarchicalAugmenter(
        arguments.mixing,
        arguments.share,
        max_copies=arguments.max_copies,
        beta=arguments.beta,
        n_jobs=arguments.jobs,
        device=arguments.device,
        random_state=arguments.seed,
    )
    if frame is None:
        from fairlattice.cli._augment_stream import augment_stream

        return augment_stream(arguments, augmenter, per_cell)
    return _in_one_piece(arguments, frame, augmenter, per_cell)


def _in_one_piece(
    arguments: argparse.Namespace, frame: pl.DataFrame, augmenter: HierarchicalAugmenter, per_cell: str | int
) -> Found:
    from fairlattice.cli._augment_rows import check_names
    from fairlattice.cli._checks import check_infinite, check_roles
    from fairlattice.cli._output import progress
    from fairlattice.cli._tables import is_text, read_table, table_writer

    columns = Columns.parse(arguments, frame.columns)
    check_names(frame.columns, origin=not arguments.no_origin)
    columns.features(frame)
    features = columns.features(frame, keep_sensitive=True)
    check_roles(frame, columns.label, columns.sensitive, columns.cuts)
    check_infinite(frame, features.columns)
    reading = reading_options(arguments, features.columns)
    augmenter.set_params(sensitive=columns.sensitive, cuts=columns.cuts, **reading)
    with warnings.catch_warnings(record=True) as caught, progress("drawing rows") as bar:
        warnings.simplefilter("always", FairlatticeWarning)
        augmenter.fit(features, frame[columns.label])
        bar(1, 2)
        more = augmenter.augment(features, frame[columns.label], per_cell=per_cell)
        bar(2, 2)
    # From text to text the original rows keep their very text, such as the zeros of 007.
    verbatim = is_text(arguments.table) and is_text(arguments.out)
    original = read_table(arguments.table, as_text=True) if verbatim else frame
    table = assemble(original, frame.schema, more, columns, origin=not arguments.no_origin)
    rows = frame.height, int(more.origin.synthetic.sum())
    writer = table_writer(table, arguments.out, like=arguments.table if verbatim else None)
    return augmented(arguments, augmenter, more, columns, rows, writer, caught)


def augmented(
    arguments: argparse.Namespace,
    augmenter: HierarchicalAugmenter,
    rows: Augmented | CellRows,
    columns: Columns,
    sizes: tuple[int, int],
    writer: Writer | FolderWriter,
    caught: Sequence[warnings.WarningMessage],
    **settings: Any,
) -> Found:
    """The table and its card, given how to write it and how many rows are original and synthetic."""
    from fairlattice.cli._checks import notes_on_attributes
    from fairlattice.cli._tables import file_hash
    from fairlattice.report import Report

    warned = [str(w.message) for w in caught if issubclass(w.category, FairlatticeWarning)]
    original, synthetic = sizes
    if synthetic:
        warned += _on_identifiers(augmenter)
    if arguments.device is not None:  # rows agree with NumPy's up to rounding only
        settings["device"] = arguments.device
    digest = file_hash(arguments.table)
    data = data_about(arguments, arguments.table.name, original, columns, sha256=digest)
    report = Report.of(augmenter, rows=rows, data=data, notes=warned, settings=settings)
    view = f"wrote {arguments.out}: {original:,} original and {synthetic:,} synthetic rows"
    card = (arguments.card, lambda target: target.write(report.card().encode()))
    notes = [*arguments.assumed, *warned, *notes_on_attributes(augmenter.lattice_)]
    return Found(report, view, [(arguments.out, writer), card], notes)


def _on_identifiers(augmenter: HierarchicalAugmenter) -> list[str]:
    """What a reader must know of columns that identify real rows."""
    names = [name for name, feature in augmenter.encoder_.features_.items() if feature.kind == "identifier"]
    if not names:
        return []
    listed = ", ".join(f"`{name}`" for name in names)
    return [
        f"Synthetic rows carry the identifiers of real rows ({listed}), so these name more than one row. "
        f"To leave them empty in synthetic rows, pass --drop {shlex.join(names)}."
    ]


def assemble(
    original: pl.DataFrame, schema: pl.Schema, more: Augmented, columns: Columns, *, origin: bool
) -> pl.DataFrame:
    """The table as it was, with the new rows below it, and the columns of origin if asked."""
    import polars as pl

    from fairlattice.cli._augment_rows import PARENTS, new_rows, parents_text
    from fairlattice.samplers._shared import SYNTHETIC, cast_like

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
