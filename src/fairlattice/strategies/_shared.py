"""Names for other packages of the library, not public."""

from fairlattice.strategies._default import default_among, default_for
from fairlattice.strategies._folds import cell_folds
from fairlattice.strategies._lookup import aimed_at, by_model, strategies_of, strategy_of
from fairlattice.strategies._strategy import AUGMENT, BASELINE, DEFAULT, WEIGHTS, AnyStrategy
from fairlattice.strategies._training import PER_CELL, Vectors, levels_of

__all__ = [
    "AUGMENT",
    "BASELINE",
    "DEFAULT",
    "PER_CELL",
    "WEIGHTS",
    "AnyStrategy",
    "Vectors",
    "aimed_at",
    "by_model",
    "cell_folds",
    "default_among",
    "default_for",
    "levels_of",
    "strategies_of",
    "strategy_of",
]
