"""Train any classifier on weighted rows, whether or not weights reach it.

Weights are passed only where they are sure to reach the model that learns. Everywhere else rows are drawn in
proportion to them, which any classifier understands: under the wrong impression that weights arrived, a
comparison would call two equal models a strategy and its baseline.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from fairlattice._validation import FloatArray
from fairlattice.samplers._shared import draw_by_weight, take_rows


def fit_weighted(
    model: Any, X: Any, y: Any, weights: FloatArray | None, *, rng: np.random.Generator, **per_row: Any
) -> Any:
    """Train with sample weights, or on as many rows drawn by weight where weights would not arrive.

    Parameters
    ----------
    model : classifier
        Trained in place.
    X, y
        Training rows and labels.
    weights : float array of shape (n,), optional
        Weights of at least 0; without them the model is trained on the rows as they are.
    rng : numpy.random.Generator
        Draws rows.
    **per_row
        Further arguments of ``fit`` that hold a value for every row.
    """
    if weights is None:
        return model.fit(X, y, **per_row)
    route = weight_route(model)
    if route is None:
        rows = draw_by_weight(weights, len(weights), rng)
        drawn = {name: take_rows(values, rows) for name, values in per_row.items()}
        return model.fit(take_rows(X, rows), take_rows(y, rows), **drawn)
    # The name of a pipeline's step says where the weights go, which scikit-learn understands only while its
    # metadata routing is off; the result is then the same whether a user has turned it on or not.
    with config_context(enable_metadata_routing=False):
        return model.fit(X, y, **{route: weights}, **per_row)


def weight_route(estimator: Any) -> str | None:
    """The argument of ``fit`` by which weights reach whatever learns inside, or None where none does.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> weight_route(make_pipeline(StandardScaler(), LogisticRegression()))
    'logisticregression__sample_weight'
    >>> weight_route(KNeighborsClassifier()) is None
    True
    """
    if isinstance(estimator, Pipeline):
        if any(hasattr(step, "fit_resample") for _, step in estimator.steps):
            return None  # the last step sees other rows than those that the weights belong to
        name, last = estimator.steps[-1]
        inner = weight_route(last)
        return None if inner is None else f"{name}__{inner}"
    if isinstance(estimator, BaseSearchCV):
        return weight_route(estimator.estimator)
    if not has_fit_parameter(estimator, "sample_weight"):
        return None
    # A meta-estimator may take weights and drop them, with a warning or without, if `fit` of what it wraps does
    # not name them, or passes them on to something that takes none.
    wrapped = getattr(estimator, "estimator", None)
    if wrapped is None or isinstance(wrapped, str):
        return "sample_weight"
    named = has_fit_parameter(wrapped, "sample_weight")
    return "sample_weight" if named and weight_route(wrapped) == "sample_weight" else None
