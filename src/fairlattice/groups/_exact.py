"""Sums of floats that do not depend on the order: numbers are split into digits, whose sums are exact.

Adding two floats rounds the result. So the last bits of a sum change with an engine's threads and the order of rows.
Here, every number is a fraction of a power of two, written in digits. The base leaves room for the number of rows, so
the sum of a digit is a whole number that a float holds exactly. The total is rounded once, at the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np

from fairlattice._validation import FloatArray, IntArray

MANTISSA = 53  # bits of a float
WIDE = 24  # bits between the largest and the smallest of numbers that are fractions of the same power of two
SCORE_BITS, SCORE_DIGITS = 22, 3
"""Bits and number of the digits of a score in [0, 1], for up to 2^31 rows. Bits below 2^-66 are dropped."""


def bits_for(rows: int) -> int:
    """Return how many bits a digit may have, if its sum over this many rows must fit a float exactly."""
    return MANTISSA - max(int(rows), 1).bit_length()


class Split(NamedTuple):
    """A column of numbers that an engine adds digit by digit.

    Parameters
    ----------
    column : expression
        Fractions in [0, 1]; or, if `bits` is 0, whole numbers that are added as they are.
    bits, size : int
        Number of bits of a digit, and number of digits.
    """

    column: nw.Expr
    bits: int
    size: int

    def names(self, name: str) -> list[str]:
        """Return the names of the columns that hold the digits of column `name`."""
        return [f"{name} {number}" for number in range(self.size)] if self.bits else [name]

    def spread(self, table: nw.LazyFrame[Any], name: str) -> nw.LazyFrame[Any]:
        """Add a column for each digit of column `name`."""
        left = name
        for number, digit in enumerate(self.names(name) if self.bits else ()):
            scaled = nw.col(left) * 2.0**self.bits
            table = table.with_columns(scaled.floor().alias(digit))
            if number < self.size - 1:
                left, before = f"{digit} left", left
                table = table.with_columns((nw.col(before) * 2.0**self.bits - nw.col(digit)).alias(left))
        return table


@dataclass(frozen=True, eq=False)
class ExactSums:
    """Sums of floats over the rows of every entry, as digits.

    Parameters
    ----------
    digits : sequence of float arrays of shape (k,)
        Sums of each digit, whole numbers; the first digit weighs 2^(top - bits).
    tops : int array of shape (k,)
        Exponents of the powers of two that numbers are fractions of.
    bits : int
        Number of bits of a digit.
    """

    digits: Sequence[FloatArray]
    tops: IntArray
    bits: int

    @classmethod
    def of(cls, values: FloatArray | ExactSums, rows: IntArray | None = None) -> ExactSums:
        """Split one non-negative number per entry, counted once for each of its `rows`; keep sums already exact."""
        if isinstance(values, ExactSums):
            return values
        n = len(values) if rows is None else int(rows.sum())
        bits, exponents = bits_for(n), np.frexp(values)[1].astype(np.int64)
        tops = -(-exponents // WIDE) * WIDE
        return cls._split(np.ldexp(values, -tops), rows, tops, bits, -(-(WIDE + MANTISSA) // bits))

    @classmethod
    def of_scores(cls, values: FloatArray, rows: IntArray | None = None) -> ExactSums:
        """Split one score in [0, 1], or its square, per entry, counted once for each of its `rows`."""
        return cls._split(values, rows, np.zeros(len(values), dtype=np.int64), SCORE_BITS, SCORE_DIGITS)

    @classmethod
    def _split(cls, x: FloatArray, rows: IntArray | None, tops: IntArray, bits: int, size: int) -> ExactSums:
        found = []
        for _ in range(size):
            x = x * 2.0**bits
            found.append(np.floor(x))
            x = x - found[-1]
        return cls(found if rows is None else [digit * rows for digit in found], tops, bits)

    def of_entries(self, kept: Any) -> ExactSums:
        """The sums of some of the entries."""
        return ExactSums([digit[kept] for digit in self.digits], self.tops[kept], self.bits)

    def at(self, place: IntArray, size: int) -> FloatArray:
        """Add up the entries at each of `size` places, and round every sum once."""
        tops, band = np.unique(self.tops, return_inverse=True)
        flat = band.reshape(-1) * size + place
        parts = [
            np.ldexp(
                np.bincount(flat, digit, len(tops) * size).reshape(-1, size),
                tops[:, None] - self.bits * number,
            )
            for number, digit in enumerate(self.digits, start=1)
        ]
        terms = np.concatenate(parts)
        found: FloatArray = np.fromiter(map(math.fsum, terms.T.tolist()), dtype=np.float64, count=size)
        return found
