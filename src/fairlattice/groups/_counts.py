"""The waist of the library: how often each leaf had each label and was given each prediction.

Rows stream into this small table and every measure is computed from it, so an audit costs as much
as counting. Only leaves that have rows are stored. Tables add: batches, shards and machines can be
counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from fairlattice._validation import (
    IntArray,
    as_labels,
    check_columns_exist,
    check_same_length,
    distinct_values,
    index_of,
    is_missing,
    sorted_values,
)
from fairlattice.exceptions import InputError
from fairlattice.groups._attribute import check_cuts
from fairlattice.groups._lattice import GroupLattice, Leaf

_MOST_CLASSES = 1000  # a table of counts holds their square


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
    table: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        for array in (self.codes, self.table):
            array.setflags(write=False)

    @classmethod
    def from_arrays(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        sensitive_features: Any,
        lattice: GroupLattice | None = None,
        classes: Sequence[Any] | None = None,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
    ) -> GroupCounts:
        """Count arrays, or columns of any eager frame.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n,)
            Labels and predictions, of one type; any number of classes.
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
            The sensitive attributes.
        lattice : GroupLattice, optional
            Count on these groups; by default the lattice of the levels found.
        classes : sequence, optional
            All labels, in order, where some may not occur in these rows.
        cuts, missing
            As in :meth:`GroupLattice.from_features`.

        Raises
        ------
        InputError
            If lengths differ, values are missing, or labels and predictions differ in type.
        """
        truth, predicted = as_labels(y_true, "y_true"), as_labels(y_pred, "y_pred")
        if lattice is None:
            lattice = GroupLattice.from_features(sensitive_features, cuts=cuts, missing=missing)
        leaf_codes = lattice.encode(sensitive_features)
        check_same_length(y_true=truth, y_pred=predicted, sensitive_features=leaf_codes)
        known = tuple(classes) if classes is not None else _all_classes(truth, predicted)
        rows, columns = _positions(truth, known, "y_true"), _positions(predicted, known, "y_pred")
        return cls.from_codes(lattice, known, leaf_codes, rows, columns)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        label: str,
        prediction: str,
        sensitive: Sequence[str],
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
    ) -> GroupCounts:
        """Count the rows of a frame, eager or lazy, by its own engine in one aggregation.

        Parameters
        ----------
        frame : any frame that narwhals knows
            One row per person.
        label, prediction : str
            Names of the columns of labels and predictions.
        sensitive : sequence of str
            Names of the sensitive attributes.
        cuts, missing
            As in :meth:`GroupLattice.from_features`.

        Raises
        ------
        InputError
            If a column is not there, labels or predictions are missing, or the frame has no rows.
        """
        table = nw.from_native(frame)
        cuts = {name: check_cuts(name, points) for name, points in (cuts or {}).items()}
        schema = table.collect_schema()
        check_columns_exist([label, prediction, *sensitive], list(schema.names()))
        check_columns_exist(cuts, list(sensitive))
        keys = {"label": label, "prediction": prediction} | {
            f"s{i}": name for i, name in enumerate(sensitive)
        }
        for name in cuts:
            if not schema[name].is_numeric():
                raise InputError(f"Attribute `{name}` is cut at numbers, but its type is {schema[name]}.")
        tally = (
            table.select(**{key: _key(name, cuts.get(name, ()), schema[name]) for key, name in keys.items()})
            .group_by(*keys)
            .agg(nw.len().alias("rows"))
        )
        counted = tally.collect() if isinstance(tally, nw.LazyFrame) else tally
        columns = {key: counted[key].to_list() for key in keys}
        weights = np.asarray(counted["rows"].to_list(), dtype=np.int64)
        if not len(weights):
            raise InputError("The table has no rows.")
        for key in ("label", "prediction"):
            gone = int(weights[[is_missing(v) for v in columns[key]]].sum())
            if gone:
                raise InputError(
                    f"Column `{keys[key]}` has {gone:,} missing values. Remove these rows first."
                )
        features = {
            name: _levels_of(columns[f"s{i}"], cuts.get(name, ())) for i, name in enumerate(sensitive)
        }
        lattice = GroupLattice.from_features(features, cuts=cuts, missing=missing)
        truth, predicted = as_labels(columns["label"], label), as_labels(columns["prediction"], prediction)
        known = _all_classes(truth, predicted, f"Columns `{label}` and `{prediction}`")
        rows, cols = _positions(truth, known, label), _positions(predicted, known, prediction)
        return cls.from_codes(lattice, known, lattice.encode(features), rows, cols, weights)

    @classmethod
    def from_codes(
        cls,
        lattice: GroupLattice,
        classes: tuple[Any, ...],
        leaf_codes: IntArray,
        truth: IntArray,
        predicted: IntArray,
        weights: IntArray | None = None,
    ) -> GroupCounts:
        """Count rows given as leaf codes and positions of labels and predictions among `classes`.

        `weights` tells how many rows each entry stands for; by default one.
        """
        k = len(classes)
        if lattice.n_leaves <= 4 * len(leaf_codes) + 1024:  # dense enough to skip sorting the rows
            dense = np.bincount(leaf_codes, minlength=lattice.n_leaves)
            codes = np.flatnonzero(dense)
            place = (np.cumsum(dense > 0) - 1)[leaf_codes]
        else:
            codes, place = np.unique(leaf_codes, return_inverse=True)
        flat = np.bincount((place * k + truth) * k + predicted, weights=weights, minlength=len(codes) * k * k)
        return cls(lattice, classes, codes.astype(np.int64), np.rint(flat).astype(np.int64).reshape(-1, k, k))

    def __add__(self, other: GroupCounts) -> GroupCounts:
        """The counts of both tables' rows together; levels and classes of either are kept."""
        if not isinstance(other, GroupCounts):
            return NotImplemented
        lattice = self.lattice.union(other.lattice)
        classes = _joined(self.classes, other.classes, "The classes of the two counts")
        codes = np.concatenate([c.lattice.recode(c.codes, lattice) for c in (self, other)])
        tables = [c._with_classes(classes) for c in (self, other)]
        return self._gather(lattice, classes, codes, np.concatenate(tables))

    def rollup(self, names: Sequence[str]) -> GroupCounts:
        """The counts of the groups that fix only the attributes `names`; ``[]`` gives everyone.

        Examples
        --------
        >>> S = {"sex": ["f", "f", "m"], "old": [0, 1, 1]}
        >>> counts = GroupCounts.from_arrays([1, 1, 0], [1, 0, 0], sensitive_features=S)
        >>> counts.rollup(["sex"]).rows.tolist()
        [2, 1]
        """
        projected = self.lattice.project(self.codes, names)
        return self._gather(self.lattice.marginal(names), self.classes, projected, self.table)

    @property
    def n(self) -> int:
        """How many rows were counted."""
        return int(self.table.sum())

    @property
    def rows(self) -> IntArray:
        """How many rows each stored leaf has, shape (m,)."""
        total: IntArray = self.table.sum(axis=(1, 2), dtype=np.int64)
        return total

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The stored leaves, each a tuple of levels."""
        return tuple(self.lattice.leaf(int(code)) for code in self.codes)

    @staticmethod
    def _gather(
        lattice: GroupLattice, classes: tuple[Any, ...], codes: IntArray, table: npt.NDArray[np.int64]
    ) -> GroupCounts:
        kept, place = np.unique(codes, return_inverse=True)
        total = np.zeros((len(kept), *table.shape[1:]), dtype=np.int64)
        np.add.at(total, place, table)
        return GroupCounts(lattice, classes, kept, total)

    def _with_classes(self, classes: tuple[Any, ...]) -> npt.NDArray[np.int64]:
        place = [classes.index(c) for c in self.classes]
        shape = (len(self.codes), len(classes), len(classes))
        wide: npt.NDArray[np.int64] = np.zeros(shape, dtype=np.int64)
        wide[np.ix_(range(len(self.codes)), place, place)] = self.table
        return wide


def _all_classes(
    truth: npt.NDArray[Any], predicted: npt.NDArray[Any], what: str = "Labels and predictions"
) -> tuple[Any, ...]:
    """The distinct labels; scores given in place of predictions are refused."""
    known, given = distinct_values(truth), distinct_values(predicted)
    if any(isinstance(v, float) and not v.is_integer() and v not in known for v in given):
        odd = next(v for v in given if isinstance(v, float) and not v.is_integer())
        raise InputError(
            f"Predictions hold {odd!r}, which is no label. Turn scores into labels by a threshold."
        )
    return _joined(known, given, what)


def _joined(first: Sequence[Any], second: Sequence[Any], what: str) -> tuple[Any, ...]:
    texts = [next((v for v in values if isinstance(v, str)), None) for values in (first, second)]
    if (texts[0] is None) != (texts[1] is None):
        odd = texts[0] if texts[1] is None else texts[1]
        raise InputError(f"{what} differ in type: {odd!r} is text, the others are numbers. Give both alike.")
    both = tuple(sorted_values((*first, *second)))
    if len(both) > _MOST_CLASSES:
        raise InputError(f"{what} have {len(both):,} distinct values, more than {_MOST_CLASSES:,} classes.")
    return both


def _positions(values: npt.NDArray[Any], classes: tuple[Any, ...], name: str) -> IntArray:
    index = index_of(values, classes)
    if (index < 0).any():
        odd = values[int(np.argmin(index))]
        raise InputError(f"`{name}` holds {odd!r}, which is none of the classes {list(classes)}.")
    return index


def _key(name: str, cuts: Sequence[float], dtype: Any) -> nw.Expr:
    """The grouping key of a column: its value, or the index of its band (null where missing)."""
    value = nw.col(name)
    if dtype.is_temporal():
        value = value.cast(nw.String)
    if not cuts:
        return value
    bands: list[nw.Expr] = [(value >= cut).cast(nw.Int64()) for cut in cuts]
    # Engines disagree on how NaN and null compare, so both are set aside before comparing.
    present = ~(value.is_null() | value.is_nan()) if dtype.is_float() else ~value.is_null()
    return nw.when(present).then(sum(bands[1:], start=bands[0]))


def _levels_of(keys: list[Any], cuts: Sequence[float]) -> Any:
    """Keys as raw values of the same level: a band's index becomes a number inside the band."""
    if not cuts:
        return keys
    inside = [np.nextafter(cuts[0], -np.inf), *cuts]
    return np.asarray([np.nan if is_missing(k) else inside[int(k)] for k in keys])
