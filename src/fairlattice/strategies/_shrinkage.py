"""Shares per group, shrunk up the lattice: a small group borrows from the groups that free one of its attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from fairlattice._validation import FloatArray, IntArray
from fairlattice.groups import GroupLattice

KAPPA = 50.0  # rows that the mean of a group's parents counts as much as; one learned from the counts was no fairer


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """From sums over leaves to shares of leaves: ``(sum + κ · mean of the parents' shares) / (n + κ)``, all the way up.

    Parameters
    ----------
    everyone : float
        Rows of all leaves.
    steps : tuple
        For each set of attributes, parents first: its name, those of its parents, which leaves add up to the group of
        each leaf asked for, and how many rows that group has.
    leaves : int
        How many leaves are asked for.
    """

    everyone: float
    steps: tuple[tuple[tuple[str, ...], tuple[tuple[str, ...], ...], Any, FloatArray], ...] = field(
        repr=False
    )
    leaves: int

    @classmethod
    def of(cls, lattice: GroupLattice, known: IntArray, rows: FloatArray, asked: IntArray) -> Shrinkage:
        """For leaves that are `known` by some rows, and those that are `asked` for, which may have none.

        Parameters
        ----------
        known : int array of shape (k,)
            Leaf codes, increasing.
        rows : float array of shape (k,)
            Rows of each of them, above 0.
        asked : int array of shape (m,)
            Leaf codes.
        """
        steps = []
        for size in range(1, len(lattice.names) + 1):
            for names in combinations(lattice.names, size):
                parents = tuple(tuple(n for n in names if n != freed) for freed in names)
                groups, place = np.unique(lattice.project(known, names), return_inverse=True)
                wanted = lattice.project(asked, names)
                at = np.minimum(np.searchsorted(groups, wanted), len(groups) - 1)
                found = np.flatnonzero(groups[at] == wanted)
                adds = csr_array(
                    (np.ones(len(known)), (place, np.arange(len(known)))), (len(groups), len(known))
                )
                picks = csr_array((np.ones(len(found)), (found, at[found])), (len(asked), len(groups)))
                sums = picks @ adds
                steps.append((names, parents, sums, np.asarray(sums @ rows)[:, None]))
        return cls(float(rows.sum()), tuple(steps), len(asked))

    def shares(self, sums: FloatArray) -> FloatArray:
        """Shrunk shares of shape (m, c), of sums of shape (k, c) over the rows of each known leaf."""
        overall = sums.sum(axis=0) / self.everyone
        shares: dict[tuple[str, ...], FloatArray] = {
            (): np.broadcast_to(overall, (self.leaves, len(overall)))
        }
        last: tuple[str, ...] = ()
        for names, parents, adds, n in self.steps:
            mean = sum(shares[parent] for parent in parents) / len(parents)
            shares[names] = (adds @ sums + KAPPA * mean) / (n + KAPPA)
            last = names
        return shares[last]
