"""Attributes recorded with error: how far can DF and IFα be off?

If at most a share e of the rows recorded in any group belong elsewhere, and at most a share e of any
group's rows are recorded elsewhere, then a group's true rate lies within e of the recorded one. Nothing is
assumed about who is recorded wrongly, so the bounds are wide; as groups exchange rows, they need not be
attained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fairlattice._validation import FloatArray, check_columns_exist, check_real
from fairlattice.exceptions import InputError
from fairlattice.metrics._audit import Audit
from fairlattice.metrics._disparities import both_outcomes_count, measure_of, value_of
from fairlattice.metrics._fairness import Measure


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range of a measure over all ways in which attributes may be recorded wrongly.

    Parameters
    ----------
    value : float
        The measure of the rates as recorded.
    low : float
        The least it can be.
    high : float or None
        The most it can be; None where it has no bound, since some group's true rate may be 0.
    """

    value: float
    low: float
    high: float | None


def misrecording_bounds(
    audit: Audit, errors: Mapping[str, float], *, measure: str = "tpr"
) -> dict[str, Bounds]:
    """Bounds on DF and IFα where attributes are recorded with error.

    Parameters
    ----------
    audit : Audit
        The audit of the attributes as recorded.
    errors : mapping of str to float
        For every attribute that has any, its misclassification rate in [0, 1]: the most rows, among those
        that a rate is about, that are wrong in any recorded intersection or missing from any true one.
        Errors of several attributes may hit different rows, so they add up: ``e = min(1, Σ error)``.
    measure : str, default="tpr"
        The rate or notion.

    Returns
    -------
    dict
        "df" and "if" to their bounds, small is fair. With recorded rates m the true ones lie in
        ``[m - e, m + e]``, and the measures are at their least and greatest over that box. Noise of small
        groups comes on top.

    Raises
    ------
    InputError
        If there is no such attribute, or an error rate is out of range.
    UndefinedRateError
        If no group has a row that the rate is about.

    References
    ----------
    Wang, Guo, Narasimhan, Cotter, Gupta & Jordan (2020), Robust optimization for fairness with noisy
    protected groups, NeurIPS, arXiv:2002.09343: a group's rate moves by no more than the distance in total
    variation between its recorded and its true rows.

    Examples
    --------
    >>> import fairlattice as fl
    >>> y, p = [1] * 200, [1] * 160 + [0] * 40
    >>> audit = fl.audit(y, p, sensitive_features={"sex": ["f"] * 100 + ["m"] * 100}, positive=1)
    >>> found = misrecording_bounds(audit, {"sex": 0.1})
    >>> print(round(found["if"].value, 2), round(found["if"].low, 2), round(found["if"].high, 2))
    0.4 0.26 0.5
    """
    if not isinstance(errors, Mapping):
        raise InputError(f"`errors` must map attributes to error rates, got {type(errors).__name__}.")
    check_columns_exist(errors, audit.counts.lattice.names)
    for name, error in errors.items():
        check_real(f"errors[{name!r}]", error, 0.0, 1.0)
    wrong = min(1.0, float(sum(errors.values())))
    names = audit.rates_of(measure)
    found = {}
    for kind in ("df", "if"):
        value = value_of(audit, measure, kind)
        ends = [_ends(audit, rate, kind, wrong, both=both_outcomes_count(measure, kind)) for rate in names]
        high = max(high for _, high in ends)
        low = min(max(low for low, _ in ends), value)
        found[kind] = Bounds(value, low, max(high, value) if np.isfinite(high) else None)
    return found


def _ends(audit: Audit, rate: str, kind: str, wrong: float, *, both: bool) -> tuple[float, float]:
    """The least and the greatest measure of one rate while every group's lies within `wrong` of m."""
    m = np.array([v for v in audit.smoothed(rate) if v is not None])
    measure = measure_of(audit, kind, None)
    ends = [_box(measure, side, wrong) for side in ((m, 1.0 - m) if both else (m,))]
    return max(low for low, _ in ends), max(high for _, high in ends)


def _box(measure: Measure, m: FloatArray, wrong: float) -> tuple[float, float]:
    low, high = np.maximum(m - wrong, 0.0), np.minimum(m + wrong, 1.0)
    floor = high.min()
    least = float(measure(floor, np.maximum(low.max(), floor)))
    # Two candidates on either side suffice, since only a group's pair with itself is ruled out.
    ends = np.argsort(low, kind="stable")[:2], np.argsort(-high, kind="stable")[:2]
    pairs = [(i, j) for i in ends[0] for j in ends[1] if i != j] or [(0, 0)]
    with np.errstate(divide="ignore"):  # a rate of 0 makes a ratio without bound, which is said so
        most = max(
            float(measure(low[i], np.maximum(high[j] if i != j else low[i], low[i]))) for i, j in pairs
        )
    return least, most
