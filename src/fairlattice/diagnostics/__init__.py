"""Diagnostics: are generated rows like real ones, do they copy, and are a cell's parents like the cell?

Pure statistics on arrays and tables. Encoding, drawing and splitting rows is the caller's.
"""

from fairlattice.diagnostics._associations import Associations, associations
from fairlattice.diagnostics._assumption import Assumption, assumption
from fairlattice.diagnostics._manifold import Manifold, manifold
from fairlattice.diagnostics._marginals import ColumnDistance, Marginals, marginals
from fairlattice.diagnostics._memory import Copy, Memory, memory
from fairlattice.diagnostics._mmd_test import MMDTest, mmd_test
from fairlattice.diagnostics._picture import embedding
from fairlattice.diagnostics._two_sample import ClassifierTest, classifier_test

__all__ = [
    "Associations",
    "Assumption",
    "ClassifierTest",
    "ColumnDistance",
    "Copy",
    "MMDTest",
    "Manifold",
    "Marginals",
    "Memory",
    "associations",
    "assumption",
    "classifier_test",
    "embedding",
    "manifold",
    "marginals",
    "memory",
    "mmd_test",
]
