"""Iterative nullspace projection: remove from a representation what separates the groups linearly."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from scipy.stats import chi2
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted, validate_data

from fairlattice._validation import FloatArray, IntArray, check_choice, check_count
from fairlattice.classifiers._estimator import read_leaves, read_weights
from fairlattice.exceptions import InputError

_LOSS_WEIGHT = 10.0  # of the mean loss, against half the squared coefficients on rows of spread 1
_NEGLIGIBLE = 1e-6  # singular values below this share of the largest count as zero


class NullspaceProjection(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Project rows so that linear classifiers can hardly predict their groups.

    Each iteration fits a logistic regression for every attribute on the rows projected so far, and adds the
    directions that it reads (the row space of its coefficients) to those that are taken out. With Q an
    orthonormal basis of all of them, ``P = I - Q Qᵀ`` projects on what all the classifiers ignore.

    Parameters
    ----------
    n_iterations : int, default=8
        How often to look again, at least 0. Each takes out up to (levels - 1) directions per attribute, so
        that many iterations on few columns leave nothing.
    by : {"attribute", "leaf"}, default="attribute"
        A classifier for each attribute, or one over all leaves that have rows.
    random_state : int, RandomState or None, default=0
        Handed to the logistic regressions, whose default solver draws nothing.

    Attributes
    ----------
    projection_ : array of shape (d, d)
        P: symmetric, ``P P = P``.
    rank_ : int
        Its rank: d less the directions taken out.
    n_features_in_ : int
        d.

    Notes
    -----
    The regressions minimise 10 · mean loss + ‖w‖² / 2, on rows scaled to a common spread of 1. So firm a
    penalty keeps them near the differences of the groups' means; freer ones read directions in which rows
    barely vary, and need many more of them to hide as much.

    A classifier adds directions only if it reads more than chance: if it beats the shares of the levels by
    more than the 99 % point of the likelihood-ratio test. Iterations end where none does.

    Columns are used as they are, so put them on one scale first.

    References
    ----------
    Ravfogel, Elazar, Gonen, Twiton & Goldberg (2020), Null it out, ACL, doi:10.18653/v1/2020.acl-main.647,
    arXiv:2004.07667.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.tile([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], (10, 1))
    >>> P = NullspaceProjection(1).fit(X, sensitive_features=X[:, 0] > 0)
    >>> P.rank_, bool(np.allclose(P.projection_, [[0, 0], [0, 1]], atol=1e-6))
    (1, True)
    """

    def __init__(self, n_iterations: int = 8, *, by: str = "attribute", random_state: Any = 0) -> None:
        self.n_iterations = n_iterations
        self.by = by
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any = None,  # noqa: ARG002 - scikit-learn passes it
        *,
        sensitive_features: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Find the directions.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows, finite.
        y : object, optional
            Ignored.
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
            The sensitive attributes; missing values are a level of their own.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows in the logistic regressions.

        Raises
        ------
        InputError
            If groups are not given, or an option is out of its range.
        """
        check_count("n_iterations", self.n_iterations, 0)
        check_choice("by", self.by, ("attribute", "leaf"))
        X = validate_data(self, X, dtype=np.float64)
        if sensitive_features is None:
            raise InputError("The projection needs groups, got none. Pass `sensitive_features`.")
        leaves, levels = read_leaves(sensitive_features, len(X))
        targets = leaves[:, None] if self.by == "leaf" else levels[leaves]
        weights = read_weights(sample_weight, X)
        weights = weights * weights.sum() / (weights**2).sum()  # they sum to the effective number of rows
        basis = self._directions(_scaled(X, weights), targets, weights)
        self.projection_ = np.eye(X.shape[1]) - basis @ basis.T
        self.rank_ = X.shape[1] - basis.shape[1]
        return self

    def transform(self, X: Any) -> FloatArray:
        """Rows projected, of shape (n, d): ``X P``."""
        check_is_fitted(self)
        projected: FloatArray = validate_data(self, X, reset=False, dtype=np.float64) @ self.projection_
        return projected

    def _directions(self, X: FloatArray, targets: IntArray, weights: FloatArray) -> FloatArray:
        """An orthonormal basis of what the classifiers read, of shape (d, r)."""
        basis = np.zeros((X.shape[1], 0))
        for _ in range(self.n_iterations):
            before = basis.shape[1]
            for target in targets.T:
                left = X.shape[1] - basis.shape[1]
                if left and len(np.unique(target[weights > 0])) > 1:
                    read = self._read(X - (X @ basis) @ basis.T, target, weights, left)
                    basis = np.hstack([basis, new_directions(basis, read)])
            if basis.shape[1] == before:
                break
        return basis

    def _read(self, X: FloatArray, target: IntArray, weights: FloatArray, left: int) -> FloatArray:
        """Coefficients of a linear classifier, of shape (K, d); none if it reads nothing.

        One that has not quite converged will do.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(
                C=_LOSS_WEIGHT / weights.sum(), max_iter=300, random_state=self.random_state
            )
            model.fit(X, target, sample_weight=weights)
        place = np.searchsorted(model.classes_, target)
        fitted = model.predict_log_proba(X)[np.arange(len(X)), place]
        shares = np.bincount(place, weights=weights) / weights.sum()
        with np.errstate(divide="ignore"):  # a level whose rows weigh nothing
            usual = np.log(shares)[place]
        gain = 2 * float(weights[weights > 0] @ (fitted - usual)[weights > 0])
        chance = chi2.ppf(0.99, left * (len(shares) - 1))
        coefficients: FloatArray = model.coef_
        return coefficients if gain > chance else coefficients[:0]


def new_directions(basis: FloatArray, rows: FloatArray) -> FloatArray:
    """Orthonormal directions of `rows`, (k, d), beyond the columns of `basis`, (d, r); of shape (d, s)."""
    if not len(rows):
        return np.zeros((len(basis), 0))
    for _ in range(2):  # once more, for what rounding leaves
        rows = rows - (rows @ basis) @ basis.T
    _, sizes, directions = np.linalg.svd(rows, full_matrices=False)
    room = basis.shape[0] - basis.shape[1]
    kept = np.flatnonzero(sizes > max(_NEGLIGIBLE * sizes[0], np.finfo(float).tiny))[:room]
    found = directions[kept].T
    found -= basis @ (basis.T @ found)
    return np.linalg.qr(found)[0]


def _scaled(X: FloatArray, weights: FloatArray) -> FloatArray:
    """Rows about their mean, in units of their common spread: the same directions, easier to fit."""
    centred = X - np.average(X, axis=0, weights=weights)
    spread = float(np.sqrt(np.average(centred**2, axis=0, weights=weights).mean()))
    return centred / spread if spread > 0 else centred
