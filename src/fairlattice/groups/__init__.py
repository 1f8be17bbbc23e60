"""Groups: the lattice that sensitive attributes span, and the counts that live on it.

:class:`GroupLattice` knows which groups there are; :class:`GroupCounts` is the waist of the
library, the one small table from which every measure is computed.
"""

from fairlattice.groups._attribute import Attribute, Level
from fairlattice.groups._counts import GroupCounts
from fairlattice.groups._lattice import Group, GroupLattice, Leaf, show_group
from fairlattice.groups._paired import PairedCounts
from fairlattice.groups._scores import ScoreCounts
from fairlattice.groups._small import GroupTable, SmallGroup, group_table

__all__ = [
    "Attribute",
    "Group",
    "GroupCounts",
    "GroupLattice",
    "GroupTable",
    "Leaf",
    "Level",
    "PairedCounts",
    "ScoreCounts",
    "SmallGroup",
    "group_table",
    "show_group",
]
