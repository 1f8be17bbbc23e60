"""Permutation tests: what a figure would be if it did not matter which row came from where.

If two samples have one distribution, every assignment of the labels is as likely as the one that was
seen. So the figure is computed again under many permutations, all at once: labels are a matrix with one
permutation a row, and the one that was seen is its first row. Where labels are permuted within blocks, every
block keeps as many of each label as it has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairlattice._validation import FloatArray, IntArray

ROUNDING = 1e-12
"""Figures that are closer than this count as equal: their terms were added up in another order."""


def permuted_labels(
    labels: FloatArray,
    permutations: int,
    *,
    blocks: Sequence[IntArray] | None = None,
    rng: np.random.Generator,
) -> FloatArray:
    """The labels, then `permutations` random dealings of them, as the rows of one matrix.

    Parameters
    ----------
    labels : float array of shape (n,)
        The labels that were seen.
    permutations : int
        How many dealings, B.
    blocks : sequence of int arrays, optional
        Row numbers of each block; labels never leave their block. By default all rows are one block.
    rng : numpy.random.Generator
        Deals.

    Returns
    -------
    float array of shape (1 + B, n)

    Examples
    --------
    >>> seen = np.array([1.0, 1.0, 0.0])
    >>> permuted_labels(seen, 5, rng=np.random.default_rng(0)).sum(axis=1).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    """
    shuffled = np.tile(labels, (1 + permutations, 1))
    for block in [np.arange(len(labels))] if blocks is None else blocks:
        shuffled[1:, block] = rng.permuted(shuffled[1:, block], axis=1)
    return shuffled


def p_value(value: float, null: FloatArray) -> float:
    """Share of figures at least as large as the one seen, itself among them; small speaks against chance.

    ``(1 + #{null >= value}) / (1 + B)``, in [1/(1 + B), 1]: under the null it is at most α with a
    probability of at most α, for every α and every B.

    References
    ----------
    Phipson & Smyth (2010), Permutation p-values should never be zero, arXiv:1603.05766.

    Examples
    --------
    >>> p_value(3.0, np.array([1.0, 2.0, 3.0]))
    0.5
    """
    return float((1 + (null >= value - ROUNDING).sum()) / (1 + len(null)))


def effect(value: float, null: FloatArray) -> float:
    """How many standard deviations of the null lie between its mean and the figure seen; small is alike.

    0 where the null has one value only, so that nothing could differ.

    Examples
    --------
    >>> effect(5.0, np.array([0.0, 2.0]))
    4.0
    >>> effect(1.0, np.array([1.0, 1.0]))
    0.0
    """
    spread = float(null.std())
    return (value - float(null.mean())) / spread if spread > ROUNDING else 0.0
