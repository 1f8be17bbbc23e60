"""Partial pooling: a tiny group borrows from the groups it is an intersection of.

The model is the multilevel one of the intersectionality literature (MAIHDA): on the logit scale a
group's rate is what everyone's rate and the effects of its levels predict, plus a deviation of its
own with standard deviation σ. How strong the effects are and how large σ is, is learned from the
counts (empirical Bayes), so data decide how much a group of six borrows. A group of ten thousand
keeps its own rate.

Given its prediction η, a group's rate has the prior Beta(½ + (1 + e^η)/σ², ½ + (1 + e^-η)/σ²), whose
logit has mean η and standard deviation σ, closely for σ up to 1 and a little less beyond. It is
conjugate, so posteriors are exact; σ → 0 pools completely, and σ → ∞ would be Jeffreys' prior: no pooling.

A model can be wrong. One group may be unlike the others, while one σ is learned from all: so every group may
have a wide prior of the same centre. How many do is learned, and a group's own counts say how likely it does. And all
groups may be unlike their ancestors: one draw in twenty supposes that they have nothing in common, and intervals reach
as far as counts alone, half of the time, would take them. Neither helps a group of three: its counts say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import betaln, expit, logit, ndtr, softmax

from fairlattice._validation import FloatArray, IntArray, check_count, check_real
from fairlattice.exceptions import InputError, UndefinedRateError
from fairlattice.groups import Group
from fairlattice.metrics._design import Design
from fairlattice.metrics._evidence import Beta, Evidence
from fairlattice.metrics._rates import Rates

_SPREADS = np.array([0.02, 0.08, 0.16, 0.27, 0.42, 0.65, 1.0, 1.6, 2.6])  # σ at which the model is fitted
_FINE = np.exp(np.linspace(np.log(_SPREADS[0]), np.log(_SPREADS[-1]), 65))  # σ that the draws have
_NEWTON = 3  # steps per σ; each starts where the last σ ended
_GUESS = 1.0  # how many effects the prior guess of a block's variance is worth
# Shares of groups that may be unlike what their levels predict.
_ODD = np.array([0.003, 0.01, 0.03, 0.1, 0.3])
_WIDE = 1.6  # σ of such a group
_DOUBT = 0.05  # share of draws that suppose the groups to have nothing in common
_MOST_DRAWN = 4_000_000  # numbers in memory, and time, for the draws of one rate
_BLOCK = 1 << 16  # numbers computed together; a processor's cache holds several arrays of this size
_NEGLIGIBLE = 1e-13  # weight of a value of σ below which it does not change the result visibly


@dataclass(frozen=True, eq=False)
class PooledRates:
    """Every group's rate, shrunk towards what its ancestors predict.

    Parameters
    ----------
    mean, low, high : float arrays of shape (m,)
        Posterior mean and equal-tailed interval, in [0, 1]; also for groups without trials.
    predicted : float array of shape (m,)
        What everyone's rate and the effects of the group's levels predict, without its own trials' say.
    spread : float
        Posterior mean of σ, the standard deviation of groups' own deviations on the logit scale: 0 where
        every group is as its levels predict.
    draws : float array of shape (b, m)
        Draws from the joint posterior; in one of twenty the groups borrow nothing from each other.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    predicted: FloatArray
    spread: float
    draws: FloatArray


def partial_pooling(
    rates: Rates,
    groups: Sequence[Group],
    *,
    confidence: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
) -> PooledRates:
    """Shrink every group's rate towards its ancestors', by an empirical-Bayes fit over the lattice.

    Parameters
    ----------
    rates : Rates
        Successes and trials of every group.
    groups : sequence of m groups
        The levels that each fixes.
    confidence : float, default=0.95
        Of the intervals, in (0, 1).
    draws : int, default=1000
        Draws from the posterior; fewer where there are very many groups.
    random_state : int, default=0
        The same seed gives the same draws.

    Returns
    -------
    PooledRates
        The shrunk rates.

    Raises
    ------
    InputError
        If rates and groups differ in number, or an option is out of range.
    UndefinedRateError
        If no group has a trial.

    References
    ----------
    Evans, Williams, Onnela & Subramanian (2018), A multilevel approach to modeling health inequalities
    at the intersection of multiple social identities, Social Science & Medicine 203:64-73,
    doi:10.1016/j.socscimed.2017.11.011.

    Examples
    --------
    >>> groups = [{"sex": s, "old": o} for s in "fm" for o in (0, 1)]
    >>> pooled = partial_pooling(Rates(np.array([300, 1, 380, 350]), np.array([500, 1, 500, 500])), groups)
    >>> pooled.mean.round(2)  # one success of one is not a rate of 1
    array([0.6 , 0.64, 0.75, 0.7 ])
    """
    check_real("confidence", confidence, 0.0, 1.0, open_ends=True)
    check_count("draws", draws)
    check_count("random_state", random_state, 0)
    if len(groups) != len(rates.trials):
        raise InputError(f"`rates` are of {len(rates.trials):,} groups, but `groups` names {len(groups):,}.")
    return pooled_rates(
        rates, Design.of(groups), confidence=confidence, draws=draws, random_state=random_state
    )


def pooled_rates(
    rates: Rates, design: Design, *, confidence: float = 0.95, draws: int = 1000, random_state: int = 0
) -> PooledRates:
    """:func:`partial_pooling` with the groups' effects given, which are the same for every rate."""
    if not rates.defined.any():
        raise UndefinedRateError("No group has a row that this rate is about, so it is undefined.")
    model = _Model.of(rates, design)
    rng = np.random.default_rng(random_state)
    drawn = model.draw(min(draws, max(100, _MOST_DRAWN // len(rates.trials))), rng)
    tail = (1 - confidence) / 2
    # Sorted along rows first: the same quantiles, but much faster than along columns.
    low, high = np.quantile(np.sort(drawn.T, axis=1), [tail, 1 - tail], axis=1)
    mean, predicted = model.mean, model.predicted
    spread = float((model.weights * _FINE).sum())
    return PooledRates(mean, np.minimum(low, mean), np.maximum(high, mean), predicted, spread, drawn)


def draw_priors(rates: Rates, design: Design, normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Draws of the Beta priors that the lattice gives every group, without the doubts of :func:`partial_pooling`.

    Parameters
    ----------
    rates : Rates
        Successes and trials of m groups; successes may be fractions of a trial.
    design : Design
        The groups' effects, c of them.
    normals : float array of shape (size, 1 + c)
        Standard normal draws: the first of each row chooses σ by its quantile, the others the effects. Rates that are
        drawn from correlated normals are paired.

    Returns
    -------
    successes, failures : float arrays of shape (size, m)
        What the prior counts as, in trials.
    """
    return _Model.of(rates, design).draw_priors(normals)


@dataclass(frozen=True, eq=False)
class _Effects:
    """The effects at one σ: posterior mode, a root of their covariance, and the evidence for this σ."""

    mode: FloatArray
    root: FloatArray
    evidence: float


@dataclass(frozen=True, eq=False)
class _Model:
    """Effects of everyone (column 0) and of every level, on the logit scale, at each of several σ."""

    successes: FloatArray
    trials: FloatArray
    design: Design
    fits: tuple[_Effects, ...]  # by increasing σ

    @classmethod
    def of(cls, rates: Rates, design: Design) -> _Model:
        s, n = (np.asarray(a, dtype=np.float64) for a in (rates.successes, rates.trials))
        known = n > 0
        fits = _fit(s[known], n[known], replace(design, matrix=design.matrix[known]))
        return cls(s, n, design, tuple(fits)[::-1])

    @cached_property
    def weights(self) -> FloatArray:
        """Posterior of σ on the fine grid, under a half-Cauchy prior of scale ½ (Gelman 2006)."""
        evidence = np.array([f.evidence for f in self.fits])
        log = _SPLINE @ (evidence - evidence.max()) + np.log(_FINE) - np.log1p((_FINE / 0.5) ** 2)
        weights = np.exp(log - log.max())
        normal: FloatArray = weights / weights.sum()
        return normal

    @property
    def predicted(self) -> FloatArray:
        share = np.bincount(_NEAREST, weights=self.weights, minlength=len(_SPREADS))
        return np.asarray(share @ np.array([expit(self.design.linear(f.mode)) for f in self.fits]))

    @cached_property
    def counts(self) -> Evidence:
        return Evidence(self.successes, self.trials - self.successes)

    @property
    def mean(self) -> FloatArray:
        """Posterior means, averaged over what σ may be."""
        mean: FloatArray = np.zeros(len(self.trials))
        likely = np.flatnonzero(self.weights > _NEGLIGIBLE)
        for nearest in np.unique(_NEAREST[likely]):
            odds = _odds(self.design.linear(self.fits[nearest].mode))
            wide, own = _prior(odds, _WIDE), likely[_NEAREST[likely] == nearest]
            for places in np.split(own, range(self._at_once, len(own), self._at_once)):
                usual = _prior(odds, _FINE[places][:, None])
                ratios = self.counts.quotients(wide, usual)
                odd = np.einsum("kp,kpm->pm", _shares(ratios), [_odd(ratios, share) for share in _ODD])
                means = [(self.successes + a) / (self.trials + a + b) for a, b in (usual, wide)]
                mean += self.weights[places] @ ((1 - odd) * means[0] + odd * means[1])
        return mean

    @property
    def _at_once(self) -> int:
        """Number of draws, or of values of σ, that are computed together."""
        return max(_BLOCK // len(self.trials), 1)

    def draw(self, size: int, rng: np.random.Generator) -> FloatArray:
        """Draws of all groups' rates, shape (size, m), inside (0, 1); the last ones doubt the model."""
        failures, doubting = self.trials - self.successes, math.ceil(_DOUBT * size)
        picked = np.sort(rng.choice(len(_FINE), size=size - doubting, p=self.weights))
        drawn = np.empty((size, len(self.trials)))
        drawn[size - doubting :] = rng.beta(self.successes + 0.5, failures + 0.5, (doubting, len(failures)))
        normals = rng.standard_normal((size - doubting, len(self.design.blocks)))
        for own, linear in self._linear(picked, normals):
            chances, luck = rng.random(len(own)), rng.random(linear.shape)
            for start in range(0, len(own), self._at_once):
                part = slice(start, start + self._at_once)
                a, b = self._priors(
                    linear[part], _FINE[picked[own[part]]][:, None], chances[part], luck[part]
                )
                drawn[own[part]] = rng.beta(self.successes + a, failures + b)
        return np.clip(drawn, np.finfo(float).tiny, 1 - np.finfo(float).epsneg, out=drawn)

    def _priors(self, linear: FloatArray, spread: FloatArray, chances: FloatArray, luck: FloatArray) -> Beta:
        """Pick each group's prior in each draw, the usual or the wide one, by the uniform `chances` and `luck`."""
        odds = _odds(linear)
        usual, wide = _prior(odds, spread), _prior(odds, _WIDE)
        ratios = self.counts.quotients(wide, usual)
        below = _shares(ratios).cumsum(axis=0)[:-1] < chances
        odd = luck < _odd(ratios, _ODD[below.sum(axis=0)][:, None])
        return np.where(odd, wide[0], usual[0]), np.where(odd, wide[1], usual[1])

    def draw_priors(self, normals: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The two parameters of every group's Beta prior, each of shape (size, m), from standard normal draws."""
        steps = self.weights.cumsum()
        picked = np.searchsorted(steps, ndtr(normals[:, 0]) * steps[-1]).clip(max=len(_FINE) - 1)
        drawn = np.empty((2, len(normals), len(self.trials)))
        for own, linear in self._linear(picked, normals[:, 1:]):
            drawn[:, own] = _prior(_odds(linear), _FINE[picked[own]][:, None])
        successes, failures = drawn
        return successes, failures

    def _linear(self, picked: IntArray, normals: FloatArray) -> Iterator[tuple[IntArray, FloatArray]]:
        """For each σ at which the model is fitted, the draws that use it and what their effects predict."""
        for place in np.unique(_NEAREST[picked]):
            own = np.flatnonzero(_NEAREST[picked] == place)
            fit = self.fits[place]
            yield own, self.design.linear(fit.mode + normals[own] @ fit.root)


def _odd(ratios: FloatArray, share: FloatArray | float) -> FloatArray:
    """How likely each group is to have the wide prior, if `share` of all groups have it."""
    odd: FloatArray = share * ratios / (1 + share * (ratios - 1))
    return odd


def _shares(ratios: FloatArray) -> FloatArray:
    """How likely each of the shares in `_ODD` is, along the first axis; groups are along the last one of `ratios`."""
    likelihood = np.array([np.log(share * ratios + (1 - share)).sum(axis=-1) for share in _ODD])
    shares: FloatArray = softmax(likelihood, axis=0)
    return shares


def _spline(knots: FloatArray, at: FloatArray) -> FloatArray:
    """Return the matrix that turns values at the knots into values of their cubic spline at the points `at`.

    The third derivative is continuous at the second and at the second-to-last knot ("not a knot"). SciPy has this
    spline, but importing it takes longer than a small audit.
    """

    def basis(x: FloatArray) -> FloatArray:
        z = 2.0 * (x - knots[0]) / (knots[-1] - knots[0]) - 1.0
        inner = 2.0 * (knots[2:-2] - knots[0]) / (knots[-1] - knots[0]) - 1.0
        return np.column_stack([np.vander(z, 4), np.maximum(z[:, None] - inner, 0.0) ** 3])

    return np.asarray(np.linalg.solve(basis(knots).T, basis(at).T).T, dtype=np.float64)


_SPLINE = _spline(np.log(_SPREADS), np.log(_FINE))
_NEAREST = np.abs(np.log(_FINE)[:, None] - np.log(_SPREADS)).argmin(axis=1)  # whose effects a fine σ uses


def _odds(linear: FloatArray) -> FloatArray:
    odds: FloatArray = np.exp(np.clip(linear, -20.0, 20.0))
    return odds


def _prior(odds: FloatArray, spread: FloatArray | float) -> Beta:
    """Parameters of the Beta whose logit has as its mean that of `odds`, and standard deviation `spread`, nearly."""
    return 0.5 + (1.0 + odds) / spread**2, 0.5 + (1.0 + 1.0 / odds) / spread**2


def _fit(s: FloatArray, n: FloatArray, design: Design) -> Iterator[_Effects]:
    """The effects at every σ by penalised Newton steps; the variance of each block is learned as well.

    A group weighs ``n v / (1 + σ² n v)`` with v the variance of one trial: never more than 1/σ², however
    many trials it has, since its own deviation stays.
    """
    effects = np.zeros(len(design.blocks))
    effects[0] = logit((s.sum() + 0.5) / (n.sum() + 1.0))
    variances = design.scales**2
    for spread in _SPREADS[::-1]:
        for _ in range(_NEWTON):
            ridge = 1.0 / variances[design.blocks]
            ridge[0] = 1e-4
            linear = np.clip(design.linear(effects), -12.0, 12.0)
            rate = expit(linear)
            per_trial = rate * (1.0 - rate)
            weight = n * per_trial / (1.0 + spread**2 * n * per_trial)
            working = weight * (linear + (s - n * rate) / (n * per_trial))
            target = np.asarray(design.matrix.T @ working)
            precision = design.gram(weight)
            np.fill_diagonal(precision, precision.diagonal() + ridge)
            covariance = np.linalg.inv(precision)
            effects = covariance @ target
            variances = _learned_variances(effects, 1.0 - ridge * covariance.diagonal(), design)
        a, b = _prior(_odds(design.linear(effects)), spread)
        fit = (betaln(s + a, n - s + b) - betaln(a, b)).sum()
        root = np.linalg.cholesky(covariance).T
        penalty = 0.5 * (ridge @ effects**2 - np.log(ridge).sum()) - np.log(root.diagonal()).sum()
        yield _Effects(effects, root, float(fit - penalty))


def _learned_variances(effects: FloatArray, learned: FloatArray, design: Design) -> FloatArray:
    """Variance of every block: its effects' squares per effect that data speak of (MacKay 1992).

    The prior guess counts as `_GUESS` effects, so that a block of two levels is not taken for constant.
    """
    squares = np.bincount(design.blocks, effects**2, minlength=len(design.scales))
    known = np.bincount(design.blocks, np.maximum(learned, 0.0), minlength=len(design.scales))
    return (squares + _GUESS * design.scales**2) / (known + _GUESS)
