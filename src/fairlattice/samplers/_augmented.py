"""An augmented table: rows, labels, groups, and where every row comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fairlattice._validation import BoolArray, IntArray
from fairlattice.groups import Leaf


@dataclass(frozen=True, eq=False)
class Origin:
    """Where every row of an augmented table comes from.

    Parameters
    ----------
    synthetic : bool array of shape (n,)
        False for the original rows, which come first.
    leaf : tuple of length n of tuple of Level
        The leaf of every row.
    parents : int array of shape (n, q)
        Row numbers, in the training table, of the source rows of each row; -1 for originals. Of a mix, one
        of each parent in attribute order. Of importance resampling, the row drawn and the one that its numbers
        were moved towards; the same twice where it was copied. SMOTE reports none, so q is 0.
    """

    synthetic: BoolArray
    leaf: tuple[Leaf, ...] = field(repr=False)
    parents: IntArray = field(repr=False)


@dataclass(frozen=True, eq=False)
class Augmented:
    """Original rows, then new ones; each part is of the kind that was passed in.

    Parameters
    ----------
    X, y, sensitive_features
        The table, its labels and its sensitive attributes.
    origin : Origin
        Where every row comes from.
    """

    X: Any = field(repr=False)
    y: Any = field(repr=False)
    sensitive_features: Any = field(repr=False)
    origin: Origin
