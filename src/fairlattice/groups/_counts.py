"""The waist of the library: how often each leaf had each label and was given each prediction.

Rows stream into this small table and every measure is computed from it, so an audit costs as much
as counting. Only leaves that have rows are stored. Tables add: batches, shards and machines can be
counted apart.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._files import read_json, written
from fairlattice._validation import FloatArray, IntArray
from fairlattice.exceptions import InputError
from fairlattice.groups._classes import class_positions, common_classes, join_classes
from fairlattice.groups._counts_json import SCHEMA, dump_counts, parse_counts
from fairlattice.groups._exact import ExactSums
from fairlattice.groups._labels import as_labels_of
from fairlattice.groups._lattice import Group, GroupLattice, Leaf
from fairlattice.groups._leaf_sums import distinct_leaves, summed_at
from fairlattice.groups._tally import (
    Tally,
    tally_arrays,
    tally_frame,
)

Table = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GroupCounts:
    """Label × prediction counts of every leaf that has rows.

    Parameters
    ----------
    lattice : GroupLattice
        The groups.
    classes : tuple
        The K distinct labels, in order.
    codes : int array of shape (m,)
        Codes of the leaves that have rows, increasing.
    table : int array of shape (m, K, K)
        ``table[i, j, k]`` rows of leaf ``codes[i]`` have label j and were predicted k.
    weights, squares : float arrays of shape (m, K, K), optional
        Sums of the rows' weights and of their squares, where rows are weighted.
    excluded : int, default=0
        Rows left out because an attribute is missing.
    labelled : bool, default=True
        Whether labels are known. If not, the table has shape (m, 1, K): predictions alone.

    Examples
    --------
    >>> sex = {"sex": ["f", "f", "m", "m"]}
    >>> counts = GroupCounts.from_arrays([1, 1, 0, 1], [1, 0, 0, 1], sensitive_features=sex)
    >>> counts.table.tolist()
    [[[0, 0], [1, 1]], [[1, 0], [0, 1]]]
    >>> (counts + counts).n
    8
    """

    lattice: GroupLattice
    classes: tuple[Any, ...]
    codes: IntArray
    table: Table
    weights: FloatArray | None = None
    squares: FloatArray | None = None
    excluded: int = 0
    labelled: bool = True

    def __post_init__(self) -> None:
        for array in (self.codes, *self.layers):
            array.setflags(write=False)

    @classmethod
    def from_arrays(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        sensitive_features: Any,
        sample_weight: Any = None,
        lattice: GroupLattice | None = None,
        classes: Sequence[Any] | None = None,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        positive: Any = None,
        positive_prediction: Any = None,
        na: Sequence[str] | None = None,
        decimal: str | None = None,
    ) -> GroupCounts:
        """Count arrays, or columns of any eager frame.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n,)
            Labels and predictions, of one type; any number of classes. Without labels, `y_true` is None.
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
            The sensitive attributes.
        sample_weight : array-like of shape (n,), optional
            Weights of at least 0, as of a survey.
        lattice : GroupLattice, optional
            Count on these groups; by default the lattice of the levels found.
        classes : sequence, optional
            All labels, in order, where some may not occur in these rows.
        cuts : mapping of str to sequence of float, optional
            Cut points of numeric attributes, as in ``{"age": [25, 45]}``.
        missing : {"level", "exclude", "raise"}, default="level"
            Give missing values of an attribute a level of their own, leave their rows out and count
            these, or refuse them.
        positive, positive_prediction : label and prediction, optional
            The prediction that means the positive label, where predictions are spelled unlike the two labels;
            any other prediction means the other label.
        na : sequence of str, optional
            Texts that mean a missing value, in place of :data:`fairlattice.tables.MISSING_SPELLINGS`.
        decimal : {".", ","}, optional
            Decimal mark of numbers that are text, as in a cut attribute; by default the one that fits all of them.

        Raises
        ------
        InputError
            If lengths differ, values are missing, or labels and predictions differ in type.
        """
        tally = tally_arrays(
            {"y_pred": y_pred} if y_true is None else {"y_true": y_true, "y_pred": y_pred},
            sensitive_features,
            lattice=lattice,
            cuts=cuts,
            missing=missing,
            sample_weight=sample_weight,
            na=na,
            decimal=decimal,
        )
        roles, spelled = ("y_true", "y_pred"), (positive, positive_prediction)
        return cls._of_tally(tally, roles, roles, "Labels and predictions", spelled, classes)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        label: str | None,
        prediction: str,
        sensitive: Sequence[str],
        weight: str | None = None,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        positive: Any = None,
        positive_prediction: Any = None,
        na: Sequence[str] | None = None,
        decimal: str | None = None,
    ) -> GroupCounts:
        """Count the rows of a frame, eager or lazy, by its own engine in one aggregation.

        Parameters
        ----------
        frame : any frame that narwhals knows
            One row per person: pandas, polars, pyarrow, DuckDB, Dask, PySpark …
        label, prediction : str
            Names of the columns of labels and predictions; without labels, `label` is None.
        sensitive : sequence of str
            Names of the sensitive attributes.
        weight : str, optional
            Name of a column of weights.
        cuts, missing, positive, positive_prediction, na, decimal
            As in :meth:`from_arrays`.

        Raises
        ------
        InputError
            If a column is not there, labels or predictions are missing, or the frame has no rows.
        """
        names = {"label": label, "prediction": prediction}
        known = {role: name for role, name in names.items() if name is not None}
        tally = tally_frame(
            frame, known, sensitive, cuts=cuts, missing=missing, weight=weight, na=na, decimal=decimal
        )
        what, spelled = f"Columns `{label}` and `{prediction}`", (positive, positive_prediction)
        return cls._of_tally(tally, ("label", "prediction"), (label or "", prediction), what, spelled)

    @classmethod
    def from_codes(
        cls,
        lattice: GroupLattice,
        classes: tuple[Any, ...],
        leaf_codes: IntArray,
        truth: IntArray | None,
        predicted: IntArray,
        rows: IntArray | None = None,
        sums: Mapping[str, FloatArray | ExactSums] | None = None,
        excluded: int = 0,
    ) -> GroupCounts:
        """Count rows given as leaf codes and positions of labels and predictions among `classes`.

        Without labels `truth` is None. `rows` is how many rows each entry represents, by default one; `sums` may
        hold their ``weights`` and ``squares``.
        """
        k = len(classes)
        labels = 1 if truth is None else k
        codes, place = distinct_leaves(lattice.n_leaves, leaf_codes)
        cell = (place * labels + (0 if truth is None else truth)) * k + predicted

        size = len(codes) * labels * k
        weighted = {
            name: ExactSums.of(found).at(cell, size).reshape(-1, labels, k)
            for name, found in (sums or {}).items()
            if name in ("weights", "squares")
        }
        table = (
            np.rint(np.bincount(cell, weights=rows, minlength=size)).astype(np.int64).reshape(-1, labels, k)
        )
        known = truth is not None
        return cls(
            lattice, classes, codes.astype(np.int64), table, excluded=excluded, labelled=known, **weighted
        )

    def update(
        self,
        batch: Any,
        *,
        label: str | None = "label",
        prediction: str = "prediction",
        missing: str = "level",
        na: Sequence[str] | None = None,
        decimal: str | None = None,
    ) -> GroupCounts:
        """These counts and those of one more batch of rows; a new value, as counts are frozen.

        Parameters
        ----------
        batch : GroupCounts, or any frame that narwhals knows
            More rows. A frame's attributes are the columns that these counts' attributes are named
            after, cut as they are; new levels and labels are taken in.
        label, prediction : str
            Names of a frame's columns of labels and predictions.
        missing : {"level", "exclude", "raise"}, default="level"
            As in :meth:`from_arrays`; say the same of every batch.
        na, decimal
            As in :meth:`from_arrays`.

        Raises
        ------
        InputError
            If a column is not there, or the rows of these counts are weighted and a frame is given.

        Examples
        --------
        >>> import polars as pl
        >>> batch = pl.DataFrame({"sex": ["f", "m"], "y": [1, 0], "p": [1, 1]})
        >>> counts = GroupCounts.from_frame(batch, label="y", prediction="p", sensitive=["sex"])
        >>> counts.update(batch, label="y", prediction="p").n
        4
        """
        if isinstance(batch, GroupCounts):
            return self + batch
        if self.weights is not None:
            raise InputError("These counts are weighted. Count the batch with its weights, and add the two.")
        cuts = {a.name: a.cuts for a in self.lattice.attributes if a.cuts}
        roles: dict[str, Any] = {"label": label, "prediction": prediction, "sensitive": self.lattice.names}
        read: dict[str, Any] = {"cuts": cuts, "missing": missing, "na": na, "decimal": decimal}
        return self + GroupCounts.from_frame(batch, **roles, **read)

    def __add__(self, other: GroupCounts) -> GroupCounts:
        """The counts of both tables' rows together; levels and classes of either are kept."""
        if not isinstance(other, GroupCounts):
            return NotImplemented
        if (self.weights is None) != (other.weights is None):
            raise InputError("One of the two counts is weighted, the other is not. Count both alike.")
        if self.labelled != other.labelled:
            raise InputError("One of the two counts has labels, the other has none. Count both alike.")
        lattice = self.lattice.union(other.lattice)
        classes = join_classes(self.classes, other.classes, "The classes of the two counts")
        codes = np.concatenate([c.lattice.recode(c.codes, lattice) for c in (self, other)])
        mine, theirs = self._with_classes(classes), other._with_classes(classes)
        layers = [np.concatenate(pair) for pair in zip(mine, theirs, strict=True)]
        return _gathered(lattice, classes, codes, layers, self.excluded + other.excluded, self.labelled)

    def rollup(self, names: Sequence[str]) -> GroupCounts:
        """The counts of the groups that fix only the attributes `names`; ``[]`` gives everyone.

        Examples
        --------
        >>> S = {"sex": ["f", "f", "m"], "old": [0, 1, 1]}
        >>> counts = GroupCounts.from_arrays([1, 1, 0], [1, 0, 0], sensitive_features=S)
        >>> counts.rollup(["sex"]).rows.tolist()
        [2, 1]
        """
        marginal = self.lattice.marginal(names)
        projected = self.lattice.project_digits(self._digits, names) if names else np.zeros_like(self.codes)
        return _gathered(marginal, self.classes, projected, self.layers, self.excluded, self.labelled)

    def split(self, name: str) -> dict[Any, GroupCounts]:
        """The counts of every level of one attribute, by level, over the other attributes.

        Examples
        --------
        >>> S = {"sex": ["f", "f", "m"], "month": [1, 2, 2]}
        >>> counts = GroupCounts.from_arrays([1, 1, 0], [1, 0, 0], sensitive_features=S)
        >>> {month: part.n for month, part in counts.split("month").items()}
        {1: 1, 2: 2}
        """
        others = [n for n in self.lattice.names if n != name]
        marginal = self.lattice.marginal([name])
        level, rest = self.lattice.project(self.codes, [name]), self.lattice.project(self.codes, others)
        sub = self.lattice.marginal(others)
        return {
            marginal.leaf(code)[0]: _gathered(
                sub,
                self.classes,
                rest[level == code],
                [layer[level == code] for layer in self.layers],
                0,
                self.labelled,
            )
            for code in np.unique(level).tolist()
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The counts as JSON text, schema ``fairlattice/counts/1``; written to `path` if one is given.

        Shards that were counted on many machines are sent home so, and added up.

        Raises
        ------
        InputError
            If the file cannot be written; then nothing is left of it.
        """
        return written(dump_counts(self), path)

    @classmethod
    def from_json(cls, source: str | os.PathLike[str]) -> GroupCounts:
        """Counts from a file that :meth:`to_json` wrote, or from its text.

        Raises
        ------
        InputError
            If the file cannot be read, is damaged, or is of another schema.

        Examples
        --------
        >>> counts = GroupCounts.from_arrays([1, 0], [1, 1], sensitive_features={"sex": ["f", "m"]})
        >>> GroupCounts.from_json(counts.to_json()).table.tolist() == counts.table.tolist()
        True
        """
        return read_json(source, SCHEMA, lambda found: cls.from_codes(**parse_counts(found)))

    def emptied(self) -> GroupCounts:
        """The same leaves and classes without rows: added to other counts, it makes positions agree."""
        nothing = [np.zeros_like(a) for a in self.layers]
        return _of_layers(self.lattice, self.classes, self.codes, nothing, labelled=self.labelled)

    @property
    def n(self) -> int:
        """How many rows were counted."""
        return int(self.table.sum())

    @property
    def rows(self) -> IntArray:
        """How many rows each stored leaf has, shape (m,)."""
        total: IntArray = self.table.sum(axis=(1, 2), dtype=np.int64)
        return total

    @cached_property
    def _digits(self) -> list[IntArray]:
        """Per attribute, the index of each stored leaf's level."""
        return self.lattice.digits(self.codes)

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The stored leaves, each a tuple of levels."""
        digits = zip(self.lattice.attributes, self._digits, strict=True)
        columns = [[a.levels[i] for i in place.tolist()] for a, place in digits]
        return tuple(zip(*columns, strict=True)) if columns else ((),) * len(self.codes)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The stored leaves as groups: the mapping of every attribute to its level."""
        return tuple(map(self.lattice.group, self.leaves))

    @property
    def layers(self) -> list[npt.NDArray[Any]]:
        """The table, and the sums of weights and of their squares where rows are weighted."""
        return [layer for layer in (self.table, self.weights, self.squares) if layer is not None]

    @classmethod
    def _of_tally(
        cls,
        tally: Tally,
        roles: tuple[str, str],
        names: tuple[str, str],
        what: str,
        spelled: tuple[Any, Any],
        classes: Sequence[Any] | None = None,
    ) -> GroupCounts:
        """Counts of a tally whose values play the `roles` of label and prediction."""
        truth, predicted = tally.values.get(roles[0]), tally.values[roles[1]]
        positive, positive_prediction = spelled
        if truth is not None and positive_prediction is not None:
            predicted = as_labels_of(predicted, truth, positive, positive_prediction)
        first = np.empty(0, dtype=predicted.dtype) if truth is None else truth
        known = (
            common_classes(first, predicted, what=what, names=names[1:])
            if classes is None
            else tuple(classes)
        )
        labels = None if truth is None else class_positions(truth, known, names[0])
        given = class_positions(predicted, known, names[1])
        return cls.from_codes(
            tally.lattice, known, tally.codes, labels, given, tally.rows, tally.sums, tally.excluded
        )

    def _with_classes(self, classes: tuple[Any, ...]) -> list[npt.NDArray[Any]]:
        place = [classes.index(c) for c in self.classes]
        labels = place if self.labelled else [0]
        shape = (len(self.codes), len(classes) if self.labelled else 1, len(classes))
        wide = [np.zeros(shape, dtype=layer.dtype) for layer in self.layers]
        for target, layer in zip(wide, self.layers, strict=True):
            target[np.ix_(range(len(self.codes)), labels, place)] = layer
        return wide


def _gathered(
    lattice: GroupLattice,
    classes: tuple[Any, ...],
    codes: IntArray,
    layers: Sequence[npt.NDArray[Any]],
    excluded: int,
    labelled: bool,
) -> GroupCounts:
    """Counts whose leaves may come several times, summed."""
    kept, place = distinct_leaves(lattice.n_leaves, codes)
    totals = [summed_at(place, layer, len(kept)) for layer in layers]
    return _of_layers(lattice, classes, kept, totals, excluded, labelled=labelled)


def _of_layers(
    lattice: GroupLattice,
    classes: tuple[Any, ...],
    codes: IntArray,
    layers: Sequence[npt.NDArray[Any]],
    excluded: int = 0,
    *,
    labelled: bool,
) -> GroupCounts:
    weights, squares = layers[1:] if len(layers) > 1 else (None, None)
    return GroupCounts(lattice, classes, codes, layers[0], weights, squares, excluded, labelled)
