"""Results as plain data: what is written as JSON, and all that any rendering may look at.

Nothing in it depends on when or where it was made, so the same inputs and seed give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from itertools import islice
from math import isfinite
from operator import itemgetter
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
    return "".join([*_Writer().pieces(summary, "\n"), "\n"])


class _Writer:
    """What ``json.dumps(…, indent=2, ensure_ascii=False, allow_nan=False)`` writes, in a fraction of the time.

    Lines within a value begin with `line`, a line feed and blanks. Groups come up many times, as the same objects, so
    the texts of mappings within rows are kept.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[int, str]] = {}  # by line, and by the mapping's identity

    def pieces(self, value: Any, line: str) -> Iterator[str]:
        inner, start = line + "  ", ""
        if isinstance(value, dict):
            for key, part in value.items():
                yield f"{start or '{'}{inner}{_key(key)}: "
                yield from self.pieces(part, inner)
                start = ","
            yield f"{line}}}" if start else "{}"
        elif isinstance(value, list | tuple):
            yield f"[{inner}{f',{inner}'.join(self._texts(value, inner))}{line}]" if value else "[]"
        else:
            yield _SCALARS.get(type(value), _ENCODER.encode)(value)

    def _texts(self, values: Sequence[Any], line: str) -> list[str]:
        """The texts of values at the same depth."""
        kinds = list(dict.fromkeys(map(type, values)))
        if len(kinds) == 1:
            return self._alike(kinds[0], values, line)
        found = [""] * len(values)
        for kind in kinds:
            places = [place for place, value in enumerate(values) if type(value) is kind]
            for place, text in zip(places, self._alike(kind, [values[i] for i in places], line), strict=True):
                found[place] = text
        return found

    def _alike(self, kind: type, values: Sequence[Any], line: str) -> list[str]:
        """The texts of values of one kind; mappings with the same keys are written column by column."""
        if kind is float and all(map(isfinite, values)):
            return _floats(values)
        if kind in _SCALARS:
            return list(map(_SCALARS[kind], values))
        if kind is dict and len(values) > 1:
            keys, *others = set(map(tuple, values))
            if keys and not others and all(type(key) is str for key in keys):
                inner = line + "  "
                columns = (self._column(list(map(itemgetter(key), values)), inner) for key in keys)
                parts = [f"{_key(key)}: ".replace("%", "%%") + "%s" for key in keys]
                row = f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
                return list(map(row.__mod__, zip(*columns, strict=True)))
        return ["".join(self.pieces(value, line)) for value in values]

    def _column(self, values: list[Any], line: str) -> list[str]:
        """The texts of one entry of many mappings."""
        if not all(type(value) is dict for value in values):
            return self._texts(values, line)
        known, keys = self._known.setdefault(line, {}), list(map(id, values))
        new = {key: value for key, value in zip(keys, values, strict=True) if key not in known}
        known.update(zip(new, self._texts(list(new.values()), line), strict=True))
        return list(map(known.__getitem__, keys))


def _floats(values: Sequence[float]) -> list[str]:
    """The texts of finite numbers, those that occur often written once."""
    distinct = set(values)
    if 2 * len(distinct) > len(values):
        return list(map(float.__repr__, values))
    texts = {value: float.__repr__(value) for value in distinct}
    # 0.0 and -0.0 are equal.
    return [texts[value] if value else float.__repr__(value) for value in values]


def _number(value: float) -> str:
    return float.__repr__(value) if isfinite(value) else _ENCODER.encode(value)


def _key(key: Any) -> str:
    return _quoted(key) if isinstance(key, str) else f'"{_ENCODER.encode(key)}"'


@lru_cache(maxsize=4096)
def _quoted(key: str) -> str:
    return json.encoder.encode_basestring(key)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_SCALARS: dict[type, Callable[[Any], str]] = {
    str: json.encoder.encode_basestring,
    int: int.__repr__,
    float: _number,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}


def fields_of(record: Any) -> Summary:
    """The fields of a flat dataclass; `asdict` would copy every value deeply, which takes longer than finding it."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


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
