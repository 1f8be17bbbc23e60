"""Measures: every one of them a function of :class:`~fairlattice.groups.GroupCounts`."""

from fairlattice.metrics._attribution import Pair, WorseOff
from fairlattice.metrics._audit import Audit, audit
from fairlattice.metrics._claims import Claim
from fairlattice.metrics._fairness import Disparity, alpha_intersectional, differential_fairness
from fairlattice.metrics._group_rate import GroupRate
from fairlattice.metrics._homogeneity import homogeneity_test
from fairlattice.metrics._intervals import (
    clopper_pearson_interval,
    jeffreys_interval,
    newcombe_interval,
    wilson_interval,
)
from fairlattice.metrics._leveling import GroupChange, LevelingDown
from fairlattice.metrics._misrecorded import Bounds, misrecording_bounds
from fairlattice.metrics._paired import leveling_down
from fairlattice.metrics._pooling import PooledRates, partial_pooling
from fairlattice.metrics._rates import Rates, group_rates, weighted_rates
from fairlattice.metrics._scores import GroupScore, audit_scores
from fairlattice.metrics._series import AuditSeries, Change, audit_series

__all__ = [
    "Audit",
    "AuditSeries",
    "Bounds",
    "Change",
    "Claim",
    "Disparity",
    "GroupChange",
    "GroupRate",
    "GroupScore",
    "LevelingDown",
    "Pair",
    "PooledRates",
    "Rates",
    "WorseOff",
    "alpha_intersectional",
    "audit",
    "audit_scores",
    "audit_series",
    "clopper_pearson_interval",
    "differential_fairness",
    "group_rates",
    "homogeneity_test",
    "jeffreys_interval",
    "leveling_down",
    "misrecording_bounds",
    "newcombe_interval",
    "partial_pooling",
    "weighted_rates",
    "wilson_interval",
]
