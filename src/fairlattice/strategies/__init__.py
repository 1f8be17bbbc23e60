"""Strategies: row sources × weightings × decisions, and the classifier that is trained by them."""

from fairlattice.strategies._adaptive_weights import adaptive_weights
from fairlattice.strategies._equal import equal_resample, equal_weights
from fairlattice.strategies._fair_classifier import FairClassifier
from fairlattice.strategies._leaf_thresholds import LeafThresholds, ThresholdsByLeaf
from fairlattice.strategies._strategy import STRATEGIES, FittedStrategy, Strategy
from fairlattice.strategies._training import TrainingRows, TrainingTable

__all__ = [
    "STRATEGIES",
    "FairClassifier",
    "FittedStrategy",
    "LeafThresholds",
    "Strategy",
    "ThresholdsByLeaf",
    "TrainingRows",
    "TrainingTable",
    "adaptive_weights",
    "equal_resample",
    "equal_weights",
]
