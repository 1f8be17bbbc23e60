"""Categories beyond those that the membership model has coordinates for, and their shares in a cell.

The rare ones share a coordinate, so the model cannot tell them apart. Where rows of other leaves are drawn for a cell,
their weights are corrected so that every category of the column has the share that the cell's own rows show.
"""

from __future__ import annotations

import numpy as np

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.samplers._own_shares import KAPPA


def correction(levels: IntArray, mine: BoolArray, weights: FloatArray) -> FloatArray:
    """By how much each row's category is too rare among others' weighted rows, for a cell with these own rows.

    The share of a category is that of the cell's rows, shrunk towards that of the others.
    """
    k = int(levels.max(initial=-1)) + 2
    own = np.bincount(levels[mine] + 1, minlength=k)
    there = np.bincount(levels + 1, weights, minlength=k)
    wanted = (own + KAPPA * there) / (own.sum() + KAPPA)
    ratio = np.divide(wanted, there, out=np.zeros(k), where=there > 0.0)
    return np.asarray(ratio[levels + 1])
