"""What the coordinates of an encoded table are called.

A coordinate's name is the column's, or begins with it: ``age``, ``age_missing``, ``job_cook``,
``job_infrequent``. Two coordinates never share a name, so that a frame can be made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from fairlattice._validation import as_native
from fairlattice.encoders._columns import Codec
from fairlattice.exceptions import InputError

Names = npt.NDArray[np.object_]


def names_in(X: Any) -> Names | None:
    """The column names of a frame or mapping if all of them are text, else None."""
    table = as_native(X)
    named = table.columns if isinstance(table, nw.DataFrame) else X if isinstance(X, Mapping) else ()
    names = list(named)
    all_text = bool(names) and all(isinstance(name, str) for name in names)
    return np.array(names, dtype=object) if all_text else None


def check_names(given: Any, known: Names | None, n_features: int) -> list[str]:
    """The given column names as text, if they are those known from training, or as many.

    Raises
    ------
    InputError
        If they are others, or more or fewer.
    """
    names = [str(name) for name in given]
    if known is not None and names != list(known):
        raise InputError(
            f"input_features is not equal to feature_names_in_, got {names} for {list(known)}. "
            "Leave `input_features` out."
        )
    if len(names) != n_features:
        raise InputError(
            f"input_features should have length equal to number of features ({n_features}), got {len(names)}."
        )
    return names


def coordinate_names(columns: Sequence[str], codecs: Sequence[Codec]) -> Names:
    """One name per coordinate; of equal ones the later get ``_2``, ``_3`` …

    A number's coordinate always has its column's own name.
    """
    wanted = [codec.names(name) for name, codec in zip(columns, codecs, strict=True)]
    # Names of numbers, which no category of another column may take.
    whole = {column for column, names in zip(columns, wanted, strict=True) if column in names}
    taken = {name for names in wanted for name in names}
    used: set[str] = set()
    out: list[str] = []
    for column, names in zip(columns, wanted, strict=True):
        for name in names:
            free = name not in used and (name == column or name not in whole)
            chosen = name if free else _next_free(name, taken)
            used.add(chosen)
            taken.add(chosen)
            out.append(chosen)
    return np.array(out, dtype=object)


def _next_free(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
