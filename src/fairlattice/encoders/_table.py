"""Whole tables: any frame that narwhals knows, or an array, to vectors and back to the same kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import narwhals as nw
import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from fairlattice._validation import (
    Column,
    FloatArray,
    as_columns,
    check_columns_exist,
    check_count,
    index_of,
)
from fairlattice.encoders._columns import CategoryCodec, Codec, fit_codec
from fairlattice.encoders._names import Names, check_names, coordinate_names, names_in
from fairlattice.exceptions import InputError


class TableEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode a mixed table as vectors, and decode vectors as valid rows of that table.

    Numbers are standardised; text, truth values and categories get one 0/1 coordinate per level.
    Decoded rows have the same columns and types as the training table: categories are ones that
    occurred, whole numbers stay whole (also in a column of floats that were all whole), and numbers
    stay within the bounds seen in training. A missing number is encoded as the column's mean beside a
    coordinate that says so, a missing category as a category; both come back missing. Infinite
    numbers are refused.

    Parameters
    ----------
    max_categories : int, default=64
        A column with more categories keeps the most frequent; the others share one coordinate.

    Attributes
    ----------
    codecs_ : dict of str to codec
        How each column is encoded.
    slices_ : dict of str to slice
        Which coordinates of a vector belong to each column.
    n_features_out_ : int
        Length of a vector.
    n_features_in_ : int
        How many columns the training table has.
    feature_names_in_ : array of str, shape (n_features_in_,)
        Their names; only where the training table has named columns, and all names are text.

    Raises
    ------
    InputError
        For infinite values, columns that are not there, or types that cannot be encoded, such as
        lists and dates.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> frame = pl.DataFrame({"age": [20, 40], "job": ["cook", "nurse"]})
    >>> encoder = TableEncoder().fit(frame)
    >>> encoder.transform(frame)
    array([[-1.,  1.,  0.],
           [ 1.,  0.,  1.]])
    >>> encoder.inverse_transform(np.array([[9.0, 0.4, 0.6]])).rows()
    [(40, 'nurse')]

    It is a step of a pipeline, and returns frames where scikit-learn's ``set_output`` asks for them:

    >>> encoder.set_output(transform="polars").transform(frame).rows(named=True)[0]
    {'age': -1.0, 'job_cook': 1.0, 'job_nurse': 0.0}
    """

    def __init__(self, max_categories: int = 64) -> None:
        self.max_categories = max_categories

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn every column's type, bounds and categories. `y` is ignored."""
        check_count("max_categories", self.max_categories, 2)
        columns = _table_columns(X)
        if not len(next(iter(columns.values())).missing):
            raise InputError("`X` has no rows.")
        self.codecs_: dict[str, Codec] = {
            name: fit_codec(column, name, self.max_categories) for name, column in columns.items()
        }
        self.n_features_in_ = len(columns)
        self._remember_names(names_in(X))
        ends = np.cumsum([codec.width for codec in self.codecs_.values()]).tolist()
        self.slices_ = {
            name: slice(end - codec.width, end)
            for (name, codec), end in zip(self.codecs_.items(), ends, strict=True)
        }
        self.n_features_out_ = ends[-1]
        self._maker: _FrameMaker | _ArrayMaker
        frame = nw.from_native(X, eager_only=True, pass_through=True)
        if isinstance(frame, nw.DataFrame):
            self._maker = _FrameMaker(frame, columns, self.codecs_)
        else:
            self._maker = _ArrayMaker(X)
        return self

    def _remember_names(self, names: Names | None) -> None:
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):  # of an earlier fit
            del self.feature_names_in_

    def get_feature_names_out(self, input_features: Any = None) -> Names:
        """One name for each coordinate.

        A number has its column's name; a category ``column_level``; the rare ones together
        ``column_infrequent``; what says that a value is missing ``column_missing``. Of names that would
        be equal the later ones end in ``_2``, ``_3`` …

        Parameters
        ----------
        input_features : sequence of str, optional
            Names for the columns of an array, which are called ``x_0``, ``x_1`` … otherwise. Where
            training rows had names, these must be the same.

        Returns
        -------
        array of str, shape (n_features_out_,)

        Raises
        ------
        InputError
            If `input_features` are others than in training, or more or fewer.

        Examples
        --------
        >>> import polars as pl
        >>> frame = pl.DataFrame({"age": [20, None], "job": ["cook", "nurse"]})
        >>> TableEncoder().fit(frame).get_feature_names_out().tolist()
        ['age', 'age_missing', 'job_cook', 'job_nurse']
        """
        check_is_fitted(self)
        names = list(self.codecs_)
        if input_features is not None:
            known: Names | None = getattr(self, "feature_names_in_", None)
            names = check_names(input_features, known, self.n_features_in_)
        return coordinate_names(names, list(self.codecs_.values()))

    def transform(self, X: Any) -> Any:
        """Vectors of shape (n, n_features_out_): an array, or the frame that ``set_output`` asks for."""
        return self.vectors(X)

    def vectors(self, X: Any) -> FloatArray:
        """Vectors of shape (n, n_features_out_), always as an array.

        Neither ``set_output`` nor the configuration of scikit-learn changes it. Call this where the vectors
        are computed with.
        """
        check_is_fitted(self)
        columns = _table_columns(X)
        if isinstance(self._maker, _ArrayMaker) and len(columns) != self.n_features_in_:
            raise InputError(
                f"X has {len(columns)} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        check_columns_exist(self.codecs_, list(columns))
        out = np.empty((len(next(iter(columns.values())).missing), self.n_features_out_))
        for name, codec in self.codecs_.items():
            out[:, self.slices_[name]] = codec.encode(columns[name], name)
        return out

    @property
    def blocks(self) -> list[slice]:
        """Coordinates that mean something together only: those of a category, of a number and its absence."""
        check_is_fitted(self)
        return [part for part in self.slices_.values() if part.stop - part.start > 1]

    def check(self, X: Any) -> None:
        """Raise unless every row could be one of the training table, going by each column alone.

        What :meth:`inverse_transform` makes always passes.

        Parameters
        ----------
        X : frame or array of shape (n, d)
            Rows to check.

        Raises
        ------
        InputError
            If a column is not there or of another type, or it holds a category that training rows do not
            have, a number beyond theirs, a fraction where theirs are whole, or a missing value where they
            have none; the column and the value are named.

        Examples
        --------
        >>> import polars as pl
        >>> encoder = TableEncoder().fit(pl.DataFrame({"age": [20, 40]}))
        >>> encoder.check(pl.DataFrame({"age": [30]}))
        >>> encoder.check(pl.DataFrame({"age": [50]}))
        Traceback (most recent call last):
            ...
        fairlattice.exceptions.InputError: Column `age` holds 50.0 (row 0), outside 20 to 40, the bounds in \
training. Clip it, or drop the row.
        """
        check_is_fitted(self)
        columns = _table_columns(X)
        check_columns_exist(self.codecs_, list(columns))
        self._maker.check(X)
        for name, codec in self.codecs_.items():
            codec.check(columns[name], name)

    def snap(self, Z: FloatArray) -> FloatArray:
        """The vectors of the valid rows that Z decodes to: as decoding and encoding again, only faster."""
        check_is_fitted(self)
        Z = np.asarray(Z)
        return np.hstack([codec.snap(Z[:, self.slices_[name]]) for name, codec in self.codecs_.items()])

    def inverse_transform(self, Z: FloatArray) -> Any:
        """Rows like those of the training table, from vectors of shape (n, n_features_out_)."""
        check_is_fitted(self)
        Z = np.asfortranarray(Z)  # columns are read one by one
        decoded = {name: codec.decode(Z[:, self.slices_[name]]) for name, codec in self.codecs_.items()}
        return self._maker.make(decoded, self.codecs_)


class _FrameMaker:
    """Rebuilds columns in the library, and with the types, of the training frame."""

    def __init__(
        self, frame: nw.DataFrame[Any], columns: dict[str, Column], codecs: dict[str, Codec]
    ) -> None:
        # Real cells of the column, one per category or one number and one hole: whatever is made from
        # them has exactly their type, in every library.
        called = {str(c): c for c in frame.columns}  # pandas allows names that are no text
        self.cells = {
            name: nw.maybe_reset_index(frame.get_column(called[name]))[_exemplar_rows(columns[name], codec)]
            for name, codec in codecs.items()
        }

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
        series = [self._series(name, *decoded[name], codec) for name, codec in codecs.items()]
        return nw.concat([nw.maybe_reset_index(s.to_frame()) for s in series], how="horizontal").to_native()

    def _series(self, name: str, values: Any, missing: Any, codec: Codec) -> nw.Series[Any]:
        cells: nw.Series[Any] = self.cells[name]
        if isinstance(codec, CategoryCodec):
            picked: nw.Series[Any] = cells[np.where(missing, len(codec.levels), values)]
            return picked
        kind: Any = np.int64 if cells.dtype.is_integer() else np.float64
        if cells.dtype == nw.Float32:  # pandas refuses to narrow by itself
            kind = np.float32
        if cells.implementation.is_polars() and not missing.any():  # types there have one form each
            return nw.new_series(name, values.astype(kind), cells.dtype, backend="polars")
        filled = np.flatnonzero(~missing)
        template = nw.maybe_reset_index(cells[missing.astype(np.int64)])
        try:
            made: nw.Series[Any] = template.scatter(filled, values[filled].astype(kind))
        except Exception as error:
            raise InputError(
                f"Column `{name}` has type {cells.dtype}, of which no rows can be made. Cast it to Float64."
            ) from error
        return made


class _ArrayMaker:
    """Rebuilds a two-dimensional array of the training array's type."""

    def __init__(self, X: Any) -> None:
        array = X if isinstance(X, np.ndarray) else np.asarray(X)
        self.dtype = array.dtype

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
            if isinstance(codec, CategoryCodec):
                levels = np.empty(len(codec.levels) + 1, dtype=object)
                levels[:-1] = codec.levels
                values = levels[np.where(missing, len(codec.levels), values)]
            out[:, j] = values
            if missing.any():
                out[missing, j] = None if self.dtype.kind == "O" else np.nan
        return out


def _native_type(series: nw.Series[Any]) -> str:
    """A column's type as its own library calls it, so that nullable integers are not plain ones."""
    native = series.to_native()
    return str(getattr(native, "dtype", None) or native.type)


def _exemplar_rows(column: Column, codec: Codec) -> list[int]:
    """Rows that hold each category in order, or any number; then, if there is one, a missing value."""
    if isinstance(codec, CategoryCodec):
        place = np.where(column.missing, -1, index_of(column.values, codec.levels))
        rows = np.full(len(codec.levels), -1)
        seen = np.flatnonzero(place >= 0)[::-1]  # backwards, so that the first row of a level is kept
        rows[place[seen]] = seen
    else:
        rows = np.flatnonzero(~column.missing)[:1]
    return [*rows.tolist(), *([int(column.missing.argmax())] if codec.has_missing else [])]


def _table_columns(X: Any) -> dict[str, Column]:
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        odd = {n: t for n, t in frame.schema.items() if t.is_nested() or t.is_temporal() or t == nw.Binary}
        if odd:
            name, dtype = next(iter(odd.items()))
            raise InputError(
                f"Column `{name}` has type {dtype}, which cannot be a feature. Drop it, or turn it into "
                "numbers or text."
            )
    elif issparse(X):
        raise InputError("`X` is sparse, and sparse input is not supported. Pass `X.toarray()`.")
    elif not isinstance(X, Mapping):
        array = X if isinstance(X, np.ndarray) else np.asarray(X)
        if array.dtype.kind == "c":
            raise InputError("Complex data not supported.")
        if array.ndim != 2:
            raise InputError(
                f"`X` must be a frame or a two-dimensional array, got shape {array.shape}. Reshape your data."
            )
        if 0 in array.shape:
            told = f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
            raise InputError(told if array.shape[1] == 0 else "`X` has no rows.")
        X = array
    return as_columns(X, "X", default="x")
