"""Names for other packages of the library, not public."""

from fairlattice.generators._mixing import MIXINGS

__all__ = [
    "MIXINGS",
]
