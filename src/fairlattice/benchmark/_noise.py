"""Attributes recorded with error: do the gains survive when some training rows stand in the wrong group?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairlattice._validation import IntArray, check_count, check_real
from fairlattice.benchmark._compare import compare
from fairlattice.benchmark._comparison import StrategyResult
from fairlattice.benchmark._estimates import Estimate
from fairlattice.benchmark._posterior import Gap, Level
from fairlattice.exceptions import InputError
from fairlattice.groups._shared import Grouping
from fairlattice.strategies._shared import BASELINE, WEIGHTS, strategies_of
from fairlattice.tables._shared import Rules, read_attributes

FIGURES = ("tpr.worst", "equalized_odds.df", "equalized_odds.if", "balanced_accuracy")


@dataclass(frozen=True)
class NoisePoint:
    """How a strategy fares when attributes are recorded wrongly in training at some rate.

    Parameters
    ----------
    rate : float
        Chance, in [0, 1], that an attribute of a row holds another level than the true one.
    strategy : str
        The strategy.
    figures : dict of str to Level
        "tpr.worst" and "balanced_accuracy" (high is good), "equalized_odds.df" and ".if" (small is good),
        of the true groups.
    gains : dict of str to Gap
        The same minus those of `none`; empty for `none` itself.
    """

    rate: float
    strategy: str
    figures: Mapping[str, Level]
    gains: Mapping[str, Gap]


def annotation_noise(
    X: Any,
    y: Any,
    *,
    sensitive_features: Any,
    rates: Sequence[float] = (0.0, 0.01, 0.05, 0.1, 0.2),
    strategies: Sequence[Any] = (BASELINE, "equal", WEIGHTS),
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> tuple[NoisePoint, ...]:
    """Flip attributes of training rows at several rates, train again, and count by the true groups.

    Parameters
    ----------
    X, y, sensitive_features, strategies, cuts, missing, random_state
        As in :func:`compare`; `none` is always among the strategies.
    rates : sequence of float
        Chances, in [0, 1], with which each attribute of each row is replaced by another of its levels, as
        frequent ones as there are.
    progress : callable (done, total), optional
        Called after every rate.
    **options
        As in :func:`compare`: classifier, repeats, n_jobs …

    Returns
    -------
    tuple of NoisePoint
        By rate, then by strategy.

    Raises
    ------
    InputError
        If a rate is out of range, there is none, or :func:`compare` refuses an option.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> S = {"sex": rng.choice(["f", "m"], 400, p=[0.2, 0.8])}
    >>> X, y = rng.normal(size=(400, 2)), rng.integers(0, 2, 400)
    >>> points = annotation_noise(X, y, sensitive_features=S, rates=[0.0, 0.2], strategies=["equal"],
    ...                           repeats=2)
    >>> [(point.rate, point.strategy) for point in points]
    [(0.0, 'none'), (0.0, 'equal'), (0.2, 'none'), (0.2, 'equal')]
    """
    given: Any = rates
    if isinstance(given, str) or not isinstance(given, Sequence) or not given:
        raise InputError("`rates` must hold at least one error rate, such as 0.05.")
    for rate in rates:
        check_real("rates", rate, 0.0, 1.0)
    seed = check_count("random_state", random_state, 0)
    clean, _ = read_attributes(sensitive_features, Rules(options.get("na"), options.get("decimal")))
    lattice, leaves = Grouping(cuts, missing).encode(clean)
    digits = lattice.digits(leaves)
    # Groups are given as positions of levels, so that a level can be put in the place of another.
    true = dict(zip(lattice.names, digits, strict=True))
    chosen = strategies_of([BASELINE, *strategies])
    points: list[NoisePoint] = []
    for done, rate in enumerate(rates, start=1):
        recorded = flipped(true, rate, np.random.default_rng([seed, done]))
        result = compare(
            X,
            y,
            sensitive_features=true,
            recorded_features=recorded,
            strategies=chosen,
            random_state=seed,
            **options,
        )
        points += [
            NoisePoint(
                float(rate),
                name,
                {figure: _level(result[name], figure) for figure in FIGURES},
                {} if name == BASELINE else {f: result.difference(name, BASELINE, f) for f in FIGURES},
            )
            for name in (strategy.name for strategy in chosen)
        ]
        if progress is not None:
            progress(done, len(rates))
    return tuple(points)


def _level(result: StrategyResult, figure: str) -> Level:
    """A figure with its interval, also where it is a mean with a standard error."""
    found = result.estimate(figure)
    if isinstance(found, Estimate):
        half = 1.96 * (found.se or 0.0)
        return Level(found.mean, found.mean - half, found.mean + half)
    return found


def flipped(levels: Mapping[str, IntArray], rate: float, rng: np.random.Generator) -> dict[str, IntArray]:
    """Every attribute, as positions of levels, with some replaced by other levels in their shares."""
    return {name: _flip(own, rate, rng) for name, own in levels.items()}


def _flip(own: IntArray, rate: float, rng: np.random.Generator) -> IntArray:
    shares, new = np.bincount(own) / len(own), own.copy()
    changed = np.flatnonzero(rng.random(len(own)) < rate)
    for level in np.flatnonzero(shares).tolist():
        others = np.where(np.arange(len(shares)) == level, 0.0, shares)
        rows = changed[own[changed] == level]
        if others.sum() > 0:
            new[rows] = rng.choice(len(shares), len(rows), p=others / others.sum())
    return new
