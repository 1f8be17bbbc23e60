"""Strategies side by side on the same splits, and whether what they make can be trusted."""

from fairlattice.benchmark._classifiers import CLASSIFIERS
from fairlattice.benchmark._compare import compare
from fairlattice.benchmark._comparison import Comparison, GroupLoss, Run, StrategyResult
from fairlattice.benchmark._diagnose import SOURCES, diagnose
from fairlattice.benchmark._diagnosis import (
    CellAssumption,
    CellDiagnosis,
    CopiedRow,
    Diagnosis,
    SourceFigures,
)
from fairlattice.benchmark._drift import CellDrift, Drift, drift
from fairlattice.benchmark._estimates import Difference, Estimate
from fairlattice.benchmark._noise import NoisePoint, annotation_noise
from fairlattice.benchmark._pictures import CellPicture
from fairlattice.benchmark._strategies import STRATEGIES, Strategy

__all__ = [
    "CLASSIFIERS",
    "SOURCES",
    "STRATEGIES",
    "CellAssumption",
    "CellDiagnosis",
    "CellDrift",
    "CellPicture",
    "Comparison",
    "CopiedRow",
    "Diagnosis",
    "Difference",
    "Drift",
    "Estimate",
    "GroupLoss",
    "NoisePoint",
    "Run",
    "SourceFigures",
    "Strategy",
    "StrategyResult",
    "annotation_noise",
    "compare",
    "diagnose",
    "drift",
]
