"""The lattice for the explorer: every leaf, and the coarser groups that the report lets us know.

Counts add, so a coarser group is the sum of its leaves: rows, and successes as rate times rows. Where
rows are weighted, or small leaves were merged or left out, sums would be wrong; then only those
coarser groups are known that the report states itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from fairlattice._validation import FloatArray, IntArray
from fairlattice.metrics._shared import rate_interval
from fairlattice.report._page_words import TINY, cut, percent, rate_about, rate_text, shown

Summary = Mapping[str, Any]
_MOST_COARSER = 3_000
_DIGITS = 4


def explorer_data(summary: Summary) -> dict[str, Any] | None:
    """What the explorer shows; None where there is nothing to walk through."""
    attributes = summary["attributes"]
    if not attributes or not summary["measures"]:
        return None
    places = _Places(summary)
    kept, complete = places.coarser_sets()
    positive = summary["data"]["positive"]
    small = [(places.digits(s["group"]), s["action"]) for s in summary.get("small_groups", ())]
    return {
        "attributes": [
            {"name": cut(shown(a["name"])), "levels": [cut(shown(v)) for v in a["levels"]]}
            for a in attributes
        ],
        "rates": [
            {
                "id": rate,
                "name": rate_text(rate),
                "about": str(rate_about(rate, positive).striptags()),
                "rows": _rows(summary, rate, places, kept),
            }
            for rate in summary["measures"]
        ],
        "small": {_key(digits): action for digits, action in small if digits is not None},
        "complete": complete and not places.weighted and not places.lost,
        "tiny": TINY,
        "confidence": percent(summary["settings"]["confidence"]),
    }


class _Places:
    """Positions of groups: the index of each attribute's level, -1 where it is free."""

    def __init__(self, summary: Summary) -> None:
        self.names = [a["name"] for a in summary["attributes"]]
        self._index = [{repr(v): i for i, v in enumerate(a["levels"])} for a in summary["attributes"]]
        first = next(iter(summary["measures"].values()))["by_group"]
        found = [self.digits(g["group"]) for g in first]
        self.rows = [i for i, d in enumerate(found) if d is not None and min(d) >= 0]
        self.weighted = bool(summary.get("weighted"))
        lost = [
            self.digits(s["group"])
            for s in summary.get("small_groups", ())
            if s["action"] in ("merged", "dropped")
        ]
        self.lost = [d for d in lost if d is not None]
        leaves = [d for i in self.rows if (d := found[i]) is not None]
        self.leaves: IntArray = np.array([*leaves, *self.lost], dtype=np.int64).reshape(-1, len(self.names))

    def digits(self, group: Mapping[str, Any]) -> tuple[int, ...] | None:
        """A group's position; None if its levels are not those of the attributes."""
        found = [
            index.get(repr(group[n]), -2) if n in group else -1
            for n, index in zip(self.names, self._index, strict=True)
        ]
        return None if -2 in found else tuple(found)

    def coarser_sets(self) -> tuple[list[tuple[IntArray, IntArray]], bool]:
        """Of every set of attributes but all: its groups, and which of them each leaf belongs to.

        Larger sets are left out once there are too many groups to embed; whether all are there.
        """
        kept: list[tuple[IntArray, IntArray]] = []
        total = 0
        for fixed in self._sets():
            masked = np.full_like(self.leaves, -1)
            masked[:, fixed] = self.leaves[:, fixed]
            groups, member = np.unique(masked, axis=0, return_inverse=True)
            total += max(len(groups), 1)
            if total > _MOST_COARSER:
                return kept, False
            kept.append((groups, member.reshape(-1)))
        return kept, True

    def _sets(self) -> Iterator[list[int]]:
        for size in range(len(self.names)):
            yield from (list(c) for c in combinations(range(len(self.names)), size))


def _rows(
    summary: Summary, rate: str, places: _Places, kept: list[tuple[IntArray, IntArray]]
) -> dict[str, Any]:
    """Rows, rate and interval of every group known, by its key."""
    by_group = summary["measures"][rate]["by_group"]
    found: dict[str, Any] = {}
    if not places.weighted and len(places.leaves):
        n = np.array([by_group[i]["n"] for i in places.rows] + [np.nan] * len(places.lost))
        s = np.array(
            [round(g["n"] * (g["rate"] or 0.0)) for g in (by_group[i] for i in places.rows)], dtype=float
        )
        s = np.concatenate([s, np.full(len(places.lost), np.nan)])
        for groups, member in kept:
            sums = [np.bincount(member, weights=v, minlength=len(groups)) for v in (n, s)]
            trials, successes = (v.astype(np.float64) for v in sums)
            known = np.isfinite(trials)
            found |= _with_intervals(summary, groups[known], successes[known], trials[known])
    found |= _stated(summary, rate, places, found)
    for g in by_group:
        digits = places.digits(g["group"])
        if digits is not None:
            found[_key(digits)] = _entry(g["n"], g["rate"], g["low"], g["high"])
    return found


def _stated(summary: Summary, rate: str, places: _Places, known: Mapping[str, Any]) -> dict[str, Any]:
    """Coarser groups that the report states and that could not be summed."""
    told = [
        *(w for w in summary.get("worse_off", ()) if w["measure"] == rate),
        *summary.get("levels", {}).get(rate, ()),  # the later of two counts, as it is not rounded
    ]
    rows = [(d, g) for g in told if (d := places.digits(g["group"])) is not None and _key(d) not in known]
    if not rows:
        return {}
    trials = np.array([g["n"] for _, g in rows], dtype=float)
    successes = trials * np.array([g["rate"] or 0.0 for _, g in rows])
    return _with_intervals(summary, np.array([d for d, _ in rows]), successes, trials)


def _with_intervals(
    summary: Summary, groups: IntArray, successes: FloatArray, trials: FloatArray
) -> dict[str, Any]:
    settings = summary["settings"]
    low, high = rate_interval(
        successes, trials, confidence=settings["confidence"], method=settings.get("interval", "jeffreys")
    )
    rates = successes / np.maximum(trials, 1e-300)
    return {
        _key(g): _entry(t, r if t > 0 else None, a, b)
        for g, t, r, a, b in zip(
            groups.tolist(), trials.tolist(), rates.tolist(), low.tolist(), high.tolist(), strict=True
        )
    }


def _entry(n: float, rate: float | None, low: float, high: float) -> list[float | None]:
    size = int(n) if float(n).is_integer() else round(n, 1)
    if rate is None:
        return [size, None, None, None]
    return [size, round(rate, _DIGITS), round(low, _DIGITS), round(high, _DIGITS)]


def _key(digits: Any) -> str:
    return ".".join("*" if d < 0 else str(d) for d in digits)
