"""What other rooms use of this one, beside its public names."""

from fairlattice.groups._agreement import check_agreement
from fairlattice.groups._attribute import is_open_band, parse_sensitive, show_level
from fairlattice.groups._grouping import Grouping

__all__ = [
    "Grouping",
    "check_agreement",
    "is_open_band",
    "parse_sensitive",
    "show_level",
]
