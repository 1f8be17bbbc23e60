"""Sensitive attributes and labels as they are meant: read once, then applied to any rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from fairlattice._column import Column
from fairlattice._validation import IntArray, as_column, as_columns, as_labels, as_native
from fairlattice.exceptions import InputError
from fairlattice.tables._columns import Reading, Rules, read_column, similar_levels
from fairlattice.tables._notes import assume
from fairlattice.tables._text import nearly_alike, said


@dataclass(frozen=True)
class AttributeReading:
    """How sensitive attributes are read.

    Parameters
    ----------
    columns : mapping of str to Reading
        By name.
    """

    columns: Mapping[str, Reading]

    def apply(self, sensitive_features: Any) -> Any:
        """The attributes as they are meant: what was passed, or a mapping of columns where that differs."""
        columns = as_columns(sensitive_features, "sensitive_features")
        read = {name: self._applied(name, column) for name, column in columns.items()}
        lazy = isinstance(as_native(sensitive_features, allow_series=True), nw.LazyFrame)
        changed = lazy or any(read[name] is not column for name, column in columns.items())
        return read if changed else sensitive_features

    def _applied(self, name: str, column: Column) -> Column:
        reading = self.columns.get(name)
        return column if reading is None else reading.apply(column)


def read_attributes(
    sensitive_features: Any, rules: Rules | None = None, *, counts: IntArray | None = None
) -> tuple[Any, AttributeReading]:
    """The attributes as they are meant, and how they were read; what that assumes is reported.

    `counts` says how many rows each value is of, by default one.
    """
    rules = rules or Rules()
    columns = as_columns(sensitive_features, "sensitive_features")
    found = {}
    for name, column in columns.items():
        found[name], notes = read_column(name, column, rules, counts=counts, what="Attribute")
        assume([*notes, *similar_levels(f"Attribute `{name}`", found[name].apply(column))])
    reading = AttributeReading(found)
    return reading.apply(sensitive_features), reading


@dataclass(frozen=True)
class LabelReading:
    """How labels are read: without the blanks around them."""

    reading: Reading

    def apply(self, values: Any, name: str, *, counts: IntArray | None = None) -> npt.NDArray[Any]:
        """The labels of some rows, none of which may be missing.

        `counts` says how many rows each value is of, by default one.
        """
        column = as_column(values, name)
        read = self.reading.apply(column)
        rows = np.ones(len(read.missing), dtype=np.int64) if counts is None else counts
        spelled = read.missing & ~column.missing
        if spelled.any():
            texts = {str(v) for v in column.values[spelled].tolist()}
            raise InputError(
                f"`{name}` has {int(rows[read.missing].sum()):,} missing values of {int(rows.sum()):,}, among them "
                f"{said(texts)}. Remove these rows first. If "
                "these are labels, pass the texts that do mean missing by `na` (--na): it replaces the built-in list."
            )
        return as_labels(read, name)


def read_labels(
    values: Any, name: str, rules: Rules | None = None, *, counts: IntArray | None = None, what: str = "Label"
) -> tuple[npt.NDArray[Any], LabelReading]:
    """Labels as they are meant, and how they were read; what that assumes is reported.

    Raises
    ------
    InputError
        If some are missing, or two differ by case or punctuation only.
    """
    column, called = as_column(values, name), _own_name(values) or name
    reading, notes = read_column(called, column, rules or Rules(), counts=counts, numbers=False, what=what)
    found = LabelReading(reading)
    labels = found.apply(column, called, counts=counts)
    assume(notes)
    check_labels_differ(labels.tolist(), f"`{called}`")
    return labels, found


def _own_name(values: Any) -> str | None:
    """The name of a Series, if it is text."""
    name = getattr(values, "name", None)
    return name if isinstance(name, str) and name else None


def check_labels_differ(labels: Iterable[Any], what: str) -> None:
    """Raise if two labels differ by case or punctuation only, as ``>50K`` and ``>50K.`` do."""
    alike = nearly_alike({v for v in labels if isinstance(v, str)})
    if alike:
        shown = " and ".join(map(repr, alike[0]))
        raise InputError(f"Labels {shown} in {what} differ by case or punctuation only. Write them alike.")
