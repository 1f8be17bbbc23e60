"""Interruptions: Ctrl-C, or a polite kill, ends a command once, in one line, and takes its workers along."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any

from fairlattice._files import runs

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = 10.0  # seconds that tidying up may take


@contextlib.contextmanager
def one_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first signal, and ignore all others from then on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def once(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        leave.append(2)
        _again()

    def unheard(failed: sys.UnraisableHookArgs) -> None:
        # Raised inside a callback, as of Python's import system, an exception is dropped, not passed on.
        if leave and issubclass(failed.exc_type, KeyboardInterrupt):
            _alarm(0.01)
        else:
            hook(failed)

    # Registered before joblib's own, it runs after them, when workers are gone and files are removed.
    leave: list[int] = []
    atexit.register(_leave_with, leave)
    hook, sys.unraisablehook = sys.unraisablehook, unheard
    before = {number: signal.signal(number, once) for number in _SIGNALS}
    try:
        yield
    finally:
        _alarm(0.0)
        sys.unraisablehook = hook
        if not leave:
            atexit.unregister(_leave_with)
        for number, handler in before.items():
            if signal.getsignal(number) is once:  # otherwise interrupted: the process is about to end
                signal.signal(number, handler)


def follows_interruption(error: BaseException) -> bool:
    """Whether an error stands in for an interruption, as Python raises one while it creates a class."""
    while error.__cause__ is not None:
        error = error.__cause__
    return isinstance(error, KeyboardInterrupt)


def _again(_number: int = 0, _frame: FrameType | None = None) -> None:
    """Interrupt now, and once more after a while if that goes unheard."""
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _again)
    _alarm(_PATIENCE)
    raise KeyboardInterrupt


def _alarm(seconds: float) -> None:
    """Interrupt again after so long, or with 0 not any more: the first one may have gone unheard."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _leave_with(code: list[int]) -> None:
    """Exit with our code: where C code was interrupted, Python would otherwise end as if killed."""
    if code:
        sys.stderr.flush()
        os._exit(code[0])


def _follow(parent: int) -> None:
    """End this worker soon after its parent, even if that was killed and could signal nobody."""
    first = os.getppid()  # another process if the parent has already ended

    def watch() -> None:
        while os.getppid() == first and (first == parent or runs(parent)):
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    # joblib replaces workers that grew by 300 MB since their first task, so what all need is imported before it.
    importlib.import_module("fairlattice.benchmark")


@contextlib.contextmanager
def worker_processes(n_jobs: int) -> Iterator[None]:
    """Start joblib's worker processes, silent on standard error, and let parallel work inside use them.

    Each follows its parent from the moment it runs: a task would be too late, since a parent that is killed
    before it hands the task over leaves its workers waiting for minutes. This also holds for workers that
    joblib starts later. A terminal sends Ctrl-C to workers as well, and each would print a traceback. What they
    have to report reaches us as results and exceptions. A process inherits its parent's files, so ours is
    exchanged while they start.
    """
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config
    from joblib.parallel import BACKENDS

    n = effective_n_jobs(n_jobs)
    if n == 1:
        yield
        return

    processes: Any = BACKENDS["loky"]

    class Followers(processes):  # type: ignore[misc]
        """Processes that end with their parent."""

        def configure(self, *args: Any, **options: Any) -> Any:
            return super().configure(*args, **options, initializer=_follow, initargs=(os.getpid(),))

    # Large tables may still replace one, which costs a second and loses nothing.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
    sys.stderr.flush()
    with parallel_config(Followers()):
        ours, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            Parallel(n_jobs=n)(delayed(os.getpid)() for _ in range(n))
        finally:
            os.dup2(ours, 2)
            os.close(ours)
            os.close(nowhere)
        yield
