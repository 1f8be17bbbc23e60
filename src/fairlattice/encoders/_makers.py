"""Decoded columns as rows of the training table's own kind: the same library, types, and spelling of every value.

A value of a category, a date or a number written as text is never composed: a cell of the training table that
holds it is copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np

from fairlattice._column import Column
from fairlattice.encoders._columns import CarriedCodec, CategoryCodec, Codec, OrdinalCodec
from fairlattice.exceptions import InputError


def is_copied(codec: Codec) -> bool:
    """Whether values of the column are copied from cells of the training table."""
    return isinstance(codec, CategoryCodec | OrdinalCodec | CarriedCodec)


class FrameMaker:
    """Rebuilds columns in the library, and with the types, of the training frame."""

    def __init__(
        self, frame: nw.DataFrame[Any], columns: Mapping[str, Column], codecs: dict[str, Codec]
    ) -> None:
        # Real cells of the column, one per category or one number and one hole, or of an identifier all: whatever
        # is made from them has exactly their type, in every library.
        called = {str(c): c for c in frame.columns}  # pandas allows names that are not text
        rows = {name: exemplar_rows(columns[name], codec) for name, codec in codecs.items()}
        # Polars takes some names for patterns, also of a series.
        series = {name: frame.get_column(called[name]).alias("values") for name in codecs}
        self.cells = {name: nw.maybe_reset_index(series[name])[rows[name]] for name in codecs}

    def check(self, X: Any) -> None:
        """Raise if a column is of another type than in training."""
        frame = nw.from_native(X, eager_only=True, pass_through=True)
        if not isinstance(frame, nw.DataFrame):
            raise InputError(f"`X` must be a frame as in training, got {type(X).__name__}.")
        called = {str(c): c for c in frame.columns}
        for name, cells in self.cells.items():
            known, given = (_native_type(s) for s in (cells, frame.get_column(called[name])))
            if known != given:
                raise InputError(f"Column `{name}` has type {given}, and had {known} in training. Cast it.")

    def make(self, decoded: dict[str, tuple[Any, Any]], codecs: dict[str, Codec]) -> Any:
        series = [self._series(name, *decoded[name], codec).alias(name) for name, codec in codecs.items()]
        return nw.concat([nw.maybe_reset_index(s.to_frame()) for s in series], how="horizontal").to_native()

    def _series(self, name: str, values: Any, missing: Any, codec: Codec) -> nw.Series[Any]:
        cells: nw.Series[Any] = self.cells[name]
        if is_copied(codec):
            picked: nw.Series[Any] = cells[values]
            return picked
        kind: Any = np.int64 if cells.dtype.is_integer() else np.float64
        if cells.dtype == nw.Float32:  # pandas refuses to narrow by itself
            kind = np.float32
        if cells.implementation.is_polars() and not missing.any():  # types there have one form each
            return nw.new_series("values", values.astype(kind), cells.dtype, backend="polars")
        filled = np.flatnonzero(~missing)
        template = nw.maybe_reset_index(cells[missing.astype(np.int64)])
        try:
            made: nw.Series[Any] = template.scatter(filled, values[filled].astype(kind))
        except Exception as error:
            raise InputError(
                f"Column `{name}` has type {cells.dtype}, of which no rows can be made. Cast it to Float64."
            ) from error
        return made


class ArrayMaker:
    """Rebuilds a two-dimensional array of the training array's type."""

    def __init__(self, X: Any, columns: Mapping[str, Column], codecs: dict[str, Codec]) -> None:
        if isinstance(X, Mapping):
            X = np.column_stack([np.asarray(column, dtype=object) for column in X.values()])
        array = X if isinstance(X, np.ndarray) else np.asarray(X)
        self.dtype = array.dtype
        self.cells = {
            name: array[exemplar_rows(columns[name], codec), j]
            for j, (name, codec) in enumerate(codecs.items())
            if is_copied(codec)
        }

    def check(self, X: Any) -> None:
        """Raise if an array is of another type than in training."""
        dtype = getattr(X, "dtype", None)
        if dtype != self.dtype:
            raise InputError(f"`X` has type {dtype}, and had {self.dtype} in training. Cast it.")

    def make(self, decoded: dict[str, tuple[Any, Any]], codecs: dict[str, Codec]) -> Any:
        n = len(next(iter(decoded.values()))[1])
        out = np.empty((n, len(codecs)), dtype=self.dtype)
        for j, (name, codec) in enumerate(codecs.items()):
            values, missing = decoded[name]
            if is_copied(codec):
                out[:, j] = self.cells[name][values]
                continue
            out[:, j] = values
            if missing.any():
                out[missing, j] = None if self.dtype.kind == "O" else np.nan
        return out


def _native_type(series: nw.Series[Any]) -> str:
    """A column's type as its own library calls it, so that nullable integers are not plain ones."""
    native = series.to_native()
    return str(getattr(native, "dtype", None) or native.type)


def exemplar_rows(column: Column, codec: Codec) -> list[int]:
    """Rows that hold each level in order, or any number, or all rows; then, if there is one, a missing value."""
    if isinstance(codec, CarriedCodec):
        return list(range(len(column.missing)))
    if isinstance(codec, CategoryCodec | OrdinalCodec):
        place = np.where(column.missing, -1, column.places(codec.levels))
        rows = np.full(len(codec.levels), -1)
        seen = np.flatnonzero(place >= 0)[::-1]  # backwards, so that the first row of a level is kept
        rows[place[seen]] = seen
    else:
        rows = np.flatnonzero(~column.missing)[:1]
    return [*rows.tolist(), *([int(column.missing.argmax())] if codec.has_missing else [])]
