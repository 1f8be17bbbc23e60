"""Many tests at once: p-values that stay honest when the smallest of hundreds is looked at.

A permutation test of B permutations has no p-value below 1/(1 + B). Held against many others, it can
only be significant if B is large enough: see :func:`permutations_needed`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control

from fairlattice._validation import FloatArray, check_choice, check_count, check_real
from fairlattice.exceptions import InputError

METHODS = ("holm", "bh")


def adjusted(p_values: Any, *, method: str = "holm") -> FloatArray:
    """P-values adjusted for how many there are; small speaks against chance.

    Parameters
    ----------
    p_values : array-like of shape (n,)
        In [0, 1]; None or NaN marks a test that was not made: it stays NaN and is not counted.
    method : {"holm", "bh"}, default="holm"
        "holm": at level α, any false claim at all has a probability of at most α, however tests depend on
        each other. "bh" (Benjamini & Hochberg): at most a share α of claims is false on average, where
        tests are independent or depend positively; it claims more.

    Returns
    -------
    float array of shape (n,)
        Adjusted p-values, in [0, 1], none below what it was.

    Raises
    ------
    InputError
        If a p-value is not in [0, 1], or there is no such method.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics
    6:65-70. Benjamini & Hochberg (1995), Controlling the false discovery rate, JRSS B 57:289-300.

    Examples
    --------
    >>> adjusted([0.01, None, 0.04, 0.03]).round(3).tolist()
    [0.03, nan, 0.06, 0.06]
    """
    check_choice("method", method, METHODS)
    out = np.array([np.nan if p is None else p for p in p_values], dtype=np.float64)
    made = ~np.isnan(out)
    if (out[made] < 0).any() or (out[made] > 1).any():
        raise InputError("`p_values` must lie in [0, 1]. Pass None for a test that was not made.")
    if made.any():
        out[made] = _holm(out[made]) if method == "holm" else false_discovery_control(out[made])
    return out


def holm(p_values: Any) -> FloatArray:
    """P-values adjusted by Holm's method; :func:`adjusted` tells the rest.

    Examples
    --------
    >>> holm([0.5, 0.01]).tolist()
    [0.5, 0.02]
    """
    return adjusted(p_values, method="holm")


def _holm(p: FloatArray) -> FloatArray:
    """The i-th smallest of n times (n - i + 1), and none below one before it."""
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty_like(p)
    out[order] = np.minimum(raised, 1.0)
    return out


def permutations_needed(tests: int, *, level: float = 0.05) -> int:
    """Fewest permutations with which one of `tests` can be significant at `level` after Holm's method.

    Raises
    ------
    InputError
        If `tests` is not a whole number of at least 1, or `level` is not between 0 and 1.

    Examples
    --------
    >>> permutations_needed(1), permutations_needed(100)  # 1/(1 + 1999) times 100 is 0.05
    (19, 1999)
    """
    check_count("tests", tests)
    check_real("level", level, 0.0, 1.0, open_ends=True)
    return math.ceil(round(tests / level, 9)) - 1
