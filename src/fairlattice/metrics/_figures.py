"""Figures that a limit can be set on: a rate's or notion's DF, IF, worst rate or ratio, as counted or corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairlattice._validation import check_choice
from fairlattice.exceptions import InputError
from fairlattice.metrics._disparities import disparity_of_rate
from fairlattice.metrics._intervals import simultaneous_confidence

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit

MEASURES = ("df", "if", "ratio", "worst")
LOW_IS_FAIR = ("df", "if")
ENDS = ("corrected", "value", "low", "high")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a rate or notion.

    Parameters
    ----------
    value : float
        As counted, of smoothed rates.
    low, high : float
        Its interval.
    corrected : float
        Its posterior median, where tiny groups borrow from their ancestors.
    """

    value: float
    low: float
    high: float
    corrected: float


def parse_figure(text: str) -> tuple[str, str, str]:
    """``selection_rate.ratio.low`` as rate or notion, measure and which figure, the last being "corrected" by default.

    Examples
    --------
    >>> parse_figure("tpr.df"), parse_figure("equalized_odds.if.value")
    (('tpr', 'df', 'corrected'), ('equalized_odds', 'if', 'value'))
    """
    parts = str(text).split(".")
    end = parts.pop() if len(parts) > 2 and parts[-1] in ENDS else "corrected"
    if len(parts) < 2:
        raise InputError(
            f"A figure is a rate or notion, a measure and which figure, as in tpr.df or selection_rate.ratio.low; "
            f"got {text!r}. Measures are {', '.join(MEASURES)}, figures {', '.join(ENDS)}."
        )
    measure = check_choice("measure", parts.pop(), MEASURES)
    return ".".join(parts), measure, end


def figure_of(audit: Audit, rate: str, measure: str) -> Figure:
    """DF and IFα as :meth:`Audit.disparity`; "ratio", the worst rate over the best; "worst", the worst rate.

    Of a notion of several rates it is the least fair.
    """
    check_choice("measure", measure, MEASURES)
    if measure in LOW_IS_FAIR:
        d = audit.disparity(rate, kind=measure)
        return Figure(d.value, d.low, d.high, d.corrected)
    names = audit.rates_of(rate)
    each = simultaneous_confidence(audit.confidence, len(names))
    of = _ratio if measure == "ratio" else _worst
    found = [of(audit, name, each) for name in names]
    return Figure(*(min(getattr(f, key) for f in found) for key in ("value", "low", "high", "corrected")))


def _ratio(audit: Audit, rate: str, confidence: float) -> Figure:
    """The worst rate over the best is exp(-DF), of the one outcome."""
    d = disparity_of_rate(audit, rate, confidence=confidence)
    return Figure(*(float(np.exp(-v)) for v in (d.value, d.high, d.low, d.corrected)))


def _worst(audit: Audit, rate: str, confidence: float) -> Figure:
    lowest, _ = audit._one_rate(rate).extremes
    tail = (1 - confidence) / 2
    low, corrected, high = np.quantile(lowest, [tail, 0.5, 1 - tail]).tolist()
    value = min(v for v in audit.smoothed(rate) if v is not None)
    return Figure(value, min(low, value), max(high, value), corrected)
