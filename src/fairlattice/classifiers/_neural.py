"""A neural classifier, and its objectives besides accuracy."""

from __future__ import annotations

from typing import Any, Self

from fairlattice.classifiers._estimator import NetworkClassifier
from fairlattice.classifiers._objective import Objective, Unconstrained
from fairlattice.exceptions import InputError


class NeuralClassifier(NetworkClassifier):
    """A small neural network for two classes, trained for any :class:`Objective`.

    Every hidden layer is linear, ReLU, dropout; the last layer has one logit, whose cross-entropy with the
    labels is the loss that objectives build on. Adam takes `steps` steps. Groups are needed in training
    only; prediction looks at X alone.

    Parameters
    ----------
    objective : Objective, optional
        What to train for; by default :class:`Unconstrained`.
    hidden : sequence of int, default=(128, 64, 32)
        Units of the hidden layers, at least one layer.
    dropout : float, default=0.2
        Share of hidden units left out at random in training, in [0, 0.99].
    learning_rate : float, default=1e-3
        Of Adam, above 0.
    steps, batch_size : int, default=2000 and 128
        How many batches, and rows in each.
    device : str, default="cpu"
        Where to train, as torch names it. The fitted network predicts on the CPU, in double precision.
    random_state : int, RandomState, Generator or None, default=0
        Seed. None draws a fresh one. Global generators are neither read nor changed.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The classes; the second is "positive".
    loss_curve_ : list of float
        Mean loss of each 100 steps: the objective's whole loss, penalties included.
    n_features_in_ : int
        Columns of X.
    network_, scaler_
        The fitted network, and what standardises its inputs.

    Notes
    -----
    Columns are standardised with the training rows' mean and standard deviation, weighted by
    `sample_weight` where it is given.

    Without `sample_weight`, batches walk through all rows in shuffled order, and then again. With it, rows
    are drawn with replacement, with chances in proportion to their weights, and each counts the same once
    drawn. With weights that make all cells alike (:func:`fairlattice.samplers.equal_weights`) that *is* equal
    sampling, and it composes with objectives that weigh groups: the shares they divide by are those under
    the drawing. So weights that are all the same train another network than no weights do.

    Initial weights, batches, dropout, adversaries and mixing draw from streams of their own. On the CPU one
    seed gives the same bytes, and every objective of weight 0 those of :class:`Unconstrained`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, S = rng.normal(size=(300, 2)), rng.choice(["a", "b"], 300)
    >>> y = np.where(X[:, 0] > 0, "yes", "no")
    >>> from fairlattice.classifiers import FairGrad, NeuralClassifier
    >>> model = NeuralClassifier(FairGrad(notion="accuracy_parity"), hidden=(8,), steps=300)
    >>> model.fit(X, y, sensitive_features=S).predict([[2.0, 0.0], [-2.0, 0.0]]).tolist()
    ['yes', 'no']
    """

    def __init__(
        self,
        objective: Objective | None = None,
        *,
        hidden: tuple[int, ...] = (128, 64, 32),
        dropout: float = 0.2,
        learning_rate: float = 1e-3,
        steps: int = 2000,
        batch_size: int = 128,
        device: str = "cpu",
        random_state: Any = 0,
    ) -> None:
        self.objective = objective
        self.hidden = hidden
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.steps = steps
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, sensitive_features: Any = None, sample_weight: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Numbers, finite.
        y : array-like of shape (n,)
            Labels of two classes.
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p), optional
            The sensitive attributes; missing values are a level of their own. :class:`Unconstrained` needs
            none.
        sample_weight : array-like of shape (n,), optional
            How often to draw each row, at least 0.

        Raises
        ------
        InputError
            If torch is not installed, an option is out of its range, there are not two classes, groups are
            needed but not given, or training diverges.
        """
        objective = Unconstrained() if self.objective is None else self.objective
        if not isinstance(objective, Objective):
            raise InputError(
                f"`objective` must be an Objective, got {objective!r}. Pass one such as `GroupDRO()`."
            )
        self._fit_network(X, y, sensitive_features, sample_weight, objective)
        return self
