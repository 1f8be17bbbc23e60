"""Two tables side by side: each column as numbers with holes, or as codes of categories.

Numbers stay numbers; text, truth values, dates and categories become codes, and there a missing value
is a category of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fairlattice._column import Column
from fairlattice._validation import (
    BoolArray,
    FloatArray,
    IntArray,
    as_columns,
    check_columns_exist,
    plain_value,
)
from fairlattice.encoders._shared import DecodedColumns
from fairlattice.exceptions import InputError


class CategoryColumn(NamedTuple):
    """One column of categories in both tables.

    Parameters
    ----------
    place : int
        Position of the column in the table.
    real, generated : int arrays of shape (n,) and (m,)
        Codes from 0 to `levels` - 1.
    levels : int
        Number of categories in both tables together.
    """

    place: int
    real: IntArray
    generated: IntArray
    levels: int


class ColumnPairs(NamedTuple):
    """The columns of two tables; numbers are held together, as there may be thousands.

    Parameters
    ----------
    names : tuple of str
        Names of all columns, in the order of the table.
    numbers : int array of shape (p,)
        Which of them are numbers.
    real, generated : float arrays of shape (p, n) and (p, m)
        The numbers, a row for each column, NaN where missing.
    categories : tuple of CategoryColumn
        The other columns.
    """

    names: tuple[str, ...]
    numbers: IntArray
    real: FloatArray
    generated: FloatArray
    categories: tuple[CategoryColumn, ...]


def column_pairs(real: Any, generated: Any) -> ColumnPairs:
    """The columns of two tables, matched by name, in the order of the first.

    Raises
    ------
    InputError
        If a table has no rows, columns differ, or a column holds numbers in one and text in the other.
    """
    tables = {"real": as_columns(real, "real", default="x")}
    tables["generated"] = as_columns(generated, "generated", default="x")
    for name, table in tables.items():
        if not len(next(iter(table.values())).missing):
            raise InputError(f"`{name}` needs at least 1 row, got 0. Leave this cell out.")
    first, second = tables.values()
    check_columns_exist(first, list(second))
    check_columns_exist(second, list(first))
    names = tuple(first)
    numeric = np.array([_is_number(first[name], second[name], name) for name in names])
    numbers = np.flatnonzero(numeric)
    sides = [_numbers({names[i]: table[names[i]] for i in numbers.tolist()}) for table in (first, second)]
    others = [
        _categories(i, first[names[i]], second[names[i]], names[i]) for i in np.flatnonzero(~numeric).tolist()
    ]
    return ColumnPairs(names, numbers, sides[0], sides[1], tuple(others))


def decoded_pairs(real: DecodedColumns, generated: DecodedColumns) -> ColumnPairs:
    """The columns of two tables that one encoder decoded."""
    place = {name: i for i, name in enumerate(real.names)}
    numbers = np.array([place[name] for name in real.plain], dtype=np.int64)
    if not real.others:
        return ColumnPairs(real.names, numbers, real.numbers, generated.numbers, ())
    some = column_pairs(real.others, generated.others)
    at = np.array([place[name] for name in some.names])
    categories = tuple(column._replace(place=int(at[column.place])) for column in some.categories)
    numbers = np.concatenate([numbers, at[some.numbers]])
    sides = [(real.numbers, some.real), (generated.numbers, some.generated)]
    x, y = (np.vstack([plain, others.reshape(-1, plain.shape[1])]) for plain, others in sides)
    return ColumnPairs(real.names, numbers, x, y, categories)


def varying(pairs: ColumnPairs) -> IntArray:
    """Return the positions of the columns that have at least two distinct values in one of the tables."""
    varies = np.zeros(len(pairs.names), dtype=bool)
    for side in (pairs.real, pairs.generated):
        varies[pairs.numbers] |= _two_values(side)
    for column in pairs.categories:
        varies[column.place] = any((codes != codes[0]).any() for codes in (column.real, column.generated))
    return np.flatnonzero(varies)


def _is_number(real: Column, generated: Column, name: str) -> bool:
    """Whether a column holds numbers; one that is missing altogether holds anything."""
    if real.values.dtype.kind in "iuf" and generated.values.dtype.kind in "iuf":
        return True
    kinds = {column.values.dtype.kind for column in (real, generated) if not column.missing.all()}
    if kinds <= set("iuf"):
        return True
    if kinds & set("iuf") and kinds - set("iufb"):
        raise InputError(
            f"Column `{name}` holds numbers in one table and other values in the other. Cast one of them."
        )
    return False


def _categories(place: int, real: Column, generated: Column, name: str) -> CategoryColumn:
    known: dict[Any, int] = {}
    codes = [
        np.fromiter((known.setdefault(v, len(known)) for v in _values(column, name)), dtype=np.int64)
        for column in (real, generated)
    ]
    return CategoryColumn(place, codes[0], codes[1], len(known))


def _numbers(columns: Mapping[str, Column]) -> FloatArray:
    """Numbers of columns of one length, a row for each column, NaN where missing."""
    if not columns:
        return np.empty((0, 0))
    # Of booleans and the like only where all are missing.
    values = np.array([column.values.astype(np.float64, copy=False) for column in columns.values()])
    values[np.array([column.missing for column in columns.values()])] = np.nan
    infinite = np.isinf(values).any(axis=1)
    if infinite.any():
        name = list(columns)[int(infinite.argmax())]
        raise InputError(f"Column `{name}` has infinite values. Remove or replace them.")
    return values


def _values(column: Column, name: str) -> list[Any]:
    """Hashable values, None where missing; 1 and True are one value, as they are to Python."""
    values = column.values.astype(str) if column.values.dtype.kind in "Mm" else column.values
    listed = [
        None if gone else plain_value(v) for v, gone in zip(values.tolist(), column.missing, strict=True)
    ]
    try:
        hash(tuple(listed))
    except TypeError as error:
        raise InputError(f"Column `{name}` holds lists or the like. Turn it into numbers or text.") from error
    return listed


def _two_values(values: FloatArray) -> BoolArray:
    """Of every row of numbers, whether it has two that differ, NaN aside."""
    if not len(values):
        return np.zeros(0, dtype=bool)
    missing = np.isnan(values)
    varies: BoolArray = np.where(missing, np.inf, values).min(axis=1) < np.where(
        missing, -np.inf, values
    ).max(axis=1)
    return varies
