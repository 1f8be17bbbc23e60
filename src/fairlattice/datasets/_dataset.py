"""What a data set is: a table, and what an audit or a comparison must know of its columns.

A column plays one part only. It is the label, a sensitive attribute, a feature, or it is left out
(`drop`): a survey weight, a number that names the person, the part of a published split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from fairlattice._column import index_of
from fairlattice._validation import (
    IntArray,
    as_column,
    as_native,
    check_columns_exist,
    check_count,
    check_same_length,
    distinct_values,
)
from fairlattice.exceptions import InputError


@dataclass(frozen=True, slots=True)
class Source:
    """Where a data set comes from, and what to watch out for.

    Parameters
    ----------
    url : str
        Where it is published.
    licence : str
        What may be done with it, as far as its publisher says.
    reference : str
        What to cite.
    traps : tuple of str, default=()
        What goes wrong easily, a sentence each.
    access : {"included", "fetched", "files", ""}, default=""
        How a table is had: it is included; it is fetched from OpenML once, unless a folder of its files is named; or
        it needs its own files in such a folder. Empty where nothing is known of it.
    """

    url: str
    licence: str
    reference: str
    traps: tuple[str, ...] = ()
    access: str = ""


def _mapping(columns: Any) -> Mapping[str, Any]:
    """The columns of a frame by name; a mapping as it is."""
    if isinstance(columns, Mapping):
        return columns
    table = as_native(columns)
    if not isinstance(table, nw.DataFrame):
        raise InputError(f"`columns` must be a mapping or a data frame, got {type(columns).__name__}.")
    return {name: table.get_column(name) for name in table.columns}


def _as_array(values: Any, name: str) -> npt.NDArray[Any]:
    """A column of any library as an array, None where a value is missing."""
    if isinstance(values, np.ndarray):
        return values
    column = as_column(values, name)
    if not column.missing.any():
        return column.values
    plain = column.values.astype(object)
    plain[column.missing] = None
    return plain


@dataclass(frozen=True)
class Dataset:
    """A table with everything needed to audit or compare on it.

    Parameters
    ----------
    name : str
        What it is called.
    columns : mapping of str to array of shape (n,)
        The table; None or NaN where a value is missing.
    label : str
        The column to predict.
    positive : label
        The positive class.
    sensitive : tuple of str
        The sensitive columns, the most important first.
    cuts : mapping of str to tuple of float
        Cut points of those that are numeric.
    drop : tuple of str
        Columns not used as features, such as survey weights.
    about : str
        One sentence of origin, for the reader of a result.
    text : tuple of str
        Columns of free text: features that are read as text and not as categories; "" where there is none.
    images : tuple of str
        Columns of paths of images: features that are seen and not read.
    unit : str, optional
        The column that names the person. Rows of one unit belong into one part of a split. Also in `drop`.
    part : str, optional
        The column of the published split: "train", "validation" or "test", or the number of the fold that a
        row is tested in. Also in `drop`.
    source : Source, optional
        Where it comes from.

    Raises
    ------
    InputError
        If the columns differ in length, one that is named is not there, or `unit` or `part` is not in `drop`.
    """

    name: str
    columns: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    label: str
    positive: Any
    sensitive: tuple[str, ...]
    cuts: Mapping[str, tuple[float, ...]]
    drop: tuple[str, ...] = ()
    about: str = ""
    text: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    unit: str | None = None
    part: str | None = None
    source: Source | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        given = _mapping(self.columns)
        if not all(isinstance(column, np.ndarray) for column in given.values()):
            given = {name: _as_array(column, name) for name, column in given.items()}
        object.__setattr__(self, "columns", given)
        others = tuple(name for name in (self.unit, self.part) if name is not None)
        check_columns_exist(
            (self.label, *self.sensitive, *self.cuts, *self.drop, *self.text, *self.images, *others),
            list(self.columns),
        )
        check_same_length(**self.columns)
        for name in others:
            if name not in self.drop:
                raise InputError(
                    f"Column `{name}` says which rows belong together and cannot be a feature. "
                    "Name it in `drop` too."
                )

    @property
    def n_rows(self) -> int:
        """How many rows the table has."""
        return len(self.columns[self.label])

    @property
    def features(self) -> tuple[str, ...]:
        """The columns to predict from, in the table's order: neither label nor sensitive nor left out.

        Examples
        --------
        >>> from fairlattice.datasets import load_dataset
        >>> load_dataset("diabetes").features
        ('bp', 's1', 's2', 's3', 's4', 's5', 's6')
        """
        others = {self.label, *self.sensitive, *self.drop}
        return tuple(name for name in self.columns if name not in others)

    def on_axes(self, n: int) -> Dataset:
        """The same table with its first `n` sensitive attributes only; the others are left out altogether.

        Parameters
        ----------
        n : int
            At least 1, at most as many as there are.

        Returns
        -------
        Dataset
            The attributes after the first `n` are in its `drop`, so they are not features either.

        Raises
        ------
        InputError
            If there are not that many.

        Examples
        --------
        >>> from fairlattice.datasets import load_dataset
        >>> one = load_dataset("diabetes").on_axes(2)
        >>> one.sensitive, one.drop, "bmi" in one.features
        (('sex', 'age'), ('bmi',), False)
        """
        if check_count("n", n) > len(self.sensitive):
            raise InputError(
                f"Data set `{self.name}` has {len(self.sensitive)} sensitive attributes, not {n}. "
                f"They are {', '.join(self.sensitive)}."
            )
        kept, gone = self.sensitive[:n], self.sensitive[n:]
        cuts = {name: points for name, points in self.cuts.items() if name not in gone}
        new = tuple(name for name in gone if name not in self.drop)
        return replace(self, sensitive=kept, cuts=cuts, drop=self.drop + new)

    def sample(self, n_rows: int, *, rng: np.random.Generator) -> Dataset:
        """At most `n_rows` rows at random, in the table's order; a person's rows come whole or not at all.

        Parameters
        ----------
        n_rows : int
            How many rows at most. Where rows belong to units, somewhat fewer may be drawn, since the unit
            that would overflow is left out; units of more than `n_rows` rows are never drawn.
        rng : numpy.random.Generator
            Draws them.

        Returns
        -------
        Dataset
            The data set itself if it has no more than `n_rows` rows.

        Raises
        ------
        InputError
            If every unit has more than `n_rows` rows.

        Examples
        --------
        >>> import numpy as np
        >>> from fairlattice.datasets import load_dataset
        >>> load_dataset("diabetes").sample(100, rng=np.random.default_rng(0)).n_rows
        100
        """
        check_count("n_rows", n_rows)
        if self.n_rows <= n_rows:
            return self
        units = np.arange(self.n_rows) if self.unit is None else _unit_of_row(self.columns[self.unit])
        sizes = np.bincount(units)
        fitting = rng.permutation(np.flatnonzero(sizes <= n_rows))
        if not len(fitting):
            raise InputError(
                f"Every `{self.unit}` has more than `n_rows`={n_rows} rows, the smallest {sizes.min()}. "
                "Ask for more rows."
            )
        drawn = fitting[np.cumsum(sizes[fitting]) <= n_rows]
        rows = np.flatnonzero(np.isin(units, drawn))
        return replace(self, columns={name: values[rows] for name, values in self.columns.items()})


def _unit_of_row(values: npt.NDArray[Any]) -> IntArray:
    """Number of each row's unit; a row whose unit is missing is one of its own."""
    column = as_column(values, "unit")
    known = distinct_values(column.values[~column.missing])
    units = np.empty(len(values), dtype=np.int64)
    units[~column.missing] = index_of(column.values[~column.missing], known)
    units[column.missing] = len(known) + np.arange(column.missing.sum())
    return units
