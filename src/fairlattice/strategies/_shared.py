"""What other rooms use of this one, beside its public names."""

from fairlattice.strategies._strategy import (
    AUGMENT,
    BASELINE,
    DEFAULT,
    AnyStrategy,
    strategies_of,
    strategy_of,
)
from fairlattice.strategies._training import Vectors, levels_of
from fairlattice.strategies._weighted_fit import fit_weighted

__all__ = [
    "AUGMENT",
    "BASELINE",
    "DEFAULT",
    "AnyStrategy",
    "Vectors",
    "fit_weighted",
    "levels_of",
    "strategies_of",
    "strategy_of",
]
