"""The kernel: a mixture of Gaussians of several widths, and how to choose the widths.

The arithmetic is written over the array API, so torch or CuPy arrays stay on their device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from fairlattice._validation import FloatArray
from fairlattice.exceptions import InputError

_SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class RBFMixture:
    """Mean of Gaussian kernels: ``k(x, y) = mean over h of exp(-|x - y|² / 2h²)``, in (0, 1].

    Parameters
    ----------
    bandwidths : tuple of float
        The widths h, each above 0, in the units of the data.

    Raises
    ------
    InputError
        If there is no bandwidth, or one is not above 0 and finite.

    Examples
    --------
    >>> kernel = RBFMixture((1.0,))
    >>> print(kernel(np.zeros((1, 2)), np.array([[1.0, 1.0]])).round(4))
    [[0.3679]]
    """

    bandwidths: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.bandwidths or not all(0 < h < np.inf for h in self.bandwidths):
            raise InputError(f"`bandwidths` must be finite and above 0, got {self.bandwidths!r}.")

    def __call__(self, X: Any, Y: Any) -> Any:
        """Kernel matrix of shape (n, m) of two arrays of shape (n, d) and (m, d)."""
        return self.with_weights(X, Y)[0]

    def with_weights(self, X: Any, Y: Any) -> tuple[Any, Any]:
        """The kernel matrix K, and W with ``∂k(x, y)/∂x = -W(x, y) (x - y)``."""
        squared = squared_distances(X, Y)
        xp = array_namespace(squared)
        widths = sorted(self.bandwidths, reverse=True)
        K, W = xp.zeros_like(squared), xp.zeros_like(squared)
        term, last = squared, 0.0
        for h in widths:
            # At half the width a Gaussian is the fourth power of itself: two products, not one exponential.
            halved = abs(last / h - 2.0) < 1e-12
            term = (term * term) ** 2 if halved else xp.exp(squared * (-0.5 / h**2))
            K += term
            W += term * (1.0 / h**2)
            last = h
        return K / len(widths), W / len(widths)


def squared_distances(X: Any, Y: Any) -> Any:
    """Squared Euclidean distances between the rows of two arrays, by one matrix product."""
    xp = array_namespace(X, Y)
    x2, y2 = xp.sum(X * X, axis=1), xp.sum(Y * Y, axis=1)
    squared = x2[:, None] + y2[None, :] - 2.0 * (X @ Y.T)
    return xp.where(squared > 0.0, squared, xp.zeros_like(squared))  # rounding may go below 0


def median_bandwidths(
    X: FloatArray, *, scales: Sequence[float] = _SCALES, rng: np.random.Generator, max_rows: int = 1000
) -> tuple[float, ...]:
    """Bandwidths around the median distance between rows: ``scale · median |x - y|`` for each scale.

    Parameters
    ----------
    X : float array of shape (n, d)
        The data; at most `max_rows` of its rows, drawn by `rng`, are looked at.
    scales : sequence of float
        Multiples of the median to take.
    rng : numpy.random.Generator
        Draws the rows where there are more than `max_rows`.
    max_rows : int, default=1000
        Bounds time and memory.

    Returns
    -------
    tuple of float
        One bandwidth per scale. Where more than half of the pairs coincide, the mean distance
        stands in for the median; where all do, 1 does.

    References
    ----------
    Gretton et al. (2012), A kernel two-sample test, JMLR 13, section 8.
    """
    rows = X if len(X) <= max_rows else X[np.sort(rng.choice(len(X), max_rows, replace=False))]
    distances = np.sqrt(squared_distances(rows, rows)[np.triu_indices(len(rows), k=1)])
    centre = float(np.median(distances)) if len(distances) else 0.0
    if centre < 1e-6 and len(distances):
        centre = float(np.mean(distances))
    return tuple(scale * (centre if centre > 1e-6 else 1.0) for scale in scales)
