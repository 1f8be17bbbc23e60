"""Methods, strategies and data sets of the user's own: one class in one file, or a package's entry point.

A class that has ``name``, ``grid`` and ``make`` is a method; one that has ``name`` and ``load`` is a data set; one
that has ``name`` and ``fit``, or what a part of a strategy needs, is a strategy. Workers of `bench` load the same
files again, so only the names travel to them.
"""

from __future__ import annotations

import contextlib
import copyreg
import hashlib
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from fairlattice.benchmark._methods import METHODS, Method
from fairlattice.datasets import Dataset, dataset_names, register
from fairlattice.exceptions import InputError
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import AnyStrategy, strategy_of

_MODULE = "fairlattice_plugin_"


@dataclass(frozen=True)
class Plugins:
    """The files that methods, strategies and data sets come from, besides our own.

    Parameters
    ----------
    files : tuple of str
        Absolute paths.
    """

    files: tuple[str, ...] = ()

    @classmethod
    def of(cls, paths: str | Path | Sequence[str | Path]) -> Plugins:
        """The plugins in a file or in some files; all are loaded once to see that they can be.

        Parameters
        ----------
        paths : str, Path, or sequence of them
            Python files.

        Raises
        ------
        InputError
            If a file cannot be loaded, or holds no method, strategy or data set.
        """
        given = [paths] if isinstance(paths, str | Path) else paths
        plugins = cls(tuple(str(Path(path).resolve()) for path in given))
        plugins.load()
        return plugins

    def load(self) -> dict[str, Method]:
        """All methods by name, ours first; data sets are registered."""
        methods = dict(METHODS) | {name: method for name, (method, _) in _from_entry_points().items()}
        for file in self.files:
            methods |= _from_file(file, _digest(file)).methods
        return methods

    def strategies(self) -> dict[str, AnyStrategy]:
        """The strategies that are not ours, by name; a part of one comes with the parts that go with it."""
        found: dict[str, AnyStrategy] = {}
        for file in self.files:
            found |= _from_file(file, _digest(file)).strategies
        return found

    def strategy(self, name: str) -> AnyStrategy:
        """The strategy of a name, as ``--plugin`` reads it: one of the files, one of ours, or parts of both.

        Parameters
        ----------
        name : str
            As in "smote+root", where `root` is a part in one of the files.

        Raises
        ------
        InputError
            If a part of the name is neither ours nor in the files.
        """
        return strategy_of(name, known=self.strategies())

    def origins(self) -> dict[str, tuple[str]]:
        """A digest of where each method and strategy comes from that is not ours."""
        found = {name: (version,) for name, (_, version) in _from_entry_points().items()}
        for file in self.files:
            held = _from_file(file, _digest(file))
            found |= dict.fromkeys([*held.methods, *held.strategies], (_digest(file),))
        return found


@dataclass(frozen=True)
class _Held:
    """What a file holds, by name; its data sets are registered."""

    methods: dict[str, Method]
    strategies: dict[str, AnyStrategy]


def _digest(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {error.strerror or error}.") from error


@cache
def _from_file(file: str, digest: str) -> _Held:
    name = f"{_MODULE}{digest[:16]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"`{file}` is not a Python file. Pass a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with contextlib.redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
        found = _classes(module)
        methods = [thing() for thing in found if _is_method(thing)]
        data_sets = [thing() for thing in found if _is_data_set(thing)]
        strategies = [thing() for thing in found if _is_strategy(thing)]
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise InputError(f"`{file}` cannot be loaded: {type(error).__name__}: {error}.") from error
    if not methods and not data_sets and not strategies:
        raise InputError(
            f"`{file}` holds no method, no strategy and no data set. A method is a class with `name`, `about`, "
            "`grid` and `make`; a strategy one with `name` and `fit(table)`; a data set one with `name` and `load`."
        )
    for each in found:  # other processes cannot import the file, so they load it again
        copyreg.pickle(each, partial(_by_file, file))
    for data in data_sets:
        _register(data, file)
    known: dict[str, Method] = {}
    for method in methods:
        if _checked(method, file).name in known:
            raise InputError(f"`{file}` has two methods called `{method.name}`. Rename one.")
        known[method.name] = method
    return _Held(known, _strategies_by_name(strategies, file))


def plugin_file(thing: Any) -> str | None:
    """The plugin file that an object's class was loaded from, if any."""
    module = type(thing).__module__
    return getattr(sys.modules.get(module), "__file__", None) if module.startswith(_MODULE) else None


def _strategies_by_name(given: list[Any], file: str) -> dict[str, AnyStrategy]:
    """Strategies of a file, if their names differ from ours and from each other."""
    known: dict[str, AnyStrategy] = {}
    for strategy in map(strategy_of, given):
        _check_name(strategy.name, file)
        if strategy.name in STRATEGIES:
            raise InputError(
                f"`{file}` names its strategy `{strategy.name}`, which is one of ours. Rename it."
            )
        if strategy.name in known:
            raise InputError(f"`{file}` has two strategies called `{strategy.name}`. Rename one.")
        known[strategy.name] = strategy
    return known


def _by_file(file: str, thing: Any) -> tuple[Any, ...]:
    """How an object of a plugin is pickled: its file, its class by name, and its state."""
    return _of_file, (file, type(thing).__name__, dict(vars(thing)))


def _of_file(file: str, name: str, state: dict[str, Any]) -> Any:
    digest = _digest(file)
    _from_file(file, digest)
    kind = getattr(sys.modules[f"{_MODULE}{digest[:16]}"], name)
    thing = kind.__new__(kind)
    vars(thing).update(state)
    return thing


def _classes(module: ModuleType) -> list[Any]:
    """Classes written in the file itself, in its order."""
    return [c for _, c in vars(module).items() if inspect.isclass(c) and c.__module__ == module.__name__]


def _is_method(thing: Any) -> bool:
    return all(hasattr(thing, name) for name in ("name", "about", "grid", "make"))


def _is_data_set(thing: Any) -> bool:
    return all(hasattr(thing, name) for name in ("name", "load")) and not hasattr(thing, "make")


def _is_strategy(thing: Any) -> bool:
    """Whether a class is a strategy or a part of one; a helper without a name is neither."""
    if not isinstance(getattr(thing, "name", None), str):
        return False
    return any(callable(getattr(thing, name, None)) for name in ("fit", "draw", "weights", "choose"))


def _checked(method: Method, origin: str) -> Method:
    """The method, if it can be asked for and chosen among."""
    _check_name(method.name, origin)
    if not isinstance(method.about, str):
        raise InputError(f"`about` of method `{method.name}` in `{origin}` is not text. Write one line.")
    try:
        entries = [dict(entry) for entry in method.grid]
        json.dumps(entries, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`grid` of method `{method.name}` in `{origin}` is not a list of plain options: {error}. "
            'Write it as in ({"C": 0.1}, {"C": 1.0}).'
        ) from error
    if not entries:
        raise InputError(
            f"`grid` of method `{method.name}` in `{origin}` is empty. To run it once, write ({{}},)."
        )
    if method.name in METHODS:
        raise InputError(
            f"`{origin}` names its method `{method.name}`, which is one of ours. Name it otherwise."
        )
    return method


def _check_name(name: Any, origin: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name):
        raise InputError(
            f"`{origin}` has the name {name!r}. Use letters, digits, dots, dashes and underscores."
        )


_OWN_DATA_SETS = frozenset(dataset_names())


def _register(data: Any, origin: str) -> None:
    _check_name(data.name, origin)
    if data.name in _OWN_DATA_SETS:
        raise InputError(
            f"`{origin}` names its data set `{data.name}`, which is one of ours. Name it otherwise."
        )

    def load(data_dir: Path | None = None) -> Dataset:
        try:
            found = data.load(data_dir)
        except InputError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise InputError(f"Data set `{data.name}` of `{origin}` cannot be loaded: {reason}.") from error
        if not isinstance(found, Dataset):
            raise InputError(
                f"Data set `{data.name}` of `{origin}` loads a {type(found).__name__}. Return a Dataset."
            )
        return found

    register(data.name, load, about=str(getattr(data, "about", "")))


@cache
def _from_entry_points() -> dict[str, tuple[Method, str]]:
    """Methods of installed packages, and the version of each package; their data sets are registered."""
    found: dict[str, tuple[Method, str]] = {}
    for entry in entry_points(group="fairlattice.methods"):
        method = entry.load()()
        package = "" if entry.dist is None else f"{entry.dist.name}=={entry.dist.version}"
        found[method.name] = (_checked(method, entry.value), package)
    for entry in entry_points(group="fairlattice.datasets"):
        _register(entry.load()(), entry.value)
    return found
