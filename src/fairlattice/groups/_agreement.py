"""Whether labels and predictions are spelled alike."""

from __future__ import annotations

from typing import Any

from fairlattice.exceptions import InputError
from fairlattice.groups._counts import GroupCounts

_MANY = 10  # classes; of more, a rare label may never be predicted while a rare prediction is never a label


def check_counts(counts: Any, kind: type) -> None:
    """Raise if what was passed for counts is none, such as the frame that they are to be made of."""
    if not isinstance(counts, kind):
        raise InputError(
            f"`counts` must be {kind.__name__}, got {type(counts).__name__}. "
            f"Count a frame by `{kind.__name__}.from_frame`, arrays by `{kind.__name__}.from_arrays`."
        )


def check_agreement(counts: GroupCounts, label: str, prediction: str) -> None:
    """Raise if some labels are never predicted while some predictions are never labels: two spellings, or two meanings.

    A model that predicts one class only is legitimate, and so is a class that does not occur in the labels. Of two
    classes in all, one in the labels and the other in the predictions, the predictions may simply be wrong.
    """
    labels, predicted = (
        [c for c, n in zip(counts.classes, counts.table.sum(axis=(0, axis)), strict=True) if n > 0]
        for axis in (2, 1)
    )
    never_predicted = [c for c in labels if c not in predicted]
    never_labels = [c for c in predicted if c not in labels]
    both = len(labels) - len(never_predicted)
    few = len(counts.classes) <= _MANY or both < max(len(never_predicted), len(never_labels))
    if not (never_predicted and never_labels and few) or len(counts.classes) == 2:
        return
    if not both:
        raise InputError(
            f"No prediction is a label: `{label}` holds {_first(labels)}, `{prediction}` holds {_first(predicted)}. "
            "Give both alike; turn scores into labels by a threshold."
        )
    raise InputError(
        f"Labels {_first(never_predicted)} of `{label}` are never predicted, and predictions {_first(never_labels)} of "
        f"`{prediction}` are never labels. Write both alike."
    )


def _first(values: list[Any]) -> list[Any]:
    return values[:3]
