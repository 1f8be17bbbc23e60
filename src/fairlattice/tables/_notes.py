"""What was assumed about a table, said once: as a warning in Python, or collected for a result's own list."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from fairlattice.exceptions import AssumptionWarning

_collecting: ContextVar[list[str] | None] = ContextVar("_collecting", default=None)


def assume(notes: Iterable[str]) -> None:
    """Report assumptions, a sentence each: to whoever collects them, else as :class:`AssumptionWarning`."""
    heard = _collecting.get()
    for text in notes:
        if heard is None:
            warnings.warn(text, AssumptionWarning, stacklevel=4)
        elif text not in heard:
            heard.append(text)


@contextmanager
def collected() -> Iterator[list[str]]:
    """A list to which every assumption within is added instead of being a warning."""
    heard: list[str] = []
    token = _collecting.set(heard)
    try:
        yield heard
    finally:
        _collecting.reset(token)
