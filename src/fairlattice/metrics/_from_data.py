"""From data to an audit: arrays, any frame, or counts, with labels or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fairlattice.exceptions import InputError
from fairlattice.groups import GroupCounts
from fairlattice.groups._shared import check_agreement, find_class, find_positive, name_it
from fairlattice.metrics._audit import Audit
from fairlattice.metrics._audit_options import check_options
from fairlattice.metrics._frames import library_of
from fairlattice.metrics._impact import BEST, Against
from fairlattice.metrics._notions import DEFAULT_NOTION, DEFAULT_UNLABELLED
from fairlattice.metrics._task import Task


def audit(
    y_true: Any = None,
    y_pred: Any = None,
    *,
    sensitive_features: Any = None,
    sample_weight: Any = None,
    label: str | None = None,
    prediction: str | None = None,
    sensitive: Sequence[str] | None = None,
    weight: str | None = None,
    positive: Any = None,
    positive_prediction: Any = None,
    notion: str | None = None,
    favourable: Any = None,
    reference: Against = BEST,
    min_share: float = 0.0,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    na: Sequence[str] | None = None,
    decimal: str | None = None,
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
    y_true : array-like of shape (n,), None, frame, or GroupCounts
        Labels, of any number of classes, or None where there are decisions only; the name of a Series is used in
        sentences. Or counts, and no other data. Or any frame that narwhals knows, eager or lazy, with `label`,
        `prediction` and `sensitive` naming its columns: its own engine counts.
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
    positive_prediction : prediction, optional
        The prediction that means the positive label, where predictions are spelled unlike the two labels; any other
        prediction then means the other label. Without labels, the positive decision.
    notion : {"equalized_odds", "equal_opportunity", "demographic_parity", "accuracy", "predictive_parity"}, optional
        What is to be equal between groups; by default equalized odds, and without labels demographic parity.
    favourable : label, optional
        The outcome that is good for people; by default the positive one.
    reference : {"best", "others"} or mapping of attribute to level, default="best"
        Whom a group's selection rate is compared with in ratios: the best-off group, everyone else, or one group.
    min_share : float, default=0.0
        Smallest share of all rows, in [0, 1], that a group needs to be compared in impact ratios.
    cuts : mapping of str to sequence of float, optional
        Cut points of numeric attributes, as in ``{"age": [25, 45]}``.
    missing : {"level", "exclude", "raise"}, default="level"
        Give missing values of an attribute a level of their own, leave their rows out and count these
        (``audit.counts.excluded``), or refuse them.
    na : sequence of str, optional
        Texts that mean a missing value, in place of :data:`fairlattice.tables.MISSING_SPELLINGS`.
    decimal : {".", ","}, optional
        Decimal mark of numbers that are text, as in a cut attribute; by default the one that fits all of them.
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
        Answers by method; rows are counted once, and each answer is computed on demand.

    Raises
    ------
    InputError
        If lengths differ, labels are missing, the positive label is unclear, an option is out of range, or labels and
        predictions are spelled in two ways: some labels are never predicted, and some predictions are never labels.

    Warns
    -----
    AssumptionWarning
        Where text was taken as missing or as numbers, blanks around it were removed, or levels are nearly alike.

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
    spelled = {"positive": positive, "positive_prediction": positive_prediction}
    source, task = sensitive_features, Task(positive_prediction=positive_prediction)
    if isinstance(y_true, GroupCounts):
        if any(v is not None for v in (y_pred, sensitive_features, sample_weight, *named.values(), weight)):
            raise InputError("Counts hold predictions and groups already. Pass `GroupCounts` alone.")
        counts = y_true
    elif any(v is not None for v in (*named.values(), weight)):
        lacking = [name for name in ("prediction", "sensitive") if named[name] is None]
        if lacking or y_pred is not None or sensitive_features is not None or sample_weight is not None:
            raise InputError(
                "For a frame, name its columns by `label`, `prediction` and `sensitive`, and pass no arrays"
                + (f"; missing: {', '.join(lacking)}." if lacking else ".")
            )
        counts = GroupCounts.from_frame(
            y_true, label=label, prediction=prediction or "", sensitive=sensitive or (),
            weight=weight, cuts=cuts, missing=missing, na=na, decimal=decimal, **spelled,
        )  # fmt: skip
        source, task = y_true, replace(task, label=label, prediction=prediction or "")
    else:
        if y_pred is None or sensitive_features is None:
            raise InputError(
                "`y_pred` and `sensitive_features` are needed, and `y_true` where there are labels."
            )
        task = replace(task, **_names_of(label=y_true, prediction=y_pred))
        counts = GroupCounts.from_arrays(
            y_true, y_pred, sensitive_features=sensitive_features, sample_weight=sample_weight,
            cuts=cuts, missing=missing, na=na, decimal=decimal, **spelled,
        )  # fmt: skip
    if counts.labelled:
        check_agreement(counts, label or "y_true", prediction or "y_pred")
    assumed = [key for key, value in (("notion", notion), ("favourable", favourable)) if value is None]
    task = replace(task, library=library_of(source), assumed=tuple(assumed))
    if not counts.labelled:
        task = replace(task, label=None, positive_prediction=None)
    good = None if favourable is None else find_class(counts.classes, favourable, "Favourable outcome")
    return check_options(
        Audit(
            counts, positive_of(counts, positive, positive_prediction), alpha, smoothing, confidence,
            interval, min_size, on_small, random_state,
            notion or (DEFAULT_NOTION if counts.labelled else DEFAULT_UNLABELLED), good, reference, min_share, task,
        )
    )  # fmt: skip


def _names_of(**given: Any) -> dict[str, Any]:
    """What columns taken out of a frame are called, by their roles; two of one name say nothing."""
    names = {role: getattr(values, "name", None) for role, values in given.items()}
    known = {role: name for role, name in names.items() if isinstance(name, str) and name}
    return known if len(set(known.values())) == len(known) else {}


def positive_of(counts: GroupCounts, positive: Any, positive_prediction: Any = None) -> Any:
    """The positive label; without labels the positive decision, which must be known."""
    if counts.labelled:
        return find_positive(counts.classes, positive)
    named = positive if positive_prediction is None else positive_prediction
    found = find_positive(counts.classes, named, what="prediction")
    if found is None:
        raise InputError(
            f"Which decision is positive? Decisions are {', '.join(map(str, counts.classes))}. "
            f"{name_it('positive_prediction', counts.classes)}"
        )
    return found
