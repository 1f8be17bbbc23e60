"""Two tables side by side: each column as numbers with holes, or as codes of categories.

Numbers stay numbers; text, truth values, dates and categories become codes, and there a missing value
is a category of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from fairlattice.exceptions import InputError


class ColumnPair(NamedTuple):
    """One column in both tables.

    Parameters
    ----------
    name : str
        What it is called.
    real, generated : arrays of shape (n,) and (m,)
        Numbers, NaN where missing; or codes from 0 to `levels` - 1.
    levels : int or None
        How many categories there are in either table; None for numbers.
    """

    name: str
    real: FloatArray | IntArray
    generated: FloatArray | IntArray
    levels: int | None


def column_pairs(real: Any, generated: Any) -> list[ColumnPair]:
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
    numeric = [name for name in first if {t[name].values.dtype.kind for t in (first, second)} <= set("iuf")]
    found = {pair.name: pair for pair in _number_pairs(numeric, first, second)}
    return [found.get(name) or _pair(name, first[name], second[name]) for name in first]


def varying(pairs: Sequence[ColumnPair]) -> list[ColumnPair]:
    """The columns that have two values in either table."""
    varies = np.zeros(len(pairs), dtype=bool)
    for numeric in (True, False):
        places = [place for place, pair in enumerate(pairs) if (pair.levels is None) == numeric]
        for side in ([pairs[i].real for i in places], [pairs[i].generated for i in places]):
            if places:
                varies[places] |= _two_values(np.array(side, dtype=np.float64))
    return [pair for pair, does in zip(pairs, varies, strict=True) if does]


def _number_pairs(
    names: Sequence[str], real: Mapping[str, Column], generated: Mapping[str, Column]
) -> Iterator[ColumnPair]:
    """Columns that hold numbers in both tables, all at once: there may be thousands."""
    if names:
        sides = [_numbers({name: table[name] for name in names}) for table in (real, generated)]
        for name, x, y in zip(names, *sides, strict=True):
            yield ColumnPair(name, x, y, None)


def _pair(name: str, real: Column, generated: Column) -> ColumnPair:
    both = (real, generated)
    kinds = {column.values.dtype.kind for column in both if not column.missing.all()}
    if kinds <= set("iuf"):
        x, y = (_numbers({name: column})[0] for column in both)
        return ColumnPair(name, x, y, None)
    if kinds & set("iuf") and kinds - set("iufb"):
        raise InputError(
            f"Column `{name}` holds numbers in one table and other values in the other. Cast one of them."
        )
    known: dict[Any, int] = {}
    codes = [
        np.fromiter((known.setdefault(v, len(known)) for v in _values(column, name)), dtype=np.int64)
        for column in both
    ]
    return ColumnPair(name, codes[0], codes[1], len(known))


def _numbers(columns: Mapping[str, Column]) -> FloatArray:
    """Numbers of columns of one length, a row for each column, NaN where missing."""
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
    missing = np.isnan(values)
    varies: BoolArray = np.where(missing, np.inf, values).min(axis=1) < np.where(
        missing, -np.inf, values
    ).max(axis=1)
    return varies
