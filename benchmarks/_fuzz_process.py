"""The command line in a process of its own, started afresh or forked from one that has imported everything.

A start takes a second or more, most of it imports; a fork of a process that has imported, and not yet run, anything
takes a fraction of that. The arguments, the descriptors, the exit code and the signals are those of a real process.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

_PRELOADED = [
    "fairlattice.cli._main", "fairlattice.cli._audit", "fairlattice.cli._augment", "fairlattice.cli._compare",
    "fairlattice.cli._diagnose", "fairlattice.cli._bench", "fairlattice.cli._report", "fairlattice.benchmark",
    "fairlattice.samplers", "fairlattice.encoders", "fairlattice.diagnostics", "fairlattice.report",
    "fairlattice.report._shared", "fairlattice.cli._tables", "fairlattice.cli._output", "sklearn.linear_model",
]  # fmt: skip


class Done(NamedTuple):
    """What a process left: its exit code, what it printed, and the seconds that it computed for."""

    code: int
    out: bytes
    error: bytes
    seconds: float


def started(arguments: list[str], folder: str, longest: float) -> Done:
    """Run the command line in a process that is started afresh."""
    command = [sys.executable, "-m", "fairlattice", *arguments]
    before = os.times()
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=longest, check=False)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return Done(done.returncode, done.stdout, done.stderr, seconds)


def forked(arguments: list[str], folder: str, longest: float) -> Done:
    """Run the command line in a fork of a process that has imported everything."""
    with tempfile.TemporaryDirectory() as prints:
        process = _server().Process(target=_child, args=(arguments, folder, prints))
        process.start()
        process.join(longest)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"longer than {longest:.0f} s: {arguments}")
        out, error, seconds = (Path(prints, name).read_bytes() for name in ("out", "error", "seconds"))
        return Done(process.exitcode, out, error, float(seconds))


@functools.cache
def _server() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _child(arguments: list[str], folder: str, prints: str) -> None:
    os.chdir(folder)
    for number, name in ((1, "out"), (2, "error")):
        target = os.open(Path(prints, name), os.O_WRONLY | os.O_CREAT)
        os.dup2(target, number)
        os.close(target)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
    sys.argv = ["fairlattice", *arguments]
    try:
        runpy.run_module("fairlattice", run_name="__main__")
    finally:
        Path(prints, "seconds").write_text(str(time.process_time()))
