"""Samplers: rows and weights with which every cell counts the same, and the classifier that uses them."""

from fairlattice.samplers._adapting import Adapted, adapt_cells
from fairlattice.samplers._adaptive import adaptive_weights, weights_of
from fairlattice.samplers._augmented import Augmented, Origin
from fairlattice.samplers._augmenter import HierarchicalAugmenter
from fairlattice.samplers._cells import Cell, CellIndex, describe_small_cells, even_share, pick
from fairlattice.samplers._classifier import FairClassifier
from fairlattice.samplers._equal import cell_weights, equal_resample, equal_weights
from fairlattice.samplers._mixing import MixingSampler
from fairlattice.samplers._picking import PickingSampler
from fairlattice.samplers._rows import concat_rows, take_rows

__all__ = [
    "Adapted",
    "Augmented",
    "Cell",
    "CellIndex",
    "FairClassifier",
    "HierarchicalAugmenter",
    "MixingSampler",
    "Origin",
    "PickingSampler",
    "adapt_cells",
    "adaptive_weights",
    "cell_weights",
    "concat_rows",
    "describe_small_cells",
    "equal_resample",
    "equal_weights",
    "even_share",
    "pick",
    "take_rows",
    "weights_of",
]
