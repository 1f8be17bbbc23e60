"""Runs trials as plain joblib tasks, and keeps each result the moment it comes in.

Trials are claimed when they are dispatched, not before, so that several runners share one store; only the
process that was started writes to it.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from joblib import delayed

from fairlattice._validation import printable
from fairlattice.benchmark._plugins import Plugins
from fairlattice.benchmark._store import Job, Store
from fairlattice.benchmark._table import Table
from fairlattice.benchmark._tasks import as_completed

Progress = Callable[[int, int], None]
_POLL = 0.5  # seconds between looks at what other runners have done


class Finding(Protocol):
    """What a trial gives."""

    def plain(self) -> dict[str, Any]:
        """All that JSON can hold."""
        ...

    def payload(self) -> bytes:
        """Arrays that belong to it."""
        ...


class Task(Job, Protocol):
    """What a runner runs: a job that knows its table and how it is done."""

    @property
    def table(self) -> str:
        """Digest of the table."""
        ...

    def run(self, table: Table, plugins: Plugins) -> Finding:
        """Do it."""
        ...


def run_trials(
    trials: Sequence[Task],
    tables: Mapping[str, Table],
    store: Store,
    *,
    plugins: Plugins = Plugins(),  # noqa: B008 - frozen
    retry: bool = False,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Run all trials that the store does not hold yet, and wait for those that other runners have taken.

    A trial that fails is kept with its error, and the others go on.

    Parameters
    ----------
    trials : sequence of Task
        What to run; the same one twice is run once.
    tables : mapping of str to Table
        The tables by their digests.
    store : Store
        Where results are kept.
    plugins : Plugins
        Files that methods come from, besides our own.
    retry : bool, default=False
        Run trials that failed before once more.
    n_jobs : int, optional
        Processes, as in joblib; -1 for all cores.
    progress : callable (done, total), optional
        Called whenever a trial has ended.
    """
    wanted = {trial.key: trial for trial in trials}
    tell = progress or (lambda *_: None)
    for key in dict.fromkeys(trial.table for trial in trials):
        people = tables[key].people()
        store.keep_table(key, people.plain(), people.payload())
    again = retry
    while True:
        states = store.states(wanted)
        ended = {key for key, state in states.items() if state == "done" or (state == "failed" and not again)}
        tell(len(ended), len(wanted))
        left = [trial for key, trial in wanted.items() if key not in ended]
        if not left:
            return
        took = 0
        tasks = _claimed(left, tables, store, plugins, retry=again)
        found = as_completed(tasks, n_jobs, ahead=1, pre_dispatch="n_jobs", batch_size=1)
        for key, state, result, payload in found:
            store.finish(wanted[key], state, result, payload)
            took += 1
            tell(len(ended) + took, len(wanted))
        again = False
        if not took:  # others have taken all that is left
            time.sleep(_POLL)


def _claimed(
    trials: Sequence[Task], tables: Mapping[str, Table], store: Store, plugins: Plugins, *, retry: bool
) -> Iterator[Any]:
    """Tasks of those trials that nobody else has taken, each claimed the moment it is asked for."""
    for trial in trials:
        if store.claim(trial, retry=retry):
            yield delayed(_attempt)(trial, tables[trial.table], plugins)


def _attempt(trial: Task, table: Table, plugins: Plugins) -> tuple[str, str, dict[str, Any], bytes]:
    """A trial's result, or what went wrong."""
    begun = time.perf_counter()
    try:
        with contextlib.redirect_stdout(sys.stderr):  # a plugin may print, but not into our tables
            found = trial.run(table, plugins)
        result = found.plain()
        json.dumps(result, allow_nan=False)  # a figure that is none is an error here, not in the store
    # A failure of one is a result, and must not stop the rest; a plugin's sys.exit is one too.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        result = {"error": f"{type(error).__name__}: {printable(error)}", "traceback": traceback.format_exc()}
        return trial.key, "failed", result, b""
    seconds = time.perf_counter() - begun
    return trial.key, "done", {**result, "total_seconds": seconds}, found.payload()
