"""Which strategy to take where rows say little: a learned decision, or learned weights without scores to decide by."""

from __future__ import annotations

from collections.abc import Sequence
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


def default_among(names: Sequence[str], auto: str) -> str:
    """The default of a comparison: `auto`, or learned weights where these were compared and it was not.

    Examples
    --------
    >>> default_among(["none", "borrow"], "minimax"), default_among(["none", "smote"], "minimax")
    ('borrow', 'minimax')
    """
    return WEIGHTS if auto not in names and WEIGHTS in names else auto
