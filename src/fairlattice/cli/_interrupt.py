"""Interruptions: Ctrl-C, or a polite kill, ends a command once, in one line, and takes its workers along."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def one_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first signal, and ignore all others from then on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def once(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, once) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is once:  # otherwise interrupted: the process is about to end
                signal.signal(number, handler)


def start_workers(n_jobs: int) -> None:
    """Start joblib's worker processes deaf to Ctrl-C, which a terminal sends to them as well.

    A process inherits what its parent blocks, so workers started now are ended by us and by nobody
    else, and have nothing to say about it.
    """
    from joblib import Parallel, delayed, effective_n_jobs

    n = effective_n_jobs(n_jobs)
    if n == 1 or not hasattr(signal, "pthread_sigmask"):
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        Parallel(n_jobs=n)(delayed(int)() for _ in range(n))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
