"""Disparities of an audit: the worst over a notion's rates, with draws that are made once for each rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fairlattice._validation import check_choice
from fairlattice.metrics._fairness import (
    Disparity,
    Measure,
    alpha_measure,
    disparity,
    log_ratio,
    measure_value,
)
from fairlattice.metrics._homogeneity import either
from fairlattice.metrics._intervals import simultaneous_confidence
from fairlattice.metrics._rates import is_selection

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit


def disparity_of(audit: Audit, measure: str, kind: str, alpha: float | None) -> Disparity:
    """DF or IFα of a rate or notion; see :meth:`Audit.disparity`."""
    check_choice("kind", kind, ("df", "if"))
    names = audit.rates_of(measure)
    # Each rate's interval gets its share of the error.
    each = simultaneous_confidence(audit.confidence, len(names))
    both, of = both_outcomes_count(measure, kind), measure_of(audit, kind, alpha)
    found = [disparity_of_rate(audit, name, of, confidence=each, both_outcomes=both) for name in names]
    worst = max(found, key=lambda d: d.value)
    return replace(
        worst,
        low=max(d.low for d in found),
        high=max(d.high for d in found),
        corrected=max(d.corrected for d in found),
        p_value=either([d.p_value for d in found]),
    )


def disparity_of_rate(
    audit: Audit,
    rate: str,
    measure: Measure = log_ratio,
    *,
    confidence: float,
    both_outcomes: bool = False,
) -> Disparity:
    """A measure of one rate, by default DF of the one outcome, also where the other one counts too."""
    one = audit._one_rate(rate)
    return disparity(
        one.rates,
        measure,
        one.extremes,
        smoothing=audit.smoothing,
        confidence=confidence,
        p_value=one.p_value,
        both_outcomes=both_outcomes,
    )


def value_of(audit: Audit, measure: str, kind: str, alpha: float | None = None) -> float:
    """The figure alone, without draws."""
    both, of = both_outcomes_count(measure, kind), measure_of(audit, kind, alpha)
    return max(
        measure_value(audit._rates(name), of, smoothing=audit.smoothing, both_outcomes=both)
        for name in audit.rates_of(measure)
    )


def measure_of(audit: Audit, kind: str, alpha: float | None) -> Measure:
    """DF, or IFα with the audit's α unless another is given."""
    return log_ratio if kind == "df" else alpha_measure(audit.alpha if alpha is None else alpha)


def both_outcomes_count(measure: str, kind: str) -> bool:
    """Whether ratios of those not selected are taken as well."""
    return kind == "df" and is_selection(measure)
