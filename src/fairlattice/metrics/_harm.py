"""Harm: did some group's rate fall against a baseline, whatever the measures of fairness do?

Groups of every level of the lattice are looked at, since a loss of a few points of all women is seen in no small
intersection. Where both models decided on the same rows, only rows on which they differ count: exact tests (McNemar),
the allowed error split among the groups that could show anything at all (Tarone). So where nothing changed, some group
is reported in at most 5 % of cases, for any number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fairlattice.groups import Group, show_group
from fairlattice.metrics._claims import UNSURE
from fairlattice.metrics._intervals import newcombe_interval, simultaneous_confidence
from fairlattice.metrics._leveling import Flips, GroupChange, confidence_of_claims, paired_changes
from fairlattice.metrics._rates import Rates


@dataclass(frozen=True)
class Harm:
    """The groups whose rates changed beyond noise.

    Parameters
    ----------
    verdict : {"yes", "no", "not enough data"}
        Did some group's rate fall by more than the tolerance? "no" where every interval excludes it.
    tolerance : float
        The fall that is accepted, in [0, 1].
    changes : tuple of GroupChange
        Of groups at every level, the greatest loss first.
    """

    verdict: str
    tolerance: float
    changes: tuple[GroupChange, ...] = field(repr=False)

    @property
    def fell(self) -> tuple[GroupChange, ...]:
        """The rates that fell by more than the tolerance, beyond noise; the greatest loss first."""
        return tuple(c for c in self.changes if c.high < -self.tolerance)

    @property
    def rose(self) -> tuple[GroupChange, ...]:
        """The rates that rose beyond noise, the greatest gain first."""
        return tuple(c for c in reversed(self.changes) if c.gained)

    def __str__(self) -> str:
        shown = [
            f"{show_group(c.group)}: {c.rate} {c.before:.3f} -> {c.after:.3f} [{c.low:+.3f}, {c.high:+.3f}]"
            for c in (*self.fell, *self.rose)
        ]
        return "\n".join([f"harm: {self.verdict}", *shown])


def harm_of(changes: Sequence[GroupChange], tolerance: float) -> Harm:
    """The verdict on some groups' changes, whose intervals hold together."""
    ranked = tuple(sorted(changes, key=lambda c: (c.difference, -c.n)))
    if any(c.high < -tolerance for c in ranked):
        verdict = "yes"
    else:
        verdict = "no" if ranked and all(c.low >= -tolerance for c in ranked) else UNSURE
    return Harm(verdict, tolerance, ranked)


def paired_harm(
    groups: Sequence[Group],
    flips: Mapping[str, Flips],
    confidence: float,
) -> list[GroupChange]:
    """Changes of all rates on the same rows; all intervals hold together."""
    known = {rate: f for rate, f in flips.items() if f.trials.any()}
    if not known:
        return []
    each = confidence_of_claims(list(known.values()), confidence)
    return [c for rate, f in known.items() for c in paired_changes(rate, groups, f, each)]


def independent_harm(
    groups: Sequence[Group],
    rates: Sequence[str],
    rates_of: Callable[[str], tuple[Rates, Rates]],
    confidence: float,
) -> list[GroupChange]:
    """Changes of all rates between independent samples, or where each model has its own rows, as with the PPV."""
    pairs = {rate: rates_of(rate) for rate in rates}
    both = {rate: np.flatnonzero(old.defined & new.defined) for rate, (old, new) in pairs.items()}
    each = simultaneous_confidence(confidence, sum(map(len, both.values())))
    found = []
    for rate, (old, new) in pairs.items():
        place = both[rate]
        sides = [(r.successes[place], r.trials[place]) for r in (old, new)]
        # Far out in the tails, where the share of each of many groups lies, only exact intervals hold.
        gap, low, high = newcombe_interval(sides[0], sides[1], confidence=each, interval="clopper-pearson")
        found += [
            GroupChange(
                groups[i], rate, float(old.raw[i]), float(new.raw[i]), float(gap[j]), float(low[j]), float(high[j]),
                round(float(new.trials[i])),
            )
            for j, i in enumerate(place.tolist())
        ]  # fmt: skip
    return found
