"""Measures: every one of them a function of :class:`~fairlattice.groups.GroupCounts`."""

from fairlattice.metrics._attribution import Pair, WorseOff
from fairlattice.metrics._audit import Audit
from fairlattice.metrics._claims import Claim
from fairlattice.metrics._fairness import Disparity, alpha_intersectional, differential_fairness
from fairlattice.metrics._front import audit
from fairlattice.metrics._group_rate import GroupRate
from fairlattice.metrics._homogeneity import homogeneity_test
from fairlattice.metrics._intervals import (
    INTERVALS,
    clopper_pearson_interval,
    jeffreys_interval,
    newcombe_interval,
    paired_interval,
    rate_interval,
    simultaneous_confidence,
    wilson_interval,
)
from fairlattice.metrics._leveling import GroupChange, LevelingDown, leveling_down_verdict, overall_verdict
from fairlattice.metrics._misrecorded import Bounds, misrecording_bounds
from fairlattice.metrics._paired import leveling_down
from fairlattice.metrics._pooling import PooledRates, partial_pooling
from fairlattice.metrics._rates import (
    NOTIONS,
    RATES,
    Rates,
    find_positive,
    group_rates,
    rates_of_notion,
    weighted_rates,
)
from fairlattice.metrics._scores import GroupScore, audit_scores
from fairlattice.metrics._series import AuditSeries, Change, audit_series

__all__ = [
    "INTERVALS",
    "NOTIONS",
    "RATES",
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
    "find_positive",
    "group_rates",
    "homogeneity_test",
    "jeffreys_interval",
    "leveling_down",
    "leveling_down_verdict",
    "misrecording_bounds",
    "newcombe_interval",
    "overall_verdict",
    "paired_interval",
    "partial_pooling",
    "rate_interval",
    "rates_of_notion",
    "simultaneous_confidence",
    "weighted_rates",
    "wilson_interval",
]
