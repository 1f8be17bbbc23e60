"""The training table that a strategy sees, and the rows that a classifier is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.encoders import TableEncoder
from fairlattice.samplers import Cell, CellIndex
from fairlattice.samplers._shared import columns_inside, concat_rows, take_rows, with_inside, without
from fairlattice.tables._shared import Feature

Synthetic = Mapping[Cell, FloatArray]
"""Synthetic vectors by cell, as they were drawn: valid rows only after decoding, or ``encoder.snap``."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Rows of a table as vectors.

    Parameters
    ----------
    encoder : TableEncoder
        Encodes the rows; it is fitted to original rows only.
    Z : float array of shape (n, d)
        The vectors.
    rows : int array of shape (n,), optional
        Which of the encoder's training rows they are; None means all of them, in order.
    """

    encoder: Any
    Z: FloatArray = field(repr=False)
    rows: IntArray | None = field(default=None, repr=False)

    @property
    def crowded(self) -> list[IntArray]:
        """As :attr:`TableEncoder.crowded`, of these rows."""
        found: list[IntArray] = self.encoder.crowded
        return found if self.rows is None else [levels[self.rows] for levels in found]

    def take(self, rows: IntArray) -> Vectors:
        """Some of the rows, with the same encoder."""
        return Vectors(self.encoder, self.Z[rows], rows if self.rows is None else self.rows[rows])


@dataclass(frozen=True, eq=False)
class BlindFeatures:
    """Vectors of rows without the sensitive columns.

    Parameters
    ----------
    encoder : TableEncoder or None
        Encodes the rows; None where they are vectors already.
    kept : bool array of shape (d,)
        The coordinates that belong to no sensitive column.
    """

    encoder: Any
    kept: BoolArray = field(repr=False)

    def __call__(self, X: Any) -> FloatArray:
        """Vectors of shape (n, number of coordinates kept)."""
        vectors: FloatArray = np.asarray(X if self.encoder is None else self.encoder.vectors(X))[:, self.kept]
        return vectors


@dataclass(frozen=True)
class TrainingRows:
    """What the classifier is trained on: original rows, then synthetic ones, with their weights.

    Parameters
    ----------
    X : array or frame of n rows
        As the classifier takes them.
    leaves, labels : int arrays of shape (n,)
        Leaf code and label code of every row.
    n_original : int
        How many of the rows are original; these come first.
    weights : float array of shape (n,), optional
        Weights of at least 0 with mean 1; None means no weights.
    """

    X: Any = field(repr=False)
    leaves: IntArray = field(repr=False)
    labels: IntArray = field(repr=False)
    n_original: int
    weights: FloatArray | None = field(default=None, repr=False)


PER_CELL = 1000
"""Rows that strategies with synthetic rows raise smaller cells to, unless the caller says otherwise."""


@dataclass(frozen=True, eq=False)
class TrainingTable:
    """Training rows, their groups and labels, and the classifier to train; all that a strategy may use.

    Parameters
    ----------
    rows : frame, mapping of arrays or array of n rows
        The features as the user passed them. May be None where `encoded` is given and the classifier takes vectors.
    index : CellIndex
        Lattice, leaf code and label code of every row.
    classes : array
        The label that each label code means.
    estimator : classifier
        What is to be trained; never fitted here, always cloned.
    entropy : tuple of int
        Seed of all draws.
    on_vectors : bool
        Whether the classifier takes vectors of a :class:`TableEncoder` instead of rows.
    per_cell : int
        Synthetic rows raise smaller cells to this many rows, at most to the largest cell's number.
    max_categories : int
        As in :class:`TableEncoder`.
    encoded : Vectors, optional
        All features as vectors, where these are known already.
    reading : mapping of str to Feature, optional
        What each column is, where that was decided on a larger table.
    device : str, optional
        Device of PyTorch on which mixes and membership models are fitted; by default NumPy.
    """

    rows: Any = field(repr=False)
    index: CellIndex = field(repr=False)
    classes: npt.NDArray[Any]
    estimator: Any
    entropy: tuple[int, ...]
    on_vectors: bool = True
    per_cell: int = PER_CELL
    max_categories: int = 64
    encoded: Vectors | None = field(default=None, repr=False)
    reading: Mapping[str, Feature] | None = field(default=None, repr=False)
    device: str | None = None

    @property
    def X(self) -> Any:  # noqa: N802 - the field's name
        """The rows as the classifier takes them."""
        return self.vectors.Z if self.on_vectors else self.rows

    @property
    def y(self) -> npt.NDArray[Any]:
        """The label of every row."""
        return self.labels_of(self.index.labels)

    @property
    def sensitive_features(self) -> npt.NDArray[Any]:
        """Levels of the attributes, an object array of shape (n, p)."""
        return levels_of(self.index.lattice, self.index.leaves)

    def rng(self, *key: int) -> np.random.Generator:
        """A random stream of this table's seed."""
        return np.random.default_rng([*self.entropy, *key])

    def labels_of(self, codes: IntArray) -> npt.NDArray[Any]:
        """Labels for their codes."""
        labels: npt.NDArray[Any] = self.classes[codes]
        return labels

    @cached_property
    def vectors(self) -> Vectors:
        """All features as vectors."""
        if self.encoded is not None:
            return self.encoded
        return self._encoded(self.rows)

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """Models and scores that strategies of this table share, by what they follow from."""
        return {}

    @cached_property
    def features(self) -> Vectors:
        """Features without the sensitive columns, from which synthetic rows are drawn."""
        if not self._inside:
            return self.vectors
        return self._encoded(without(self.rows, self._inside))

    def _encoded(self, rows: Any) -> Vectors:
        encoder = TableEncoder(self.max_categories)
        known = (
            None if isinstance(rows, np.ndarray) and self._inside else self.reading
        )  # its columns have moved
        return Vectors(encoder, encoder.fit_vectors(rows, known))

    def blind_features(self) -> BlindFeatures:
        """Encodes rows as the classifier takes them, without the sensitive columns."""
        vectors = self.vectors
        kept = np.ones(vectors.Z.shape[1], dtype=bool)
        for name in self._inside:
            kept[vectors.encoder.slices_[name]] = False
        return BlindFeatures(None if self.on_vectors else vectors.encoder, kept)

    @cached_property
    def _inside(self) -> dict[Any, int]:
        """Columns among the features that follow a sensitive attribute, and which one."""
        if self.rows is None:
            return {}
        digits = self.index.lattice.digits(self.index.leaves)
        return columns_inside(self.rows, None, self.index.lattice, digits)

    def shortfalls(self) -> dict[Cell, int]:
        """How many rows each cell lacks."""
        largest = max(size for _, size in self.index.cells())
        return self.index.shortfalls(min(self.per_cell, largest))

    def take(self, rows: IntArray) -> TrainingTable:
        """The table of some of its rows, with the same encoder."""
        index = self.index
        part = CellIndex(index.lattice, index.leaves[rows], index.labels[rows], index.n_labels)
        known = self.encoded or (self.vectors if self.on_vectors else None)
        return replace(
            self,
            rows=None if self.rows is None else take_rows(self.rows, rows),
            index=part,
            encoded=None if known is None else known.take(rows),
        )

    def original(self) -> TrainingRows:
        """The rows as they are, without weights."""
        return TrainingRows(self.X, self.index.leaves, self.index.labels, len(self.index.labels))

    def with_synthetic(self, synthetic: Synthetic) -> TrainingRows:
        """The rows, and synthetic ones below them as valid rows of the table.

        Parameters
        ----------
        synthetic : mapping of Cell to float array of shape (m, d)
            Vectors like those of `features`.
        """
        wanted = [(cell, len(vectors)) for cell, vectors in synthetic.items() if len(vectors)]
        if not wanted:
            return self.original()
        vectors = np.concatenate([synthetic[cell] for cell, _ in wanted])
        sizes = [n for _, n in wanted]
        return TrainingRows(
            concat_rows(self.X, self._as_rows(vectors, wanted)),
            np.concatenate([self.index.leaves, np.repeat([c.leaf for c, _ in wanted], sizes)]),
            np.concatenate([self.index.labels, np.repeat([c.label for c, _ in wanted], sizes)]),
            len(self.index.labels),
        )

    def _as_rows(self, vectors: FloatArray, wanted: list[tuple[Cell, int]]) -> Any:
        """Feature vectors as rows that the classifier takes."""
        if self.on_vectors and not self._inside:
            return self.features.encoder.snap(vectors)
        none = np.zeros((len(vectors), 0), dtype=np.int64)
        rows = self.features.encoder.rows_of(vectors, self.index.donors(wanted, none, self.rng(*_CARRIED)))
        if self._inside:
            sources = self.index.level_sources(wanted, none, self.rng(*_LEVELS))
            rows = with_inside(self.rows, rows, self._inside, sources)
        return self.vectors.encoder.vectors(rows) if self.on_vectors else rows


_LEVELS = (9,)  # stream of the rows whose levels are copied
_CARRIED = (10,)  # and of those whose rare categories are


def levels_of(lattice: Any, leaves: IntArray) -> npt.NDArray[Any]:
    """Levels of leaves, an object array of shape (n, p)."""
    columns = list(lattice.level_columns(leaves).values())
    return np.stack(columns, axis=1) if columns else np.empty((len(leaves), 0), dtype=object)
