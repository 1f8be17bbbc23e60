"""The front door of an audit: arrays, frames of any engine, or counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairlattice.exceptions import InputError
from fairlattice.groups import GroupCounts
from fairlattice.metrics._audit import Audit, check_options
from fairlattice.metrics._rates import find_positive


def audit(
    y_true: Any,
    y_pred: Any = None,
    *,
    sensitive_features: Any = None,
    sample_weight: Any = None,
    label: str | None = None,
    prediction: str | None = None,
    sensitive: Sequence[str] | None = None,
    weight: str | None = None,
    positive: Any = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    alpha: float = 0.5,
    smoothing: float = 0.5,
    confidence: float = 0.95,
    interval: str = "jeffreys",
    min_size: int = 1,
    on_small: str = "warn",
    random_state: int = 0,
) -> Audit:
    """Audit predictions over every intersection of the sensitive attributes.

    Parameters
    ----------
    y_true : array-like of shape (n,), frame, or GroupCounts
        Labels, of any number of classes; or counts, and no other data; or any frame that narwhals knows,
        eager or lazy, with `label`, `prediction` and `sensitive` naming its columns: its own engine counts.
    y_pred : array-like of shape (n,)
        Predictions.
    sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
        One column per attribute; any frame that narwhals knows.
    sample_weight : array-like of shape (n,), optional
        Weights of at least 0. Rates are weighted, and intervals rest on the effective number of rows.
    label, prediction, weight : str, optional
        Columns of the frame; without a frame they have no meaning.
    sensitive : sequence of str, optional
        The frame's sensitive attributes.
    positive : label, optional
        The positive class; 1 or True if that is one of two.
    cuts : mapping of str to sequence of float, optional
        Cut points of numeric attributes, as in ``{"age": [25, 45]}``.
    missing : {"level", "exclude", "raise"}, default="level"
        Give missing values of an attribute a level of their own, leave their rows out and count these
        (``audit.counts.excluded``), or refuse them.
    alpha : float, default=0.5
        Weight in [0, 1] of the absolute part of IFα.
    smoothing : float, default=0.5
        Added to successes and failures before DF and IFα are taken; above 0.
    confidence : float, default=0.95
        Of all intervals, in (0, 1).
    interval : {"jeffreys", "wilson", "clopper-pearson"}, default="jeffreys"
        The interval of single rates.
    min_size : int, default=1
        Leaves with fewer rows are small.
    on_small : {"warn", "merge", "drop", "raise"}, default="warn"
        Keep small leaves and say so; let the parent that each resembles most, with all of its rows, stand
        for it; leave them out; or refuse to go on. ``audit.small`` lists what was done.
    random_state : int, default=0
        Seed of the posterior draws: the same seed gives the same intervals.

    Returns
    -------
    Audit
        Answers by method; nothing is computed before it is asked for, and counting is done once.

    Raises
    ------
    InputError
        If lengths differ, labels are missing, the positive label is unclear, or an option is out of range.

    Examples
    --------
    >>> import fairlattice as fl
    >>> S = {"sex": ["f", "f", "f", "m", "m", "m"], "old": [0, 0, 1, 0, 1, 1]}
    >>> result = fl.audit([1, 1, 1, 1, 1, 0], [1, 0, 0, 1, 1, 0], sensitive_features=S)
    >>> print(result.by_group("tpr")[1])
    sex=f, old=1: 0.000 [0.000, 0.853] (n=1)
    >>> round(result.differential_fairness("tpr"), 4)  # log(0.75 / 0.25)
    1.0986
    """
    named = {"label": label, "prediction": prediction, "sensitive": sensitive}
    if isinstance(y_true, GroupCounts):
        if any(v is not None for v in (y_pred, sensitive_features, sample_weight, *named.values(), weight)):
            raise InputError("Counts hold predictions and groups already. Pass `GroupCounts` alone.")
        counts = y_true
    elif any(v is not None for v in (*named.values(), weight)):
        lacking = [name for name, value in named.items() if value is None]
        if lacking or y_pred is not None or sensitive_features is not None or sample_weight is not None:
            raise InputError(
                "For a frame, name its columns by `label`, `prediction` and `sensitive`, and pass no arrays"
                + (f"; missing: {', '.join(lacking)}." if lacking else ".")
            )
        counts = GroupCounts.from_frame(
            y_true, label=label or "", prediction=prediction or "", sensitive=sensitive or (),
            weight=weight, cuts=cuts, missing=missing,
        )  # fmt: skip
    else:
        if y_pred is None or sensitive_features is None:
            raise InputError("`y_pred` and `sensitive_features` are needed beside `y_true`.")
        counts = GroupCounts.from_arrays(
            y_true, y_pred, sensitive_features=sensitive_features, sample_weight=sample_weight,
            cuts=cuts, missing=missing,
        )  # fmt: skip
    return check_options(
        Audit(
            counts, find_positive(counts.classes, positive), alpha, smoothing, confidence,
            interval, min_size, on_small, random_state,
        )
    )  # fmt: skip
