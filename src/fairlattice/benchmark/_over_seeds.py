"""Methods over seeds: predictions of every run, and the plug-in figures that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, IntArray
from fairlattice.benchmark._estimates import Difference, Estimate
from fairlattice.groups import Group, GroupCounts, GroupLattice
from fairlattice.metrics import Audit, GroupRate, jeffreys_interval, newcombe_interval
from fairlattice.metrics._shared import leveling_down_verdict, overall_verdict, simultaneous_confidence

RATES = ("tpr", "tnr")
FIGURES = ("df", "if", "worst", "best")
"""What is said of a rate over all groups."""


@dataclass(frozen=True, eq=False)
class Run:
    """Predictions of one strategy on the test rows of one split.

    Parameters
    ----------
    repeat : int
        Which split, from 0.
    rows : int array of shape (m,)
        Row numbers of the test rows.
    predicted : int array of shape (m,)
        Positions of the predicted labels among the classes.
    score : float array of shape (m,) or None
        Probability of the positive class, where it was kept.
    remarks : tuple of str
        Warnings of the classifier, such as that it did not converge.
    """

    repeat: int
    rows: IntArray
    predicted: IntArray
    score: FloatArray | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupLoss:
    """A group that fares worse than under the unconstrained model, on average over repeats."""

    group: Group
    rate: str
    before: float
    after: float
    difference: Difference


@dataclass(frozen=True)
class LevelingSummary:
    """The leveling-down verdict of a strategy against `none`, and the groups that fell."""

    verdict: str
    by_rate: Mapping[str, str]
    groups: tuple[GroupLoss, ...] = field(repr=False)


@dataclass(frozen=True)
class MethodResult:
    """One method's runs and figures.

    Parameters
    ----------
    name : str
        The strategy, or the method of `bench`.
    runs : tuple of Run
        One per repeat.
    audits : tuple of Audit
        One per repeat, of its test rows.
    """

    name: str
    runs: tuple[Run, ...] = field(repr=False)
    audits: tuple[Audit, ...] = field(repr=False)

    @cached_property
    def per_repeat(self) -> dict[str, tuple[float, ...]]:
        """Every figure of every repeat: ``balanced_accuracy``, ``tpr.df``, ``equalized_odds.if`` …"""
        rows = [run_figures(audit) for audit in self.audits]
        return {name: tuple(row[name] for row in rows) for name in rows[0]}

    def estimate(self, figure: str) -> Estimate:
        """Mean and standard error of a figure over the repeats."""
        return Estimate.of(self.per_repeat[figure])

    @cached_property
    def pooled(self) -> Audit:
        """The audit of all repeats' test rows together."""
        counts = self.audits[0].counts
        for audit in self.audits[1:]:
            counts = counts + audit.counts
        first = self.audits[0]
        return Audit(counts, first.positive, first.alpha, first.smoothing, first.confidence)


@dataclass(frozen=True)
class SeedComparison:
    """Methods side by side over the seeds of an experiment; returned by :func:`fairlattice.bench`.

    Parameters
    ----------
    settings : mapping
        What was asked for: classifier, repeats, seed and so on.
    lattice : GroupLattice
        The groups.
    classes : tuple
        The two labels; the second is the positive one.
    truth : int array of shape (n,)
        Position of every row's label among the classes.
    leaves : int array of shape (n,)
        Every row's leaf.
    results : tuple of MethodResult
        One per strategy, in the order asked for.
    notes : tuple of str
        What a reader should know, such as which cells have no rows.
    """

    settings: Mapping[str, Any]
    lattice: GroupLattice
    classes: tuple[Any, Any]
    truth: IntArray = field(repr=False)
    leaves: IntArray = field(repr=False)
    results: tuple[MethodResult, ...] = field(repr=False)
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> MethodResult:
        """The result of the strategy called `name`."""
        by_name = {r.name: r for r in self.results}
        if name not in by_name:
            raise KeyError(f"{name!r} is not among the methods compared: {', '.join(by_name)}.")
        return by_name[name]

    def __contains__(self, name: object) -> bool:
        return any(r.name == name for r in self.results)

    def differences(self, name: str, baseline: str) -> dict[str, Difference]:
        """Paired differences, strategy - baseline, of every figure."""
        ours, theirs = self[name].per_repeat, self[baseline].per_repeat
        share = float(self.settings["test_size"])
        return {k: Difference.of(np.subtract(ours[k], theirs[k]), test_share=share) for k in ours}  # type: ignore[arg-type]

    def leveling_down(self, name: str, baseline: str = "none") -> LevelingSummary:
        """Did the strategy lower DF or IF on a rate while its worst-off group fell below `baseline`'s?"""
        differences = self.differences(name, baseline)
        verdicts = {
            rate: leveling_down_verdict(
                unfairness_fell=any(differences[f"{rate}.{kind}"].mean < 0 for kind in ("df", "if")),
                worst_fell=differences[f"{rate}.worst"].mean < 0,
                beyond_noise=not differences[f"{rate}.worst"].within_noise,
            )
            for rate in RATES
        }
        losses = [loss for rate in RATES for loss in self._losses(rate, name, baseline)]
        losses.sort(key=lambda loss: loss.difference.mean)
        return LevelingSummary(overall_verdict(verdicts), verdicts, tuple(losses))

    def people(self, name: str, rate: str) -> tuple[FloatArray, IntArray]:
        """Successes and trials of every group that has test rows, each distinct row counted once.

        A row tested in several repeats is one person, who succeeds in part if the repeats disagree.
        Intervals must rest on people: the repeats' test rows together count most of them several times.
        """
        result, label = self[name], 1 if rate == "tpr" else 0
        rows = np.concatenate([run.rows for run in result.runs])
        right = np.concatenate([run.predicted == self.truth[run.rows] for run in result.runs])
        tested = np.bincount(rows, minlength=len(self.truth))
        hits = np.bincount(rows, weights=right, minlength=len(self.truth))
        people = np.flatnonzero((tested > 0) & (self.truth == label))
        codes = result.pooled.counts.codes
        place = np.searchsorted(codes, self.leaves[people])
        successes = np.bincount(place, weights=hits[people] / tested[people], minlength=len(codes))
        trials = np.bincount(place, minlength=len(codes))
        return successes.astype(np.float64), trials.astype(np.int64)

    def by_group(self, name: str, rate: str) -> tuple[tuple[GroupRate, int], ...]:
        """Every group's rate over the repeats' test rows together, and how many distinct rows these are.

        The interval is that of this number of people, wider than that of all test rows would be.
        """
        rows, (_, people) = self[name].pooled.by_group(rate), self.people(name, rate)
        raw = np.asarray([g.rate or 0.0 for g in rows])
        low, high = jeffreys_interval(raw * people, people)
        return tuple(
            (replace(g, low=float(low[i]), high=float(high[i])), int(people[i])) for i, g in enumerate(rows)
        )

    def _losses(self, rate: str, name: str, baseline: str) -> list[GroupLoss]:
        before, after = (_by_leaf(self[n].pooled, rate) for n in (baseline, name))
        per_repeat = [
            (_by_leaf(old, rate), _by_leaf(new, rate))
            for old, new in zip(self[baseline].audits, self[name].audits, strict=True)
        ]
        each = simultaneous_confidence(0.95, len(RATES) * len(before))
        (old_right, people), (new_right, _) = self.people(baseline, rate), self.people(name, rate)
        known = np.maximum(people, 1)
        _, _, highest = newcombe_interval((old_right, known), (new_right, known), confidence=each)
        losses = []
        for place, leaf in enumerate(self[baseline].pooled.counts.leaves):
            gaps = [b[leaf] - a[leaf] for a, b in per_repeat if leaf in a and leaf in b]
            if not gaps or np.mean(gaps) >= 0:
                continue
            share = float(self.settings["test_size"])
            found = Difference.of(gaps, test_share=share, confidence=each)
            # Repeats may agree by chance where rows are few, so the people behind them must suffice too.
            found = replace(found, within_noise=found.within_noise or bool(highest[place] >= 0))
            losses.append(GroupLoss(self.lattice.group(leaf), rate, before[leaf], after[leaf], found))
        return losses


def _by_leaf(audit: Audit, rate: str) -> dict[tuple[Any, ...], float]:
    """Raw rates of the groups that define one."""
    found = zip(audit.counts.leaves, audit.by_group(rate), strict=True)
    return {leaf: g.rate for leaf, g in found if g.rate is not None}


def run_figures(audit: Audit) -> dict[str, float]:
    balanced = audit.balanced_accuracy
    figures = {"balanced_accuracy": balanced if balanced is not None else float("nan")}
    for rate in RATES:
        values = [v for v in audit.smoothed(rate) if v is not None]
        figures |= {
            f"{rate}.df": audit.differential_fairness(rate),
            f"{rate}.if": audit.alpha_intersectional(rate),
            f"{rate}.worst": min(values),
            f"{rate}.best": max(values),
        }
    for kind, taken in (("df", max), ("if", max), ("worst", min), ("best", max)):
        figures[f"equalized_odds.{kind}"] = taken(figures[f"{rate}.{kind}"] for rate in RATES)
    return figures


def count_run(
    lattice: GroupLattice,
    leaves: IntArray,
    truth: IntArray,
    run: Run,
    alpha: float,
    classes: Sequence[Any],
) -> Audit:
    """The audit of one run's test rows."""
    counts = GroupCounts.from_codes(lattice, tuple(classes), leaves[run.rows], truth[run.rows], run.predicted)
    return Audit(counts, classes[1], alpha=alpha)
