"""Independent joblib tasks, on the back end that the user chose with ``joblib.parallel_config``.

Every task is seeded by what it is, so loky, Dask, Ray and Spark give the same bytes. A task needs a process to itself:
warnings, standard output and the limit on threads of BLAS belong to a process. Processes of joblib run one task at a
time; a worker of a cluster may run several in threads, and runs one of ours at a time.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from itertools import islice
from threading import Lock
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from joblib.parallel import LokyBackend, SequentialBackend, ThreadingBackend, get_active_backend

from fairlattice._validation import IntArray

_HERE = (SequentialBackend, ThreadingBackend, LokyBackend)
_ALONE = Lock()


class SentOnce:
    """A table that tasks share: Dask sends what is large to each worker once, not with every task."""

    truth: IntArray

    def __sizeof__(self) -> int:
        """At least the labels' bytes."""
        return object.__sizeof__(self) + self.truth.nbytes


def as_completed(tasks: Iterable[Any], n_jobs: int | None, *, ahead: int, **options: Any) -> Iterator[Any]:
    """Results of tasks that ``joblib.delayed`` made, as they come.

    Parameters
    ----------
    tasks : iterable of delayed calls
        Each is asked for when it is dispatched.
    n_jobs : int, optional
        Tasks at a time, as in joblib.
    ahead : int
        Tasks of each job that are dispatched together by a back end that gives all results at once, as Ray's and
        Spark's do.
    **options
        Of ``joblib.Parallel`` otherwise.
    """
    backend, _ = get_active_backend(prefer="processes")
    if getattr(backend, "supports_sharedmem", False):  # threads of this process
        n_jobs = 1
    if isinstance(backend, _HERE):
        yield from _run(backend, tasks, n_jobs, ahead, options)
        return
    sent = (delayed(_on_a_worker)(work, *args, **kwargs) for work, args, kwargs in tasks)
    for result, error in _run(backend, sent, n_jobs, ahead, options):
        if error is not None:
            raise error
        yield result


def without_warning_of_lost_tasks(results: Generator[Any, None, None]) -> Iterator[Any]:
    """Yield results of ``joblib.Parallel``; if iteration stops early, silence its warning about lost tasks."""
    try:
        for result in results:  # noqa: UP028 - `yield from` would close `results` outside the filter
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\d+ tasks ", category=UserWarning)
            results.close()


def _run(
    backend: Any, tasks: Iterable[Any], n_jobs: int | None, ahead: int, options: Mapping[str, Any]
) -> Iterator[Any]:
    if backend.supports_return_generator:
        run = Parallel(n_jobs, return_as="generator_unordered", **options)
        with warnings.catch_warnings():
            # To joblib, loading PyTorch looks like a leak of memory; it renews the worker, and warns.
            warnings.filterwarnings("ignore", message="A worker stopped while", category=UserWarning)
            yield from without_warning_of_lost_tasks(run(tasks))
        return
    waiting, at_a_time = iter(tasks), effective_n_jobs(n_jobs) * ahead
    with Parallel(n_jobs, batch_size=1) as run:  # workers that start once
        while some := list(islice(waiting, at_a_time)):
            yield from run(some)


def _on_a_worker(work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> tuple[Any, Exception | None]:
    """The result of a task that is alone in its process, or its error.

    Parallel work inside, as of a forest, stays in the process: on the cluster it would queue behind tasks that wait for
    this one. An error is a result, since not every back end ends well when a task raises.
    """
    with _ALONE, parallel_config("threading"):
        try:
            return work(*args, **kwargs), None
        except Exception as error:  # noqa: BLE001 - raised again where the result arrives
            error.add_note(traceback.format_exc())
            return None, error
