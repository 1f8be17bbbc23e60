"""What other rooms use of this one, besides its public names."""

from fairlattice.diagnostics._associations import associations_of
from fairlattice.diagnostics._assumption import advice, verdict
from fairlattice.diagnostics._frames import column_pairs
from fairlattice.diagnostics._marginals import marginals_of
from fairlattice.diagnostics._multiplicity import adjusted, holm, permutations_needed
from fairlattice.diagnostics._picture import CAVEATS

__all__ = [
    "CAVEATS",
    "adjusted",
    "advice",
    "associations_of",
    "column_pairs",
    "holm",
    "marginals_of",
    "permutations_needed",
    "verdict",
]
