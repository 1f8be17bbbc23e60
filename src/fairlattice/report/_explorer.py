"""The lattice for the explorer: every leaf, and every coarser group as a sum of all of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlattice.report._document import Summary
from fairlattice.report._words import TINY, cut, percent, rate_text, shown

_DIGITS = 4


def explorer_data(summary: Summary, about: Mapping[str, str]) -> dict[str, Any]:
    """What the explorer shows, with what each rate is `about`."""
    attributes = summary["attributes"]
    places = _Places(summary)
    small = [(places.digits(s["group"]), s["action"]) for s in summary.get("small_groups", ())]
    return {
        "attributes": [
            {"name": cut(shown(a["name"])), "levels": [cut(shown(v)) for v in a["levels"]]}
            for a in attributes
        ],
        "rates": [
            {"id": rate, "name": rate_text(rate), "about": about[rate], "rows": _rows(summary, rate, places)}
            for rate in summary["measures"]
        ],
        "small": {_key(digits): action for digits, action in small if digits is not None},
        "complete": summary["coarser"]["complete"],
        "tiny": TINY,
        "confidence": percent(summary["settings"]["confidence"]),
    }


class _Places:
    """Positions of groups: the index of each attribute's level, -1 where it is free."""

    def __init__(self, summary: Summary) -> None:
        self.names = [a["name"] for a in summary["attributes"]]
        self._index = [{repr(v): i for i, v in enumerate(a["levels"])} for a in summary["attributes"]]

    def digits(self, group: Mapping[str, Any]) -> tuple[int, ...] | None:
        """A group's position; None if its levels are not those of the attributes."""
        found = [
            index.get(repr(group[n]), -2) if n in group else -1
            for n, index in zip(self.names, self._index, strict=True)
        ]
        return None if -2 in found else tuple(found)


def _rows(summary: Summary, rate: str, places: _Places) -> dict[str, Any]:
    """Rows, rate and interval of every group known, by its key."""
    coarser = summary["coarser"]["by_rate"].get(rate, ())
    listed = [(places.digits(g["group"]), g) for g in (*coarser, *summary["measures"][rate]["by_group"])]
    return {_key(d): _entry(g["n"], g["rate"], g["low"], g["high"]) for d, g in listed if d is not None}


def _entry(n: float, rate: float | None, low: float, high: float) -> list[float | None]:
    size = int(n) if float(n).is_integer() else round(n, 1)
    if rate is None:
        return [size, None, None, None]
    return [size, round(rate, _DIGITS), round(low, _DIGITS), round(high, _DIGITS)]


def _key(digits: Any) -> str:
    return ".".join("*" if d < 0 else str(d) for d in digits)
