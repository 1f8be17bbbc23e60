"""One sensitive attribute: its name, its levels in order, and how a raw value finds its level.

A level is the value itself (text, number, truth value), or a band's label where a numeric
attribute is cut, or None where the value was not recorded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fairlattice._column import Column, index_of
from fairlattice._validation import (
    IntArray,
    check_choice,
    check_plain,
    did_you_mean,
    distinct_values,
)
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import is_number

Level = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """A sensitive attribute and its levels.

    Parameters
    ----------
    name : str
        The column's name.
    levels : tuple of Level
        Distinct levels in order; None, for values not recorded, comes last.
    cuts : tuple of float, default=()
        Increasing cut points of a numeric attribute. Band i holds values v with
        ``cuts[i-1] <= v < cuts[i]``; there is one band more than there are cuts.

    Examples
    --------
    >>> Attribute.of_bands("age", (25, 45)).levels
    ('<25', '25 to <45', '>=45')
    """

    name: str
    levels: tuple[Level, ...]
    cuts: tuple[float, ...] = ()

    @classmethod
    def of_bands(cls, name: str, cuts: Sequence[float], *, missing: bool = False) -> Attribute:
        """Attribute of a numeric column cut at `cuts`, with a level for missing values if asked."""
        points = check_cuts(name, cuts)
        shown = [f"{c:.12g}" for c in points]
        middle = [f"{low} to <{high}" for low, high in pairwise(shown)]
        levels: tuple[Level, ...] = (f"<{shown[0]}", *middle, f">={shown[-1]}")
        return cls(name, levels + ((None,) if missing else ()), points)

    @classmethod
    def of_plain(cls, found: dict[str, Any]) -> Attribute:
        """Attribute from what :meth:`plain` gave.

        Raises
        ------
        KeyError, TypeError, ValueError, InputError
            If it is none.
        """
        name, levels = found["name"], distinct_plain(found["levels"])
        if not isinstance(name, str):
            raise TypeError(f"an attribute is called {name!r}")
        if found["cuts"]:
            return cls.of_bands(name, found["cuts"], missing=None in levels)
        return cls(name, levels)

    @classmethod
    def of_column(
        cls, name: str, column: Column, *, cuts: Sequence[float] = (), missing: str = "level", max_levels: int
    ) -> Attribute:
        """Attribute whose levels are those found in `column`."""
        check_choice("missing", missing, ("level", "raise"))
        holes = bool(column.missing.any())
        if len(column.missing) and column.missing.all():
            raise InputError(f"Attribute `{name}` is missing in every row. Leave it out.")
        if holes and missing == "raise":
            raise InputError(
                f"Attribute `{name}` is missing in {int(column.missing.sum()):,} of "
                f"{len(column.missing):,} rows. Pass `missing='level'` to give them a level of their own."
            )
        if len(cuts):
            _check_numeric(name, column)
            return cls.of_bands(name, cuts, missing=holes)
        present = column.values[~column.missing]
        if present.dtype.kind == "f" and np.isinf(present).any():
            raise InputError(f"Attribute `{name}` has infinite values. Remove or replace them.")
        levels = distinct_values(present)
        check_plain(levels, f"Attribute `{name}`")
        if len(levels) > max_levels:
            numeric = present.dtype.kind in "iuf"
            advice = f"Cut it, as in `{name}:25,45`," if numeric else "Merge levels"
            raise InputError(
                f"Attribute `{name}` has {len(levels):,} levels, of which at most {max_levels} can be compared. "
                f"{advice} or leave it out."
            )
        return cls(name, (*levels, None) if holes else tuple(levels))

    def with_levels_of(self, column: Column) -> Attribute:
        """The attribute with the levels found in `column` instead."""
        missing = bool(column.missing.any())
        if self.cuts:
            _check_numeric(self.name, column)
            return Attribute.of_bands(self.name, self.cuts, missing=missing)
        levels = distinct_values(column.values[~column.missing])
        return Attribute(self.name, (*levels, None) if missing else tuple(levels))

    def with_levels_at(self, places: IntArray) -> Attribute:
        """The attribute with the levels at these positions; all bands of a cut attribute stay."""
        kept = {self.levels[place] for place in places.tolist()}
        if self.cuts:
            return Attribute.of_bands(self.name, self.cuts, missing=None in kept)
        return Attribute(self.name, tuple(level for level in self.levels if level in kept))

    def plain(self) -> dict[str, Any]:
        """Name, levels and cut points as JSON can hold them."""
        return {"name": self.name, "levels": list(self.levels), "cuts": list(self.cuts)}

    def encode(self, column: Column) -> IntArray:
        """Index of each row's level; a level that the attribute does not have is refused by name."""
        present = ~column.missing
        index = np.full(len(column.values), -1, dtype=np.int64)
        if self.cuts:
            _check_numeric(self.name, column)
            index[present] = np.searchsorted(np.asarray(self.cuts), column.values[present], side="right")
        else:
            known = [level for level in self.levels if level is not None]
            index[present] = index_of(column.values[present], known)
        if None in self.levels:
            index[column.missing] = len(self.levels) - 1
        if (index < 0).any():
            row = int(np.argmin(index))
            shown = "missing" if column.missing[row] else repr(column.values[row : row + 1].tolist()[0])
            hint = did_you_mean(str(column.values[row]), self.levels)
            raise InputError(
                f"Attribute `{self.name}` has no level {shown} (row {row}). "
                f"Its levels are {', '.join(map(show_level, self.levels))}.{hint}"
            )
        return index


def distinct_plain(values: Any) -> tuple[Any, ...]:
    """A list of distinct plain values, as JSON holds it, as a tuple."""
    if not isinstance(values, list) or any(isinstance(v, list | dict) for v in values):
        raise TypeError(f"{values!r} is not a list of plain values")
    if any(isinstance(v, float) and not np.isfinite(v) for v in values):
        raise ValueError("a value is not finite")
    if len(set(values)) < len(values):
        raise ValueError("a value comes twice")
    return tuple(values)


def show_level(level: Level) -> str:
    """A level as a person reads it: 2.0 is "2", and a value not recorded is "(missing)"."""
    if level is None:
        return "(missing)"
    if level == "(missing)":
        return repr(level)  # the text itself, not the absence of one
    return f"{level:.12g}" if isinstance(level, float) else str(level)


def is_open_band(level: str) -> bool:
    """Whether the text is that of the lowest or the highest band, which needs no sign of equality."""
    return re.fullmatch(r"(<|>=)-?[\d.]+(e[+-]\d+)?", level) is not None


def check_cuts(name: str, cuts: Sequence[float]) -> tuple[float, ...]:
    """Cut points as increasing finite floats."""
    try:
        points = tuple(float(c) for c in cuts)
    except (TypeError, ValueError) as error:
        raise InputError(f"Cut points of `{name}` must be numbers in a list, got {cuts!r}.") from error
    if not all(map(math.isfinite, points)) or any(a >= b for a, b in pairwise(points)):
        raise InputError(f"Cut points of `{name}` must be finite and increase, got {list(cuts)!r}.")
    return points


def parse_sensitive(text: str, columns: Sequence[str] = ()) -> tuple[str, tuple[float, ...]]:
    """``"age:25,45"`` as ``("age", (25.0, 45.0))``; a plain name has no cut points.

    A name that is itself one of `columns` is taken whole, colon and all.
    """
    if text in columns or ":" not in (text if "" in columns else text[1:]):
        return text, ()
    name, _, cuts = text.rpartition(":")
    return name, check_cuts(name, [c.strip() for c in cuts.split(",")])  # type: ignore[misc]


def _check_numeric(name: str, column: Column) -> None:
    values: Any = column.values[~column.missing]
    if values.dtype.kind not in "biuf":
        odd = [value for value in values.tolist() if not is_number(value)]
        found = f"{odd[0]!r} is not one ({len(odd):,} such values)" if odd else "its values are not numeric"
        raise InputError(
            f"Attribute `{name}` is cut at numbers, but {found}. Correct it, or pass `na` (--na) if it means missing."
        )
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise InputError(f"Attribute `{name}` has infinite values. Remove or replace them.")
