"""What other rooms use of this one, beside its public names."""

from fairlattice.groups._shared import find_positive
from fairlattice.metrics._design import Design
from fairlattice.metrics._fairness import alpha_measure, log_ratio
from fairlattice.metrics._intervals import rate_interval, simultaneous_confidence
from fairlattice.metrics._leveling import leveling_down_verdict, overall_verdict
from fairlattice.metrics._pooling import draw_priors
from fairlattice.metrics._rates import NOTIONS, RATES

__all__ = [
    "NOTIONS",
    "RATES",
    "Design",
    "alpha_measure",
    "draw_priors",
    "find_positive",
    "leveling_down_verdict",
    "log_ratio",
    "overall_verdict",
    "rate_interval",
    "simultaneous_confidence",
]
