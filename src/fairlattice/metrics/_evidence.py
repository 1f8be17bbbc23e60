"""Evidence of counts between two Beta priors of their rate: quotients of marginal likelihoods.

Under the prior Beta(a, b), s successes and f failures have the marginal likelihood B(a + s, b + f) / B(a, b). For few
whole trials, the quotient of two such likelihoods is a product with a few factors for each trial. It is as exact as
logarithms of Beta functions, and much faster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import betaln

from fairlattice._validation import FloatArray

Beta = tuple[FloatArray, FloatArray]
"""The two parameters of Beta priors, arrays of shape (…, m)."""

_FEW = 64  # most trials of a group whose quotient is computed as a product
_MANY = 1_000  # such groups from which on products are faster than logarithms
_LEAST, _MOST = np.exp([-50.0, 50.0])  # quotients beyond decide as much as these
_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Evidence:
    """Counts of m groups, for quotients of marginal likelihoods.

    Parameters
    ----------
    successes, failures : float arrays of shape (m,)
        The counts, whole or not.

    Examples
    --------
    >>> one, half = np.array([1.0]), np.array([0.5])
    >>> Evidence(one, 0 * one).quotients((3 * one, one), (half, half))  # one success of one: 3/4 over 1/2
    array([1.5])
    """

    successes: FloatArray
    failures: FloatArray

    def quotients(self, one: Beta, other: Beta) -> FloatArray:
        """Divide each group's marginal likelihood under the prior `one` by that under the prior `other`.

        Quotients are limited to between e^-50 and e^50. For groups of few trials, the parameters of the two priors
        must be within a factor of 10^4 of each other, or the product may overflow or underflow.
        """
        found = np.empty(np.broadcast_shapes(one[0].shape, other[0].shape))
        for own, of_part in self._parts:
            found[..., own] = of_part(*((a[..., own], b[..., own]) for a, b in (one, other)))
        return np.clip(found, _LEAST, _MOST, out=found)

    @cached_property
    def _parts(self) -> list[tuple[Any, Callable[[Beta, Beta], FloatArray]]]:
        """Groups, and how their quotients are computed: those of few whole trials, and all others."""
        s, f = self.successes, self.failures
        few = (s == np.rint(s)) & (f == np.rint(f)) & (s + f <= _FEW)
        if few.sum() < _MANY:
            return [(_ALL, _Logarithms(s, f))]
        if few.all():
            return [(_ALL, _Products(s, f))]
        return [(few, _Products(s[few], f[few])), (~few, _Logarithms(s[~few], f[~few]))]


@dataclass(frozen=True, eq=False)
class _Logarithms:
    successes: FloatArray
    failures: FloatArray

    def __call__(self, one: Beta, other: Beta) -> FloatArray:
        s, f = self.successes, self.failures
        logs = [betaln(s + a, f + b) - betaln(a, b) for a, b in (one, other)]
        quotients: FloatArray = np.exp(np.clip(logs[0] - logs[1], -50.0, 50.0))
        return quotients


class _Products:
    """B(a + s, b + f) / B(a, b) is a⁽ˢ⁾ b⁽ᶠ⁾ / (a + b)⁽ˢ⁺ᶠ⁾, of rising factorials x⁽ᵏ⁾ = x (x + 1) … (x + k - 1)."""

    def __init__(self, successes: FloatArray, failures: FloatArray) -> None:
        self._rising = [_Rising(counts) for counts in (successes, failures, successes + failures)]

    def __call__(self, one: Beta, other: Beta) -> FloatArray:
        s, f, n = self._rising
        return s(one[0], other[0]) * f(one[1], other[1]) * n(other[0] + other[1], one[0] + one[1])


class _Rising:
    """The quotients of two rising factorials, of as many factors as each group counts."""

    def __init__(self, counts: FloatArray) -> None:
        # Largest counts first, so that the groups that need one more factor always lead.
        self._order = np.argsort(-counts, kind="stable")
        self._back = np.argsort(self._order)
        self._sizes = [int((counts > step).sum()) for step in range(int(counts.max(initial=0)))]

    def __call__(self, above: FloatArray, below: FloatArray) -> FloatArray:
        above, below = above[..., self._order], below[..., self._order]
        product = np.ones(np.broadcast_shapes(above.shape, below.shape))
        for size in self._sizes:
            first = (..., slice(size))
            product[first] *= above[first] / below[first]
            above[first] += 1.0
            below[first] += 1.0
        quotients: FloatArray = product[..., self._back]
        return quotients
