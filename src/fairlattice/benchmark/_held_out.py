"""A table in two parts: one that row sources see, and one that their rows are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairlattice._column import index_of
from fairlattice._validation import FloatArray, IntArray, check_same_length, distinct_values
from fairlattice.benchmark._splits import child_seed, stratified_splits
from fairlattice.encoders import TableEncoder
from fairlattice.encoders._shared import DecodedColumns
from fairlattice.groups import GroupLattice
from fairlattice.groups._shared import Grouping
from fairlattice.samplers import Cell, CellIndex
from fairlattice.samplers._shared import take_rows
from fairlattice.strategies import STRATEGIES, TrainingTable
from fairlattice.strategies._shared import Vectors
from fairlattice.tables._shared import AttributeReading, LabelReading, Rules, read_attributes, read_labels


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A table in two parts, encoded by its training rows, and who is in which part.

    Parameters
    ----------
    lattice : GroupLattice
        The groups of both parts.
    classes : tuple
        The labels.
    train, test : int arrays
        Row numbers of the parts in the table.
    index, held : CellIndex
        The cells of the training and of the held-out rows.
    encoder : TableEncoder
        Fitted to the training rows.
    Z, Z_held : float arrays
        Vectors of the two parts.
    labels, attributes : LabelReading, AttributeReading
        How labels and attributes are read.
    """

    lattice: GroupLattice
    classes: tuple[Any, ...]
    train: IntArray
    test: IntArray
    index: CellIndex
    held: CellIndex
    encoder: TableEncoder
    Z: FloatArray
    Z_held: FloatArray
    labels: LabelReading
    attributes: AttributeReading

    def frame(self, Z: FloatArray) -> DecodedColumns:
        """The columns that vectors mean."""
        return self.encoder.columns_of(Z)

    def valid_rows(self, source: str, wanted: Mapping[Cell, int], seed: int) -> dict[Cell, FloatArray]:
        """Vectors of valid synthetic rows that a strategy draws from the training rows, no row of which comes twice."""
        classes = np.arange(len(self.classes))
        table = TrainingTable(None, self.index, classes, None, (seed,), encoded=Vectors(self.encoder, self.Z))
        drawn = STRATEGIES[source].rows.draw(table, wanted, distinct=True)
        return {cell: self.encoder.snap(vectors) for cell, vectors in drawn.items()}

    def sizes(self) -> dict[Cell, tuple[int, int]]:
        """Training and held-out rows of every cell that has any."""
        cells = dict(self.index.cells()) | dict(self.held.cells())
        sizes = {c: (len(self.index.rows(c)), len(self.held.rows(c))) for c in sorted(cells)}
        return {cell: n for cell, n in sizes.items() if sum(n)}


def hold_out(
    X: Any, y: Any, features: Any, *, grouping: Grouping, share: float, seed: int, encoder: TableEncoder
) -> HeldOut:
    """Split a table by cell, and encode it; how its columns are read is decided on the whole by `encoder`."""
    labels, read = read_labels(y, "y", Rules(encoder.na))
    classes = tuple(distinct_values(labels))
    codes = index_of(labels, classes)
    clean, attributes = read_attributes(features, Rules(encoder.na, encoder.decimal))
    lattice, leaves = grouping.encode(clean)
    check_same_length(X=X, y=codes, sensitive_features=leaves)
    (train, test), *_ = stratified_splits(leaves, codes, repeats=1, test_size=share, seed=child_seed(seed))
    rows = take_rows(X, train)
    vectors = encoder.fit_vectors(rows, encoder.read(X))
    return HeldOut(
        lattice,
        classes,
        train,
        test,
        CellIndex(lattice, leaves[train], codes[train], len(classes)),
        CellIndex(lattice, leaves[test], codes[test], len(classes)),
        encoder,
        vectors,
        encoder.vectors(take_rows(X, test)),
        read,
        attributes,
    )
