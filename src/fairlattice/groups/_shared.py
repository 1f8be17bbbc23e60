"""Names for other packages of the library, not public."""

from fairlattice.groups._agreement import check_agreement, check_counts
from fairlattice.groups._attribute import is_open_band, parse_sensitive, show_level
from fairlattice.groups._collected import collected, without_dask_notice
from fairlattice.groups._grouping import Grouping
from fairlattice.groups._labels import find_class, find_positive, name_it
from fairlattice.groups._tally import plainly_named

__all__ = [
    "Grouping",
    "check_agreement",
    "check_counts",
    "collected",
    "find_class",
    "find_positive",
    "is_open_band",
    "name_it",
    "parse_sensitive",
    "plainly_named",
    "show_level",
    "without_dask_notice",
]
