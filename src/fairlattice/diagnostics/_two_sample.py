"""Can a classifier tell generated rows from real ones?

Two classifiers try. "linear" sees shifts of means; "neighbours" sees any difference that is local.
Both are linear in the labels that they learn from: each held-out score is a weighted sum of training
labels whose weights depend on the rows alone. So the weights are computed once, and all permuted
labels are scored by one product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from fairlattice._validation import FloatArray, check_count
from fairlattice.diagnostics._folds import Fold, fold_auc, stratified_folds
from fairlattice.diagnostics._permutation import p_value, permuted_labels
from fairlattice.diagnostics._samples import BothSamples, both_samples

Scorer = Callable[[FloatArray], FloatArray]
"""From training labels of shape (B, size of the rest) to held-out scores of shape (B, size of the fold)."""


@dataclass(frozen=True, slots=True)
class ClassifierTest:
    """How well one classifier tells generated rows from real rows that it was not fitted to.

    Parameters
    ----------
    auc : float
        Area under the ROC curve, in [0, 1]: how often a generated row looks more generated than a real one
        does, ties counting half. ½: it cannot tell, which is good. 1: it always can.
    null_low, null_high : float
        The 2.5 and the 97.5 % point of what chance alone gives; their mean is near ½.
    p_value : float
        Of "both are drawn alike", against an area above chance; small speaks against it.
    """

    auc: float
    null_low: float
    null_high: float
    p_value: float


def classifier_test(
    real: Any, generated: Any, *, permutations: int = 999, folds: int = 5, rng: np.random.Generator
) -> dict[str, ClassifierTest]:
    """Classifier two-sample tests of real against generated rows; near ½ is good.

    Parameters
    ----------
    real, generated : array-like of shape (n, d) and (m, d)
        The samples, encoded alike. The neighbours' distances are taken in these units.
    permutations : int, default=999
        How many random labellings the areas are held against.
    folds : int, default=5
        Most folds of cross-fitting, at least 2. Samples of fewer than ten rows get fewer folds.
    rng : numpy.random.Generator
        Deals folds and labels.

    Returns
    -------
    dict of str to ClassifierTest
        "linear": ridge regression on standardised columns, where the penalty is the mean squared length of
        a row, so that wide tables are penalised more. "neighbours": the vote of the
        ``k = round(sqrt(training rows))`` nearest rows; those that tie for the last places share them.

    Raises
    ------
    InputError
        If a sample has fewer than two rows, values that are not finite, or other columns than the other.

    Notes
    -----
    Under the null the tests are exact at every size: folds hold fixed numbers of both samples, and labels
    are permuted within folds. Columns are standardised over both samples, without a look at labels. Rows
    that are all alike give ½ and a p-value of 1.

    The null says that all rows are drawn alike and independently. Generated rows that repeat each other more
    than real rows do, as those drawn with replacement from few parents, differ for that alone.

    References
    ----------
    Lopez-Paz & Oquab (2017), Revisiting classifier two-sample tests, arXiv:1610.06545.
    Kim, Ramdas, Singh & Wasserman (2021), Classification accuracy as a proxy for two-sample testing,
    arXiv:1602.02210.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = classifier_test([[0.0], [1.0], [2.0], [3.0]], [[7.0], [8.0], [9.0], [10.0]], rng=rng)
    >>> found["linear"].auc
    1.0
    """
    check_count("permutations", permutations)
    check_count("folds", folds, 2)
    both = both_samples(real, generated, least=2)
    return classifier_test_of(both, permutations=permutations, folds=folds, rng=rng)


def classifier_test_of(
    both: BothSamples, *, permutations: int, folds: int = 5, rng: np.random.Generator
) -> dict[str, ClassifierTest]:
    """As :func:`classifier_test`, of samples whose distances are known already."""
    seen = np.repeat([0.0, 1.0], [both.n, len(both.rows) - both.n])
    parts = stratified_folds(seen, folds, rng=rng)
    labels = permuted_labels(seen, permutations, blocks=[fold.held for fold in parts], rng=rng)
    scorers = {
        "linear": _ridges(_standardised(both.rows), parts),
        "neighbours": [_neighbours(both.distances, fold) for fold in parts],
    }
    return {name: _tested(scorer, labels, parts) for name, scorer in scorers.items()}


def _tested(scorers: list[Scorer], labels: FloatArray, folds: list[Fold]) -> ClassifierTest:
    scores = [scorer(labels[:, fold.rest]) for scorer, fold in zip(scorers, folds, strict=True)]
    auc = fold_auc(scores, labels, folds)
    low, high = np.quantile(auc[1:], [0.025, 0.975])
    return ClassifierTest(float(auc[0]), float(low), float(high), p_value(float(auc[0]), auc[1:]))


def _standardised(rows: FloatArray) -> FloatArray:
    """Columns with mean 0 and variance 1; those that do not vary are left out."""
    spread = rows.std(axis=0)
    varies = spread > 1e-12 * np.abs(rows).max(axis=0)
    return np.asarray((rows[:, varies] - rows[:, varies].mean(axis=0)) / spread[varies], dtype=np.float64)


def _ridges(scaled: FloatArray, folds: list[Fold]) -> list[Scorer]:
    """Ridge regression of every fold; its intercept is left out, as it is the same for all rows of a fold."""
    wide = scaled.shape[1] > min(len(fold.rest) for fold in folds)
    if wide:
        products = scaled @ scaled.T
        return [_kernel_ridge(products, fold) for fold in folds]
    return [_ridge(scaled, fold) for fold in folds]


def _ridge(scaled: FloatArray, fold: Fold) -> Scorer:
    mean = scaled[fold.rest].mean(axis=0)
    A, T = scaled[fold.rest] - mean, scaled[fold.held] - mean
    n, d = A.shape
    penalty = max(float((A * A).sum()) / n, 1e-12)
    solver = np.linalg.solve(A.T @ A + penalty * np.eye(d), A.T)  # labels to coefficients
    hat = T @ solver
    if hat.size <= solver.size + T.size:
        return lambda labels: labels @ hat.T
    return lambda labels: (labels @ solver.T) @ T.T


def _kernel_ridge(products: FloatArray, fold: Fold) -> Scorer:
    """The same solution from the inner products of all rows, a smaller system where columns outnumber rows."""
    within, across = products[np.ix_(fold.rest, fold.rest)], products[np.ix_(fold.held, fold.rest)]
    means = within.mean(axis=0)
    centred = within - means - means[:, None] + means.mean()
    across = across - across.mean(axis=1, keepdims=True) - means + means.mean()
    penalty = max(float(centred.trace()) / len(centred), 1e-12)
    hat = np.linalg.solve(centred + penalty * np.eye(len(centred)), across.T)
    return lambda labels: labels @ hat


def _neighbours(distances: FloatArray, fold: Fold) -> Scorer:
    """The share of a row's nearest training rows that have label 1.

    Rows that tie for the last places share these. Taking them in order of storage would make real rows,
    which come first, the nearer ones, and 0/1 tables are full of ties.
    """
    distances = distances[np.ix_(fold.held, fold.rest)]
    k = max(1, round(float(np.sqrt(len(fold.rest)))))
    last = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
    nearer = distances < last * (1 - 1e-9)
    tied = ~nearer & (distances <= last * (1 + 1e-9))
    left = k - nearer.sum(axis=1, keepdims=True)
    weights = csr_array((nearer + tied * (left / tied.sum(axis=1, keepdims=True))) / k)
    return lambda labels: np.asarray((weights @ labels.T).T, dtype=np.float64)
