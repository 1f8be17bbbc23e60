"""Generators: mixings of parents' rows, fitted so that what they make resembles the child's rows."""

from fairlattice.generators._batches import CellRows
from fairlattice.generators._mixing import MIXINGS, Mixing, make_mixing
from fairlattice.generators._training import DIVERGENCES, MixingFit, fit_mixing

__all__ = ["DIVERGENCES", "MIXINGS", "CellRows", "Mixing", "MixingFit", "fit_mixing", "make_mixing"]
