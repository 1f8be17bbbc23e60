"""Weights and scores that are text, read as numbers once they are counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, IntArray, as_column
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import Rules, assume, read_column


def bins_of(score: FloatArray, bins: int) -> IntArray:
    """Number of each score's bin; -1 where it is missing, -2 where it lies outside [0, 1]."""
    with np.errstate(invalid="ignore"):
        number = np.floor(np.clip(score * bins + 1e-9, 0.0, float(bins)))
        inside = np.where((score >= 0.0) & (score <= 1.0), number, -2.0)
    return np.where(np.isnan(score), -1.0, inside).astype(np.int64)


def written_numbers(texts: list[Any], name: str, rules: Rules, rows: IntArray) -> FloatArray:
    """Numbers of a column of text, NaN where missing."""
    column = as_column(texts, name)
    reading, notes = read_column(name, column, rules, counts=rows)
    if reading.kind != "number":
        raise InputError(
            f"Column `{name}` must be numeric, but it holds text. {' '.join(notes[-1:])}".rstrip()
        )
    assume(notes)
    read = reading.apply(column)
    return np.where(read.missing, np.nan, read.values.astype(np.float64))
