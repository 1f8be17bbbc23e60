"""Features that give the label away: the label under another name, or values recorded after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fairlattice._column import Column
from fairlattice._validation import BoolArray, IntArray

_LEAST_BALANCED_ACCURACY = 0.98  # of a strategy; from here on, every feature is checked
_LEAST_RECALL = 0.999  # of each label, for a feature that predicts it alone
_TIMES_EACH = 20  # least average number of rows per value; with fewer, values may identify rows


def nearly_perfect(predicted: IntArray, truth: IntArray) -> bool:
    """Whether predictions are right for nearly everyone of both labels, which seldom happens with honest features."""
    return bool(
        np.mean([np.mean(predicted[truth == label] == label) for label in (0, 1)]) >= _LEAST_BALANCED_ACCURACY
    )


def giveaway_notes(columns: Mapping[str, Column], truth: IntArray) -> list[str]:
    """Return a sentence on each feature that gives the label away by itself."""
    return [
        f"Feature `{name}` alone gives the label of nearly every row. If it is the label under another name, or is "
        "recorded only after the label is known, leave it out (--drop) and compare again."
        for name, column in columns.items()
        if _gives_away(column, truth)
    ]


def _gives_away(column: Column, truth: IntArray) -> bool:
    if not column.missing.any() and not column.is_text and _separated(column.values, truth == 1):
        return True
    levels, codes = column.coded
    if _TIMES_EACH * (len(levels) + 1) > len(truth):  # missing is a value, too
        return False
    counts = np.bincount((codes + 1) * 2 + truth, minlength=2 * (len(levels) + 1)).reshape(-1, 2)
    likely = counts.argmax(axis=1)
    recalls = [counts[likely == label, label].sum() / counts[:, label].sum() for label in (0, 1)]
    return bool(min(recalls) >= _LEAST_RECALL)


def _separated(values: Any, positive: BoolArray) -> bool:
    """Whether all values of one label lie above all values of the other."""
    one, other = values[positive], values[~positive]
    return bool(one.min() > other.max() or other.min() > one.max())
