"""Names for other packages of the library, not public."""

from fairlattice.samplers._cells import (
    RowsByKey,
    describe_small_cells,
    draw_rows,
    even_share,
    ranks,
)
from fairlattice.samplers._device import check_device
from fairlattice.samplers._engines import cast_like
from fairlattice.samplers._lazy import MOST, SYNTHETIC, Roles, cell_sizes, counted, shortfalls
from fairlattice.samplers._membership import LeafProbabilities
from fairlattice.samplers._places import Places
from fairlattice.samplers._rows import concat_rows, draw_by_weight, take_rows
from fairlattice.samplers._sampler import entropy_of
from fairlattice.samplers._sensitive_columns import (
    columns_inside,
    groups_of,
    with_inside,
    without,
)

__all__ = [
    "MOST",
    "SYNTHETIC",
    "LeafProbabilities",
    "Places",
    "Roles",
    "RowsByKey",
    "cast_like",
    "cell_sizes",
    "check_device",
    "columns_inside",
    "concat_rows",
    "counted",
    "describe_small_cells",
    "draw_by_weight",
    "draw_rows",
    "entropy_of",
    "even_share",
    "groups_of",
    "ranks",
    "shortfalls",
    "take_rows",
    "with_inside",
    "without",
]
