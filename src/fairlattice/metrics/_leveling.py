"""Leveling down: did fairness come from doing worse by those who were already worst off?

A mitigation levels down on a rate if it lowers DF or IFα while the worst-off group's rate falls
below what it was under the unconstrained model. Each claim has three verdicts, since a fall
within noise is neither proof of harm nor proof of none.

Where both models predicted the same rows, only those on which they differ count, and they show much
more than two separate rates do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fairlattice._validation import IntArray
from fairlattice.groups import Group, show_group
from fairlattice.metrics._claims import UNSURE
from fairlattice.metrics._intervals import newcombe_interval, paired_interval
from fairlattice.metrics._needed import Needed, rows_needed
from fairlattice.metrics._rates import Rates


@dataclass(frozen=True, slots=True)
class GroupChange:
    """How one group's rate changed; above 0 is a gain.

    Parameters
    ----------
    group : dict
        The group.
    rate : str
        Which rate.
    before, after : float
        The rate under either model.
    difference, low, high : float
        ``after - before`` and its interval; the claims of all groups hold together.
    n : int, default=0
        Rows that the rate is about.
    needed : Needed or None, default=None
        Where the change is within noise: about how many rows would show it, if it is what it seems.
    """

    group: Group
    rate: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    n: int = 0
    needed: Needed | None = None

    @property
    def lost(self) -> bool:
        """Whether the loss is real: the whole interval lies below 0."""
        return self.high < 0

    @property
    def gained(self) -> bool:
        """Whether the gain is real: the whole interval lies above 0."""
        return self.low > 0

    @property
    def verdict(self) -> str:
        """Did this group lose? "yes", "no" (it gained beyond noise), or "not enough data"."""
        return "yes" if self.lost else "no" if self.gained else UNSURE


@dataclass(frozen=True)
class LevelingDown:
    """Who lost and who gained, by how much, and whether fairness came from leveling down.

    Parameters
    ----------
    verdict : {"yes", "not enough data", "not seen"}
        Over all rates looked at; "not enough data" where it was fairer and the worst-off group fell, within noise;
        "not seen" where either did not happen. No test says that it did not.
    by_rate : mapping of str to str
        The verdict of every rate.
    changes : tuple of GroupChange
        Every group's change, the greatest loss first.
    """

    verdict: str
    by_rate: Mapping[str, str]
    changes: tuple[GroupChange, ...] = field(repr=False)

    @property
    def lost(self) -> tuple[GroupChange, ...]:
        """The changes that are losses beyond noise."""
        return tuple(c for c in self.changes if c.lost)

    @property
    def gained(self) -> tuple[GroupChange, ...]:
        """The changes that are gains beyond noise, the greatest first."""
        return tuple(c for c in reversed(self.changes) if c.gained)

    def __str__(self) -> str:
        lines = [
            f"{show_group(c.group)}: {c.rate} {c.before:.3f} -> {c.after:.3f} [{c.low:+.3f}, {c.high:+.3f}]"
            for c in (*self.lost, *self.gained)
        ]
        return "\n".join([f"leveling down: {self.verdict}", *lines])


def leveling_down_verdict(*, unfairness_fell: bool, worst_fell: bool, beyond_noise: bool) -> str:
    """The verdict of one rate: "yes", "not enough data" or "not seen".

    Examples
    --------
    >>> leveling_down_verdict(unfairness_fell=True, worst_fell=True, beyond_noise=False)
    'not enough data'
    """
    if not (unfairness_fell and worst_fell):
        return "not seen"
    return "yes" if beyond_noise else UNSURE


def overall_verdict(verdicts: Mapping[str, str]) -> str:
    """The gravest of several verdicts."""
    return next((v for v in ("yes", UNSURE) if v in verdicts.values()), "not seen")


def group_changes(
    rate: str, groups: Sequence[Group], before: Rates, after: Rates, each: float
) -> list[GroupChange]:
    """Changes of the groups whose rate both models define, taken for independent samples."""
    both = np.flatnonzero(before.defined & after.defined)
    pairs = [(r.successes[both], r.trials[both]) for r in (before, after)]
    difference, low, high = newcombe_interval(pairs[0], pairs[1], confidence=each)
    return [
        GroupChange(
            groups[i],
            rate,
            float(before.raw[i]),
            float(after.raw[i]),
            float(difference[j]),
            float(low[j]),
            float(high[j]),
            round(float(after.trials[i])),
        )
        for j, i in enumerate(both.tolist())
    ]


@dataclass(frozen=True, eq=False)
class Flips:
    """Of every group: rows that only the first model got right, only the second, and all there are.

    Parameters
    ----------
    lost, gained, kept, trials : int arrays of shape (m,)
        Successes of the first model only, of the second only, of both; and rows the rate is about.
    """

    lost: IntArray
    gained: IntArray
    kept: IntArray
    trials: IntArray

    @property
    def before(self) -> Rates:
        """The first model's rates."""
        return Rates(self.kept + self.lost, self.trials)

    @property
    def after(self) -> Rates:
        """The second model's rates."""
        return Rates(self.kept + self.gained, self.trials)


def confidence_of_claims(flips: Sequence[Flips], confidence: float) -> float:
    """Confidence of each interval so that no group is called changed in error, at the confidence stated.

    A group whose models differ on d rows can attain no p-value below ``2 · 2^-d``, so it needs no share
    of the allowed error where that is too large to count (Tarone). The error is split among the others.

    References
    ----------
    Tarone (1990), A modified Bonferroni method for discrete data, Biometrics 46(2):515-522.

    Examples
    --------
    >>> few = Flips(np.array([2, 30]), np.array([1, 10]), np.array([0, 0]), np.array([50, 90]))
    >>> round(confidence_of_claims([few], 0.95), 4)  # three rows prove nothing: one group is left
    0.95
    """
    differ = np.concatenate([np.atleast_1d(f.lost + f.gained) for f in flips])
    least = 2.0 ** (1.0 - np.minimum(differ, 1000))
    error = 1.0 - confidence
    shares = next(k for k in range(1, len(least) + 2) if (least <= error / k).sum() <= k)
    return 1.0 - error / shares


def paired_changes(rate: str, groups: Sequence[Group], flips: Flips, each: float) -> list[GroupChange]:
    """Changes of the groups on the same rows, with intervals of confidence `each`."""
    known = np.flatnonzero(flips.trials > 0)
    b, c, n = flips.lost[known], flips.gained[known], flips.trials[known]
    difference, low, high = paired_interval(b, c, n, confidence=each)
    before, after = flips.before.raw, flips.after.raw
    return [
        GroupChange(
            groups[i],
            rate,
            float(before[i]),
            float(after[i]),
            float(difference[j]),
            float(low[j]),
            float(high[j]),
            int(n[j]),
            rows_needed(float(difference[j]), float(low[j]), float(high[j]), 0.0, int(n[j]), each),
        )
        for j, i in enumerate(known.tolist())
    ]


def worst_fell(
    before: Rates, after: Rates, smoothing: float, confidence: float, flips: Flips | None = None
) -> tuple[bool, bool]:
    """Whether the lowest rate fell, and whether the data exclude that it did not.

    On the same rows, the group that is now the worst off must itself have lost beyond noise, as well as
    lie below the one that was worst off before.
    """
    old, new = (int(np.nanargmin(r.smoothed(smoothing))) for r in (before, after))
    fell = float(np.nanmin(after.smoothed(smoothing))) < float(np.nanmin(before.smoothed(smoothing)))
    beyond = True
    if flips is None or old != new:
        pair = [(r.successes[i : i + 1], r.trials[i : i + 1]) for r, i in ((before, old), (after, new))]
        beyond = bool(newcombe_interval(pair[0], pair[1], confidence=confidence)[2][0] < 0)
    if flips is not None:
        at = slice(new, new + 1)
        high = paired_interval(flips.lost[at], flips.gained[at], flips.trials[at], confidence=confidence)[2]
        beyond = beyond and bool(high[0] < 0)
    return fell, beyond
