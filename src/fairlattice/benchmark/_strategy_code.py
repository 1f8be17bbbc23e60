"""A strategy as Python code: by its name, from a plugin's file, or with objects of the user's own."""

from __future__ import annotations

from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from fairlattice.benchmark._plugins import plugin_file
from fairlattice.strategies import Strategy
from fairlattice.strategies._shared import AnyStrategy


def strategy_code(strategy: AnyStrategy) -> str:
    """The strategy as an argument of :class:`FairClassifier`.

    A name is enough for ours. What comes from the files of ``--plugin`` is loaded from them, by paths relative to the
    current folder where they lie in it.

    Examples
    --------
    >>> from fairlattice.strategies import STRATEGIES
    >>> strategy_code(STRATEGIES["borrow"])
    "'borrow'"
    """
    own = {part: thing for part, thing in _parts(strategy).items() if not _is_ours(thing)}
    if not own:
        return repr(strategy.name)
    files = [plugin_file(thing) for thing in own.values()]
    known = list(dict.fromkeys(_short(file) for file in files if file is not None))
    if None not in files:
        paths = known[0] if len(known) == 1 else known
        return f"fl.benchmark.Plugins.of({paths!r}).strategy({strategy.name!r})"
    if not isinstance(strategy, Strategy):
        return _made(own[""])
    parts = {
        part: _made(thing) if part in own else repr(thing.name) for part, thing in _parts(strategy).items()
    }
    return f"fl.Strategy({', '.join(f'{part}={code}' for part, code in parts.items())})"


def _parts(strategy: AnyStrategy) -> dict[str, Any]:
    """The objects that a strategy consists of, by their part; a whole one of the user's own has none."""
    if isinstance(strategy, Strategy):
        return {part: getattr(strategy, part) for part in ("rows", "weights", "decision")}
    return {"": getattr(strategy, "inner", strategy)}


def _is_ours(thing: Any) -> bool:
    return type(thing).__module__.split(".")[0] == "fairlattice"


def _made(thing: Any) -> str:
    """How an object is made, as far as it says so."""
    return repr(thing) if is_dataclass(thing) else f"{type(thing).__name__}()"


def _short(file: str) -> str:
    path = Path(file)
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
