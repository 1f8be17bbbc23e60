"""The results of experiments as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fairlattice.benchmark import BenchResults, BenchTable, MethodResult, SeedComparison
from fairlattice.benchmark._shared import (
    BASELINE,
    EXPERIMENTS,
    FIGURES,
    LEAST_SEEDS,
    METHODS,
    UNFAIRNESS,
    Experiment,
)
from fairlattice.diagnostics._shared import adjusted
from fairlattice.exceptions import InputError
from fairlattice.report._summary import Summary, attribute_rows, group_row, versions
from fairlattice.report._summary_compare import shift_row
from fairlattice.strategies._shared import BASELINE as NO_STRATEGY
from fairlattice.strategies._shared import strategy_of

_SEVERAL = "Results come from {n} versions of the code. Run the experiment again before comparing them."
_CHANCE = "Marks hold for each difference on its own at 95 %: about one in twenty is there by chance."
_FEW = "Fewer than three seeds say nothing of the luck of training, so no difference is marked."


def bench_summary(results: BenchResults, *, experiment: str | None = None) -> Summary:
    """Results of experiments as plain data, schema ``fairlattice/bench/2``; of one experiment if named."""
    plan = None if experiment is None else EXPERIMENTS[experiment]
    tables = [t for t in (_table(table, plan) for table in results.tables) if _says_something(t)]
    notes = [_SEVERAL.format(n=results.n_codes)] if results.n_codes > 1 else []
    most = max((len(t["methods"]) for t in tables), default=0)
    notes += [_CHANCE] if most > 1 else []
    notes += [_FEW] if any(t["methods"] and t["seeds"] < LEAST_SEEDS for t in tables) else []
    return {
        "schema": "fairlattice/bench/2",
        "versions": versions(),
        "notes": notes,
        "seconds": results.seconds,
        "tables": tables,
    }


def _says_something(table: Summary) -> bool:
    return any(table[key] for key in ("methods", "fidelity", "failed", "unfinished"))


def _asked(plan: Experiment | None, method: str) -> bool:
    return plan is None or method in plan.methods or (plan.fidelity and method == "fidelity")


def _table(table: BenchTable, plan: Experiment | None) -> Summary:
    people, found = table.people, table.comparison
    names = [] if found is None else [r.name for r in found.results]
    rows = [] if found is None else [_method(table, found, name) for name in names if _asked(plan, name)]
    shown = [row["name"] for row in rows]
    fronts = {notion: table.pareto(figure, shown) for notion, figure in UNFAIRNESS.items()}
    for row in rows:
        row["pareto"] = [notion for notion, front in fronts.items() if row["name"] in front]
    _adjust(rows)
    return {
        "data": {
            "name": people.name,
            "about": people.about,
            "rows": len(people.truth),
            "dealt": people.n_split,
            "label": people.label,
            "classes": list(people.classes),
            "positive": people.classes[1],
            "features": list(people.features),
        },
        "attributes": attribute_rows(people.lattice),
        "settings": dict(table.settings),
        "seeds": 0 if found is None else found.settings["repeats"],
        "methods": rows,
        "unfinished": {name: n for name, n in table.unfinished.items() if _asked(plan, name)},
        "failed": [asdict(f) for f in table.failed if _asked(plan, f.method)],
        "fidelity": {
            source: {k: None if e is None else asdict(e) for k, e in figures.items()}
            for source, figures in (table.fidelity.items() if plan is None or plan.fidelity else ())
        },
    }


def _method(table: BenchTable, comparison: SeedComparison, name: str) -> Summary:
    method, _, strategy = name.partition("+")
    baseline = BASELINE if BASELINE in comparison else method
    baselines = dict.fromkeys((BASELINE, f"{BASELINE}+equal", method, f"{method}+equal"))
    unconstrained = None if name == baseline else baseline
    figures = strategy_figures(comparison, comparison[name], list(baselines), unconstrained, FIGURES)
    return {
        "name": name,
        "method": method,
        "strategy": strategy or NO_STRATEGY,
        "about": METHODS[method].about if method in METHODS else "a plugin's method",
        "rows": _about(strategy or NO_STRATEGY),
        "baseline": baseline,
        **figures,
        "chosen": [dict(o.chosen) for o in table.outcomes[name]],
        "seconds": table.seconds(name),
        "remarks": list(dict.fromkeys(r for o in table.outcomes[name] for r in o.run.remarks)),
    }


def strategy_figures(
    comparison: SeedComparison,
    result: MethodResult,
    baselines: Sequence[str],
    unconstrained: str | None,
    odds: Sequence[str] = ("df", "if"),
) -> Summary:
    """Figures of one strategy, `odds` of them of equalized odds, with differences to others that were run too."""

    def figure(name: str) -> Summary:
        return asdict(comparison.estimate(result.name, name))

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
        **_against(comparison, result.name, unconstrained),
        "raw": {name: asdict(result.plug_in(name)) for name in result.per_repeat},
    }


def _against(comparison: SeedComparison, name: str, unconstrained: str | None) -> Summary:
    """Whether a method levels down, and whom it hurts, against the unconstrained one."""
    if unconstrained is None or unconstrained not in comparison:
        return {
            "leveling_down": {"verdict": None, "by_rate": {}, "probability": {}},
            "harm": {"fell": [], "rose": []},
        }
    harm = comparison.harm(name, unconstrained)
    return {
        "leveling_down": asdict(comparison.leveling_down(name, unconstrained)),
        "harm": {"fell": [shift_row(s) for s in harm.fell], "rose": [shift_row(s) for s in harm.rose]},
    }


def _about(strategy: str) -> str:
    """What a strategy does; a plugin's may not be known here."""
    try:
        return strategy_of(strategy).about
    except InputError:
        return "a plugin's strategy"


def _adjust(rows: Sequence[Summary]) -> None:
    """Holm's p-values over the methods, of every difference in a figure to one baseline."""
    slots: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        for baseline, figures in row["differences"].items():
            for figure, difference in figures.items():
                slots.setdefault((baseline, figure), []).append(difference)
    for differences in slots.values():
        known = [d for d in differences if d["p_value"] is not None]
        holm = adjusted([d["p_value"] for d in known]).tolist()
        for d in differences:
            d["p_adjusted"] = None if d["p_value"] is None else holm.pop(0)
