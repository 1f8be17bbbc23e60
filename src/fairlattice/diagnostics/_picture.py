"""Samples as points in the plane, for a figure, and what a reader must know about it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from fairlattice._validation import FloatArray, check_choice, check_count
from fairlattice.diagnostics._samples import as_samples
from fairlattice.exceptions import InputError

CAVEATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "pca": (
            "The two directions in which the samples together vary most; differences in other directions "
            "do not show.",
            "Samples that overlap here may still be separable.",
        ),
        "tsne": (
            "t-SNE keeps neighbours together; distances between clusters, their sizes and their densities "
            "mean nothing.",
            "Another seed or perplexity gives another picture, and clusters may appear where there are none.",
            "Samples that overlap here may still be separable.",
        ),
    }
)
"""Sentences that belong in the caption of each picture."""

_METHODS = ("pca", "tsne")
_PERPLEXITY = 30.0
_LEAST_FOR_TSNE = 5


def embedding(
    samples: Mapping[str, Any], *, method: str = "pca", random_state: int = 0
) -> dict[str, FloatArray]:
    """Places of all rows in one plane, for a scatter plot.

    Parameters
    ----------
    samples : mapping of str to array-like of shape (n_i, d)
        The samples, encoded alike; a sample may be empty.
    method : {"pca", "tsne"}, default="pca"
        The two directions of the largest variance, or a picture of neighbourhoods. What either does not show
        is in :data:`CAVEATS`, and belongs in the caption.
    random_state : int, default=0
        Seed of t-SNE; PCA draws nothing.

    Returns
    -------
    dict of str to float array of shape (n_i, 2)
        Fitted on all rows together. The sign of a principal component is such that its largest loading
        is above 0. Perplexity is 30, and a third of the rows where these are fewer; below 5 different rows
        t-SNE gives way to PCA. Directions that do not vary are 0. 1,000 rows take about ten seconds.

    Raises
    ------
    InputError
        If there are no rows, samples differ in their columns, or there is no such method.

    Examples
    --------
    >>> embedding({"real": [[0.0, 0.0], [2.0, 0.0]], "generated": [[4.0, 0.0]]})["generated"]
    array([[2., 0.]])
    """
    check_choice("method", method, _METHODS)
    check_count("random_state", random_state, 0)
    arrays = as_samples(samples, least=0)
    if not sum(map(len, arrays)):
        raise InputError("`samples` has no rows. Pass at least one sample with rows.")
    rows = np.vstack(arrays)
    distinct = len(np.unique(rows, axis=0))
    places = _components(rows)
    if method == "tsne" and distinct >= _LEAST_FOR_TSNE:
        places = _neighbourhoods(rows, places, random_state)
    ends = np.cumsum([len(array) for array in arrays])[:-1]
    return dict(zip(samples, np.split(places, ends), strict=True))


def _components(rows: FloatArray) -> FloatArray:
    from sklearn.decomposition import PCA  # here, as tests need no picture and it is slow to load

    places = np.zeros((len(rows), 2))
    count = min(2, *rows.shape)
    if np.ptp(rows, axis=0).max() > 0:
        pca = PCA(count, svd_solver="full").fit(rows)
        largest = np.abs(pca.components_).argmax(axis=1)
        signs = np.sign(pca.components_[np.arange(count), largest])
        found = np.asarray(pca.transform(rows)) * signs
        varies = pca.singular_values_ > 1e-9 * pca.singular_values_[0]
        places[:, :count] = np.where(varies, found, 0.0)
    return places


def _neighbourhoods(rows: FloatArray, start: FloatArray, random_state: int) -> FloatArray:
    from sklearn.manifold import TSNE

    jitter = np.random.default_rng(random_state).normal(size=start.shape)  # equal rows must be able to part
    first = (start / start[:, 0].std() + 1e-2 * jitter) * 1e-4  # as small as scikit-learn's own
    perplexity = min(_PERPLEXITY, (len(rows) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init=first.astype(np.float32), random_state=random_state)
    with threadpool_limits(limits=1):  # sums in one order, so that a seed gives the same picture anywhere
        return np.asarray(tsne.fit_transform(rows), dtype=np.float64)
