"""Notions of fairness: what is to be equal between groups, and what that means for people.

A notion is the worst over one or several rates. Which ones depends on the outcome that is good for people: with the
positive label as the favourable outcome, equal opportunity is about the TPR; where the favourable outcome is not to be
flagged, it is about the TNR. The first rate of a notion is the one by which people are harmed.
"""

from __future__ import annotations

from typing import Any

from fairlattice.exceptions import InputError
from fairlattice.groups._shared import name_it

NOTIONS: dict[str, str] = {
    "equalized_odds": "of those who deserve the favourable outcome, who gets it; of the others, who does not",
    "equal_opportunity": "of those who deserve the favourable outcome, who gets it",
    "demographic_parity": "who gets the favourable outcome",
    "accuracy": "whose outcome is predicted",
    "predictive_parity": "of those who get the favourable outcome, who deserves it",
}
"""Notions of fairness by name, each the worst over one or several rates."""

DEFAULT_NOTION = "equalized_odds"
DEFAULT_UNLABELLED = "demographic_parity"


def rates_of_notion(
    notion: str, classes: tuple[Any, ...], positive: Any = None, favourable: Any = None
) -> tuple[str, ...]:
    """The rates that a notion of fairness takes the worst of, that of harm first; a rate is a notion of its own.

    Examples
    --------
    >>> rates_of_notion("equalized_odds", (0, 1), 1), rates_of_notion("equal_opportunity", (0, 1), 1, favourable=0)
    (('tpr', 'tnr'), ('tnr',))
    """
    if notion not in NOTIONS or notion == "accuracy":
        return (notion,)
    good = positive if favourable is None else favourable
    if good is None:
        if notion == "equalized_odds":
            return tuple(f"recall:{c}" for c in classes)
        raise InputError(
            f"Notion {notion!r} needs a favourable outcome; the classes are {', '.join(map(str, classes))}. "
            f"{name_it('favourable', classes)}"
        )
    deserved, other, selected, right = _names(classes, positive, good)
    return {
        "equalized_odds": (deserved, other),
        "equal_opportunity": (deserved,),
        "demographic_parity": (selected,),
        "predictive_parity": (right,),
    }[notion]


def selection_of(classes: tuple[Any, ...], positive: Any, favourable: Any) -> str | None:
    """The rate at which people get the favourable outcome; None where no outcome is known to be good."""
    good = positive if favourable is None else favourable
    return None if good is None else _names(classes, positive, good)[2]


def _names(classes: tuple[Any, ...], positive: Any, good: Any) -> tuple[str, str, str, str]:
    """Recall, specificity, selection and precision of the favourable class, by their shortest names."""
    if good == positive:
        return "tpr", "tnr", "selection_rate", "ppv"
    if len(classes) == 2 and positive is not None:
        return "tnr", "tpr", f"selection:{good}", "npv"
    return f"recall:{good}", f"specificity:{good}", f"selection:{good}", f"precision:{good}"
