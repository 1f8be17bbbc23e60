"""What a cross-fitted comparison says about every strategy: extremes of rates, and their differences.

The plug-in extreme over many small groups is far too pessimistic, since the worst of thirty groups is mostly the
unluckiest. So the rate of each group is drawn from its posterior, jointly for all strategies, and extremes are taken
draw by draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from fairlattice._threads import one_thread
from fairlattice._validation import FloatArray, IntArray
from fairlattice.benchmark._group_draws import POSTERIOR_RATES, GroupDraws, People, draw_rate
from fairlattice.benchmark._splits import child_seed
from fairlattice.groups import GroupLattice
from fairlattice.metrics._shared import alpha_measure, log_ratio

KINDS = ("if", "df", "worst", "best")
NOTIONS = {
    "equalized_odds": "equalized_odds.if",
    "equal_opportunity": "tpr.if",
    "demographic_parity": "selection_rate.if",
    "accuracy": "accuracy.if",
}
"""What may be equal between groups, and the figure that is small where it is."""
FALSE_SIGNS = 0.025
"""Expected share of wrong signs among the differences that are marked."""
_DRAWS, _FEWER, _MANY_GROUPS = 1000, 500, 400


class Level(NamedTuple):
    """A figure of one strategy: posterior median, and the ends of its 95 % interval."""

    median: float
    low: float
    high: float


class Gap(NamedTuple):
    """A figure of one strategy minus that of another.

    `probability_better` is the posterior probability that the strategy is better in this figure; `mark` is "better"
    or "worse" where the sign is sure, else None.
    """

    median: float
    low: float
    high: float
    probability_better: float
    mark: str | None


def figures_of(theta: FloatArray, alpha: float, *, both_outcomes: bool) -> dict[str, FloatArray]:
    """Worst and best rate, DF and IFα of draws of groups' rates, (…, m); small DF and IF are fair."""
    worst, best = theta.min(axis=-1), theta.max(axis=-1)
    df = log_ratio(worst, best)
    if both_outcomes:
        df = np.maximum(df, log_ratio(1 - best, 1 - worst))
    return {
        "if": alpha_measure(alpha)(worst, best),
        "df": df,
        "worst": worst,
        "best": best,
    }


class JointDraws:
    """Figures of several strategies or methods, drawn jointly from the draws of their groups' rates."""

    names: tuple[str, ...]
    lattice: GroupLattice
    alpha: float

    @property
    def rates(self) -> Mapping[str, GroupDraws]:
        """Draws of every rate."""
        raise NotImplementedError

    @cached_property
    def figures(self) -> dict[str, FloatArray]:
        """Draws of every figure, of shape (strategies, draws): ``tpr.if``, ``equalized_odds.worst`` …"""
        found = {
            f"{rate}.{kind}": values
            for rate, drawn in self.rates.items()
            for kind, values in figures_of(
                drawn.theta, self.alpha, both_outcomes=rate == "selection_rate"
            ).items()
        }
        for kind in KINDS:
            of = np.minimum if kind == "worst" else np.maximum
            found[f"equalized_odds.{kind}"] = of(found[f"tpr.{kind}"], found[f"tnr.{kind}"])
        return found

    def draws(self, name: str, figure: str) -> FloatArray:
        """Draws of a figure of one strategy, of shape (draws,)."""
        drawn: FloatArray = self.figures[figure][self.names.index(name)]
        return drawn

    def level(self, name: str, figure: str) -> Level:
        """Median and 95 % interval of a figure."""
        return Level(*_quantiles(self.draws(name, figure)))

    def probability_better(self, name: str, baseline: str, figure: str) -> float:
        """Posterior probability that a strategy is better than another in a figure."""
        gap = self.draws(name, figure) - self.draws(baseline, figure)
        lower = float(np.mean(gap < 0) + np.mean(gap == 0) / 2)
        return lower if figure.endswith((".if", ".df")) else 1.0 - lower

    def gaps(self, baseline: str, figure: str) -> dict[str, Gap]:
        """Every other strategy's figure minus the baseline's; marks bound the expected share of wrong signs."""
        others = [name for name in self.names if name != baseline]
        better = {name: self.probability_better(name, baseline, figure) for name in others}
        sure = sure_signs(list(better.values()))
        marks = ["better" if better[name] > 0.5 else "worse" for name in others]
        return {
            name: Gap(
                *_quantiles(self.draws(name, figure) - self.draws(baseline, figure)),
                better[name],
                mark if known else None,
            )
            for name, mark, known in zip(others, marks, sure, strict=True)
        }


@dataclass(frozen=True, eq=False)
class Posterior(JointDraws):
    """Joint draws of every figure of the strategies of a comparison.

    Parameters
    ----------
    people : People
        Whose outcomes count.
    alpha : float
        Weight of the absolute part of IFα.
    seed : int
        Of the draws.
    groups : int array, optional
        Leaf codes to look at; by default all.
    """

    people: People
    alpha: float = 0.5
    seed: int = 0
    groups: IntArray | None = field(default=None, repr=False)

    @cached_property
    def rates(self) -> dict[str, GroupDraws]:
        """Draws of every rate that some person is about."""
        m = len(np.unique(self.people.leaves))
        size = _DRAWS if m <= _MANY_GROUPS else _FEWER
        seed = child_seed(self.seed, 11)
        with one_thread():  # many small systems of equations
            return {
                rate: draw_rate(self.people, rate, size=size, seed=seed, groups=self.groups)
                for rate in POSTERIOR_RATES
            }

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The strategies."""
        return self.people.names

    @property
    def lattice(self) -> GroupLattice:  # type: ignore[override]
        """The groups."""
        return self.people.lattice


def sure_signs(better: Sequence[float]) -> list[bool]:
    """Which of several differences are marked: as many as keep the expected share of wrong signs at 2.5 %.

    Parameters
    ----------
    better : sequence of float
        Posterior probability, for each, that it is better.

    References
    ----------
    Stephens (2017), False discovery rates: a new deal, Biostatistics 18:275-294, doi:10.1093/biostatistics/kxw041.

    Examples
    --------
    >>> sure_signs([0.999, 0.97, 0.5, 0.001])
    [True, True, False, True]
    """
    wrong = np.minimum(better, 1.0 - np.asarray(better))
    order = np.argsort(wrong, kind="stable")
    mean = np.cumsum(wrong[order]) / np.arange(1, len(wrong) + 1)
    marked = np.zeros(len(wrong), dtype=bool)
    marked[order[: int((mean <= FALSE_SIGNS).sum())]] = True
    return [bool(m) for m in marked]


def _quantiles(drawn: FloatArray) -> tuple[float, float, float]:
    median, low, high = (float(q) for q in np.quantile(drawn, [0.5, 0.025, 0.975]))
    return median, low, high


def people_of(
    lattice: GroupLattice,
    leaves: IntArray,
    truth: IntArray,
    predicted: Mapping[str, Sequence[Any]],
) -> People:
    """People from the predictions of every strategy: for each repeat, one of everyone in order."""
    names = tuple(predicted)
    every = np.asarray([np.asarray(predicted[name], dtype=np.int64) for name in names])
    return People(lattice, leaves, truth, every, names)
