"""One trial: a data set, a method on its training rows, a seed; trained, chosen, and tested once.

A trial depends on its specification and its table alone, and runs on one thread, so it gives the same
figures on any machine, whatever else runs there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from fairlattice._threads import one_torch_thread
from fairlattice._validation import FloatArray, IntArray
from fairlattice.benchmark._methods import Combination, Method
from fairlattice.benchmark._over_seeds import Run, count_run, run_figures
from fairlattice.benchmark._plugins import Plugins
from fairlattice.benchmark._protocol import Parts, Settings, choose, deal_out
from fairlattice.benchmark._splits import child_seed
from fairlattice.benchmark._table import Table, pack, unpack
from fairlattice.exceptions import InputError
from fairlattice.samplers import CellIndex
from fairlattice.samplers._shared import take_rows
from fairlattice.strategies import FittedStrategy, Strategy, TrainingRows, TrainingTable
from fairlattice.strategies._shared import AnyStrategy, Vectors, strategy_of

_CHUNK = 20_000
STAGES = ("encode", "rows", "train", "predict")


def digest(plain: Mapping[str, Any]) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Trial:
    """The specification of a trial.

    Parameters
    ----------
    table : str
        Digest of the table.
    combination : Combination
        The method, and the strategy that it is trained by.
    seed : int
        Of the split and of everything that is drawn.
    settings : Settings
        The protocol.
    code : str
        Digest of the code that computes it.
    """

    table: str
    combination: Combination
    seed: int
    settings: Settings
    code: str = ""

    def plain(self) -> dict[str, Any]:
        """The full specification, as JSON can hold it."""
        return {
            "kind": "method",
            "table": self.table,
            "method": self.combination.name,
            "seed": self.seed,
            "settings": self.settings.plain(),
            "code": self.code,
        }

    def run(self, table: Table, plugins: Plugins) -> Outcome:
        """Do it."""
        strategy = strategy_of(self.combination.strategy, known=plugins.strategies())
        return run_trial(self, table, plugins.load()[self.combination.method], strategy)

    @property
    def key(self) -> str:
        """Digest of the full specification: what a store finds the result by."""
        return digest(self.plain())


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of a trial.

    Parameters
    ----------
    run : Run
        Predictions of the chosen model on the test rows.
    chosen : mapping
        Its hyper-parameters.
    validated : tuple of mapping
        Every entry of the grid: hyper-parameters, and figures on the validation rows, or an error.
    seconds : mapping of str to float
        By stage, what the trial takes by itself; rows that several trials share are counted in each.
    """

    run: Run
    chosen: Mapping[str, Any]
    validated: tuple[Mapping[str, Any], ...]
    seconds: Mapping[str, float] = field(repr=False)

    def plain(self) -> dict[str, Any]:
        """All but the predictions, as JSON can hold it."""
        return {
            "chosen": dict(self.chosen),
            "validated": [dict(v) for v in self.validated],
            "seconds": dict(self.seconds),
            "remarks": list(self.run.remarks),
        }

    def payload(self) -> bytes:
        """The predictions, a bit each; scores are not kept."""
        tested = np.zeros(int(self.run.rows.max()) + 1, dtype=bool)
        tested[self.run.rows] = True
        return pack(tested=np.packbits(tested), predicted=np.packbits(self.run.predicted.astype(bool)))

    @classmethod
    def of_plain(cls, seed: int, found: dict[str, Any], payload: bytes) -> Outcome:
        """The outcome from :meth:`plain` and :meth:`payload`."""
        bits = unpack(payload)
        rows = np.flatnonzero(np.unpackbits(bits["tested"]))
        predicted = np.unpackbits(bits["predicted"], count=len(rows)).astype(np.int64)
        run = Run(seed, rows, predicted, None, tuple(found["remarks"]))
        return cls(run, found["chosen"], tuple(found["validated"]), found["seconds"])


class Watch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - begun


def run_trial(trial: Trial, table: Table, method: Method, strategy: AnyStrategy) -> Outcome:
    """Train every entry of the grid, choose by the validation rows, and predict the test rows once."""
    watch = Watch()
    with threadpool_limits(limits=1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ready = _ready(_Preparation(trial.table, trial.seed, trial.settings, strategy, table))
        tried = [_tried(trial, method, hyper, ready, watch) for hyper in method.grid]
        trained = [t for t in tried if t.fitted is not None]
        if not trained:
            raise InputError(tried[0].error)
        best = trained[choose([t.figures for t in trained], trial.settings.notion, trial.settings.margin)]
        with watch.stage("predict"):
            predicted, score = _on_test_rows(best.fitted, ready)
    remarks = tuple(dict.fromkeys(str(w.message).splitlines()[0] for w in caught))
    run = Run(trial.seed, ready.parts.test, predicted, score, remarks)
    every = tuple({"hyper": t.hyper, **({"error": t.error} if t.error else t.figures)} for t in tried)
    seconds = {stage: watch.seconds[stage] + ready.seconds[stage] for stage in STAGES}
    return Outcome(run, best.hyper, every, seconds)


class _Tried(NamedTuple):
    """One entry of a grid: what was trained, and its figures on the validation rows; or why it failed."""

    hyper: dict[str, Any]
    fitted: Any
    figures: dict[str, float]
    error: str


def _tried(trial: Trial, method: Method, hyper: Mapping[str, Any], ready: _Ready, watch: Watch) -> _Tried:
    """Train one entry of the grid; one that diverges is not taken, and the others still are."""
    try:
        with watch.stage("train"), one_torch_thread():
            fitted = _fitted(method, hyper, ready, trial)
        with watch.stage("predict"):
            figures = _figures(fitted, ready, trial.settings)
    except InputError as error:
        return _Tried(dict(hyper), None, {}, " ".join(str(error).split()))
    return _Tried(dict(hyper), fitted, figures, "")


@dataclass(frozen=True)
class _Preparation:
    """What the rows of a trial follow from: many methods are trained on the same ones."""

    key: str
    seed: int
    settings: Settings
    strategy: AnyStrategy
    table: Table = field(compare=False)


@dataclass(frozen=True, eq=False)
class _Ready:
    """Rows to train on, vectors of the validation rows, and the seconds that both took."""

    table: Table
    parts: Parts
    strategy: AnyStrategy
    training: TrainingTable
    rows: TrainingRows | None
    Z_validation: FloatArray
    seconds: Mapping[str, float]


@lru_cache(maxsize=1)
def _ready(wanted: _Preparation) -> _Ready:
    """The rows of a trial; those of the last one are kept, since the next trial often has the same."""
    table, settings, watch = wanted.table, wanted.settings, Watch()
    with watch.stage("encode"):
        parts = deal_out(table, wanted.seed, settings.split)
        encoder = table.encoder()
        Z = encoder.fit_transform(take_rows(dict(table.X), parts.train))
        Z_validation = encoder.transform(take_rows(dict(table.X), parts.validation))
    with watch.stage("rows"):
        training = TrainingTable(
            None,
            CellIndex(table.lattice, table.leaves[parts.train], table.truth[parts.train], 2),
            np.arange(2),
            None,
            (wanted.seed,),
            per_cell=settings.per_cell,
            encoded=Vectors(encoder, Z),
        )
        strategy = wanted.strategy
        rows = strategy.prepare(training) if isinstance(strategy, Strategy) else None
    return _Ready(table, parts, strategy, training, rows, Z_validation, watch.seconds)


def _on_test_rows(fitted: FittedStrategy, ready: _Ready) -> tuple[IntArray, FloatArray | None]:
    """Predictions and scores of the test rows, some thousands at a time: there may be many."""
    rows, X, encoder = ready.parts.test, dict(ready.table.X), ready.training.vectors.encoder
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    found = [_predicted(fitted, encoder.transform(take_rows(X, c)), ready.table, c) for c in chunks]
    scores = [score for _, score in found if score is not None]
    return np.concatenate([p for p, _ in found]), np.concatenate(scores) if scores else None


def _predicted(
    fitted: FittedStrategy, Z: FloatArray, table: Table, rows: IntArray
) -> tuple[IntArray, FloatArray | None]:
    """Predictions and scores of rows, if the scores are probabilities."""
    with one_torch_thread():
        score = fitted.score(Z)
        if score is not None and not ((score >= 0) & (score <= 1)).all():  # NaN is neither
            raise InputError(
                "`predict_proba` gave values that are no probabilities. Is the learning rate too high?"
            )
        return fitted.predict(Z, table.lattice, table.leaves[rows]), score


def _fitted(method: Method, hyper: Mapping[str, Any], ready: _Ready, trial: Trial) -> FittedStrategy:
    model = method.make(seed=child_seed(trial.seed, 2), settings=trial.settings, **hyper)
    if not hasattr(model, "predict_proba"):
        raise InputError(
            f"Method `{method.name}` makes a {type(model).__name__}, which has no `predict_proba`."
        )
    return ready.strategy.fit(replace(ready.training, estimator=model), ready.rows)


def _figures(fitted: FittedStrategy, ready: _Ready, settings: Settings) -> dict[str, float]:
    table, rows = ready.table, ready.parts.validation
    run = Run(0, rows, _predicted(fitted, ready.Z_validation, table, rows)[0], None)
    return run_figures(
        count_run(table.lattice, table.leaves, table.truth, run, settings.alpha, table.classes)
    )
