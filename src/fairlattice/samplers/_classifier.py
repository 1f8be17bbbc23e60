"""Any scikit-learn classifier, trained so that every group counts the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, check_consistent_length, check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from fairlattice._validation import FloatArray, IntArray, check_choice, check_same_length
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice
from fairlattice.samplers._adaptive import adaptive_weights
from fairlattice.samplers._augmenter import HierarchicalAugmenter
from fairlattice.samplers._cells import training_lattice
from fairlattice.samplers._equal import cell_weights, resample_cells
from fairlattice.samplers._rows import take_rows
from fairlattice.samplers._weighting import drawn, weight_parameter

BALANCES = ("auto", "weight", "resample", "adaptive")


def _estimator_has(method: str) -> Any:
    def check(self: FairClassifier) -> bool:
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return available_if(check)


class FairClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Train any classifier with equal sampling, and with new rows for small groups if asked.

    Every (leaf, label) cell carries the same weight in training: exactly, by sample weights, or by
    drawing the same number of rows from each. Groups are needed in training only; prediction looks
    at X alone.

    Parameters
    ----------
    estimator : classifier
        Any scikit-learn classifier or pipeline that ends in one; it is cloned.
    augmenter : HierarchicalAugmenter, optional
        Makes rows for cells that lack some, before weighting; it is cloned and fitted on the same rows.
    balance : {"auto", "weight", "resample", "adaptive"}, default="auto"
        Sample weights, drawing rows, or weights where the estimator takes them. "adaptive" takes
        :func:`adaptive_weights` instead of equal ones: cells weigh more where the estimator, cross-fitted,
        recognises them worst, and rows that are likely to be of a small cell stand for it. It is trained
        some thirty times more for that. It needs groups, two labels and no augmenter.
    cuts : mapping of str to sequence of float, optional
        Cut points of numeric attributes, as in ``{"age": [25, 45]}``; with an augmenter, its own hold.
    missing : {"level", "raise"}, default="level"
        Give missing values of an attribute a level of their own, or refuse them.
    random_state : int, RandomState or None, default=None
        Seed of the drawing.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    augmenter_ : HierarchicalAugmenter or None
        The fitted augmenter.
    classes_ : array
        The labels, in order.

    Notes
    -----
    Without `sensitive_features`, and with no `sensitive` columns named by the augmenter, everyone is
    one group, so that only the labels are balanced. The estimator gets X as it is, so a frame with
    text needs a pipeline that begins by encoding it.

    Examples
    --------
    >>> import numpy as np
    >>> from fairlattice import FairClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X, S = rng.normal(size=(300, 2)), rng.choice(["a", "b", "c"], 300)
    >>> y = (X[:, 0] + rng.normal(size=300) > 0).astype(int)
    >>> model = FairClassifier(LogisticRegression()).fit(X, y, sensitive_features=S)
    >>> model.predict([[3.0, 0.0], [-3.0, 0.0]])
    array([1, 0])
    """

    def __init__(
        self,
        estimator: Any,
        augmenter: HierarchicalAugmenter | None = None,
        *,
        balance: str = "auto",
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.augmenter = augmenter
        self.balance = balance
        self.cuts = cuts
        self.missing = missing
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, sensitive_features: Any = None) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : frame or array of shape (n, d)
            Training rows, as the estimator takes them.
        y : array-like of shape (n,)
            Labels.
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
            The sensitive attributes.

        Raises
        ------
        InputError
            If an augmenter is given but no groups, or the estimator takes no weights though asked to; if
            adaptive weights are asked for without groups, with an augmenter, or for more than two labels.
        """
        check_choice("balance", self.balance, BALANCES)
        validate_data(self, X=X, skip_check_array=True)
        labels = column_or_1d(y, warn=True)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        check_consistent_length(X, y)
        self.augmenter_: Any = None
        if self.balance == "adaptive":
            cells, weights = None, self._adaptive(X, y, sensitive_features)
        else:
            X, y, cells = self._cells(X, y, sensitive_features)
            weights = cell_weights(cells)
        self.estimator_ = clone(self.estimator)
        parameter = weight_parameter(self.estimator_)
        if self.balance == "weight" and parameter is None:
            raise InputError(
                f"{type(self.estimator).__name__} takes no `sample_weight`. Pass `balance='resample'`."
            )
        if parameter is not None and self.balance != "resample":
            self.estimator_.fit(X, y, **{parameter: weights})
        else:
            rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
            rows = drawn(weights, rng) if cells is None else resample_cells(cells, rng=rng)
            self.estimator_.fit(take_rows(X, rows), take_rows(y, rows))
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: Any) -> Any:
        """Predicted labels, of shape (n,)."""
        return self._fitted(X).predict(X)

    @_estimator_has("predict_proba")  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Probability of every class, of shape (n, K)."""
        return self._fitted(X).predict_proba(X)

    @_estimator_has("decision_function")  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """The estimator's decision values."""
        return self._fitted(X).decision_function(X)

    def _adaptive(self, X: Any, y: Any, groups: Any) -> FloatArray:
        if self.augmenter is not None or groups is None:
            raise InputError("`balance='adaptive'` needs `sensitive_features`, and takes no augmenter.")
        return adaptive_weights(
            X,
            y,
            sensitive_features=groups,
            estimator=self.estimator,
            cuts=self.cuts,
            missing=self.missing,
            random_state=self.random_state,
        )

    def _cells(self, X: Any, y: Any, groups: Any) -> tuple[Any, Any, IntArray]:
        """Rows to train on, with new ones if asked, and a code of each row's cell."""
        lattice = GroupLattice(())
        if self.augmenter is not None:
            if groups is None and self.augmenter.sensitive is None:
                raise InputError("An augmenter needs groups: pass `sensitive_features`.")
            self.augmenter_ = clone(self.augmenter).fit(X, y, sensitive_features=groups)
            more = self.augmenter_.augment(X, y, sensitive_features=groups)
            X, y, groups, lattice = more.X, more.y, more.sensitive_features, self.augmenter_.lattice_
        elif groups is not None:
            lattice = training_lattice(groups, len(column_or_1d(y)), self.cuts, self.missing)
        labels, codes = np.unique(column_or_1d(y), return_inverse=True)
        leaves = np.zeros(len(codes), dtype=np.int64) if groups is None else lattice.encode(groups)
        check_same_length(y=codes, sensitive_features=leaves)
        return X, y, leaves * len(labels) + codes

    def _fitted(self, X: Any) -> Any:
        check_is_fitted(self)
        if getattr(X, "ndim", 2) == 2:  # otherwise the estimator itself says best what is wrong
            validate_data(self, X=X, skip_check_array=True, reset=False)
        return self.estimator_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = self.augmenter is None and inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.classifier_tags.multi_class = (
            inner.classifier_tags.multi_class if inner.classifier_tags else True
        )
        return tags
