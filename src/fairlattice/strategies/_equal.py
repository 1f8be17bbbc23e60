"""Equal sampling: every (leaf, label) cell carries the same weight, exactly or by drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, IntArray, as_labels, check_same_length
from fairlattice.exceptions import InputError
from fairlattice.groups._shared import Grouping
from fairlattice.samplers._shared import RowsByKey


def cell_weights(cells: IntArray) -> FloatArray:
    """Weights with which all cells that occur sum to the same; their mean is 1.

    Parameters
    ----------
    cells : int array of shape (n,)
        A code of each row's cell.

    Returns
    -------
    float array of shape (n,)
        ``n / (number of cells · rows of the row's cell)``.

    Examples
    --------
    >>> cell_weights(np.array([0, 0, 0, 1]))
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    _, place, counts = np.unique(cells, return_inverse=True, return_counts=True)
    weights: FloatArray = (len(cells) / (len(counts) * counts))[place]
    return weights


def equal_weights(
    y: Any,
    *,
    sensitive_features: Any,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
) -> FloatArray:
    """Sample weights that make every (leaf, label) cell count the same: equal sampling, exactly.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        The sensitive attributes.
    cuts, missing
        As in :meth:`GroupLattice.from_features`.

    Returns
    -------
    float array of shape (n,)
        Weights above 0 with mean 1, for any ``fit(X, y, sample_weight=…)``.

    Raises
    ------
    InputError
        If lengths differ or labels are missing.

    Examples
    --------
    >>> print(equal_weights([0, 0, 1, 1], sensitive_features=["a", "b", "b", "b"]).round(3))
    [1.333 1.333 0.667 0.667]
    """
    return cell_weights(_cells(y, sensitive_features, Grouping(cuts, missing)))


def equal_resample(
    y: Any,
    *,
    sensitive_features: Any,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    per_cell: str | int = "mean",
    rng: np.random.Generator,
) -> IntArray:
    """Row numbers in which every cell occurs the same number of times.

    Parameters
    ----------
    y, sensitive_features, cuts, missing
        As in :func:`equal_weights`.
    per_cell : {"mean", "max"} or int, default="mean"
        Rows to draw from each cell: the mean size of cells, so that the total stays about n; the size of the
        largest cell; or this number. A cell with fewer rows gives each of them as often as it can
        evenly, and draws the rest without replacement.
    rng : numpy.random.Generator
        Draws the rows.

    Returns
    -------
    int array
        Row numbers, in random order.

    Raises
    ------
    InputError
        If lengths differ, labels are missing, or `per_cell` is neither.

    Examples
    --------
    >>> y, sex = [0, 0, 0, 1], ["f", "f", "m", "m"]
    >>> rows = equal_resample(y, sensitive_features=sex, per_cell=2, rng=np.random.default_rng(0))
    >>> sorted(rows.tolist())
    [0, 1, 2, 2, 3, 3]
    """
    return resample_cells(_cells(y, sensitive_features, Grouping(cuts, missing)), per_cell=per_cell, rng=rng)


def resample_cells(cells: IntArray, *, per_cell: str | int = "mean", rng: np.random.Generator) -> IntArray:
    """As :func:`equal_resample`, from a code of each row's cell."""
    if not len(cells):
        return np.zeros(0, dtype=np.int64)
    by_cell = RowsByKey(cells)
    named = {"mean": -(-len(cells) // len(by_cell.known)), "max": int((by_cell.ends - by_cell.starts).max())}
    if per_cell not in named and not (isinstance(per_cell, int) and per_cell > 0):
        raise InputError(f"`per_cell` must be 'mean', 'max' or a whole number above 0, got {per_cell!r}.")
    target = named.get(per_cell, per_cell) if isinstance(per_cell, str) else per_cell
    drawn = []
    for cell in by_cell.known.tolist():
        rows = by_cell[cell]
        whole, rest = divmod(int(target), len(rows))
        drawn += [np.tile(rows, whole), rng.choice(rows, rest, replace=False)]
    return rng.permutation(np.concatenate(drawn)).astype(np.int64)


def _cells(y: Any, sensitive_features: Any, grouping: Grouping) -> IntArray:
    labels = as_labels(y, "y")
    _, leaves = grouping.encode(sensitive_features)
    check_same_length(y=labels, sensitive_features=leaves)
    classes, codes = np.unique(labels, return_inverse=True)
    return leaves * len(classes) + codes
