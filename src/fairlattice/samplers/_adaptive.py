"""Weights that ask for more where a group is recognised worst, and borrow rows where it has few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from fairlattice._validation import FloatArray, as_labels, check_real, check_same_length
from fairlattice.encoders import TableEncoder
from fairlattice.exceptions import InputError
from fairlattice.samplers._adapting import adapt_cells
from fairlattice.samplers._borrowing import known_cells, mean_one, picked_weights
from fairlattice.samplers._cells import CellIndex, training_lattice
from fairlattice.samplers._picking import PickingSampler


def adaptive_weights(
    X: Any,
    y: Any,
    *,
    sensitive_features: Any,
    borrow: bool = True,
    cost: float = 0.005,
    estimator: Any = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    random_state: Any = None,
) -> FloatArray:
    """Sample weights under which every (leaf, label) cell is recognised as well as accuracy allows.

    Two things are learned from the training rows. How much each cell should weigh: in rounds of
    multiplicative weights a classifier is cross-fitted, and cells that it recognises worse than the
    mean of all cells are raised, some rounds from each of three starts (all cells alike, all rows of a label
    alike, half-way between); of the rounds that cost at most `cost` of balanced accuracy against equal
    weights, the one with the lowest IF½ of equalized odds is taken. And which rows stand for a cell beside
    its own: those of its label, each by how likely it is to be of the leaf, given its features.

    Parameters
    ----------
    X : frame or array of shape (n, d)
        Features, of any types that :class:`TableEncoder` takes.
    y : array-like of shape (n,)
        Labels, of two classes.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        The sensitive attributes.
    borrow : bool, default=True
        Whether a cell's weight goes to all rows that stand for it, or to its own alone.
    cost : float, default=0.005
        Balanced accuracy, out of fold, that may be lost against equal weights, in [0, 1].
    estimator : classifier or pipeline, optional
        What the weights are for, cloned and trained some thirty times on two thirds of the rows; labels are 0
        and 1 there. A logistic regression on encoded features by default, which is quick; for another kind of
        model its own recalls tell better what it needs.
    cuts, missing
        As in :meth:`GroupLattice.from_features`.
    random_state : int, RandomState or None, default=None
        Seed of the folds. The same integer gives the same weights.

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
    lattice = training_lattice(sensitive_features, len(labels), cuts, missing)
    leaves = lattice.encode(sensitive_features)
    check_same_length(X=X, y=labels, sensitive_features=leaves)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) != 2:
        raise InputError(f"Adaptive weights need a label with two classes, got {len(classes)}.")
    if not lattice.attributes:
        raise InputError(
            "Rows are borrowed from parent groups, so at least one sensitive attribute is needed."
        )
    Z = TableEncoder().fit_transform(X)
    entropy = int(check_random_state(random_state).randint(2**31))
    index = CellIndex(lattice, leaves, codes.astype(np.int64), 2)
    own = None if estimator is None else (estimator, X)
    return weights_of(Z, index, borrow=borrow, cost=cost, own=own, entropy=(entropy,))


def weights_of(
    Z: FloatArray,
    index: CellIndex,
    *,
    borrow: bool,
    cost: float = 0.005,
    own: tuple[Any, Any] | None = None,
    entropy: Sequence[int],
) -> FloatArray:
    """As :func:`adaptive_weights`, from encoded rows and their cells.

    An estimator of one's own comes with the rows as it takes them.
    """
    sampler = PickingSampler.fit(Z, index, entropy=entropy)
    rng = np.random.default_rng([*entropy, 1])
    estimator, X = (None, Z) if own is None else own
    mass = adapt_cells(sampler, X, borrow=borrow, cost=cost, estimator=estimator, rng=rng).mass
    if borrow:
        return picked_weights(sampler, mass)
    _, place = known_cells(index)
    return mean_one(mass[place] / np.bincount(place)[place])
