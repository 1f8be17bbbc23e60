"""The answers of an audit: which group fares worse, is a ratio below four fifths, was someone harmed.

Each is decided here and nowhere else; terminal, page, notebook and JSON take the verdict and its words as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairlattice.groups import Group
from fairlattice.metrics._claims import FOUR_FIFTHS, UNSURE
from fairlattice.metrics._harm import Harm
from fairlattice.metrics._impact import ImpactRatio
from fairlattice.metrics._leveling import GroupChange, LevelingDown
from fairlattice.metrics._needed import Needed, rows_needed

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit

WORSE_OFF, RATIO, HARM, LEVELING = "worse_off", "four_fifths", "harm", "leveling_down"
MARGIN = 0.05  # a gap that one would like to know about


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question.

    Parameters
    ----------
    question : {"worse_off", "four_fifths", "harm", "leveling_down"}
        Does some group fare worse than everyone else? Is some group's rate below four fifths of that of those it is
        compared with? Did some group's rate fall against the baseline? Does the model level down?
    verdict : {"yes", "no", "not enough data", "not seen"}
        The answer.
    rate : str or None
        Which rate it is about.
    group : dict or None
        The group that shows it most surely; None where no group is defined.
    n, rows : int or float
        Rows of this group that the rate is about, and all of its rows.
    other_n : int or float
        Rows of those it is compared with that the rate is about.
    value, other : float or None
        Its rate, and that of those whom it is compared with: everyone else, another group, or itself before.
    against : dict or None
        The group it is compared with; None for everyone else, and for the baseline.
    estimate, low, high : float or None
        The difference or ratio, and its interval.
    count : int
        How many groups, or groups' rates, show it.
    looked_at : int
        How many there are.
    limit : float
        The difference or ratio that the answer is about.
    needed : Needed or None
        About how many rows would be enough, where that is a realistic number.
    """

    question: str
    verdict: str
    rate: str | None = None
    group: Group | None = None
    n: int | float = 0
    rows: int | float = 0
    value: float | None = None
    other: float | None = None
    against: Group | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    count: int = 0
    looked_at: int = 0
    limit: float = 0.0
    needed: Needed | None = None
    other_n: int | float = 0


def verdicts_of(
    audit: Audit, *, harm: Harm | None = None, leveling: LevelingDown | None = None
) -> tuple[Verdict, ...]:
    """The answers in the order of the notion's rates; harm against a baseline comes first where there is any."""
    found = [] if harm is None else [harm_verdict(harm)]
    harmed, not_harmed = (found, []) if harm is not None and harm.fell else ([], found)
    worse = [worse_verdict(audit, rate) for rate in audit.judged]
    ratio = [] if audit.selection is None else [ratio_verdict(audit.impact_ratios(), audit.selection)]
    last = [] if leveling is None else [Verdict(LEVELING, leveling.verdict)]
    return (*harmed, *worse[:1], *ratio, *not_harmed, *worse[1:], *last)


def worse_verdict(audit: Audit, rate: str) -> Verdict:
    """Does some group, at any level, fare worse than everyone else?"""
    found = audit._one_rate(rate).level_gaps
    if found is None or not len(found.gaps.compared):
        return Verdict(WORSE_OFF, UNSURE, rate)
    gaps = found.gaps
    worse = gaps.surely_lower & (gaps.high < 0)
    verdict = "yes" if worse.any() else "no" if (gaps.low > -MARGIN).all() else UNSURE
    # The group whose gap is surely large, or might be: not the lowest rate, which is that of the fewest rows.
    j = int(np.argmin(np.where(worse, gaps.high, np.inf) if worse.any() else gaps.high))
    place = int(gaps.compared[j])
    gap, low, high = float(gaps.gap[j]), float(gaps.low[j]), float(gaps.high[j])
    n = found.own.trials[place].item()
    needed = None
    if verdict == UNSURE and gap < 0:
        needed = rows_needed(gap, low, max(high, 0.0), 0.0, float(n), gaps.confidence)
    group = found.groups[place]
    return Verdict(
        WORSE_OFF,
        verdict,
        rate,
        group,
        n,
        audit._rows_of(group),
        float(found.own.raw[place]),
        float(found.rest.raw[place]),
        None,
        gap,
        low,
        high,
        int(worse.sum()),
        len(gaps.compared),
        -MARGIN if verdict == "no" else 0.0,
        needed,
        found.rest.trials[place].item(),
    )


def ratio_verdict(ratios: Sequence[ImpactRatio], rate: str | None = None) -> Verdict:
    """Is some group's rate below four fifths of that of those it is compared with?"""
    known = [r for r in ratios if r.ratio is not None]
    others = [r for r in known if r.group != r.against]  # a group says nothing against itself
    if not others:
        return Verdict(RATIO, UNSURE, rate, limit=FOUR_FIFTHS)
    below = [r for r in others if r.verdict == "yes"]
    verdict = "yes" if below else "no" if all(r.verdict == "no" for r in others) else UNSURE
    r = min(below or others, key=lambda r: (r.high, r.ratio))
    return Verdict(
        RATIO,
        verdict,
        rate,
        r.group,
        r.n,
        r.n,
        r.rate,
        r.other_rate,
        r.against,
        r.ratio,
        r.low,
        r.high,
        len(below),
        len(others),
        FOUR_FIFTHS,
        other_n=r.other_n,
    )


def harm_verdict(found: Harm) -> Verdict:
    """Did some group's rate fall against the baseline?"""
    fell = found.fell
    c: GroupChange | None = (fell or found.changes or (None,))[0]
    if c is None:
        return Verdict(HARM, found.verdict, limit=-found.tolerance)
    return Verdict(
        HARM,
        found.verdict,
        c.rate,
        c.group,
        c.n,
        c.n,
        c.after,
        c.before,
        None,
        c.difference,
        c.low,
        c.high,
        len(fell),
        len(found.changes),
        -found.tolerance,
        c.needed if found.verdict == UNSURE and c.difference < 0 else None,
        c.n,
    )
