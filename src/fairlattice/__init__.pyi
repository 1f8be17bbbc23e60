from . import (
    benchmark,
    datasets,
    divergences,
    encoders,
    exceptions,
    generators,
    groups,
    metrics,
    report,
    samplers,
)
from .benchmark import CLASSIFIERS, STRATEGIES, Comparison, compare
from .encoders import TableEncoder
from .exceptions import FairlatticeWarning, InputError, SmallCellWarning, UndefinedRateError
from .groups import Attribute, GroupCounts, GroupLattice
from .metrics import Audit, LevelingDown, alpha_intersectional, audit, differential_fairness
from .samplers import Augmented, FairClassifier, HierarchicalAugmenter, equal_resample, equal_weights

__version__: str

__all__ = [
    "CLASSIFIERS",
    "STRATEGIES",
    "Attribute",
    "Audit",
    "Augmented",
    "Comparison",
    "FairClassifier",
    "FairlatticeWarning",
    "GroupCounts",
    "GroupLattice",
    "HierarchicalAugmenter",
    "InputError",
    "LevelingDown",
    "SmallCellWarning",
    "TableEncoder",
    "UndefinedRateError",
    "alpha_intersectional",
    "audit",
    "benchmark",
    "compare",
    "datasets",
    "differential_fairness",
    "divergences",
    "encoders",
    "equal_resample",
    "equal_weights",
    "exceptions",
    "generators",
    "groups",
    "metrics",
    "report",
    "samplers",
]
