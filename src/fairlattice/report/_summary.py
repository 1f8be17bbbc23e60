"""Results as plain data: what is written as JSON, and all that any rendering may look at.

Nothing in it depends on when or where it was made, so the same inputs and seed give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np

from fairlattice.benchmark import Comparison, GroupLoss, StrategyResult
from fairlattice.benchmark._shared import FIGURES
from fairlattice.groups import Group, GroupLattice
from fairlattice.metrics import GroupChange, GroupRate
from fairlattice.strategies._shared import BASELINE, DEFAULT

Summary = dict[str, Any]
_MOST_EMPTY = 100


def to_json(summary: Summary) -> str:
    """A summary as JSON text that ends in a newline."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def versions() -> Summary:
    """What the figures were computed with."""
    return {name: version(name) for name in ("fairlattice", "numpy", "scipy", "scikit-learn")}


def compare_summary(comparison: Comparison, data: Mapping[str, Any]) -> Summary:
    """A comparison as plain data, schema ``fairlattice/compare/1``."""
    baselines = baselines_of(comparison)
    return {
        "schema": "fairlattice/compare/1",
        "data": {**data, "classes": list(comparison.classes), "positive": comparison.classes[1]},
        "settings": dict(comparison.settings),
        "versions": versions(),
        "attributes": attribute_rows(comparison.lattice),
        "notes": list(comparison.notes),
        "empty_groups": empty_groups(comparison.lattice, comparison.leaves),
        "strategies": [_strategy(comparison, result, baselines) for result in comparison.results],
    }


def baselines_of(comparison: Comparison) -> list[str]:
    """What gains are measured against: no strategy at all, and every ablation that was compared too."""
    simpler = [a.name for r in comparison.results if r.strategy is not None for a in r.strategy.ablations]
    return [name for name in dict.fromkeys((BASELINE, *simpler)) if name in comparison]


def _strategy(comparison: Comparison, result: StrategyResult, baselines: Sequence[str]) -> Summary:
    strategy = result.strategy
    assert strategy is not None  # only a method of `bench` has none
    return {
        "name": result.name,
        "about": strategy.about,
        "makes_rows": strategy.makes_rows,
        "needs_groups": strategy.needs_groups,
        "default": result.name == DEFAULT,
        "ablations": [ablation.name for ablation in strategy.ablations],
        **strategy_figures(comparison, result, baselines, BASELINE),
    }


def strategy_figures(
    comparison: Comparison,
    result: StrategyResult,
    baselines: Sequence[str],
    unconstrained: str | None,
    odds: Sequence[str] = ("df", "if"),
) -> Summary:
    """Figures of one strategy, `odds` of them of equalized odds, beside others' where they were run too."""

    def figure(name: str) -> Summary:
        return asdict(result.estimate(name))

    return {
        "balanced_accuracy": figure("balanced_accuracy"),
        "measures": {
            rate: {
                **{kind: figure(f"{rate}.{kind}") for kind in FIGURES},
                "by_group": [
                    {**group_row(g), "n_rows": people} for g, people in comparison.by_group(result.name, rate)
                ],
            }
            for rate in ("tpr", "tnr")
        },
        "equalized_odds": {kind: figure(f"equalized_odds.{kind}") for kind in odds},
        "differences": {
            baseline: {k: asdict(d) for k, d in comparison.differences(result.name, baseline).items()}
            for baseline in baselines
            if baseline in comparison and baseline != result.name
        },
        "leveling_down": _leveling_over_repeats(comparison, result.name, unconstrained),
    }


def _leveling_over_repeats(comparison: Comparison, name: str, unconstrained: str | None) -> Summary:
    if unconstrained not in comparison:
        return {"verdict": None, "by_rate": {}, "groups": []}
    found = comparison.leveling_down(name, str(unconstrained))
    groups = [change_row(loss, difference=asdict(loss.difference)) for loss in found.groups]
    return {"verdict": found.verdict, "by_rate": dict(found.by_rate), "groups": groups}


def change_row(change: GroupChange | GroupLoss, **more: Any) -> Summary:
    """One group's rate before and after."""
    return {
        "group": change.group,
        "measure": change.rate,
        "before": change.before,
        "after": change.after,
        **more,
    }


def group_row(g: GroupRate) -> Summary:
    return {"group": g.group, "n": g.n, "rate": g.rate, "low": g.low, "high": g.high}


def attribute_rows(lattice: GroupLattice) -> list[Summary]:
    return [a.plain() for a in lattice.attributes]


def empty_groups(lattice: GroupLattice, codes: Any) -> Summary:
    """How many leaves have no rows, and the first of them."""
    empty: Iterable[Group] = (lattice.group(leaf) for leaf in lattice.empty_leaves(codes))
    return {
        "n": lattice.n_leaves - len(np.unique(codes)),
        "first": list(islice(empty, _MOST_EMPTY)),
    }
