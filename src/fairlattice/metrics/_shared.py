"""What other rooms use of this one, beside its public names."""

from fairlattice.metrics._design import Design
from fairlattice.metrics._fairness import alpha_measure, log_ratio
from fairlattice.metrics._intervals import rate_interval
from fairlattice.metrics._pooling import draw_priors
from fairlattice.metrics._rates import NOTIONS, RATES, find_positive

__all__ = [
    "NOTIONS",
    "RATES",
    "Design",
    "alpha_measure",
    "draw_priors",
    "find_positive",
    "log_ratio",
    "rate_interval",
]
