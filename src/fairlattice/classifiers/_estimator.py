"""What both neural estimators share: reading a table, training the network on it, and predicting.

Rows are standardised inside; groups are read once into leaf numbers; every source of randomness gets a
stream of its own, so that an objective which draws nothing, or whose weight is 0, changes nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fairlattice._validation import CPU_TORCH, FloatArray, IntArray, check_count, check_real
from fairlattice.classifiers._objective import Objective, Training
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice

if TYPE_CHECKING:
    import torch

    from fairlattice.classifiers._network import Network

_CURVE = 100  # steps whose losses are averaged in the curve
_ROWS_AT_ONCE = 65_536


class Streams(NamedTuple):
    """A generator for each thing that is drawn."""

    initial: np.random.Generator
    batches: np.random.Generator
    dropout: np.random.Generator
    adversary: np.random.Generator
    mixing: np.random.Generator


def streams(random_state: Any) -> Streams:
    """Independent generators from a seed, a RandomState, a Generator, or None for fresh ones."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31))
    elif isinstance(random_state, np.random.Generator):
        random_state = int(random_state.integers(2**31))
    elif random_state is not None:
        random_state = check_count("random_state", random_state, 0)
    spawned = np.random.SeedSequence(random_state).spawn(len(Streams._fields))
    return Streams(*map(np.random.default_rng, spawned))


class Table(NamedTuple):
    """Training rows as arrays; rows without weight are gone.

    `levels`, of shape (L, p), holds the level numbers of the L leaves that have rows; `chances` is None where
    no weights were given.
    """

    X: FloatArray
    labels: IntArray
    leaves: IntArray
    levels: IntArray
    chances: FloatArray | None


class NetworkClassifier(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClassifierMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """The part of a neural classifier that does not depend on what it is trained for."""

    hidden: Any
    dropout: float
    learning_rate: float
    steps: int
    batch_size: int
    device: str
    random_state: Any

    def predict_proba(self, X: Any) -> FloatArray:
        """Probability of both classes, of shape (n, 2), for rows of shape (n, d); without dropout."""
        positive = self._positive(self._hidden(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> Any:
        """The more probable class of every row, of shape (n,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def transform(self, X: Any) -> FloatArray:
        """The representation that the last layer reads, of shape (n, hidden[-1])."""
        return self._hidden(X)

    def _hidden(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        return self._represent(validate_data(self, X, reset=False, dtype=np.float64))

    def _positive(self, hidden: FloatArray) -> FloatArray:
        import torch

        logits = self.network_.logits(torch.from_numpy(hidden))
        return logits.sigmoid().numpy()

    def _represent(self, X: FloatArray) -> FloatArray:
        parts = [X[i : i + _ROWS_AT_ONCE] for i in range(0, len(X), _ROWS_AT_ONCE)]
        hidden = [self.network_.hidden(self._scaled(part)).numpy() for part in parts]
        return np.concatenate(hidden)

    def _scaled(self, X: FloatArray) -> torch.Tensor:
        import torch

        return torch.from_numpy(self.scaler_.transform(X))

    def _fit_network(
        self, X: Any, y: Any, sensitive_features: Any, sample_weight: Any, objective: Objective
    ) -> Table:
        """Train the network; the rows that it was trained on."""
        require_torch()
        self._check_options()
        objective.check()
        table = self._table(X, y, sensitive_features, sample_weight, needs_groups=objective.needs_groups)
        self._train(table, objective)
        return table

    def _check_options(self) -> None:
        if isinstance(self.hidden, str) or not np.iterable(self.hidden) or not list(self.hidden):
            raise InputError(f"`hidden` must name at least one layer's units, got {self.hidden!r}.")
        for units in self.hidden:
            check_count("hidden", units)
        check_count("steps", self.steps)
        check_count("batch_size", self.batch_size)
        check_real("dropout", self.dropout, 0.0, 0.99)
        check_real("learning_rate", self.learning_rate, 0.0, sys.float_info.max, open_ends=True)

    def _table(
        self, X: Any, y: Any, sensitive_features: Any, sample_weight: Any, *, needs_groups: bool
    ) -> Table:
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        _check_two_classes(y, self.classes_)
        if sensitive_features is None and needs_groups:
            raise InputError("This objective needs groups, got none. Pass `sensitive_features`.")
        leaves, levels = read_leaves(sensitive_features, len(X))
        weights = None if sample_weight is None else read_weights(sample_weight, X)
        return _weighted_table(Table(X, labels.astype(np.int64), leaves, levels, weights))

    def _train(self, table: Table, objective: Objective) -> None:
        from fairlattice.classifiers._network import make_network
        from fairlattice.classifiers._training import Schedule, train

        device, drawn = _device(self.device), streams(self.random_state)
        self.scaler_ = (
            StandardScaler().set_output(transform="default").fit(table.X, sample_weight=table.chances)
        )
        x = self._scaled(table.X).float().to(device)
        n = len(x)
        training = Training(
            x=x,
            labels=table.labels,
            leaves=table.leaves,
            levels=table.levels,
            chances=np.full(n, 1 / n) if table.chances is None else table.chances,
            batch_size=int(self.batch_size),
            width=int(self.hidden[-1]),
            adversary_rng=drawn.adversary,
            mixing_rng=drawn.mixing,
        )
        network = make_network((x.shape[1], *self.hidden, 1), drawn.initial, device=device)
        schedule = Schedule(
            self.steps, self.batch_size, self.learning_rate, self.dropout, drawn.batches, drawn.dropout
        )
        cells = training.tensor(2 * table.leaves + table.labels)
        losses = train(network, objective.start(training), schedule, x, cells, table.chances)
        self.network_: Network = network.frozen()
        self.loss_curve_ = [float(losses[i : i + _CURVE].mean()) for i in range(0, len(losses), _CURVE)]

    @property
    def _n_features_out(self) -> int:
        return int(self.hidden[-1])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def read_leaves(sensitive_features: Any, n_rows: int) -> tuple[IntArray, IntArray]:
    """Every row's leaf among those that occur, and the level numbers of those, of shape (L, p).

    Without features everyone is one leaf.
    """
    if sensitive_features is None:
        return np.zeros(n_rows, dtype=np.int64), np.zeros((1, 0), dtype=np.int64)
    lattice = GroupLattice.from_features(sensitive_features)
    codes = lattice.encode(sensitive_features)
    if len(codes) != n_rows:
        raise InputError(
            f"Inputs differ in length: `X` has {n_rows:,} rows, `sensitive_features` {len(codes):,}."
        )
    known, leaves = np.unique(codes, return_inverse=True)
    return leaves.astype(np.int64), np.stack(lattice.digits(known), axis=1)


def read_weights(sample_weight: Any, X: FloatArray) -> FloatArray:
    """Weights of rows, of shape (n,), finite and at least 0, and some above 0; 1 for all if None."""
    try:
        weights: FloatArray = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        if not weights.any():
            raise ValueError("All are 0.")
    except ValueError as error:
        raise InputError(f"`sample_weight` cannot be used. {error} Pass one of at least 0 a row.") from error
    return weights


def require_torch() -> None:
    """Raise, with what to install, where torch is absent."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise InputError(
            "Neural classifiers need torch, which is not installed. "
            f'Install it with `pip install "fairlattice[torch]"`. {CPU_TORCH}'
        ) from error


def _weighted_table(table: Table) -> Table:
    """Drop rows of weight 0 and the leaves that go with them; weights become chances."""
    X, labels, leaves, levels, weights = table
    if weights is not None:
        drawn = weights > 0
        X, labels, leaves, weights = X[drawn], labels[drawn], leaves[drawn], weights[drawn]
        weights = weights / weights.max()
        weights = weights / weights.sum()
    known, leaves = np.unique(leaves, return_inverse=True)
    levels = levels[known]
    dense = [np.unique(column, return_inverse=True)[1] for column in levels.T]
    levels = np.stack(dense, axis=1) if dense else levels
    return Table(X, labels, leaves.astype(np.int64), levels.astype(np.int64), weights)


def _check_two_classes(y: Any, classes: Any) -> None:
    if len(classes) > 2:
        kind = type_of_target(y)
        raise InputError(
            f"Only binary classification is supported. The type of the target is {kind}. "
            f"`y` has {len(classes):,} classes; pass two."
        )
    if len(classes) < 2:
        raise InputError(f"`y` has one class, {classes[0]!r}. Pass rows of two classes.")


def _device(name: Any) -> torch.device:
    import torch

    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(f"`device` cannot be used, got {name!r}. Pass 'cpu'.") from error
    return device
