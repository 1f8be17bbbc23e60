"""Methods over seeds: predictions of every run, and the figures that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, IntArray
from fairlattice.benchmark._estimates import Difference, Estimate
from fairlattice.benchmark._harm import GroupShifts, LevelingDown, harm_of, leveling_down_of
from fairlattice.benchmark._seeds_posterior import LEAST_SEEDS, SeedOutcomes, SeedPosterior
from fairlattice.groups import GroupCounts, GroupLattice
from fairlattice.metrics import Audit, GroupRate, jeffreys_interval

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

    def plug_in(self, figure: str) -> Estimate:
        """Mean and standard error over the repeats of a figure as counted; extremes of small groups are mostly luck."""
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

    @cached_property
    def posterior(self) -> SeedPosterior:
        """Joint draws of every figure, over people and seeds."""
        right = {r.name: [run.predicted == self.truth[run.rows] for run in r.runs] for r in self.results}
        rows = [run.rows for run in self.results[0].runs]
        names, alpha = tuple(right), float(self.settings["alpha"])
        return SeedPosterior(names, self.lattice, SeedOutcomes(self.leaves, self.truth, rows, right), alpha)

    def draws(self, name: str, figure: str) -> FloatArray:
        """Draws of a figure of one method: ``balanced_accuracy``, ``tpr.worst``, ``equalized_odds.if`` …"""
        if figure == "balanced_accuracy":
            drawn: FloatArray = self.posterior.balanced_accuracy[self.posterior.names.index(name)]
            return drawn
        return self.posterior.draws(name, figure)

    def estimate(self, name: str, figure: str) -> Estimate:
        """Posterior mean and standard deviation of a figure."""
        return Estimate.of_draws(self.draws(name, figure))

    def differences(self, name: str, baseline: str) -> dict[str, Difference]:
        """Paired differences, method - baseline, of every figure."""
        known = len(self.results[0].runs) >= LEAST_SEEDS
        return {
            figure: Difference.of_draws(self.draws(name, figure) - self.draws(baseline, figure), known=known)
            for figure in ("balanced_accuracy", *self.posterior.figures)
        }

    def leveling_down(self, name: str, baseline: str = "none") -> LevelingDown:
        """Did the method lower DF or IF of a rate while its worst-off group fell below `baseline`'s?"""
        return leveling_down_of(self.posterior, name, baseline)

    def harm(self, name: str, baseline: str = "none") -> GroupShifts:
        """The groups whose rates fell, and those whose rates rose, beyond noise."""
        return harm_of(self.posterior, name, baseline)

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
