"""The lattice of groups: from everyone, through groups with some attributes fixed, to the leaves.

A leaf is a tuple of levels in attribute order and, inside the library, one integer: its position
in the mixed-radix numbering of the levels. A group is a mapping ``{attribute: level}`` of the
attributes that it fixes; ``{}`` is everyone. Codes are arithmetic, so projecting a million rows
onto a marginal costs one division per attribute, and no level is ever joined into a string.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._column import Column
from fairlattice._validation import (
    IntArray,
    as_columns,
    check_columns_exist,
    check_count,
    has_names,
    row_count,
    sorted_values,
)
from fairlattice.exceptions import InputError, visible
from fairlattice.groups._attribute import Attribute, Level, check_cuts, is_open_band, show_level

Leaf = tuple[Level, ...]
Group = dict[str, Level]


@dataclass(frozen=True)
class GroupLattice:
    """All groups that the levels of some sensitive attributes span.

    Parameters
    ----------
    attributes : tuple of Attribute
        The attributes, in order. None at all is allowed: then everyone is the one leaf.

    Raises
    ------
    InputError
        If two attributes share a name, or there are more leaves than an integer can number.

    Examples
    --------
    >>> S = {"sex": ["f", "m", "f"], "age": [20, 50, 70]}
    >>> lattice = GroupLattice.from_features(S, cuts={"age": [45]})
    >>> lattice.shape, lattice.n_leaves
    ((2, 2), 4)
    >>> lattice.leaf(1)
    ('f', '>=45')
    >>> lattice.parents(("f", "<45"))
    ({'age': '<45'}, {'sex': 'f'})
    """

    attributes: tuple[Attribute, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) < len(self.names):
            raise InputError(f"Attributes must have distinct names, got {list(self.names)}.")
        if self.n_leaves > 2**62:
            raise InputError(f"{self.n_leaves:.3g} leaves are too many to number. Use fewer attributes.")

    @classmethod
    def from_features(
        cls,
        sensitive_features: Any,
        *,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        max_levels: int = 100,
    ) -> GroupLattice:
        """Build the lattice of the levels found in a table of sensitive attributes.

        Parameters
        ----------
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
            One column per attribute; any frame that narwhals knows.
        cuts : mapping of str to sequence of float, optional
            Cut points of numeric attributes, as in ``{"age": [25, 45]}``.
        missing : {"level", "raise"}, default="level"
            Give missing values a level of their own (None), or refuse them.
        max_levels : int, default=100
            An attribute with more levels than this is refused: it is likely an identifier.

        Raises
        ------
        InputError
            If an attribute is missing everywhere, infinite, has too many levels, or is not numeric
            where it should be cut.
        """
        columns = as_columns(sensitive_features, "sensitive_features")
        if cuts is not None and not isinstance(cuts, Mapping):
            raise InputError(f"`cuts` must map attributes to cut points, got {cuts!r}.")
        cuts = {name: check_cuts(name, points) for name, points in (cuts or {}).items()}
        check_count("max_levels", max_levels)
        check_columns_exist(cuts, list(columns))
        return cls(
            tuple(
                Attribute.of_column(
                    name, column, cuts=cuts.get(name, ()), missing=missing, max_levels=max_levels
                )
                for name, column in columns.items()
            )
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The attributes' names, in order."""
        return tuple(a.name for a in self.attributes)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """How many levels each attribute has."""
        return tuple(len(a.levels) for a in self.attributes)

    @property
    def n_leaves(self) -> int:
        """How many leaves there are, empty ones included: the product of `shape`."""
        return math.prod(self.shape)

    def encode(self, sensitive_features: Any) -> IntArray:
        """Leaf code of every row, an integer array of shape (n,) with values in [0, n_leaves).

        Columns are taken by name where they have names (others are ignored), else by position.

        Raises
        ------
        InputError
            If a column is not there, or a row has a level that the lattice does not have.
        """
        columns = self._own_columns(sensitive_features)
        digits = [a.encode(c) for a, c in zip(self.attributes, columns, strict=True)]
        return self._combine(digits) if digits else np.zeros(row_count(sensitive_features), dtype=np.int64)

    def leaf(self, code: int) -> Leaf:
        """The tuple of levels that `code` numbers."""
        digits = self.digits(np.asarray([code]))
        return tuple(a.levels[int(d[0])] for a, d in zip(self.attributes, digits, strict=True))

    def code(self, leaf: Sequence[Level]) -> int:
        """The number of a leaf, given as a sequence of levels in attribute order."""
        leaf = (leaf,) if isinstance(leaf, str) else tuple(leaf)
        if len(leaf) != len(self.attributes):
            raise InputError(
                f"A leaf has {len(self.attributes)} levels ({', '.join(self.names)}), got {leaf!r}."
            )
        digits = [np.asarray([_position(a, level)]) for a, level in zip(self.attributes, leaf, strict=True)]
        return int(self._combine(digits)[0]) if digits else 0

    def group(self, leaf: Sequence[Level] | int) -> Group:
        """A leaf, or its code, as a group: the mapping of every attribute to its level."""
        levels = self.leaf(leaf) if isinstance(leaf, int | np.integer) else leaf
        return dict(zip(self.names, levels, strict=True))

    def parents(self, group: Mapping[str, Level] | Sequence[Level]) -> tuple[Group, ...]:
        """The groups that free one of the attributes that `group` fixes, in attribute order."""
        fixed = self._fixed(group)
        return tuple({k: v for k, v in fixed.items() if k != freed} for freed in fixed)

    def children(self, group: Mapping[str, Level] | Sequence[Level]) -> tuple[Group, ...]:
        """The groups that fix one attribute more than `group` does."""
        fixed = self._fixed(group)
        return tuple(
            self._fixed({**fixed, a.name: level})
            for a in self.attributes
            if a.name not in fixed
            for level in a.levels
        )

    def marginals(self) -> Iterator[tuple[str, ...]]:
        """Every set of attributes, from none (everyone) to all (the leaves)."""
        for size in range(len(self.attributes) + 1):
            yield from combinations(self.names, size)

    def marginal(self, names: Sequence[str]) -> GroupLattice:
        """The lattice of some of the attributes, in this lattice's order."""
        check_columns_exist(names, self.names)
        return GroupLattice(tuple(a for a in self.attributes if a.name in names))

    def groups(self, names: Sequence[str]) -> Iterator[Group]:
        """Every group that fixes exactly the attributes `names`, empty ones included."""
        sub = self.marginal(names)
        for levels in product(*(a.levels for a in sub.attributes)):
            yield dict(zip(sub.names, levels, strict=True))

    def project(self, codes: IntArray, names: Sequence[str]) -> IntArray:
        """Leaf codes as codes of the marginal lattice of `names`."""
        return (
            self.project_digits(self.digits(codes), names) if names else np.zeros(len(codes), dtype=np.int64)
        )

    def project_digits(self, digits: Sequence[IntArray], names: Sequence[str]) -> IntArray:
        """:meth:`project` of leaves given by the result of :meth:`digits`, for at least one attribute."""
        own = [d for d, a in zip(digits, self.attributes, strict=True) if a.name in names]
        return self.marginal(names)._combine(own)

    def empty_leaves(self, codes: IntArray) -> Iterator[Leaf]:
        """The leaves that no row of `codes` belongs to, in order."""
        seen = set(np.unique(codes).tolist())
        return (self.leaf(code) for code in range(self.n_leaves) if code not in seen)

    def union(self, other: GroupLattice) -> GroupLattice:
        """The smallest lattice that has the levels of both; names and cut points must agree."""
        if self == other:
            return self
        mine, theirs = ([(a.name, a.cuts) for a in lattice.attributes] for lattice in (self, other))
        if mine != theirs:
            raise InputError(f"Lattices differ in their attributes or cut points: {mine} and {theirs}.")
        return GroupLattice(
            tuple(_merged(a, b) for a, b in zip(self.attributes, other.attributes, strict=True))
        )

    def extended(self, sensitive_features: Any) -> GroupLattice:
        """The lattice with the further levels that a table of the same attributes has.

        Columns are taken as in :meth:`encode`.
        """
        columns = self._own_columns(sensitive_features)
        return GroupLattice(
            tuple(_merged(a, a.with_levels_of(c)) for a, c in zip(self.attributes, columns, strict=True))
        )

    def occurring(self, codes: IntArray) -> GroupLattice:
        """The lattice of the levels that occur among leaf codes: what :meth:`from_features` finds in these rows."""
        seen = [np.unique(digit) for digit in self.digits(codes)]
        return GroupLattice(
            tuple(a.with_levels_at(places) for a, places in zip(self.attributes, seen, strict=True))
        )

    def recode(self, codes: IntArray, target: GroupLattice) -> IntArray:
        """Leaf codes of this lattice as codes of `target`, which has all of the levels that occur among them."""
        if self == target:
            return codes
        digits = [
            np.asarray([b.levels.index(v) if v in b.levels else -1 for v in a.levels], dtype=np.int64)[d]
            for a, b, d in zip(self.attributes, target.attributes, self.digits(codes), strict=True)
        ]
        return target._combine(digits) if digits else codes

    def digits(self, codes: IntArray) -> list[IntArray]:
        """Per attribute, the index of each row's level."""
        rest, reversed_digits = np.asarray(codes, dtype=np.int64), []
        for size in reversed(self.shape):
            rest, digit = np.divmod(rest, size)
            reversed_digits.append(digit)
        return reversed_digits[::-1]

    def level_columns(self, codes: IntArray) -> dict[str, npt.NDArray[Any]]:
        """Per attribute, the level of each row."""
        columns = {}
        for attribute, digit in zip(self.attributes, self.digits(codes), strict=True):
            levels = np.empty(len(attribute.levels), dtype=object)
            levels[:] = attribute.levels
            columns[attribute.name] = levels[digit]
        return columns

    def _combine(self, digits: Sequence[IntArray]) -> IntArray:
        codes = np.zeros(len(digits[0]), dtype=np.int64)
        for size, digit in zip(self.shape, digits, strict=True):
            codes = codes * size + digit
        return codes

    def _own_columns(self, sensitive_features: Any) -> list[Column]:
        if not self.attributes:
            return []
        columns = as_columns(sensitive_features, "sensitive_features")
        unnamed = not has_names(sensitive_features)
        if unnamed and len(columns) == len(self.attributes):
            return list(columns.values())
        check_columns_exist(self.names, list(columns))
        return [columns[name] for name in self.names]

    def _fixed(self, group: Mapping[str, Level] | Sequence[Level]) -> Group:
        if not isinstance(group, Mapping):
            return self.group(self.leaf(self.code(group)))
        check_columns_exist(group, self.names)
        for attribute in self.attributes:
            if attribute.name in group:
                _position(attribute, group[attribute.name])
        return {name: group[name] for name in self.names if name in group}


def show_group(group: Mapping[str, Level]) -> str:
    """A group as text: ``race=black, sex=female``; with nothing fixed, "everyone"."""
    return visible(", ".join(map(_show_fixed, group.items()))) or "everyone"


def _show_fixed(fixed: tuple[str, Level]) -> str:
    name, level = fixed[0], show_level(fixed[1])
    return f"{name}{level}" if is_open_band(level) else f"{name}={level}"


def _position(attribute: Attribute, level: Level) -> int:
    if level not in attribute.levels:
        raise InputError(
            f"Attribute `{attribute.name}` has no level {level!r}. "
            f"Its levels are {', '.join(map(show_level, attribute.levels))}."
        )
    return attribute.levels.index(level)


def _merged(a: Attribute, b: Attribute) -> Attribute:
    missing: tuple[Level, ...] = (None,) if None in a.levels + b.levels else ()
    if a.cuts:
        return Attribute.of_bands(a.name, a.cuts, missing=bool(missing))
    known = sorted_values(level for level in a.levels + b.levels if level is not None)
    return Attribute(a.name, (*known, *missing), a.cuts)
