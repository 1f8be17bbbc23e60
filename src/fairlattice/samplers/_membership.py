"""The membership model P(leaf | x): log-odds that add up over attributes.

A leaf with three rows says little by itself, but many other rows share its race, its sex or its age. So
P(leaf | x) is a softmax over the label's leaves whose slopes are sums, one part for each attribute's level, and
every row of the label teaches them. By Bayes' rule p(x | leaf) is then p(x) times P(leaf | x): rows of the label
drawn with these weights are drawn from the leaf, as far as effects add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from fairlattice._validation import FloatArray, IntArray

_STEPS = 40
_LOOSE = 0.01  # ridge of intercepts, relative to that of slopes: only there to make the answer unique
_LENGTH = 2.0  # of a typical row while learning, so that steps do not depend on the unit
_CHUNK = 4096  # rows at a time, which bounds memory where there are many leaves
_MOST_SCORES = 3_000_000  # rows times leaves, beyond which attributes are learned one by one


@dataclass(frozen=True)
class MembershipScores:
    """Log P(leaf | x) of rows, in parts that add up over attributes.

    Parameters
    ----------
    parts : float array of shape (n, R)
        A column for every level of every attribute.
    starts : int array of shape (p,)
        The first column of each attribute.
    """

    parts: FloatArray
    starts: IntArray

    def of(self, digits: IntArray) -> FloatArray:
        """Scores of leaves, of shape (n, k), whose levels are `digits`, of shape (p, k).

        Only differences within a column mean something.
        """
        total = np.zeros((len(self.parts), digits.shape[1]))
        for start, own in zip(self.starts, digits, strict=True):
            total += self.parts[:, start + own]
        return total

    def at(self, rows: IntArray) -> MembershipScores:
        """Those of some rows."""
        return MembershipScores(self.parts[rows], self.starts)


def fit_membership(
    X: FloatArray, digits: IntArray, thin: IntArray, *, levels: Sequence[int], spread: float
) -> MembershipScores:
    """Learn P(leaf | x) from the rows `thin` of X, and return the scores of all rows.

    Parameters
    ----------
    X : float array of shape (n, d)
        Rows of one label.
    digits : int array of shape (p, n)
        Their levels of the attributes.
    thin : int array of shape (m,)
        Rows to learn from; large leaves may be thinned, which changes intercepts only.
    levels : sequence of int
        How many levels each attribute has.
    spread : float
        Variance of the log-odds of a typical row before anything is learned, so that the ridge
        depends neither on the unit nor on the number of columns.
    """
    centre = X[thin].mean(axis=0)
    n_leaves = np.unique(digits, axis=1).shape[1]
    every = list(range(len(digits)))
    together = [every] if len(thin) * n_leaves <= _MOST_SCORES else [[i] for i in every]
    parts = [_softmax(X, centre, digits[axes], thin, [levels[i] for i in axes], spread) for axes in together]
    return MembershipScores(np.hstack(parts), np.cumsum([0, *levels])[:-1])


def _softmax(
    X: FloatArray, centre: FloatArray, digits: IntArray, thin: IntArray, levels: list[int], spread: float
) -> FloatArray:
    """Scores of all levels of some attributes; the denominator is taken from those of the first."""
    leaves, leaf, sizes = np.unique(digits, axis=1, return_inverse=True, return_counts=True)
    leaf = leaf.ravel()
    starts = np.cumsum([0, *levels])
    member = np.zeros((starts[-1], len(sizes)))  # which levels add up to which leaf
    for start, own in zip(starts[:-1], leaves, strict=True):
        member[start + own, np.arange(len(sizes))] = 1.0
    total = float(((X[thin] - centre) ** 2).sum()) / len(thin)
    scale = _LENGTH / np.sqrt(total) if total else 1.0
    rows = np.hstack([scale * (X[thin] - centre), np.ones((len(thin), 1))])
    ridge = np.append(np.ones(X.shape[1]), _LOOSE)[:, None] * (_LENGTH**2 / spread)
    start = np.zeros((rows.shape[1], starts[-1]))
    loss = _loss(rows, leaf[thin], member, ridge)
    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    slopes = found.x.reshape(start.shape)
    out = scale * ((X - centre) @ slopes[:-1]) + slopes[-1]
    # Learned with the offsets of thinned leaves, scored with those of all rows.
    for first in range(0, len(X), _CHUNK):
        scores = out[first : first + _CHUNK] @ member + np.log(sizes)
        top = scores.max(axis=1)
        sums = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
        out[first : first + _CHUNK, : levels[0]] -= sums[:, None]
    return np.asarray(out, dtype=np.float64)


def _loss(
    rows: FloatArray, leaf: IntArray, member: FloatArray, ridge: FloatArray
) -> Callable[[FloatArray], tuple[float, FloatArray]]:
    """Penalised negative log-likelihood of slopes, and its gradient."""
    each, shape = np.arange(len(rows)), (rows.shape[1], len(member))
    offset = np.log(np.bincount(leaf, minlength=member.shape[1]))

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        slopes = flat.reshape(shape)
        scores = (rows @ slopes) @ member + offset
        own = scores[each, leaf]
        top = scores.max(axis=1)
        np.exp(scores - top[:, None], out=scores)
        sums = scores.sum(axis=1)
        scores /= sums[:, None]
        scores[each, leaf] -= 1.0
        value = (top + np.log(sums) - own).sum() + 0.5 * (ridge * slopes**2).sum()
        return float(value), (rows.T @ (scores @ member.T) + ridge * slopes).ravel()

    return loss
