"""Adapting: how much each cell should weigh, found by cross-fitting on the training rows alone.

Rounds of multiplicative weights: train with the present weights on some folds, see how well each cell of
the others is recognised, raise the cells that are recognised worse than the mean of all cells, of both
labels. They begin three times: where all cells weigh the same, where all rows of a label do, and half-way
between. Recalls of small cells are shrunk to those of the rows that stand for them. Of the rounds whose
balanced accuracy is near that of equal weights, the one with the lowest IFα of equalized odds is taken.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from fairlattice._validation import FloatArray, IntArray
from fairlattice.samplers._borrowing import Borrowing, borrowing_of, known_cells
from fairlattice.samplers._cells import even_share
from fairlattice.samplers._picking import PickingSampler
from fairlattice.samplers._rows import take_rows
from fairlattice.samplers._weighting import fit_weighted

_FOLDS = 3
_ROUNDS = 5  # from each start,
_ROUNDS_OWN = 2  # or so many of an estimator of the caller's, which may be slow
_STEP = 3.0
_START = 0.1  # of the weight stays as at the start, so that no cell is forgotten
_STRENGTH = 200.0  # rows that the prior of a recall counts for
_ALPHA = 0.5
_WIDE = 500  # coordinates beyond which Newton's method is slower than L-BFGS
_MOST_ROWS = 20_000  # that are looked at; of larger tables, small cells whole and large ones in part
_MOST_OWN = 6_000  # rows that an estimator of the caller's, which may be slow, is trained on
_MOST_PICKS = 50_000_000  # cells times rows, which bounds memory where nearly every row is a cell of its own


@dataclass(frozen=True, eq=False)
class Adapted:
    """Weights of cells, and how they were found.

    Parameters
    ----------
    mass : float array of shape (cells,)
        Weight of each cell; they sum to 1.
    unfairness : tuple of float
        IFα of equalized odds of the shrunk recalls, in each round of each start; the first is that of equal
        weights.
    balanced_accuracy : tuple of float
        Out of fold, in each round.
    chosen : int
        The round that was taken.
    """

    mass: FloatArray
    unfairness: tuple[float, ...] = field(repr=False)
    balanced_accuracy: tuple[float, ...] = field(repr=False)
    chosen: int


def adapt_cells(
    sampler: PickingSampler,
    X: Any,
    *,
    borrow: bool,
    cost: float = 0.005,
    estimator: Any = None,
    rng: np.random.Generator,
) -> Adapted:
    """Find weights of the cells under which all are recognised alike, as far as accuracy allows.

    Parameters
    ----------
    sampler : PickingSampler
        What stands for the cells of a training table with two labels.
    X : array or frame of n rows
        Its rows, as the estimator takes them; standardised numbers for the logistic regression.
    borrow : bool
        Whether a cell's weight goes to all rows that stand for it, or to its own alone.
    cost : float, default=0.005
        Balanced accuracy that may be lost against equal weights of each cell's own rows.
    estimator : classifier, optional
        Whose recalls they are; a logistic regression by default. It is cloned, and trained some thirty times.
    rng : numpy.random.Generator
        Deals the rows out to folds, and draws rows by weight for an estimator that takes no weights.
    """
    cells, place = known_cells(sampler.index)
    most = min(_MOST_ROWS if estimator is None else _MOST_OWN, _MOST_PICKS // len(cells))
    rows = _thinned(place, most, rng)
    borrowing = borrowing_of(sampler, rows)
    seen = _Seen(borrowing, np.bincount(place))
    model = _regression(X.shape[1]) if estimator is None else estimator
    looked_at = take_rows(X, rows)
    dealt = _deal(borrowing.place, rng)
    folds = [_Fold(looked_at, borrowing, *parts, model=clone(model), rng=rng) for parts in dealt]
    even, by_label = seen.starts()
    turns = _ROUNDS if estimator is None else _ROUNDS_OWN
    with threadpool_limits(limits=1):  # for small fits, threads cost more than they bring
        least = seen.accuracy(_out_of_fold(folds, even, borrow=False)) - cost
        rounds = [
            found
            for start in (even, (even + by_label) / 2.0, by_label)
            for found in _rounds(folds, borrowing, seen, start, turns, borrow=borrow)
        ]
    masses, unfairness, accuracy = zip(*rounds, strict=True)
    near = [i for i, a in enumerate(accuracy) if a >= least]
    chosen = min(near, key=unfairness.__getitem__) if near else int(np.argmax(accuracy))
    return Adapted(masses[chosen], unfairness, accuracy, chosen)


def _rounds(
    folds: list[_Fold], borrowing: Borrowing, seen: _Seen, start: FloatArray, turns: int, *, borrow: bool
) -> Iterator[tuple[FloatArray, float, float]]:
    """Weights of the cells in each round, with the unfairness and the balanced accuracy that they come to."""
    mass = start
    for turn in range(turns + 1):
        correct = _out_of_fold(folds, mass, borrow=borrow)
        recalls = borrowing.shrunk(correct, _STRENGTH)
        yield mass, _unfair(recalls, borrowing.labels), seen.accuracy(correct)
        raised = mass * np.exp(_STEP / np.sqrt(turn + 1.0) * np.maximum(recalls.mean() - recalls, 0.0))
        mass = (1 - _START) * raised / raised.sum() + _START * start


class _Seen:
    """The rows that are looked at, which may be fewer than there are."""

    def __init__(self, borrowing: Borrowing, sizes: IntArray) -> None:
        self._sizes, self._cells = sizes, borrowing.labels
        self._labels = borrowing.labels[borrowing.place]
        self._stands_for = sizes[borrowing.place] / borrowing.sizes[borrowing.place]  # rows of the table

    def starts(self) -> tuple[FloatArray, FloatArray]:
        """Weights of cells: all the same; and such that all rows of a label weigh the same."""
        even = np.full(len(self._sizes), 1.0 / len(self._sizes))
        of_label = np.bincount(self._cells, weights=self._sizes)
        by_label = self._sizes / of_label[self._cells]
        return even, by_label / by_label.sum()

    def accuracy(self, correct: FloatArray) -> float:
        """Balanced accuracy of the whole table, estimated."""
        sums = np.bincount(self._labels, weights=correct * self._stands_for)
        return float(np.mean(sums / np.bincount(self._labels, weights=self._stands_for)))


class _Fold:
    """Rows to train on, others to look at, and a model that may go on from where it was."""

    def __init__(
        self,
        X: Any,
        borrowing: Borrowing,
        rows: IntArray,
        rest: IntArray,
        *,
        model: Any,
        rng: np.random.Generator,
    ) -> None:
        self.rest, self.borrowing, self.model, self.rng = rest, borrowing.take(rows), model, rng
        labels = borrowing.labels[borrowing.place]
        self.train = take_rows(X, rows), labels[rows]
        self.test = take_rows(X, rest), labels[rest]

    def correct(self, mass: FloatArray, *, borrow: bool) -> FloatArray:
        """1 for each of the other rows that is recognised, when cells weigh as `mass` says."""
        if len(np.unique(self.train[1])) < 2:  # a label has a row or two
            return np.asarray(self.test[1] == self.train[1][0], dtype=np.float64)
        weights = self.borrowing.weights(mass, borrow=borrow)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near its end is near enough
            fit_weighted(self.model, *self.train, weights, self.rng)
        found: FloatArray = (self.model.predict(self.test[0]) == self.test[1]).astype(np.float64)
        return found


def _regression(d: int) -> LogisticRegression:
    """Quick to train again with other weights."""
    solver = "newton-cholesky" if d <= _WIDE else "lbfgs"
    return LogisticRegression(solver=solver, warm_start=True, tol=1e-3, max_iter=50)


def _out_of_fold(folds: list[_Fold], mass: FloatArray, *, borrow: bool) -> FloatArray:
    """1 for each row that is recognised by the model that has not seen it."""
    correct = np.empty(sum(len(fold.rest) for fold in folds))
    for fold in folds:
        correct[fold.rest] = fold.correct(mass, borrow=borrow)
    return correct


def _thinned(place: IntArray, n: int, rng: np.random.Generator) -> IntArray:
    """Row numbers of at most n rows: small cells whole, large ones in part; of too many cells, any rows."""
    if len(place) <= n:
        return np.arange(len(place))
    order = np.lexsort((rng.random(len(place)), place))
    sizes = np.bincount(place)
    within = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = order[within < even_share(sizes, n, least=_FOLDS)]
    return np.sort(rows if len(rows) <= n else rng.choice(rows, n, replace=False))


def _deal(place: IntArray, rng: np.random.Generator) -> Iterator[tuple[IntArray, IntArray]]:
    """Rows to train on and the rest, for each fold; every cell is dealt out evenly."""
    order = np.lexsort((rng.random(len(place)), place))
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % _FOLDS
    for i in range(_FOLDS):
        yield np.flatnonzero(fold != i), np.flatnonzero(fold == i)


def _unfair(recalls: FloatArray, labels: IntArray) -> float:
    """IFα of equalized odds: that of the label with the worse one."""
    found = []
    for label in np.unique(labels):
        low, high = float(recalls[labels == label].min()), float(recalls[labels == label].max())
        found.append(_ALPHA * (1 - low) + (1 - _ALPHA) * (1 - low / high) if high > 0 else 1.0)
    return max(found)
