"""The threshold per leaf that is expected of a row: blind to groups at prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fairlattice._validation import BoolArray, FloatArray, IntArray
from fairlattice.groups import GroupLattice
from fairlattice.strategies._decision import Scores
from fairlattice.strategies._leaf_thresholds import LeafThresholds
from fairlattice.strategies._training import TrainingTable

_RIDGES = np.logspace(-1, 4, 6)


@dataclass(frozen=True)
class ExpectedThreshold:
    """The threshold per leaf that is expected of a row: blind to groups at prediction.

    With t_g the threshold of leaf g by :class:`LeafThresholds`, a row with features x gets E[t_G | x] =
    Σ_g P(g | x) t_g, estimated by a ridge regression of the training rows' thresholds on their features. Sensitive
    columns among the features are left out. Where features say nothing of the group, everyone gets the same threshold.

    Parameters
    ----------
    notion : str, default="equalized_odds"
        What t_g aims at, as in :class:`LeafThresholds`.
    """

    notion: str = "equalized_odds"

    name: ClassVar[str] = "expected"
    about: ClassVar[str] = (
        "the threshold per leaf that is expected given the features; blind to groups at prediction"
    )
    needs_groups: ClassVar[bool] = False

    def for_notion(self, notion: str) -> ExpectedThreshold:
        """The same for another notion of fairness."""
        return replace(self, notion=LeafThresholds(self.notion).for_notion(notion).notion)

    def choose(self, table: TrainingTable, scores: Scores) -> ThresholdByFeatures:
        """Regress the thresholds of the rows' leaves on their features."""
        found = LeafThresholds(self.notion).choose(table, scores)
        own = found.thresholds(table.index.lattice, table.index.leaves)
        features = table.blind_features()
        model = make_pipeline(StandardScaler(), RidgeCV(_RIDGES)).fit(features(table.X), own)
        return ThresholdByFeatures(features, model, float(own.min()), float(own.max()))


@dataclass(frozen=True, eq=False)
class ThresholdByFeatures:
    """A threshold that follows from the features.

    Parameters
    ----------
    features : callable
        Vectors without sensitive columns, of rows as the classifier takes them.
    model : regressor
        Predicts a threshold from them.
    low, high : float
        The least and the greatest threshold of a leaf; no row gets one outside.
    """

    features: Callable[[Any], FloatArray] = field(repr=False)
    model: Any = field(repr=False)
    low: float
    high: float

    def above(self, scores: FloatArray, X: Any, lattice: GroupLattice, leaves: IntArray) -> BoolArray:  # noqa: ARG002
        """Whether each score lies above the threshold that the row's features predict."""
        higher: BoolArray = scores > np.clip(self.model.predict(self.features(X)), self.low, self.high)
        return higher
