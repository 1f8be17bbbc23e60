"""How columns become groups: cut points of numbers, and what becomes of missing values. One value that is passed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlattice._validation import IntArray
from fairlattice.groups._lattice import GroupLattice


@dataclass(frozen=True)
class Grouping:
    """Cut points and the policy for missing values.

    Parameters
    ----------
    cuts : mapping of str to sequence of float, optional
        Cut points of numeric attributes.
    missing : {"level", "raise"}, default="level"
        Give missing values a level of their own, or refuse them.
    """

    cuts: Mapping[str, Sequence[float]] | None = None
    missing: str = "level"

    def lattice(self, sensitive_features: Any) -> GroupLattice:
        """The lattice of the levels found in a table of sensitive attributes."""
        return GroupLattice.from_features(sensitive_features, cuts=self.cuts, missing=self.missing)

    def encode(self, sensitive_features: Any) -> tuple[GroupLattice, IntArray]:
        """The lattice, and the leaf code of every row."""
        lattice = self.lattice(sensitive_features)
        return lattice, lattice.encode(sensitive_features)
