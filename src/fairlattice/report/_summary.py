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
_GROUPS = {"group", "against"}  # keys whose values are few distinct mappings, each repeated many times
_AT_ONCE = 2_000  # items written together, so that their texts fit in a processor's cache
_MOST_INLINE, _WIDEST = 20, 100  # items and characters of a list on one line


def to_json(summary: Summary) -> str:
    """A summary as JSON text that ends in a newline.

    Mappings are indented. But a mapping that is an item of a list, such as a group's rates, takes one line. So does a
    short list of plain values. A longer list puts each item on a new line, and so is never inside a line.

    Raises
    ------
    ValueError
        If a figure is NaN or infinite, which JSON has no word for.
    """
    return "".join([*_Writer().pieces(summary, "\n"), "\n"])


class _Writer:
    """Writes what ``json.dumps(…, ensure_ascii=False, allow_nan=False)`` would, in lines, and much faster.

    The same group objects occur many times, so the text of each group is kept.
    """

    def __init__(self) -> None:
        self._known: dict[int, str | None] = {}  # by the mapping's identity

    def pieces(self, value: Any, line: str) -> Iterator[str]:
        """The text of a value, whose further lines begin with `line`, a line feed and blanks."""
        inner, start = line + "  ", ""
        if isinstance(value, dict):
            for key, part in value.items():
                yield f"{start or '{'}{inner}{_key(key)}: "
                yield from self.pieces(part, inner)
                start = ","
            yield f"{line}}}" if start else "{}"
        elif isinstance(value, list | tuple):
            texts = self._texts(value)
            short = _short_list(value, texts)
            if short is not None:
                yield short
                return
            if None not in texts:
                yield f"[{inner}{f',{inner}'.join(texts)}{line}]"  # type: ignore[arg-type]
                return
            for item, text in zip(value, texts, strict=True):
                yield f"{start or '['}{inner}"
                yield from self.pieces(item, inner) if text is None else (text,)
                start = ","
            yield f"{line}]"
        else:
            yield _SCALARS.get(type(value), _ENCODER.encode)(value)

    def _texts(self, values: Sequence[Any]) -> Sequence[str | None]:
        """Every value on one line; None for those that hold a longer list."""
        if len(values) > _AT_ONCE:
            blocks = (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
            return [text for block in blocks for text in self._texts(block)]
        kinds = list(dict.fromkeys(map(type, values)))
        if len(kinds) == 1:
            return self._alike(kinds[0], values)
        found: list[str | None] = [None] * len(values)
        for kind in kinds:
            places = [place for place, value in enumerate(values) if type(value) is kind]
            for place, text in zip(places, self._alike(kind, [values[i] for i in places]), strict=True):
                found[place] = text
        return found

    def _alike(self, kind: type, values: Sequence[Any]) -> Sequence[str | None]:
        """The texts of values of one kind; mappings with the same keys are written column by column."""
        if kind is float and all(map(isfinite, values)):
            return _floats(values)
        if kind in _SCALARS:
            return list(map(_SCALARS[kind], values))
        if issubclass(kind, list | tuple):
            return [_short_list(value, self._texts(value)) for value in values]
        if not issubclass(kind, dict):
            return list(map(_ENCODER.encode, values))
        keys = tuple(values[0])
        alike = all(type(key) is str for key in keys) and all(map(keys.__eq__, map(tuple, values)))
        if len(values) > 1 and not alike:
            return [self._alike(kind, [value])[0] for value in values]
        columns = [self._column(key, list(map(itemgetter(key), values))) for key in keys]
        parts = [f"{_key(key)}: ".replace("%", "%%") + "%s" for key in keys]
        rows = (
            map(f"{{{', '.join(parts)}}}".__mod__, zip(*columns, strict=True))
            if keys
            else ["{}"] * len(values)
        )
        lists = [column for column in columns if None in column]
        if not lists:
            return list(rows)
        return [None if None in cells else row for row, *cells in zip(rows, *lists, strict=True)]

    def _column(self, key: Any, values: list[Any]) -> Sequence[str | None]:
        """The texts of one entry of many mappings."""
        if key not in _GROUPS or not all(type(value) is dict for value in values):
            return self._texts(values)
        known, places = self._known, list(map(id, values))
        new = {place: value for place, value in zip(places, values, strict=True) if place not in known}
        known.update(zip(new, self._texts(list(new.values())), strict=True))
        return list(map(known.__getitem__, places))


def _short_list(values: Sequence[Any], texts: Sequence[str | None]) -> str | None:
    """A list on one line, if it is short and holds neither mappings nor lists."""
    if len(values) > _MOST_INLINE or not all(type(value) in _SCALARS for value in values):
        return None
    text = f"[{', '.join(map(str, texts))}]"
    return text if len(text) <= _WIDEST else None


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
