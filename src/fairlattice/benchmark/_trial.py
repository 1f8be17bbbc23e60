"""One trial: a data set, a method on its training rows, a seed; trained, chosen, and tested once.

A trial depends on its specification and its table alone, and runs on one thread, so it gives the same
figures wherever and beside whatever it runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from fairlattice._threads import one_torch_thread
from fairlattice._validation import FloatArray, IntArray
from fairlattice.benchmark._comparison import Run, count_run, run_figures
from fairlattice.benchmark._methods import Combination, Method
from fairlattice.benchmark._plugins import Plugins
from fairlattice.benchmark._protocol import Parts, Settings, choose, deal_out
from fairlattice.benchmark._splits import child_seed
from fairlattice.benchmark._strategies import RECIPES, STRATEGIES, Prepared, TrainingRows
from fairlattice.benchmark._table import Table, pack, unpack
from fairlattice.exceptions import InputError
from fairlattice.samplers import CellIndex, take_rows

_CHUNK = 20_000
STAGES = ("encode", "rows", "train", "predict")


def digest(plain: Mapping[str, Any]) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Trial:
    """What a result is a result of.

    Parameters
    ----------
    table : str
        Digest of the table.
    combination : Combination
        The method, and the strategy that makes its training rows.
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
        return run_trial(self, table, plugins.load()[self.combination.method])

    @property
    def key(self) -> str:
        """Digest of the full specification: what a store finds the result by."""
        return digest(self.plain())


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a trial found.

    Parameters
    ----------
    run : Run
        Predictions of the chosen model on the test rows.
    chosen : mapping
        Its hyper-parameters.
    validated : tuple of mapping
        Every entry of the grid: hyper-parameters, and figures on the validation rows, or an error.
    seconds : mapping of str to float
        Where the time went, by stage.
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


def run_trial(trial: Trial, table: Table, method: Method) -> Outcome:
    """Train every entry of the grid, choose by the validation rows, and predict the test rows once."""
    watch, settings = Watch(), trial.settings
    with threadpool_limits(limits=1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recipe = STRATEGIES[trial.combination.strategy].recipe
        ready = _ready(_Preparation(trial.table, trial.seed, recipe, settings, table, watch))
        tried = [_tried(trial, table, method, hyper, ready, watch) for hyper in method.grid]
        trained = [t for t in tried if t.model is not None]
        if not trained:
            raise InputError(tried[0].error)
        best = trained[choose([t.figures for t in trained], settings.notion, settings.margin)]
        with watch.stage("predict"):
            score = _test_scores(best.model, ready, table)
    remarks = tuple(dict.fromkeys(str(w.message).splitlines()[0] for w in caught))
    run = Run(trial.seed, ready.parts.test, _decided(score), score, remarks)
    told = tuple({"hyper": t.hyper, **({"error": t.error} if t.error else t.figures)} for t in tried)
    return Outcome(run, best.hyper, told, watch.seconds)


class _Tried(NamedTuple):
    """One entry of a grid: what was trained, and its figures on the validation rows; or why it failed."""

    hyper: dict[str, Any]
    model: Any
    figures: dict[str, float]
    error: str


def _tried(
    trial: Trial, table: Table, method: Method, hyper: Mapping[str, Any], ready: _Ready, watch: Watch
) -> _Tried:
    """Train one entry of the grid; one that diverges is not taken, and the others still are."""
    try:
        with watch.stage("train"):
            model = _fitted(method, hyper, ready.rows, table, trial)
        with watch.stage("predict"):
            rows = ready.parts.validation
            figures = _figures(model, ready.Z_validation, rows, table, trial.settings)
    except InputError as error:
        return _Tried(dict(hyper), None, {}, " ".join(str(error).split()))
    return _Tried(dict(hyper), model, figures, "")


@dataclass(frozen=True)
class _Preparation:
    """Rows made ready: many methods are trained on the same ones, so the last are kept."""

    key: str
    seed: int
    recipe: str
    settings: Settings
    table: Table = field(compare=False)
    watch: Watch = field(compare=False)


@dataclass(frozen=True, eq=False)
class _Ready:
    """Rows to train on, vectors of the validation rows, and what encodes the test rows."""

    parts: Parts
    rows: Prepared
    Z_validation: FloatArray
    encoder: Any


@lru_cache(maxsize=1)
def _ready(wanted: _Preparation) -> _Ready:
    table, settings = wanted.table, wanted.settings
    with wanted.watch.stage("encode"):
        parts = deal_out(table, wanted.seed, settings.split)
        encoder = table.encoder()
        Z = encoder.fit_transform(take_rows(dict(table.X), parts.train))
        Z_validation = encoder.transform(take_rows(dict(table.X), parts.validation))
    with wanted.watch.stage("rows"):
        index = CellIndex(table.lattice, table.leaves[parts.train], table.truth[parts.train], 2)
        entropy = (wanted.seed, list(RECIPES).index(wanted.recipe))
        train = TrainingRows(Z, encoder, index, {}, settings.per_cell, entropy)
        rows = RECIPES[wanted.recipe](train)
    return _Ready(parts, rows, Z_validation, encoder)


def _test_scores(model: Any, ready: _Ready, table: Table) -> FloatArray:
    """Probabilities of the test rows, some thousands at a time: there may be many."""
    rows = ready.parts.test
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    X = dict(table.X)
    return np.concatenate([_scores(model, ready.encoder.transform(take_rows(X, c))) for c in chunks])


def _fitted(method: Method, hyper: Mapping[str, Any], rows: Prepared, table: Table, trial: Trial) -> Any:
    model = method.make(seed=child_seed(trial.seed, 2), settings=trial.settings, **hyper)
    if not hasattr(model, "predict_proba"):
        raise InputError(
            f"Method `{method.name}` makes a {type(model).__name__}, which has no `predict_proba`."
        )
    more: dict[str, Any] = {}
    if has_fit_parameter(model, "sensitive_features"):
        more["sensitive_features"] = np.stack(table.lattice.digits(rows.leaves), axis=1)
    if rows.weights is not None and has_fit_parameter(model, "sample_weight"):
        more["sample_weight"] = rows.weights
    elif rows.weights is not None:
        rng = np.random.default_rng(child_seed(trial.seed, 3))
        drawn = rng.choice(len(rows.labels), len(rows.labels), p=rows.weights / rows.weights.sum())
        rows = Prepared(rows.Z[drawn], rows.leaves[drawn], rows.labels[drawn], None)
        more = {name: values[drawn] for name, values in more.items()}
    with one_torch_thread():
        return model.fit(rows.Z, rows.labels, **more)


def _scores(model: Any, Z: FloatArray) -> FloatArray:
    with one_torch_thread():
        both: FloatArray = np.asarray(model.predict_proba(Z), dtype=np.float64)
    if both.shape != (len(Z), 2):
        raise InputError(f"`predict_proba` gave shape {both.shape} for {len(Z)} rows, not ({len(Z)}, 2).")
    if not ((both >= 0) & (both <= 1)).all():  # NaN is neither
        raise InputError(
            "`predict_proba` gave values that are no probabilities. Is the learning rate too high?"
        )
    return both[:, 1]


def _decided(score: FloatArray) -> IntArray:
    return (score > 0.5).astype(np.int64)


def _figures(model: Any, Z: FloatArray, rows: IntArray, table: Table, settings: Settings) -> dict[str, float]:
    run = Run(0, rows, _decided(_scores(model, Z)), None)
    return run_figures(
        count_run(table.lattice, table.leaves, table.truth, run, settings.alpha, table.classes)
    )
