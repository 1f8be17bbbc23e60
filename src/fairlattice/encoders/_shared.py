"""What other rooms share of the encoders."""

from fairlattice.encoders._inputs import read_columns
from fairlattice.encoders._plain_numbers import DecodedColumns

__all__ = ["DecodedColumns", "read_columns"]
