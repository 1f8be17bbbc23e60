"""Mixings: how one row of each parent becomes one row of the child.

========  ==================  =================
name      row                 parameters
========  ==================  =================
scalar    Σ_i λ_i x_i         λ of shape (p,)
diagonal  Σ_i w_i ⊙ x_i       w of shape (p, d)
summed    w ⊙ Σ_i x_i         w of shape (d,)
linear    W Σ_i x_i           W of shape (d, d)
========  ==================  =================

All begin as the mean of the parents, and the first two as each parent alone as well: the loss has several
minima, near the parents. Under the last two parents count the same, so no parameters give one parent alone.
``summed`` is what the authors' scripts run for ``diagonal``. Each is linear in its parameters, so the chain rule from a
gradient on generated rows back to them is one contraction. Parents' rows come stacked as an array
of shape (p, n, d); the arithmetic is written over the array API.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from fairlattice._validation import FloatArray, check_choice


@dataclass(frozen=True, slots=True)
class Mixing:
    """A way of mixing, as three functions.

    Parameters
    ----------
    name : str
        What it is called.
    start : callable (p, d) -> array
        Parameters that give the mean of the parents.
    alone : callable (p, d) -> list of arrays
        For each parent in order, parameters that give its rows unchanged; empty where there are none.
    mix : callable (parameters, parents) -> array of shape (n, d)
        The generated rows.
    pull_back : callable (gradient of shape (n, d), parents) -> array
        Gradient with respect to the parameters, from that with respect to the rows.
    """

    name: str
    start: Callable[[int, int], FloatArray]
    alone: Callable[[int, int], list[FloatArray]]
    mix: Callable[[Any, Any], Any]
    pull_back: Callable[[Any, Any], Any]


def _scalar(weights: Any, parents: Any) -> Any:
    return array_namespace(parents).tensordot(weights, parents, axes=1)


def _scalar_back(gradient: Any, parents: Any) -> Any:
    return array_namespace(parents).sum(parents * gradient[None], axis=(1, 2))


def _diagonal(weights: Any, parents: Any) -> Any:
    return array_namespace(parents).sum(weights[:, None, :] * parents, axis=0)


def _diagonal_back(gradient: Any, parents: Any) -> Any:
    return array_namespace(parents).sum(parents * gradient[None], axis=1)


def _summed(weights: Any, parents: Any) -> Any:
    return weights * array_namespace(parents).sum(parents, axis=0)


def _summed_back(gradient: Any, parents: Any) -> Any:
    xp = array_namespace(parents)
    return xp.sum(gradient * xp.sum(parents, axis=0), axis=0)


def _linear(weights: Any, parents: Any) -> Any:
    return array_namespace(parents).sum(parents, axis=0) @ weights.T


def _linear_back(gradient: Any, parents: Any) -> Any:
    return gradient.T @ array_namespace(parents).sum(parents, axis=0)


MIXINGS: dict[str, Mixing] = {
    "scalar": Mixing(
        "scalar", lambda p, _: np.full(p, 1.0 / p), lambda p, _: list(np.eye(p)), _scalar, _scalar_back
    ),
    "diagonal": Mixing(
        "diagonal",
        lambda p, d: np.full((p, d), 1.0 / p),
        lambda p, d: [np.repeat(one[:, None], d, axis=1) for one in np.eye(p)],
        _diagonal,
        _diagonal_back,
    ),
    "summed": Mixing("summed", lambda p, d: np.full(d, 1.0 / p), lambda *_: [], _summed, _summed_back),
    "linear": Mixing("linear", lambda p, d: np.eye(d) / p, lambda *_: [], _linear, _linear_back),
}
"""The mixings by name."""


def make_mixing(name: str) -> Mixing:
    """The mixing called `name`.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> mixing = make_mixing("scalar")
    >>> mixing.mix(mixing.start(2, 1), np.array([[[1.0]], [[3.0]]]))
    array([[2.]])
    """
    return MIXINGS[check_choice("mixing", name, tuple(MIXINGS))]
