"""Divergences: how far apart two samples are, with gradients in closed form."""

from fairlattice.divergences._energy import energy_distance
from fairlattice.divergences._kernel import Kernel, NegativeDistance, RBFMixture, median_bandwidths
from fairlattice.divergences._mmd import mmd2
from fairlattice.divergences._sliced import sliced_wasserstein

__all__ = [
    "Kernel",
    "NegativeDistance",
    "RBFMixture",
    "energy_distance",
    "median_bandwidths",
    "mmd2",
    "sliced_wasserstein",
]
