"""The classes of labels and predictions, in order: what they may be together, and where each value stands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._column import index_of
from fairlattice._validation import IntArray, distinct_values, sorted_values
from fairlattice.exceptions import InputError
from fairlattice.tables._shared import check_labels_differ

_MOST_CLASSES = 1000  # a table of counts holds their square
_NO_SCORES = (
    "Turn scores into labels by a threshold: decisions are the prediction (--prediction), probabilities the score "
    "(--score)."
)


def common_classes(
    first: npt.NDArray[Any], *others: npt.NDArray[Any], what: str, names: Sequence[str] = ()
) -> tuple[Any, ...]:
    """The distinct labels and predictions, of which `names` are the columns; scores in place of these are refused."""
    known = classes = tuple(distinct_values(first))
    for values, name in zip_longest(others, names):
        given = distinct_values(values)
        called = "Predictions" if name is None else f"Predictions `{name}`"
        odd = [v for v in given if isinstance(v, float) and not v.is_integer() and v not in known]
        if odd:
            raise InputError(f"{called} hold {odd[0]!r}, which is not a label. {_NO_SCORES}")
        if len(given) > _MOST_CLASSES >= len(known):
            raise InputError(f"{called} have {len(given):,} distinct values, as scores have. {_NO_SCORES}")
        classes = join_classes(classes, given, what)
    check_labels_differ(classes, what[0].lower() + what[1:])
    return classes


def join_classes(first: Sequence[Any], second: Sequence[Any], what: str) -> tuple[Any, ...]:
    """The classes of both, in order; labels that are text and labels that are numbers do not mix."""
    texts = [next((v for v in values if isinstance(v, str)), None) for values in (first, second)]
    if first and second and (texts[0] is None) != (texts[1] is None):
        odd = texts[0] if texts[1] is None else texts[1]
        raise InputError(f"{what} differ in type: {odd!r} is text, the others are numbers. Give both alike.")
    both = tuple(sorted_values((*first, *second)))
    if len(both) > _MOST_CLASSES:
        raise InputError(f"{what} have {len(both):,} distinct values, more than {_MOST_CLASSES:,} classes.")
    return both


def class_positions(values: npt.NDArray[Any], classes: tuple[Any, ...], name: str) -> IntArray:
    """Position of every label among the classes."""
    index = index_of(values, classes)
    if (index < 0).any():
        odd = values[int(np.argmin(index))]
        raise InputError(f"`{name}` holds {odd!r}, which is none of the classes {list(classes)}.")
    return index
