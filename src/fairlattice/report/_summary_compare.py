"""A comparison as plain data: the recommendation, and every strategy's levels, differences, price and harm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fairlattice.benchmark import CLASSIFIERS, Comparison, GroupShift, StrategyResult
from fairlattice.benchmark._shared import ACCURACIES, COMPARED_FIGURES, KINDS, POSTERIOR_RATES, strategy_code
from fairlattice.metrics._shared import DEFAULT_NOTION
from fairlattice.report._summary import Summary, attribute_rows, empty_groups, group_row, versions
from fairlattice.strategies._shared import BASELINE, PER_CELL

_PLUG_IN = ("tpr", "tnr")


def compare_summary(comparison: Comparison, data: Mapping[str, Any]) -> Summary:
    """A comparison as plain data, schema ``fairlattice/compare/2``."""
    differences = _differences(comparison)
    return {
        "schema": "fairlattice/compare/2",
        "data": {**data, "classes": list(comparison.classes), "positive": comparison.classes[1]},
        "settings": dict(comparison.settings),
        "versions": versions(),
        "attributes": attribute_rows(comparison.lattice),
        "notes": list(comparison.notes),
        "empty_groups": empty_groups(comparison.lattice, comparison.leaves),
        "base_rate": float(comparison.truth.mean()),
        "recommendation": _recommendation(comparison),
        "strategies": [_strategy(comparison, result, differences) for result in comparison.results],
    }


def _baselines(comparison: Comparison) -> list[str]:
    """What gains are measured against: no strategy at all, and every ablation that was compared too."""
    simpler = [ablation.name for r in comparison.results for ablation in r.strategy.ablations]
    return [name for name in dict.fromkeys((BASELINE, *simpler)) if name in comparison]


def _differences(comparison: Comparison) -> dict[str, dict[str, Any]]:
    """Every figure's differences to every baseline: baseline, figure, strategy."""
    return {
        baseline: {figure: comparison.differences(baseline, figure) for figure in COMPARED_FIGURES}
        for baseline in _baselines(comparison)
    }


def _recommendation(comparison: Comparison) -> Summary:
    found = comparison.recommendation
    priced = found.strategy if found.strategy != BASELINE else found.considered
    return {
        "verdict": found.verdict,
        "strategy": found.strategy,
        "simplest": found.simplest,
        "considered": found.considered,
        "probability_fairer": found.probability_fairer,
        "probability_best": found.probability_best,
        "price": {figure: _price(comparison, priced, figure) for figure in ACCURACIES},
        "reasons": list(found.reasons),
        "advice": list(found.advice),
        "python": python_of(comparison, found.strategy),
    }


def _price(comparison: Comparison, name: str, figure: str) -> Summary:
    """A figure under no strategy and under one, and the difference."""
    before = None
    if BASELINE in comparison:
        before = comparison[BASELINE].accuracies.estimate(figure).mean
    after = comparison[name].accuracies.estimate(figure).mean
    if name == BASELINE or before is None:
        return {"before": before, "after": after, "difference": 0.0, "low": 0.0, "high": 0.0}
    gap = comparison.difference(name, BASELINE, figure)
    return {"before": before, "after": after, "difference": gap.median, "low": gap.low, "high": gap.high}


def python_of(comparison: Comparison, strategy: str) -> str:
    """The three lines that train and use the strategy."""
    classifier, seed = comparison.settings["classifier"], comparison.settings["seed"]
    made = repr(CLASSIFIERS[classifier](seed)) if classifier in CLASSIFIERS else str(classifier)
    cuts = {a.name: [float(c) for c in a.cuts] for a in comparison.lattice.attributes if a.cuts}
    reading = comparison.settings.get("reading", {})
    encoder = f"fl.TableEncoder({', '.join(f'{name}={value!r}' for name, value in reading.items())})"
    taken = comparison[strategy].strategy
    aim = getattr(getattr(taken, "decision", None), "notion", DEFAULT_NOTION)
    other, positive = comparison.classes
    sorts_last = type(other) is type(positive) and other < positive
    per_cell = comparison.settings["per_cell"]
    options = {
        "cuts": cuts or None,
        "na": reading.get("na"),
        "decimal": reading.get("decimal"),
        "positive": None if sorts_last else positive,
        "notion": None if aim == DEFAULT_NOTION else aim,
        "per_cell": per_cell if taken.makes_rows and per_cell != PER_CELL else None,
        "random_state": seed,
    }
    given = "".join(f", {name}={value!r}" for name, value in options.items() if value is not None)
    needs = taken.needs_groups
    return (
        f"classifier = make_pipeline({encoder}, {' '.join(made.split())})\n"
        f"model = fl.FairClassifier(classifier, {strategy_code(taken)}{given}).fit(X, y, sensitive_features=S)\n"
        f"model.predict(X_new{', sensitive_features=S_new' if needs else ''})"
    )


def _strategy(
    comparison: Comparison, result: StrategyResult, differences: Mapping[str, Mapping[str, Any]]
) -> Summary:
    strategy, name = result.strategy, result.name
    calibration = result.accuracies.calibration
    return {
        "name": name,
        "about": strategy.about,
        "makes_rows": strategy.makes_rows,
        "needs_groups": strategy.needs_groups,
        "default": name == comparison.settings["default"],
        "ablations": [ablation.name for ablation in strategy.ablations],
        **{figure: asdict(result.accuracies.estimate(figure)) for figure in ACCURACIES},
        "calibration": None if calibration is None else asdict(calibration),
        "estimates": {
            rate: {kind: comparison.posterior.level(name, f"{rate}.{kind}")._asdict() for kind in KINDS}
            for rate in ("equalized_odds", *POSTERIOR_RATES)
        },
        "by_group": {rate: [group_row(g) for g in result.by_group(rate)] for rate in POSTERIOR_RATES},
        "differences": {
            baseline: {figure: gaps[name]._asdict() for figure, gaps in by_figure.items()}
            for baseline, by_figure in differences.items()
            if baseline != name
        },
        "leveling_down": _leveling(comparison, name),
        "harm": _harm(comparison, name),
        "raw": _raw(result),
        **({} if result.thresholds is None else {"thresholds": result.thresholds.table()}),
    }


def _leveling(comparison: Comparison, name: str) -> Summary:
    if BASELINE not in comparison:
        return {"verdict": None, "by_rate": {}, "probability": {}}
    found = comparison.leveling_down(name)
    return {"verdict": found.verdict, "by_rate": dict(found.by_rate), "probability": dict(found.probability)}


def _harm(comparison: Comparison, name: str) -> Summary:
    """Groups whose rates fell, and those whose rates rose, beyond noise against no strategy."""
    if BASELINE not in comparison or name == BASELINE:
        return {"fell": [], "rose": []}
    found = comparison.harm(name)
    return {"fell": [shift_row(s) for s in found.fell], "rose": [shift_row(s) for s in found.rose]}


def shift_row(shift: GroupShift) -> Summary:
    """One group's rate before and after."""
    return {**asdict(shift), "difference": shift.after - shift.before}


def _raw(result: StrategyResult) -> Summary:
    """Plug-in figures: what counting alone says, with extremes that are biased upwards."""
    figures, pooled = result.raw, result.audits[0]
    counts = pooled.counts
    for audit in result.audits[1:]:
        counts = counts + audit.counts
    whole = type(pooled)(counts, pooled.positive, pooled.alpha, pooled.smoothing, pooled.confidence)
    return {
        "measures": {
            rate: {
                **{kind: asdict(figures[f"{rate}.{kind}"]) for kind in ("df", "if", "worst", "best")},
                "by_group": [group_row(g) for g in whole.by_group(rate)],
            }
            for rate in _PLUG_IN
        },
        "equalized_odds": {kind: asdict(figures[f"equalized_odds.{kind}"]) for kind in ("df", "if")},
    }
