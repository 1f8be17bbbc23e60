"""The classifiers that a comparison can train, with settings that suit tables of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from fairlattice._validation import check_choice
from fairlattice.exceptions import InputError


def _mlp(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        (128, 64), batch_size=512, early_stopping=True, max_iter=60, n_iter_no_change=5, random_state=seed
    )


def _boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(early_stopping=False, random_state=seed)


# Imported when chosen: ensembles alone take as long to load as Adult takes to fit.
CLASSIFIERS: dict[str, Callable[[int], Any]] = {
    "logistic": lambda _: LogisticRegression(max_iter=1000),
    "mlp": _mlp,
    "boosting": _boosting,
}
"""Name to a function that makes the classifier from a seed."""


def make_classifier(classifier: Any, seed: int) -> Any:
    """The classifier of that name, or a clone of the estimator given.

    Raises
    ------
    InputError
        If there is no classifier of that name.
    """
    if isinstance(classifier, str):
        return CLASSIFIERS[check_choice("classifier", classifier, tuple(CLASSIFIERS))](seed)
    if isinstance(classifier, type) or not hasattr(classifier, "fit") or not hasattr(classifier, "predict"):
        raise InputError(
            f"`classifier` must be one of {', '.join(CLASSIFIERS)}, or a scikit-learn classifier; got {classifier!r}."
        )
    made = clone(classifier)
    return made.set_params(random_state=seed) if "random_state" in made.get_params() else made
