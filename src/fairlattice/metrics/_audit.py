"""The audit: one table of counts, and every question that an auditor asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import check_choice, check_count, check_real
from fairlattice.exceptions import InputError
from fairlattice.groups import Group, GroupCounts, GroupTable, SmallGroup, group_table
from fairlattice.groups._shared import check_agreement
from fairlattice.metrics._attribution import Pair, WorseOff, levels_of, ranked_pairs, worse_off
from fairlattice.metrics._claims import Claim, four_fifths_claim, worse_claims
from fairlattice.metrics._design import Design
from fairlattice.metrics._everyone_else import rates_of_others
from fairlattice.metrics._fairness import (
    Disparity,
    Measure,
    alpha_measure,
    disparity,
    greatest,
    log_ratio,
    measure_value,
)
from fairlattice.metrics._group_rate import GroupRate, group_rate_rows
from fairlattice.metrics._homogeneity import either, homogeneity_test
from fairlattice.metrics._intervals import jeffreys_interval, rate_interval, simultaneous_confidence
from fairlattice.metrics._leveling import (
    LevelingDown,
    group_changes,
    leveling_down_verdict,
    overall_verdict,
    worst_fell,
)
from fairlattice.metrics._pooling import PooledRates, pooled_rates
from fairlattice.metrics._rates import Rates, find_positive, rates_of_notion, weighted_rates

_SELECTION = ("selection_rate", "demographic_parity")  # here both outcomes count


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
    interval : {"jeffreys", "wilson", "clopper-pearson"}
        The interval of single rates.
    min_size, on_small
        What becomes of leaves with few rows; see :func:`audit`.
    random_state : int
        Seed of the draws from the posterior.
    """

    counts: GroupCounts = field(repr=False)
    positive: Any
    alpha: float = 0.5
    smoothing: float = 0.5
    confidence: float = 0.95
    interval: str = "jeffreys"
    min_size: int = 1
    on_small: str = "warn"
    random_state: int = 0

    @property
    def rates(self) -> tuple[str, ...]:
        """The rates that this audit can speak of."""
        if self.positive is None:
            return ("accuracy", *(f"recall:{c}" for c in self.counts.classes))
        return ("tpr", "tnr", "accuracy", "selection_rate")

    @cached_property
    def table(self) -> GroupTable:
        """The groups compared: the leaves that have rows, small ones seen to."""
        return group_table(self.counts, min_size=self.min_size, on_small=self.on_small)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups compared."""
        return self.table.groups

    @property
    def small(self) -> tuple[SmallGroup, ...]:
        """The leaves with fewer than `min_size` rows, and what was done about each."""
        return self.table.small

    def by_group(
        self, rate: str = "tpr", *, attributes: Sequence[str] | None = None, simultaneous: bool = False
    ) -> tuple[GroupRate, ...]:
        """Every group's rate with its interval, in the lattice's order.

        Parameters
        ----------
        rate : {"tpr", "tnr", "accuracy", "selection_rate"}, "recall:<class>" …
            The rate.
        attributes : sequence of str, optional
            Groups that fix only these attributes; by default those compared: the leaves.
        simultaneous : bool, default=False
            Widen the intervals so that all of them hold together at the audit's confidence (Šidák).
            Wilson's intervals are too approximate for that where groups are tiny.
        """
        if attributes is None:
            groups, rates = self.groups, self._rates(rate)
        else:
            counts = self.counts.rollup(attributes)
            groups = tuple(counts.lattice.group(leaf) for leaf in counts.leaves)
            rates = self._rates_of(counts.layers, rate)
        defined = int(rates.defined.sum())
        each = simultaneous_confidence(self.confidence, defined) if simultaneous else self.confidence
        low, high = rate_interval(rates.successes, rates.trials, confidence=each, method=self.interval)
        return group_rate_rows(groups, rates, low, high)

    def overall(self, rate: str = "accuracy") -> GroupRate:
        """The rate over all rows."""
        return self.by_group(rate, attributes=())[0]

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of the classes' recalls over all rows (TPR and TNR), in [0, 1]; high is good.

        Classes without rows are left out; None without any.
        """
        everyone = self.counts.rollup(()).layers
        recalls = [self._rates_of(everyone, f"recall:{c}") for c in self.counts.classes]
        defined = [r.raw[0] for r in recalls if r.defined[0]]
        return float(np.mean(defined)) if defined else None

    def undefined(self, rate: str = "tpr") -> tuple[Group, ...]:
        """The groups without a row that `rate` is about; no measure takes them into account."""
        return tuple(g for g, ok in zip(self.groups, self._rates(rate).defined, strict=True) if not ok)

    def disparity(self, measure: str = "tpr", *, kind: str = "df", alpha: float | None = None) -> Disparity:
        """DF (`kind` "df") or IFα ("if") of a rate or notion, with interval and the pair that attains it.

        For a notion it is the worst over its rates; the interval and the p-value hold for all of them
        together. See :func:`differential_fairness` and :func:`alpha_intersectional`.

        Raises
        ------
        UndefinedRateError
            If no group has a row that one of the rates is about.
        """
        check_choice("kind", kind, ("df", "if"))
        names = rates_of_notion(measure, self.counts.classes, self.positive)
        # Each rate's interval gets its share of the error.
        each = simultaneous_confidence(self.confidence, len(names))
        both, of = self._both(measure, kind), self._measure(kind, alpha)
        found = [self._disparity(name, of, confidence=each, both_outcomes=both) for name in names]
        worst = max(found, key=lambda d: d.value)
        return replace(
            worst,
            low=max(d.low for d in found),
            high=max(d.high for d in found),
            corrected=max(d.corrected for d in found),
            p_value=either([d.p_value for d in found]),
        )

    def differential_fairness(self, measure: str = "tpr") -> float:
        """Differential fairness of a rate, or of a notion such as "equalized_odds". Small is fair.

        For the selection rate both outcomes count. See :func:`differential_fairness`.
        """
        return self._value(measure, "df", None)

    def alpha_intersectional(self, measure: str = "tpr", *, alpha: float | None = None) -> float:
        """α-intersectional fairness of a rate or notion. Small is fair. See :func:`alpha_intersectional`."""
        return self._value(measure, "if", alpha)

    def worst(self, rate: str = "tpr") -> GroupRate:
        """The group with the lowest smoothed rate; its interval allows for being picked among all."""
        return self._picked(rate, lowest=True)

    def best(self, rate: str = "tpr") -> GroupRate:
        """The group with the highest smoothed rate; its interval allows for being picked among all."""
        return self._picked(rate, lowest=False)

    def smoothed(self, rate: str = "tpr") -> tuple[float | None, ...]:
        """Every group's smoothed rate, as the measures take it; None where undefined."""
        rates = self._rates(rate)
        values = rates.smoothed(self.smoothing)
        return tuple(float(v) if ok else None for v, ok in zip(values, rates.defined, strict=True))

    def pooled(self, rate: str = "tpr") -> tuple[GroupRate, ...]:
        """Every group's rate shrunk towards its ancestors', with its posterior interval.

        The better guess for tiny groups, also for those without a row; see :func:`partial_pooling`.
        """
        found, rates = self._one_rate(rate).pooled, self._rates(rate)
        return tuple(
            replace(g, rate=float(found.mean[i]), low=float(found.low[i]), high=float(found.high[i]))
            for i, g in enumerate(group_rate_rows(self.groups, rates, found.low, found.high))
        )

    def probability_worst(self, rate: str = "tpr") -> tuple[float, ...]:
        """How likely each group is to have the lowest rate of all, in [0, 1]; they sum to 1.

        Shares of joint draws of all shrunk rates, see :func:`partial_pooling`. Where many groups share it, no group
        can be named the worst.

        Examples
        --------
        >>> import fairlattice as fl
        >>> y, p = [1] * 300, [1] * 80 + [0] * 20 + [1] * 75 + [0] * 25 + [1] * 50 + [0] * 50
        >>> found = fl.audit(y, p, sensitive_features={"g": ["a"] * 100 + ["b"] * 100 + ["c"] * 100}, positive=1)
        >>> [round(p, 1) for p in found.probability_worst()]
        [0.0, 0.0, 1.0]
        """
        draws = self._one_rate(rate).pooled.draws
        shares = np.bincount(draws.argmin(axis=1), minlength=draws.shape[1]) / len(draws)
        return tuple(shares.tolist())

    def pairs(self, rate: str = "tpr", *, top: int = 10) -> tuple[Pair, ...]:
        """The pairs of groups furthest apart, with intervals; the pair that attains DF and IFα first."""
        return ranked_pairs(
            rate,
            self._rates(rate),
            self.groups,
            alpha_measure(self.alpha),
            smoothing=self.smoothing,
            confidence=self.confidence,
            both_outcomes=rate in _SELECTION,
            top=top,
        )

    def worst_by_level(self, rate: str = "tpr") -> tuple[GroupRate, ...]:
        """The group with the lowest smoothed rate at every level of the lattice, from everyone to the leaves.

        Its interval allows for being picked among all groups of its level.
        """
        found = []
        for level in self._levels:
            rates = self._rates_of(level.layers, rate)
            if rates.defined.any():
                place = np.array([np.nanargmin(rates.smoothed(self.smoothing))])
                found.append(self._one(level.groups, rates, place, int(rates.defined.sum())))
        return tuple(found)

    def worse_off(self, rate: str = "tpr") -> tuple[WorseOff, ...]:
        """Groups of any level that fare worse than everyone else beyond noise; hidden ones first.

        A group is hidden ("gerrymandered") if no coarser group that contains it shows the disparity.
        """
        return worse_off(self._levels, self.counts.classes, rate, self.positive, self.confidence)

    def claims(self, rate: str = "tpr", *, margin: float = 0.05) -> tuple[Claim, ...]:
        """What can be said: yes, no, or not enough data, and how many rows would be enough.

        The first claim is that of the four-fifths rule; then, for every group, that its rate lies more
        than `margin` below that of everyone else. The intervals of all groups hold together.

        Raises
        ------
        InputError
            If `margin` is not in [0, 1].
        UndefinedRateError
            If no group has a row that the rate is about.
        """
        check_real("margin", margin, 0.0, 1.0)
        rates = self._rates(rate)
        everyone, kind = self.counts.rollup(()).layers, (self.counts.classes, rate, self.positive)
        # The rule is about being selected, so refusals do not count here.
        found = self._disparity(rate, log_ratio, confidence=self.confidence)
        total = round(float(self._rates_of(everyone, rate).trials[0]))
        others = rates_of_others(everyone, self.table.layers, *kind)
        worse = worse_claims(rate, self.groups, rates, others, margin=margin, confidence=self.confidence)
        most = greatest(rates, log_ratio, self.confidence)
        return (four_fifths_claim(rate, found, most, total), *worse)

    def leveling_down(self, baseline: Audit, *, measure: str = "equalized_odds") -> LevelingDown:
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
        models differ on. Where both judged the same rows, :func:`leveling_down` sees much more.
        """
        before, after = self._on_common_ground(baseline)
        names = [
            rate
            for rate in rates_of_notion(measure, self.counts.classes, self.positive)
            if before._rates(rate).defined.any() and after._rates(rate).defined.any()
        ]
        judged = sum(int(after._rates(rate).defined.sum()) for rate in names)
        each = simultaneous_confidence(self.confidence, judged)
        changes, verdicts = [], {}
        for rate in names:
            old, new = before._rates(rate), after._rates(rate)
            changes += group_changes(rate, after.groups, old, new, each)
            fell, beyond = worst_fell(old, new, self.smoothing, self.confidence)
            fairer = any(
                after._value(rate, kind, self.alpha) < before._value(rate, kind, self.alpha)
                for kind in ("df", "if")
            )
            verdicts[rate] = leveling_down_verdict(
                unfairness_fell=fairer, worst_fell=fell, beyond_noise=beyond
            )
        ranked = tuple(sorted(changes, key=lambda c: c.difference))
        return LevelingDown(overall_verdict(verdicts), verdicts, ranked)

    @cached_property
    def _by_rate(self) -> Mapping[str, _OneRate]:
        """Every rate by its name."""
        recalls = (f"recall:{c}" for c in self.counts.classes)
        return {name: _OneRate(self, name) for name in (*self.rates, *recalls)}

    def _one_rate(self, rate: str) -> _OneRate:
        return self._by_rate.get(rate) or _OneRate(self, rate)

    def _rates_of(self, layers: Sequence[npt.NDArray[Any]], rate: str) -> Rates:
        return weighted_rates(layers, self.counts.classes, rate, self.positive)

    def _rates(self, rate: str) -> Rates:
        return self._one_rate(rate).rates

    @cached_property
    def _levels(self) -> tuple[GroupTable, ...]:
        return tuple(levels_of(self.counts))

    @cached_property
    def _design(self) -> Design:
        return Design.of(self.groups)

    def _disparity(self, rate: str, measure: Measure, **options: Any) -> Disparity:
        """A measure of one rate, by the draws of the groups that define it."""
        rates = self._rates(rate)
        drawn = self._one_rate(rate).pooled.draws[:, rates.defined]
        more: dict[str, Any] = {"smoothing": self.smoothing, "p_value": self._one_rate(rate).p_value}
        return disparity(rates, measure, drawn, **more, **options)

    def _measure(self, kind: str, alpha: float | None) -> Measure:
        return log_ratio if kind == "df" else alpha_measure(self.alpha if alpha is None else alpha)

    def _both(self, measure: str, kind: str) -> bool:
        return kind == "df" and measure in _SELECTION

    def _value(self, measure: str, kind: str, alpha: float | None) -> float:
        return max(
            measure_value(
                self._rates(name),
                self._measure(kind, alpha),
                smoothing=self.smoothing,
                both_outcomes=self._both(measure, kind),
            )
            for name in rates_of_notion(measure, self.counts.classes, self.positive)
        )

    def _picked(self, rate: str, *, lowest: bool) -> GroupRate:
        rates = self._rates(rate)
        measure_value(rates, log_ratio, smoothing=self.smoothing)  # refuses a rate that no group defines
        smoothed = rates.smoothed(self.smoothing)
        place = np.array([np.nanargmin(smoothed) if lowest else np.nanargmax(smoothed)])
        return self._one(self.groups, rates, place, int(rates.defined.sum()))

    def _one(self, groups: Sequence[Group], rates: Rates, place: Any, among: int) -> GroupRate:
        """One group's rate, its interval widened for being picked among so many."""
        one = rates.of(place)
        each = simultaneous_confidence(self.confidence, among)
        low, high = jeffreys_interval(one.successes, one.trials, confidence=each)
        return group_rate_rows([groups[int(place[0])]], one, low, high)[0]

    def _on_common_ground(self, baseline: Audit) -> tuple[Audit, Audit]:
        """Both audits on the same leaves and classes, so that positions agree."""
        if self.positive != baseline.positive:
            raise InputError(
                f"The audits differ in their positive label: {self.positive!r} and {baseline.positive!r}."
            )
        mine, theirs = self.counts, baseline.counts
        return (
            replace(self, counts=theirs + mine.emptied(), min_size=0),
            replace(self, counts=mine + theirs.emptied(), min_size=0),
        )


@dataclass(frozen=True, eq=False)
class _OneRate:
    """One rate of an audit's groups; what takes time is computed when it is first asked for."""

    audit: Audit
    name: str

    @cached_property
    def rates(self) -> Rates:
        """Of the groups compared."""
        return self.audit._rates_of(self.audit.table.layers, self.name)

    @cached_property
    def p_value(self) -> float:
        """Of no disparity among the leaves: merged groups would count rows twice."""
        return homogeneity_test(self.audit._rates_of(self.audit.counts.layers, self.name))

    @cached_property
    def pooled(self) -> PooledRates:
        """Shrunk towards their ancestors."""
        options: dict[str, Any] = {
            "confidence": self.audit.confidence,
            "random_state": self.audit.random_state,
        }
        return pooled_rates(self.rates, self.audit._design, **options)


def check_options(audit: Audit) -> Audit:
    """Raise if an option of an audit is out of range, or a small group is not allowed."""
    check_real("alpha", audit.alpha, 0.0, 1.0)
    check_real("smoothing", audit.smoothing, 0.0, float("inf"), open_ends=True)
    check_real("confidence", audit.confidence, 0.0, 1.0, open_ends=True)
    check_count("random_state", audit.random_state, 0)
    rate_interval(np.zeros(1), np.ones(1, dtype=np.int64), method=audit.interval)
    audit.table  # noqa: B018 - small groups are seen to now, while the caller is looking
    return audit


def audit(
    y_true: Any,
    y_pred: Any = None,
    *,
    sensitive_features: Any = None,
    sample_weight: Any = None,
    label: str | None = None,
    prediction: str | None = None,
    sensitive: Sequence[str] | None = None,
    weight: str | None = None,
    positive: Any = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    na: Sequence[str] | None = None,
    alpha: float = 0.5,
    smoothing: float = 0.5,
    confidence: float = 0.95,
    interval: str = "jeffreys",
    min_size: int = 1,
    on_small: str = "warn",
    random_state: int = 0,
) -> Audit:
    """Audit predictions over every intersection of the sensitive attributes.

    Parameters
    ----------
    y_true : array-like of shape (n,), frame, or GroupCounts
        Labels, of any number of classes; or counts, and no other data; or any frame that narwhals knows,
        eager or lazy, with `label`, `prediction` and `sensitive` naming its columns: its own engine counts.
    y_pred : array-like of shape (n,)
        Predictions.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        One column per attribute; any frame that narwhals knows.
    sample_weight : array-like of shape (n,), optional
        Weights of at least 0. Rates are weighted, and intervals rest on the effective number of rows.
    label, prediction, weight : str, optional
        Columns of the frame; without a frame they have no meaning.
    sensitive : sequence of str, optional
        The frame's sensitive attributes.
    positive : label, optional
        The positive class; 1 or True if that is one of two.
    cuts : mapping of str to sequence of float, optional
        Cut points of numeric attributes, as in ``{"age": [25, 45]}``.
    missing : {"level", "exclude", "raise"}, default="level"
        Give missing values of an attribute a level of their own, leave their rows out and count these
        (``audit.counts.excluded``), or refuse them.
    na : sequence of str, optional
        Texts that mean a missing value, in place of :data:`fairlattice.tables.MISSING_SPELLINGS`.
    alpha : float, default=0.5
        Weight in [0, 1] of the absolute part of IFα.
    smoothing : float, default=0.5
        Added to successes and failures before DF and IFα are taken; above 0.
    confidence : float, default=0.95
        Of all intervals, in (0, 1).
    interval : {"jeffreys", "wilson", "clopper-pearson"}, default="jeffreys"
        The interval of single rates.
    min_size : int, default=1
        Leaves with fewer rows are small.
    on_small : {"warn", "merge", "drop", "raise"}, default="warn"
        Keep small leaves and say so; let the parent that each resembles most, with all of its rows, stand
        for it; leave them out; or refuse to go on. ``audit.small`` lists what was done.
    random_state : int, default=0
        Seed of the posterior draws: the same seed gives the same intervals.

    Returns
    -------
    Audit
        Answers by method; nothing is computed before it is asked for, and counting is done once.

    Raises
    ------
    InputError
        If lengths differ, labels are missing, the positive label is unclear, an option is out of range, or labels and
        predictions are spelled in two ways: some labels are never predicted, and some predictions are never labels.

    Warns
    -----
    AssumptionWarning
        Where text was taken as missing or as numbers, blanks around it were removed, or levels are nearly alike.

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
    named = {"label": label, "prediction": prediction, "sensitive": sensitive}
    if isinstance(y_true, GroupCounts):
        if any(v is not None for v in (y_pred, sensitive_features, sample_weight, *named.values(), weight)):
            raise InputError("Counts hold predictions and groups already. Pass `GroupCounts` alone.")
        counts = y_true
    elif any(v is not None for v in (*named.values(), weight)):
        lacking = [name for name, value in named.items() if value is None]
        if lacking or y_pred is not None or sensitive_features is not None or sample_weight is not None:
            raise InputError(
                "For a frame, name its columns by `label`, `prediction` and `sensitive`, and pass no arrays"
                + (f"; missing: {', '.join(lacking)}." if lacking else ".")
            )
        counts = GroupCounts.from_frame(
            y_true, label=label or "", prediction=prediction or "", sensitive=sensitive or (),
            weight=weight, cuts=cuts, missing=missing, na=na,
        )  # fmt: skip
    else:
        if y_pred is None or sensitive_features is None:
            raise InputError("`y_pred` and `sensitive_features` are needed beside `y_true`.")
        counts = GroupCounts.from_arrays(
            y_true, y_pred, sensitive_features=sensitive_features, sample_weight=sample_weight,
            cuts=cuts, missing=missing, na=na,
        )  # fmt: skip
    check_agreement(
        counts, "y_true" if label is None else label, "y_pred" if prediction is None else prediction
    )
    return check_options(
        Audit(
            counts, find_positive(counts.classes, positive), alpha, smoothing, confidence,
            interval, min_size, on_small, random_state,
        )
    )  # fmt: skip
