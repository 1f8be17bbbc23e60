"""Names for other packages of the library, not public."""

from fairlattice.encoders._inputs import read_columns
from fairlattice.encoders._plain_numbers import DecodedColumns

__all__ = ["DecodedColumns", "read_columns"]
