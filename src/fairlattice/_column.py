"""Columns of tables: typed values with a mask of missing ones, or distinct values and codes.

A one-dimensional array and a mask, so that a column of whole numbers with holes keeps its type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_Places = npt.NDArray[np.int64]


class Coded(NamedTuple):
    """A column as distinct values, in any order, and each row's index among them; -1 where the value is missing."""

    levels: list[Any]
    codes: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Column:
    """One column: its values, and where they are missing (the value there has no meaning).

    What depends only on distinct values, such as the meaning of text, is decided once for each of the levels in
    `coded`, and applied to the rows by their codes. Rows taken from a column keep its levels.
    """

    values: npt.NDArray[Any]
    missing: npt.NDArray[np.bool_]
    known_codes: Coded | None = field(default=None, repr=False)

    @classmethod
    def of_codes(cls, levels: Sequence[Any], codes: npt.NDArray[np.int32]) -> Column:
        """Make a column of objects from its distinct values and each row's index among them; -1 means missing."""
        values = np.empty(len(levels) + 1, dtype=object)  # the last is that of missing rows
        values[:-1] = levels
        return cls(values[codes], codes < 0, Coded(list(levels), codes))

    @property
    def is_text(self) -> bool:
        """Whether values are objects or text, not numbers, truth values or times."""
        return self.values.dtype.kind in "OUS"

    @cached_property
    def coded(self) -> Coded:
        """The column by its distinct values; TypeError where values, such as lists, have no hash."""
        if self.known_codes is not None:
            return self.known_codes
        if not self.is_text:
            numbers, place = np.unique(self.values, return_inverse=True)
            return Coded(numbers.tolist(), np.where(self.missing, -1, place).astype(np.int32))
        present = self.values[~self.missing].tolist()
        position = {value: i for i, value in enumerate(dict.fromkeys(present))}
        codes = np.full(len(self.values), -1, dtype=np.int32)
        codes[~self.missing] = np.fromiter(
            map(position.__getitem__, present), dtype=np.int32, count=len(present)
        )
        return Coded(list(position), codes)

    def counted(self, counts: _Places | None = None) -> dict[Any, int]:
        """Count the rows of each distinct value that occurs; or sum `counts` over these rows."""
        levels, codes = self.coded
        present = codes >= 0
        weights = None if counts is None else counts[present]
        sizes = np.bincount(codes[present], weights, minlength=len(levels)).astype(np.int64)
        occurring = np.bincount(codes[present], minlength=len(levels)) > 0
        return dict(compress(zip(levels, sizes.tolist(), strict=True), occurring.tolist()))

    def places(self, known: Sequence[Any]) -> _Places:
        """Return each value's index in `known`, or -1 if it is not there; undefined where the value is missing."""
        if not self.is_text:
            return index_of(self.values, known)
        levels, codes = self.coded
        position = {value: i for i, value in enumerate(known)}
        return np.array([*(position.get(level, -1) for level in levels), -1])[codes]

    def take(self, rows: _Places) -> Column:
        """Return the column of some of the rows."""
        levels, codes = self.coded if self.is_text else (None, None)
        known = None if levels is None or codes is None else Coded(levels, codes[rows])
        return Column(self.values[rows], self.missing[rows], known)


def index_of(values: npt.NDArray[Any], known: Sequence[Any]) -> _Places:
    """Position of every value among `known`, -1 where it is not there."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    if values.dtype.kind in "Mm":
        values = values.astype(str)
    if values.dtype.kind in "biuf" and known and all(isinstance(k, Real) for k in known):
        ordered = np.asarray(known)
        order = np.argsort(ordered, kind="stable")
        place = np.minimum(np.searchsorted(ordered[order], values), len(known) - 1)
        found = order[place]
        return np.where(ordered[found] == values, found, -1).astype(np.int64)
    position = _Positions({k: i for i, k in enumerate(known)})
    return np.fromiter(map(position.__getitem__, values.tolist()), dtype=np.int64, count=len(values))


class _Positions(dict[Any, int]):
    """Positions by value, -1 for others: a lookup that runs without a line of Python for each value."""

    def __missing__(self, key: Any) -> int:
        return -1
