"""Methods beside what they are compared with: marks, who is fairer beyond noise, who levels down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlattice.report._text import mark

Summary = Mapping[str, Any]


def bench_mark(method: Summary, figure: str, *, up: bool, against: str | None = None) -> str:
    """▲ where the difference to its baseline is a gain beyond noise, ▼ where a loss, else nothing."""
    return mark(method, figure, up=up, against=against or method["baseline"])


def baselines(table: Summary, strategy: str = "") -> list[str]:
    """What the methods of a table are compared with, by name."""
    return list(dict.fromkeys(with_strategy(m["baseline"], strategy) for m in table["methods"]))


def baseline_words(table: Summary, strategy: str = "") -> str:
    """The same in words, where each method has a baseline of its own."""
    found = baselines(table, strategy)
    if len(found) == 1:
        return found[0]
    return "the same method with equal sampling" if strategy else "the same method without a strategy"


@dataclass(frozen=True)
class Verdicts:
    """Methods beside those they are compared with, by unfairness in equalized odds.

    Parameters
    ----------
    fairer, less, noise : list of mapping
        Methods that are fairer beyond noise, less fair beyond noise, and neither.
    """

    fairer: list[Summary]
    less: list[Summary]
    noise: list[Summary]

    @property
    def compared(self) -> int:
        """How many there are."""
        return len(self.fairer) + len(self.less) + len(self.noise)


def verdicts(table: Summary, strategy: str = "") -> Verdicts:
    """Every method beside its baseline, or beside the baseline with a strategy."""
    found: dict[str, list[Summary]] = {"▲": [], "▼": [], "": []}
    for m in table["methods"]:
        against = with_strategy(m["baseline"], strategy)
        if against in m["differences"]:
            found[bench_mark(m, "equalized_odds.if", up=False, against=against)].append(m)
    return Verdicts(found["▲"], found["▼"], found[""])


def with_strategy(baseline: str, strategy: str) -> str:
    """A method on the rows of a strategy, by name."""
    return f"{baseline}+{strategy}" if strategy else baseline


def leveled(table: Summary) -> list[Summary]:
    """The methods that are fairer while the worst-off group fares worse."""
    return [m for m in table["methods"] if m["leveling_down"]["verdict"] == "yes"]
