"""What a comparison says: every strategy's levels, differences, price and harm, and which to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._display import ShowsAsPage
from fairlattice._validation import FloatArray, IntArray
from fairlattice.benchmark._decision import Limits, Recommendation, recommend
from fairlattice.benchmark._estimates import Estimate
from fairlattice.benchmark._group_draws import POSTERIOR_RATES
from fairlattice.benchmark._harm import GroupShifts, LevelingDown, harm_of, leveling_down_of
from fairlattice.benchmark._over_seeds import Run, count_run, run_figures
from fairlattice.benchmark._posterior import KINDS, Gap, Level, Posterior, people_of
from fairlattice.benchmark._price import Accuracies, accuracies_of
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice
from fairlattice.metrics import Audit, GroupRate
from fairlattice.samplers import CellIndex
from fairlattice.strategies import LeafThresholds, ThresholdsByLeaf
from fairlattice.strategies._shared import BASELINE, AnyStrategy, strategy_of

ACCURACIES = ("balanced_accuracy", "accuracy", "selection_rate")
COMPARED_FIGURES = (
    *(f"{rate}.{kind}" for rate in ("equalized_odds", *POSTERIOR_RATES) for kind in KINDS),
    *ACCURACIES,
)
"""What is said of a strategy."""


@dataclass(frozen=True)
class StrategyResult:
    """One strategy of a comparison.

    Parameters
    ----------
    strategy : Strategy
        What was done.
    runs : tuple of Run
        One for each repeat, of every row.
    comparison : Comparison
        What it is a part of.
    """

    strategy: AnyStrategy
    runs: tuple[Run, ...] = field(repr=False)
    comparison: Comparison = field(repr=False)

    @property
    def name(self) -> str:
        """What the strategy is called."""
        return self.strategy.name

    def estimate(self, figure: str) -> Level | Estimate:
        """A figure: median and 95 % interval, or mean and standard error of ``balanced_accuracy`` and the like.

        Parameters
        ----------
        figure : str
            ``equalized_odds.if``, ``tpr.worst`` …: a rate and one of if, df, worst, best; or ``balanced_accuracy``,
            ``accuracy``, ``selection_rate``.
        """
        _check_figure(figure)
        if figure in ACCURACIES:
            return self.accuracies.estimate(figure)
        return self.comparison.posterior.level(self.name, figure)

    @cached_property
    def accuracies(self) -> Accuracies:
        """Accuracy, balanced accuracy, selection rate and calibration."""
        return accuracies_of(self.comparison.posterior.people, self.name, [run.score for run in self.runs])

    @cached_property
    def audits(self) -> tuple[Audit, ...]:
        """The audit of each repeat's test rows, plug-in figures included."""
        c = self.comparison
        alpha = float(c.settings["alpha"])
        return tuple(count_run(c.lattice, c.leaves, c.truth, run, alpha, c.classes) for run in self.runs)

    @cached_property
    def raw(self) -> dict[str, Estimate]:
        """Plug-in figures, mean and standard error over repeats; extremes over small groups are biased upwards."""
        rows = [run_figures(audit) for audit in self.audits]
        return {name: Estimate.of([row[name] for row in rows]) for name in rows[0]}

    @cached_property
    def thresholds(self) -> ThresholdsByLeaf | None:
        """The threshold of each leaf, on the out-of-fold scores of all rows; None where the strategy has none.

        Nearly those of the model that is trained on all rows, whose scores cannot be looked at yet.
        """
        aim, scores = getattr(self.strategy, "decision", None), self.runs[0].score
        if not isinstance(aim, LeafThresholds) or scores is None:
            return None
        c, rows = self.comparison, self.runs[0].rows
        return aim.on(CellIndex(c.lattice, c.leaves[rows], c.truth[rows], 2), scores)

    def by_group(self, rate: str) -> tuple[GroupRate, ...]:
        """Posterior median and interval of every group's rate; n is how many people the rate is about."""
        drawn = self.comparison.posterior.rates[rate]
        place = self.comparison.posterior.names.index(self.name)
        median, low, high = np.quantile(drawn.theta[place], [0.5, 0.025, 0.975], axis=0)
        return tuple(
            GroupRate(
                self.comparison.lattice.group(int(code)), int(n), float(m * n), float(m), float(lo), float(hi)
            )
            for code, n, m, lo, hi in zip(drawn.codes, drawn.people, median, low, high, strict=True)
        )


@dataclass(frozen=True)
class Comparison(ShowsAsPage):
    """Strategies side by side; returned by :func:`fairlattice.compare`.

    Parameters
    ----------
    settings : mapping
        What was asked for: classifier, folds, repeats, seed and so on.
    lattice : GroupLattice
        The groups.
    classes : tuple
        The two labels; the second is the positive one.
    truth : int array of shape (n,)
        Position of every row's label among the classes.
    leaves : int array of shape (n,)
        Every row's leaf.
    fold : int array of shape (repeats, n)
        In which fold of each repeat every row was tested.
    tested : tuple of (strategy, tuple of Run)
        The strategies in the order asked for, with one run for each repeat.
    notes : tuple of str
        What a reader should know, such as which cells have no rows.
    features : tuple of str
        The columns that the classifiers were trained on; identifiers are not among them.
    """

    settings: Mapping[str, Any]
    lattice: GroupLattice
    classes: tuple[Any, Any]
    truth: IntArray = field(repr=False)
    leaves: IntArray = field(repr=False)
    fold: IntArray = field(repr=False)
    tested: tuple[tuple[AnyStrategy, tuple[Run, ...]], ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    @cached_property
    def results(self) -> tuple[StrategyResult, ...]:
        """One for each strategy, in the order asked for."""
        return tuple(StrategyResult(strategy, runs, self) for strategy, runs in self.tested)

    def __repr__(self) -> str:
        """The answer, in a line."""
        found, notion = self.recommendation, str(self.settings["notion"]).replace("_", " ")
        advice = f"{'take' if found.verdict == 'take' else 'keep'} {found.strategy}"
        if found.verdict == "not enough data":
            advice = f"not enough data, {advice}"
        p = found.probability_fairer
        sure = "" if p is None else f"; {found.considered} is fairer than {BASELINE} with probability {p:.2f}"
        return f"Comparison of {len(self.tested)} strategies on {len(self.truth):,} rows, {notion}: {advice}{sure}"

    def __getitem__(self, name: str) -> StrategyResult:
        """The result of the strategy called `name`."""
        by_name = {r.name: r for r in self.results}
        found = by_name.get(name) or by_name.get(self._canonical(name))
        if found is None:
            raise KeyError(f"{name!r} is not among the strategies compared: {', '.join(by_name)}.")
        return found

    def _canonical(self, name: str) -> str:
        """The name of the strategy that a text such as "auto" or "adaptive+thresholds" describes."""
        try:
            return str(strategy_of(name, auto=str(self.settings["default"])).name)
        except InputError:
            return name

    def __contains__(self, name: object) -> bool:
        return any(strategy.name == name for strategy, _ in self.tested)

    @cached_property
    def posterior(self) -> Posterior:
        """Joint draws of every figure."""
        predicted = {strategy.name: [run.predicted for run in runs] for strategy, runs in self.tested}
        people = people_of(self.lattice, self.leaves, self.truth, predicted)
        return Posterior(people, float(self.settings["alpha"]), int(self.settings["seed"]))

    def differences(self, baseline: str, figure: str) -> dict[str, Gap]:
        """A figure of every other strategy minus the baseline's; marks hold over all of them together."""
        _check_figure(figure)
        baseline = self[baseline].name
        if figure in ACCURACIES:
            mine = self[baseline].accuracies
            return {r.name: r.accuracies.minus(mine, figure) for r in self.results if r.name != baseline}
        return self.posterior.gaps(baseline, figure)

    def difference(self, name: str, baseline: str, figure: str) -> Gap:
        """A figure of one strategy minus that of another."""
        return self.differences(baseline, figure)[self[name].name]

    @cached_property
    def recommendation(self) -> Recommendation:
        """Which strategy to take, or to keep things as they are, and why."""
        limits = Limits(
            str(self.settings["notion"]),
            self.settings["max_loss"],
            bool(self.settings["groups_at_prediction"]),
            str(self.settings["default"]),
        )
        strategies = {r.name: r.strategy for r in self.results}
        losses = {}
        if BASELINE in self:
            losses = {name: -gap.median for name, gap in self.differences(BASELINE, "accuracy").items()}
        return recommend(self.posterior, strategies, losses, limits)

    def harm(self, name: str, baseline: str = BASELINE) -> GroupShifts:
        """The groups whose rates fell, and those whose rates rose, beyond noise against the baseline."""
        return harm_of(self.posterior, self[name].name, self[baseline].name)

    def leveling_down(self, name: str, baseline: str = BASELINE) -> LevelingDown:
        """Whether the strategy looks fairer on a rate while its worst-off group fares worse."""
        return leveling_down_of(self.posterior, self[name].name, self[baseline].name)

    def predictions(self) -> dict[str, npt.NDArray[Any]]:
        """Every prediction, one row for each strategy, repeat and test row, as columns.

        ``strategy, repeat, row, y_true, y_pred, score``, the level of every sensitive attribute, and the fold that the
        row was tested in: all that is needed to compute every figure again.
        """
        runs = [(strategy.name, run) for strategy, runs in self.tested for run in runs]
        rows = np.concatenate([run.rows for _, run in runs])
        sizes = [len(run.rows) for _, run in runs]
        repeats = np.repeat([run.repeat for _, run in runs], sizes)
        labels = np.asarray(self.classes, dtype=object)
        columns: dict[str, npt.NDArray[Any]] = {
            "strategy": np.repeat([name for name, _ in runs], sizes),
            "repeat": repeats,
            "row": rows,
            "y_true": labels[self.truth[rows]],
            "y_pred": labels[np.concatenate([run.predicted for _, run in runs])],
        }
        if any(run.score is not None for _, run in runs):
            columns["score"] = np.concatenate([_score_of(run) for _, run in runs])
        for attribute, levels in self.lattice.level_columns(self.leaves[rows]).items():
            name = attribute
            while name in columns or (name != attribute and name in self.lattice.names):
                name = f"sensitive_{name}"
            columns[name] = levels
        fold = "fold"
        while fold in columns:
            fold = f"{fold}_"
        columns[fold] = self.fold[repeats, rows]
        return columns


def _score_of(run: Run) -> FloatArray:
    """Scores, missing where the classifier has none."""
    return np.full(len(run.rows), np.nan) if run.score is None else run.score


def _check_figure(figure: str) -> None:
    if figure not in COMPARED_FIGURES:
        raise InputError(f"`figure` must be one of {', '.join(COMPARED_FIGURES)}; got {figure!r}.")
