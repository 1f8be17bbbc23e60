"""Errors and warnings.

Every error that a user can cause is an :class:`InputError`, so one ``except`` clause (and the
command line's exit code 2) covers them all; its message says what was wrong, what was got, and
what to do. What is unusual but legitimate, such as a cell with one row, is a warning.
"""

__all__ = [
    "AssumptionWarning",
    "FairlatticeWarning",
    "InputError",
    "SmallCellWarning",
    "UndefinedRateError",
]


class InputError(ValueError):
    """The data or an option given by the caller cannot be used as it is."""


class UndefinedRateError(InputError):
    """A rate was asked for that no row of the table defines, such as a TPR without positives."""


class FairlatticeWarning(UserWarning):
    """Something legitimate that the reader of a result should know."""


class AssumptionWarning(FairlatticeWarning):
    """How a column was read, where that is an assumption: text taken as missing, an identifier left out."""


class SmallCellWarning(FairlatticeWarning):
    """A (group, label) cell has so few rows that nothing can be learned from it alone."""
