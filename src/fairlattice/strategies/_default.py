"""Which strategy to take where rows say little: learned weights for linear models, a learned decision for others.

Weights move a linear model, which cannot fit all cells at once. A flexible model fits its rows whatever they weigh
(Byrd and Lipton 2019, arXiv:1812.03372), so there more is gained by moving the decision.
"""

from __future__ import annotations

from typing import Any

from sklearn.linear_model._base import LinearClassifierMixin
from sklearn.pipeline import Pipeline

from fairlattice.strategies._strategy import DEFAULT

FLEXIBLE = "minimax"
"""The default of classifiers that are not linear and give scores."""


def default_for(classifier: Any) -> str:
    """The preset to take for a classifier, or a pipeline that ends in one, unless another is shown to be fairer.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> default_for(LogisticRegression()), default_for(HistGradientBoostingClassifier())
    ('borrow', 'minimax')
    """
    last = classifier
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    scores = hasattr(last, "predict_proba") or hasattr(last, "decision_function")
    return FLEXIBLE if scores and not isinstance(last, LinearClassifierMixin) else DEFAULT
