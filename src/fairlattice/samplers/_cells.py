"""Which rows belong to each (leaf, label) cell, and which to its parents.

Rows are sorted once per attribute, so that any cell and any parent is a slice, and memory grows
with rows and attributes only, not with the number of groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fairlattice._validation import BoolArray, IntArray, check_count
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice, show_group


class Cell(NamedTuple):
    """A leaf's code and a label's code."""

    leaf: int
    label: int


class CellIndex:
    """The rows of every cell and of its parents.

    Parameters
    ----------
    lattice : GroupLattice
        The groups.
    leaves : int array of shape (n,)
        Leaf code of every row.
    labels : int array of shape (n,)
        Label code of every row, in [0, n_labels).
    n_labels : int
        How many labels there are.
    """

    def __init__(self, lattice: GroupLattice, leaves: IntArray, labels: IntArray, n_labels: int) -> None:
        self.lattice, self.leaves, self.labels, self.n_labels = lattice, leaves, labels, n_labels
        self._cells = RowsByKey(leaves * n_labels + labels)
        self._by_label = RowsByKey(labels)
        strides = [math.prod(lattice.shape[i + 1 :]) for i in range(len(lattice.shape))]
        self._places = list(zip(lattice.shape, strides, strict=True))
        self._parents = [RowsByKey(_freed(leaves, *place) * n_labels + labels) for place in self._places]
        self._having: dict[tuple[int, int, int], IntArray] = {}

    def cell_of(self, row: int) -> Cell:
        """The cell of a row."""
        return Cell(int(self.leaves[row]), int(self.labels[row]))

    def rows(self, cell: Cell) -> IntArray:
        """Row numbers of a cell, in increasing order."""
        return self._cells[cell.leaf * self.n_labels + cell.label]

    def parents(self, cell: Cell) -> tuple[IntArray, ...]:
        """Row numbers of each parent of a cell, restricted to its label.

        A parent without such rows is replaced by everyone with the label: the nearest ancestor
        that is sure to have some.
        """
        found = []
        for place, slices in zip(self._places, self._parents, strict=True):
            rows = slices[_freed(cell.leaf, *place) * self.n_labels + cell.label]
            found.append(rows if len(rows) else self._by_label[cell.label])
        return tuple(found)

    def cells(self) -> Iterator[tuple[Cell, int]]:
        """Every cell of every leaf that has rows, with its number of rows, which may be 0."""
        for leaf in np.unique(self._cells.known // self.n_labels).tolist():
            for label in range(self.n_labels):
                cell = Cell(leaf, label)
                yield cell, len(self.rows(cell))

    def shortfalls(self, per_cell: str | int) -> dict[Cell, int]:
        """How many rows each cell lacks to reach `per_cell` rows: a number, or "max", the largest cell's.

        Leaves without any row are left alone: nobody belongs to them.
        """
        sizes = dict(self.cells())
        target = check_per_cell(per_cell)
        target = max(sizes.values()) if isinstance(target, str) else target
        return {cell: target - size for cell, size in sizes.items() if size < target}

    def level_sources(
        self, cells: Sequence[tuple[Cell, int]], drawn_from: IntArray, rng: np.random.Generator
    ) -> list[IntArray]:
        """Per attribute, for each new row a training row that has its leaf's level of the attribute.

        Parameters
        ----------
        cells : sequence of (Cell, int)
            The new rows' cells, and how many rows of each stand one after the other.
        drawn_from : int array of shape (m, q)
            Row numbers of each new row's sources.
        rng : numpy.random.Generator
            Draws a row, of the same label if there is one, where none of its sources has the level.

        Raises
        ------
        InputError
            If no training row has one of the levels.
        """
        leaves = np.asarray([cell.leaf for cell, _ in cells])
        known, wanted = self.lattice.digits(self.leaves), self.lattice.digits(leaves)
        ends = np.cumsum([n for _, n in cells])
        sources = []
        for i, levels in enumerate(wanted):
            source = np.empty(len(drawn_from), dtype=np.int64)
            for (cell, n), level, end in zip(cells, levels.tolist(), ends.tolist(), strict=True):
                own = source[end - n : end]
                own[:], lacking = _first_with(known[i], level, drawn_from[end - n : end], i + 1)
                if len(lacking):
                    own[lacking] = rng.choice(self._rows_with(known[i], i, level, cell.label), len(lacking))
            sources.append(source)
        return sources

    def donors(
        self, cells: Sequence[tuple[Cell, int]], drawn_from: IntArray, rng: np.random.Generator
    ) -> Callable[[BoolArray | None], IntArray]:
        """Who gives a value to each new row, as a function of who may: the first of its sources that may, else a row
        of its cell, of its label, or any, at random.

        Parameters are those of :meth:`level_sources`.
        """  # noqa: D205

        def chosen(may: BoolArray | None) -> IntArray:
            allowed = np.ones(len(self.leaves), dtype=bool) if may is None else may
            rows = np.full(len(drawn_from), -1, dtype=np.int64)
            for j in range(drawn_from.shape[1]):
                free = np.flatnonzero(rows < 0)
                free = free[allowed[drawn_from[free, j]]]
                rows[free] = drawn_from[free, j]
            end = 0
            for cell, n in cells:
                end += n
                lacking = end - n + np.flatnonzero(rows[end - n : end] < 0)
                if len(lacking):
                    pools = (self.rows(cell), self._by_label[cell.label], np.arange(len(self.leaves)))
                    able = next(p for p in (pool[allowed[pool]] for pool in pools) if len(p))
                    rows[lacking] = rng.choice(able, len(lacking))
            return rows

        return chosen

    def _rows_with(self, digits: IntArray, attribute: int, level: int, label: int) -> IntArray:
        key = (attribute, level, label)
        if key not in self._having:  # one look at all rows for each such question, not for each cell
            having = np.flatnonzero(digits == level)
            own = having[self.labels[having] == label]
            self._having[key] = own if len(own) else having
        if len(self._having[key]):
            return self._having[key]
        axis = self.lattice.attributes[attribute]
        group = show_group({axis.name: axis.levels[level]})
        raise InputError(f"No training row has {group}, so no rows can be made of it.")


def check_per_cell(per_cell: Any) -> str | int:
    """Return `per_cell` if it is "max" or a number of rows."""
    if isinstance(per_cell, str):
        if per_cell != "max":
            raise InputError(f"`per_cell` must be 'max' or a whole number above 0, got {per_cell!r}.")
        return per_cell
    return check_count("per_cell", per_cell)


def _first_with(digits: IntArray, level: int, drawn_from: IntArray, start: int) -> tuple[IntArray, IntArray]:
    """Of each row's sources the first that has a level, starting with column `start`; and places without one.

    Parent i frees attribute i, so the next one has the level as a rule.
    """
    q = drawn_from.shape[1]
    if not q:
        return np.zeros(len(drawn_from), dtype=np.int64), np.arange(len(drawn_from))
    found = drawn_from[:, start % q].copy()
    lacking = np.flatnonzero(digits[found] != level)
    for j in range(start + 1, start + q):
        if not len(lacking):
            break
        found[lacking] = drawn_from[lacking, j % q]
        lacking = lacking[digits[found[lacking]] != level]
    return found, lacking


def draw_rows(rng: np.random.Generator, rows: IntArray, n: int, *, distinct: bool) -> IntArray:
    """`n` of some rows at random; if `distinct`, none again before all have been drawn."""
    if not distinct:
        return rng.choice(rows, n)
    rounds = [rng.permutation(rows) for _ in range(n // len(rows))]
    return np.concatenate([*rounds, rng.choice(rows, n % len(rows), replace=False)])


def even_share(sizes: IntArray, total: int, *, least: int) -> int:
    """The largest number that cells can be cut to so that all have at most `total` rows; at least `least`.

    Examples
    --------
    >>> even_share(np.array([2, 10, 100]), 40, least=3)
    28
    """
    low, high = least, max(least, int(sizes.max()))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() <= total else (low, middle - 1)
    return low


def ranks(ordered: IntArray) -> IntArray:
    """Position of each element within its run of equal neighbours, from 0.

    Examples
    --------
    >>> ranks(np.array([4, 4, 7, 7, 7, 9]))
    array([0, 1, 0, 1, 2, 0])
    """
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    return np.arange(len(ordered)) - np.repeat(starts, np.diff(starts, append=len(ordered)))


def describe_small_cells(index: CellIndex, classes: Sequence[Any], *, most: int = 3) -> str:
    """A sentence that names the cells with one row or none; nothing where there are none."""
    small = [(cell, size) for cell, size in index.cells() if size < 2]
    if not small:
        return ""
    named = [
        f"{show_group(index.lattice.group(cell.leaf))} with label {classes[cell.label]} ({size})"
        for cell, size in small[:most]
    ]
    more = [f"and {len(small) - most} more"] if len(small) > most else []
    return f"{len(small)} cells (group and label) have one row or none: {'; '.join(named + more)}."


def _freed(leaf: Any, size: int, stride: int) -> Any:
    """Codes of leaves among the groups that free the attribute with this many levels and this stride."""
    return leaf // (size * stride) * stride + leaf % stride


class RowsByKey:
    """Row numbers by key, through one stable sort."""

    def __init__(self, keys: IntArray) -> None:
        if len(keys) and keys.max() < 2**16:  # small keys are counted, and sorted in linear time
            sizes = np.bincount(keys)
            self.order = np.argsort(keys.astype(np.uint16), kind="stable")
            self.known = np.flatnonzero(sizes)
            self.ends = np.cumsum(sizes[self.known])
            self.starts = self.ends - sizes[self.known]
            return
        self.order = np.argsort(keys, kind="stable")
        ordered = keys[self.order]
        self.known, self.starts = np.unique(ordered, return_index=True)
        self.ends = np.append(self.starts[1:], len(keys))

    def __getitem__(self, key: int) -> IntArray:
        place = int(np.searchsorted(self.known, key))
        if place == len(self.known) or self.known[place] != key:
            return np.zeros(0, dtype=np.int64)
        return self.order[self.starts[place] : self.ends[place]]
