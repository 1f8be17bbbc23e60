"""Leveling down between two models that judged the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairlattice._validation import BoolArray, IntArray, check_real
from fairlattice.exceptions import InputError
from fairlattice.groups import PairedCounts
from fairlattice.groups._shared import find_positive
from fairlattice.metrics._fairness import alpha_measure, log_ratio, measure_value
from fairlattice.metrics._leveling import (
    Flips,
    LevelingDown,
    confidence_of_claims,
    leveling_down_verdict,
    overall_verdict,
    paired_changes,
    worst_fell,
)
from fairlattice.metrics._rates import rates_of_notion


def leveling_down(
    y_true: Any,
    before: Any = None,
    after: Any = None,
    *,
    sensitive_features: Any = None,
    positive: Any = None,
    measure: str = "equalized_odds",
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    alpha: float = 0.5,
    smoothing: float = 0.5,
    confidence: float = 0.95,
) -> LevelingDown:
    """Who lost and who gained when one model took another's place, judged on the rows where they differ.

    Parameters
    ----------
    y_true : array-like of shape (n,), or PairedCounts
        Labels, of any number of classes; or counts, and no other data.
    before, after : array-like of shape (n,)
        Predictions of the unconstrained model, and of the one that is to take its place.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        One column per attribute; any frame that narwhals knows.
    positive : label, optional
        The positive class; 1 or True if that is one of two.
    measure : str, default="equalized_odds"
        The rate or notion to judge by.
    cuts, missing, alpha, smoothing, confidence
        As in :func:`audit`.

    Returns
    -------
    LevelingDown
        The verdict, and every group's change. If nothing changed, some group is called changed in at most
        ``1 - confidence`` of all cases: exact tests, the error split over groups that could show anything.

    Raises
    ------
    InputError
        If lengths differ, labels are missing, the positive label is unclear, or an option is out of range.

    Examples
    --------
    >>> import fairlattice as fl
    >>> y, sex = [1] * 40, ["f"] * 20 + ["m"] * 20
    >>> before, after = [1] * 38 + [0] * 2, [0] * 15 + [1] * 25
    >>> found = fl.leveling_down(y, before, after, sensitive_features=sex, positive=1, measure="tpr")
    >>> print(found.lost[0].group, found.lost[0].difference)
    {'sensitive_feature_0': 'f'} -0.75
    """
    check_real("alpha", alpha, 0.0, 1.0)
    check_real("smoothing", smoothing, 0.0, float("inf"), open_ends=True)
    check_real("confidence", confidence, 0.0, 1.0, open_ends=True)
    if isinstance(y_true, PairedCounts):
        if not (before is None and after is None and sensitive_features is None):
            raise InputError("Counts hold predictions and groups already. Pass `PairedCounts` alone.")
        counts = y_true
    else:
        if before is None or after is None or sensitive_features is None:
            raise InputError("`before`, `after` and `sensitive_features` are needed beside `y_true`.")
        counts = PairedCounts.from_arrays(
            y_true, before, after, sensitive_features=sensitive_features, cuts=cuts, missing=missing
        )
    label = find_positive(counts.classes, positive)
    leaves, place = np.unique(counts.codes, return_inverse=True)
    groups = [counts.lattice.group(int(code)) for code in leaves]
    flips = {r: _flips(counts, r, label, place) for r in rates_of_notion(measure, counts.classes, label)}
    flips = {rate: f for rate, f in flips.items() if f.trials.any()}
    each = confidence_of_claims(list(flips.values()), confidence) if flips else confidence
    measures = (log_ratio, alpha_measure(alpha))
    changes, verdicts = [], {}
    for rate, found in flips.items():
        changes += paired_changes(rate, groups, found, each)
        old, new = found.before, found.after
        both = rate == "selection_rate"
        fairer = any(
            measure_value(new, m, smoothing=smoothing, both_outcomes=both and m is log_ratio)
            < measure_value(old, m, smoothing=smoothing, both_outcomes=both and m is log_ratio)
            for m in measures
        )
        fell, beyond = worst_fell(old, new, smoothing, each, found)
        verdicts[rate] = leveling_down_verdict(unfairness_fell=fairer, worst_fell=fell, beyond_noise=beyond)
    ranked = tuple(sorted(changes, key=lambda c: c.difference))
    return LevelingDown(overall_verdict(verdicts), verdicts, ranked)


def _flips(counts: PairedCounts, rate: str, positive: Any, place: IntArray) -> Flips:
    """Successes of either model, of one rate, by leaf."""
    about, success = _successes(counts, rate, positive)
    old, new = success(counts.old), success(counts.new)
    size = int(place.max()) + 1

    def summed(rows: BoolArray) -> IntArray:
        total = np.bincount(place, weights=np.where(about & rows, counts.rows, 0), minlength=size)
        return np.rint(total).astype(np.int64)

    return Flips(summed(old & ~new), summed(new & ~old), summed(old & new), summed(np.ones_like(about)))


def _successes(counts: PairedCounts, rate: str, positive: Any) -> tuple[BoolArray, Any]:
    """Which entries a rate is about, and which predictions succeed there."""
    everyone = np.ones(len(counts.truth), dtype=bool)
    if rate == "accuracy":
        return everyone, lambda predicted: predicted == counts.truth
    kind, _, wanted = rate.partition(":")
    names = [str(c) for c in counts.classes]
    if wanted:
        if wanted not in names:
            raise InputError(f"No class {wanted!r}; the classes are {', '.join(names)}.")
        place = names.index(wanted)
    elif positive is None:
        raise InputError(f"Rate {rate!r} needs a positive class; the classes are {list(counts.classes)}.")
    else:
        place = counts.classes.index(positive)
    kinds = {"tpr": "recall", "tnr": "specificity", "selection_rate": "selection"}
    kind = kinds.get(kind, kind)
    if kind == "recall":
        return counts.truth == place, lambda predicted: predicted == place
    if kind == "specificity":
        return counts.truth != place, lambda predicted: predicted != place
    if kind == "selection":
        return everyone, lambda predicted: predicted == place
    raise InputError(f"No rate {rate!r}. Use tpr, tnr, accuracy, selection_rate or recall:<class>.")
