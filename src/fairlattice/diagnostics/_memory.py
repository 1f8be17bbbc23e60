"""Do generated rows give away the rows that they were made from?

Everything is held against real rows that were *held out*: they were copied from nobody, so what they
show (two people who filled in the same few boxes) is not copying.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from fairlattice._validation import BoolArray, FloatArray, IntArray, check_real
from fairlattice.diagnostics._samples import as_samples


@dataclass(frozen=True, slots=True)
class Copy:
    """A generated row that lies suspiciously close to one training row.

    Parameters
    ----------
    row, nearest : int
        Number of the generated row, and of the training row (the first of equal ones).
    distance : float
        Between the two, in the units of the samples.
    kind : {"exact", "near"}
        Equal up to rounding, or far closer to this row than to any other.
    """

    row: int
    nearest: int
    distance: float
    kind: str


@dataclass(frozen=True, slots=True)
class Memory:
    """How much of the training rows shows in generated rows.

    Parameters
    ----------
    distance_ratio : float
        Median distance of generated rows to the closest training row, over that of held-out rows; at
        least 0. Near 1 is good; below 1, generated rows are closer to training rows than real rows are.
    exact, near : int
        Generated rows that equal a training row, and that lie near one. Small is good.
    exact_expected, near_expected : float
        How many there would be if generated rows were like held-out rows. Only what is beyond is copying.
    membership_advantage : float
        In [-1, 1]: 0 is good, the attacker guesses; at 1, whoever sees the generated rows knows who was in
        training.
    advantage_noise : float
        Standard deviation of the advantage where nothing leaks. Within twice this, it may be chance.
    copies : tuple of Copy
        The exact and the near ones, closest first.
    """

    distance_ratio: float
    exact: int
    near: int
    exact_expected: float
    near_expected: float
    membership_advantage: float
    advantage_noise: float
    copies: tuple[Copy, ...] = field(repr=False)

    @property
    def copied(self) -> float:
        """How many exact and near copies there are beyond what held-out rows show; at least 0."""
        beyond = self.exact + self.near - self.exact_expected - self.near_expected
        return max(0.0, beyond)


def memory(train: Any, generated: Any, held_out: Any, *, near: float = 0.1) -> Memory:
    """What generated rows give away of training rows.

    Parameters
    ----------
    train : array-like of shape (n, d)
        The rows that the generated ones were made from, all of them.
    generated : array-like of shape (m, d)
        The generated rows.
    held_out : array-like of shape (h, d)
        Real rows of the same kind that the generator never saw.
    near : float, default=0.1
        In [0, 1). A row is a near copy if its distance to the closest training row is below `near` times that
        to the next training row that differs from the closest. By chance this happens to about ``near^d`` of
        rows, if d is the number of directions in which rows vary: often for one or two columns, hardly ever
        for ten.

    Returns
    -------
    Memory
        Distances, copies, and the advantage of a membership attack. Where held-out rows' median distance is
        0, means stand in for medians; where these rows all equal training rows, the ratio is 1.

    Raises
    ------
    InputError
        If a sample has no rows, values that are not finite, or other columns than the others; or if `near`
        is out of range.

    Notes
    -----
    The attacker sees the generated rows, and calls a real row a member of the training rows if its distance
    to the closest generated row is small. The advantage is ``2 · AUC - 1``, with training and held-out
    rows as the two classes: twice the mean over thresholds of the attack's true-positive minus false-positive
    rate, so that no threshold is picked after the fact. If a share s of training rows is copied as it is, and
    nothing else leaks, it is s; for a bootstrap of the training rows, about ``1 - 1/e = 0.63``.

    References
    ----------
    Yeom et al. (2018), Privacy risk in machine learning: analyzing the connection to overfitting,
    arXiv:1709.01604. Stadler, Oprisanu & Troncoso (2022), Synthetic data: anonymisation groundhog day,
    arXiv:2011.07018.

    Examples
    --------
    >>> found = memory([[0.0], [1.0], [5.0]], [[1.0], [5.1]], [[3.0], [9.0]])
    >>> found.exact, found.near, found.membership_advantage
    (1, 1, 1.0)
    >>> [(c.row, c.nearest, c.kind) for c in found.copies]
    [(0, 1, 'exact'), (1, 2, 'near')]
    """
    t, g, h = as_samples({"train": train, "generated": generated, "held_out": held_out})
    check_real("near", near, 0.0, np.nextafter(1.0, 0.0))
    return RealRows.of(t, h, near).memory(g)


@dataclass(frozen=True, eq=False)
class RealRows:
    """Training and held-out rows, prepared for comparison with several samples of generated rows.

    Parameters
    ----------
    rows, held_out : float array
        The training rows, and real rows that were not trained on.
    first : int array
        Number of the first row in each set of equal training rows; sets are ordered by their coordinates.
    rounding : float
        Largest distance between rows that count as equal.
    near : float
        As in :func:`memory`.
    held_out_closest : _Closest
        Closest training row of every held-out row.
    """

    rows: FloatArray
    held_out: FloatArray
    first: IntArray
    rounding: float
    near: float
    held_out_closest: _Closest

    @classmethod
    def of(cls, rows: FloatArray, held_out: FloatArray, near: float = 0.1) -> RealRows:
        first = _first_of_each(rows)
        rounding = 1e-9 * float(np.abs(rows).max())
        closest = _closest(cdist(held_out, rows[first]), rounding, near)
        return cls(rows, held_out, first, rounding, near, closest)

    def memory(self, generated: FloatArray) -> Memory:
        """As :func:`memory`."""
        to_train = cdist(generated, self.rows)
        closest, real = _closest(to_train[:, self.first], self.rounding, self.near), self.held_out_closest
        distances = to_train.min(axis=0), cdist(generated, self.held_out).min(axis=0)
        t, h = len(self.rows), len(self.held_out)
        return Memory(
            distance_ratio=_ratio(closest.distance, real.distance, self.rounding),
            exact=int(closest.exact.sum()),
            near=int(closest.near.sum()),
            exact_expected=float(real.exact.mean() * len(generated)),
            near_expected=float(real.near.mean() * len(generated)),
            membership_advantage=_advantage(*distances, self.rounding),
            advantage_noise=float(np.sqrt((t + h + 1) / (3 * t * h))),
            copies=closest.copies(self.first),
        )


def _first_of_each(rows: FloatArray) -> IntArray:
    """Return the number of the first row in each set of equal rows; sets are ordered by their coordinates.

    ``np.unique`` with an axis uses a data type with one field per column, which is slow for many columns. Here, each
    row becomes bytes that sort like its numbers: the sign bit is inverted, and for negative numbers all other bits
    are, too.

    Examples
    --------
    >>> _first_of_each(np.array([[2.0, 1.0], [-3.0, 0.0], [2.0, -1.0], [-3.0, -0.0], [-4.0, 9.0]])).tolist()
    [4, 1, 2, 0]
    """
    bits = np.ascontiguousarray(rows + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    sign = np.uint64(1 << 63)
    ordered = np.where(bits & sign, ~bits, bits | sign).astype(">u8")
    found = np.unique(ordered.view(f"V{ordered.itemsize * ordered.shape[1]}").ravel(), return_index=True)[1]
    return np.asarray(found, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Closest:
    """The closest training row of every row of a sample, and whether the row is a copy of it."""

    place: IntArray
    distance: FloatArray
    exact: BoolArray
    near: BoolArray

    def copies(self, names: IntArray) -> tuple[Copy, ...]:
        rows = np.flatnonzero(self.exact | self.near)
        rows = rows[np.argsort(self.distance[rows], kind="stable")]
        return tuple(
            Copy(
                int(i),
                int(names[self.place[i]]),
                float(self.distance[i]),
                "exact" if self.exact[i] else "near",
            )
            for i in rows
        )


def _closest(distances: FloatArray, rounding: float, near: float) -> _Closest:
    """Find the closest training row of every row, from distances to training rows that all differ.

    Overwrites `distances`. As training rows differ, the second closest is never a copy of the closest.
    """
    place = distances.argmin(axis=1).astype(np.int64)
    distance = distances[np.arange(len(distances)), place]
    exact = distance <= rounding
    if distances.shape[1] < 2:  # one row shows neither near nor far
        return _Closest(place, distance, exact, np.zeros_like(exact))
    distances[np.arange(len(distances)), place] = np.inf
    second = distances.min(axis=1)
    return _Closest(place, distance, exact, ~exact & (distance < near * second))


def _ratio(generated: FloatArray, other: FloatArray, rounding: float) -> float:
    for centre in (np.median, np.mean):
        if centre(other) > rounding:
            return float(centre(generated) / centre(other))
    return 1.0


def _advantage(members: FloatArray, others: FloatArray, rounding: float) -> float:
    """``2 · AUC - 1`` of "a member is closer"; distances within rounding of 0 are tied."""
    n, m = len(members), len(others)
    both = np.concatenate([members, others])
    ranks = rankdata(np.where(both <= rounding, 0.0, both))
    wins = n * m - (ranks[:n].sum() - n * (n + 1) / 2)
    return float(2 * wins / (n * m) - 1)
