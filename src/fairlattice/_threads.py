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
_HELD: list[tuple[Any, int]] = []  # the limit and torch's threads before it, as often as it is wanted


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep the arithmetic of NumPy and torch to one thread meanwhile.

    Many threads of a process may want it: the first to come limits NumPy's linear algebra for all, and the
    last to go lifts that. Torch counts for each thread, but what one sets is where the next begins; so all
    go back to what the first one found.
    """
    with _LOCK:
        _HELD.append(
            _HELD[0] if _HELD else (_controller().limit(limits=1, user_api="blas"), _torch_threads())
        )
        limit, before = _HELD[0]
    _set_torch_threads(1)
    try:
        yield
    finally:
        with _LOCK:
            _HELD.pop()
            if not _HELD:
                limit.restore_original_limits()
            _set_torch_threads(before)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Keep torch to one thread meanwhile, if it is loaded; for one thread of a process at a time."""
    before = _torch_threads()
    try:
        _set_torch_threads(1)
        yield
    finally:
        _set_torch_threads(before)


def _torch_threads() -> int:
    torch = sys.modules.get("torch")
    return 1 if torch is None else int(torch.get_num_threads())


def _set_torch_threads(n: int) -> None:
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(n)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
