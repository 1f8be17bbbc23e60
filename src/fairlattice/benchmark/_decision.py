"""Which strategy to take: the default unless another is fairer with good probability, and none unless it helps.

A rule of least regret, not of significance: on eight tables, picking the strategy that looks best did worse than always
taking the default. So where rows say little, what the default did on other tables counts: its difference to none has a
normal prior (`EXPERIENCE`), wider than those tables show, since another may differ more. Rows that say less than the
prior are not enough data. A strategy that needs groups at prediction is only considered where the user says that groups
may be used so; accuracy is shown as a price, and a limit only where the user sets one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fairlattice.benchmark._posterior import NOTIONS, Gap, Posterior
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import BASELINE, DEFAULT, AnyStrategy

SURE = 0.8  # probability of being fairer that a change of mind needs
EXPERIENCE = (-0.2, 0.15)
"""Mean and standard deviation of the default's IF of equalized odds minus none's: our prior for a table not yet seen.

Truths on four tables and two sizes, 20 samples each: -0.11 to -0.37, with mean -0.22 and standard deviation 0.10."""
_AS_GOOD = 0.01  # of IF, within which a simpler strategy is as good
_WORTH = 0.05  # a difference in IF that one would like to know about
WITH_GROUPS = "thresholds"


@dataclass(frozen=True)
class Limits:
    """What the user allows.

    Parameters
    ----------
    notion : str
        What is to be equal between groups; one of `NOTIONS`.
    max_loss : float or None
        Plain accuracy that may be lost against no strategy, in [0, 1].
    groups_at_prediction : bool
        Whether groups may be used to decide.
    default : str
        The strategy to take for the classifier unless another is fairer, as :func:`default_among` names it.
    """

    notion: str = "equalized_odds"
    max_loss: float | None = None
    groups_at_prediction: bool = False
    default: str = DEFAULT


@dataclass(frozen=True)
class Recommendation:
    """Which strategy to take.

    Parameters
    ----------
    verdict : {"take", "keep", "not enough data"}
        Take `strategy`; keep `none`, since nothing is fairer; or keep `none`, since the data cannot tell.
    strategy : str
        The strategy.
    simplest : str or None
        A simpler strategy whose posterior mean lies within .01 of it, if there is one.
    probability_fairer, probability_best : float or None
        Posterior probability that the strategy considered is fairer than none; that it is the fairest allowed.
    considered : str
        The strategy that was weighed against none.
    reasons : tuple of str
        Why, in sentences; where none is kept, the last one says why.
    advice : tuple of str
        What would help, where there is not enough data.
    """

    verdict: str
    strategy: str
    simplest: str | None
    probability_fairer: float | None
    probability_best: float | None
    considered: str
    reasons: tuple[str, ...] = field(repr=False)
    advice: tuple[str, ...] = field(repr=False)


def recommend(
    posterior: Posterior,
    strategies: Mapping[str, AnyStrategy],
    losses: Mapping[str, float],
    limits: Limits,
) -> Recommendation:
    """Weigh the strategies of a comparison.

    Parameters
    ----------
    posterior : Posterior
        Joint draws.
    strategies : mapping of str to strategy
        Those compared.
    losses : mapping of str to float
        Plain accuracy that each loses against none.
    limits : Limits
        What the user allows.
    """
    figure = NOTIONS[limits.notion]
    means = {name: float(posterior.draws(name, figure).mean()) for name in strategies}
    refused = _refused(strategies, losses, limits)
    allowed = [name for name in strategies if name not in refused]
    others = [name for name in allowed if name != BASELINE]
    if BASELINE not in strategies:
        name = min(means, key=means.__getitem__)
        why = (
            *(f"{n} {cause}." for n, cause in refused.items()),
            f"It is the fairest as estimated; {BASELINE} was not compared, so nothing shows whether it helps.",
        )
        return Recommendation("keep", name, None, None, None, name, why, ())
    likely = {name: posterior.probability_better(name, BASELINE, figure) for name in strategies}
    fair = [name for name in strategies if name != BASELINE and likely[name] >= SURE]
    reasons = [
        f"{name} {cause} (accuracy {0.0 - losses.get(name, 0.0):+.3f}, fairer than none with probability "
        f"{likely[name]:.2f})."
        for name, cause in refused.items()
    ]
    if not others:
        compared = len(strategies) > 1
        reasons.append(_why_keep(fair, refused) if compared else "No other strategy was compared.")
        return Recommendation("keep", BASELINE, None, None, None, BASELINE, tuple(reasons), ())
    start = _starting_point(others, means, limits)
    sure = {name: posterior.probability_better(name, start, figure) for name in others if name != start}
    ahead = [name for name, p in sure.items() if p >= SURE]
    chosen = min(ahead, key=means.__getitem__) if ahead else start
    if ahead:
        reasons.append(f"{chosen} is fairer than {start} with probability {sure[chosen]:.2f}.")
    elif sure:
        reasons.append(_why_first(start, refused, limits))
    fairer = likely[chosen]
    best = _probability_best(posterior, chosen, allowed, figure)
    gap = posterior.gaps(BASELINE, figure)[chosen]
    verdict = _verdict(posterior, chosen, limits, fairer, gap, reasons)
    if verdict == "keep":
        reasons.append(_why_keep(fair, refused, chosen))
    if verdict == "take":
        simplest = _simplest(chosen, allowed, means)
        return Recommendation("take", chosen, simplest, fairer, best, chosen, tuple(reasons), ())
    advice = _advice(posterior, gap) if verdict == "not enough data" else ()
    return Recommendation(verdict, BASELINE, None, fairer, best, chosen, tuple(reasons), advice)


def _verdict(
    posterior: Posterior, chosen: str, limits: Limits, fairer: float, gap: Gap, reasons: list[str]
) -> str:
    """Whether to take a strategy, to keep none, or that the data cannot tell; why is added to the reasons."""
    if fairer >= SURE:
        return "take"
    figure, default = NOTIONS[limits.notion], limits.default
    if _has_experience(posterior, default, figure) and _spread(posterior, default, figure) < EXPERIENCE[1]:
        known = _with_experience(posterior, chosen, default, figure)
        if known >= SURE:
            reasons.append(
                f"From these rows alone, {chosen} is fairer than none with probability {fairer:.2f}; with what "
                f"{default} did on other tables, {known:.2f}."
            )
            return "take"
    if gap.low < -_WORTH and fairer > 1 - SURE:
        reasons.append(
            f"{chosen} may be fairer than none by as much as {-gap.low:.2f}, or not at all: these rows cannot tell."
        )
        return "not enough data"
    return "keep"


def _why_first(start: str, refused: Mapping[str, str], limits: Limits) -> str:
    """Why a strategy is the first choice, where no other is shown to be fairer."""
    what = "The default" if start in _defaults(limits) else "The fairest as estimated"
    other = "other strategy that is allowed" if refused else "other strategy"
    return f"{what} is {start}, and no {other} is fairer than it with probability {SURE:g}."


def _why_keep(fair: list[str], refused: Mapping[str, str], chosen: str = BASELINE) -> str:
    """Why no strategy is kept; `fair` are those that are fairer with good probability, allowed or not."""
    if not fair:
        return f"No strategy is fairer with probability {SURE:g}."
    if any(name not in refused for name in fair):
        return (
            f"No strategy is fairer than {chosen} with probability {SURE:g}, and {chosen} not so than none."
        )
    causes = dict.fromkeys(refused[name] for name in fair)
    return f"Every strategy that is fairer with probability {SURE:g} {' or '.join(causes)}."


def _has_experience(posterior: Posterior, default: str, figure: str) -> bool:
    return figure == NOTIONS["equalized_odds"] and default in posterior.names


def _spread(posterior: Posterior, name: str, figure: str) -> float:
    """Standard deviation of a strategy's difference to none."""
    return float((posterior.draws(name, figure) - posterior.draws(BASELINE, figure)).std())


def _with_experience(posterior: Posterior, name: str, default: str, figure: str) -> float:
    """Probability that a strategy is fairer than none, draws weighted by the prior of the default's difference."""
    none = posterior.draws(BASELINE, figure)
    mean, spread = EXPERIENCE
    log = -0.5 * ((posterior.draws(default, figure) - none - mean) / spread) ** 2
    weights = np.exp(log - log.max())
    return float(np.average(posterior.draws(name, figure) < none, weights=weights))


def _refused(
    strategies: Mapping[str, AnyStrategy], losses: Mapping[str, float], limits: Limits
) -> dict[str, str]:
    """The strategies beyond the limits, and what each does that is not allowed."""
    found = {}
    for name, strategy in strategies.items():
        if strategy.needs_groups and not limits.groups_at_prediction:
            found[name] = "needs the groups at prediction, which was not allowed"
        elif limits.max_loss is not None and losses.get(name, 0.0) > limits.max_loss:
            found[name] = f"loses more than {limits.max_loss:g} of accuracy"
    return found


def _defaults(limits: Limits) -> tuple[str, ...]:
    """What to take unless another is fairer, in order."""
    return (*((WITH_GROUPS,) if limits.groups_at_prediction else ()), limits.default)


def _starting_point(others: list[str], means: Mapping[str, float], limits: Limits) -> str:
    """The default; where it was not compared or is not allowed, the strategy with the least unfairness."""
    return next((n for n in _defaults(limits) if n in others), min(others, key=means.__getitem__))


def _probability_best(posterior: Posterior, name: str, allowed: list[str], figure: str) -> float:
    drawn = np.array([posterior.draws(other, figure) for other in allowed])
    return float((drawn.argmin(axis=0) == allowed.index(name)).mean())


def _simplest(chosen: str, allowed: list[str], means: Mapping[str, float]) -> str | None:
    """The first preset, in order of simplicity, that comes before the chosen one and is as fair."""
    order = list(STRATEGIES)
    rank = {name: order.index(name) if name in STRATEGIES else len(order) for name in allowed}
    near = [
        name
        for name in sorted(allowed, key=rank.__getitem__)
        if rank[name] < rank[chosen] and name != BASELINE and means[name] <= means[chosen] + _AS_GOOD
    ]
    return near[0] if near else None


def _advice(posterior: Posterior, gap: Gap) -> tuple[str, ...]:
    """What would help to tell: more rows, if between one and twenty times these; fewer or coarser groups."""
    spread = (gap.high - gap.low) / 2
    # Errors shrink as the root of the rows; the sign is sure enough at .84 standard errors, that is .43 half-widths.
    needed = (0.43 * spread / max(abs(gap.median), 1e-9)) ** 2
    n = len(posterior.people.truth)
    found = []
    if 1 < needed <= 20:
        found.append(f"About {_rounded(needed * n):,} rows would tell, if the difference is as it looks.")
    rates = [posterior.rates[rate] for rate in ("tpr", "tnr")]
    if min(int(np.median(r.people)) for r in rates) < 30:
        found.append("Coarser bands or fewer attributes make larger groups.")
    if posterior.people.predicted.shape[1] < 4 and max(r.training_noise.max() for r in rates) > 0.05:
        found.append("More repeats average out the luck of the training rows.")
    return tuple(found)


def _rounded(number: float) -> int:
    """To two digits."""
    digits = 10 ** max(0, int(np.log10(number)) - 1)
    return int(round(number / digits) * digits)
