"""What was assumed about a table, said once: as a warning in Python, or collected for a result's own list."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from fairlattice.exceptions import AssumptionWarning

_OURS = "fairlattice."
_collecting: ContextVar[list[str] | None] = ContextVar("_collecting", default=None)


def assume(notes: Iterable[str]) -> None:
    """Report assumptions, a sentence each: to whoever collects them, else as :class:`AssumptionWarning`."""
    heard = _collecting.get()
    for text in notes:
        if heard is None:
            warnings.warn(text, AssumptionWarning, stacklevel=_callers())
        elif text not in heard:
            heard.append(text)


def _callers() -> int:
    """How far up the stack, seen from :func:`assume`, the first code is that is not ours."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        level, frame = level + 1, frame.f_back
    return level


@contextmanager
def collected() -> Iterator[list[str]]:
    """A list to which every assumption within is added instead of being a warning."""
    heard: list[str] = []
    token = _collecting.set(heard)
    try:
        yield heard
    finally:
        _collecting.reset(token)
