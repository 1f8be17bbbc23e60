"""Columns of numbers without missing values, encoded together, because tables may have thousands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fairlattice._column import Column
from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.encoders._columns import FARTHEST, NumericCodec

_TOGETHER = 2**20  # numbers at a time, which bounds memory


class DecodedColumns(NamedTuple):
    """Columns decoded from vectors.

    Parameters
    ----------
    names : tuple of str
        All columns, in the order of the table.
    plain : tuple of str
        Those of numbers without missing values.
    numbers : float array of shape (p, n)
        Their values, a row for each column.
    others : mapping of str to Column
        The other columns.
    """

    names: tuple[str, ...]
    plain: tuple[str, ...]
    numbers: FloatArray
    others: Mapping[str, Column]


@dataclass(frozen=True)
class PlainNumbers:
    """Codecs of many numeric columns without missing values, applied at once with the same result as one by one.

    Parameters
    ----------
    codecs : tuple of NumericCodec
        One for each column.
    names : tuple of str
        What the columns are called.
    places : int array of shape (p,)
        The coordinate that each takes, increasing.
    mean, scale, low, high, integral : arrays of shape (p,)
        Parameters of the codecs.
    """

    codecs: tuple[NumericCodec, ...]
    names: tuple[str, ...]
    places: IntArray
    mean: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray
    integral: BoolArray

    @classmethod
    def of(cls, codecs: Mapping[str, NumericCodec], places: IntArray) -> PlainNumbers:
        """Combine codecs, given by the names of their columns."""
        each = tuple(codecs.values())
        mean, scale, low, high = (
            np.array([getattr(codec, key) for codec in each], dtype=np.float64)
            for key in ("mean", "scale", "low", "high")
        )
        integral = np.array([codec.integral for codec in each], dtype=bool)
        return cls(each, tuple(codecs), places, mean, scale, low, high, integral)

    def encode(self, read: Mapping[str, Column], out: FloatArray) -> None:
        """Write coordinates of columns, by name, into those of `out`, of shape (n, d)."""
        step = max(1, _TOGETHER // max(len(out), 1))
        for first in range(0, len(self.names), step):
            part = slice(first, first + step)
            columns = [read[name] for name in self.names[part]]
            values = _encoded(columns, self.mean[part], self.scale[part])
            if values is not None:
                out[:, self.places[part]] = values.T
                continue
            # Some value is invalid: go column by column, so that the error names the column.
            for codec, column, name, place in zip(
                self.codecs[part], columns, self.names[part], self.places[part].tolist(), strict=True
            ):
                codec.encode(column, name, out[:, place : place + 1])

    def decode(self, Z: FloatArray, places: IntArray | None = None) -> FloatArray:
        """Values, column by column; Z holds the coordinates of all columns, or those at `places`."""
        at = slice(None) if places is None else np.searchsorted(self.places, places)
        values = Z.astype(np.float64) * self.scale[at] + self.mean[at]
        integral = self.integral[at]
        values[:, integral] = np.rint(values[:, integral])
        return np.clip(values, self.low[at], self.high[at])

    def snap(self, Z: FloatArray, places: IntArray | None = None) -> FloatArray:
        """The coordinates of the valid values that Z decodes to."""
        at = slice(None) if places is None else np.searchsorted(self.places, places)
        snapped: FloatArray = (self.decode(Z, places) - self.mean[at]) / self.scale[at]
        return snapped


def _encoded(columns: list[Column], mean: FloatArray, scale: FloatArray) -> FloatArray | None:
    """Return coordinates, a row for each column; None if a value is missing, infinite or too far from the mean."""
    if not all(c.values.dtype.kind in "iuf" for c in columns) or any(c.missing.any() for c in columns):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.array([c.values for c in columns], dtype=np.float64)
        values = (values - mean[:, None]) / scale[:, None]
    # The comparison is false if a value is infinite or NaN.
    return values if np.abs(values).max(initial=0.0) <= FARTHEST else None
