"""Learned weights: how much each cell should weigh, found by cross-fitting on the training rows alone.

Rounds of multiplicative weights: train with the present weights on some folds, measure how well each cell of the
others is recognised, and raise the cells whose recall is below the mean over all cells of both labels. The rounds
start three times: with equal weights of all cells, with equal weights of all rows of a label, and half-way
between. Recalls of small cells are shrunk to those of the rows that represent them. Of the rounds whose balanced
accuracy is near that of equal weights, the one with the lowest IFα of equalized odds is taken.

All of that is done with a quick logistic regression. Any other classifier starts from the weights that it found, and
takes one further round with recalls of its own: three fits.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from fairlattice._validation import FloatArray, IntArray
from fairlattice.encoders import TableEncoder
from fairlattice.exceptions import InputError
from fairlattice.samplers import CellIndex, ImportanceSampler
from fairlattice.samplers._shared import take_rows
from fairlattice.strategies._folds import cell_folds
from fairlattice.strategies._spread import (
    Representation,
    known_cells,
    representation_of,
    thinned_cells,
)
from fairlattice.strategies._unfairness import unfairness
from fairlattice.strategies._weighted_fit import fit_weighted

_FOLDS = 3
_ROUNDS = 5  # from each start
_STEP = 3.0
_START = 0.1  # of the weight stays as at the start, so that no cell is forgotten
_STRENGTH = 200.0  # rows that the prior of a recall counts for
_WIDE = 500  # coordinates beyond which Newton's method is slower than L-BFGS
_LIGHT = 0.15  # share of nonzero numbers below which the quick regression is faster on a sparse array
_MOST_ROWS = 20_000  # that are looked at; of larger tables, small cells whole and large ones in part
_MOST_OWN = 6_000  # rows that an estimator of the caller's, which may be slow, is trained on
_MOST_SHARES = 50_000_000  # cells times rows, which bounds memory where nearly every row is a cell of its own
LEARNED_STREAM, SPREAD_STREAM = 6, 7  # of random numbers, so that parts of one strategy do not share any


@dataclass(frozen=True, eq=False)
class LearnedMass:
    """Weights of cells, and the rounds of the search for them with the quick regression.

    Parameters
    ----------
    mass : float array of shape (cells,)
        Weight of each cell; they sum to 1. For another classifier, one round on from those of the search.
    unfairness : tuple of float
        IFα of equalized odds of the shrunk recalls, in each round of each start; the first is that of equal
        weights.
    balanced_accuracy : tuple of float
        Out of fold, in each round.
    chosen : int
        The round of the search that was taken.
    """

    mass: FloatArray
    unfairness: tuple[float, ...] = field(repr=False)
    balanced_accuracy: tuple[float, ...] = field(repr=False)
    chosen: int


def learn_mass(
    sampler: ImportanceSampler,
    learner: Learner,
    *,
    spread: bool,
    cost: float = 0.005,
    rng: np.random.Generator,
) -> LearnedMass:
    """Find weights of the cells under which all are recognised equally well, as far as accuracy allows.

    Parameters
    ----------
    sampler : ImportanceSampler
        Which rows represent the cells of a training table with two labels.
    learner : Learner
        The model whose recalls count, and its rows.
    spread : bool
        Whether the weight of a cell goes to all rows that represent it, or to its own rows alone.
    cost : float, default=0.005
        Balanced accuracy that may be lost against equal weights of each cell's own rows.
    rng : numpy.random.Generator
        Splits the rows into folds, and draws rows by weight for an estimator that takes no weights.
    """
    if learner.before is None:
        return _searched(sampler, learner, spread=spread, cost=cost, rng=rng)
    found = _searched(sampler, learner.before, spread=spread, cost=cost, rng=rng)
    return replace(found, mass=_corrected(sampler, learner, found.mass, spread=spread, rng=rng))


def _searched(
    sampler: ImportanceSampler, learner: Learner, *, spread: bool, cost: float, rng: np.random.Generator
) -> LearnedMass:
    """The fairest of many rounds from three starts, for a model that is quick to train."""
    seen = _Seen.of(sampler, _MOST_ROWS, rng)
    folds = seen.folds(learner, rng)
    even, by_label = seen.starts()
    with threadpool_limits(limits=1):  # for small fits, threads cost more than they bring
        least = seen.accuracy(_out_of_fold(folds, even, spread=False)) - cost
        rounds = [
            found
            for start in (even, (even + by_label) / 2.0, by_label)
            for found in _rounds(folds, seen, start, _ROUNDS, spread=spread)
        ]
    return _chosen(rounds, least)


def _corrected(
    sampler: ImportanceSampler, learner: Learner, start: FloatArray, *, spread: bool, rng: np.random.Generator
) -> FloatArray:
    """Weights one round on from given ones, by the recalls of a model that may be slow."""
    seen = _Seen.of(sampler, _MOST_OWN, rng)
    with threadpool_limits(limits=1):
        correct = _out_of_fold(seen.folds(learner, rng), start, spread=spread)
    return _raised(start, seen.represented.shrunk(correct, _STRENGTH), 0, start)


def _chosen(rounds: list[tuple[FloatArray, float, float]], least: float) -> LearnedMass:
    """The round with the lowest unfairness of those accurate enough, or else the most accurate one."""
    masses, unfairness, accuracy = zip(*rounds, strict=True)
    near = [i for i, a in enumerate(accuracy) if a >= least]
    chosen = min(near, key=unfairness.__getitem__) if near else int(np.argmax(accuracy))
    return LearnedMass(masses[chosen], unfairness, accuracy, chosen)


def _rounds(
    folds: list[_Fold], seen: _Seen, start: FloatArray, turns: int, *, spread: bool
) -> Iterator[tuple[FloatArray, float, float]]:
    """Weights of the cells in each round, with the unfairness and the balanced accuracy under them."""
    mass = start
    for turn in range(turns + 1):
        correct = _out_of_fold(folds, mass, spread=spread)
        recalls = seen.represented.shrunk(correct, _STRENGTH)
        yield mass, _unfair(recalls, seen.represented.labels), seen.accuracy(correct)
        mass = _raised(mass, recalls, turn, start)


def _raised(mass: FloatArray, recalls: FloatArray, turn: int, start: FloatArray) -> FloatArray:
    """Weights of the next round: higher for cells whose recall is below the mean over all cells."""
    raised = mass * np.exp(_STEP / np.sqrt(turn + 1.0) * np.maximum(recalls.mean() - recalls, 0.0))
    mixed: FloatArray = (1 - _START) * raised / raised.sum() + _START * start
    return mixed


@dataclass(frozen=True, eq=False)
class _Seen:
    """The rows that are looked at, which may be fewer than the table has.

    Parameters
    ----------
    rows : int array of shape (n,)
        Their numbers.
    represented : Representation
        Which cells they represent.
    table_sizes : int array of shape (cells,)
        Rows of each cell in the whole table.
    """

    rows: IntArray
    represented: Representation
    table_sizes: IntArray

    @classmethod
    def of(cls, sampler: ImportanceSampler, most: int, rng: np.random.Generator) -> _Seen:
        """At most `most` rows of a training table."""
        cells, place = known_cells(sampler.index)
        rows = thinned_cells(place, min(most, _MOST_SHARES // len(cells)), rng, least=_FOLDS)
        return cls(rows, representation_of(sampler, rows), np.bincount(place))

    def folds(self, learner: Learner, rng: np.random.Generator) -> list[_Fold]:
        """Parts to train on, and the rest to look at."""
        X = take_rows(learner.X, self.rows)
        if learner.before is None:
            X = _sparse_if_lighter(X)
        splits = cell_folds(self.represented.place, _FOLDS, rng)
        return [_Fold(X, self.represented, *parts, model=clone(learner.model), rng=rng) for parts in splits]

    def starts(self) -> tuple[FloatArray, FloatArray]:
        """Weights of cells: equal; and such that all rows of a label weigh the same."""
        even = np.full(len(self.table_sizes), 1.0 / len(self.table_sizes))
        of_label = np.bincount(self.represented.labels, weights=self.table_sizes)
        by_label = self.table_sizes / of_label[self.represented.labels]
        return even, by_label / by_label.sum()

    def accuracy(self, correct: FloatArray) -> float:
        """Balanced accuracy of the whole table, estimated."""
        place = self.represented.place
        # Rows of the table for each row seen.
        weights = self.table_sizes[place] / self.represented.sizes[place]
        labels = self.represented.labels[place]
        right = np.bincount(labels, weights=correct * weights)
        return float(np.mean(right / np.bincount(labels, weights=weights)))


class _Fold:
    """Rows to train on, others to look at, and a model that may go on from where it was."""

    def __init__(
        self,
        X: Any,
        represented: Representation,
        rows: IntArray,
        rest: IntArray,
        *,
        model: Any,
        rng: np.random.Generator,
    ) -> None:
        self.rest, self.represented, self.model, self.rng = rest, represented.take(rows), model, rng
        labels = represented.labels[represented.place]
        self.train = take_rows(X, rows), labels[rows]
        self.test = take_rows(X, rest), labels[rest]

    def correct(self, mass: FloatArray, *, spread: bool) -> FloatArray:
        """1 for each of the other rows that is recognised, under the weights `mass` of the cells."""
        if len(np.unique(self.train[1])) < 2:  # a label has a row or two
            return np.asarray(self.test[1] == self.train[1][0], dtype=np.float64)
        weights = self.represented.weights(mass, spread=spread)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # nearly converged is enough
            fit_weighted(self.model, *self.train, weights, rng=self.rng)
        found: FloatArray = (self.model.predict(self.test[0]) == self.test[1]).astype(np.float64)
        return found


@dataclass(frozen=True, eq=False)
class Learner:
    """The model whose recalls are measured, and the rows it is trained on.

    Parameters
    ----------
    model : classifier
        Cloned for each fold, and trained again in every round.
    X : array or frame of n rows
        Its rows.
    before : Learner, optional
        A quicker one, whose weights are where this one starts; None for the quick regression itself.
    """

    model: Any
    X: Any = field(repr=False)
    before: Learner | None = None

    @classmethod
    def of(cls, estimator: Any, X: Any, Z: FloatArray) -> Learner:
        """What learns as the estimator does: a quick logistic regression on the vectors Z, or itself on X.

        The regression replaces a logistic regression, alone or behind a scaler or a table encoder, and is the
        default where there is no estimator.
        """
        steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
        *before, last = steps
        plain = all(isinstance(step, StandardScaler | TableEncoder) for step in before)
        if last is None or (plain and type(last) is LogisticRegression and _is_ridge(last)):
            return cls(_quick_regression(Z.shape[1], last), Z)
        return cls(estimator, X, cls(_quick_regression(Z.shape[1], None), Z))


def _sparse_if_lighter(Z: FloatArray) -> Any:
    """Return the vectors as a sparse array if most entries are 0, which makes the regression faster."""
    return csr_array(Z) if np.count_nonzero(Z) < _LIGHT * Z.size else Z


def _quick_regression(d: int, like: LogisticRegression | None) -> LogisticRegression:
    """A logistic regression that is quick to train again with other weights, as strongly penalised as `like`."""
    solver = "newton-cholesky" if d <= _WIDE else "lbfgs"
    own = (
        {} if like is None else {name: getattr(like, name) for name in ("C", "fit_intercept", "class_weight")}
    )
    return LogisticRegression(**own, solver=solver, warm_start=True, tol=1e-3, max_iter=50)


def _is_ridge(model: LogisticRegression) -> bool:
    """Whether the penalty is the default one, the sum of squares."""
    default = LogisticRegression()
    return all(
        getattr(model, name, None) == getattr(default, name, None)
        for name in ("penalty", "l1_ratio", "dual", "intercept_scaling")
    )


def _out_of_fold(folds: list[_Fold], mass: FloatArray, *, spread: bool) -> FloatArray:
    """1 for each row that is recognised by the model that has not seen it."""
    correct = np.empty(sum(len(fold.rest) for fold in folds))
    for fold in folds:
        correct[fold.rest] = fold.correct(mass, spread=spread)
    return correct


def _unfair(recalls: FloatArray, labels: IntArray) -> float:
    """That of equalized odds: of the label with the worse one."""
    return max(unfairness(recalls[labels == label]) for label in np.unique(labels))


def check_learnable(index: CellIndex) -> None:
    """Raise unless a training table has two labels and an attribute."""
    known = len(np.unique(index.labels))
    if known != 2 or index.n_labels != 2:
        raise InputError(f"Learned weights need a label with two classes, got {known}.")
    if not index.lattice.attributes:
        raise InputError(
            "Learned weights are weights of groups, so at least one sensitive attribute is needed."
        )


def fit_mass(
    Z: FloatArray,
    index: CellIndex,
    learner: Learner,
    *,
    spread: bool,
    cost: float = 0.005,
    entropy: Sequence[int],
    device: str | None = None,
) -> tuple[ImportanceSampler, FloatArray]:
    """The membership model of encoded rows Z, and learned weights of the cells that have rows."""
    sampler = ImportanceSampler.fit(Z, index, entropy=entropy, device=device)
    rng = np.random.default_rng([*entropy, 1])
    return sampler, learn_mass(sampler, learner, spread=spread, cost=cost, rng=rng).mass
