"""Pictures of a cell: its rows, rows made for it, and its parents' rows, in two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fairlattice._validation import FloatArray
from fairlattice.benchmark._held_out import HeldOut
from fairlattice.benchmark._splits import child_seed
from fairlattice.diagnostics import embedding
from fairlattice.diagnostics._shared import CAVEATS
from fairlattice.samplers import Cell

_MOST_SHOWN = 100  # rows of each kind: more would only cover each other


@dataclass(frozen=True, eq=False)
class CellPicture:
    """One cell, drawn.

    Parameters
    ----------
    method : {"pca", "tsne"}
        How rows were laid out.
    points : dict of str to float array of shape (n, 2)
        "real" held-out rows, "made" rows, and rows of the "parents".
    caption : str
        What can, and what cannot be read from it.
    """

    method: str
    points: Mapping[str, FloatArray]
    caption: str


def cell_pictures(split: HeldOut, cell: Cell, made: FloatArray, seed: int) -> tuple[CellPicture, ...]:
    """The cell by PCA and by t-SNE."""
    rng = np.random.default_rng([seed, 4, *cell])
    own = split.index.rows(cell)
    parents = np.unique(np.concatenate(split.index.parents(cell)))
    samples = {
        "real": split.Z_held[split.held.rows(cell)],
        "made": made,
        "parents": split.Z[np.setdiff1d(parents, own)],
    }
    shown = {name: Z[np.sort(rng.permutation(len(Z))[:_MOST_SHOWN])] for name, Z in samples.items()}
    shown = {name: Z for name, Z in shown.items() if len(Z)}
    return tuple(
        CellPicture(
            method, embedding(shown, method=method, random_state=child_seed(seed)), " ".join(CAVEATS[method])
        )
        for method in ("pca", "tsne")
    )
