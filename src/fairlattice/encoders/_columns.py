"""How one column becomes numbers, and how numbers become valid values of that column again.

A numeric column is standardised; what comes back lies within the bounds seen in training, and is a
whole number if all values seen were. A column of categories gets one 0/1 coordinate per category;
what comes back is the category whose coordinate is largest, so it is always one that exists.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from fairlattice._column import Column
from fairlattice._validation import BoolArray, FloatArray, IntArray, sorted_values
from fairlattice.exceptions import InputError

FARTHEST = 1e100  # standard deviations from the mean, whose squares must be numbers
_LARGEST = 1e100  # squares of it still fit a float
_LARGEST_WHOLE = 2**53  # beyond, a float cannot hold every whole number


@dataclass(frozen=True)
class NumericCodec:
    """A numeric column: one standardised coordinate, and one that is 1 where it was missing.

    Missing values are encoded as the mean; the second coordinate exists only where training rows
    had missing values, and a row comes back missing where it is at least one half.
    """

    mean: float
    scale: float
    low: float
    high: float
    integral: bool
    has_missing: bool

    @classmethod
    def fit(cls, column: Column, name: str) -> NumericCodec:
        values = _finite(column, name)[~column.missing]
        largest = float(np.abs(values).max())
        if largest > (_LARGEST_WHOLE if column.values.dtype.kind in "iu" else _LARGEST):
            raise InputError(
                f"Column `{name}` holds {largest:.3g}, too large to learn from. Is it an identifier? "
                "Drop it, or rescale it."
            )
        spread = float(values.std())
        return cls(
            float(values.mean()),
            spread if spread > 1e-12 * max(1.0, largest) else 1.0,
            float(values.min()),
            float(values.max()),
            integral=bool(np.all(values == np.rint(values))),
            has_missing=bool(column.missing.any()),
        )

    @property
    def width(self) -> int:
        """How many coordinates the column takes."""
        return 1 + self.has_missing

    def names(self, column: str) -> list[str]:
        """What the coordinates of a column of this name are called."""
        return [column, *([f"{column}_missing"] if self.has_missing else [])]

    def encode(self, column: Column, name: str, out: FloatArray) -> None:
        """Write coordinates into `out`, zeros of shape (n, width)."""
        with np.errstate(over="ignore"):
            values = np.where(column.missing, 0.0, (_finite(column, name) - self.mean) / self.scale)
        if np.abs(values).max(initial=0.0) > FARTHEST:
            raise InputError(
                f"Column `{name}` holds values beyond all in training: {np.abs(values).max():.3g} of its "
                "standard deviations away. Check its unit."
            )
        out[:, 0] = values
        if self.has_missing:
            out[:, 1] = column.missing

    def check(self, column: Column, name: str) -> None:
        """Raise if the column holds what no training row could."""
        values = _finite(column, name)
        _check_missing(column, name, self.has_missing)
        outside = ~column.missing & ((values < self.low) | (values > self.high))
        within = f"outside {self.low:.12g} to {self.high:.12g}, the bounds in training. Clip it"
        _refuse_first(outside, values, name, within)
        if self.integral:
            fraction = ~column.missing & (values != np.rint(values))
            _refuse_first(
                fraction, values, name, "a fraction, where training rows hold whole numbers. Round it"
            )

    def snap(self, Z: FloatArray) -> FloatArray:
        """The coordinates of the valid value that Z decodes to."""
        return _encoded(self, Column(*self.decode(Z)))

    def decode(self, Z: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Values, and where they are missing."""
        values = Z[:, 0].astype(np.float64) * self.scale + self.mean  # single precision has other bounds
        if self.integral:
            values = np.rint(values)
        missing = Z[:, 1] >= 0.5 if self.has_missing else np.zeros(len(Z), dtype=bool)
        return np.clip(values, self.low, self.high), missing


@dataclass(frozen=True)
class CategoryCodec:
    """A column of categories: one coordinate per category; missing is a category like any other.

    Beyond `max_categories` the rarer ones share one coordinate, which comes back as the most
    frequent of them. A category not seen in training has all coordinates 0, or that shared one. Of
    equally large coordinates the most frequent category's counts.
    """

    levels: tuple[Any, ...]  # most frequent first; those behind the first n_own share a coordinate
    n_own: int
    has_missing: bool

    @classmethod
    def fit(cls, column: Column, name: str, max_categories: int) -> CategoryCodec:
        counts = _counts(column, name)
        levels = tuple(sorted(sorted_values(counts), key=lambda v: -counts[v]))
        n_own = max_categories - 1 if len(levels) > max_categories else len(levels)
        return cls(levels, n_own, bool(column.missing.any()))

    @property
    def has_rare(self) -> bool:
        """Whether rare categories share a coordinate."""
        return len(self.levels) > self.n_own

    @property
    def width(self) -> int:
        """How many coordinates the column takes."""
        return self.n_own + self.has_rare + self.has_missing

    def names(self, column: str) -> list[str]:
        """What the coordinates of a column of this name are called: its name and the category's."""
        own = [f"{column}_{level}" for level in self.levels[: self.n_own]]
        rare = [f"{column}_infrequent"] if self.has_rare else []
        return own + rare + ([f"{column}_missing"] if self.has_missing else [])

    def encode(self, column: Column, _: str, out: FloatArray) -> None:
        """Write coordinates into `out`, zeros of shape (n, width)."""
        place = column.places(self.levels)
        if self.has_rare:
            place = np.where((place < 0) | (place > self.n_own), self.n_own, place)
        rows = np.flatnonzero(~column.missing & (place >= 0))
        out[rows, place[rows]] = 1.0
        if self.has_missing:
            out[:, -1] = column.missing

    def check(self, column: Column, name: str) -> None:
        """Raise if the column holds a category that no training row has."""
        _check_missing(column, name, self.has_missing)
        unseen = ~column.missing & (column.places(self.levels) < 0)
        _refuse_first(unseen, column.values, name, "a category that no training row has. Merge it into one")

    def snap(self, Z: FloatArray) -> FloatArray:
        """The coordinates of the valid value that Z decodes to."""
        out = np.zeros(Z.shape)
        out[np.arange(len(Z)), Z.argmax(axis=1)] = 1.0
        return out

    def decode(self, Z: FloatArray) -> tuple[IntArray, BoolArray]:
        """Indices into `levels`, and where the value is missing."""
        place = Z.argmax(axis=1)
        missing = place == self.width - 1 if self.has_missing else np.zeros(len(Z), dtype=bool)
        return place.astype(np.int64), missing


@dataclass(frozen=True)
class OrdinalCodec(NumericCodec):
    """Numbers of which only those that occurred are valid: the nearest of them comes back.

    For dates, numbers written as text, and a few whole numbers with gaps between them.
    """

    levels: tuple[float, ...] = ()  # increasing
    together: bool = False  # whether it is copied with the categories of a row, as a date is

    @classmethod
    def of(cls, column: Column, name: str, *, together: bool = False) -> OrdinalCodec:
        """Fitted to a column."""
        numeric = NumericCodec.fit(column, name)
        levels = np.unique(_finite(column, name)[~column.missing])
        return cls(**asdict(numeric), levels=tuple(levels.tolist()), together=together)

    def check(self, column: Column, name: str) -> None:
        """Raise if the column holds what no training row does."""
        values = _finite(column, name)
        _check_missing(column, name, self.has_missing)
        unseen = ~column.missing & ~np.isin(values, self.levels)
        _refuse_first(unseen, values, name, "a value that no training row has. Take one of theirs")

    def snap(self, Z: FloatArray) -> FloatArray:
        """The coordinates of the valid value that Z decodes to."""
        place, missing = self.decode_place(Z)
        return _encoded(self, Column(np.asarray(self.levels)[place], missing))

    def decode_place(self, Z: FloatArray) -> tuple[IntArray, BoolArray]:
        """Indices into `levels`, and where the value is missing."""
        values, missing = NumericCodec.decode(self, Z)
        levels = np.asarray(self.levels)
        return np.searchsorted((levels[1:] + levels[:-1]) / 2.0, values).astype(np.int64), missing


@dataclass(frozen=True)
class CarriedCodec:
    """A column that nothing is learned from: no coordinates; its values are carried from a real row."""

    has_missing: bool = False
    levels: tuple[Any, ...] = ()

    width: ClassVar[int] = 0
    """It takes no coordinates."""

    def names(self, _: str) -> list[str]:
        """No coordinates, no names."""
        return []

    def encode(self, column: Column, _: str, out: FloatArray) -> None:
        """No coordinates to write."""

    def check(self, column: Column, name: str) -> None:
        """Any value is possible."""

    def snap(self, Z: FloatArray) -> FloatArray:
        """No coordinates."""
        return Z


Codec = NumericCodec | CategoryCodec | CarriedCodec
_FEW = 64
_TIMES_EACH = 20  # rows for each of a few whole numbers, on average


def fit_codec(column: Column, name: str, max_categories: int, kind: str = "number") -> Codec:
    """The codec that suits the column's type, and its kind as a feature."""
    if kind == "identifier":
        return CarriedCodec(bool(column.missing.any()))
    if column.missing.all():
        return CategoryCodec((), 0, has_missing=True)
    if kind == "category" or column.values.dtype.kind not in "iuf":
        return CategoryCodec.fit(column, name, max_categories)
    if kind in ("date", "written") or _few_with_gaps(column):
        return OrdinalCodec.of(column, name, together=kind == "date")
    return NumericCodec.fit(column, name)


def _counts(column: Column, name: str) -> dict[Any, int]:
    """How many rows have each value that is not missing."""
    try:
        return column.counted()
    except TypeError as error:
        kind = type(column.values[~column.missing][0]).__name__
        raise InputError(
            f"Column `{name}` holds values that cannot be categories. A column holds {kind} objects. "
            "Turn them into numbers or text."
        ) from error


def _encoded(codec: NumericCodec, column: Column) -> FloatArray:
    out = np.zeros((len(column.missing), codec.width))
    codec.encode(column, "", out)
    return out


def _few_with_gaps(column: Column) -> bool:
    """Whether the column is a few whole numbers that skip some."""
    present = column.values[~column.missing]
    if len(np.unique(present[: _TIMES_EACH * _FEW])) > _FEW:  # for most columns the first rows suffice
        return False
    if not (np.isfinite(present).all() and (present % 1 == 0).all()):
        return False
    distinct = np.unique(present)
    few = len(distinct) <= _FEW and len(present) >= _TIMES_EACH * len(distinct)
    return few and bool(distinct[-1] - distinct[0] >= len(distinct))


def _finite(column: Column, name: str) -> FloatArray:
    if column.values.dtype.kind not in "biuf":
        raise InputError(f"Column `{name}` was numeric in training and is {column.values.dtype} now.")
    refuse_infinite(column, name)
    return np.where(column.missing, 0.0, column.values.astype(np.float64))


def refuse_infinite(column: Column, name: str) -> None:
    """Raise for a column of numbers if some are infinite."""
    if column.values.dtype.kind != "f":
        return
    infinite = np.isinf(column.values) & ~column.missing
    if infinite.any():
        raise InputError(
            f"Column `{name}` has {int(infinite.sum()):,} infinite values (first in row "
            f"{int(infinite.argmax())}). Remove or replace them."
        )


def _check_missing(column: Column, name: str, known: bool) -> None:
    if not known:
        _refuse_first(column.missing, None, name, "but none was missing in training. Fill it in")


def _refuse_first(odd: BoolArray, values: Any, name: str, what: str) -> None:
    """Raise for the first row that is odd."""
    if odd.any():
        row = int(odd.argmax())
        shown = "a missing value" if values is None else repr(values[row : row + 1].tolist()[0])
        raise InputError(f"Column `{name}` holds {shown} (row {row}), {what}, or drop the row.")
