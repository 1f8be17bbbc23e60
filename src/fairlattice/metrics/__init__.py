"""Measures: each is a function of :class:`~fairlattice.groups.GroupCounts`."""

from fairlattice.metrics._any_metric import GroupMetric, metric_by_group
from fairlattice.metrics._attribution import Pair, WorseOff
from fairlattice.metrics._audit import Audit
from fairlattice.metrics._claims import Claim
from fairlattice.metrics._fairness import Disparity, alpha_intersectional, differential_fairness
from fairlattice.metrics._figures import Figure
from fairlattice.metrics._from_data import audit
from fairlattice.metrics._group_rate import GroupRate
from fairlattice.metrics._harm import Harm
from fairlattice.metrics._homogeneity import homogeneity_test
from fairlattice.metrics._impact import ImpactRatio
from fairlattice.metrics._intervals import (
    clopper_pearson_interval,
    jeffreys_interval,
    newcombe_interval,
    wilson_interval,
)
from fairlattice.metrics._leveling import GroupChange, LevelingDown
from fairlattice.metrics._misrecorded import Bounds, misrecording_bounds
from fairlattice.metrics._needed import Needed
from fairlattice.metrics._paired import harm, leveling_down
from fairlattice.metrics._pooling import PooledRates, partial_pooling
from fairlattice.metrics._rates import Rates, group_rates, weighted_rates
from fairlattice.metrics._scorer import FairnessScorer, make_scorer
from fairlattice.metrics._scores import GroupScore, audit_scores
from fairlattice.metrics._series import AuditSeries, Change, audit_series
from fairlattice.metrics._task import Task
from fairlattice.metrics._verdicts import Verdict

__all__ = [
    "Audit",
    "AuditSeries",
    "Bounds",
    "Change",
    "Claim",
    "Disparity",
    "FairnessScorer",
    "Figure",
    "GroupChange",
    "GroupMetric",
    "GroupRate",
    "GroupScore",
    "Harm",
    "ImpactRatio",
    "LevelingDown",
    "Needed",
    "Pair",
    "PooledRates",
    "Rates",
    "Task",
    "Verdict",
    "WorseOff",
    "alpha_intersectional",
    "audit",
    "audit_scores",
    "audit_series",
    "clopper_pearson_interval",
    "differential_fairness",
    "group_rates",
    "harm",
    "homogeneity_test",
    "jeffreys_interval",
    "leveling_down",
    "make_scorer",
    "metric_by_group",
    "misrecording_bounds",
    "newcombe_interval",
    "partial_pooling",
    "weighted_rates",
    "wilson_interval",
]
