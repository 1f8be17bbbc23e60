"""Kernels of squared distances: a mixture of Gaussians of several widths, and minus the distance.

Both are functions of the squared distance alone, and say with the value k the weight W in
``∂k(x, y)/∂x = -W (x - y)``. That is all that a divergence and its gradient need of a kernel. The
arithmetic is written over the array API, so torch or CuPy arrays stay on their device.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from fairlattice._validation import FloatArray
from fairlattice.exceptions import InputError

_SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
_ROUNDED = 1e-6  # of the norm of rows, or of 1 where that is less: how far apart rounding puts equal rows
_NARROW, _WIDE = 1e-75, 1e150  # bandwidths whose fourth powers are still numbers


class Kernel(ABC):
    """What a divergence needs of a kernel: its values and the weights of its gradient.

    A kernel says what it is in :meth:`terms`; all else follows.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def finest(self) -> float:
        """The distance over which the kernel changes, for choosing the precision; may be infinite."""

    @abstractmethod
    def terms(self, squared: Any) -> tuple[Any, Any]:
        """S of shape (3, m) and T of shape (m, N): ``S @ T`` holds K, W and V = -2 ∂W/∂s at N distances.

        Squared distances s come in one row; rounding may leave them below 0.
        """

    def __call__(self, X: Any, Y: Any) -> Any:
        """Kernel matrix of shape (n, m) of two arrays of shape (n, d) and (m, d)."""
        return self.of_squared(squared_distances(X, Y))[0]

    def with_weights(self, X: Any, Y: Any) -> tuple[Any, Any]:
        """The kernel matrix K, and W with ``∂k(x, y)/∂x = -W(x, y) (x - y)``."""
        return self.of_squared(squared_distances(X, Y))

    def of_squared(self, squared: Any) -> tuple[Any, Any]:
        """K and W from squared distances in an array of any shape."""
        xp = array_namespace(squared)
        S, T = self.terms(xp.reshape(squared, (-1,)))
        K, W = S[:2, :] @ T
        return xp.reshape(K, squared.shape), xp.reshape(W, squared.shape)


@dataclass(frozen=True, slots=True)
class RBFMixture(Kernel):
    """Mean of Gaussian kernels: ``k(x, y) = mean over h of exp(-|x - y|² / 2h²)``, in (0, 1].

    Parameters
    ----------
    bandwidths : tuple of float
        The widths h, in the units of the data.

    Raises
    ------
    InputError
        If there is no bandwidth, or one is outside [1e-75, 1e150].

    Examples
    --------
    >>> kernel = RBFMixture((1.0,))
    >>> print(kernel(np.zeros((1, 2)), np.array([[1.0, 1.0]])).round(4))
    [[0.3679]]
    """

    bandwidths: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.bandwidths or not all(_NARROW <= h <= _WIDE for h in self.bandwidths):
            raise InputError(f"`bandwidths` must lie in [{_NARROW}, {_WIDE}], got {self.bandwidths!r}.")

    @property
    def finest(self) -> float:
        """The least width."""
        return min(self.bandwidths)

    def terms(self, squared: Any) -> tuple[Any, Any]:
        """The Gaussians, a row each, and what each counts for K, W and V."""
        xp = array_namespace(squared)
        widths = sorted(self.bandwidths, reverse=True)
        like = {"dtype": squared.dtype, "device": device(squared)}
        squared = xp.abs(squared)  # rounding may have gone below 0
        terms, last = xp.empty((len(widths), squared.shape[0]), **like), 0.0
        for j, h in enumerate(widths):
            # At half the width a Gaussian is the fourth power of itself: two products, not one exponential.
            if abs(last / h - 2.0) < 1e-12:
                xp.multiply(terms[j - 1], terms[j - 1], out=terms[j])
                xp.multiply(terms[j], terms[j], out=terms[j])
            else:
                xp.multiply(squared, -0.5 / h**2, out=terms[j])
                xp.exp(terms[j], out=terms[j])
            last = h
        return xp.asarray([[h ** (-2 * k) / len(widths) for h in widths] for k in range(3)], **like), terms


@dataclass(frozen=True, slots=True)
class NegativeDistance(Kernel):
    """The kernel whose MMD² is the energy distance: ``k(x, y) = s - sqrt(|x - y|² + s²)``, at most 0.

    It is not positive definite, but conditionally so, which is all that MMD² asks for.

    Parameters
    ----------
    smoothing : float, default=0.0
        The s, in the units of the data, at least 0. With 0 the kernel is minus the distance, which has no
        gradient where two rows coincide: 0 is taken there. Above 0 it is smooth everywhere.

    Raises
    ------
    InputError
        If `smoothing` is below 0 or not finite.

    Examples
    --------
    >>> kernel = NegativeDistance()
    >>> print(kernel(np.zeros((1, 2)), np.array([[3.0, 4.0]])))
    [[-5.]]
    """

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.smoothing < np.inf:
            raise InputError(f"`smoothing` must be finite and at least 0, got {self.smoothing!r}.")

    @property
    def finest(self) -> float:
        """The smoothing; infinite without, as the distance has no scale of its own."""
        return self.smoothing or float("inf")

    def terms(self, squared: Any) -> tuple[Any, Any]:
        """K, W and V themselves; rounding may leave squared distances below 0."""
        xp = array_namespace(squared)
        distance = xp.sqrt(xp.abs(squared) + self.smoothing**2)
        apart = distance > 0.0
        W = xp.where(apart, 1.0 / xp.where(apart, distance, xp.ones_like(distance)), xp.zeros_like(distance))
        return xp.eye(3, dtype=squared.dtype, device=device(squared)), xp.stack(
            [self.smoothing - distance, W, W * W * W]
        )


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
    # Distances come from products of rows, so rows near 0 round least.
    rows = rows - rows.mean(axis=0)
    squared = squared_distances(rows, rows)
    distances = np.sqrt(np.concatenate([row[i + 1 :] for i, row in enumerate(squared)]))
    # Equal rows lie as far apart as rounding says, in proportion to their norms: that counts as 0.
    none = _ROUNDED * max(1.0, float(np.sqrt(np.mean(np.sum(rows**2, axis=1)))))
    distances[distances <= none] = 0.0
    centre = float(np.median(distances) or np.mean(distances)) if len(distances) else 0.0
    return tuple(scale * (centre or 1.0) for scale in scales)
