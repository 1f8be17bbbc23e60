"""Claims with three verdicts: yes, no, or not enough data, and then about how many rows would be enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairlattice._validation import check_real
from fairlattice.groups import Group
from fairlattice.metrics._disparities import disparity_of_rate
from fairlattice.metrics._everyone_else import gaps_to_others, rates_of_others
from fairlattice.metrics._fairness import Disparity, greatest, log_ratio
from fairlattice.metrics._needed import LEAST_ROWS, Needed, rows_needed
from fairlattice.metrics._rates import Rates

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit

FOUR_FIFTHS = 0.8
_LIMIT = math.log(1 / FOUR_FIFTHS)  # of a ratio of rates, as DF takes it
UNSURE = "not enough data"


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about a rate, and whether the data support it.

    Parameters
    ----------
    statement : str
        The claim.
    rate : str
        Which rate.
    group : dict or None
        The group that it is about.
    verdict : {"yes", "no", "not enough data"}
        What the interval says.
    estimate, low, high : float
        The figure that the claim is about, and its interval.
    needed : Needed or None
        Where data do not suffice: about how many rows (that the rate is about) would, if the estimate stays
        what it is; None where data suffice, and where no realistic number would do.
    """

    statement: str
    rate: str
    group: Group | None
    verdict: str
    estimate: float
    low: float
    high: float
    needed: Needed | None


def verdict_of(low: float, high: float, limit: float) -> str:
    """Is it above the limit? "yes" or "no" where the whole interval says so.

    Examples
    --------
    >>> verdict_of(0.1, 0.3, 0.2)
    'not enough data'
    """
    return "yes" if low > limit else "no" if high < limit else UNSURE


def four_fifths_claim(rate: str, found: Disparity, most: float, n: int, confidence: float) -> Claim:
    """Does some group's rate lie below four fifths of another's?

    "No" only if exact simultaneous intervals of all groups rule it out: `most` is the most that they allow.
    """
    # With more rows the corrected figure moves towards the value, so the harder of the two counts.
    guesses = [
        rows_needed(at, found.low, most, _LIMIT, n, confidence) for at in (found.corrected, found.value)
    ]
    needed = [rows for rows in guesses if rows is not None]
    return Claim(
        f"some group's {rate} is below four fifths of another's",
        rate,
        None,
        verdict_of(found.low, most, _LIMIT),
        found.corrected,
        found.low,
        found.high,
        max(needed, key=lambda rows: rows.high) if len(needed) == len(guesses) else None,
    )


def worse_claims(
    rate: str, groups: Sequence[Group], own: Rates, rest: Rates, *, margin: float, confidence: float
) -> list[Claim]:
    """Of every group: is its rate more than `margin` below that of everyone else?

    The intervals of all groups hold together at `confidence` (Šidák).
    """
    gaps = gaps_to_others(own, rest, confidence)
    # How far below is what the claim is about.
    gap, low, high = -gaps.gap, -gaps.high, -gaps.low
    least = np.where(gaps.surely_lower, low, np.minimum(low, margin))
    columns = (a.tolist() for a in (gaps.compared, own.trials[gaps.compared], gap, low, high, least))
    statement = f"{rate} more than {margin:g} below that of everyone else"
    return [
        Claim(
            statement,
            rate,
            groups[place],
            verdict_of(least, high, margin),
            gap,
            low,
            high,
            rows_needed(gap, low, high, margin, n, gaps.confidence) if n >= LEAST_ROWS else None,
        )
        for place, n, gap, low, high, least in zip(*columns, strict=True)
    ]


def claims_of(audit: Audit, rate: str, margin: float) -> tuple[Claim, ...]:
    """The four-fifths rule first, then every group against everyone else; see :meth:`Audit.claims`."""
    check_real("margin", margin, 0.0, 1.0)
    rates, confidence = audit._rates(rate), audit.confidence
    # The rule is about being selected, so refusals do not count here.
    found = disparity_of_rate(audit, rate, confidence=confidence)
    everyone = audit.counts.rollup(()).layers
    total = round(float(audit._rates_of(everyone, rate).trials[0]))
    others = rates_of_others(everyone, audit.table.layers, audit.counts.classes, rate, audit.positive)
    worse = worse_claims(rate, audit.groups, rates, others, margin=margin, confidence=confidence)
    most = greatest(rates, log_ratio, confidence)
    return (four_fifths_claim(rate, found, most, total, confidence), *worse)
