"""Divergences: how far apart two samples are, with gradients in closed form."""

from fairlattice.divergences._energy import energy_distance
from fairlattice.divergences._kernel import Kernel, NegativeDistance, RBFMixture, median_bandwidths
from fairlattice.divergences._mmd import mmd2, mmd2_gradient
from fairlattice.divergences._sliced import by_rank, draw_directions, quantile_means, sliced_wasserstein

__all__ = [
    "Kernel",
    "NegativeDistance",
    "RBFMixture",
    "by_rank",
    "draw_directions",
    "energy_distance",
    "median_bandwidths",
    "mmd2",
    "mmd2_gradient",
    "quantile_means",
    "sliced_wasserstein",
]
