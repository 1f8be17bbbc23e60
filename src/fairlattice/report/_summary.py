"""Results as plain data: what is written as JSON, and all that any rendering may look at.

Nothing in it depends on when or where it was made, so the same inputs and seed give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib.metadata import version
from itertools import islice
from math import isfinite
from typing import Any

import numpy as np

from fairlattice.groups import Group, GroupLattice
from fairlattice.metrics import GroupChange, GroupRate

Summary = dict[str, Any]
_MOST_EMPTY = 100


def to_json(summary: Summary) -> str:
    """A summary as JSON text that ends in a newline.

    Raises
    ------
    ValueError
        If a figure is NaN or infinite, which JSON has no word for.
    """
    return _text(summary, "\n") + "\n"


def _text(value: Any, line: str) -> str:
    """What ``json.dumps(…, indent=2, ensure_ascii=False, allow_nan=False)`` writes, in half the time or less.

    That is one generator within another for every level of every value; here a value is a string at once. Lines begin
    with `line`, a line feed and blanks.
    """
    scalar = _SCALARS.get(type(value))
    if scalar is not None:
        return scalar(value)
    inner, known = line + "  ", _SCALARS
    if isinstance(value, dict):
        parts = [
            f"{_key(k)}: {known[type(v)](v) if type(v) in known else _text(v, inner)}"
            for k, v in value.items()
        ]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}" if parts else "{}"
    if isinstance(value, list | tuple):
        parts = [known[type(v)](v) if type(v) in known else _text(v, inner) for v in value]
        return f"[{inner}{f',{inner}'.join(parts)}{line}]" if parts else "[]"
    return _ENCODER.encode(value)


def _number(value: float) -> str:
    return float.__repr__(value) if isfinite(value) else _ENCODER.encode(value)


def _key(key: Any) -> str:
    return json.encoder.encode_basestring(key) if isinstance(key, str) else f'"{_ENCODER.encode(key)}"'


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_SCALARS: dict[type, Callable[[Any], str]] = {
    str: json.encoder.encode_basestring,
    int: int.__repr__,
    float: _number,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}


def versions() -> Summary:
    """What the figures were computed with."""
    return {name: version(name) for name in ("fairlattice", "numpy", "scipy", "scikit-learn")}


def change_row(change: GroupChange, **more: Any) -> Summary:
    """One group's rate before and after."""
    return {
        "group": change.group,
        "measure": change.rate,
        "before": change.before,
        "after": change.after,
        **more,
    }


def group_row(g: GroupRate) -> Summary:
    return {"group": g.group, "n": g.n, "rate": g.rate, "low": g.low, "high": g.high}


def attribute_rows(lattice: GroupLattice) -> list[Summary]:
    return [a.plain() for a in lattice.attributes]


def empty_groups(lattice: GroupLattice, codes: Any) -> Summary:
    """How many leaves have no rows, and the first of them."""
    empty: Iterable[Group] = (lattice.group(leaf) for leaf in lattice.empty_leaves(codes))
    return {"n": lattice.n_leaves - len(np.unique(codes)), "first": list(islice(empty, _MOST_EMPTY))}
