"""Scorers: a figure of an audit as something that cross-validation and searches can maximise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlattice._validation import as_columns, check_columns_exist
from fairlattice.exceptions import InputError
from fairlattice.metrics._figures import LOW_IS_FAIR, parse_figure
from fairlattice.metrics._from_data import audit


@dataclass(frozen=True)
class FairnessScorer:
    """What :func:`make_scorer` returns: a callable (estimator, X, y) that is large where the model is fair."""

    rate: str
    measure: str
    end: str
    sensitive: tuple[str, ...]
    options: Mapping[str, Any]

    def __call__(self, estimator: Any, X: Any, y: Any, sensitive_features: Any = None, **_: Any) -> float:
        """Score an estimator's predictions."""
        groups = sensitive_features
        if groups is None:
            if not self.sensitive:
                raise InputError(
                    "The scorer was given no groups. Name columns of X, as in `make_scorer(..., sensitive=['sex'])`, "
                    "or pass `sensitive_features`."
                )
            columns = as_columns(X, "X")
            check_columns_exist(self.sensitive, list(columns))
            groups = {name: columns[name].values for name in self.sensitive}
        return self.score(y, estimator.predict(X), groups)

    def score(self, y_true: Any, y_pred: Any, sensitive_features: Any) -> float:
        """The figure of predictions, negated where small is fair."""
        found = audit(y_true, y_pred, sensitive_features=sensitive_features, **self.options)
        value = float(getattr(found.figure(f"{self.rate}.{self.measure}"), self.end))
        return -value if self.measure in LOW_IS_FAIR else value


def make_scorer(
    figure: str = "equalized_odds.if", *, sensitive: Sequence[str] | None = None, **options: Any
) -> Any:
    """A scorer for scikit-learn's cross-validation and searches; large is fair.

    Parameters
    ----------
    figure : str, default="equalized_odds.if"
        Rate or notion, measure and which figure: "equalized_odds.if", "tpr.worst", "selection_rate.ratio.value";
        measures are df, if, ratio and worst, of which the first two are negated, and the figures value, corrected
        (the default), low and high.
    sensitive : sequence of str, optional
        Columns of X that hold the groups. Without it the groups are requested as metadata called
        `sensitive_features`, which needs scikit-learn's metadata routing.
    **options
        As in :func:`audit`: positive, alpha, cuts …

    Returns
    -------
    callable
        Takes (estimator, X, y).

    Raises
    ------
    InputError
        If the figure is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> X = pd.DataFrame({"x": [0.0, 1.0] * 60, "sex": [0, 0, 1, 1] * 30})
    >>> y = [0, 1] * 60
    >>> cross_val_score(LogisticRegression(), X, y, cv=2, scoring=make_scorer("tpr.worst.value", sensitive=["sex"]))
    array([0.96875, 0.96875])
    """
    scorer = FairnessScorer(*parse_figure(figure), tuple(sensitive or ()), options)
    if sensitive is not None:
        return scorer
    from sklearn import metrics

    def score(y_true: Any, y_pred: Any, sensitive_features: Any = None) -> float:
        if sensitive_features is None:
            raise InputError("Pass `sensitive_features`, as in `cross_validate(..., params={...})`.")
        return scorer.score(y_true, y_pred, sensitive_features)

    return metrics.make_scorer(score).set_score_request(sensitive_features=True)
