"""Strategies by name, by the names of their parts, and of the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairlattice._validation import did_you_mean
from fairlattice.exceptions import InputError
from fairlattice.strategies._decisions import DECISIONS
from fairlattice.strategies._strategy import (
    AUTO,
    DEFAULT,
    KINDS,
    STRATEGIES,
    AnyStrategy,
    FittedStrategy,
    Strategy,
)
from fairlattice.strategies._training import TrainingRows, TrainingTable


@dataclass(frozen=True)
class OwnStrategy:
    """A strategy of the user's own: an object with `name` and ``fit(table)``, which returns a fitted classifier.

    The classifier predicts labels by ``predict(X)``, or by ``predict(X, sensitive_features=levels)`` where the object
    says ``needs_groups = True``.
    """

    inner: Any

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.inner.name)

    @property
    def about(self) -> str:
        """One line for a reader."""
        return str(getattr(self.inner, "about", "a strategy of your own"))

    @property
    def makes_rows(self) -> bool:
        """Whether it trains on synthetic rows."""
        return bool(getattr(self.inner, "makes_rows", False))

    @property
    def uses_groups(self) -> bool:
        """Whether it looks at the groups of the training rows; yes, unless it says no."""
        return bool(getattr(self.inner, "uses_groups", True))

    @property
    def needs_groups(self) -> bool:
        """Whether the groups are needed at prediction."""
        return bool(getattr(self.inner, "needs_groups", False))

    @property
    def ablations(self) -> tuple[Strategy, ...]:
        """What its gains are measured against, if it says so."""
        return tuple(getattr(self.inner, "ablations", ()))

    def fit(self, table: TrainingTable, rows: TrainingRows | None = None) -> FittedStrategy:  # noqa: ARG002
        """Train by its own ``fit``."""
        model = self.inner.fit(table)
        if not hasattr(model, "predict"):
            raise InputError(
                f"`fit` of strategy `{self.name}` must return a fitted classifier with `predict`; "
                f"got {type(model).__name__}."
            )
        return FittedStrategy(model, None, table.classes, own_groups=self.needs_groups)


def strategy_of(
    given: Any, *, known: Mapping[str, AnyStrategy] | None = None, auto: str = DEFAULT
) -> AnyStrategy:
    """The strategy that a name, a text such as "smote+learned", or an object means.

    Parameters
    ----------
    given : str, Strategy or object
        A preset's name; "auto"; names of parts with + between them; a
        :class:`Strategy`; a part of your own; or an object with `name` and ``fit(table)``, as :class:`OwnStrategy`
        describes.
    known : mapping of str to strategy, optional
        Further strategies by name, such as those of plugins.
    auto : str, default="minimax"
        The preset that "auto" means.

    Raises
    ------
    InputError
        If a name is unknown, a part is named twice, or an object is not a strategy.

    Examples
    --------
    >>> strategy_of("borrow+thresholds").about
    'learned weights, spread over rows that resemble the cell; a score threshold per leaf, shrunk up the lattice; \
needs the groups at prediction'
    >>> strategy_of("smote+learned") == Strategy(rows="smote", weights="learned")
    True
    """
    if isinstance(given, Strategy | OwnStrategy):
        return given
    if isinstance(given, str):
        presets: Mapping[str, AnyStrategy] = {**STRATEGIES, AUTO: STRATEGIES[auto], **(known or {})}
        return presets[given] if given in presets else _composed(given, presets)
    if (part := part_of_own(given)) is not None:
        return part
    if hasattr(given, "name") and callable(getattr(given, "fit", None)) and not isinstance(given, type):
        if not isinstance(given.name, str) or not re.fullmatch(r"[\w.+-]+", given.name):
            raise InputError(
                f"A strategy has the name {given.name!r}. Use letters, digits, dots, dashes and underscores."
            )
        return OwnStrategy(given)
    raise InputError(
        "A strategy is a name, such as 'equal' or 'smote+learned', a `Strategy`, or an object with `name` and "
        f"`fit(table)`; got {given!r}."
    )


def strategies_of(
    given: Iterable[Any], *, known: Mapping[str, AnyStrategy] | None = None, auto: str = DEFAULT
) -> list[AnyStrategy]:
    """The strategies of a list, each once.

    Raises
    ------
    InputError
        As :func:`strategy_of`; also if the list is empty, or two different strategies have one name.
    """
    if isinstance(given, str):
        raise InputError(f"`strategies` must be a sequence, got {given!r}. Write [{given!r}].")
    found: dict[str, AnyStrategy] = {}
    for strategy in (strategy_of(each, known=known, auto=auto) for each in given):
        if found.setdefault(strategy.name, strategy) != strategy:
            raise InputError(f"Two strategies are called `{strategy.name}`. Rename one.")
    if not found:
        raise InputError("`strategies` must name at least one strategy.")
    return list(found.values())


def aimed_at(strategy: AnyStrategy, notion: str) -> AnyStrategy:
    """The same with a decision that aims at a notion of fairness, where it can."""
    aim = getattr(getattr(strategy, "decision", None), "for_notion", None)
    if not isinstance(strategy, Strategy) or aim is None:
        return strategy
    return replace(strategy, decision=aim(notion))


def by_model(strategies: Sequence[AnyStrategy]) -> list[list[AnyStrategy]]:
    """The strategies in groups that share a model, as they differ in their decision alone."""
    groups: list[tuple[Any, list[AnyStrategy]]] = []
    for strategy in strategies:
        trains = strategy.trains if isinstance(strategy, Strategy) else strategy
        found = next((group for known, group in groups if known == trains), None)
        if found is None:
            groups.append((trains, [strategy]))
        else:
            found.append(strategy)
    return [group for _, group in groups]


def _composed(text: str, presets: Mapping[str, AnyStrategy]) -> Strategy:
    """The strategy that names of parts, or of presets, with + between them describe."""
    parts: dict[str, Any] = {}
    for word in text.split("+"):
        named = _parts_named(word, presets)
        if named is None:
            words = [*presets, *(name for kind in KINDS for name in kind.known)]
            raise InputError(
                f"No strategy is called {word!r}. The strategies are {', '.join(presets)}, and parts with + "
                f"between them.{did_you_mean(word, words)}"
            )
        twice = set(named) & set(parts)
        if twice:
            raise InputError(f"Strategy {text!r} names two parts of one kind, `{min(twice)}`. Name one.")
        parts |= named
    default = "equal" if "rows" in parts else "label"
    return Strategy(**{"weights": default, **parts})


def _parts_named(word: str, presets: Mapping[str, AnyStrategy]) -> dict[str, Any] | None:
    """The part that a word names: by its own name, or by that of the preset that is known for it."""
    for kind in KINDS:
        if word in kind.known:
            return {kind.part: word}
    preset = presets.get(word)
    if not isinstance(preset, Strategy):
        return None
    if preset.makes_rows:
        return {"rows": preset.rows}
    if preset.decision != DECISIONS[".5"]:
        return {"decision": preset.decision}
    return {"weights": preset.weights}


def part_of_own(given: Any) -> Strategy | None:
    """A strategy around a part of the user's own, or None where the object is not a part.

    A row source is followed by equal weights, and a decision follows class weights.
    """
    if isinstance(given, type):
        return None
    for kind, rest in zip(KINDS, ({}, {}, {"weights": "label"}), strict=True):
        if all(hasattr(given, name) for name in kind.needed):
            return Strategy(**{kind.part: given}, **rest)
    return None
