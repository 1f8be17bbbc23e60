"""Encoders: mixed tables to vectors and back to valid rows; texts and images to vectors."""

from fairlattice.encoders._images import ImageEncoder
from fairlattice.encoders._sentences import SentenceEncoder
from fairlattice.encoders._table import TableEncoder
from fairlattice.encoders._text import TextEncoder
from fairlattice.encoders._text_table import TextTableEncoder

__all__ = ["ImageEncoder", "SentenceEncoder", "TableEncoder", "TextEncoder", "TextTableEncoder"]
