"""Learned weights by hand: one weight for each training row, for any ``fit(X, y, sample_weight=…)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, as_labels, check_real, check_same_length
from fairlattice.encoders import TableEncoder
from fairlattice.groups._shared import Grouping
from fairlattice.samplers import CellIndex
from fairlattice.samplers._shared import entropy_of
from fairlattice.strategies._learned import (
    LEARNED_STREAM,
    SPREAD_STREAM,
    Learner,
    check_learnable,
    fit_mass,
)
from fairlattice.strategies._spread import known_cells, mean_one, spread_weights


def adaptive_weights(
    X: Any,
    y: Any,
    *,
    sensitive_features: Any,
    spread: bool = True,
    cost: float = 0.005,
    estimator: Any = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    random_state: Any = None,
) -> FloatArray:
    """Sample weights under which every (leaf, label) cell is recognised as well as accuracy allows.

    Two things are learned from the training rows. How much each cell should weigh: in rounds of multiplicative
    weights a classifier is cross-fitted, and the cells whose recall is below the mean over all cells are raised,
    starting from equal weights of all cells, from equal weights of all rows of a label, and from half-way between.
    Of the rounds that cost at most `cost` of balanced accuracy against equal weights, the one with the lowest IF½ of
    equalized odds is taken. And which rows of the label represent a cell in addition to its own: each by how likely it
    is to be of the leaf, given its features.

    Parameters
    ----------
    X : frame or array of shape (n, d)
        Features, of any types that :class:`TableEncoder` takes.
    y : array-like of shape (n,)
        Labels, of two classes.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        The sensitive attributes.
    spread : bool, default=True
        Whether the weight of a cell goes to all rows that represent it, or to its own rows alone: the strategy
        `borrow` or `adaptive`.
    cost : float, default=0.005
        Balanced accuracy, out of fold, that may be lost against equal weights, in [0, 1].
    estimator : classifier or pipeline, optional
        The model that the weights are for. A logistic regression is replaced by a quick one on encoded features,
        which is also the default. Any other model starts from the weights that this one found, and is trained six
        times on two thirds of the rows, where labels are 0 and 1, to correct them by its own recalls.
    cuts, missing
        As in :meth:`GroupLattice.from_features`.
    random_state : int, sequence of int, RandomState or None, default=None
        Seed of the folds. The same integers give the same weights.

    Returns
    -------
    float array of shape (n,)
        Weights of at least 0 with mean 1, for any ``fit(X, y, sample_weight=…)``.

    Raises
    ------
    InputError
        If there are not two labels, no attribute, lengths differ, or an option is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, S = rng.normal(size=(300, 2)), rng.choice(["a", "b"], 300, p=[0.9, 0.1])
    >>> y = (X[:, 0] + (S == "b") * X[:, 1] > 0).astype(int)
    >>> weights = adaptive_weights(X, y, sensitive_features=S, random_state=0)
    >>> weights.shape, bool(weights[S == "b"].mean() > weights[S == "a"].mean())
    ((300,), True)
    """
    check_real("cost", cost, 0.0, 1.0)
    labels = as_labels(y, "y")
    lattice, leaves = Grouping(cuts, missing).encode(sensitive_features)
    check_same_length(X=X, y=labels, sensitive_features=leaves)
    classes, codes = np.unique(labels, return_inverse=True)
    index = CellIndex(lattice, leaves, codes.astype(np.int64), len(classes))
    check_learnable(index)
    Z = TableEncoder().fit_vectors(X)
    entropy = (*entropy_of(random_state), SPREAD_STREAM if spread else LEARNED_STREAM)
    sampler, mass = fit_mass(Z, index, Learner.of(estimator, X, Z), spread=spread, cost=cost, entropy=entropy)
    if spread:
        return mean_one(spread_weights(sampler, mass))
    _, place = known_cells(index)
    return mean_one(mass[place] / np.bincount(place)[place])
