"""Generators: mixings of parents' rows, fitted so that generated rows resemble the child's rows."""

from fairlattice.generators._batches import CellRows
from fairlattice.generators._mixing import Mixing
from fairlattice.generators._training import MixingFit, fit_mixing

__all__ = [
    "CellRows",
    "Mixing",
    "MixingFit",
    "fit_mixing",
]
