"""Groups: the lattice that sensitive attributes span, and the counts that live on it.

:class:`GroupLattice` knows which groups there are; :class:`GroupCounts` is the waist of the
library, the one small table from which every measure is computed.
"""

from fairlattice.groups._attribute import Attribute, Level, parse_sensitive, show_level
from fairlattice.groups._counts import GroupCounts
from fairlattice.groups._lattice import Group, GroupLattice, Leaf, show_group

__all__ = [
    "Attribute",
    "Group",
    "GroupCounts",
    "GroupLattice",
    "Leaf",
    "Level",
    "parse_sensitive",
    "show_group",
    "show_level",
]
