"""Two models on the same rows: counts that keep on which rows they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fairlattice._validation import IntArray
from fairlattice.exceptions import InputError
from fairlattice.groups._classes import class_positions, common_classes, join_classes
from fairlattice.groups._counts import GroupCounts
from fairlattice.groups._labels import as_labels_of
from fairlattice.groups._lattice import GroupLattice
from fairlattice.groups._tally import (
    Tally,
    tally_arrays,
    tally_frame,
)

_ROLES = ("y_true", "before", "after")


@dataclass(frozen=True, eq=False)
class PairedCounts:
    """How often each leaf had each label and was given each pair of predictions; only what occurs is stored.

    Parameters
    ----------
    lattice : GroupLattice
        The groups.
    classes : tuple
        The K distinct labels, in order.
    codes, truth, old, new : int arrays of shape (k,)
        Leaf, and positions among the classes of the label and of either model's prediction.
    rows : int array of shape (k,)
        How many rows have this combination.
    excluded : int, default=0
        Rows left out because an attribute is missing.
    labelled : bool, default=True
        Whether labels are known; if not, `truth` is 0 throughout and has no meaning.

    Examples
    --------
    >>> S = {"sex": ["f", "f", "m"]}
    >>> pairs = PairedCounts.from_arrays([1, 1, 0], [1, 1, 0], [1, 0, 0], sensitive_features=S)
    >>> pairs.before.table.tolist() == pairs.after.table.tolist()
    False
    """

    lattice: GroupLattice
    classes: tuple[Any, ...]
    codes: IntArray
    truth: IntArray
    old: IntArray
    new: IntArray
    rows: IntArray
    excluded: int = 0
    labelled: bool = True

    @classmethod
    def from_arrays(
        cls,
        y_true: Any,
        before: Any,
        after: Any,
        *,
        sensitive_features: Any,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        positive: Any = None,
        positive_prediction: Any = None,
        na: Sequence[str] | None = None,
        decimal: str | None = None,
    ) -> PairedCounts:
        """Count arrays; arguments as in :meth:`GroupCounts.from_arrays`."""
        values = {"y_true": y_true, "before": before, "after": after}
        known = {role: v for role, v in values.items() if not (v is None and role == "y_true")}
        tally = tally_arrays(known, sensitive_features, cuts=cuts, missing=missing, na=na, decimal=decimal)
        return cls._of_tally(tally, _ROLES, (positive, positive_prediction))

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        label: str | None,
        before: str,
        after: str,
        sensitive: Sequence[str],
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        positive: Any = None,
        positive_prediction: Any = None,
        na: Sequence[str] | None = None,
        decimal: str | None = None,
    ) -> PairedCounts:
        """Count a frame, eager or lazy, by its own engine; arguments as in :meth:`GroupCounts.from_frame`."""
        values = {"y_true": label, "before": before, "after": after}
        known = {role: name for role, name in values.items() if name is not None}
        tally = tally_frame(frame, known, sensitive, cuts=cuts, missing=missing, na=na, decimal=decimal)
        return cls._of_tally(tally, (label or "", before, after), (positive, positive_prediction))

    @cached_property
    def before(self) -> GroupCounts:
        """The counts of the first model."""
        return self._one(self.old)

    @cached_property
    def after(self) -> GroupCounts:
        """The counts of the second model."""
        return self._one(self.new)

    def __add__(self, other: PairedCounts) -> PairedCounts:
        """The counts of both tables' rows together."""
        if not isinstance(other, PairedCounts):
            return NotImplemented
        if self.labelled != other.labelled:
            raise InputError("One of the two counts has labels, the other has none. Count both alike.")
        lattice = self.lattice.union(other.lattice)
        classes = join_classes(self.classes, other.classes, "The classes of the two counts")
        both = [p._on(lattice, classes) for p in (self, other)]
        codes, truth, old, new, rows = (np.concatenate(pair) for pair in zip(*both, strict=True))
        excluded = self.excluded + other.excluded
        return PairedCounts(lattice, classes, codes, truth, old, new, rows, excluded, self.labelled)

    def _on(self, lattice: GroupLattice, classes: tuple[Any, ...]) -> tuple[IntArray, ...]:
        place = np.array([classes.index(c) for c in self.classes], dtype=np.int64)
        codes = self.lattice.recode(self.codes, lattice)
        return codes, place[self.truth], place[self.old], place[self.new], self.rows

    def _one(self, predicted: IntArray) -> GroupCounts:
        truth = self.truth if self.labelled else None
        counts = GroupCounts.from_codes(self.lattice, self.classes, self.codes, truth, predicted, self.rows)
        return replace(counts, excluded=self.excluded)

    @classmethod
    def _of_tally(cls, tally: Tally, names: Sequence[str], spelled: tuple[Any, Any]) -> PairedCounts:
        labels, given = tally.values.get(_ROLES[0]), [tally.values[role] for role in _ROLES[1:]]
        if labels is not None and spelled[1] is not None:
            given = [as_labels_of(v, labels, *spelled) for v in given]
        first = np.empty(0, dtype=given[0].dtype) if labels is None else labels
        classes = common_classes(first, *given, what="Labels and predictions", names=names[1:])
        old, new = (class_positions(v, classes, n) for v, n in zip(given, names[1:], strict=True))
        truth = np.zeros_like(old) if labels is None else class_positions(labels, classes, names[0])
        k = len(classes)
        key = ((tally.codes * k + truth) * k + old) * k + new
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        rows = np.rint(np.bincount(place, weights=tally.multiplicity, minlength=len(first)))
        return cls(
            tally.lattice,
            classes,
            tally.codes[first],
            truth[first],
            old[first],
            new[first],
            rows.astype(np.int64),
            tally.excluded,
            labels is not None,
        )
