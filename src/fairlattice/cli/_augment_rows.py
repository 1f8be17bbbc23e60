"""New rows in the columns of the table that they join, and the two columns that tell their origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fairlattice._validation import IntArray
from fairlattice.cli._options import Columns
from fairlattice.exceptions import InputError
from fairlattice.samplers._shared import SYNTHETIC

PARENTS = "fairlattice_parents"


def check_names(names: Sequence[str], *, origin: bool) -> None:
    """Raise if the columns of the origin are there already."""
    taken = [c for c in (SYNTHETIC, PARENTS) if c in names]
    if taken and origin:
        raise InputError(
            f"The table has a column `{taken[0]}` already. Was it augmented before? Pass --no-origin."
        )


def new_rows(X: pl.DataFrame, y: pl.Series, schema: pl.Schema, columns: Columns) -> pl.DataFrame:
    """Features and labels in the order of the table's columns; those that were dropped are empty."""
    empty = [pl.Series(c, [None], dtype=schema[c]).new_from_index(0, X.height) for c in columns.drop]
    known = {s.name: s for s in [*X.get_columns(), y.alias(columns.label), *empty]}
    return pl.DataFrame({name: known[name] for name in schema.names()})


def parents_text(parents: IntArray) -> pl.Series:
    """The row numbers of each row's sources, as text with spaces between them; null where none are recorded."""
    if not parents.shape[1]:
        return pl.Series(PARENTS, [None], dtype=pl.String).new_from_index(0, len(parents))
    numbers = pl.DataFrame(parents, schema=[f"p{i}" for i in range(parents.shape[1])])
    text: Any = numbers.select(pl.concat_str(pl.all(), separator=" ")).to_series()
    return pl.Series(PARENTS, text, dtype=pl.String)
