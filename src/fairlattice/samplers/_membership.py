"""The membership model P(leaf | x): log-odds that add up over attributes.

A leaf with three rows says little by itself, but many other rows share its race, its sex or its age. So
P(leaf | x) is a softmax over the label's leaves whose slopes are sums, one part for each attribute's level, and
every row of the label teaches them. By Bayes' rule p(x | leaf) is then p(x) times P(leaf | x): rows of the label
drawn with these weights are drawn from the leaf, as far as effects add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace
from scipy.optimize import minimize

from fairlattice._threads import one_thread
from fairlattice._validation import FloatArray, IntArray
from fairlattice.groups import GroupLattice
from fairlattice.samplers._cells import ranks
from fairlattice.samplers._device import as_numpy, on_device

_THIN = 200  # rows of a leaf to learn from
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


@dataclass(frozen=True)
class _Softmax:
    """Log-odds of the levels of some attributes, linear in a row.

    Parameters
    ----------
    centre : float array of shape (d,)
        Of the rows that it was learned from.
    scale : float
        By which rows are multiplied.
    slopes : float array of shape (d + 1, R)
        Of each level; the last ones are intercepts.
    member : float array of shape (R, k)
        1 where a level belongs to a leaf.
    sizes : int array of shape (k,)
        Rows of each leaf.
    first : int
        Levels of the first attribute, from whose scores the denominator is taken.
    device : str or None
        Where scores are computed.
    """

    centre: FloatArray
    scale: float
    slopes: FloatArray
    member: FloatArray
    sizes: IntArray
    first: int
    device: str | None

    @classmethod
    def fit(
        cls,
        X: FloatArray,
        digits: IntArray,
        thin: IntArray,
        levels: list[int],
        spread: float,
        device: str | None,
    ) -> _Softmax:
        centre = X[thin].mean(axis=0)
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
        loss = _loss(rows, leaf[thin], member, ridge, device)
        found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
        return cls(centre, scale, found.x.reshape(start.shape), member, sizes, levels[0], device)

    def scores(self, X: FloatArray) -> FloatArray:
        """Scores of the levels, of shape (n, R)."""
        arrays = (X, self.centre, self.slopes, self.member, np.log(self.sizes))
        given, centre, slopes, member, offset = (on_device(array, self.device) for array in arrays)
        xp = array_namespace(given)
        out = self.scale * ((given - centre) @ slopes[:-1]) + slopes[-1]
        # Learned with the offsets of thinned leaves, scored with those of all rows.
        for first in range(0, len(X), _CHUNK):
            scores = out[first : first + _CHUNK] @ member + offset
            top = xp.max(scores, axis=1)
            sums = top + xp.log(xp.sum(xp.exp(scores - top[:, None]), axis=1))
            out[first : first + _CHUNK, : self.first] -= sums[:, None]
        return np.asarray(as_numpy(out), dtype=np.float64)


@dataclass(frozen=True)
class MembershipModel:
    """Log P(leaf | x) of any rows.

    Parameters
    ----------
    parts : tuple of _Softmax
        For all attributes together, or for each of them.
    starts : int array of shape (p,)
        The first column of each attribute's scores.
    """

    parts: tuple[_Softmax, ...]
    starts: IntArray

    @classmethod
    def fit(
        cls,
        X: FloatArray,
        digits: IntArray,
        thin: IntArray,
        *,
        levels: Sequence[int],
        spread: float = 1.0,
        device: str | None = None,
    ) -> MembershipModel:
        """Learn P(leaf | x) from the rows `thin` of X.

        Parameters
        ----------
        X : float array of shape (n, d)
            Rows, of one label or of all.
        digits : int array of shape (p, n)
            Their levels of the attributes.
        thin : int array of shape (m,)
            Rows to learn from; large leaves may be thinned, which changes intercepts only.
        levels : sequence of int
            How many levels each attribute has.
        spread : float, default=1.0
            Variance of the log-odds of a typical row before anything is learned, so that the ridge
            depends neither on the unit nor on the number of columns.
        device : str, optional
            Device of PyTorch to compute on; by default NumPy. Probabilities agree to six digits.
        """
        n_leaves = np.unique(digits, axis=1).shape[1]
        every = list(range(len(digits)))
        together = [every] if len(thin) * n_leaves <= _MOST_SCORES else [[i] for i in every]
        with one_thread() if device is None else nullcontext():
            parts = [
                _Softmax.fit(X, digits[axes], thin, [levels[i] for i in axes], spread, device)
                for axes in together
            ]
        return cls(tuple(parts), np.cumsum([0, *levels])[:-1])

    def scores(self, X: FloatArray) -> MembershipScores:
        """The scores of rows of shape (n, d)."""
        return MembershipScores(np.hstack([part.scores(X) for part in self.parts]), self.starts)


@dataclass(frozen=True)
class LeafProbabilities:
    """P(leaf | x) over the leaves that have training rows.

    Parameters
    ----------
    model : MembershipModel
        Learned from rows of all labels.
    digits : int array of shape (p, k)
        Levels of each leaf.
    offsets : float array of shape (k,)
        Log of the rows of each leaf.
    """

    model: MembershipModel
    digits: IntArray
    offsets: FloatArray

    @classmethod
    def fit(
        cls,
        X: FloatArray,
        lattice: GroupLattice,
        leaves: IntArray,
        *,
        rng: np.random.Generator,
        device: str | None = None,
    ) -> LeafProbabilities:
        """Learn from rows X of shape (n, d) and their leaf codes; `rng` thins large leaves, `device` computes."""
        known, leaf, sizes = np.unique(leaves, return_inverse=True, return_counts=True)
        digits = np.array(lattice.digits(known))
        model = MembershipModel.fit(
            X, digits[:, leaf], thinned(leaf, rng), levels=lattice.shape, device=device
        )
        return cls(model, digits, np.log(sizes))

    def expected(self, X: FloatArray, values: FloatArray) -> FloatArray:
        """Mean over leaves, given each row's features, of values of shape (k, c); of shape (n, c)."""
        out = np.empty((len(X), values.shape[1]))
        for first in range(0, len(X), _CHUNK):
            out[first : first + _CHUNK] = self(X[first : first + _CHUNK]) @ values
        return out

    def __call__(self, X: FloatArray) -> FloatArray:
        """Probabilities of shape (n, k)."""
        scores = self.model.scores(X).of(self.digits) + self.offsets
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores


def thinned(leaves: IntArray, rng: np.random.Generator) -> IntArray:
    """Places of at most a given number of rows of each leaf that a model learns quickly, increasing."""
    shuffled = rng.permutation(len(leaves))
    order = shuffled[np.argsort(leaves[shuffled], kind="stable")]
    return np.sort(order[ranks(leaves[order]) < _THIN])


def _loss(
    rows: FloatArray, leaf: IntArray, member: FloatArray, ridge: FloatArray, device: str | None
) -> Callable[[FloatArray], tuple[float, FloatArray]]:
    """Penalised negative log-likelihood of slopes, and its gradient."""
    shape = (rows.shape[1], len(member))
    arrays = (
        rows,
        leaf,
        member,
        ridge,
        np.arange(len(rows)),
        np.log(np.bincount(leaf, minlength=member.shape[1])),
    )
    R, own_leaf, M, penalty, each, offset = (on_device(array, device) for array in arrays)
    xp = array_namespace(R)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        slopes = on_device(flat.reshape(shape), device)
        scores = (R @ slopes) @ M + offset
        own = scores[each, own_leaf]
        top = xp.max(scores, axis=1)
        scores -= top[:, None]
        xp.exp(scores, out=scores)
        sums = xp.sum(scores, axis=1)
        scores /= sums[:, None]
        scores[each, own_leaf] -= 1.0
        value = xp.sum(top + xp.log(sums) - own) + 0.5 * xp.sum(penalty * slopes**2)
        return float(value), as_numpy(R.T @ (scores @ M.T) + penalty * slopes).ravel()

    return loss
