"""Encoders: mixed tables to vectors and back to valid rows."""

from fairlattice.encoders._table import TableEncoder

__all__ = ["TableEncoder"]
