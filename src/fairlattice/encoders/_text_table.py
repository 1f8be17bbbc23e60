"""Tables of which some columns are free text: each such column gets coordinates of its own.

All others are encoded as ever, and come first; without text columns nothing differs from a table
encoder. Text goes one way only: between two texts there are vectors, but no third text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import narwhals as nw
import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from fairlattice._validation import (
    FloatArray,
    IntArray,
    as_native,
    check_columns_exist,
    check_same_length,
    frame_of,
)
from fairlattice.encoders._columns import Codec
from fairlattice.encoders._table import TableEncoder
from fairlattice.encoders._text import TextEncoder, as_texts
from fairlattice.exceptions import InputError


class TextTableEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode tables with columns of free text as vectors.

    The other columns, if there are any, are encoded by a :class:`TableEncoder`, each text column by a
    copy of `encoder`. Without text columns it does what a :class:`TableEncoder` does, to the bit.

    Parameters
    ----------
    text : sequence of str, default=("text",)
        Names of the columns that hold free text.
    encoder : transformer, optional
        Turns a list of texts into numbers of shape (n, d); by default ``TextEncoder()``. It may be a
        :class:`SentenceEncoder`, or an :class:`ImageEncoder` for a column of paths.
    max_categories : int, default=64
        As in :class:`TableEncoder`.

    Attributes
    ----------
    codecs_ : dict of str to codec
        How each column other than text is encoded.
    encoders_ : dict of str to transformer
        The fitted encoder of each text column.
    slices_ : dict of str to slice
        Which coordinates of a vector belong to each column; those of text are the last ones.
    n_features_out_ : int
        Length of a vector.

    Raises
    ------
    InputError
        If a text column is not there or holds missing values or anything but text, if `X` has no named
        columns, or for whatever a :class:`TableEncoder` refuses.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [20, 40], "text": ["good nurse", "bad cook"]})
    >>> encoder = TextTableEncoder().fit(frame)
    >>> encoder.slices_
    {'age': slice(0, 1, None), 'text': slice(1, 3, None)}
    >>> encoder.transform(frame).shape
    (2, 3)
    """

    def __init__(
        self, text: Sequence[str] = ("text",), encoder: Any = None, *, max_categories: int = 64
    ) -> None:
        self.text = text
        self.encoder = encoder
        self.max_categories = max_categories

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how to encode every column. `y` is ignored."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> FloatArray:  # noqa: ARG002 - scikit-learn passes it
        """As fitting and transforming, but texts are encoded once."""
        names = [self.text] if isinstance(self.text, str) else list(self.text)
        others, texts = _parted(X, names)
        table = TableEncoder(self.max_categories)
        parts = [] if others is None else [table.fit_vectors(others)]
        self._table: TableEncoder | None = None if others is None else table
        self.codecs_: dict[str, Codec] = {} if others is None else dict(table.codecs_)
        self.slices_: dict[str, slice] = {} if others is None else dict(table.slices_)
        self.n_features_out_ = 0 if others is None else table.n_features_out_
        self.n_features_in_ = len(self.codecs_) + len(texts)
        self.encoders_: dict[str, Any] = {}
        for name, column in texts.items():
            encoder = TextEncoder() if self.encoder is None else clone(self.encoder)
            part = _dense(encoder.fit_transform(as_texts(column, name, least=1)))
            start, self.n_features_out_ = self.n_features_out_, self.n_features_out_ + part.shape[1]
            self.encoders_[name], self.slices_[name] = encoder, slice(start, self.n_features_out_)
            parts.append(part)
        return np.hstack(parts)

    def transform(self, X: Any) -> FloatArray:
        """Vectors of shape (n, n_features_out_)."""
        check_is_fitted(self)
        others, texts = _parted(X, list(self.encoders_))
        if self._table is not None and others is None:
            check_columns_exist(self.codecs_, list(texts))
        parts = [] if self._table is None else [self._table.vectors(others)]
        for name, encoder in self.encoders_.items():
            column = as_texts(texts[name], name)
            width = self.slices_[name].stop - self.slices_[name].start
            parts.append(_dense(encoder.transform(column)) if column else np.zeros((0, width)))
        return np.hstack(parts)

    @property
    def blocks(self) -> list[slice]:
        """Coordinates that mean something together only, such as those of a category or of a text."""
        check_is_fitted(self)
        table = [] if self._table is None else self._table.blocks
        return [*table, *(self.slices_[name] for name in self.encoders_)]

    @property
    def crowded(self) -> list[IntArray]:
        """As :attr:`TableEncoder.crowded`, of the columns that are not text."""
        check_is_fitted(self)
        return [] if self._table is None else self._table.crowded

    def snap(self, Z: FloatArray, places: IntArray | None = None) -> FloatArray:
        """The vectors with all columns made valid but those of text, which stay as they are.

        `places` as in :meth:`TableEncoder.snap`.
        """
        check_is_fitted(self)
        out = np.array(Z)
        if self._table is not None:
            width = self._table.n_features_out_
            known = slice(width) if places is None else np.flatnonzero(places < width)
            out[:, known] = self._table.snap(out[:, known], None if places is None else places[known])
        return out

    def inverse_transform(self, Z: FloatArray) -> Any:
        """Rows like those of the training table, if it had no text columns.

        Raises
        ------
        InputError
            If it had: text cannot be made from vectors.
        """
        check_is_fitted(self)
        if self.encoders_ or self._table is None:
            raise InputError(
                f"Text cannot be made from vectors, and `{next(iter(self.encoders_))}` is text. "
                "Use the vectors, or leave the text columns out."
            )
        return self._table.inverse_transform(Z)


def _parted(X: Any, text: list[str]) -> tuple[Any, dict[str, Any]]:
    """The table without its text columns (None if nothing is left), and these columns."""
    if not text:
        return X, {}
    frame = as_native(X)
    if isinstance(frame, nw.DataFrame):
        called = {str(c): c for c in frame.columns}  # pandas allows names that are no text
        check_columns_exist(text, list(called))
        kept = [c for c in frame.columns if str(c) not in text]
        columns = {name: frame.get_column(called[name]).to_native() for name in text}
        return (frame_of(frame, kept).to_native() if kept else None), columns
    if isinstance(X, Mapping):
        every = {str(name): column for name, column in X.items()}
        check_columns_exist(text, list(every))
        check_same_length(**every)
        return {name: every[name] for name in every if name not in text} or None, {n: every[n] for n in text}
    raise InputError(
        f"`X` must be a table with named columns where `text` names some, got {type(X).__name__}. "
        "Pass a data frame or a dict of columns."
    )


def _dense(Z: Any) -> FloatArray:
    return np.asarray(Z.toarray() if issparse(Z) else Z, dtype=np.float64)
