"""Find the (leaf, label) cell of each row of a batch, given how the whole table is read and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from fairlattice._column import index_of
from fairlattice._validation import IntArray, as_column, as_native
from fairlattice.groups import GroupCounts
from fairlattice.groups._shared import collected, plainly_named, without_dask_notice
from fairlattice.tables._shared import AttributeReading, LabelReading, Reading, Rules, read_column

if TYPE_CHECKING:
    import polars as pl

_CELL = "cell"


@dataclass(frozen=True)
class Places:
    """Function that numbers the cell of each row: place of the leaf in the counts × number of labels + label.

    Parameters
    ----------
    counts : GroupCounts
        Of the whole table.
    attributes : AttributeReading
        How attributes are read.
    label : str
        The column of labels.
    labels : LabelReading
        How they are read.
    """

    counts: GroupCounts
    attributes: AttributeReading
    label: str
    labels: LabelReading

    @classmethod
    def of(cls, X: Any, counts: GroupCounts, sensitive: Sequence[str], label: str, rules: Rules) -> Places:
        """Decide how the columns of a lazy frame are read, from their distinct values."""
        read = {name: _reading(X, name, rules) for name in sensitive}
        return cls(
            counts, AttributeReading(read), label, LabelReading(_reading(X, label, rules, numbers=False))
        )

    def __call__(self, batch: pl.DataFrame) -> IntArray:
        """The cells of the rows of a batch."""
        import polars as pl

        names = [*self.counts.lattice.names, self.label]
        # Columns are renamed to numbers, because polars reads some names as patterns.
        rows = pl.DataFrame({str(i): batch.get_column(name) for i, name in enumerate(names)})
        if not rows.height:
            return np.zeros(0, dtype=np.int64)
        if pl.Object in rows.dtypes:  # polars cannot compare objects
            return self._each(rows, names)
        distinct = rows.unique()
        if 2 * distinct.height > rows.height:
            return self._each(rows, names)
        known = distinct.with_columns(pl.Series(_CELL, self._each(distinct, names)))
        found = rows.join(known, on=rows.columns, how="left", nulls_equal=True, maintain_order="left")
        return found.get_column(_CELL).to_numpy()

    def _each(self, rows: pl.DataFrame, names: Sequence[str]) -> IntArray:
        named = {name: rows.get_column(str(i)) for i, name in enumerate(names[:-1])}
        counts = self.counts
        leaves = counts.lattice.encode(self.attributes.apply(named))
        labels = self.labels.apply(rows.get_column(str(len(named))), self.label)
        cells = np.searchsorted(counts.codes, leaves) * len(counts.classes) + index_of(labels, counts.classes)
        return np.asarray(cells, dtype=np.int64)


def _reading(X: Any, name: str, rules: Rules, *, numbers: bool = True) -> Reading:
    """How a column is read, from its distinct values."""
    with without_dask_notice():
        table, at = plainly_named(as_native(X), [name])
        column = table.select(nw.col(at[name]))
        numeric = column.collect_schema()[at[name]].is_numeric()
    values = collected(column.head(1) if numeric else column.unique()).get_column(at[name])
    return read_column(name, as_column(values.to_native(), name), rules, numbers=numbers)[0]
