"""New vectors for any cell: draw one row of each parent, mix.

Rows are mixed as deviations from the mean of all training rows, so that every column is centred as
the method supposes. Otherwise parameters that do not sum to 1 would scale the 0/1 coordinates of
categories by an amount that tells the label. This is the method on vectors;
:class:`HierarchicalAugmenter` is the same on tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairlattice._validation import FloatArray, IntArray, check_choice
from fairlattice.divergences import median_bandwidths
from fairlattice.exceptions import InputError
from fairlattice.generators import CellRows, MixingFit, fit_mixing
from fairlattice.samplers._cells import Cell, CellIndex, pick

SHARES = ("label", "cell")


@dataclass(frozen=True)
class MixingSampler:
    """Fitted mixings, and the rows that they mix; made by :meth:`fit`.

    Parameters
    ----------
    Z : float array of shape (n, d)
        The training rows, as deviations from `centre`.
    centre : float array of shape (d,)
        The mean of the training rows.
    index : CellIndex
        Which of them belong to which cell and parent.
    by_label : tuple of MixingFit
        One fit per label, shared by all of its leaves.
    by_cell : dict of Cell to MixingFit
        Fits of single cells, where parameters are not shared.
    entropy : tuple of int
        Seed of all draws.
    """

    Z: FloatArray
    centre: FloatArray
    index: CellIndex
    by_label: tuple[MixingFit, ...]
    by_cell: dict[Cell, MixingFit]
    entropy: tuple[int, ...]

    @classmethod
    def fit(
        cls,
        Z: FloatArray,
        index: CellIndex,
        *,
        entropy: Sequence[int],
        mixing: str = "scalar",
        share: str = "label",
        beta: float = 1.0,
        bandwidths: str | Sequence[float] = "median",
        batch_size: int = 128,
        max_steps: int = 200,
    ) -> MixingSampler:
        """Fit one mixing per label, and where `share` is "cell" one per cell with rows as well.

        Raises
        ------
        InputError
            If there is no attribute, or an option is out of range.
        """
        check_choice("share", share, SHARES)
        if not index.lattice.attributes:
            raise InputError(
                "Rows are made from parent groups, so at least one sensitive attribute is needed."
            )
        centre = Z.mean(axis=0)
        Z = Z - centre
        if isinstance(bandwidths, str):
            check_choice("bandwidths", bandwidths, ("median",))
            widths = median_bandwidths(Z, rng=_stream(entropy, 0))
        else:
            widths = tuple(float(h) for h in bandwidths)
        cells = [cell for cell, size in index.cells() if size]

        def fitted(members: list[Cell], *key: int) -> MixingFit:
            return fit_mixing(
                Z,
                [CellRows(index.rows(c), index.parents(c)) for c in members],
                mixing=mixing,
                beta=beta,
                bandwidths=widths,
                batch_size=batch_size,
                max_steps=max_steps,
                rng=_stream(entropy, 1, *key),
            )

        by_label = tuple(fitted([c for c in cells if c.label == k], k) for k in range(index.n_labels))
        by_cell = {c: fitted([c], *c) for c in cells} if share == "cell" else {}
        return cls(Z, centre, index, by_label, by_cell, tuple(entropy))

    def draw(
        self, cell: Cell, n: int, *, stream: int = 0, distinct: bool = False
    ) -> tuple[FloatArray, IntArray]:
        """`n` new vectors of a cell, of shape (n, d), and the row of each parent behind them, (n, p).

        The same cell and `stream` give the same vectors, whatever was drawn before. A cell without
        rows uses the parameters that its label shares. If `distinct`, no row of a parent is drawn again
        before all have been: tests of made rows would see the repetition.
        """
        rng = _stream(self.entropy, 2, *cell, stream)
        rows = np.stack([pick(rng, parent, n, distinct=distinct) for parent in self.index.parents(cell)])
        fit = self.by_cell.get(cell, self.by_label[cell.label])
        return fit.generate(self.Z[rows]) + self.centre, rows.T


def _stream(entropy: Sequence[int], *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(list(entropy), spawn_key=key))
