"""Weights of rows: which are refused, and how they are split into digits that add exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from fairlattice._validation import FloatArray, IntArray, as_column
from fairlattice.exceptions import InputError
from fairlattice.groups._collected import collected
from fairlattice.groups._exact import MANTISSA, WIDE, bits_for

_REFUSED = -1e150  # marks a weight that is missing or negative


@dataclass(frozen=True)
class Bands:
    """Bands of weights; all weights of a band are split into digits as fractions of one power of two.

    Parameters
    ----------
    bits : int
        Number of bits of a digit; 0 if weights are added as they are.
    top : int
        Exponent of a power of two that no weight exceeds.
    width : int
        Number of bits that a band spans.
    count : int
        Number of bands.
    """

    bits: int
    top: int
    width: int
    count: int

    @classmethod
    def of(cls, rows: int, least: float, greatest: float) -> Bands:
        """Return the bands for this many rows, whose weights are 0 or lie between `least` and `greatest`."""
        top = math.frexp(greatest)[1]
        spread = top - math.frexp(least)[1] + 1
        count = -(-spread // WIDE)
        return cls(bits_for(rows), top, -(-spread // count), count)

    @classmethod
    def whole(cls) -> Bands:
        """For weights that are whole numbers and add exactly as they are."""
        return cls(bits=0, top=0, width=0, count=1)

    def fraction(self, weight: nw.Expr) -> nw.Expr:
        """Weights as fractions of the power of two above their band."""
        found = weight * 2.0 ** -self._top(self.count - 1)
        for band in reversed(range(self.count - 1)):
            found = nw.when(weight > self._end(band)).then(weight * 2.0 ** -self._top(band)).otherwise(found)
        return found

    def number(self, weight: nw.Expr) -> nw.Expr:
        """The number of each weight's band, from the greatest weights down."""
        steps = [(weight <= self._end(band)).cast(nw.Int64()) for band in range(self.count - 1)]
        return sum(steps[1:], start=steps[0])

    def tops(self, numbers: IntArray) -> IntArray:
        """The exponents of the powers of two above the bands with these numbers."""
        return self.top - self.width * numbers

    def size(self, power: int) -> int:
        """How many digits the weights, or their squares, have."""
        return -(-(power * self.width + MANTISSA) // self.bits) if self.bits else 1

    def _top(self, band: int) -> int:
        return self.top - self.width * band

    def _end(self, band: int) -> float:
        return 2.0 ** self._top(band + 1)


def weight_bands(table: nw.LazyFrame[Any], weight: nw.Expr, present: nw.Expr, name: str) -> Bands:
    """Return the bands of a table's weights; its engine computes their range.

    Raises
    ------
    InputError
        If a weight is missing, negative or too far from 1, or all are 0.
    """
    # Aggregates ignore missing values, so they are replaced by a value that is refused.
    valid = nw.when(present & (weight >= 0.0)).then(weight).otherwise(nw.lit(_REFUSED))
    w, above, part = (nw.col(column) for column in ("w", "above", "part"))
    whole = w.clip(0.0, 2.0**MANTISSA)  # larger floats are whole, and some engines refuse to round them
    known = table.select(valid.alias("w"))
    known = known.with_columns(nw.when(w > 0.0).then(w).alias("above"), (whole - whole.floor()).alias("part"))
    found = collected(
        known.select(
            w.len().alias("rows"),
            w.min().alias("lowest"),
            above.min().alias("least"),
            w.max().alias("greatest"),
            part.max().alias("part"),
        )
    )
    rows, lowest, least, greatest, largest_part = (column.item() for column in found.iter_columns())
    if not rows:  # which is refused when rows are counted
        return Bands.whole()
    _check_range(name, lowest, least, greatest)
    if largest_part == 0.0 and greatest**2 * rows < 2.0**MANTISSA:
        return Bands.whole()
    return Bands.of(rows, least, greatest)


def read_weights(sample_weight: Any, name: str = "sample_weight") -> FloatArray | None:
    """Weights of rows as an array.

    Raises
    ------
    InputError
        As :func:`weight_bands`, or if they are not numbers.
    """
    if sample_weight is None:
        return None
    column = as_column(sample_weight, name)
    if column.missing.any() or column.values.dtype.kind not in "biuf":
        raise InputError(f"`{name}` must be numbers without missing values.")
    weights = column.values.astype(np.float64)
    check_weights(name, weights)
    return weights


def check_weights(name: str, weights: FloatArray) -> None:
    """Raise if a weight is missing, negative or too far from 1, or all are 0."""
    if len(weights):
        known = np.where(weights >= 0.0, weights, _REFUSED)  # NaN, too
        above = known[known > 0.0]
        _check_range(name, known.min(), above.min(initial=np.inf), known.max())


def _check_range(name: str, lowest: float, least: float | None, greatest: float) -> None:
    if lowest < 0.0 or greatest > 1e150 or (least is not None and least < 1e-150):
        raise InputError(
            f"Weights `{name}` must be 0, or lie between 1e-150 and 1e150, in every row. "
            "Correct, scale or remove them."
        )
    if greatest == 0.0:
        raise InputError(f"Weights `{name}` are 0 in every row, so nothing is counted.")
