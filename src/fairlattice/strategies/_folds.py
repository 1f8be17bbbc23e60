"""Folds of training rows in which every cell is split evenly, and scores of rows that the model has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from fairlattice._validation import FloatArray, IntArray, row_count
from fairlattice.exceptions import InputError
from fairlattice.strategies._spread import known_cells
from fairlattice.strategies._training import TrainingTable

_FOLDS, _STREAM = 5, 10


def cell_folds(place: IntArray, n: int, rng: np.random.Generator) -> Iterator[tuple[IntArray, IntArray]]:
    """Rows to train on and the rest, for each of `n` folds; every cell is split evenly. None is without rows.

    Parameters
    ----------
    place : int array of shape (m,)
        The cell of each row.
    n : int
        How many folds.
    rng : numpy.random.Generator
        Splits the cells.
    """
    order = np.lexsort((rng.random(len(place)), place))
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % n
    for i in range(min(n, len(place))):
        yield np.flatnonzero(fold != i), np.flatnonzero(fold == i)


def out_of_fold_scores(table: TrainingTable, fit: Callable[[TrainingTable], Any]) -> FloatArray:
    """The score of every row by a model trained on other folds.

    Parameters
    ----------
    table : TrainingTable
        The training rows, of two labels.
    fit : callable
        Trains a model on a part of the table.
    """
    _, place = known_cells(table.index)
    scores = np.empty(len(place))
    with threadpool_limits(limits=1):  # for small fits, threads cost more than they bring
        for train, rest in cell_folds(place, _FOLDS, table.rng(_STREAM)):
            part, tested = table.take(train), table.take(rest)
            labels = np.unique(part.index.labels)
            scores[rest] = scores_of(fit(part), tested.X) if len(labels) > 1 else float(labels[0])
    return scores


def scores_of(model: Any, X: Any) -> FloatArray:
    """How sure a model is of the second label: a probability where it has one, else its decision value."""
    if hasattr(model, "predict_proba"):
        both: FloatArray = np.asarray(model.predict_proba(X), dtype=np.float64)
        if both.shape != (row_count(X), 2):
            raise InputError(
                f"`predict_proba` gave shape {both.shape} for {row_count(X)} rows, not ({row_count(X)}, 2)."
            )
        return both[:, 1]
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(X), dtype=np.float64)
    raise InputError(
        f"A score threshold needs scores, but {type(model).__name__} has neither `predict_proba` nor "
        "`decision_function`. Take another classifier, or a strategy without thresholds."
    )
