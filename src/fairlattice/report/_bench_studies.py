"""Experiments read as studies, and what is said of each: who is fairer beyond noise, who levels down.

A study is all tables of one data set under one protocol, over growing numbers of attributes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairlattice.report._document import Line, Name, Summary, span
from fairlattice.report._words import label_of, listed

FIGURES = ("tradeoff", "tradeoff_tpr", "groups", "axes")
_MOST_NAMED = 3


@dataclass(frozen=True)
class Study:
    """The tables of one data set under one protocol, by growing numbers of attributes.

    Parameters
    ----------
    name : str
        Part of names of files and of ids: small letters, digits and underscores, unique in the document.
    title : Line
        The data set.
    plain : str
        The same for charts.
    tables : sequence of mapping
        At least one.
    """

    name: str
    title: Line
    plain: str
    tables: Sequence[Summary]

    @property
    def main(self) -> Summary:
        """The table of most attributes that holds methods; without any, the last."""
        return next((t for t in reversed(self.tables) if t["methods"]), self.tables[-1])


def studies(summary: Summary) -> list[Study]:
    """The tables as studies, in the order of their first tables."""
    tables = list(summary["tables"])
    chains: list[list[int]] = []
    for i in sorted(range(len(tables)), key=lambda i: len(tables[i]["attributes"])):
        chain = next((c for c in chains if _goes_on(tables[c[-1]], tables[i])), None)
        if chain is None:
            chains.append([i])
        else:
            chain.append(i)
    taken: set[str] = set()
    seen: dict[str, int] = {}
    found = []
    for chain in sorted(chains, key=min):
        label = tables[chain[0]]["data"]["name"]
        seen[str(label)] = nth = seen.get(str(label), 0) + 1
        more = f" ({nth})" if nth > 1 else ""
        name, title = _safe(str(label), taken), Line(Name(label), more)
        found.append(Study(name, title, label_of(label, 40) + more, [tables[i] for i in chain]))
    return found


def _goes_on(before: Summary, after: Summary) -> bool:
    """Whether a table is another one with further attributes."""
    if any(before["data"][k] != after["data"][k] for k in ("name", "rows")) or _kept(before) != _kept(after):
        return False
    fewer, more = ([a["name"] for a in t["attributes"]] for t in (before, after))
    return len(fewer) < len(more) and more[: len(fewer)] == fewer


def _kept(table: Summary) -> str:
    return json.dumps(table["settings"], sort_keys=True)


def _safe(label: str, taken: set[str]) -> str:
    """A name for files none of whose figures is called as another's."""
    stem = re.sub(r"[^a-z0-9]+", "_", label.lower()[:200]).strip("_")[:40].strip("_") or "data"
    nth = 1
    while True:
        found = stem if nth == 1 else f"{stem}_{nth}"
        names = {f"{kind}_{found}" for kind in FIGURES}
        if not names & taken:
            taken |= names
            return found
        nth += 1


def mark_of(method: Summary, figure: str, *, up: bool, against: str | None = None) -> str | None:
    """Whether the difference to its baseline is a gain or a loss beyond noise: "better", "worse" or None."""
    d = method["differences"].get(against or method["baseline"], {}).get(figure)
    if d is None or d["within_noise"]:
        return None
    return "better" if (d["mean"] > 0) == up else "worse"


def with_strategy(baseline: str, strategy: str) -> str:
    """A method on the rows of a strategy, by name."""
    return f"{baseline}+{strategy}" if strategy else baseline


def against_words(table: Summary, strategy: str = "") -> Line:
    """What the methods of a table are compared with; each may have a baseline of its own."""
    found = list(dict.fromkeys(with_strategy(m["baseline"], strategy) for m in table["methods"]))
    if len(found) == 1:
        return Line(Name(found[0]))
    with_equal = "the same method with equal sampling"
    return Line(with_equal if strategy else "the same method without a strategy")


@dataclass(frozen=True)
class Verdicts:
    """Methods against those they are compared with, by unfairness in equalized odds.

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
    """Every method against its baseline, or against the baseline with a strategy."""
    found: dict[str | None, list[Summary]] = {"better": [], "worse": [], None: []}
    for m in table["methods"]:
        against = with_strategy(m["baseline"], strategy)
        if against in m["differences"]:
            found[mark_of(m, "equalized_odds.if", up=False, against=against)].append(m)
    return Verdicts(found["better"], found["worse"], found[None])


def leveled(table: Summary) -> list[Summary]:
    """The methods that are fairer while the worst-off group fares worse."""
    return [m for m in table["methods"] if m["leveling_down"]["verdict"] == "yes"]


def methods_named(methods: Sequence[Summary], most: int = _MOST_NAMED) -> Line:
    """Their names in a sentence, the first of them where there are many."""
    parts: list[Any] = [span("part", Name(m["name"])) for m in methods]
    return listed(parts, most=most)
