"""Work that is done while the main thread waits for an engine."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Meanwhile(Generic[Made]):
    """What a function returns, computed in a thread of its own from now on.

    The process ends when the thread has ended. If it is `dropped`, which only work that loads nothing may be, nobody
    waits for it unless the result is asked for, as after an error or an interruption.
    """

    def __init__(self, work: Callable[[], Made], *, dropped: bool = False) -> None:
        self._made: list[Made] = []
        self._error: BaseException | None = None
        self._work = work
        self._thread = Thread(target=self._run, daemon=dropped)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._made.append(self._work())
        except BaseException as error:  # noqa: BLE001 - is raised where the result is asked for
            self._error = error

    def result(self) -> Made:
        """The result, or what the function raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._made[0]
