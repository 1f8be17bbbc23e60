"""The door for samples: arrays of vectors, one row each, that may be held against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial.distance import pdist, squareform

from fairlattice._validation import FloatArray
from fairlattice.exceptions import InputError


@dataclass(frozen=True, eq=False)
class BothSamples:
    """Two samples of one width, one after the other.

    Parameters
    ----------
    rows : float array of shape (n + m, d)
        The rows of both.
    n : int
        Rows of the first.
    """

    rows: FloatArray
    n: int

    @cached_property
    def distances(self) -> FloatArray:
        """Euclidean distances of all rows, computed once for all figures that need some of them."""
        return np.asarray(squareform(pdist(self.rows)), dtype=np.float64)


def both_samples(real: Any, generated: Any, *, least: int = 1) -> BothSamples:
    """Checked samples called `real` and `generated`."""
    x, y = as_samples({"real": real, "generated": generated}, least=least)
    return BothSamples(np.vstack([x, y]), len(x))


def as_samples(samples: Mapping[str, Any], *, least: int = 1) -> list[FloatArray]:
    """Named samples as float arrays of shape (n, d) with one d, each of at least `least` rows.

    Raises
    ------
    InputError
        If a sample has other dimensions, too few rows, no columns, or values that are not finite numbers.
    """
    arrays = [_as_sample(name, value, least) for name, value in samples.items()]
    widths = {name: array.shape[1] for name, array in zip(samples, arrays, strict=True)}
    if len(set(widths.values())) > 1:
        widths_found = ", ".join(f"`{name}` has {width:,}" for name, width in widths.items())
        raise InputError(f"Samples differ in their columns: {widths_found}. Encode them with one encoder.")
    return arrays


def _as_sample(name: str, value: Any, least: int) -> FloatArray:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`{name}` must hold numbers, got {type(value).__name__}. Encode it first."
        ) from error
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"`{name}` must have shape (rows, columns), got {array.shape}. Reshape it.")
    if len(array) < least:
        wanted = "1 row" if least == 1 else f"{least} rows"
        raise InputError(f"`{name}` needs at least {wanted}, got {len(array)}. Leave this cell out.")
    if not np.isfinite(array).all():
        raise InputError(f"`{name}` has values that are missing or infinite. Encode or remove them first.")
    return array
