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
from .groups import Attribute, GroupCounts, GroupLattice, PairedCounts, ScoreCounts
from .metrics import (
    Audit,
    LevelingDown,
    alpha_intersectional,
    audit,
    audit_scores,
    audit_series,
    differential_fairness,
    leveling_down,
    misrecording_bounds,
    partial_pooling,
)
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
    "PairedCounts",
    "ScoreCounts",
    "SmallCellWarning",
    "TableEncoder",
    "UndefinedRateError",
    "alpha_intersectional",
    "audit",
    "audit_scores",
    "audit_series",
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
    "leveling_down",
    "metrics",
    "misrecording_bounds",
    "partial_pooling",
    "report",
    "samplers",
]
