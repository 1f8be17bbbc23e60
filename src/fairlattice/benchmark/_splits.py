"""Splits into training and test rows, stratified by (leaf, label) cell as far as cells allow."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from fairlattice._validation import IntArray
from fairlattice.exceptions import InputError
from fairlattice.strategies._shared import cell_folds


def child_seed(*entropy: int) -> int:
    """A seed below 2³², which is all that scikit-learn takes."""
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def stratified_splits(
    leaves: IntArray, labels: IntArray, *, repeats: int, test_size: float, seed: int
) -> list[tuple[IntArray, IntArray]]:
    """Row numbers of training and test rows, increasing, one pair per repeat.

    A cell of one row cannot be in both parts and is split with its label's largest cell. Where
    a part would have fewer rows than there are cells, only the labels are stratified.

    Raises
    ------
    InputError
        If a label has too few rows to be in both parts.
    """
    n_labels = int(labels.max()) + 1
    cells = leaves * n_labels + labels
    codes, place, counts = np.unique(cells, return_inverse=True, return_counts=True)
    for label in range(n_labels):
        of_label = np.flatnonzero(codes % n_labels == label)
        largest = of_label[np.argmax(counts[of_label])]
        place[np.isin(place, of_label[counts[of_label] < 2])] = largest
    smaller_part = min(test_size, 1 - test_size) * len(labels)
    strata = place if len(np.unique(place)) <= int(smaller_part) else labels
    splitter = StratifiedShuffleSplit(n_splits=repeats, test_size=test_size, random_state=seed)
    try:
        pairs = list(splitter.split(np.zeros(len(labels)), strata))
    except ValueError as error:
        raise InputError(
            f"The table is too small to split with `test_size`={test_size:g} (--held-out): "
            "each label needs rows in both parts."
        ) from error
    for train, test in pairs:
        if len(np.unique(labels[train])) < 2 or len(np.unique(labels[test])) < 2:
            raise InputError(
                "The table is too small: a split has only one label among its training or test rows."
            )
    return [(np.sort(train), np.sort(test)) for train, test in pairs]


class Fold(NamedTuple):
    """One fold of one repeat: row numbers to train on and to test, increasing."""

    repeat: int
    number: int
    train: IntArray
    test: IntArray


def cross_folds(
    leaves: IntArray,
    labels: IntArray,
    *,
    folds: int,
    repeats: int,
    seed: int,
    units: IntArray | None = None,
) -> list[Fold]:
    """Folds in which every row is tested once a repeat, and every (leaf, label) cell is split evenly.

    Rows of one unit, such as a person, stay together; a unit belongs to the cell of its first row.

    Raises
    ------
    InputError
        If a label has fewer units than there are folds.
    """
    of_row = np.arange(len(labels)) if units is None else np.unique(units, return_inverse=True)[1]
    _, first = np.unique(of_row, return_index=True)
    counts = np.bincount(labels[first])
    if counts.min() < folds:
        raise InputError(
            f"The table is too small to test in {folds} folds: a label has only {counts.min()} rows. "
            "Take fewer folds, or more rows."
        )
    _, place = np.unique(leaves[first] * (int(labels.max()) + 1) + labels[first], return_inverse=True)
    # Cells of one label follow each other, so that labels are split evenly where cells have a row or two.
    place = labels[first] * (int(place.max()) + 1) + place
    found = []
    for repeat in range(repeats):
        rng = np.random.default_rng(child_seed(seed, repeat))
        for number, (train, test) in enumerate(cell_folds(place, folds, rng)):
            rows = [np.flatnonzero(np.isin(of_row, part)) for part in (train, test)]
            found.append(Fold(repeat, number, *rows))
    return found
