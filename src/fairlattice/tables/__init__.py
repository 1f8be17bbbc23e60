"""Tables of real life: what a column's text means, decided in one place for every command and function."""

from fairlattice.tables._text import MISSING_SPELLINGS

__all__ = ["MISSING_SPELLINGS"]
