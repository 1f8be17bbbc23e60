"""Divergences: how far apart two samples are, with gradients in closed form."""

from fairlattice.divergences._kernel import RBFMixture, median_bandwidths
from fairlattice.divergences._mmd import mmd2, mmd2_gradient, scored_gradient

__all__ = ["RBFMixture", "median_bandwidths", "mmd2", "mmd2_gradient", "scored_gradient"]
