"""Comparison: strategies side by side on the same splits, with their error bars and whom they hurt."""

from fairlattice.benchmark._classifiers import CLASSIFIERS
from fairlattice.benchmark._compare import compare
from fairlattice.benchmark._comparison import Comparison, GroupLoss, Run, StrategyResult
from fairlattice.benchmark._estimates import Difference, Estimate
from fairlattice.benchmark._strategies import STRATEGIES, Strategy

__all__ = [
    "CLASSIFIERS",
    "STRATEGIES",
    "Comparison",
    "Difference",
    "Estimate",
    "GroupLoss",
    "Run",
    "Strategy",
    "StrategyResult",
    "compare",
]
