"""What an experiment over seeds says of every method: joint draws over people and over seeds.

Each seed trains every method on other rows and tests it on some people. A draw weighs the people, w_i ~ Exp(1), and the
seeds, u_s, both shared by all methods, so that luck with people or splits is luck for all. A group's rate is the mean
over the models of all seeds, shrunk by the prior that the lattice gives it, as in a comparison:

    θ_g = (n_g · Σ_s u_s Σ_i w_i right_is / Σ_s u_s Σ_i w_i + A_g) / (n_g + A_g + B_g),    n_g = Σ_i w_i,

with i over the group's people whom seed s tested, and n_g over all of its people who were tested at all: a person
tested five times is one person. The weights u_s ~ Gamma((S − 2) / S) give a mean over S seeds its variance s²/S, which
those of the plain Bayesian bootstrap understate for few seeds. Fewer than three seeds say nothing of their own noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fairlattice._threads import one_thread
from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.benchmark._group_draws import GroupDraws, paired_normals, shrunk
from fairlattice.benchmark._posterior import JointDraws
from fairlattice.groups import GroupLattice
from fairlattice.metrics._shared import Design

LEAST_SEEDS = 3
_DRAWS = 1000
_MOST_ENTRIES = 20_000_000  # numbers of one matrix in memory
_TINY = 1e-9

_Ones = npt.NDArray[np.float32]  # of 0 and 1: there may be many


@dataclass(frozen=True, eq=False)
class SeedOutcomes:
    """Whom each seed tested, and on whom each method was right.

    Parameters
    ----------
    leaves, truth : int arrays of shape (n,)
        Every person's leaf, and whether the label is the positive one.
    rows : sequence of int arrays
        For each seed, the people tested.
    right : mapping of str to sequence of bool arrays
        For each method and seed, whether it was right on them.
    """

    leaves: IntArray
    truth: IntArray
    rows: Sequence[IntArray] = field(repr=False)
    right: Mapping[str, Sequence[BoolArray]] = field(repr=False)

    def of_label(self, label: int) -> tuple[IntArray, _Ones, _Ones]:
        """The people with a label, by leaf; who was tested, and who rightly.

        Row numbers; 1 where a seed tested a person, (people, seeds); 1 where a method was right, (people, methods,
        seeds).
        """
        known = np.zeros(len(self.truth), dtype=bool)
        for rows in self.rows:
            known[rows] = True
        people = np.flatnonzero(known & (self.truth == label))
        people = people[np.argsort(self.leaves[people], kind="stable")]
        place = np.full(len(self.truth), -1)
        place[people] = np.arange(len(people))
        tested = np.zeros((len(people), len(self.rows)), dtype=np.float32)
        right = np.zeros((len(people), len(self.right), len(self.rows)), dtype=np.float32)
        for s, rows in enumerate(self.rows):
            own = place[rows] >= 0
            tested[place[rows[own]], s] = 1.0
            for k, of_seeds in enumerate(self.right.values()):
                right[place[rows[own]], k, s] = of_seeds[s][own]
        return people, tested, right


@dataclass(frozen=True, eq=False)
class SeedPosterior(JointDraws):
    """Joint draws of every figure of the methods of an experiment.

    Parameters
    ----------
    names : tuple of str
        The methods.
    lattice : GroupLattice
        The groups.
    tested : SeedOutcomes
        Whose outcomes count.
    alpha : float
        Weight of the absolute part of IFα.
    seed : int
        Of the draws.
    """

    names: tuple[str, ...]
    lattice: GroupLattice
    tested: SeedOutcomes
    alpha: float = 0.5
    seed: int = 0

    @cached_property
    def rates(self) -> dict[str, GroupDraws]:
        """Draws of the true-positive and the true-negative rate of every group."""
        return {rate: drawn for rate, (drawn, _) in self._drawn.items()}

    @cached_property
    def balanced_accuracy(self) -> FloatArray:
        """Draws of balanced accuracy, of shape (methods, draws)."""
        return np.asarray(np.mean([overall for _, overall in self._drawn.values()], axis=0))

    @cached_property
    def _drawn(self) -> dict[str, tuple[GroupDraws, FloatArray]]:
        seeds = len(self.tested.rows)
        rng = np.random.default_rng([self.seed, 12])
        shape = (seeds - 2) / seeds if seeds >= LEAST_SEEDS else 1.0
        weights = rng.gamma(shape, size=(_DRAWS, seeds)) + _TINY
        with one_thread():
            return {
                rate: self._of_label(label, weights / weights.sum(axis=1, keepdims=True))
                for rate, label in (("tpr", 1), ("tnr", 0))
            }

    def _of_label(self, label: int, seeds: FloatArray) -> tuple[GroupDraws, FloatArray]:
        """Draws of the groups' rates, and of everyone's, for the people with a label."""
        people, tested, right = self.tested.of_label(label)
        codes, place, n = np.unique(self.tested.leaves[people], return_inverse=True, return_counts=True)
        rng = np.random.default_rng([self.seed, 13, label])
        hits, tries, total = _weighted(tested, right, n, seeds, rng)
        ratio = hits / np.maximum(tries, _TINY)
        mean = (right.sum(axis=2) / tested.sum(axis=1)[:, None]).T  # of each method, for every person
        design = Design.of([self.lattice.group(int(code)) for code in codes])
        normals = paired_normals(mean, place, n, (_DRAWS, 1 + len(design.blocks)), rng)
        theta = np.empty_like(ratio)
        for k, own in enumerate(mean):
            theta[k] = shrunk(total * ratio[k], total, own, place, design, normals[k], rng)
        drawn = GroupDraws(codes, n, np.clip(theta, _TINY, 1 - _TINY), np.zeros(len(mean)))
        return drawn, hits.sum(axis=-1) / tries.sum(axis=-1)


def _weighted(
    tested: _Ones, right: _Ones, n: IntArray, seeds: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted successes, (methods, draws, groups), weighted tests, and weights of the people, (draws, groups)."""
    draws, methods = len(seeds), right.shape[1]
    hits = np.zeros((methods, draws, len(n)))
    tries, total = np.zeros((draws, len(n))), np.zeros((draws, len(n)))
    step = max(1, _MOST_ENTRIES // draws)
    ends = np.cumsum(n)
    for g, (start, end) in enumerate(zip(ends - n, ends, strict=True)):
        for first in range(start, end, step):
            own = slice(first, min(first + step, end))
            weights = rng.standard_exponential((draws, own.stop - own.start), dtype=np.float32)
            of_seed = weights @ right[own].reshape(own.stop - own.start, -1)
            hits[:, :, g] += np.einsum("dks,ds->kd", of_seed.reshape(draws, methods, -1), seeds)
            tries[:, g] += ((weights @ tested[own]) * seeds).sum(axis=1)
            total[:, g] += weights.sum(axis=1)
    return hits, tries, total
