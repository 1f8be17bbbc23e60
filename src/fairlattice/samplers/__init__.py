"""Samplers: rows and weights with which every cell counts the same, and the classifier that uses them."""

from fairlattice.samplers._augmented import Augmented, Origin
from fairlattice.samplers._augmenter import HierarchicalAugmenter
from fairlattice.samplers._cells import Cell, CellIndex, describe_small_cells, pick
from fairlattice.samplers._classifier import FairClassifier
from fairlattice.samplers._equal import cell_weights, equal_resample, equal_weights
from fairlattice.samplers._mixing import MixingSampler
from fairlattice.samplers._rows import concat_rows, take_rows

__all__ = [
    "Augmented",
    "Cell",
    "CellIndex",
    "FairClassifier",
    "HierarchicalAugmenter",
    "MixingSampler",
    "Origin",
    "cell_weights",
    "concat_rows",
    "describe_small_cells",
    "equal_resample",
    "equal_weights",
    "pick",
    "take_rows",
]
