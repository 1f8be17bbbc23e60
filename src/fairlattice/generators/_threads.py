"""One thread for small matrix products: sharing them out costs more than computing them.

It also makes a fit's bytes the same whatever the number of processors. Fits may run in several threads of
a process: the first to come sets the limit, and the last to go lifts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

_LOCK = Lock()
_HELD: list[Any] = []  # the limit, as often as it is wanted


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep the linear algebra of NumPy to one thread meanwhile."""
    with _LOCK:
        _HELD.append(_HELD[0] if _HELD else _controller().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _LOCK:
            limit = _HELD.pop()
            if not _HELD:
                limit.restore_original_limits()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
