"""How much a cell relies on its own rows: the share at which the expected MMD² to the cell is least.

The estimate is explained in :mod:`fairlattice.samplers._importance`, which draws with these shares.
"""

from __future__ import annotations

import numpy as np

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.samplers._membership import MembershipScores

_KAPPA = 20.0  # rows that the mean of the label's cells counts as much as
_LEAST_BIAS = 1e-4  # no model is exact, and a large cell should rely on itself
_CELLS = 256  # at a time, which bounds memory


def random_features(Z: FloatArray, frequencies: FloatArray) -> FloatArray:
    """Random Fourier features, whose products are the mixture of Gaussian kernels on average."""
    angles = Z @ frequencies
    return np.asarray(np.hstack([np.cos(angles), np.sin(angles)]) / np.sqrt(frequencies.shape[1]))


def own_shares(
    features: FloatArray, scores: MembershipScores, leaf: IntArray, sizes: IntArray, levels: IntArray
) -> FloatArray:
    """Share of each cell's own rows at which the expected MMD² to the cell is least.

    Parameters
    ----------
    features : float array of shape (m, D)
        Of thinned rows of a label; each has length 1.
    scores : MembershipScores
        In which leaf each of them is likely to be.
    leaf : int array of shape (m,)
        Which of the label's K cells each row is in.
    sizes : int array of shape (K,)
        Rows of the cells before thinning.
    levels : int array of shape (p, K)
        The cells' levels of the attributes.
    """
    if len(sizes) == 1:
        return np.ones(1)
    seen = np.bincount(leaf, minlength=len(sizes)).astype(float)
    order = np.argsort(leaf, kind="stable")
    means = np.add.reduceat(features[order], np.cumsum([0, *seen[:-1]]).astype(int)) / seen[:, None]
    distance = np.empty(len(sizes))
    for first in range(0, len(sizes), _CELLS):
        some = slice(first, first + _CELLS)
        weights = scores.of(levels[:, some]) + np.log(sizes / seen)[leaf, None]  # a row represents several
        weights[leaf[:, None] == np.arange(len(sizes))[some]] = -np.inf
        weights = np.exp(weights - weights.max(axis=0))
        others = (weights / weights.sum(axis=0)).T @ features
        distance[some] = ((others - means[some]) ** 2).sum(axis=1)
    trusted = np.where(seen > 1, seen, 0.0)
    # Unbiased: pairs of a row with itself, of kernel 1, are left out.
    spread = (1.0 - (means**2).sum(axis=1)) * seen / np.maximum(seen - 1.0, 1.0)
    spread = _shrunk(spread, trusted, trusted)
    bias = _shrunk(distance - spread / seen, seen, seen / (seen + _KAPPA))
    bias = np.maximum(bias, _LEAST_BIAS)
    return np.asarray(bias / (bias + spread / sizes), dtype=np.float64)


def _shrunk(values: FloatArray, rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Values of cells, shrunk towards their weighted mean, the more so the fewer rows they have."""
    mean = max(float(values @ weights / weights.sum()), 0.0) if weights.any() else 1.0
    return np.asarray((rows * values + _KAPPA * mean) / (rows + _KAPPA), dtype=np.float64)


def category_correction(levels: IntArray, mine: BoolArray, weights: FloatArray) -> FloatArray:
    """By how much each row's category is too rare among others' weighted rows, for a cell with these own rows.

    The share of a category is that of the cell's rows, shrunk towards that of the others.
    """
    k = int(levels.max(initial=-1)) + 2
    own = np.bincount(levels[mine] + 1, minlength=k)
    there = np.bincount(levels + 1, weights, minlength=k)
    wanted = (own + _KAPPA * there) / (own.sum() + _KAPPA)
    ratio = np.divide(wanted, there, out=np.zeros(k), where=there > 0.0)
    return np.asarray(ratio[levels + 1])
