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


def visible(text: str) -> str:
    """A text whose signs a terminal would obey are written out: names and levels in a message may hold any."""
    if text.isprintable():
        return text
    return "".join(s if s.isprintable() or s in "\n\t" else s.encode("unicode_escape").decode() for s in text)


class InputError(ValueError):
    """The data or an option given by the caller cannot be used as it is."""

    def __str__(self) -> str:
        return visible(super().__str__())


class UndefinedRateError(InputError):
    """A rate was asked for that no row of the table defines, such as a TPR without positives."""


class FairlatticeWarning(UserWarning):
    """Something legitimate that the reader of a result should know."""

    def __str__(self) -> str:
        return visible(super().__str__())


class AssumptionWarning(FairlatticeWarning):
    """How a column was read, where that is an assumption: text taken as missing, an identifier left out."""


class SmallCellWarning(FairlatticeWarning):
    """A (group, label) cell has so few rows that nothing can be learned from it alone."""
