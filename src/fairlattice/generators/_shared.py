"""What other rooms use of this one besides its public names."""

from fairlattice.generators._mixing import MIXINGS

__all__ = [
    "MIXINGS",
]
