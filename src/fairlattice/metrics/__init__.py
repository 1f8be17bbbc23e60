"""Measures: every one of them a function of :class:`~fairlattice.groups.GroupCounts`."""

from fairlattice.metrics._audit import Audit, GroupRate, Pair, audit
from fairlattice.metrics._fairness import Disparity, alpha_intersectional, differential_fairness
from fairlattice.metrics._intervals import jeffreys_interval, newcombe_interval, simultaneous_confidence
from fairlattice.metrics._leveling import GroupChange, LevelingDown, leveling_down_verdict, overall_verdict
from fairlattice.metrics._rates import NOTIONS, RATES, Rates, find_positive, group_rates, rates_of_notion

__all__ = [
    "NOTIONS",
    "RATES",
    "Audit",
    "Disparity",
    "GroupChange",
    "GroupRate",
    "LevelingDown",
    "Pair",
    "Rates",
    "alpha_intersectional",
    "audit",
    "differential_fairness",
    "find_positive",
    "group_rates",
    "jeffreys_interval",
    "leveling_down_verdict",
    "newcombe_interval",
    "overall_verdict",
    "rates_of_notion",
    "simultaneous_confidence",
]
