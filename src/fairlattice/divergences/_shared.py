"""Names for other packages of the library, not public."""

from fairlattice.divergences._sliced import by_rank, draw_directions, quantile_means

__all__ = [
    "by_rank",
    "draw_directions",
    "quantile_means",
]
