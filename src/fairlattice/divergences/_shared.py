"""What other rooms use of this one besides its public names."""

from fairlattice.divergences._sliced import by_rank, draw_directions, quantile_means

__all__ = [
    "by_rank",
    "draw_directions",
    "quantile_means",
]
