"""Whom a strategy hurts and whom it serves better, group by group, and whether it levels down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fairlattice.benchmark._posterior import JointDraws, sure_signs
from fairlattice.groups import Group
from fairlattice.metrics._shared import UNSURE

RATES = ("tpr", "tnr")
_SURE = 0.95


@dataclass(frozen=True, slots=True)
class GroupShift:
    """A group's rate under the baseline and under a strategy.

    Parameters
    ----------
    group : Group
        The group.
    rate : str
        "tpr" or "tnr".
    people : int
        How many people the rate is about.
    before, after : float
        Posterior medians of the rate.
    low, high : float
        95 % interval of the difference.
    probability_fell : float
        Posterior probability that the rate is lower under the strategy.
    """

    group: Group
    rate: str
    people: int
    before: float
    after: float
    low: float
    high: float
    probability_fell: float


@dataclass(frozen=True)
class GroupShifts:
    """The groups whose rates changed beyond noise.

    Parameters
    ----------
    fell, rose : tuple of GroupShift
        Those whose rate is lower, and higher; the largest change first. At most 2.5 % of the signs are expected to be
        wrong.
    """

    fell: tuple[GroupShift, ...]
    rose: tuple[GroupShift, ...]


@dataclass(frozen=True)
class LevelingDown:
    """Whether a strategy looks fairer while its worst-off group fares worse.

    Parameters
    ----------
    verdict : {"yes", "no", "not enough data"}
        The worst over the rates.
    by_rate : mapping of str to str
        The verdict for each rate.
    probability : mapping of str to float
        Posterior probability that DF or IF is lower while the lowest rate is lower too.
    """

    verdict: str
    by_rate: Mapping[str, str]
    probability: Mapping[str, float] = field(repr=False)


def harm_of(posterior: JointDraws, name: str, baseline: str) -> GroupShifts:
    """Every group's change, by joint draws."""
    ours, theirs = (posterior.names.index(n) for n in (name, baseline))
    shifts = []
    for rate in RATES:
        drawn = posterior.rates[rate]
        before, after = drawn.theta[theirs], drawn.theta[ours]
        low, high = np.quantile(after - before, [0.025, 0.975], axis=0)
        fell = (after < before).mean(axis=0) + (after == before).mean(axis=0) / 2
        medians = [np.median(each, axis=0) for each in (before, after)]
        shifts += [
            GroupShift(
                posterior.lattice.group(int(code)),
                rate,
                int(drawn.people[g]),
                float(medians[0][g]),
                float(medians[1][g]),
                float(low[g]),
                float(high[g]),
                float(fell[g]),
            )
            for g, code in enumerate(drawn.codes)
        ]
    sure = [
        s for s, known in zip(shifts, sure_signs([s.probability_fell for s in shifts]), strict=True) if known
    ]
    ordered = sorted(sure, key=lambda s: s.after - s.before)
    fell_ = tuple(s for s in ordered if s.probability_fell > 0.5)
    rose = tuple(s for s in reversed(ordered) if s.probability_fell <= 0.5)
    return GroupShifts(fell_, rose)


def leveling_down_of(posterior: JointDraws, name: str, baseline: str) -> LevelingDown:
    """A verdict from joint draws; without enough certainty either way it is "not enough data"."""
    probability, verdicts = {}, {}
    for rate in RATES:
        fell = posterior.draws(name, f"{rate}.worst") < posterior.draws(baseline, f"{rate}.worst")
        fairer = np.zeros(len(fell), dtype=bool)
        for kind in ("if", "df"):
            fairer |= posterior.draws(name, f"{rate}.{kind}") < posterior.draws(baseline, f"{rate}.{kind}")
        p = float((fell & fairer).mean())
        probability[rate] = p
        verdicts[rate] = "yes" if p >= _SURE else "no" if p <= 1 - _SURE or name == baseline else UNSURE
    order = ("yes", UNSURE, "no")
    return LevelingDown(min(verdicts.values(), key=order.index), verdicts, probability)
