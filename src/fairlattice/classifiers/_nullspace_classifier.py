"""A network trained freely, whose representation then forgets the groups."""

from __future__ import annotations

import warnings
from typing import Any, Self

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fairlattice._validation import FloatArray, check_count
from fairlattice.classifiers._estimator import NetworkClassifier
from fairlattice.classifiers._nullspace import NullspaceProjection
from fairlattice.classifiers._objective import Unconstrained
from fairlattice.exceptions import FairlatticeWarning, InputError

_NOTHING_LEFT = (
    "The projection took out every direction, so all rows get one prediction. "
    "Pass fewer `n_iterations`, or a wider last layer in `hidden`."
)


class NullspaceClassifier(NetworkClassifier):
    """Iterative nullspace projection of a network's last hidden representation, and a new last layer.

    The network is :class:`NeuralClassifier`'s with :class:`Unconstrained`. Its representation of the
    training rows (without dropout) is projected by :class:`NullspaceProjection`, one classifier for each
    attribute, and a logistic regression is trained on what is left.

    Parameters
    ----------
    n_iterations : int, default=8
        Iterations of the projection, at least 0. With 0 nothing is projected, and the network keeps its own
        last layer.
    hidden, dropout, learning_rate, steps, batch_size, device, random_state
        As in :class:`NeuralClassifier`.

    Attributes
    ----------
    projection_ : NullspaceProjection or None
        The fitted projection.
    head_ : LogisticRegression or None
        The new last layer.
    classes_, loss_curve_, n_features_in_, network_, scaler_
        As in :class:`NeuralClassifier`.

    Notes
    -----
    Groups that the representation does not encode leave it as it is, of rank hidden[-1]. Where every
    direction is taken out, a :class:`fairlattice.exceptions.FairlatticeWarning` says so.

    References
    ----------
    Ravfogel, Elazar, Gonen, Twiton & Goldberg (2020), Null it out, ACL, arXiv:2004.07667.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, S = rng.normal(size=(300, 2)), rng.choice(["a", "b"], 300)
    >>> y = (X[:, 0] > 0).astype(int)
    >>> from fairlattice.classifiers import NullspaceClassifier
    >>> model = NullspaceClassifier(2, hidden=(8,), steps=300).fit(X, y, sensitive_features=S)
    >>> model.predict([[2.0, 0.0], [-2.0, 0.0]]), model.projection_.rank_
    (array([1, 0]), 8)
    """

    def __init__(
        self,
        n_iterations: int = 8,
        *,
        hidden: tuple[int, ...] = (128, 64, 32),
        dropout: float = 0.2,
        learning_rate: float = 1e-3,
        steps: int = 2000,
        batch_size: int = 128,
        device: str = "cpu",
        random_state: Any = 0,
    ) -> None:
        self.n_iterations = n_iterations
        self.hidden = hidden
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.steps = steps
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, sensitive_features: Any = None, sample_weight: Any = None) -> Self:
        """Train the network, project what it learned, and train the new last layer.

        Parameters
        ----------
        X, y, sensitive_features, sample_weight
            As in :meth:`NeuralClassifier.fit`; the projection and the new layer weigh rows by
            `sample_weight`. Groups are needed unless `n_iterations` is 0.

        Raises
        ------
        InputError
            As :meth:`NeuralClassifier.fit`.
        """
        check_count("n_iterations", self.n_iterations, 0)
        if self.n_iterations and sensitive_features is None:
            raise InputError("The projection needs groups, got none. Pass `sensitive_features`.")
        table = self._fit_network(X, y, sensitive_features, sample_weight, Unconstrained())
        self.projection_ = self.head_ = None
        if self.n_iterations:
            weights = None if table.chances is None else table.chances * len(table.X)
            hidden = super()._represent(table.X)
            projection = NullspaceProjection(self.n_iterations).set_output(transform="default")
            projection.fit(hidden, sensitive_features=table.levels[table.leaves], sample_weight=weights)
            self.projection_ = projection
            if not projection.rank_:
                warnings.warn(_NOTHING_LEFT, FairlatticeWarning, stacklevel=2)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                head = LogisticRegression(max_iter=1000)
                self.head_ = head.fit(projection.transform(hidden), table.labels, sample_weight=weights)
        return self

    def _represent(self, X: FloatArray) -> FloatArray:
        hidden = super()._represent(X)
        return hidden if self.projection_ is None else self.projection_.transform(hidden)

    def _positive(self, hidden: FloatArray) -> FloatArray:
        if self.head_ is None:
            return super()._positive(hidden)
        positive: FloatArray = self.head_.predict_proba(hidden)[:, 1]
        return positive
