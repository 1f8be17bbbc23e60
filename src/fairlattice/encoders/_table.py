"""Whole tables: any frame that narwhals knows, or an array, to vectors and back to the same kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from fairlattice._column import Column
from fairlattice._validation import BoolArray, FloatArray, IntArray, check_columns_exist, check_count
from fairlattice.encoders._columns import (
    CarriedCodec,
    CategoryCodec,
    Codec,
    NumericCodec,
    OrdinalCodec,
    fit_codec,
    refuse_infinite,
)
from fairlattice.encoders._inputs import decide_features, read_as, table_columns, written_types
from fairlattice.encoders._makers import ArrayMaker, FrameMaker
from fairlattice.encoders._names import Names, check_names, coordinate_names, names_in
from fairlattice.encoders._plain_numbers import DecodedColumns, PlainNumbers
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import Feature, Rules


class TableEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode a mixed table as vectors, and decode vectors as valid rows of that table.

    Numbers are standardised; text, truth values and categories get one 0/1 coordinate per level. Decoded rows have
    the same columns and types as the training table: categories are ones that occurred, whole numbers stay whole
    (also in a column of floats that were all whole), and numbers stay within the bounds seen in training. A missing
    number is encoded as the column's mean and a coordinate that says so, a missing category as a category; both
    come back missing. Infinite numbers are refused.

    Parameters
    ----------
    max_categories : int, default=64
        A column with more categories keeps the most frequent; the others share one coordinate.
    na : sequence of str, optional
        Texts, and numbers, that mean a missing value, in place of :data:`fairlattice.tables.MISSING_SPELLINGS`.
        Blanks are missing in any case.
    decimal : {".", ","}, optional
        Decimal mark of numbers that are text; by default whichever explains all of them.
    categorical : sequence of str, default=()
        Columns whose numbers are codes. Zip codes, and a few whole numbers with uneven steps, are found without.
    keep : sequence of str, default=()
        Columns to use although they look like identifiers: running numbers, or another text in every row.

    Attributes
    ----------
    features_ : dict of str to Feature
        What each column is, and how its values are read.
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
        For infinite values, columns that are not there, or types that cannot be encoded, such as lists.

    Warns
    -----
    AssumptionWarning
        Where text was taken as missing or as numbers, numbers as codes, or a column as an identifier.

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

    def __init__(
        self,
        max_categories: int = 64,
        *,
        na: Sequence[str] | None = None,
        decimal: str | None = None,
        categorical: Sequence[str] = (),
        keep: Sequence[str] = (),
    ) -> None:
        self.max_categories = max_categories
        self.na = na
        self.decimal = decimal
        self.categorical = categorical
        self.keep = keep

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn every column's type, bounds and categories. `y` is ignored."""
        columns = table_columns(X)
        features = self._read(X, columns)
        return self.fit_as(X, read_as(columns, features), features)

    def read(self, X: Any) -> dict[str, Feature]:
        """Decide what each column is, for :meth:`fit_vectors`; report what is assumed, and refuse infinite numbers."""
        columns = table_columns(X)
        features = self._read(X, columns)
        for name, feature in features.items():
            if feature.kind not in ("category", "identifier"):
                refuse_infinite(columns[name], name)
        return features

    def _read(self, X: Any, columns: dict[str, Column]) -> dict[str, Feature]:
        rules = Rules(self.na, self.decimal, tuple(self.categorical), tuple(self.keep))
        return decide_features(X, columns, rules)

    def fit_vectors(self, X: Any, features: Mapping[str, Feature] | None = None) -> FloatArray:
        """Fit to rows and return their vectors, reading the columns only once.

        `features` describes the columns, if :meth:`read` has decided on them with a larger table.
        """
        columns = table_columns(X)
        known = self._read(X, columns) if features is None else features
        read = read_as(columns, known)
        return self.fit_as(X, read, known).encode(read)

    def fit_as(self, X: Any, read: Mapping[str, Column], features: Mapping[str, Feature]) -> Self:
        """Fit to rows whose columns have been read, as :func:`read_columns` reads them."""
        check_count("max_categories", self.max_categories, 2)
        if not len(next(iter(read.values())).missing):
            raise InputError("`X` has no rows.")
        self.features_ = dict(features)
        kinds = {name: feature.kind for name, feature in features.items()}
        kinds |= dict.fromkeys(written_types(X), "written")
        self.codecs_: dict[str, Codec] = {
            name: fit_codec(column, name, self.max_categories, kinds[name]) for name, column in read.items()
        }
        self.n_features_in_ = len(read)
        self._remember_names(names_in(X))
        ends = np.cumsum([codec.width for codec in self.codecs_.values()]).tolist()
        self.slices_ = {
            n: slice(end - c.width, end) for (n, c), end in zip(self.codecs_.items(), ends, strict=True)
        }
        self.n_features_out_ = ends[-1]
        if not self.n_features_out_:
            names = ", ".join(f"`{name}`" for name in self.codecs_)
            raise InputError(
                f"There is no feature to learn from: {names} look like identifiers. Pass `keep` (--keep)."
            )
        plain = {n: c for n, c in self.codecs_.items() if type(c) is NumericCodec and not c.has_missing}
        places = np.array([self.slices_[name].start for name in plain], dtype=np.int64)
        self._plain_numbers = PlainNumbers.of(plain, places)
        self._other_codecs = {n: c for n, c in self.codecs_.items() if c.width and n not in plain}
        self._rare = {
            name: read[name].places(codec.levels)
            for name, codec in self.codecs_.items()
            if isinstance(codec, CategoryCodec) and codec.has_rare
        }
        frame = nw.from_native(X, eager_only=True, pass_through=True)
        maker = FrameMaker if isinstance(frame, nw.DataFrame) else ArrayMaker
        self._maker: FrameMaker | ArrayMaker = maker(frame, read, self.codecs_)
        return self

    def _remember_names(self, names: Names | None) -> None:
        self.__dict__.pop("feature_names_in_", None)  # of an earlier fit
        if names is not None:
            self.feature_names_in_ = names

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
        columns = table_columns(X)
        if isinstance(self._maker, ArrayMaker) and len(columns) != self.n_features_in_:
            raise InputError(
                f"X has {len(columns)} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        needed = [name for name, codec in self.codecs_.items() if codec.width]
        check_columns_exist(needed, list(columns))
        return self.encode({name: self.features_[name].reading.apply(columns[name]) for name in needed})

    def encode(self, read: Mapping[str, Column]) -> FloatArray:
        """Return vectors of shape (n, n_features_out_), given columns that have been read."""
        out = np.zeros((len(next(iter(read.values())).missing), self.n_features_out_))
        self._plain_numbers.encode(read, out)
        for name, codec in self._other_codecs.items():
            codec.encode(read[name], name, out[:, self.slices_[name]])
        return out

    @property
    def blocks(self) -> list[slice]:
        """Coordinates that mean something together only: those of a category, of a number and its absence."""
        check_is_fitted(self)
        return [
            self.slices_[name]
            for name, codec in self.codecs_.items()
            if codec.width > 1 or (isinstance(codec, OrdinalCodec) and codec.together)
        ]

    @property
    def crowded(self) -> list[IntArray]:
        """Of each column with more categories than coordinates: which category each training row has, or -1."""
        check_is_fitted(self)
        return list(self._rare.values())

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
        columns = table_columns(X)
        check_columns_exist(self.codecs_, list(columns))
        self._maker.check(X)
        for name, codec in self.codecs_.items():
            codec.check(self.features_[name].reading.apply(columns[name]), name)

    def snap(self, Z: FloatArray, places: IntArray | None = None) -> FloatArray:
        """The vectors of the valid rows that Z decodes to: as decoding and encoding again, only faster.

        Z holds all coordinates, or those at `places`, each of them its column's only one.
        """
        check_is_fitted(self)
        if places is not None:
            return self._snapped_places(Z, places)
        Z, plain = np.asarray(Z), self._plain_numbers
        out = np.empty(Z.shape)
        out[:, plain.places] = plain.snap(Z[:, plain.places])
        for name, codec in self._other_codecs.items():
            out[:, self.slices_[name]] = codec.snap(Z[:, self.slices_[name]])
        return out

    def _snapped_places(self, Z: FloatArray, places: IntArray) -> FloatArray:
        plain, out = self._plain_numbers, np.empty(Z.shape)
        together = np.isin(places, plain.places)
        out[:, together] = plain.snap(Z[:, together], places[together])
        named = {self.slices_[name].start: name for name in self._other_codecs}
        for j in np.flatnonzero(~together).tolist():
            out[:, j : j + 1] = self.codecs_[named[int(places[j])]].snap(Z[:, j : j + 1])
        return out

    def inverse_transform(self, Z: FloatArray) -> Any:
        """Rows like those of the training table, from vectors of shape (n, n_features_out_).

        What a vector does not hold is taken from the training rows: of rare categories that share a coordinate the
        most frequent, of an identifier the first row's.
        """
        return self.rows_of(Z, None)

    def rows_of(self, Z: FloatArray, donors: Donors | None) -> Any:
        """As :meth:`inverse_transform`, with rare categories and identifiers carried from the training rows `donors`.

        Parameters
        ----------
        Z : float array of shape (n, n_features_out_)
            Vectors.
        donors : callable, optional
            Given which training rows may give a value (None: all), returns a row number for each vector.
        """
        check_is_fitted(self)
        return self._maker.make(dict(self._all_decoded(Z, donors)), self.codecs_)

    def columns_of(self, Z: FloatArray) -> DecodedColumns:
        """The columns that vectors of shape (n, n_features_out_) mean, as they are read, without identifiers."""
        check_is_fitted(self)
        found = {}
        for name, codec in self._other_codecs.items():
            values, missing = self._decoded(name, Z[:, self.slices_[name]], None)
            if isinstance(codec, _CODED):
                levels = np.array([*codec.levels, codec.levels[0] if codec.levels else None], dtype=object)
                values = levels[values].astype(np.float64 if isinstance(codec, OrdinalCodec) else object)
            found[name] = Column(np.asarray(values), missing)
        names = tuple(name for name, codec in self.codecs_.items() if codec.width)
        plain = self._plain_numbers
        return DecodedColumns(names, plain.names, plain.decode(Z[:, plain.places]).T, found)

    def _all_decoded(
        self, Z: FloatArray, donors: Donors | None
    ) -> Iterator[tuple[str, tuple[Any, BoolArray]]]:
        """Every column as :meth:`_decoded` returns it; those of plain numbers are decoded together."""
        Z, plain = np.asfortranarray(Z), self._plain_numbers  # columns are read one by one
        numbers = np.asfortranarray(plain.decode(Z[:, plain.places])).T
        together = dict(zip(plain.names, numbers, strict=True))
        present = np.zeros(len(Z), dtype=bool)
        for name, at in self.slices_.items():
            known = together.get(name)
            yield name, (self._decoded(name, Z[:, at], donors) if known is None else (known, present))

    def _decoded(self, name: str, Z: FloatArray, donors: Donors | None) -> tuple[Any, BoolArray]:
        """Values of a column, or places among the maker's cells where these are copied; and where they are missing."""
        codec = self.codecs_[name]
        if isinstance(codec, CarriedCodec):
            none = np.zeros(len(Z), dtype=bool)
            return (np.zeros(len(Z), dtype=np.int64) if donors is None else donors(None)), none
        if isinstance(codec, OrdinalCodec):
            place, missing = codec.decode_place(Z)
        elif isinstance(codec, CategoryCodec):
            place, missing = codec.decode(Z)
            if name in self._rare and donors is not None:
                rare = ~missing & (place == codec.n_own)
                if rare.any():
                    place[rare] = self._rare[name][donors(self._rare[name] >= codec.n_own)[rare]]
        else:
            return codec.decode(Z)
        return np.where(missing, len(codec.levels), place), missing


_CODED = (CategoryCodec, OrdinalCodec)
Donors = Callable[[BoolArray | None], IntArray]
