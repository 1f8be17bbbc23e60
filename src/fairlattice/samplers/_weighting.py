"""Training any classifier on weighted rows, whether it takes weights or not."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from fairlattice._validation import FloatArray, IntArray
from fairlattice.samplers._rows import take_rows


def fit_weighted(model: Any, X: Any, y: Any, weights: FloatArray, rng: np.random.Generator) -> None:
    """Train with sample weights, or on as many rows drawn by weight where the model takes none."""
    parameter = weight_parameter(model)
    if parameter is not None:
        model.fit(X, y, **{parameter: weights})
    else:
        rows = drawn(weights, rng)
        model.fit(take_rows(X, rows), take_rows(y, rows))


def drawn(weights: FloatArray, rng: np.random.Generator) -> IntArray:
    """As many rows as there are, drawn by weight."""
    return rng.choice(len(weights), len(weights), p=weights / weights.sum())


def weight_parameter(estimator: Any) -> str | None:
    """What a classifier, or the last step of a pipeline, calls its sample weights in ``fit``."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = weight_parameter(last)
        return f"{name}__{inner}" if inner else None
    return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None
