"""Free text as a few numbers: which words a row has, in as few directions as tell most of it.

Words and pairs of words are counted, the common ones count less, and the directions in which texts
differ most become the coordinates. Nothing is downloaded and nothing is remembered of single texts but
the words; words that training never saw say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from fairlattice._validation import FloatArray, as_column, check_count
from fairlattice.exceptions import InputError

_NOTHING = 1e-9  # texts have length 1, so what varies less than this is rounding


class TextEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode texts as the directions in which their words differ most (latent semantic analysis).

    A text becomes ``(1 + log count) · (1 + log((1 + n)/(1 + rows with it)))`` for each word and each pair
    of neighbouring words, scaled to length 1; then its coordinates along the first singular vectors of the
    training texts, standardised to mean 0 and scale 1 in training.

    Parameters
    ----------
    n_components : int, default=100
        At most this many coordinates. There are fewer where there are fewer rows, words, or directions
        in which the training texts differ at all.
    max_features : int, default=20_000
        How many words and pairs are counted, the most frequent ones.
    random_state : int, default=0
        Seeds the search for the directions; the same seed gives the same bytes.

    Attributes
    ----------
    n_features_out_ : int
        Length of a vector; at least 1. Texts without any word become one coordinate that is 0.

    Raises
    ------
    InputError
        For missing values, values that are no text, or no rows. A text may be empty.

    References
    ----------
    Deerwester et al. (1990), Indexing by latent semantic analysis, JASIS 41(6):391-407,
    doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9.

    Examples
    --------
    >>> texts = ["good nurse", "bad cook", "good nurse", "bad cook"]
    >>> TextEncoder(n_components=2).fit_transform(texts).round(6)
    array([[ 1., -1.],
           [-1.,  1.],
           [ 1., -1.],
           [-1.,  1.]])
    """

    def __init__(self, n_components: int = 100, *, max_features: int = 20_000, random_state: int = 0) -> None:
        self.n_components = n_components
        self.max_features = max_features
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        return text_tags(super().__sklearn_tags__())

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn the words and the directions from a sequence of texts. `y` is ignored."""
        n_components = check_count("n_components", self.n_components)
        check_count("max_features", self.max_features)
        check_count("random_state", self.random_state, 0)
        texts = as_texts(X, "X", least=1)
        self._words: TfidfVectorizer | None = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, max_features=self.max_features
        )
        try:
            counted = self._words.fit_transform(texts)
        except ValueError:  # no text has a word
            self._words, self.n_features_out_ = None, 1
            return self
        self._directions = _directions(counted, n_components, self.random_state)
        self._standard = Standard.fit(counted @ self._directions)
        self.n_features_out_ = self._directions.shape[1]
        return self

    def transform(self, X: Any) -> FloatArray:
        """Vectors of shape (n, n_features_out_); mean 0 and scale 1 over the training texts."""
        check_is_fitted(self)
        texts = as_texts(X, "X")
        if self._words is None or not texts:
            return np.zeros((len(texts), self.n_features_out_))
        return self._standard(self._words.transform(texts) @ self._directions)


def _directions(counted: Any, n_components: int, seed: int) -> FloatArray:
    """The first right singular vectors, as columns, along which the rows are not all 0."""
    n_rows, n_words = counted.shape
    if n_words == 1:
        return np.ones((1, 1))
    svd = TruncatedSVD(min(n_components, n_rows, n_words), random_state=seed)
    with np.errstate(divide="ignore", invalid="ignore"):  # its share of a variance that is 0
        svd.fit(counted)
    return np.asarray(svd.components_[svd.singular_values_ > _NOTHING * np.sqrt(n_rows)].T)


@dataclass(frozen=True)
class Standard:
    """Coordinates minus their mean, divided by their scale; what did not vary keeps its scale."""

    mean: FloatArray
    scale: FloatArray

    @classmethod
    def fit(cls, Z: FloatArray) -> Standard:
        """The mean and scale of every column of Z, of shape (n, d)."""
        spread = Z.std(axis=0)
        return cls(Z.mean(axis=0), np.where(spread > _NOTHING, spread, 1.0))

    def __call__(self, Z: FloatArray) -> FloatArray:
        """Z with mean 0 and scale 1, as seen in training."""
        return np.asarray((Z - self.mean) / self.scale, dtype=np.float64)


def as_texts(values: Any, name: str, *, least: int = 0) -> list[str]:
    """A list, array or Series of texts as a list.

    Raises
    ------
    InputError
        If a value is missing or no text, or if there are fewer than `least`.
    """
    column = as_column(values, name)
    if len(column.values) < least:
        raise InputError(f"`{name}` has no rows.")
    if column.missing.any():
        raise InputError(
            f"`{name}` has {int(column.missing.sum()):,} missing texts (first in row "
            f'{int(column.missing.argmax())}). Write "" where there is none.'
        )
    texts = column.values.tolist()
    odd = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
    if odd is not None:
        raise InputError(
            f"`{name}` must hold texts, got {type(texts[odd]).__name__} in row {odd}. "
            "Turn the values into text."
        )
    return [str(text) for text in texts]


def text_tags(tags: Any) -> Any:
    """What scikit-learn should know of an estimator whose input is a sequence of texts."""
    tags.input_tags.string, tags.input_tags.two_d_array = True, False
    return tags
