"""Rows of counts, each once: of many small groups, most have the same counts as others."""

from __future__ import annotations

import numpy as np

from fairlattice._validation import IntArray, NumberArray


def distinct_rows(*columns: NumberArray) -> tuple[IntArray, IntArray]:
    """Where each distinct row of some columns occurs, and for every row the number of its own among these.

    Examples
    --------
    >>> at, number = distinct_rows(np.array([2, 5, 2]), np.array([7, 7, 7]))
    >>> at.tolist(), number.tolist()
    ([2, 1], [0, 1, 0])
    """
    number = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        ranks = _ranks(column)
        number = _ranks(number * (ranks.max(initial=0) + 1) + ranks)
    at = np.empty(number.max(initial=-1) + 1, dtype=np.int64)
    at[number] = np.arange(len(number))
    return at, number


def _ranks(values: NumberArray) -> IntArray:
    """Position of every value among the distinct ones in order."""
    if values.dtype.kind in "iu" and values.size and 0 <= values.min() <= values.max() < 4 * values.size:
        ranks: IntArray = (np.cumsum(np.bincount(values) > 0) - 1)[values]  # no need to sort
        return ranks
    return np.unique(values, return_inverse=True)[1].reshape(-1)
