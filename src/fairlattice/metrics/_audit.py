"""The audit: one table of counts, and every question that an auditor asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fairlattice._validation import check_real
from fairlattice.exceptions import InputError
from fairlattice.groups import Group, GroupCounts, show_group
from fairlattice.metrics._fairness import Disparity, alpha_intersectional, differential_fairness
from fairlattice.metrics._intervals import jeffreys_interval, simultaneous_confidence
from fairlattice.metrics._leveling import (
    LevelingDown,
    group_changes,
    leveling_down_verdict,
    overall_verdict,
    worst_fell_beyond_noise,
)
from fairlattice.metrics._rates import Rates, find_positive, group_rates, rates_of_notion

_SELECTION = ("selection_rate", "demographic_parity")  # here both outcomes count


@dataclass(frozen=True, slots=True)
class GroupRate:
    """One group's rate.

    Parameters
    ----------
    group : dict
        The group: attribute to level.
    n : int
        Rows that the rate is about (for TPR, the group's positives).
    successes : int
        How many of them succeeded.
    rate : float or None
        ``successes / n``, in [0, 1], high is good; None where n is 0: undefined.
    low, high : float
        Jeffreys interval; nearly [0, 1] where n is 0.
    """

    group: Group
    n: int
    successes: int
    rate: float | None
    low: float
    high: float

    def __str__(self) -> str:
        rate = "undefined" if self.rate is None else f"{self.rate:.3f} [{self.low:.3f}, {self.high:.3f}]"
        return f"{show_group(self.group)}: {rate} (n={self.n:,})"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups, how far apart their rates are, and by which measure."""

    rate: str
    worse: Group
    better: Group
    df: float
    if_: float


@dataclass(frozen=True)
class Audit:
    """What a table of counts says about every group; made by :func:`audit`.

    Parameters
    ----------
    counts : GroupCounts
        The counts.
    positive : label or None
        The positive class, None where there are more than two classes and none was named.
    alpha : float
        Weight of the absolute part of IFα.
    smoothing : float
        Added to successes and to failures before measures are taken.
    confidence : float
        Of all intervals.
    """

    counts: GroupCounts = field(repr=False)
    positive: Any
    alpha: float = 0.5
    smoothing: float = 0.5
    confidence: float = 0.95

    @property
    def rates(self) -> tuple[str, ...]:
        """The rates that this audit can speak of."""
        if self.positive is None:
            return ("accuracy", *(f"recall:{c}" for c in self.counts.classes))
        return ("tpr", "tnr", "accuracy", "selection_rate")

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The leaves that have rows, as groups."""
        return tuple(self.counts.lattice.group(leaf) for leaf in self.counts.leaves)

    def by_group(
        self, rate: str = "tpr", *, attributes: Sequence[str] | None = None
    ) -> tuple[GroupRate, ...]:
        """Every group's rate with its Jeffreys interval, in the lattice's order.

        Parameters
        ----------
        rate : {"tpr", "tnr", "accuracy", "selection_rate"} or "recall:<class>"
            The rate.
        attributes : sequence of str, optional
            Groups that fix only these attributes; by default the leaves.
        """
        counts = self.counts if attributes is None else self.counts.rollup(attributes)
        rates = group_rates(counts.table, counts.classes, rate, self.positive)
        low, high = jeffreys_interval(rates.successes, rates.trials, confidence=self.confidence)
        return tuple(
            GroupRate(
                counts.lattice.group(leaf),
                int(rates.trials[i]),
                int(rates.successes[i]),
                float(rates.raw[i]) if rates.defined[i] else None,
                float(low[i]),
                float(high[i]),
            )
            for i, leaf in enumerate(counts.leaves)
        )

    def overall(self, rate: str = "accuracy") -> GroupRate:
        """The rate over all rows."""
        return self.by_group(rate, attributes=())[0]

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of the classes' recalls over all rows (TPR and TNR), in [0, 1]; high is good.

        Classes without rows are left out; None without any.
        """
        classes, everyone = self.counts.classes, self.counts.rollup(()).table
        recalls = [group_rates(everyone, classes, f"recall:{c}") for c in classes]
        defined = [r.raw[0] for r in recalls if r.defined[0]]
        return float(np.mean(defined)) if defined else None

    def undefined(self, rate: str = "tpr") -> tuple[Group, ...]:
        """The groups without a row that `rate` is about; no measure takes them into account."""
        return tuple(g for g, ok in zip(self.groups, self._rates(rate).defined, strict=True) if not ok)

    def disparity(self, measure: str = "tpr", *, kind: str = "df", alpha: float | None = None) -> Disparity:
        """DF (`kind` "df") or IFα ("if") of a rate or notion, with bounds and the pair that attains it.

        For a notion it is the worst over its rates; the bounds hold for all groups and rates together.

        Raises
        ------
        UndefinedRateError
            If no group has a row that one of the rates is about.
        """
        rates = [self._rates(r) for r in rates_of_notion(measure, self.counts.classes, self.positive)]
        share = self._confidence_each(rates)
        found = []
        for r in rates:
            options = {"smoothing": self.smoothing, "confidence": share ** int(r.defined.sum())}
            if kind == "df":
                found.append(differential_fairness(r, both_outcomes=measure in _SELECTION, **options))
            else:
                weight = self.alpha if alpha is None else alpha
                found.append(alpha_intersectional(r, alpha=weight, **options))
        worst = max(found, key=lambda d: d.value)
        low, high = max(d.low for d in found), max(d.high for d in found)
        return Disparity(worst.value, low, high, worst.worst, worst.best)

    def differential_fairness(self, measure: str = "tpr") -> float:
        """Differential fairness of a rate, or of a notion such as "equalized_odds". Small is fair.

        For the selection rate both outcomes count. See :func:`differential_fairness`.
        """
        return self.disparity(measure, kind="df").value

    def alpha_intersectional(self, measure: str = "tpr", *, alpha: float | None = None) -> float:
        """α-intersectional fairness of a rate or notion. Small is fair. See :func:`alpha_intersectional`."""
        return self.disparity(measure, kind="if", alpha=alpha).value

    def worst(self, rate: str = "tpr") -> GroupRate:
        """The group with the lowest smoothed rate; its interval allows for being picked among all."""
        return self._picked(rate, self.disparity(rate, kind="if").worst)

    def best(self, rate: str = "tpr") -> GroupRate:
        """The group with the highest smoothed rate; its interval allows for being picked among all."""
        return self._picked(rate, self.disparity(rate, kind="if").best)

    def smoothed(self, rate: str = "tpr") -> tuple[float | None, ...]:
        """Every group's smoothed rate, as the measures take it; None where undefined."""
        rates = self._rates(rate)
        values = rates.smoothed(self.smoothing)
        return tuple(float(v) if ok else None for v, ok in zip(values, rates.defined, strict=True))

    def pairs(self, rate: str = "tpr", *, top: int = 10) -> tuple[Pair, ...]:
        """The pairs of groups furthest apart, the pair that attains DF and IFα first.

        Both measures are largest for a low rate beside a high one, so the `top` pairs lie among the
        `top` lowest and the `top` highest groups.
        """
        values = self._rates(rate).smoothed(self.smoothing)
        order = np.argsort(values, kind="stable")[: int(np.isfinite(values).sum())]
        found = [
            Pair(
                rate,
                self.groups[low],
                self.groups[high],
                _pair_df(values[low], values[high], both_outcomes=rate in _SELECTION),
                float(self.alpha * (1 - values[low]) + (1 - self.alpha) * (1 - values[low] / values[high])),
            )
            for low in order[:top]
            for high in order[::-1][:top]
            if values[low] < values[high]
        ]
        return tuple(sorted(found, key=lambda p: (-p.df, -p.if_))[:top])

    def compare(self, baseline: Audit, *, measure: str = "equalized_odds") -> LevelingDown:
        """Who lost against the model of `baseline`, by how much, and whether it leveled down.

        Parameters
        ----------
        baseline : Audit
            The unconstrained model's audit, over the same attributes.
        measure : str, default="equalized_odds"
            The rate or notion to judge by.

        Notes
        -----
        The two audits are compared as independent samples, since counts do not tell which rows the
        models differ on; where both judged the same rows, the intervals are wider than need be.
        """
        before, after = self._on_common_ground(baseline)
        changes, verdicts = [], {}
        names = rates_of_notion(measure, self.counts.classes, self.positive)
        each = self._confidence_each([after._rates(rate) for rate in names])
        for rate in names:
            old, new = before._rates(rate), after._rates(rate)
            if not (old.defined.any() and new.defined.any()):
                continue
            changes += group_changes(rate, after.groups, old, new, each)
            fell, beyond = worst_fell_beyond_noise(old, new, self.smoothing, self.confidence)
            fairer = any(
                after.disparity(rate, kind=kind, alpha=self.alpha).value
                < before.disparity(rate, kind=kind, alpha=self.alpha).value
                for kind in ("df", "if")
            )
            verdicts[rate] = leveling_down_verdict(
                unfairness_fell=fairer, worst_fell=fell, beyond_noise=beyond
            )
        ranked = tuple(sorted(changes, key=lambda c: c.difference))
        return LevelingDown(overall_verdict(verdicts), verdicts, ranked)

    def _rates(self, rate: str) -> Rates:
        return group_rates(self.counts.table, self.counts.classes, rate, self.positive)

    def _confidence_each(self, rates: Sequence[Rates]) -> float:
        """Confidence of each interval for those of all groups, on all the rates, to hold together."""
        return simultaneous_confidence(self.confidence, sum(int(r.defined.sum()) for r in rates))

    def _picked(self, rate: str, place: int) -> GroupRate:
        rates, found = self._rates(rate), self.by_group(rate)[place]
        low, high = jeffreys_interval(
            rates.successes[[place]], rates.trials[[place]], confidence=self._confidence_each([rates])
        )
        return replace(found, low=float(low[0]), high=float(high[0]))

    def _on_common_ground(self, baseline: Audit) -> tuple[Audit, Audit]:
        """Both audits over the same lattice, classes and stored leaves."""
        if self.positive != baseline.positive:
            raise InputError(
                f"The audits differ in their positive label: {self.positive!r} and {baseline.positive!r}."
            )
        mine, theirs = self.counts, baseline.counts
        nothing = [GroupCounts(c.lattice, c.classes, c.codes, np.zeros_like(c.table)) for c in (mine, theirs)]
        return tuple(  # type: ignore[return-value]
            Audit(c, self.positive, self.alpha, self.smoothing, self.confidence)
            for c in (theirs + nothing[0], mine + nothing[1])
        )


def _pair_df(low: float, high: float, *, both_outcomes: bool) -> float:
    ratio = float(np.log(high / low))
    return max(ratio, float(np.log((1.0 - low) / (1.0 - high)))) if both_outcomes else ratio


def audit(
    y_true: Any,
    y_pred: Any = None,
    *,
    sensitive_features: Any = None,
    positive: Any = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    alpha: float = 0.5,
    smoothing: float = 0.5,
    confidence: float = 0.95,
) -> Audit:
    """Audit predictions over every intersection of the sensitive attributes.

    Parameters
    ----------
    y_true : array-like of shape (n,), or GroupCounts
        Labels, of any number of classes; or counts, and nothing else.
    y_pred : array-like of shape (n,)
        Predictions.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        One column per attribute; any frame that narwhals knows.
    positive : label, optional
        The positive class; 1 or True if that is one of two.
    cuts : mapping of str to sequence of float, optional
        Cut points of numeric attributes, as in ``{"age": [25, 45]}``.
    missing : {"level", "raise"}, default="level"
        Give missing values of an attribute a level of their own, or refuse them.
    alpha : float, default=0.5
        Weight in [0, 1] of the absolute part of IFα.
    smoothing : float, default=0.5
        Added to successes and failures before DF and IFα are taken; above 0.
    confidence : float, default=0.95
        Of all intervals, in (0, 1).

    Returns
    -------
    Audit
        Answers by method; nothing is computed before it is asked for, and counting is done once.

    Raises
    ------
    InputError
        If lengths differ, labels are missing, the positive label is unclear, or an option is out of range.

    Examples
    --------
    >>> import fairlattice as fl
    >>> S = {"sex": ["f", "f", "f", "m", "m", "m"], "old": [0, 0, 1, 0, 1, 1]}
    >>> result = fl.audit([1, 1, 1, 1, 1, 0], [1, 0, 0, 1, 1, 0], sensitive_features=S)
    >>> print(result.by_group("tpr")[1])
    sex=f, old=1: 0.000 [0.000, 0.853] (n=1)
    >>> round(result.differential_fairness("tpr"), 4)  # log(0.75 / 0.25)
    1.0986
    """
    check_real("alpha", alpha, 0.0, 1.0)
    check_real("smoothing", smoothing, 0.0, float("inf"), open_ends=True)
    check_real("confidence", confidence, 0.0, 1.0, open_ends=True)
    if isinstance(y_true, GroupCounts):
        if y_pred is not None or sensitive_features is not None:
            raise InputError("Counts hold predictions and groups already. Pass `GroupCounts` alone.")
        counts = y_true
    else:
        if y_pred is None or sensitive_features is None:
            raise InputError("`y_pred` and `sensitive_features` are needed beside `y_true`.")
        counts = GroupCounts.from_arrays(
            y_true, y_pred, sensitive_features=sensitive_features, cuts=cuts, missing=missing
        )
    return Audit(counts, find_positive(counts.classes, positive), alpha, smoothing, confidence)
