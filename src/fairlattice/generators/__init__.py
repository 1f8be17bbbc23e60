"""Generators: mixings of parents' rows, fitted so that what they make resembles the child's rows."""

from fairlattice.generators._mixing import MIXINGS, Mixing, make_mixing
from fairlattice.generators._training import CellRows, MixingFit, fit_mixing

__all__ = ["MIXINGS", "CellRows", "Mixing", "MixingFit", "fit_mixing", "make_mixing"]
