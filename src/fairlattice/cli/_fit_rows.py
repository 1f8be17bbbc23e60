"""A sample of a table too large to hold: a limited number of rows of each cell, found in one pass.

Every row has a random key that depends on its number and the seed alone. A cell's rows with the smallest
keys are a uniform sample of it, the same in whatever pieces the table is read. As the cells' sizes are
known, a bound on the keys leaves little more than the sample to hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs

from fairlattice._column import index_of
from fairlattice._validation import FloatArray, IntArray, as_column
from fairlattice.groups import GroupCounts
from fairlattice.samplers._shared import MOST, even_share
from fairlattice.tables._shared import AttributeReading, LabelReading, Reading, Rules, read_column

_STEP = np.uint64(0x9E3779B97F4A7C15)  # of the generator splitmix64
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def rows_per_cell(sizes: IntArray, most: int = MOST) -> int:
    """The largest bound with which all cells together have at most `most` rows, but 2 at least.

    Examples
    --------
    >>> rows_per_cell(np.array([5, 100, 1000]), 505)
    400
    """
    return even_share(sizes, most, least=2)


def row_keys(rows: npt.NDArray[Any], seed: int) -> FloatArray:
    """A number in [0, 1) for every row number, uniform and independent, always the same.

    Examples
    --------
    >>> row_keys(np.array([0, 1]), 7).tolist() == [row_keys(np.array([i]), 7)[0] for i in (0, 1)]
    True
    """
    start = np.random.SeedSequence([seed, 1]).generate_state(1, np.uint64)
    mixed = (rows.astype(np.uint64) + np.uint64(1)) * _STEP + start
    for shift, multiplier in zip(_SHIFTS, _MULTIPLIERS, strict=False):
        mixed = (mixed ^ (mixed >> shift)) * multiplier
    mixed ^= mixed >> _SHIFTS[2]
    keys: FloatArray = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return keys


def sample_rows(
    table: pl.LazyFrame, counts: GroupCounts, label: str, per_cell: int, seed: int, rules: Rules
) -> tuple[pl.DataFrame, IntArray]:
    """At most `per_cell` rows of each cell, in their order, and their row numbers in the table."""
    k = len(counts.classes)
    sizes = np.diagonal(counts.table, axis1=1, axis2=2).ravel()
    room = (per_cell + 6.0 * np.sqrt(per_cell) + 20.0) / np.maximum(sizes, 1)
    bound = np.where(sizes <= per_cell, 1.0, room)
    number = _free_name(table.collect_schema().names())
    attributes = AttributeReading({name: _reading(table, name, rules) for name in counts.lattice.names})
    labels = LabelReading(_reading(table, label, rules, numbers=False))

    def some(batch: pl.DataFrame) -> pl.DataFrame:
        leaves = np.searchsorted(
            counts.codes, counts.lattice.encode(attributes.apply(batch[list(counts.lattice.names)]))
        )
        rows = batch[number].to_numpy().astype(np.int64)
        cells = (
            leaves * k + index_of(labels.apply(batch.get_column(label), label), counts.classes)
            if len(batch)
            else leaves
        )
        keys = row_keys(rows, seed)
        found = pl.DataFrame({"row": rows, "cell": cells, "key": keys}, schema=schema)
        return found.filter(keys < bound[cells])

    # Python sees the columns that matter only: it is slower than what reads ahead of it.
    schema = pl.Schema({"row": pl.Int64(), "cell": pl.Int64(), "key": pl.Float64()})
    numbered = table.with_row_index(number)
    slim = numbered.select(cs.by_name(number, label, *counts.lattice.names))
    found = slim.map_batches(some, schema=schema, streamable=True).collect(engine="streaming")
    order = np.lexsort((found["key"].to_numpy(), found["cell"].to_numpy()))
    cells = found["cell"].to_numpy()[order]
    rank = np.arange(len(cells)) - np.searchsorted(cells, cells)
    rows = np.sort(found["row"].to_numpy()[order[rank < per_cell]])
    wanted = pl.LazyFrame({number: rows}).with_columns(pl.col(number).cast(numbered.collect_schema()[number]))
    sample = numbered.join(wanted, on=number, how="semi").collect(engine="streaming").sort(number)
    return sample.drop(number), rows


def _reading(table: pl.LazyFrame, name: str, rules: Rules, *, numbers: bool = True) -> Reading:
    """How a column of a table is read, from its distinct values."""
    column = table.select(cs.by_name(name))
    if column.collect_schema().dtypes()[0].is_numeric():
        column = column.head(1)
    values = as_column(column.unique().collect(engine="streaming").to_series(), name)
    return read_column(name, values, rules, numbers=numbers)[0]


def _free_name(taken: list[str]) -> str:
    """A name that no column has."""
    return "row" + "_" * max(map(len, taken))
