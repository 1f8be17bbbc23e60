"""Does the method's assumption hold: is a cell like a mix of its parents?

Rows for a small cell are made from its parents' rows. That helps where the mix looks like the cell, and
harms where it does not. Each parent, and the mix, is held against the cell's rows under one kernel,
so that the figures compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, check_same_length
from fairlattice.diagnostics._mmd_test import MMDTest, mmd_test
from fairlattice.diagnostics._samples import as_samples
from fairlattice.divergences import RBFMixture, median_bandwidths

HOLDS, FAILS, UNCLEAR = "holds", "fails", "not enough data"

_LEAST_ROWS = 10
_LARGE = 2.0


@dataclass(frozen=True, slots=True)
class Assumption:
    """How far a cell's parents, and what is made from them, lie from the cell.

    Parameters
    ----------
    parents : tuple of MMDTest or None
        One per parent, in their order; None for a parent that has fewer than two rows beside the cell's.
    mix : MMDTest
        The rows made from the parents. Where its ``mmd2`` is below all of the parents', mixing closes a gap.
    """

    parents: tuple[MMDTest | None, ...]
    mix: MMDTest

    @property
    def closest(self) -> int | None:
        """Which parent is closest to the cell; None if none has rows."""
        known = [(test.mmd2, i) for i, test in enumerate(self.parents) if test is not None]
        return min(known)[1] if known else None


def assumption(
    cell_rows: Any, parents: Sequence[Any], mixed: Any, *, permutations: int = 999, rng: np.random.Generator
) -> Assumption:
    """Kernel two-sample tests of a cell's rows against each parent's, and against the mix; small is good.

    Parameters
    ----------
    cell_rows : array-like of shape (n, d)
        Real rows of the cell, best ones that the generator never saw.
    parents : sequence of array-like of shape (n_i, d)
        Rows of each parent *without the cell's own rows*: the caller takes them out. A parent that holds them
        is alike in part whatever the rest is, and the test's rows would not be independent.
    mixed : array-like of shape (m, d)
        Rows made from the parents.
    permutations : int, default=999
        As in :func:`mmd_test`.
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    Assumption
        A test per parent, and one of the mix.

    Raises
    ------
    InputError
        If the cell or the mix has fewer than two rows, or samples differ in their columns.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cell, left, right = (rng.normal(at, 1.0, (30, 2)) for at in (0.0, -3.0, 3.0))
    >>> found = assumption(cell, [left, right], (left + right) / 2, rng=rng)
    >>> found.mix.mmd2 < min(parent.mmd2 for parent in found.parents)
    True
    """
    cell, mix = as_samples({"cell_rows": cell_rows, "mixed": mixed}, least=2)
    named = {f"parents[{i}]": rows for i, rows in enumerate(parents)}
    others = as_samples({"cell_rows": cell, **named}, least=0)[1:]
    kernel = RBFMixture(median_bandwidths(np.vstack([cell, *others, mix]), rng=rng))

    def test(rows: FloatArray) -> MMDTest:
        return mmd_test(cell, rows, kernel=kernel, permutations=permutations, rng=rng)

    return Assumption(tuple(test(rows) if len(rows) > 1 else None for rows in others), test(mix))


def verdict(
    mix: MMDTest,
    *,
    rows: int,
    p_adjusted: float | None = None,
    level: float = 0.05,
    large: float = _LARGE,
    least: int = _LEAST_ROWS,
) -> str:
    """Does the assumption hold? "holds", "fails" or "not enough data".

    Parameters
    ----------
    mix : MMDTest
        The mix against the cell.
    rows : int
        How many rows of the cell were tested.
    p_adjusted : float, optional
        The mix's p-value, adjusted for all cells that are looked at; by default as it is.
    level : float, default=0.05
        The largest p-value that counts as significant.
    large : float, default=2.0
        The least effect that counts as large, in standard deviations of the null.
    least : int, default=10
        With fewer rows than this, that no difference is seen says nothing.

    Returns
    -------
    str
        "fails" if the p-value is at most `level` and the effect at least `large`, at any number of rows.
        "holds" if neither is so and there are at least `least` rows. Else "not enough data": among them
        large effects whose adjusted p-value could not be small enough, see :func:`permutations_needed`.

    Notes
    -----
    What a test at 0.05 sees, before any adjustment, of a shift in one of 5 to 20 columns (measured, with 50
    rows in the mix): of two standard deviations, nine times in ten with 10 rows; of one, three to five
    times in ten with 10 rows, and eight to ten times in ten with 40.

    Examples
    --------
    >>> verdict(MMDTest(0.2, 6.0, 0.05, 0.001), rows=8)
    'fails'
    >>> verdict(MMDTest(0.0, 0.1, 0.05, 0.4), rows=8)
    'not enough data'
    """
    p = mix.p_value if p_adjusted is None else p_adjusted
    significant, great = p <= level, mix.effect >= large
    if significant and great:
        return FAILS
    return UNCLEAR if significant or great or rows < least else HOLDS


def advice(
    found: Assumption,
    judged: str,
    *,
    names: Sequence[str],
    p_adjusted: Sequence[float | None] | None = None,
    level: float = 0.05,
) -> str:
    """What to do about a cell, in one sentence.

    Parameters
    ----------
    found : Assumption
        The tests.
    judged : {"holds", "fails", "not enough data"}
        The verdict.
    names : sequence of str
        What each parent is called.
    p_adjusted : sequence of float or None, optional
        The parents' adjusted p-values; by default as they are.
    level : float, default=0.05
        The largest p-value that counts as significant.

    Returns
    -------
    str
        Where the assumption fails: to merge the cell into its closest parent, if that one is closer than the
        mix and differs neither significantly nor by a large effect, and else not to augment the cell.

    Raises
    ------
    InputError
        If `names` or `p_adjusted` are not as many as the parents.

    Examples
    --------
    >>> far, alike = MMDTest(0.2, 6.0, 0.05, 0.001), MMDTest(0.0, 0.1, 0.05, 0.4)
    >>> print(advice(Assumption((far, alike), far), "fails", names=["women", "aged 45 or more"]))
    Merge this cell into its parent aged 45 or more: its rows look like the cell's, those of the mix do not.
    """
    unadjusted = [None if test is None else test.p_value for test in found.parents]
    p_values = unadjusted if p_adjusted is None else list(p_adjusted)
    check_same_length(parents=unadjusted, names=names, p_adjusted=p_values)
    if judged == HOLDS:
        return "Augment this cell: rows made from its parents were not found to differ from its own."
    if judged != FAILS:
        return (
            "Collect data for this cell: it has too few rows to tell whether those made for it are like it."
        )
    best = found.closest
    if best is not None and _stands_in(found.parents[best], found.mix, p_values[best], level):
        return (
            f"Merge this cell into its parent {names[best]}: its rows look like the cell's, "
            "those of the mix do not."
        )
    return "Do not augment this cell, collect data: rows made from its parents do not look like its own."


def _stands_in(parent: MMDTest | None, mix: MMDTest, p: float | None, level: float) -> bool:
    """Whether a parent was not found to differ from the cell, and is closer to it than the mix."""
    if parent is None or p is None:
        return False
    return p > level and parent.effect < _LARGE and parent.mmd2 < mix.mmd2
