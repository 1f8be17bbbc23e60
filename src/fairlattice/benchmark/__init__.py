"""Strategies side by side on the same splits, and whether what they make can be trusted."""

from fairlattice.benchmark._classifiers import CLASSIFIERS
from fairlattice.benchmark._compare import compare
from fairlattice.benchmark._comparison import FIGURES, Comparison, GroupLoss, Run, StrategyResult
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
from fairlattice.benchmark._experiments import EXPERIMENTS, Experiment, bench
from fairlattice.benchmark._fidelity import FidelityOutcome, FidelityTrial
from fairlattice.benchmark._methods import BASELINE, METHODS, Combination, Method
from fairlattice.benchmark._noise import NoisePoint, annotation_noise
from fairlattice.benchmark._pictures import CellPicture
from fairlattice.benchmark._plugins import Plugins
from fairlattice.benchmark._protocol import UNFAIRNESS, Network, Settings
from fairlattice.benchmark._results import BenchResults, BenchTable, FailedTrial, read_results
from fairlattice.benchmark._runner import run_trials
from fairlattice.benchmark._store import Record, Store
from fairlattice.benchmark._table import People, Table
from fairlattice.benchmark._trial import Outcome, Trial
from fairlattice.benchmark._vectors import with_vectors

__all__ = [
    "BASELINE",
    "CLASSIFIERS",
    "EXPERIMENTS",
    "FIGURES",
    "METHODS",
    "SOURCES",
    "UNFAIRNESS",
    "BenchResults",
    "BenchTable",
    "CellAssumption",
    "CellDiagnosis",
    "CellDrift",
    "CellPicture",
    "Combination",
    "Comparison",
    "CopiedRow",
    "Diagnosis",
    "Difference",
    "Drift",
    "Estimate",
    "Experiment",
    "FailedTrial",
    "FidelityOutcome",
    "FidelityTrial",
    "GroupLoss",
    "Method",
    "Network",
    "NoisePoint",
    "Outcome",
    "People",
    "Plugins",
    "Record",
    "Run",
    "Settings",
    "SourceFigures",
    "Store",
    "StrategyResult",
    "Table",
    "Trial",
    "annotation_noise",
    "bench",
    "compare",
    "diagnose",
    "drift",
    "read_results",
    "run_trials",
    "with_vectors",
]
