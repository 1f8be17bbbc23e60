"""Dates and periods written as text, and their order in time.

A form of writing counts where it explains every text of a column. Where several do, as for 03/04/2023, they
must agree on the order: what would be a guess is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from fairlattice.exceptions import InputError

Key = tuple[float, ...]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Y, _YY, _M, _D = r"(?P<y>\d{4})", r"'?(?P<y>\d{2})", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})"
_B, _S = r"(?P<b>[a-z]{3,9})\.?", r"[ \-/._,]*"
_TIME = (
    r"(?:[t ]+(?P<h>\d{1,2}):(?P<i>\d{2})(?::(?P<s>\d{2}(?:[.,]\d+)?))?"
    r"\s?(?:(?P<noon>[ap])\.?m\.?|z|(?P<zone>[+-]\d{2}(?::?\d{2})?))?)?"
)
_DATES = {
    "year-month-day": rf"{_Y}(?P<x>[-/.]){_M}(?P=x){_D}{_TIME}",
    "day.month.year": rf"{_D}(?P<x>[-/.]){_M}(?P=x){_Y}{_TIME}",
    "month/day/year": rf"{_M}(?P<x>[-/]){_D}(?P=x){_Y}{_TIME}",
    "yearmonthday": r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    "day month-name year": rf"{_D}(?:st|nd|rd|th)?{_S}{_B}{_S}{_Y}{_TIME}",
    "month-name day year": rf"{_B}{_S}{_D}(?:st|nd|rd|th)?{_S}{_Y}{_TIME}",
}
_TWO_DIGITS = {
    "day.month.yy": rf"{_D}(?P<x>[-/.]){_M}(?P=x){_YY}",
    "month/day/yy": rf"{_M}(?P<x>[-/]){_D}(?P=x){_YY}",
    "yy-month-day": rf"{_YY}-{_M}-{_D}",
    "day month-name yy": rf"{_D}{_S}{_B}{_S}{_YY}",
}
_PERIODS = {
    "year-month": rf"{_Y}[-/. ]?{_M}",
    "month/year": rf"{_M}[-/. ]{_Y}",
    "month/yy": rf"{_M}[-/. ]{_YY}",
    "yy/month": rf"{_YY}[-/. ]{_M}",
    "month-name year": rf"{_B}{_S}{_Y}",
    "year month-name": rf"{_Y}{_S}{_B}",
    "month-name yy": rf"{_B}{_S}{_YY}",
    "month-name day": rf"{_B}[ ./_,]*{_D}(?:st|nd|rd|th)?",  # Jan-23 is a year, as spreadsheets write it
    "day month-name": rf"{_D}(?:st|nd|rd|th)?{_S}{_B}",
    "day/month": rf"{_D}[-/.]{_M}\.?",
    "month/day": rf"{_M}[-/]{_D}",
    "quarter year": rf"q(?P<q>[1-4]){_S}(?:{_Y}|'?(?P<yy>\d{{2}}))",
    "year quarter": rf"(?:{_Y}|(?P<yy>\d{{2}})){_S}q(?P<q>[1-4])",
    "quarter of year": rf"(?P<q>[1-4])q{_S}(?:{_Y}|(?P<yy>\d{{2}}))",
    "half year": rf"h(?P<q>[12]){_S}{_Y}",
    "year half": rf"{_Y}{_S}h(?P<q>[12])",
    "year week": rf"{_Y}{_S}(?:w|kw)(?P<w>\d{{1,2}})",
    "week year": rf"(?:w|kw|week ?)(?P<w>\d{{1,2}}){_S}{_Y}",
}
_WITHOUT_YEAR = {
    "month-name": _B,
    "quarter": r"q(?P<q>[1-4])",
    "half": r"h(?P<q>[12])",
    "weekday": r"(?P<a>[a-z]{3,9})\.?",
}
_CYCLE = {"month-name": 12, "quarter": 4, "half": 2, "weekday": 7}


def date_numbers(texts: Sequence[str]) -> list[float] | None:
    """Days since the year 1 of dates that can be read in one way only, or None.

    Examples
    --------
    >>> date_numbers(["15.01.2023", "16.01.2023"])
    [738535.0, 738536.0]
    >>> date_numbers(["01/02/2023", "03/02/2023"]) is None  # day or month first?
    True
    """
    found = [keys for keys in (_keys(form, texts, _day) for form in _DATES.values()) if keys is not None]
    if len(found) != 1 or not texts:
        return None
    return [key[0] for key in found[0]]


def time_order(name: str, levels: Sequence[Any]) -> list[Any]:
    """The levels of a column of periods in the order of time.

    Numbers are in their own order; text is read as dates, months, quarters, weeks or as a name with a number.

    Raises
    ------
    InputError
        If the order would be a guess, or two levels mean one period.

    Examples
    --------
    >>> time_order("month", ["01/2023", "02/2022"])
    ['02/2022', '01/2023']
    """
    if not any(isinstance(level, str) for level in levels):
        return list(levels)
    texts = [str(level).strip().lower() for level in levels]
    orders: dict[tuple[int, ...], str] = {}
    for form, keys in _readings(texts).items():
        if len(set(keys)) < len(keys):
            first, then = _same(keys)
            raise InputError(
                f"Periods of `{name}` mean the same: {levels[first]!r} and {levels[then]!r}. Write each in one way."
            )
        orders.setdefault(tuple(sorted(range(len(keys)), key=keys.__getitem__)), form)
    if len(orders) == 1:
        return [levels[i] for i in next(iter(orders))]
    shown = ", ".join(repr(level) for level in levels[:4]) + (" …" if len(levels) > 4 else "")
    if orders:
        forms = " or ".join(list(orders.values())[:2])
        raise InputError(
            f"Periods of `{name}` can be read as {forms}, in another order each: {shown}. "
            "Use ISO dates, such as 2023-01-15."
        )
    raise InputError(
        f"Periods of `{name}` are text whose order in time is unclear: {shown}. Use numbers, dates such as 2023-01-15, "
        "or begin each name with a number."
    )


def _readings(texts: Sequence[str]) -> dict[str, list[Key]]:
    """Sort keys by every form that explains all texts; names with numbers only where no date does."""
    found: dict[str, list[Key]] = {}
    for forms, key in ((_DATES, _day), (_TWO_DIGITS, _day), (_PERIODS, _period), (_WITHOUT_YEAR, _period)):
        for form, pattern in forms.items():
            keys = _keys(pattern, texts, key)
            if keys is not None and not _wraps(keys, _CYCLE.get(form)):
                found[form] = keys
    if found or len(texts) < 2:
        return found or {"one period": [(0.0,)] * len(texts)}
    return _numbered(texts)


def _numbered(texts: Sequence[str]) -> dict[str, list[Key]]:
    """Keys of names that differ in their numbers alone, or that all begin with a number of their own."""
    pieces = [re.split(r"(\d+)", text) for text in texts]
    numbers: list[Key] = [tuple(float(p) for p in parts[1::2]) for parts in pieces]
    if len({tuple(parts[::2]) for parts in pieces}) == 1 and numbers[0]:
        return {"names with numbers": numbers}
    if len({text[:-1] for text in texts}) == 1 and all(text[-1:].isalpha() for text in texts):
        return {"names with letters": [(float(ord(text[-1])),) for text in texts]}
    first: list[Key] = [n[:1] for n, parts in zip(numbers, pieces, strict=True) if n and not parts[0]]
    if len(set(first)) == len(texts):
        return {"names that begin with a number": first}
    return {}


def _same(keys: list[Key]) -> tuple[int, int]:
    seen: dict[Key, int] = {}
    for i, key in enumerate(keys):
        if key in seen:
            return seen[key], i
        seen[key] = i
    raise ValueError("all differ")


def _wraps(keys: list[Key], cycle: int | None) -> bool:
    """Whether names without a year may run over its end, as Nov, Dec, Jan do."""
    if cycle is None or len(keys) == cycle or len(keys) < 2:
        return False
    known = sorted(int(key[0]) for key in keys)
    gaps = [b - a for a, b in pairwise(known)]
    around = known[0] + cycle - known[-1]
    return max(gaps) > around or (max(gaps) > 1 and around == 1)


def _keys(
    pattern: str, texts: Sequence[str], key: Callable[[dict[str, str]], Key | None]
) -> list[Key] | None:
    compiled, keys = re.compile(pattern, re.IGNORECASE), []
    for text in texts:
        match = compiled.fullmatch(text)
        found = None if match is None else key({k: v for k, v in match.groupdict().items() if v is not None})
        if found is None:
            return None
        keys.append(found)
    return keys


def _day(parts: dict[str, str]) -> Key | None:
    month = _month(parts)
    try:
        day = date(_year(parts["y"]), month or 0, int(parts["d"])).toordinal()
    except ValueError:
        return None
    hours, minutes, seconds = (float(str(parts.get(key, 0)).replace(",", ".")) for key in "his")
    inside = hours < 24 and minutes < 60 and seconds < 60
    if "noon" in parts:
        inside, hours = inside and 1 <= hours <= 12, hours % 12 + (12 if parts["noon"] == "p" else 0)
    hours -= _offset(parts.get("zone"))
    return (day + (hours + (minutes + seconds / 60) / 60) / 24,) if inside else None


def _offset(zone: str | None) -> float:
    """Hours by which a time of a zone such as +02:00 is ahead."""
    if zone is None:
        return 0.0
    digits = zone[1:].replace(":", "")
    ahead = float(digits[:2]) + float(digits[2:] or 0) / 60
    return -ahead if zone[0] == "-" else ahead


def _period(parts: dict[str, str]) -> Key | None:
    year = [float(_year(parts.get("y") or parts["yy"]))] if "y" in parts or "yy" in parts else []
    if year and not 1800 <= year[0] <= 2200:
        return None
    if "a" in parts:
        day = parts["a"].lower()
        known = [
            i for i, name in enumerate(_DAYS) if day[:3] == name and (len(day) == 3 or day.endswith("day"))
        ]
        return (float(known[0]),) if known else None
    if "w" in parts:
        return (*year, float(parts["w"])) if 1 <= int(parts["w"]) <= 53 else None
    if "q" in parts:
        return (*year, float(parts["q"]))
    month = _month(parts)
    if month is None or ("d" in parts and not 1 <= int(parts["d"]) <= 31):
        return None
    return (*year, float(month), *([float(parts["d"])] if "d" in parts else []))


def _month(parts: dict[str, str]) -> int | None:
    if "b" in parts:
        name = parts["b"].lower()
        if name == "sept":
            return 9
        return next(
            (i for i, (s, f) in enumerate(zip(_MONTHS, _FULL, strict=True), 1) if name in (s, f)), None
        )
    month = int(parts["m"])
    return month if 1 <= month <= 12 else None


def _year(text: str) -> int:
    """A year; of two digits, one from 1970 to 2069."""
    year = int(text)
    return year if len(text) > 2 else year + (2000 if year < 70 else 1900)
