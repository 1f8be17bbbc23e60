"""Generated tables and options against the library and the command line: refused in a line, or read right.

Run ``python benchmarks/fuzz.py api 1000`` or ``python benchmarks/fuzz.py cli 200``. It continues where it stopped: the
state file (``--state``) holds how many cases have run, and every failure with its seed. Hypothesis draws what a table
is made of (names, kinds of columns, spellings, sizes, options); its values come from a seed that is drawn too.

A case fails if it raises anything but an ``InputError``, warns otherwise than by a ``FairlatticeWarning``, writes NaN
as JSON, changes its input, leaves a file half written, changes or reorders an old row, composes a category, shows an
escape code, or takes more than a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _fuzz_cases import CALLS, COMMANDS, cases
from _fuzz_command_line import run_command_line
from _fuzz_python import run_python
from hypothesis import HealthCheck, Phase, given, seed, settings

_SLOWEST = 60  # seconds
_PARTS: dict[str, tuple[Callable[[dict[str, Any]], str], list[str]]] = {
    "api": (run_python, CALLS),
    "cli": (run_command_line, COMMANDS),
}


def main() -> None:
    """Run cases in blocks of 50, each under a seed of its own, and keep the state after every block."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=list(_PARTS))
    parser.add_argument("cases", type=int, help="how many to run now")
    parser.add_argument("--state", type=Path, default=Path("fuzz.json"), help="where the counts are kept")
    parser.add_argument("--block", type=int, default=50, help="cases of a block")
    parser.add_argument("--only", type=int, help="run this block alone, and keep no state")
    arguments = parser.parse_args()
    os.environ["COLUMNS"] = "80"
    states = json.loads(arguments.state.read_text()) if arguments.state.exists() else {}
    empty = {"blocks": 0, "cases": 0, "outcomes": {}, "failures": []}
    state = empty if arguments.only is not None else states.setdefault(arguments.part, empty)
    if arguments.only is not None:
        _block(arguments.part, state | {"blocks": arguments.only}, arguments.block)
        print(*state["failures"], sep="\n")
        return
    until = state["cases"] + arguments.cases
    while state["cases"] < until:
        _block(arguments.part, state, arguments.block)
        part = arguments.state.with_suffix(".part")
        part.write_text(json.dumps(states, indent=1))
        part.replace(arguments.state)
        if state["blocks"] % 20 == 0:
            print(f"{state['cases']:,} cases, {len(state['failures'])} failures", flush=True)
    print(json.dumps(state["outcomes"], indent=1), *state["failures"][-20:], sep="\n")
    raise SystemExit(1 if state["failures"] else 0)


def _block(part: str, state: dict[str, Any], size: int) -> None:
    run, calls = _PARTS[part]
    outcomes, failures, count = Counter(state["outcomes"]), state["failures"], 0

    @seed(state["blocks"])
    @settings(
        max_examples=size,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(calls))
    def each(case: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        started = time.process_time()
        try:
            outcome = run(case)
            took = time.process_time() - started
            assert took < _SLOWEST, f"{took:.0f} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            outcome = f"{case['what']} FAILED"
            failures.append(f"block {state['blocks']}: {_shown(case, error)}")
        outcomes[outcome] += 1

    each()
    state["outcomes"] = dict(sorted(outcomes.items()))
    state["cases"] += count
    state["blocks"] += 1


def _shown(case: dict[str, Any], error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "fairlattice" in f.filename] or frames
    where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(ours[-3:]))
    options = {k: v for k, v in case.items() if k != "frame"}
    schema = {name: str(kind) for name, kind in case["frame"].schema.items()}
    return f"{type(error).__name__}: {str(error)[:400]} at {where}; {options}; {schema}; {case['frame'].height} rows"


if __name__ == "__main__":
    main()
