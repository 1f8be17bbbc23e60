"""Which strategy to take where rows say little: a learned decision, or learned weights where there are no scores."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from fairlattice.strategies._strategy import DEFAULT, WEIGHTS


def default_for(classifier: Any) -> str:
    """The preset to take for a classifier, or a pipeline that ends in one, unless another is shown to be fairer.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.multiclass import OutputCodeClassifier
    >>> default_for(LogisticRegression()), default_for(OutputCodeClassifier(LogisticRegression()))
    ('minimax', 'borrow')
    """
    last = classifier
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    scores = hasattr(last, "predict_proba") or hasattr(last, "decision_function")
    return DEFAULT if scores else WEIGHTS
