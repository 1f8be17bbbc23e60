"""Folds for cross-fitting two samples, and permutations that fit them.

Rows are assigned to folds so that each holds the same share of both samples, up to one row, and labels are then
permuted *within* folds. That is exact. Given how many rows of each sample a fold has, which is a
fixed function of the sizes, stratified folds are equally likely for every labelling that has those
numbers; so under the null, given the folds, all labellings with those numbers are equally likely, and
these are what is drawn. Permuting over all rows instead would not be exact: the labels that were seen
would be stratified, and the permuted ones not.

The area under the curve is taken within each fold and averaged. A held-out row is then only compared
with rows that were scored by the same model, so the mean under the null is ½ at every size. Leaving out
one row at a time has no such comparison, and its mean is below ½ (0.41 for 8 rows against 8): taking a
row away leaves one voter fewer of its own kind.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from fairlattice._validation import FloatArray, IntArray


class Fold(NamedTuple):
    """Row numbers that a model scores, and row numbers that it learns from."""

    held: IntArray
    rest: IntArray


def stratified_folds(labels: FloatArray, folds: int, *, rng: np.random.Generator) -> list[Fold]:
    """At most `folds` folds, fewer where the smaller sample would leave less than two rows to a fold.

    Labels are 0 and 1, at least two rows of each. Two folds are the least, so that of two or three rows
    each fold has one at least.
    """
    sides = [np.flatnonzero(labels == side) for side in (0.0, 1.0)]
    count = min(folds, max(2, min(len(side) for side in sides) // 2))
    fold_of = np.empty(len(labels), dtype=np.int64)
    for side in sides:
        fold_of[side] = rng.permutation(len(side)) % count
    return [Fold(np.flatnonzero(fold_of == i), np.flatnonzero(fold_of != i)) for i in range(count)]


def fold_auc(scores: list[FloatArray], labels: FloatArray, folds: list[Fold]) -> FloatArray:
    """Areas under the ROC curve within folds, averaged over pairs; one for every labelling.

    Parameters
    ----------
    scores : list of float arrays of shape (B, size of the fold)
        Held-out scores of every fold, for every labelling.
    labels : float array of shape (B, n)
        Labellings, of zeros and ones.
    folds : list of Fold
        The folds.

    Returns
    -------
    float array of shape (B,)
        In [0, 1]: the share of pairs of a fold's rows with labels 1 and 0 in which the first has the larger
        score, ties counting half.
    """
    won, pairs = np.zeros(len(labels)), np.zeros(len(labels))
    for fold, scored in zip(folds, scores, strict=True):
        own = labels[:, fold.held]
        ones = own.sum(axis=1)
        ranks = rankdata(np.rint(scored * 1e9), axis=1)  # equal rows have equal scores, up to rounding
        won += (ranks * own).sum(axis=1) - ones * (ones + 1) / 2
        pairs += ones * (len(fold.held) - ones)
    return np.asarray(won / pairs, dtype=np.float64)
