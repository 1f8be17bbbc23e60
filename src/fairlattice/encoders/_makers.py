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
from fairlattice._validation import frame_of
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
        # Most numeric columns need only the first row. There may be thousands, so it is taken once for all.
        first_row = nw.maybe_reset_index(frame[[0]])
        self.cells = {}
        for name in codecs:
            is_first = rows[name] == [0]
            series = (first_row if is_first else frame).get_column(called[name])
            series = series.alias("values")  # polars reads some names as patterns, also of a series
            self.cells[name] = series if is_first else nw.maybe_reset_index(series)[rows[name]]

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
        plain = {name for name, codec in codecs.items() if self._is_plain(name, decoded[name][1], codec)}
        parts = [
            nw.maybe_reset_index(self._series(name, *decoded[name], codec).alias(name).to_frame())
            for name, codec in codecs.items()
            if name not in plain
        ]
        if plain:
            types = {name: self.cells[name].dtype for name in plain}
            values = {name: decoded[name][0].astype(_kind(dtype)) for name, dtype in types.items()}
            parts.append(nw.from_dict(values, types, backend="polars"))
        made = nw.concat(parts, how="horizontal")
        return (frame_of(made, list(codecs)) if plain else made).to_native()

    def _is_plain(self, name: str, missing: Any, codec: Codec) -> bool:
        """Whether a column can be made from its numbers and type alone: in polars, and without missing values."""
        return not is_copied(codec) and self.cells[name].implementation.is_polars() and not missing.any()

    def _series(self, name: str, values: Any, missing: Any, codec: Codec) -> nw.Series[Any]:
        cells: nw.Series[Any] = self.cells[name]
        if is_copied(codec):
            picked: nw.Series[Any] = cells[values]
            return picked
        filled = np.flatnonzero(~missing)
        template = nw.maybe_reset_index(cells[missing.astype(np.int64)])
        try:
            made: nw.Series[Any] = template.scatter(filled, values[filled].astype(_kind(cells.dtype)))
        except Exception as error:
            raise InputError(
                f"Column `{name}` has type {cells.dtype}, of which no rows can be made. Cast it to Float64."
            ) from error
        return made


def _kind(dtype: Any) -> Any:
    """The type of NumPy that numbers of a column's type are made of."""
    if dtype == nw.Float32:  # pandas refuses to narrow by itself
        return np.float32
    return np.int64 if dtype.is_integer() else np.float64


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
