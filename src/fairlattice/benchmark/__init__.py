"""Strategies side by side on the same splits, and whether what they make can be trusted."""

from fairlattice.benchmark._classifiers import CLASSIFIERS
from fairlattice.benchmark._compare import compare
from fairlattice.benchmark._comparison import Comparison, StrategyResult
from fairlattice.benchmark._decision import Recommendation
from fairlattice.benchmark._diagnose import diagnose
from fairlattice.benchmark._diagnosis import (
    CellAssumption,
    CellDiagnosis,
    CopiedRow,
    Diagnosis,
    SourceFigures,
)
from fairlattice.benchmark._drift import CellDrift, Drift, drift
from fairlattice.benchmark._estimates import Difference, Estimate
from fairlattice.benchmark._experiments import bench
from fairlattice.benchmark._harm import GroupShift, GroupShifts, LevelingDown
from fairlattice.benchmark._noise import NoisePoint, annotation_noise
from fairlattice.benchmark._over_seeds import MethodResult, Run, SeedComparison
from fairlattice.benchmark._plugins import Plugins
from fairlattice.benchmark._posterior import Gap, Level, Posterior
from fairlattice.benchmark._price import Calibration
from fairlattice.benchmark._protocol import Network, Settings
from fairlattice.benchmark._results import BenchResults, BenchTable

__all__ = [
    "CLASSIFIERS",
    "BenchResults",
    "BenchTable",
    "Calibration",
    "CellAssumption",
    "CellDiagnosis",
    "CellDrift",
    "Comparison",
    "CopiedRow",
    "Diagnosis",
    "Difference",
    "Drift",
    "Estimate",
    "Gap",
    "GroupShift",
    "GroupShifts",
    "Level",
    "LevelingDown",
    "MethodResult",
    "Network",
    "NoisePoint",
    "Plugins",
    "Posterior",
    "Recommendation",
    "Run",
    "SeedComparison",
    "Settings",
    "SourceFigures",
    "StrategyResult",
    "annotation_noise",
    "bench",
    "compare",
    "diagnose",
    "drift",
]
