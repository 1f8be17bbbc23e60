"""What the benchmarks share: jobs timed in turns, their ratios, and commands with their peak memory."""

import json
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np

TURNS = 5

# A child starts with the peak memory of the process that forked it, so a small one stands between.
_LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
running = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
problem = running.stderr.read().decode()
_, status, usage = os.wait4(running.pid, 0)
seconds = time.perf_counter() - start
print(json.dumps([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status, problem]))
"""


class Launched(NamedTuple):
    """What a command cost."""

    seconds: float
    processor: float  # seconds
    peak: float  # memory, in GB


def launched(command):
    """Run a command; it must succeed."""
    found = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, *command], stdout=subprocess.PIPE, check=True, text=True
    )
    seconds, processor, peak, status, problem = json.loads(found.stdout)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {problem}")
    return Launched(seconds, processor, gigabytes(peak))


def gigabytes(maxrss):
    """Of what the system tells as the peak memory of a process."""
    return maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def in_turns(jobs):
    """Seconds of every job, a turn of each after the other; the first turn is not kept."""
    found = [{name: _seconds_of(job) for name, job in jobs.items()} for _ in range(TURNS + 1)]
    return {name: np.array([turn[name] for turn in found[1:]]) for name in jobs}


def _seconds_of(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(over, under):
    """The median of ratios of the same turn, and the least and greatest."""
    each = over / under
    return f"{np.median(each):,.2f} ({each.min():,.2f} to {each.max():,.2f})"


def say(text):
    print(text, flush=True)
