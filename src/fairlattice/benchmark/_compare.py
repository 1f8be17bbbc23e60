"""The comparison itself: split, encode, prepare, train, predict, count; nothing of the test rows
enters before prediction. Every (split, strategy) pair is a task of its own, seeded by what it is
and not by when it runs, so any number of jobs gives the same bytes.
"""  # noqa: D205

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from joblib import delayed
from threadpoolctl import threadpool_limits

from fairlattice._column import index_of
from fairlattice._validation import (
    FloatArray,
    IntArray,
    as_labels,
    check_choice,
    check_count,
    check_real,
    check_same_length,
    distinct_values,
)
from fairlattice.benchmark._classifiers import make_classifier
from fairlattice.benchmark._comparison import Comparison
from fairlattice.benchmark._comparison_data import ComparisonData, prepared
from fairlattice.benchmark._giveaways import giveaway_notes, nearly_perfect
from fairlattice.benchmark._over_seeds import Run
from fairlattice.benchmark._posterior import NOTIONS
from fairlattice.benchmark._splits import Fold, child_seed, cross_folds
from fairlattice.benchmark._tasks import as_completed
from fairlattice.encoders import TableEncoder
from fairlattice.encoders._shared import read_columns
from fairlattice.exceptions import InputError
from fairlattice.groups._shared import Grouping
from fairlattice.metrics import Audit
from fairlattice.metrics._shared import find_positive
from fairlattice.samplers import CellIndex
from fairlattice.samplers._shared import check_device, describe_small_cells
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import (
    PER_CELL,
    AnyStrategy,
    aimed_at,
    by_model,
    default_among,
    default_for,
    strategies_of,
)
from fairlattice.tables._shared import Feature, Rules, read_attributes, read_labels

Progress = Callable[[int, int], None]


def compare(
    X: Any,
    y: Any,
    *,
    sensitive_features: Any,
    recorded_features: Any = None,
    strategies: Sequence[Any] | None = None,
    groups_at_prediction: bool = False,
    classifier: Any = "logistic",
    notion: str = "equalized_odds",
    folds: int = 5,
    repeats: int = 2,
    units: Any = None,
    max_loss: float | None = None,
    per_cell: int = PER_CELL,
    alpha: float = 0.5,
    positive: Any = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    na: Sequence[str] | None = None,
    decimal: str | None = None,
    categorical: Sequence[str] = (),
    keep: Sequence[str] = (),
    device: str | None = None,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Train with every strategy on the same splits, and see whom each serves and whom it hurts.

    Parameters
    ----------
    X : frame or array of shape (n, d)
        Features of any types that :class:`TableEncoder` takes.
    y : array-like of shape (n,)
        Labels, of two classes.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        The sensitive attributes.
    recorded_features : like `sensitive_features`, optional
        The attributes as strategies see them in training, where these were recorded with error; everyone is
        counted by the true ones.
    strategies : sequence of str, Strategy or object, optional
        Names of `STRATEGIES`, parts with + between them, such as "smote+learned", or strategies of your own, as in
        :class:`FairClassifier`. By default all presets that need no groups at prediction.
    groups_at_prediction : bool, default=False
        Whether groups may be used to decide: presets that need them are compared and may be recommended.
    classifier : {"logistic", "mlp", "boosting"} or classifier, default="logistic"
        What to train. Rows are drawn by weight for an estimator that takes no weights.
    notion : {"equalized_odds", "equal_opportunity", "demographic_parity", "accuracy"}, default="equalized_odds"
        What is to be equal between groups, and what the recommendation goes by.
    folds : int, default=5
        Every row is tested once a repeat, by a model trained on the other folds.
    repeats : int, default=2
        How often the rows are split into folds. One repeat cannot tell how much the training rows matter.
    units : array-like of shape (n,), optional
        The person that a row belongs to; rows of one person stay in one fold.
    max_loss : float, optional
        Plain accuracy that may be lost against `none`, in [0, 1]; strategies that lose more are not recommended.
    per_cell : int, default=1000
        Strategies that make rows raise smaller (leaf, label) cells to this many, before equal weights.
    alpha : float, default=0.5
        Weight in [0, 1] of the absolute part of IFα.
    positive : label, optional
        The positive class; 1 or True if that is one of the two.
    cuts, missing
        As in :meth:`GroupLattice.from_features`.
    na, decimal, categorical, keep
        How columns are read, as in :class:`TableEncoder`; `na` holds for labels and attributes too.
    device : str, optional
        PyTorch device, such as "cuda", on which mixes and membership models are fitted in double precision. By
        default, NumPy fits them. Classifiers are not moved to this device.
    random_state : int, default=0
        Seed. The same seed gives the same result, whatever `n_jobs`.
    n_jobs : int, optional
        Processes, as in joblib; -1 for all cores.
    progress : callable (done, total), optional
        Called after every task.

    Returns
    -------
    Comparison
        A recommendation, levels and paired differences with intervals, the price, whom it hurts, predictions.

    Raises
    ------
    InputError
        If there are not two labels, a table is too small to split, or an option is out of range.

    Examples
    --------
    >>> import fairlattice as fl
    >>> rng = np.random.default_rng(0)
    >>> S = {"sex": rng.choice(["f", "m"], 600, p=[0.2, 0.8]), "old": rng.integers(0, 2, 600)}
    >>> X = rng.normal(size=(600, 3)) + (S["sex"] == "f")[:, None]
    >>> y = (X[:, 0] + rng.normal(size=600) > 1).astype(int)
    >>> result = fl.compare(X, y, sensitive_features=S, strategies=["none", "equal"])
    >>> result["equal"].estimate("tpr.worst").median > result["none"].estimate("tpr.worst").median
    True
    >>> result.recommendation.strategy
    'equal'
    """
    check_choice("notion", notion, tuple(NOTIONS))
    auto = default_for(make_classifier(classifier, 0))
    named = strategies_of(_presets(groups_at_prediction) if strategies is None else strategies, auto=auto)
    chosen = [aimed_at(strategy, notion) for strategy in named]
    default = default_among([strategy.name for strategy in chosen], auto)
    check_device(device)
    check_count("folds", folds, 2)
    if max_loss is not None:
        check_real("max_loss", max_loss, 0.0, 1.0)
    check_real("alpha", alpha, 0.0, 1.0)
    check_count("repeats", repeats)
    check_count("per_cell", per_cell)
    seed = check_count("random_state", random_state, 0)
    labels, _ = read_labels(y, "y", Rules(na))
    classes, truth = two_classes(labels, positive)
    clean, attributes = read_attributes(sensitive_features, Rules(na, decimal))
    lattice, leaves = Grouping(cuts, missing).encode(clean)
    # Refuses what cannot be encoded before any work is done, and decides for all folds what each column is.
    reading = TableEncoder(na=na, decimal=decimal, categorical=categorical, keep=keep).read(X)
    check_same_length(X=X, y=truth, sensitive_features=leaves)
    seen = leaves if recorded_features is None else lattice.encode(attributes.apply(recorded_features))
    check_same_length(sensitive_features=leaves, recorded_features=seen)
    who = None if units is None else as_labels(units, "units")
    if who is not None:
        check_same_length(y=truth, units=who)
    splits = cross_folds(leaves, truth, folds=folds, repeats=repeats, seed=child_seed(seed), units=who)
    data = ComparisonData(X, truth, lattice, seen, classifier, per_cell, seed, folds, reading, device)
    tasks = [(split, alike) for split in splits for alike in by_model(chosen)]
    work = as_completed([delayed(_one_run)(data, *task) for task in tasks], n_jobs, ahead=4)
    parts: dict[tuple[str, int, int], _Part] = {}
    for done in work:
        parts |= {(part.strategy, part.repeat, part.fold): part for part in done}
        if progress is not None:
            progress(len(parts), len(splits) * len(chosen))
    settings = {
        "strategies": [strategy.name for strategy in chosen],
        "classifier": classifier if isinstance(classifier, str) else repr(classifier),
        "default": default,
        "notion": notion,
        "folds": folds,
        "repeats": repeats,
        "max_loss": max_loss,
        "groups_at_prediction": bool(groups_at_prediction),
        "per_cell": per_cell,
        "alpha": alpha,
        "smoothing": Audit.smoothing,
        "seed": seed,
    }
    read = {"na": na, "decimal": decimal, "categorical": list(categorical), "keep": list(keep)}
    settings |= (
        {"reading": given} if (given := {name: value for name, value in read.items() if value}) else {}
    )
    settings |= {} if device is None else {"device": device}
    tested = tuple(
        (s, tuple(_joined([parts[s.name, r, f] for f in range(folds)]) for r in range(repeats)))
        for s in chosen
    )
    prepared.clear()
    fold = np.empty((repeats, len(truth)), dtype=np.int64)
    for split in splits:
        fold[split.repeat, split.test] = split.number
    small = describe_small_cells(CellIndex(lattice, leaves, truth, 2), classes)
    notes = (*([small] if small else []), *_giveaways(X, reading, truth, tested), *_remarks(tested))
    features = tuple(name for name, feature in reading.items() if feature.kind != "identifier")
    return Comparison(settings, lattice, classes, truth, leaves, fold, tested, notes, features)


def _presets(groups_at_prediction: bool) -> list[str]:
    """The presets that may be used."""
    return [name for name, s in STRATEGIES.items() if groups_at_prediction or not s.needs_groups]


class _Part(NamedTuple):
    """One fold's predictions by one strategy."""

    strategy: str
    repeat: int
    fold: int
    rows: IntArray
    predicted: IntArray
    score: FloatArray | None
    remarks: tuple[str, ...]


def _one_run(data: ComparisonData, split: Fold, strategies: Sequence[AnyStrategy]) -> list[_Part]:
    """Train strategies that share a model on one fold's training rows, and predict its test rows."""
    return [_one_part(data, split, strategy) for strategy in strategies]


def _one_part(data: ComparisonData, split: Fold, strategy: AnyStrategy) -> _Part:
    # One thread per task: sums then run in the same order however many tasks run at once.
    with threadpool_limits(limits=1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table, Z = prepared(data, split)
        try:
            fitted = strategy.fit(table)
            predicted = fitted.predict(Z, data.lattice, data.leaves[split.test])
            score = fitted.score(Z)
        except Exception as error:  # also of the user's own code
            error.add_note(f"Raised by the strategy `{strategy.name}`.")
            raise
    remarks = tuple(dict.fromkeys(str(w.message).splitlines()[0] for w in caught))
    return _Part(strategy.name, split.repeat, split.number, split.test, predicted, score, remarks)


def _joined(parts: list[_Part]) -> Run:
    """The folds of one repeat as predictions of everyone, in the table's order."""
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows)
    scores = [part.score for part in parts if part.score is not None]
    score = np.concatenate(scores)[order] if len(scores) == len(parts) else None
    remarks = tuple(dict.fromkeys(text for part in parts for text in part.remarks))
    predicted = np.concatenate([part.predicted for part in parts])
    return Run(parts[0].repeat, rows[order], predicted[order], score, remarks)


def two_classes(labels: Any, positive: Any) -> tuple[tuple[Any, Any], IntArray]:
    known = distinct_values(labels)
    if len(known) != 2:
        shown = ", ".join(map(repr, known[:5])) + (" …" if len(known) > 5 else "")
        raise InputError(
            f"A comparison needs a label with two classes, got {len(known)}: {shown}. "
            + (
                "Merge classes, or use `audit`, which takes any number."
                if len(known) > 2
                else "Add rows of another."
            )
        )
    chosen = find_positive(tuple(known), positive)
    other = next(k for k in known if k != chosen)
    return (other, chosen), index_of(labels, [other, chosen])


def _giveaways(
    X: Any,
    reading: Mapping[str, Feature],
    truth: IntArray,
    tested: Sequence[tuple[AnyStrategy, Sequence[Run]]],
) -> list[str]:
    """Remarks on features that give the label away, where a strategy is nearly always right."""
    if not any(nearly_perfect(runs[0].predicted, truth) for _, runs in tested):
        return []
    columns = read_columns(X, reading)
    learned = {name: columns[name] for name, feature in reading.items() if feature.kind != "identifier"}
    return giveaway_notes(learned, truth)


def _remarks(tested: Sequence[tuple[AnyStrategy, Sequence[Run]]]) -> list[str]:
    """Warnings of classifiers, with the strategies that had them."""
    by_text: dict[str, list[str]] = {}
    for strategy, runs in tested:
        for text in dict.fromkeys(r for run in runs for r in run.remarks):
            by_text.setdefault(text, []).append(strategy.name)
    return [f"{', '.join(names)}: {text}" for text, names in by_text.items()]
