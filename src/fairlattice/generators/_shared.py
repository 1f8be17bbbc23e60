"""What other rooms use of this one, beside its public names."""

from fairlattice.generators._mixing import MIXINGS

__all__ = [
    "MIXINGS",
]
