"""Rates as a frame of the user's own library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from fairlattice.groups._shared import show_level
from fairlattice.metrics._any_metric import GroupMetric
from fairlattice.metrics._group_rate import GroupRate

_EAGER = ("pandas", "polars", "pyarrow", "modin", "cudf")
DEFAULT = "polars"


def library_of(data: Any) -> str:
    """The library that data came from, if it can make frames of lists; else the default."""
    name = type(data).__module__.partition(".")[0]
    return name if name in _EAGER else DEFAULT


def frame_of(rate: str, rows: Sequence[GroupRate | GroupMetric], names: Sequence[str], backend: str) -> Any:
    """One row per group: its levels, the rate, its interval, and the rows that it is about."""
    columns: dict[str, list[Any]] = {name: _levels([r.group.get(name) for r in rows]) for name in names}
    columns[rate] = [r.rate if isinstance(r, GroupRate) else r.value for r in rows]
    columns |= {"low": [r.low for r in rows], "high": [r.high for r in rows], "n": [r.n for r in rows]}
    library: Any = backend
    return nw.from_dict(columns, backend=library).to_native()


def _levels(levels: list[Any]) -> list[Any]:
    """Levels as they are; as text where their types are mixed, which frames refuse."""
    kinds = {type(v) for v in levels if v is not None}
    return levels if len(kinds) < 2 else [None if v is None else show_level(v) for v in levels]
