"""Samplers: rows and weights with which every cell counts the same, and the classifier that uses them."""

from fairlattice.samplers._augmenter import Augmented, HierarchicalAugmenter, Origin
from fairlattice.samplers._cells import CellIndex
from fairlattice.samplers._classifier import FairClassifier
from fairlattice.samplers._equal import cell_weights, equal_resample, equal_weights
from fairlattice.samplers._mixing import MixingSampler
from fairlattice.samplers._rows import concat_rows, take_rows

__all__ = [
    "Augmented",
    "CellIndex",
    "FairClassifier",
    "HierarchicalAugmenter",
    "MixingSampler",
    "Origin",
    "cell_weights",
    "concat_rows",
    "equal_resample",
    "equal_weights",
    "take_rows",
]
