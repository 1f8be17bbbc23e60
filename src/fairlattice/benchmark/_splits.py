"""Splits into training and test rows, stratified by (leaf, label) cell as far as cells allow."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from fairlattice._validation import IntArray
from fairlattice.exceptions import InputError


def child_seed(*entropy: int) -> int:
    """A seed below 2³², which is all that scikit-learn takes."""
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def stratified_splits(
    leaves: IntArray, labels: IntArray, *, repeats: int, test_size: float, seed: int
) -> list[tuple[IntArray, IntArray]]:
    """Row numbers of training and test rows, increasing, one pair per repeat.

    A cell of one row cannot be in both parts and is dealt out with its label's largest cell. Where
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
            f"The table is too small to split with `test_size`={test_size:g}: "
            "each label needs rows in both parts."
        ) from error
    for train, test in pairs:
        if len(np.unique(labels[train])) < 2 or len(np.unique(labels[test])) < 2:
            raise InputError(
                "The table is too small: a split has only one label among its training or test rows."
            )
    return [(np.sort(train), np.sort(test)) for train, test in pairs]
