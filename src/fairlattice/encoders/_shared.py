"""What other rooms share of the encoders."""

from fairlattice.encoders._inputs import read_columns

__all__ = ["read_columns"]
