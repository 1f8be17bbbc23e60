"""Kill `augment`, `bench` and `compare` at random moments, fill the disk, take write permission away.

Run ``python benchmarks/kill.py 100``. It continues where it stopped: the state file (``--state``) holds the counts.
Every other kill of a command with worker processes falls while these start.

After every kill the target must hold what it held before or the whole result, the input must be as it was, the same
command must succeed and leave nothing else behind, workers must be gone within seconds, and a store of results must
hold every trial once.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

OLD = b"what was there before\n"
RUN = [sys.executable, "-m", "fairlattice"]
COMMANDS = {
    "augment": (["augment", "t.csv", "--label", "y", "--sensitive", "s", "--out", "out.csv"], "out.csv"),
    "augment --stream": (
        ["augment", "t.csv", "--label", "y", "--sensitive", "s", "--out", "out.parquet", "--stream"],
        "out.parquet",
    ),
    "compare": (
        ["compare", "t.csv", "--label", "y", "--sensitive", "s", "--strategies", "none,equal", "--jobs", "2",
         "--json", "out.json"],
        "out.json",
    ),
    "bench": (
        ["bench", "run", "--datasets", "diabetes", "--methods", "logistic,boosting", "--seeds", "4",
         "--jobs", "2", "--store", "store.db", "--json", "out.json"],
        "out.json",
    ),
}  # fmt: skip


ROWS = {"augment": 100_000, "augment --stream": 100_000}


def table(folder: Path, rows: int) -> Path:
    """An input."""
    rng = np.random.default_rng(0)
    x, s = rng.normal(size=rows), rng.choice(["a", "b", "c"], rows, p=[0.1, 0.3, 0.6])
    path = folder / "t.csv"
    pl.DataFrame({"y": (x + rng.normal(size=rows) > 0).astype(int), "s": s, "x": x}).write_csv(path)
    return path


def workers(folder: Path) -> set[int]:
    """Worker processes that were started in a folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if (
                    b"loky" in (entry / "cmdline").read_bytes()
                    and (entry / "cwd").readlink() == folder.resolve()
                ):
                    found.add(int(entry.name))
    return found


def killed(command: str, rng: random.Random, *, starting: bool = False) -> str:
    """Kill one command at a random moment, or while its workers start, and check what is left."""
    arguments, target = COMMANDS[command]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = table(folder, ROWS.get(command, 3000))
        content = source.read_bytes()
        (folder / target).write_bytes(OLD)
        started = subprocess.Popen(
            [*RUN, *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if starting:
            while not workers(folder) and started.poll() is None:
                time.sleep(0.01)
            time.sleep(rng.uniform(0.0, 0.5))
        else:
            time.sleep(rng.uniform(0.3, 5.0))
        over = started.poll() is not None
        started.send_signal(signal.SIGKILL)
        started.wait()
        _check(source.read_bytes() == content, f"{command}: the input was changed")
        left = (folder / target).read_bytes()
        _check(left == OLD or over or _whole(folder / target), f"{command}: {target} is half written")
        deadline = time.monotonic() + 15
        while workers(folder) and time.monotonic() < deadline:
            time.sleep(0.2)
        _check(not workers(folder), f"{command}: workers outlived it")
        again = subprocess.run([*RUN, *arguments], cwd=folder, capture_output=True, check=False, timeout=300)
        _check(again.returncode == 0, f"{command}: {again.stderr[-300:]!r}")
        _check(_whole(folder / target), f"{command}: the second run left {target} half written")
        stray = [p.name for p in folder.iterdir() if p.name.endswith(".part")]
        _check(not stray, f"{command}: {stray} stayed")
        if command == "bench":
            _check_store(folder / "store.db")
    return "over before" if over else "killed while workers start" if starting else "killed"


def _whole(path: Path) -> bool:
    try:
        if path.suffix == ".json":
            return path.read_bytes().rstrip().endswith(b"}")
        found = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    except Exception:  # noqa: BLE001 - not whole, whatever is wrong
        return False
    return found.height > 100_000


def _check_store(path: Path) -> None:
    """Every trial once."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as store:
        tables = [row[0] for row in store.execute("select name from sqlite_master where type = 'table'")]
        rows = {name: store.execute(f"select * from {name}").fetchall() for name in tables}
    for name, found in rows.items():
        _check(len(found) == len(set(map(repr, found))), f"bench: {name} holds a row twice")


def full_disk(command: str) -> str:
    """A limit on the size of files stands for a full disk."""
    arguments, target = COMMANDS[command]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = table(folder, ROWS.get(command, 3000))
        content, limit = source.read_bytes(), 2_000
        (folder / target).write_bytes(OLD)

        def limited() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = subprocess.run(
            [*RUN, *arguments], cwd=folder, capture_output=True, check=False, timeout=300, preexec_fn=limited
        )
        error = done.stderr.decode(errors="replace")
        _check(
            done.returncode == 2 and "Traceback" not in error, f"{command}: {done.returncode} {error[-300:]}"
        )
        _check("`t.csv`" not in error, f"{command}: the input is blamed: {error[-300:]}")
        _check((folder / target).read_bytes() == OLD, f"{command}: {target} was lost")
        _check(source.read_bytes() == content, f"{command}: the input was changed")
        _check(not [p for p in folder.iterdir() if p.name.endswith(".part")], f"{command}: leftovers")
    return "refused"


def _obey_permissions() -> None:
    """Give up what lets the administrator write anywhere (Linux: CAP_DAC_OVERRIDE)."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


def no_permission(command: str) -> str:
    """A folder that may not be written to."""
    arguments, target = COMMANDS[command]
    name = tempfile.mkdtemp()
    folder = Path(name)
    try:
        source = table(folder, ROWS.get(command, 3000))
        (folder / target).write_bytes(OLD)
        folder.chmod(0o555)
        done = subprocess.run(
            [*RUN, *arguments], cwd=folder, capture_output=True, check=False, timeout=300,
            preexec_fn=_obey_permissions,
        )  # fmt: skip
        error = done.stderr.decode(errors="replace")
        _check(
            done.returncode == 2 and error.count("\n") == 1, f"{command}: {done.returncode} {error[-300:]}"
        )
        _check((folder / target).read_bytes() == OLD, f"{command}: {target} was lost")
        _check(source.exists(), f"{command}: the input is gone")
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)
    return "refused"


class WrongError(AssertionError):
    """Something is wrong."""


def _check(fine: bool, words: str) -> None:
    if not fine:
        raise WrongError(words)


def trials(kills: int, seed: int) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Kind, command and what to run, in an order that does not change; each has random numbers of its own."""
    for command in COMMANDS:
        yield "disk full", command, partial(full_disk, command)
        yield "no permission", command, partial(no_permission, command)
    for i in range(kills):
        turn, k = divmod(i, len(COMMANDS))
        command, rng = list(COMMANDS)[k], random.Random(f"{seed} {i}")
        starting = "--jobs" in COMMANDS[command][0] and turn % 2 == 1
        yield "kill", command, partial(killed, command, rng, starting=starting)


def main() -> None:
    """Run the trials that are left, keep the state after each, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", type=int, help="how often to kill, those of earlier runs included")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path, default=Path("kill.json"), help="where the counts are kept")
    arguments = parser.parse_args()
    empty = {"trials": 0, "outcomes": {}, "wrong": []}
    state = json.loads(arguments.state.read_text()) if arguments.state.exists() else empty
    for kind, command, trial in islice(trials(arguments.kills, arguments.seed), state["trials"], None):
        try:
            outcome = trial()
        except WrongError as error:
            outcome = "WRONG"
            state["wrong"].append(f"{kind}: {error}")
            print(state["wrong"][-1], flush=True)
        name = f"{kind} of {command}: {outcome}"
        state["outcomes"][name] = state["outcomes"].get(name, 0) + 1
        state["trials"] += 1
        part = arguments.state.with_suffix(".part")
        part.write_text(json.dumps(state, indent=1))
        part.replace(arguments.state)
        print(f"{state['trials']}: {name}", flush=True)
    for line, n in sorted(state["outcomes"].items()):
        print(f"{n:4} {line}")
    print(*state["wrong"], sep="\n")
    raise SystemExit(1 if state["wrong"] else 0)


if __name__ == "__main__":
    main()
