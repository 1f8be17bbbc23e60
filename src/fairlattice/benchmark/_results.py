"""What a store holds, as tables: one comparison per data set, over the seeds that all its methods share."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from fairlattice.benchmark._estimates import Estimate
from fairlattice.benchmark._methods import METHODS
from fairlattice.benchmark._over_seeds import MethodResult, SeedComparison, count_run
from fairlattice.benchmark._store import Record, Store
from fairlattice.benchmark._table import People
from fairlattice.benchmark._trial import STAGES, Outcome
from fairlattice.exceptions import InputError
from fairlattice.metrics import Audit
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import BASELINE


@dataclass(frozen=True)
class FailedTrial:
    """A trial that ended in an error."""

    method: str
    seed: int
    error: str


@dataclass(frozen=True, eq=False)
class BenchTable:
    """Everything about one data set under one protocol.

    Parameters
    ----------
    people : People
        The data set.
    settings : mapping
        The protocol.
    comparison : SeedComparison or None
        The methods that have all seeds, side by side; None if there is none.
    outcomes : mapping of str to tuple of Outcome
        Of every method in the comparison, by seed: hyper-parameters, time.
    unfinished : mapping of str to int
        How many seeds a method has, where it has not all.
    failed : tuple of FailedTrial
        What went wrong.
    fidelity : mapping of str to mapping of str to Estimate or None
        Figures of synthetic rows, by source.
    """

    people: People
    settings: Mapping[str, Any]
    comparison: SeedComparison | None
    outcomes: Mapping[str, tuple[Outcome, ...]] = field(repr=False)
    unfinished: Mapping[str, int]
    failed: tuple[FailedTrial, ...]
    fidelity: Mapping[str, Mapping[str, Estimate | None]]

    def seconds(self, name: str) -> dict[str, float]:
        """Seconds of a method over all seeds, by stage."""
        return {stage: sum(o.seconds[stage] for o in self.outcomes[name]) for stage in STAGES}

    def pareto(self, figure: str, names: Sequence[str] | None = None) -> tuple[str, ...]:
        """Methods, of those named, that none beats in balanced accuracy and the unfairness `figure`."""
        found = self.comparison
        known = [] if found is None else [r.name for r in found.results if names is None or r.name in names]
        points = {
            name: (found.estimate(name, "balanced_accuracy").mean, -found.estimate(name, figure).mean)
            for name in known
            if found is not None
        }
        return tuple(name for name, p in points.items() if not any(_beats(q, p) for q in points.values()))


def _beats(q: tuple[float, float], p: tuple[float, float]) -> bool:
    return q != p and q[0] >= p[0] and q[1] >= p[1]


@dataclass(frozen=True, eq=False)
class BenchResults:
    """What a store holds; made by :func:`bench` and :func:`read_results`.

    Parameters
    ----------
    tables : tuple of BenchTable
        One per data set, number of axes and protocol.
    n_codes : int
        How many versions of the code computed it; more than one should not be compared.
    """

    tables: tuple[BenchTable, ...]
    n_codes: int

    @cached_property
    def seconds(self) -> dict[str, float]:
        """Where the time went: seconds by stage, over the trials of the methods in the tables."""
        found = dict.fromkeys(STAGES, 0.0)
        for table in self.tables:
            for name in table.outcomes:
                for stage, seconds in table.seconds(name).items():
                    found[stage] += seconds
        return found


def read_results(store: Store, *, keys: Iterable[str] | None = None) -> BenchResults:
    """The tables of a store; only of the trials with those keys if given.

    Where trials were run again with newer code, the newest result counts.

    Raises
    ------
    InputError
        If the store holds no result, or is damaged.
    """
    try:
        return _read(store, keys)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
        raise InputError(f"`{store.path}` is damaged ({reason}). Name another with --store.") from error


def _read(store: Store, keys: Iterable[str] | None) -> BenchResults:
    wanted = None if keys is None else set(keys)
    newest: dict[str, Record] = {}
    for record in store.records():
        if record.state != "running" and (wanted is None or record.key in wanted):
            spec = json.dumps({k: v for k, v in record.spec.items() if k != "code"}, sort_keys=True)
            if record.state == "done" or spec not in newest:
                newest[spec] = record
    records = list(newest.values())
    if not records:
        raise InputError(f"`{store.path}` holds no result yet. Run `fairlattice bench run` to the end.")
    people = {key: People.of_plain(about, payload) for key, (about, payload) in store.tables().items()}
    trained: dict[str, dict[str, list[Record]]] = {key: {} for key in people}
    fidelity: dict[str, list[Record]] = {key: [] for key in people}
    for record in records:
        key = record.spec["table"]
        if record.spec["kind"] == "fidelity":
            fidelity[key].append(record)
        else:
            settings = json.dumps(record.spec["settings"], sort_keys=True)
            trained[key].setdefault(settings, []).append(record)
    tables = []
    for key, who in people.items():
        beside = fidelity[key]  # shown with the first protocol, or alone
        for settings, group in trained[key].items():
            tables.append(_table(who, json.loads(settings), group, beside))
            beside = []
        if beside:
            tables.append(_table(who, {}, [], beside))
    return BenchResults(tuple(tables), len({r.spec["code"].split()[0] for r in records if r.spec["code"]}))


def _table(
    people: People, settings: Mapping[str, Any], records: Sequence[Record], fidelity: Sequence[Record]
) -> BenchTable:
    done: dict[str, dict[int, Outcome]] = {}
    for r in records:
        if r.state == "done":
            seed = int(r.spec["seed"])
            done.setdefault(r.spec["method"], {})[seed] = Outcome.of_plain(seed, dict(r.result), r.payload)
    seeds = _shared_seeds([set(runs) for runs in done.values()])
    complete = {name: runs for name, runs in done.items() if set(seeds) <= set(runs)}
    outcomes = {name: tuple(complete[name][seed] for seed in seeds) for name in _in_order(complete)}
    failed = tuple(
        FailedTrial(r.spec.get("method", "fidelity"), int(r.spec["seed"]), r.result["error"])
        for r in (*records, *fidelity)
        if r.state == "failed"
    )
    return BenchTable(
        people,
        settings,
        _comparison(people, settings, outcomes, seeds) if outcomes else None,
        outcomes,
        {name: len(set(seeds) & set(runs)) for name, runs in done.items() if name not in complete},
        failed,
        _fidelity([r.result["figures"] for r in fidelity if r.state == "done"]),
    )


def _shared_seeds(known: Sequence[set[int]]) -> list[int]:
    """The first seeds that make the largest table of methods that have them all.

    Examples
    --------
    >>> _shared_seeds([{0, 1, 2}, {0, 1}, {0, 1}]), _shared_seeds([{0, 1, 2}, {0}])
    ([0, 1], [0, 1, 2])
    """
    every = sorted(set().union(*known))
    firsts = [every[:n] for n in range(len(every), 0, -1)]
    return max(firsts, key=lambda seeds: len(seeds) * sum(set(seeds) <= runs for runs in known), default=[])


def _in_order(names: Iterable[str]) -> list[str]:
    """Methods as we list them, those of plugins behind; which trial ended first must not show.

    Examples
    --------
    >>> _in_order(["mine", "inlp", "unconstrained+equal", "unconstrained"])
    ['unconstrained', 'unconstrained+equal', 'inlp', 'mine']
    """
    methods, strategies = list(METHODS), list(STRATEGIES)

    def place(name: str) -> tuple[int, str, int, str]:
        method, _, strategy = name.partition("+")
        known = methods.index(method) if method in METHODS else len(methods)
        strategy = strategy or BASELINE
        return (
            known,
            method,
            strategies.index(strategy) if strategy in STRATEGIES else len(strategies),
            strategy,
        )

    return sorted(names, key=place)


def _comparison(
    people: People, settings: Mapping[str, Any], outcomes: Mapping[str, tuple[Outcome, ...]], seeds: list[int]
) -> SeedComparison:
    alpha = float(settings["alpha"])
    fresh = {
        "strategies": list(outcomes),
        "repeats": len(seeds),
        "smoothing": Audit.smoothing,
        **settings,
    }
    results = tuple(
        MethodResult(
            name,
            tuple(o.run for o in runs),
            tuple(
                count_run(people.lattice, people.leaves, people.truth, o.run, alpha, people.classes)
                for o in runs
            ),
        )
        for name, runs in outcomes.items()
    )
    return SeedComparison(fresh, people.lattice, people.classes, people.truth, people.leaves, results)


def _fidelity(
    found: Sequence[Mapping[str, Mapping[str, float | None]]],
) -> dict[str, dict[str, Estimate | None]]:
    """Means over seeds; None where a figure is lacking."""
    if not found:
        return {}
    return {
        source: {figure: _mean([f[source][figure] for f in found]) for figure in figures}
        for source, figures in found[0].items()
    }


def _mean(values: Sequence[float | None]) -> Estimate | None:
    known = [v for v in values if v is not None]
    return Estimate.of([float(np.float64(v)) for v in known]) if known else None
