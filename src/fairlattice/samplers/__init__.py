"""Samplers: synthetic rows for cells with few rows, and the augmenter that applies them to tables."""

from fairlattice.samplers._augmented import Augmented, Origin
from fairlattice.samplers._augmenter import HierarchicalAugmenter
from fairlattice.samplers._cells import Cell, CellIndex
from fairlattice.samplers._importance import ImportanceSampler
from fairlattice.samplers._mixing import MixingSampler
from fairlattice.samplers._sampler import Sampler
from fairlattice.samplers._smote import SmoteSampler

__all__ = [
    "Augmented",
    "Cell",
    "CellIndex",
    "HierarchicalAugmenter",
    "ImportanceSampler",
    "MixingSampler",
    "Origin",
    "Sampler",
    "SmoteSampler",
]
