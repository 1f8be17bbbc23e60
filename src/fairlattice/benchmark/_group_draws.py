"""Joint draws of every group's rate under every strategy, paired by shared weights of the people.

With h_i the share of repeats in which a strategy is right on person i, and w_i ~ Exp(1) *shared by all strategies* (the
Bayesian bootstrap, Rubin 1981, doi:10.1214/aos/1176345338), a draw of group g's rate is

    θ_g = (Σ_i w_i h_i + A_g) / (Σ_i w_i + A_g + B_g),    A_g ~ Gamma(a_g), B_g ~ Gamma(b_g),

where Beta(a_g, b_g) is the prior that the lattice gives the group (:func:`fairlattice.metrics.partial_pooling`). Shared
weights pair the strategies: luck with the people is luck for all. The priors are drawn from normals that correlate
between strategies as their outcomes do within groups, since what misleads the prior of one misleads that of its like.
What the luck of the training rows adds is estimated from the repeats, which train on different folds, and added on the
logit scale.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import expit, logit

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.groups import GroupLattice
from fairlattice.metrics import Rates
from fairlattice.metrics._shared import Design, distinct_rows, draw_priors

POSTERIOR_RATES = ("tpr", "tnr", "accuracy", "selection_rate")
_LEAST_ROWS = 10  # of a group whose repeats say how much training rows matter
_MOST_WEIGHTS = 20_000_000  # people times draws in memory
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class People:
    """Who was tested, and what every strategy predicted for each person in each repeat.

    Parameters
    ----------
    lattice : GroupLattice
        The groups.
    leaves, truth : int arrays of shape (n,)
        Leaf code of every person, and whether the label is the positive one.
    predicted : int array of shape (strategies, repeats, n)
        1 where the positive label was predicted.
    names : tuple of str
        The strategies.
    """

    lattice: GroupLattice
    leaves: IntArray = field(repr=False)
    truth: IntArray = field(repr=False)
    predicted: IntArray = field(repr=False)
    names: tuple[str, ...]

    def of_rate(self, rate: str) -> tuple[IntArray, BoolArray]:
        """The people that a rate is about, and whether each strategy and repeat counts as a success for them."""
        if rate in ("tpr", "tnr"):
            people = np.flatnonzero(self.truth == (1 if rate == "tpr" else 0))
        else:
            people = np.arange(len(self.truth))
        predicted = self.predicted[:, :, people]
        success: BoolArray = predicted == (1 if rate == "selection_rate" else self.truth[people])
        return people, success


@dataclass(frozen=True, eq=False)
class GroupDraws:
    """Draws of one rate.

    Parameters
    ----------
    codes : int array of shape (m,)
        Leaf codes of the groups that have people whom the rate is about.
    people : int array of shape (m,)
        How many.
    theta : float array of shape (strategies, draws, m)
        The rates, in (0, 1).
    training_noise : float array of shape (strategies,)
        Variance on the logit scale that the luck of the training rows adds.
    """

    codes: IntArray
    people: IntArray
    theta: FloatArray = field(repr=False)
    training_noise: FloatArray


def draw_rate(
    people: People, rate: str, *, size: int, seed: int, groups: IntArray | None = None
) -> GroupDraws:
    """Joint draws of a rate of every group under every strategy.

    Parameters
    ----------
    people : People
        Whose outcomes count.
    rate : {"tpr", "tnr", "accuracy", "selection_rate"}
        The rate.
    size : int
        How many draws.
    seed : int
        Of the draws.
    groups : int array, optional
        Leaf codes to look at; by default all that have people.
    """
    whom, success = people.of_rate(rate)
    if groups is not None:
        kept = np.isin(people.leaves[whom], groups)
        whom, success = whom[kept], success[:, :, kept]
    codes, place, n = np.unique(people.leaves[whom], return_inverse=True, return_counts=True)
    sums = success.sum(axis=1)
    repeats = success.shape[1]
    design = Design.of([people.lattice.group(int(code)) for code in codes])
    bootstrap = np.random.default_rng([seed, POSTERIOR_RATES.index(rate)])
    weighted, total = _bootstrap(sums, place, len(codes), size, bootstrap)
    noise = np.array([_training_noise(own, place, n) for own in success])
    normals = paired_normals(sums, place, n, (size, 1 + len(design.blocks)), bootstrap)
    theta = np.empty((len(sums), size, len(codes)))
    for k, own in enumerate(sums):
        rng = np.random.default_rng([seed, POSTERIOR_RATES.index(rate), 1 + k])
        theta[k] = shrunk(weighted[k] / repeats, total, own / repeats, place, design, normals[k], rng)
        if noise[k] > 0:
            shift = np.sqrt(noise[k]) * rng.standard_normal((size, len(codes)))
            theta[k] = expit(logit(np.clip(theta[k], _TINY, 1 - _TINY)) + shift)
    return GroupDraws(codes, n, np.clip(theta, _TINY, 1 - _TINY), noise)


def _bootstrap(
    sums: IntArray, place: IntArray, m: int, size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Weighted successes of every strategy and group, (strategies, size, m), and weights of all people, (size, m).

    People of a group with equal outcomes under all strategies share a Gamma weight, which is the sum of theirs.
    """
    at, kind = distinct_rows(place, *sums)
    kinds, count = np.vstack([place, sums])[:, at].T, np.bincount(kind)
    starts, many = np.searchsorted(kinds[:, 0], np.arange(m + 1)), np.flatnonzero(count > 1)
    weighted, total = np.empty((len(sums), size, m)), np.empty((size, m))
    step = max(1, _MOST_WEIGHTS // len(kinds))
    for first in range(0, size, step):
        rows = slice(first, min(first + step, size))
        weights = rng.standard_exponential((rows.stop - first, len(kinds)))
        weights[:, many] = rng.gamma(count[many].astype(np.float64), size=(rows.stop - first, len(many)))
        for g, (start, end) in enumerate(pairwise(starts)):
            own = weights[:, start:end]
            total[rows, g] = own.sum(axis=1)
            weighted[:, rows, g] = (own @ kinds[start:end, 1:]).T
    return weighted, total


def paired_normals(
    sums: Any, place: IntArray, n: IntArray, shape: tuple[int, int], rng: np.random.Generator
) -> FloatArray:
    """Standard normals, (strategies, *shape), that correlate between strategies as people's outcomes do in groups."""
    around = np.array([own - (np.bincount(place, weights=own) / n)[place] for own in sums])
    scale = np.sqrt((around**2).sum(axis=1))
    around /= np.where(scale > 0, scale, 1.0)[:, None]
    correlation = around @ around.T
    np.fill_diagonal(correlation, 1.0 + _TINY)  # a root exists also where two strategies predict the same
    root = np.linalg.cholesky(correlation)
    return np.asarray(np.tensordot(root, rng.standard_normal((len(sums), *shape)), 1))


def shrunk(
    weighted: FloatArray,
    total: FloatArray,
    right: FloatArray,
    place: IntArray,
    design: Design,
    normals: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Draws of one strategy's rates, (size, m): weighted successes and weights, and what the prior counts as.

    `right` is how often the strategy is right on each person, `place` the group of each.
    """
    n = np.bincount(place).astype(np.float64)
    a, b = draw_priors(Rates(np.bincount(place, weights=right), n), design, normals)
    a, b = rng.gamma(a), rng.gamma(b)
    theta: FloatArray = (weighted + a) / (total + a + b)
    return theta


def _training_noise(success: BoolArray, place: IntArray, n: IntArray) -> float:
    """Variance of a group's logit from one training set to another, from how far the repeats lie apart.

    The squared difference of two repeats' logits, less what people whose repeats disagree add to it by themselves; the
    mean over groups of at least ten people, by their number, and over neighbouring repeats.
    """
    large = n >= _LEAST_ROWS
    if len(success) < 2 or not large.any():
        return 0.0
    found = []
    for one, other in pairwise(success):
        first, second = (np.bincount(place, weights=each, minlength=len(n)) for each in (one, other))
        disagree = np.bincount(place, weights=one != other, minlength=len(n))
        logits = [logit((s + 0.5) / (n + 1.0)) for s in (first, second)]
        mean = (first + second + 1.0) / (2.0 * n + 2.0)
        own = disagree / (n * mean * (1.0 - mean)) ** 2
        found.append(np.average(((logits[0] - logits[1]) ** 2 - own)[large], weights=n[large]))
    return max(0.0, float(np.mean(found)))
