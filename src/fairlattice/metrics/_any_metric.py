"""Any metric by group, with intervals by a bootstrap over people.

Rates have exact intervals; an F score, an AUC or a loss has none that is known in general. So the metric is computed
anew with random weights of the people, as often as there are draws: slower by that factor.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import (
    FloatArray,
    IntArray,
    NumberArray,
    as_labels,
    check_count,
    check_real,
    check_same_length,
)
from fairlattice.exceptions import InputError
from fairlattice.groups import Group, GroupCounts, GroupLattice, show_group
from fairlattice.groups._shared import Grouping

Metric = Callable[..., float]
# People of everyone's kind who are added to each group, so that one person is not sure of itself.
_OTHERS = 2.0


@dataclass(frozen=True, slots=True)
class GroupMetric:
    """A metric of one group.

    Parameters
    ----------
    group : dict
        The group.
    n : int
        Its rows.
    value : float or None
        The metric; None where it is undefined, as an AUC of one class.
    low, high : float or None
        Its interval; None where the metric is undefined in more than half of the draws.
    """

    group: Group
    n: int
    value: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.value is None or self.low is None or self.high is None:
            return f"{show_group(self.group)}: undefined (n={self.n:,})"
        return f"{show_group(self.group)}: {self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n:,})"


def metric_by_group(
    metric: Metric,
    y_true: Any,
    y_pred: Any,
    *,
    sensitive_features: Any,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    confidence: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
) -> tuple[GroupMetric, ...]:
    """A metric of every group, such as scikit-learn's, with intervals by a Bayesian bootstrap over people.

    Parameters
    ----------
    metric : callable (y_true, y_pred, sample_weight=) -> float
        Any metric of scikit-learn, or one of your own. Without `sample_weight` it gets resampled rows.
    y_true, y_pred : array-like of shape (n,)
        Labels, and predictions or scores, whichever the metric takes.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        One column per attribute; any frame that narwhals knows.
    cuts, missing
        As in :meth:`GroupLattice.from_features`; "exclude" is not offered.
    confidence : float, default=0.95
        Of each interval, in (0, 1).
    draws : int, default=1000
        How often the metric is computed; what takes time.
    random_state : int, default=0
        The same seed gives the same intervals.

    Returns
    -------
    tuple of GroupMetric
        In the lattice's order.

    Raises
    ------
    InputError
        If lengths differ, values are missing, or an option is out of range.

    Notes
    -----
    People of a group weigh Exp(1); a weight of 2 is spread over everyone in the table, so that a group of one has a
    wide interval rather than none. Fewer than about 30 people make any bootstrap interval too narrow.

    References
    ----------
    Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1):130-134, doi:10.1214/aos/1176345338.

    Examples
    --------
    >>> from sklearn.metrics import f1_score
    >>> y, p, sex = [1, 1, 0, 0] * 50, [1, 0, 0, 0] * 25 + [1, 1, 0, 0] * 25, ["f"] * 100 + ["m"] * 100
    >>> for found in metric_by_group(f1_score, y, p, sensitive_features={"sex": sex}):
    ...     print(found.group, round(found.value, 3), round(found.low, 1))
    {'sex': 'f'} 0.667 0.5
    {'sex': 'm'} 1.0 1.0
    """
    truth, given = as_labels(y_true, "y_true"), as_labels(y_pred, "y_pred")
    lattice, leaves = Grouping(cuts, missing).encode(sensitive_features)
    check_same_length(y_true=truth, y_pred=given, sensitive_features=leaves)
    rows = np.ones(len(truth), dtype=np.int64)
    return _of_rows(metric, lattice, leaves, truth, given, rows, confidence, draws, random_state)


def metric_of_counts(
    metric: Metric, counts: GroupCounts, *, confidence: float, random_state: int, draws: int = 1000
) -> tuple[GroupMetric, ...]:
    """:func:`metric_by_group` of labels and predictions that were counted."""
    if not counts.labelled:
        raise InputError("A metric needs labels, and there are none.")
    if counts.weights is not None:
        raise InputError("A metric of weighted counts is not known. Use `metric_by_group` on the rows.")
    leaf, label, prediction = np.nonzero(counts.table)
    classes = np.array(counts.classes)
    rows = counts.table[leaf, label, prediction]
    return _of_rows(
        metric, counts.lattice, counts.codes[leaf], classes[label], classes[prediction], rows,
        confidence, draws, random_state,
    )  # fmt: skip


def _of_rows(
    metric: Metric,
    lattice: GroupLattice,
    leaves: IntArray,
    truth: npt.NDArray[Any],
    given: npt.NDArray[Any],
    rows: IntArray,
    confidence: float,
    draws: int,
    random_state: int,
) -> tuple[GroupMetric, ...]:
    check_real("confidence", confidence, 0.0, 1.0, open_ends=True)
    check_count("draws", draws)
    rng = np.random.default_rng(check_count("random_state", random_state, 0))
    measured = _Measured(metric, truth, given, _takes_weights(metric))
    everyone, tail, found = rows / rows.sum(), (1 - confidence) / 2, []
    for code in np.unique(leaves).tolist():
        own = np.where(leaves == code, rows, 0)
        n, value = int(own.sum()), measured.of(own)
        drawn = [measured.drawn(own + _OTHERS * everyone, n, rng) for _ in range(draws)]
        known = [v for v in drawn if v is not None]
        ends: tuple[float | None, float | None] = (None, None)
        if value is not None and 2 * len(known) > draws:
            low, high = np.quantile(known, [tail, 1 - tail]).tolist()
            ends = (min(low, value), max(high, value))
        found.append(GroupMetric(lattice.group(code), n, value, *ends))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Measured:
    """A metric with weights, or where it takes none, with rows as often as they count."""

    metric: Metric
    truth: npt.NDArray[Any]
    given: npt.NDArray[Any]
    weighted: bool

    def drawn(self, mass: FloatArray, n: int, rng: np.random.Generator) -> float | None:
        """Its value with random weights, or on n resampled rows."""
        if not self.weighted:
            return self.of(rng.multinomial(n, mass / mass.sum()))
        weights = rng.gamma(mass)
        return self.of(weights * n / weights.sum())

    def of(self, weights: NumberArray) -> float | None:
        """Its value; None where the metric says that it is undefined."""
        place = np.flatnonzero(weights > 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # undefined values are shown as such
            try:
                if self.weighted:
                    value = self.metric(self.truth[place], self.given[place], sample_weight=weights[place])
                else:
                    times = weights.astype(np.int64)
                    value = self.metric(np.repeat(self.truth, times), np.repeat(self.given, times))
            except ValueError:
                return None
        return float(value) if np.isfinite(value) else None


def _takes_weights(metric: Metric) -> bool:
    try:
        return "sample_weight" in inspect.signature(metric).parameters
    except (TypeError, ValueError):
        return False
