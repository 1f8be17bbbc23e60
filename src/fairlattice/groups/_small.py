"""Groups too small to speak for themselves: kept with a warning, merged, dropped, or refused."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import IntArray, check_choice, check_count
from fairlattice.exceptions import InputError, SmallCellWarning
from fairlattice.groups._counts import GroupCounts
from fairlattice.groups._lattice import Group, show_group

ON_SMALL = ("warn", "merge", "drop", "raise")
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class SmallGroup:
    """A leaf with too few rows, and what was done about it.

    Parameters
    ----------
    group : dict
        The leaf.
    n : int
        Its rows.
    action : {"kept", "merged", "dropped"}
        What was done.
    into : dict or None
        The ancestor that speaks for it, where it was merged.
    """

    group: Group
    n: int
    action: str
    into: Group | None = None


@dataclass(frozen=True, eq=False)
class GroupTable:
    """The groups that an audit compares, with their counts.

    Parameters
    ----------
    groups : tuple of m groups
        The leaves that have rows, and in place of those merged, ancestors of theirs.
    layers : list of arrays of shape (m, K, K)
        Rows by label and prediction; sums of weights and of their squares, where rows are weighted.
    small : tuple of SmallGroup
        The leaves with too few rows.
    """

    groups: tuple[Group, ...]
    layers: list[npt.NDArray[Any]]
    small: tuple[SmallGroup, ...] = ()

    @classmethod
    def joined(cls, parts: Sequence[GroupCounts]) -> GroupTable:
        """The leaves of several counts of the same labels, one table after the other."""
        layers = zip(*(part.layers for part in parts), strict=True)
        return cls(
            tuple(group for part in parts for group in part.groups),
            [np.concatenate(layer) for layer in layers],
        )


def group_table(counts: GroupCounts, *, min_size: int = 1, on_small: str = "warn") -> GroupTable:
    """The leaves of some counts, those with fewer than `min_size` rows kept, merged, dropped or refused.

    Parameters
    ----------
    counts : GroupCounts
        The counts.
    min_size : int, default=1
        Leaves with fewer rows are small.
    on_small : {"warn", "merge", "drop", "raise"}, default="warn"
        Keep them and say so; merge each into the parent that it resembles most, with all of its rows, or that
        parent's parent if it is small too; leave them out; or refuse to go on.

    Raises
    ------
    InputError
        If there are small leaves and `on_small` is "raise", or none would be left.
    """
    check_count("min_size", min_size, 0)
    check_choice("on_small", on_small, ON_SMALL)
    groups = counts.groups
    small = np.flatnonzero(counts.rows < min_size)
    if not len(small):
        return GroupTable(groups, counts.layers)
    named = [f"{show_group(groups[i])} ({counts.rows[i]:,})" for i in small[:_MOST_NAMED]]
    more = f" and {len(small) - _MOST_NAMED:,} more" if len(small) > _MOST_NAMED else ""
    what = f"Groups with fewer than {min_size:,} rows: {'; '.join(named)}{more}."
    if on_small == "raise":
        raise InputError(f"{what} Pass `on_small='merge'` or 'drop', or a smaller `min_size`.")
    if on_small == "warn":
        warnings.warn(what, SmallCellWarning, stacklevel=4)
        kept = tuple(SmallGroup(groups[i], int(counts.rows[i]), "kept") for i in small)
        return GroupTable(groups, counts.layers, kept)
    large = np.flatnonzero(counts.rows >= min_size)
    if on_small == "drop" and not len(large):
        raise InputError(f"Every group has fewer than {min_size:,} rows, so none is left. Lower `min_size`.")
    return _merged(counts, groups, large, small, min_size, drop=on_small == "drop")


def _merged(
    counts: GroupCounts,
    groups: Sequence[Group],
    large: IntArray,
    small: IntArray,
    min_size: int,
    *,
    drop: bool,
) -> GroupTable:
    """The large leaves, and unless small ones are dropped, the ancestors that they are merged into."""
    ancestors = _Ancestors(counts)
    done: list[SmallGroup] = []
    added: dict[tuple[tuple[str, Any], ...], list[npt.NDArray[Any]]] = {}
    for i in small.tolist():
        if drop:
            done.append(SmallGroup(groups[i], int(counts.rows[i]), "dropped"))
            continue
        own = counts.table[i]
        into, layers = groups[i], [layer[i] for layer in counts.layers]
        while into and layers[0].sum() < min_size:
            into, layers = ancestors.most_alike(into, own)
        done.append(SmallGroup(groups[i], int(counts.rows[i]), "merged", into))
        added.setdefault(tuple(into.items()), layers)
    layers = [layer[large] for layer in counts.layers]
    if added:
        layers = [
            np.concatenate([layer, [found[j] for found in added.values()]]) for j, layer in enumerate(layers)
        ]
    kept = tuple(groups[i] for i in large.tolist())
    return GroupTable((*kept, *(dict(key) for key in added)), layers, tuple(done))


class _Ancestors:
    """Counts of ancestors, summed up once for every requested set of attributes."""

    def __init__(self, counts: GroupCounts) -> None:
        self._counts = counts
        self._by_names: dict[tuple[str, ...], dict[Any, list[npt.NDArray[Any]]]] = {}

    def most_alike(self, group: Group, own: npt.NDArray[Any]) -> tuple[Group, list[npt.NDArray[Any]]]:
        """The parent of `group` under which the small leaf's rows are likeliest, and its counts."""
        parents = [{k: v for k, v in group.items() if k != freed} for freed in group]
        found = [(parent, self._layers(parent)) for parent in parents]
        # A parent without other rows says nothing of whom the leaf is like.
        return max(found, key=lambda p: (p[1][0].sum() > own.sum(), _likelihood(own, p[1][0])))

    def _layers(self, group: Group) -> list[npt.NDArray[Any]]:
        names = tuple(group)
        if names not in self._by_names:
            rolled = self._counts.rollup(names)
            self._by_names[names] = {
                leaf: [layer[i] for layer in rolled.layers] for i, leaf in enumerate(rolled.leaves)
            }
        return self._by_names[names][tuple(group.values())]


def _likelihood(own: npt.NDArray[Any], parent: npt.NDArray[Any]) -> float:
    """Log-likelihood of a leaf's table under the shares of its parent's other rows."""
    others = parent - own + 0.5
    return float((own * np.log(others / others.sum())).sum())
