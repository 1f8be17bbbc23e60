"""Results as plain data: what is written as JSON, and all that any rendering may look at.

Nothing in it depends on when or where it was made, so the same inputs and seed give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np

from fairlattice.groups import Group, GroupLattice
from fairlattice.metrics import GroupChange, GroupRate

Summary = dict[str, Any]
_MOST_EMPTY = 100


def to_json(summary: Summary) -> str:
    """A summary as JSON text that ends in a newline."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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
