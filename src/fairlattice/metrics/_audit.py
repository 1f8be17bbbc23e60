"""The audit: one table of counts, and every question that an auditor asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fairlattice._display import ShowsAsPage
from fairlattice.exceptions import visible
from fairlattice.groups import Group, GroupCounts, GroupTable, SmallGroup, group_table
from fairlattice.metrics._against_baseline import harm_between, leveling_between
from fairlattice.metrics._any_metric import GroupMetric, Metric, metric_of_counts
from fairlattice.metrics._attribution import (
    Pair,
    WorseOff,
    levels_of,
    ranked_pairs,
    worse_off,
)
from fairlattice.metrics._claims import Claim, claims_of
from fairlattice.metrics._design import Design
from fairlattice.metrics._disparities import disparity_of, value_of
from fairlattice.metrics._extreme_groups import extreme_group, lowest_by_level
from fairlattice.metrics._fairness import (
    Disparity,
    alpha_measure,
)
from fairlattice.metrics._figures import Figure, figure_of, parse_figure
from fairlattice.metrics._frames import frame_of
from fairlattice.metrics._group_rate import GroupRate
from fairlattice.metrics._harm import Harm
from fairlattice.metrics._impact import (
    BEST,
    Against,
    ImpactRatio,
    ratios_of,
)
from fairlattice.metrics._leveling import (
    LevelingDown,
)
from fairlattice.metrics._notions import (
    DEFAULT_NOTION,
    rates_of_notion,
    selection_of,
)
from fairlattice.metrics._one_rate import OneRate
from fairlattice.metrics._plot import plot_audit
from fairlattice.metrics._rate_columns import columns_of, pooled_columns
from fairlattice.metrics._rates import ALIASES, Rates, is_selection, weighted_rates
from fairlattice.metrics._sentences import assumed_sentence, verdict_sentence
from fairlattice.metrics._task import Task
from fairlattice.metrics._verdicts import Verdict, verdicts_of


@dataclass(frozen=True, repr=False)
class Audit(ShowsAsPage):
    """What a table of counts says about every group; made by :func:`audit`. In a notebook it shows as its page.

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
        How leaves with few rows are treated; see :func:`audit`.
    random_state : int
        Seed of the draws from the posterior.
    notion : str
        What is to be equal between groups.
    favourable : label or None
        The outcome that is good for people; None where it is the positive one.
    reference : "best", "others" or group
        The group that rates are compared with in ratios.
    min_share : float
        Smallest share of all rows, in [0, 1], that a group needs to be compared in ratios.
    task : Task
        What the data are called.
    """

    counts: GroupCounts
    positive: Any
    alpha: float = 0.5
    smoothing: float = 0.5
    confidence: float = 0.95
    interval: str = "jeffreys"
    min_size: int = 1
    on_small: str = "warn"
    random_state: int = 0
    notion: str = DEFAULT_NOTION
    favourable: Any = None
    reference: Against = BEST
    min_share: float = 0.0
    task: Task = field(default_factory=Task)

    @property
    def rates(self) -> tuple[str, ...]:
        """The rates that this audit reports."""
        if not self.counts.labelled:
            known: tuple[str, ...] = () if self.positive is None else ("selection_rate",)
        elif self.positive is None:
            known = ("accuracy", *(f"recall:{c}" for c in self.counts.classes))
        else:
            known = ("tpr", "tnr", "accuracy", "selection_rate")
        also = () if self.selection is None else (self.selection,)
        return tuple(dict.fromkeys([*known, *self.judged, *also]))

    @property
    def judged(self) -> tuple[str, ...]:
        """The rates of the notion, that by which people are harmed first."""
        return self.rates_of(self.notion)

    @property
    def selection(self) -> str | None:
        """The rate at which people get the favourable outcome; None where no outcome is known to be good."""
        return selection_of(self.counts.classes, self.positive, self.favourable)

    def rates_of(self, measure: str) -> tuple[str, ...]:
        """The rates that a notion takes the worst of, for the favourable outcome; a rate is its own."""
        return rates_of_notion(measure, self.counts.classes, self.positive, self.favourable)

    @cached_property
    def table(self) -> GroupTable:
        """The groups compared: the leaves that have rows, small ones treated as asked."""
        return group_table(self.counts, min_size=self.min_size, on_small=self.on_small)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups compared."""
        return self.table.groups

    @property
    def small(self) -> tuple[SmallGroup, ...]:
        """The leaves with fewer than `min_size` rows, and what was done about each."""
        return self.table.small

    @overload
    def by_group(
        self, rate: str = "tpr", *, attributes: Sequence[str] | None = None, simultaneous: bool = False
    ) -> tuple[GroupRate, ...]: ...

    @overload
    def by_group(
        self, rate: Metric, *, attributes: Sequence[str] | None = None, simultaneous: bool = False
    ) -> tuple[GroupMetric, ...]: ...

    def by_group(
        self,
        rate: str | Metric = "tpr",
        *,
        attributes: Sequence[str] | None = None,
        simultaneous: bool = False,
    ) -> tuple[GroupRate, ...] | tuple[GroupMetric, ...]:
        """Every group's rate with its interval, in the lattice's order.

        Parameters
        ----------
        rate : str or callable
            A rate or error rate by its usual name: "tpr", "tnr", "accuracy", "selection_rate", "ppv", "precision",
            "npv", "fpr", "fnr", "fdr", "for", "error_rate", "recall:<class>" …; or a metric of labels and predictions,
            as of scikit-learn, whose intervals are a bootstrap's and take longer: :func:`metric_by_group`.
        attributes : sequence of str, optional
            Groups that fix only these attributes; by default those compared: the leaves.
        simultaneous : bool, default=False
            Widen the intervals so that all of them hold together at the audit's confidence (Šidák).
            Wilson's intervals are too approximate for that where groups are tiny.
        """
        if callable(rate):
            counts = self.counts if attributes is None else self.counts.rollup(attributes)
            return metric_of_counts(rate, counts, confidence=self.confidence, random_state=self.random_state)
        table = None if attributes is None else GroupTable.joined([self.counts.rollup(attributes)])
        return columns_of(self, rate, table, simultaneous=simultaneous).rows()

    def to_frame(
        self,
        rate: str | Metric = "tpr",
        *,
        attributes: Sequence[str] | None = None,
        backend: str | None = None,
    ) -> Any:
        """Every group's rate as a frame of the library that the data came in.

        Parameters
        ----------
        rate, attributes
            As in :meth:`by_group`.
        backend : str, optional
            Another library: "pandas", "polars", "pyarrow" …

        Returns
        -------
        frame
            A column per attribute, one named after the rate, ``low``, ``high``, and ``n``, the rows it is about.
        """
        rows = self.by_group(rate, attributes=attributes)
        names = self.counts.lattice.names if attributes is None else tuple(attributes)
        title = rate if isinstance(rate, str) else getattr(rate, "__name__", "metric")
        return frame_of(title, rows, names, self.task.library if backend is None else backend)

    def plot(self, rate: str | None = None, *, ratio: bool = False, ax: Any = None) -> Any:
        """Draw every group's rate with its interval, or its impact ratio, on matplotlib axes.

        Parameters
        ----------
        rate : str, optional
            As in :meth:`by_group`; by default the notion's first, and for ratios the selection rate.
        ratio : bool, default=False
            Draw ratios, with a line at four fifths.
        ax : matplotlib axes, optional
            Where to; by default the current axes.

        Returns
        -------
        matplotlib axes
            The axes.

        Raises
        ------
        InputError
            If matplotlib is not installed.
        """
        return plot_audit(self, rate, ratio=ratio, ax=ax)

    def impact_ratios(
        self,
        rate: str | None = None,
        *,
        reference: Against | None = None,
        attributes: Sequence[str] | None = None,
        min_share: float | None = None,
    ) -> tuple[ImpactRatio, ...]:
        """Every group's rate as a share of that of those it is compared with, and whether it is below four fifths.

        Parameters
        ----------
        rate : str, optional
            The rate; by default the one at which people get the favourable outcome.
        reference : "best", "others" or group, optional
            The best-off group, everyone else, or a group such as ``{"sex": "m", "race": "white"}``; by default the
            audit's.
        attributes : sequence of str, optional
            Groups that fix only these attributes; by default the leaves.
        min_share : float, optional
            Smallest share of all rows, in [0, 1], that a group needs to be compared; by default the audit's, which is
            0. Smaller groups get no ratio and are never the group that others are compared with.

        Raises
        ------
        InputError
            If no outcome is known to be good, or the reference has no rows.

        Examples
        --------
        >>> import fairlattice as fl
        >>> p = [1] * 60 + [0] * 40 + [1] * 30 + [0] * 70
        >>> audit = fl.audit(None, p, sensitive_features={"sex": ["m"] * 100 + ["f"] * 100})
        >>> for r in audit.impact_ratios():
        ...     print(r, r.verdict)
        sex=f: 0.500 [0.344, 0.706] (n=100) yes
        sex=m: 1.000 [1.000, 1.000] (n=100) no
        """
        if (rate, reference, attributes, min_share) == (None, None, None, None):
            return self._impact_ratios
        return ratios_of(self, rate, reference, attributes, min_share)

    @cached_property
    def _impact_ratios(self) -> tuple[ImpactRatio, ...]:
        """The ratios of the audit's own settings, which verdicts and reports need several times."""
        return ratios_of(self)

    def figure(self, name: str) -> Figure:
        """A figure of a rate or notion: as counted, corrected for small groups, and its interval.

        Parameters
        ----------
        name : str
            Rate or notion and measure, as in "tpr.df", "equalized_odds.if", "selection_rate.ratio" or "tpr.worst".
            Of DF and IF small is fair; of the ratio of the worst group's rate to the best's, and of the worst rate,
            large is.
        """
        rate, measure, _ = parse_figure(name)
        return figure_of(self, rate, measure)

    def verdicts(
        self, *, harm: Harm | None = None, leveling: LevelingDown | None = None
    ) -> tuple[Verdict, ...]:
        """The answers: who fares worse, whether a ratio is below four fifths, and of harm where it was looked for."""
        return verdicts_of(self, harm=harm, leveling=leveling)

    def __repr__(self) -> str:
        """The answer, in a few lines."""
        counts, data = self.counts, self.words
        axes = " × ".join(f"{a.name} ({len(a.levels)})" for a in counts.lattice.attributes)
        lines = [
            f"Audit of {counts.n:,} rows, {len(self.groups):,} groups: {axes}",
            assumed_sentence(
                data,
                {"notion": self.notion, "favourable": data["favourable"], "assumed": self.task.assumed},
            ),
            *(verdict_sentence(asdict(v), data, self.confidence) for v in self.verdicts()),
        ]
        return visible("\n".join(lines))

    @property
    def words(self) -> dict[str, Any]:
        """What sentences about this audit need to know: names and values of the task."""
        good = self.positive if self.favourable is None else self.favourable
        return {
            "label": self.task.label,
            "prediction": self.task.prediction,
            "classes": list(self.counts.classes),
            "positive": self.positive,
            "positive_prediction": self.task.positive_prediction,
            "favourable": good,
        }

    def overall(self, rate: str = "accuracy") -> GroupRate:
        """The rate over all rows."""
        return self.by_group(rate, attributes=())[0]

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of the classes' recalls over all rows (TPR and TNR), in [0, 1]; high is good.

        Classes without rows are left out; None without any, and without labels.
        """
        if not self.counts.labelled:
            return None
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
        return disparity_of(self, measure, kind, alpha)

    def differential_fairness(self, measure: str = "tpr") -> float:
        """Differential fairness of a rate, or of a notion such as "equalized_odds". Small is fair.

        For the selection rate both outcomes count. See :func:`differential_fairness`.
        """
        return value_of(self, measure, "df")

    def alpha_intersectional(self, measure: str = "tpr", *, alpha: float | None = None) -> float:
        """α-intersectional fairness of a rate or notion. Small is fair. See :func:`alpha_intersectional`."""
        return value_of(self, measure, "if", alpha)

    def worst(self, rate: str = "tpr") -> GroupRate:
        """The group with the lowest rate; its interval allows for being picked among all.

        Groups are ranked with one person added to each, who succeeds at the rate of everyone: otherwise a group of
        one, whose rate is 0 or 1, would often come first. :meth:`probability_worst` weighs chance fully.

        Examples
        --------
        >>> import fairlattice as fl
        >>> y, p = [0] * 200, [0] * 90 + [1] * 10 + [0] * 79 + [1] * 20 + [0]
        >>> S = {"sex": ["f"] * 100 + ["m"] * 99 + ["d"]}
        >>> print(fl.audit(y, p, sensitive_features=S, positive=1).worst("tnr"))
        sex=m: 0.798 [0.691, 0.881] (n=99)
        """
        return extreme_group(self, rate, lowest=True)

    def best(self, rate: str = "tpr") -> GroupRate:
        """The group with the highest rate, picked as by :meth:`worst`."""
        return extreme_group(self, rate, lowest=False)

    def smoothed(self, rate: str = "tpr") -> tuple[float | None, ...]:
        """Every group's smoothed rate, as the measures take it; None where undefined."""
        rates = self._rates(rate)
        values = rates.smoothed(self.smoothing)
        return tuple(float(v) if ok else None for v, ok in zip(values, rates.defined, strict=True))

    def pooled(self, rate: str = "tpr") -> tuple[GroupRate, ...]:
        """Every group's rate shrunk towards its ancestors', with its posterior interval.

        The better guess for tiny groups, also for those without a row; see :func:`partial_pooling`.
        """
        return pooled_columns(self, rate).rows()

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
            both_outcomes=is_selection(rate),
            top=top,
        )

    def worst_by_level(self, rate: str = "tpr") -> tuple[GroupRate, ...]:
        """The group with the lowest rate at every level of the lattice, from everyone to the leaves, as :meth:`worst`.

        Its interval allows for being picked among all groups of its level.
        """
        return lowest_by_level(self, rate)

    def worse_off(self, rate: str = "tpr") -> tuple[WorseOff, ...]:
        """Groups of any level that fare worse than everyone else beyond noise; hidden ones first.

        A group is hidden ("gerrymandered") if no coarser group that contains it shows the disparity.
        """
        return worse_off(self._one_rate(rate).level_gaps)

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
        return claims_of(self, rate, margin)

    def harm(
        self, baseline: Audit, *, measure: str | Sequence[str] | None = None, tolerance: float = 0.0
    ) -> Harm:
        """Did some group's rate fall against the model of `baseline`, whatever the measures of fairness do?

        Parameters
        ----------
        baseline : Audit
            The other model's audit, over the same attributes.
        measure : str or sequence of str, optional
            Rates or notions to look at; by default the audit's notion.
        tolerance : float, default=0.0
            A fall that is accepted, in [0, 1].

        Notes
        -----
        The two audits are compared as independent samples, since counts do not show which rows the models differ on.
        Where both decided on the same rows, :func:`harm` sees much more.

        Examples
        --------
        >>> import fairlattice as fl
        >>> S = {"sex": ["f"] * 200 + ["m"] * 200}
        >>> old = fl.audit(None, [1, 1, 1, 0] * 100, sensitive_features=S)
        >>> new = fl.audit(None, [1, 0, 0, 0] * 50 + [1, 1, 1, 0] * 50, sensitive_features=S)
        >>> [(c.group, c.difference) for c in new.harm(old).fell]
        [({'sex': 'f'}, -0.5), ({}, -0.25)]
        """
        return harm_between(baseline, self, measure=measure, tolerance=tolerance)

    def leveling_down(self, baseline: Audit, *, measure: str | None = None) -> LevelingDown:
        """Who lost against the model of `baseline`, by how much, and whether it leveled down.

        Parameters
        ----------
        baseline : Audit
            The unconstrained model's audit, over the same attributes.
        measure : str, optional
            The rate or notion to judge by; by default the audit's.

        Notes
        -----
        The two audits are compared as independent samples, since counts do not show which rows the
        models differ on. Where both decided on the same rows, :func:`leveling_down` sees much more.
        """
        return leveling_between(baseline, self, measure=measure)

    @cached_property
    def _by_rate(self) -> Mapping[str, OneRate]:
        """Every rate by its name."""
        recalls = (f"recall:{c}" for c in self.counts.classes) if self.counts.labelled else ()
        return {name: OneRate(self, name) for name in (*self.rates, *recalls)}

    def _one_rate(self, rate: str) -> OneRate:
        name = ALIASES.get(rate, rate)
        return self._by_rate.get(name) or OneRate(self, name)

    def _rates_of(self, layers: Sequence[npt.NDArray[Any]], rate: str) -> Rates:
        return weighted_rates(layers, self.counts.classes, rate, self.positive)

    def _rates(self, rate: str) -> Rates:
        return self._one_rate(rate).rates

    @cached_property
    def _levels(self) -> tuple[GroupTable, ...]:
        return tuple(levels_of(self.counts))

    def _rows_of(self, group: Group) -> int:
        """How many rows a group of any level has."""
        rolled = self.counts.rollup(tuple(group))
        return int(rolled.rows[rolled.leaves.index(tuple(group.values()))])

    @cached_property
    def _design(self) -> Design:
        return Design.of(self.groups)
