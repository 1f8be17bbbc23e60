from ._classifiers import CLASSIFIERS
from ._compare import compare
from ._comparison import Comparison, StrategyResult
from ._decision import Recommendation
from ._diagnose import diagnose
from ._diagnosis import (
    CellAssumption,
    CellDiagnosis,
    CopiedRow,
    Diagnosis,
    SourceFigures,
)
from ._drift import CellDrift, Drift, drift
from ._estimates import Difference, Estimate
from ._experiments import bench
from ._harm import GroupShift, GroupShifts, LevelingDown
from ._noise import NoisePoint, annotation_noise
from ._over_seeds import MethodResult, Run, SeedComparison
from ._plugins import Plugins
from ._posterior import Gap, Level, Posterior
from ._price import Calibration
from ._protocol import Network, Settings
from ._results import BenchResults, BenchTable

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
