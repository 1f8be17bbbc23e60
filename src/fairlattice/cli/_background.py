"""Run a function in a background thread while the main thread waits for an engine."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

Result = TypeVar("Result")


class BackgroundCall(Generic[Result]):
    """Call a function in a background thread, starting at once.

    At exit, the process waits for the thread unless `daemon` is true. A daemon thread may be cut off, as after an
    error or an interruption, so a daemon call must not import modules.
    """

    def __init__(self, work: Callable[[], Result], *, daemon: bool = False) -> None:
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._work = work
        self._thread = Thread(target=self._run, daemon=daemon)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - is raised where the result is asked for
            self._error = error

    def result(self) -> Result:
        """Wait for the call, then return its result or raise its error."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]
