"""Labels and decisions: which is positive, and which decision means which label."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import did_you_mean, distinct_values
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import tidy

_GOOD = frozenset({
    "1", "yes", "y", "true", "t", "positive", "pos", "success", "good", "pass", "passed", "approved", "accepted",
    "admitted", "granted", "hired", "selected", "offered", "offer", "paid", "eligible", ">50k",
})  # fmt: skip
"""Levels that as a rule are the positive one."""


def name_it(option: str, classes: tuple[Any, ...]) -> str:
    """What to pass where the good one of some classes is not known: the likely one, or the first two as examples.

    Examples
    --------
    >>> name_it("positive", ("hired", "rejected"))
    "Name it, as in `positive='hired'` or --positive hired."
    >>> name_it("positive", ("a", "b"))
    "Name it, as in `positive='a'` or `positive='b'` (--positive a or --positive b)."
    """
    likely = [c for c in classes if str(c).lower() in _GOOD]
    shown = likely if len(likely) == 1 else classes[:2]
    python = " or ".join(f"`{option}={c!r}`" for c in shown)
    shell = " or ".join(f"--{option.replace('_', '-')} {shlex.quote(str(c))}" for c in shown)
    return (
        f"Name it, as in {python} or {shell}." if len(shown) == 1 else f"Name it, as in {python} ({shell})."
    )


def find_positive(classes: tuple[Any, ...], positive: Any = None, *, what: str = "label") -> Any:
    """The positive label: as named, else 1 or True where the classes are two, else none.

    Raises
    ------
    InputError
        If the label named is none of the classes, or two classes leave open which is positive.
    """
    if positive is not None:
        return find_class(classes, positive, f"Positive {what}")
    if len(classes) > 2:
        return None
    if 1 in classes:
        return classes[classes.index(1)]
    if set(classes) <= {0}:
        return None
    name = "positive" if what == "label" else "positive_prediction"
    raise InputError(
        f"Which {what} is positive? None of {', '.join(map(repr, classes))} is 1 or True. "
        f"{name_it(name, classes)}"
    )


def find_class(classes: tuple[Any, ...], wanted: Any, what: str) -> Any:
    """One of the classes, also where it is spelled as text.

    Raises
    ------
    InputError
        If it is none of them.
    """
    if wanted in classes:
        return classes[classes.index(wanted)]
    by_text = {str(c): c for c in classes} | {_as_text(c): c for c in classes}
    truth = {text: c for c in classes if isinstance(c, bool) for text in (str(c).lower(), str(int(c)))}
    for text, known in (
        (_as_text(wanted), by_text),
        (str(wanted), by_text),
        (tidy(str(wanted)), by_text),  # as labels are read
        (_as_text(_number(wanted)), by_text),
        (str(wanted).strip().lower(), truth),
    ):
        if text in known:
            return known[text]
    named = "predictions" if what.endswith("prediction") else "labels"
    raise InputError(
        f"{what} {wanted!r} does not occur; the {named} are {', '.join(map(str, classes))}."
        f"{did_you_mean(str(wanted), by_text)}"
    )


def as_labels_of(
    decisions: npt.NDArray[Any], truth: npt.NDArray[Any], positive: Any, positive_prediction: Any
) -> npt.NDArray[Any]:
    """Decisions in the words of the labels: the positive one means the positive label, any other the other.

    Raises
    ------
    InputError
        If the labels are not two, or one of the two positive values does not occur.
    """
    classes = tuple(distinct_values(truth))
    if len(classes) != 2:
        raise InputError(
            f"`positive_prediction` needs labels of two classes, got {len(classes):,}. "
            "Spell predictions like labels instead."
        )
    label = find_positive(classes, positive)
    other = next(c for c in classes if c != label)
    chosen = find_class(tuple(distinct_values(decisions)), positive_prediction, "Positive prediction")
    meant = np.empty(len(decisions), dtype=object)
    meant[:] = [label if value == chosen else other for value in decisions.tolist()]
    return np.asarray(meant.tolist()) if not isinstance(label, str) else meant


def _number(text: Any) -> Any:
    """The number that a text is, or the text itself."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return text


def _as_text(label: Any) -> str:
    """A label as a person would type it: 1 for 1.0, true for True."""
    if isinstance(label, bool):
        return str(label).lower()
    return f"{label:g}" if isinstance(label, float) else str(label)
