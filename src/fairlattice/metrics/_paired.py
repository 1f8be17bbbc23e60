"""Leveling down and harm between two models that decided on the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import combinations
from typing import Any

import numpy as np

from fairlattice._validation import BoolArray, IntArray, check_real
from fairlattice.exceptions import InputError
from fairlattice.groups import Group, PairedCounts
from fairlattice.groups._shared import check_agreement, find_class, find_positive
from fairlattice.metrics._fairness import alpha_measure, log_ratio, measure_value
from fairlattice.metrics._harm import Harm, harm_of, independent_harm, paired_harm
from fairlattice.metrics._intervals import simultaneous_confidence
from fairlattice.metrics._leveling import (
    Flips,
    LevelingDown,
    confidence_of_claims,
    leveling_down_verdict,
    overall_verdict,
    paired_changes,
    worst_fell,
)
from fairlattice.metrics._notions import DEFAULT_NOTION, DEFAULT_UNLABELLED, rates_of_notion
from fairlattice.metrics._rates import ALIASES, Rates, group_rates, is_selection


def leveling_down(
    y_true: Any,
    before: Any = None,
    after: Any = None,
    *,
    sensitive_features: Any = None,
    positive: Any = None,
    positive_prediction: Any = None,
    favourable: Any = None,
    measure: str | None = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    alpha: float = 0.5,
    smoothing: float = 0.5,
    confidence: float = 0.95,
) -> LevelingDown:
    """Who lost and who gained when one model took another's place, by the rows where they differ.

    Parameters
    ----------
    y_true : array-like of shape (n,), None, or PairedCounts
        Labels, of any number of classes; None where there are none; or counts, and no other data:
        :meth:`PairedCounts.from_frame` counts any frame, eager or lazy, by its own engine.
    before, after : array-like of shape (n,)
        Predictions of the unconstrained model, and of the one that is to take its place.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        One column per attribute; any frame that narwhals knows.
    positive, positive_prediction, favourable : label, optional
        As in :func:`audit`.
    measure : str, optional
        The rate or notion; by default equalized odds, and without labels demographic parity.
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
    spelled = {"positive": positive, "positive_prediction": positive_prediction}
    counts, label, names = _questioned(
        y_true, before, after, sensitive_features, measure, favourable, cuts=cuts, missing=missing, **spelled
    )
    leaves, place = np.unique(counts.codes, return_inverse=True)
    groups = [counts.lattice.group(int(code)) for code in leaves]
    flips = {r: _flips(counts, r, label, place) for r in names}
    flips = {rate: f for rate, f in flips.items() if f.trials.any()}
    each = confidence_of_claims(list(flips.values()), confidence) if flips else confidence
    measures = (log_ratio, alpha_measure(alpha))
    changes, verdicts = [], {}
    for rate, found in flips.items():
        changes += paired_changes(rate, groups, found, each)
        old, new = found.before, found.after
        both = is_selection(rate)
        fairer = any(
            measure_value(new, m, smoothing=smoothing, both_outcomes=both and m is log_ratio)
            < measure_value(old, m, smoothing=smoothing, both_outcomes=both and m is log_ratio)
            for m in measures
        )
        fell, beyond = worst_fell(old, new, smoothing, each, found)
        verdicts[rate] = leveling_down_verdict(unfairness_fell=fairer, worst_fell=fell, beyond_noise=beyond)
    ranked = tuple(sorted(changes, key=lambda c: c.difference))
    return LevelingDown(overall_verdict(verdicts), verdicts, ranked)


def harm(
    y_true: Any,
    before: Any = None,
    after: Any = None,
    *,
    sensitive_features: Any = None,
    positive: Any = None,
    positive_prediction: Any = None,
    favourable: Any = None,
    measure: str | Sequence[str] | None = None,
    tolerance: float = 0.0,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    confidence: float = 0.95,
) -> Harm:
    """Did some group's rate fall when one model took another's place, on the rows where they differ?

    Parameters
    ----------
    y_true : array-like of shape (n,), None, or PairedCounts
        Labels, of any number of classes; None where there are none; or counts, and no other data:
        :meth:`PairedCounts.from_frame` counts any frame, eager or lazy, by its own engine.
    before, after : array-like of shape (n,)
        Predictions of the baseline, and of the model that is to take its place.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        One column per attribute; any frame that narwhals knows.
    positive, positive_prediction, favourable : label, optional
        As in :func:`audit`.
    measure : str or sequence of str, optional
        Rates or notions to look at; by default equalized odds, and without labels demographic parity.
    tolerance : float, default=0.0
        A fall that is accepted, in [0, 1]: a group is reported if its whole interval lies below minus this.
    cuts, missing, confidence
        As in :func:`audit`.

    Returns
    -------
    Harm
        The verdict, and the change of every group of every level. If nothing changed, some group is called
        changed in at most ``1 - confidence`` of all cases.

    Raises
    ------
    InputError
        If lengths differ, labels are missing, the positive label is unclear, or an option is out of range.

    Examples
    --------
    >>> import fairlattice as fl
    >>> sex = ["f"] * 40 + ["m"] * 40
    >>> before, after = [1] * 80, [0] * 15 + [1] * 65
    >>> found = fl.harm(None, before, after, sensitive_features={"sex": sex})
    >>> found.verdict, found.fell[0].group, found.fell[0].difference
    ('yes', {'sex': 'f'}, -0.375)
    """
    check_real("confidence", confidence, 0.0, 1.0, open_ends=True)
    check_real("tolerance", tolerance, 0.0, 1.0)
    spelled = {"positive": positive, "positive_prediction": positive_prediction}
    counts, label, names = _questioned(
        y_true, before, after, sensitive_features, measure, favourable, cuts=cuts, missing=missing, **spelled
    )
    alike = [rate for rate in names if rate.partition(":")[0] not in _OWN_ROWS]
    apart = [rate for rate in names if rate not in alike]
    each = simultaneous_confidence(confidence, 2 if alike and apart else 1)
    codes, groups = _every_level(counts)
    flips = {rate: _joined([_flips(counts, rate, label, place) for place in codes]) for rate in alike}
    changes = paired_harm(groups, flips, each)
    if apart:
        old, new = (_table(side, codes, counts) for side in (counts.old, counts.new))
        kind = counts.classes, label

        def rates_of(rate: str) -> tuple[Rates, Rates]:
            return group_rates(old, kind[0], rate, kind[1]), group_rates(new, kind[0], rate, kind[1])

        changes += independent_harm(groups, apart, rates_of, each)
    return harm_of(changes, tolerance)


_OWN_ROWS = ("ppv", "npv", "precision")  # rates whose rows each model chooses for itself
_MOST_GROUPS = 100_000


def _questioned(
    y_true: Any,
    before: Any,
    after: Any,
    sensitive_features: Any,
    measure: str | Sequence[str] | None,
    favourable: Any,
    **options: Any,
) -> tuple[PairedCounts, Any, tuple[str, ...]]:
    """The counts, the positive label, and the rates to look at."""
    if isinstance(y_true, PairedCounts):
        if not (before is None and after is None and sensitive_features is None):
            raise InputError("Counts hold predictions and groups already. Pass `PairedCounts` alone.")
        counts = y_true
    else:
        if before is None or after is None or sensitive_features is None:
            raise InputError("`before`, `after` and `sensitive_features` are needed, and `y_true` or None.")
        counts = PairedCounts.from_arrays(
            y_true, before, after, sensitive_features=sensitive_features, **options
        )
    if counts.labelled:
        check_agreement(counts.before, "y_true", "before")
        check_agreement(counts.after, "y_true", "after")
    named = options["positive"]
    if counts.labelled:
        label = find_positive(counts.classes, named)
    else:
        chosen = options["positive_prediction"] if options["positive_prediction"] is not None else named
        label = find_positive(counts.classes, chosen, what="prediction")
    good = None if favourable is None else find_class(counts.classes, favourable, "Favourable outcome")
    if measure is None:
        measure = DEFAULT_NOTION if counts.labelled else DEFAULT_UNLABELLED
    asked = [measure] if isinstance(measure, str) else list(measure)
    names = dict.fromkeys(r for m in asked for r in rates_of_notion(m, counts.classes, label, good))
    return counts, label, tuple(ALIASES.get(name, name) for name in names)


def _every_level(counts: PairedCounts) -> tuple[list[IntArray], list[Group]]:
    """Of every set of attributes, the group that each entry belongs to, and all groups in that order."""
    lattice = counts.lattice
    places: list[IntArray] = []
    groups: list[Group] = []
    for size in range(len(lattice.names) + 1):
        for names in combinations(lattice.names, size):
            codes, place = np.unique(lattice.project(counts.codes, names), return_inverse=True)
            deepest = size == len(lattice.names)
            if len(groups) + len(codes) > _MOST_GROUPS and not deepest:
                continue
            places.append(place)
            groups += [lattice.marginal(names).group(int(code)) for code in codes]
    return places, groups


def _joined(parts: Sequence[Flips]) -> Flips:
    """The flips of several levels, one after the other."""
    return Flips(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Flips)))


def _table(predicted: IntArray, places: Sequence[IntArray], counts: PairedCounts) -> IntArray:
    """Label by prediction counts of the groups of all levels, for one of the models."""
    k, tables = len(counts.classes), []
    for place in places:
        m = int(place.max()) + 1
        cell = (place * k + counts.truth) * k + predicted
        flat = np.bincount(cell, weights=counts.rows, minlength=m * k * k)
        tables.append(np.rint(flat).astype(np.int64).reshape(m, k, k))
    return np.concatenate(tables)


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
    # Refuses unknown rates, and those that lack a class, or needs labels.
    k = len(counts.classes)
    group_rates(np.zeros((0, k if counts.labelled else 1, k), dtype=np.int64), counts.classes, rate, positive)
    if rate == "accuracy":
        return everyone, lambda predicted: predicted == counts.truth
    kind, _, wanted = rate.partition(":")
    place = [str(c) for c in counts.classes].index(wanted) if wanted else counts.classes.index(positive)
    kinds = {"tpr": "recall", "tnr": "specificity", "selection_rate": "selection"}
    kind = kinds.get(kind, kind)
    if kind == "recall":
        return counts.truth == place, lambda predicted: predicted == place
    if kind == "specificity":
        return counts.truth != place, lambda predicted: predicted != place
    if kind == "selection":
        return everyone, lambda predicted: predicted == place
    raise InputError(
        f"`{rate}` is about other rows under each model, so models cannot be compared row by row. "
        "Use `harm`, which takes them for independent samples."
    )
