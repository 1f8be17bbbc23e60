"""One thread for small work: sharing it out costs more than doing it.

On processors that are busy already the threads would wait for each other many times longer than they
compute. Sums in one order also give the same bytes whatever the number of processors.
"""

from __future__ import annotations

import sys
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
    """Keep the arithmetic of NumPy and torch to one thread meanwhile.

    Many threads of a process may want it: the first to come limits NumPy's linear algebra for all, and the
    last to go lifts that. Torch keeps a limit for each thread.
    """
    with _LOCK:
        _HELD.append(_HELD[0] if _HELD else _controller().limit(limits=1, user_api="blas"))
    try:
        with one_torch_thread():
            yield
    finally:
        with _LOCK:
            limit = _HELD.pop()
            if not _HELD:
                limit.restore_original_limits()


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Keep torch to one thread meanwhile, if it is loaded."""
    torch = sys.modules.get("torch")
    before = 1 if torch is None else torch.get_num_threads()
    try:
        if torch is not None:
            torch.set_num_threads(1)
        yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
