"""Rates: a group's performance as successes out of trials, oriented so that high is good.

Keeping both numbers, not their quotient, is what lets intervals, smoothing and sums come for free.
A rate with no trials is undefined: it is named as such and never replaced by a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import BoolArray, FloatArray, IntArray, NumberArray, did_you_mean
from fairlattice.exceptions import InputError

Table = npt.NDArray[np.int64]

RATES: dict[str, str] = {
    "tpr": "true-positive rate: positives that were predicted positive",
    "tnr": "true-negative rate: negatives that were predicted negative",
    "accuracy": "rows whose label was predicted",
    "selection_rate": "rows predicted positive",
    "ppv": "positive predictive value, or precision: rows predicted positive that are positive",
    "npv": "negative predictive value: rows predicted negative that are negative",
}
"""The rates of a binary audit by name, all of them high where the model does well. Of any number of classes,
``recall:<class>`` is the recall of one; ``specificity:<class>``, ``selection:<class>`` and ``precision:<class>`` are
the TNR, the selection rate and the PPV of one against the rest."""

ALIASES: dict[str, str] = {"recall": "tpr", "sensitivity": "tpr", "specificity": "tnr", "precision": "ppv"}
"""Other usual names of rates."""

ERRORS: dict[str, str] = {
    "fnr": "tpr", "fpr": "tnr", "fdr": "ppv", "for": "npv", "error_rate": "accuracy"
}  # fmt: skip
"""Error rates by their usual names, and the rate that each is 1 minus. Low is good, so no measure is taken of them."""


@dataclass(frozen=True, eq=False)
class Rates:
    """One rate of many groups.

    Parameters
    ----------
    successes, trials : arrays of shape (m,)
        ``0 <= successes <= trials``; whole numbers, or effective ones where rows are weighted.

    Raises
    ------
    InputError
        If they are not.

    Examples
    --------
    >>> Rates(np.array([3, 0]), np.array([4, 0])).smoothed(0.5)
    array([0.7, nan])
    """

    successes: NumberArray
    trials: NumberArray

    def __post_init__(self) -> None:
        s, n = np.asarray(self.successes), np.asarray(self.trials)
        if s.shape != n.shape or not ((s >= 0) & (s <= n)).all():
            raise InputError("Rates need as many `successes` as `trials`, with 0 <= successes <= trials.")

    def of(self, place: IntArray) -> Rates:
        """The rates of some of the groups."""
        return Rates(self.successes[place], self.trials[place])

    @classmethod
    def joined(cls, parts: Sequence[Rates]) -> Rates:
        """The rates of several tables of groups, one after the other."""
        return cls(np.concatenate([p.successes for p in parts]), np.concatenate([p.trials for p in parts]))

    @property
    def defined(self) -> BoolArray:
        """Where there is at least one trial."""
        return self.trials > 0

    @cached_property
    def raw(self) -> FloatArray:
        """Successes / trials, in [0, 1]; NaN, to be masked by `defined`, where there are no trials."""
        return self.smoothed(0.0)

    def smoothed(self, smoothing: float = 0.5) -> FloatArray:
        """(successes + smoothing) / (trials + 2 · smoothing), the posterior mean under a symmetric
        Beta prior; NaN where there are no trials, whatever the smoothing.
        """  # noqa: D205
        rate = np.full(len(self.trials), np.nan)
        np.divide(self.successes + smoothing, self.trials + 2 * smoothing, out=rate, where=self.defined)
        return rate


def _tpr(table: Table, positive: int) -> tuple[IntArray, IntArray]:
    return table[:, positive, positive], table[:, positive].sum(axis=1)


def _tnr(table: Table, positive: int) -> tuple[IntArray, IntArray]:
    negative = np.delete(table, positive, axis=1)
    return np.delete(negative, positive, axis=2).sum(axis=(1, 2)), negative.sum(axis=(1, 2))


def _ppv(table: Table, positive: int) -> tuple[IntArray, IntArray]:
    return table[:, positive, positive], table[:, :, positive].sum(axis=1)


def _npv(table: Table, positive: int) -> tuple[IntArray, IntArray]:
    return _tnr(table, positive)[0], np.delete(table, positive, axis=2).sum(axis=(1, 2))


def _accuracy(table: Table, _: int) -> tuple[IntArray, IntArray]:
    return np.trace(table, axis1=1, axis2=2), table.sum(axis=(1, 2))


def _selection(table: Table, positive: int) -> tuple[IntArray, IntArray]:
    return table[:, :, positive].sum(axis=1), table.sum(axis=(1, 2))


_COUNT: dict[str, Callable[[Table, int], tuple[IntArray, IntArray]]] = {
    "tpr": _tpr,
    "tnr": _tnr,
    "accuracy": _accuracy,
    "selection_rate": _selection,
    "ppv": _ppv,
    "npv": _npv,
}


_OF_CLASS = {"recall": _tpr, "specificity": _tnr, "selection": _selection, "precision": _ppv}


def rate_called(name: str) -> tuple[str, bool]:
    """The rate that a usual name means, and whether it is the share that fails: 1 minus the rate.

    Examples
    --------
    >>> rate_called("precision"), rate_called("fpr")
    (('ppv', False), ('tnr', True))
    """
    if name in ERRORS:
        return ERRORS[name], True
    return ALIASES.get(name, name), False


def is_selection(rate: str) -> bool:
    """Whether a rate, or notion, is about being selected, where both outcomes count."""
    return rate in ("selection_rate", "demographic_parity") or rate.startswith("selection:")


def weighted_rates(
    layers: Sequence[npt.NDArray[Any]], classes: tuple[Any, ...], rate: str, positive: Any = None
) -> Rates:
    """Rates of weighted rows, as successes out of the effective number of trials.

    With weights w the rate is ``p = Σ w · success / Σ w``. The effective number is the smaller of Kish's
    ``(Σ w)² / Σ w²`` and ``p (1 - p) / V``, where ``V = Σ w² (success - p)² / (Σ w)²`` is the variance of p
    itself, so that intervals are as wide as the weights make them, also where weights go with the outcome.

    Parameters
    ----------
    layers : sequence of one or three arrays of shape (m, K, K)
        Rows, and where they are weighted, sums of weights and of their squares.
    classes, rate, positive
        As in :func:`group_rates`.

    References
    ----------
    Kish (1965), Survey sampling, Wiley; Korn & Graubard (1998), Survey Methodology 24:193-201.
    """
    if len(layers) == 1:
        return group_rates(layers[0], classes, rate, positive)
    weights, squares = (group_rates(layer, classes, rate, positive) for layer in layers[1:])
    rows = group_rates(layers[0], classes, rate, positive).trials
    p = np.clip(np.nan_to_num(weights.raw), 0.0, 1.0)
    effective = np.minimum(
        _effective(np.asarray(weights.trials, dtype=float), squares, p), rows
    )  # above the rows by rounding only
    return Rates(effective * p, effective)


def _effective(total: FloatArray, squares: Rates, p: FloatArray) -> FloatArray:
    """The smaller of Kish's number of rows and that which the variance of the weighted rate p amounts to."""
    kish, by_variance = np.zeros(len(total)), np.full(len(total), np.inf)
    np.divide(total**2, squares.trials, out=kish, where=squares.trials > 0)
    failures = np.maximum(squares.trials - squares.successes, 0.0)
    spread = squares.successes * (1 - p) ** 2 + failures * p**2
    np.divide(p * (1 - p) * total**2, spread, out=by_variance, where=spread > 0)
    effective: FloatArray = np.minimum(kish, by_variance)
    return effective


def group_rates(table: Table, classes: tuple[Any, ...], rate: str, positive: Any = None) -> Rates:
    """Successes and trials of a rate for every group.

    Parameters
    ----------
    table : int array of shape (m, K, K)
        Label × prediction counts per group.
    classes : tuple of length K
        The labels.
    rate : {"tpr", "tnr", "accuracy", "selection_rate"} or "recall:<class>", "specificity:<class>" …
        The rate. Of more than two classes, TPR and TNR are one class against the rest.
    positive : label, optional
        The positive class; ``recall`` and ``accuracy`` need none.

    Raises
    ------
    InputError
        If there is no such rate, or it needs a positive class and none is given.

    Examples
    --------
    >>> table = np.array([[[5, 1], [2, 8]]])
    >>> group_rates(table, (0, 1), "tpr", positive=1).raw
    array([0.8])
    """
    kind, _, wanted = str(rate).partition(":")
    if table.shape[1] < len(classes) and not is_selection(rate):
        _check_known(rate)
        raise InputError(
            f"Rate {rate!r} needs labels, and there are none. Use 'selection_rate', or name labels."
        )
    if kind in _OF_CLASS and wanted:
        names = [str(c) for c in classes]
        if wanted not in names:
            raise InputError(f"No class {wanted!r}; the classes are {', '.join(names)}.")
        return Rates(*_OF_CLASS[kind](table, names.index(wanted)))
    _check_known(rate)
    rate = ALIASES.get(rate, rate)
    if rate != "accuracy" and positive is None:
        raise InputError(f"Rate {rate!r} needs a positive class; the classes are {list(classes)}. Name one.")
    return Rates(*_COUNT[rate](table, classes.index(positive) if rate != "accuracy" else 0))


def _check_known(rate: str) -> None:
    """Raise if there is no such rate; for an error rate, name the rate that it mirrors."""
    if rate in RATES or rate in ALIASES or (rate.partition(":")[0] in _OF_CLASS and ":" in rate):
        return
    if rate in ERRORS:
        raise InputError(
            f"`{rate}` is 1 - {ERRORS[rate]}, an error rate, of which low is good. Use {ERRORS[rate]!r}, of which "
            f"high is good; `by_group` and `to_frame` give {rate!r} too."
        )
    known = [*RATES, *ALIASES, *ERRORS, *(f"{kind}:<class>" for kind in _OF_CLASS)]
    raise InputError(f"No rate {rate!r}; the rates are {', '.join(known)}.{did_you_mean(str(rate), known)}")
