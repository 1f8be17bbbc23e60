"""Names for other packages of the library, not public."""

from fairlattice.diagnostics._associations import associations_of
from fairlattice.diagnostics._assumption import advice, verdict
from fairlattice.diagnostics._frames import decoded_pairs
from fairlattice.diagnostics._manifold import manifold_of
from fairlattice.diagnostics._marginals import marginals_of
from fairlattice.diagnostics._memory import RealRows
from fairlattice.diagnostics._multiplicity import adjusted, holm, permutations_needed
from fairlattice.diagnostics._picture import CAVEATS
from fairlattice.diagnostics._samples import both_samples
from fairlattice.diagnostics._two_sample import classifier_test_of

__all__ = [
    "CAVEATS",
    "RealRows",
    "adjusted",
    "advice",
    "associations_of",
    "both_samples",
    "classifier_test_of",
    "decoded_pairs",
    "holm",
    "manifold_of",
    "marginals_of",
    "permutations_needed",
    "verdict",
]
