"""Names for other packages of the library, not public."""

from fairlattice.tables._columns import Reading, Rules, read_column
from fairlattice.tables._dates import time_order
from fairlattice.tables._features import Feature, read_features
from fairlattice.tables._notes import assume, collected
from fairlattice.tables._numbers import is_number
from fairlattice.tables._roles import (
    AttributeReading,
    LabelReading,
    check_labels_differ,
    read_attributes,
    read_labels,
)
from fairlattice.tables._text import tidy

__all__ = [
    "AttributeReading",
    "Feature",
    "LabelReading",
    "Reading",
    "Rules",
    "assume",
    "check_labels_differ",
    "collected",
    "is_number",
    "read_attributes",
    "read_column",
    "read_features",
    "read_labels",
    "tidy",
    "time_order",
]
