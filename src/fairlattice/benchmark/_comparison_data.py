"""The rows that a comparison splits: read once in each process, then encoded once for each fold.

Reading a column of text takes longer than encoding it, and every strategy of a fold trains on the same vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import numpy as np

from fairlattice._column import Column
from fairlattice._validation import FloatArray, IntArray
from fairlattice.benchmark._classifiers import make_classifier
from fairlattice.benchmark._splits import Fold, child_seed
from fairlattice.benchmark._tasks import SentOnce
from fairlattice.encoders import TableEncoder
from fairlattice.encoders._shared import read_columns
from fairlattice.groups import GroupLattice
from fairlattice.samplers import CellIndex
from fairlattice.samplers._shared import take_rows
from fairlattice.strategies import TrainingTable
from fairlattice.strategies._shared import Vectors
from fairlattice.tables._shared import Feature


@dataclass(frozen=True, eq=False)
class ComparisonData(SentOnce):
    """Data and settings that all runs of a comparison share."""

    X: Any
    truth: IntArray
    lattice: GroupLattice
    leaves: IntArray
    classifier: Any
    per_cell: int
    seed: int
    folds: int
    reading: Mapping[str, Feature]
    device: str | None
    token: str = field(default_factory=lambda: uuid4().hex)

    def table(self, split: Fold, columns: Mapping[str, Column]) -> TrainingTable:
        """The training rows of a fold, as :class:`FairClassifier` makes them of these rows alone.

        The seed is the pair of the comparison's seed and the number of the fold over all repeats. `columns` holds the
        columns of all rows, already read.
        """
        train = split.train
        rows, read = take_rows(self.X, train), _rows_of(columns, train)
        encoder = TableEncoder().fit_as(rows, read, self.reading)
        lattice = self.lattice.occurring(self.leaves[train])
        leaves = self.lattice.recode(self.leaves[train], lattice)
        number = split.repeat * self.folds + split.number
        return TrainingTable(
            rows,
            CellIndex(lattice, leaves, self.truth[train], 2),
            np.arange(2),
            make_classifier(self.classifier, child_seed(self.seed, number)),
            (self.seed, number),
            per_cell=self.per_cell,
            encoded=Vectors(encoder, encoder.encode(read)),
            reading=self.reading,
            device=self.device,
        )


class _Prepared:
    """Cache of a process: the columns of the latest comparison, and the encoded rows of its latest fold."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Empty the cache."""
        self._token = ""
        self._columns: dict[str, Column] = {}
        self._fold: tuple[Any, tuple[TrainingTable, FloatArray]] | None = None

    def __call__(self, data: ComparisonData, split: Fold) -> tuple[TrainingTable, FloatArray]:
        """The training table of a fold, and its test rows as vectors."""
        if self._token != data.token:
            self.clear()
            self._token, self._columns = data.token, read_columns(data.X, data.reading)
        key = split.repeat, split.number
        if self._fold is None or self._fold[0] != key:
            self._fold = None  # frees it first
            table = data.table(split, self._columns)
            tested = table.vectors.encoder.encode(_rows_of(self._columns, split.test))
            self._fold = key, (table, tested)
        return self._fold[1]


prepared = _Prepared()


def _rows_of(columns: Mapping[str, Column], rows: IntArray) -> dict[str, Column]:
    return {name: column.take(rows) for name, column in columns.items()}
