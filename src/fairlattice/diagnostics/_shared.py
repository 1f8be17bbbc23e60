"""What other rooms use of this one, beside its public names."""

from fairlattice.diagnostics._assumption import advice, verdict
from fairlattice.diagnostics._multiplicity import adjusted, holm, permutations_needed
from fairlattice.diagnostics._picture import CAVEATS

__all__ = [
    "CAVEATS",
    "adjusted",
    "advice",
    "holm",
    "permutations_needed",
    "verdict",
]
