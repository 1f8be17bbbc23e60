"""What one column's values mean: text, numbers, missing values; decided once, then applied to any rows.

The decision looks at the distinct values of a column of objects or text; a column of numbers is what it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fairlattice._column import Column
from fairlattice._validation import IntArray
from fairlattice.exceptions import InputError
from fairlattice.tables._dates import date_numbers
from fairlattice.tables._numbers import (
    NumberFormat,
    check_decimal,
    could_be_decimal_comma,
    has_leading_zeros,
    is_plain,
    number_format,
)
from fairlattice.tables._text import Missing, nearly_alike, said, shown, tidy

_MOSTLY = 0.5  # of a column's rows
_LARGEST_WHOLE = 2**53
_FIRST_DAY, _LAST_DAY = 18_000_101, 22_001_231
_LONG = len("20230115")
_DAYS = 5  # fewer numbers may be a date each by chance


@dataclass(frozen=True)
class Rules:
    """How columns are to be read, where the defaults are not meant.

    Parameters
    ----------
    na : sequence of str, optional
        Texts, and numbers, that mean "not recorded", in place of :data:`MISSING_SPELLINGS`.
    decimal : {".", ","}, optional
        The decimal mark of numbers that are text.
    categorical : sequence of str
        Columns whose numbers are codes.
    keep : sequence of str
        Columns to learn from although they look like identifiers.
    """

    na: Sequence[str] | None = None
    decimal: str | None = None
    categorical: Sequence[str] = ()
    keep: Sequence[str] = ()
    missing: Missing = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_decimal(self.decimal)
        object.__setattr__(self, "missing", Missing(self.na))


@dataclass(frozen=True)
class Reading:
    """How a column is read.

    Parameters
    ----------
    name : str
        The column.
    kind : {"plain", "number", "date"}
        Text and numbers as they are; text that is numbers, or dates.
    rules : Rules
        What is missing.
    form : NumberFormat, optional
        How its numbers are written.
    numeric : bool
        Whether it holds numbers, so that text in later rows is read as numbers too.
    """

    name: str
    kind: str
    rules: Rules
    form: NumberFormat | None = None
    numeric: bool = False

    def apply(self, column: Column) -> Column:
        """The column as it is meant; the same object where nothing differs from how it is written."""
        if self.kind == "date":
            column = _digits(column)
        if not column.is_text:
            return self._without_missing_numbers(column)
        if self.kind == "plain" and not self.numeric:
            changes = self._changes(_texts(column))
            return _recoded(column, changes) if changes else column
        return self._numbers(column)

    def _changes(self, texts: Mapping[str, int]) -> dict[str, str | None]:
        """Distinct texts that mean another one, or nothing."""
        tidied = {text: tidy(text) for text in texts}
        gone = self.rules.missing.among(tidied.values())
        return {t: None if bare in gone else bare for t, bare in tidied.items() if bare in gone or bare != t}

    def _numbers(self, column: Column) -> Column:
        form = self.form or NumberFormat()
        texts = _texts(column)
        tidied = {text: tidy(text) for text in texts}
        gone = self.rules.missing.among(tidied.values())
        present = [t for t in texts if tidied[t] not in gone]
        if self.kind == "date":
            found = date_numbers([tidied[t] for t in present]) if present else []
            known = dict(zip(present, found if found is not None else [None] * len(present), strict=True))
        else:
            form = self.form or number_format([tidied[t] for t in present], self.rules.decimal) or form
            known = {t: form.number(tidied[t]) for t in present}
        odd = next((t for t, value in known.items() if value is None), None)
        if odd is not None:
            if self.numeric:
                raise InputError(f"Column `{self.name}` was numeric in training and holds {odd!r} now.")
            what = "dates" if self.kind == "date" else "numbers"
            raise InputError(
                f"Column `{self.name}` holds {what} written as text in training, and {odd!r} now."
            )
        levels, codes = column.coded
        numbers = [known.get(v, np.nan) if isinstance(v, str) else float(v) for v in levels]
        values = np.array([*numbers, np.nan])[codes]  # the last is that of missing rows
        missing = np.isnan(values)
        values[missing] = 0.0
        whole = self.kind != "date" and bool(
            np.all(np.abs(values) < _LARGEST_WHOLE) and np.all(values % 1 == 0)
        )
        written_whole = whole and not any(
            mark in t for t in present for mark in ("e", "E", "%", form.decimal)
        )
        return Column(values.astype(np.int64) if written_whole else values, missing)

    def _without_missing_numbers(self, column: Column) -> Column:
        if not self.rules.missing.numbers or column.values.dtype.kind not in "iuf":
            return column
        gone = np.isin(column.values, self.rules.missing.numbers)
        return Column(column.values, column.missing | gone) if gone.any() else column


def _recoded(column: Column, changes: Mapping[str, str | None]) -> Column:
    """The column with some texts changed into others, or into nothing."""
    levels, codes = column.coded
    meant = [changes.get(v, v) if isinstance(v, str) else v for v in levels]
    place = {v: i for i, v in enumerate(dict.fromkeys(v for v in meant if v is not None))}
    moved = np.array([*(-1 if v is None else place[v] for v in meant), -1], dtype=np.int32)
    return Column.of_codes(list(place), moved[codes])


def read_column(
    name: str,
    column: Column,
    rules: Rules,
    *,
    counts: IntArray | None = None,
    numbers: bool = True,
    dates: bool = False,
    what: str = "Column",
) -> tuple[Reading, list[str]]:
    """How a column is to be read, and sentences on what that assumes.

    Parameters
    ----------
    name : str
        What it is called.
    column : Column
        Its values.
    rules : Rules
        The user's options.
    counts : int array, optional
        How many rows have each value.
    numbers, dates : bool
        Whether text may be read as numbers or dates.
    what : str, default="Column"
        What sentences call it.
    """
    plain = Reading(name, "plain", rules, numeric=column.values.dtype.kind in "iuf")
    if dates and name not in rules.categorical and _are_days(column):
        return Reading(name, "date", rules), [f"{what} `{name}`: dates, such as {column.values.max():.0f}."]
    if not column.is_text:
        gone = plain.apply(column).missing & ~column.missing
        n = int(gone.sum() if counts is None else counts[gone].sum())
        return plain, [f"{what} `{name}`: taken as missing in {n:,} rows, by `na`."] if n else []
    texts = _texts(column, counts)
    tidied: dict[str, int] = Counter()
    for text, n in texts.items():
        tidied[tidy(text)] += n
    gone_texts = rules.missing.among(tidied)
    notes = _notes_on_text(f"{what} `{name}`", texts, tidied, gone_texts)
    present = [t for t in tidied if t not in gone_texts]
    every = _others(column)
    others = [v for v in every if not isinstance(v, bool)]
    all_numbers = len(others) == len(every) and all(isinstance(v, int | float) for v in others)
    if dates and all_numbers and name not in rules.categorical and _are_digits_of_days(present):
        return Reading(name, "date", rules), [
            *notes,
            f"{what} `{name}`: dates, such as {shown(min(present))}.",
        ]
    if numbers and present and all_numbers:
        form = number_format(present, rules.decimal)
        if form is not None and any(map(has_leading_zeros, present)):
            example = min(filter(has_leading_zeros, present))
            return plain, [
                *notes,
                f"{what} `{name}`: codes, not numbers, because of leading zeros ({example!r}).",
            ]
        if form is not None and name not in rules.categorical:
            return Reading(name, "number", rules, form), [
                *notes,
                *_notes_on_numbers(what, name, present, form),
            ]
        notes += _notes_on_mostly_numbers(f"{what} `{name}`", {t: tidied[t] for t in present}, rules)
    if dates and present and not others and date_numbers(present) is not None:
        odd = (
            []
            if min(present)[:4].isdecimal()
            else [f"{what} `{name}`: dates, such as {shown(min(present))}."]
        )
        return Reading(name, "date", rules), [*notes, *odd]
    return plain, notes


def _are_days(column: Column) -> bool:
    """Whether whole numbers are dates such as 20230115, at least a few of them."""
    present = column.values[~column.missing]
    if present.dtype.kind not in "iuf" or not len(present) or not _FIRST_DAY <= present.min() <= _LAST_DAY:
        return False
    if present.max() > _LAST_DAY or (present % 1 != 0).any():
        return False
    return _are_digits_of_days([f"{v:.0f}" for v in np.unique(present)])


def _are_digits_of_days(texts: Sequence[str]) -> bool:
    """Whether texts are dates such as 20230115, at least a few of them."""
    if len(texts) < _DAYS or not all(len(t) == _LONG and t.isdecimal() for t in texts):
        return False
    return int(min(texts)) >= _FIRST_DAY and int(max(texts)) <= _LAST_DAY and date_numbers(texts) is not None


def _digits(column: Column) -> Column:
    """Numbers as the text that they are written with."""
    if column.values.dtype.kind not in "iuf":
        return column
    values = np.empty(len(column.values), dtype=object)
    values[:] = [
        None if gone else f"{v:.0f}"
        for v, gone in zip(column.values.tolist(), column.missing.tolist(), strict=True)
    ]
    return Column(values, column.missing)


def similar_levels(what: str, column: Column) -> list[str]:
    """Sentences on levels of a tidy column that differ by case or punctuation only."""
    if not column.is_text:
        return []
    alike = nearly_alike(_texts(column))
    return [
        f"{what}: {' and '.join(map(shown, same))} differ by case or punctuation only. "
        "Merge them if they mean the same."
        for same in alike[:3]
    ]


def _notes_on_text(
    what: str, texts: Mapping[str, int], tidied: Mapping[str, int], gone: frozenset[str]
) -> list[str]:
    notes = []
    spelled = {t: tidied[t] for t in gone if t}
    if spelled:
        n = sum(spelled.values())
        notes.append(f"{what}: {said(spelled)} taken as missing in {n:,} rows.")
    if "" in gone and tidied.get(""):
        notes.append(f"{what}: blank text taken as missing in {tidied['']:,} rows.")
    trimmed = {t: n for t, n in texts.items() if tidy(t) not in gone and tidy(t) != t}
    if trimmed:
        n = sum(trimmed.values())
        notes.append(
            f"{what}: blanks or odd Unicode forms removed in {n:,} rows, such as {shown(min(trimmed))}."
        )
    return notes


def _notes_on_numbers(what: str, name: str, texts: Sequence[str], form: NumberFormat) -> list[str]:
    odd = sorted(t for t in texts if not is_plain(t) or float(t) != form.number(t))
    if not odd:
        return []
    note = f"{what} `{name}`: numbers written as text, such as {shown(odd[0])} for {form.number(odd[0]):.12g}"
    if form.decimal == "." and could_be_decimal_comma(texts):
        note += "; pass `decimal=','` or --decimal , if the comma is the decimal mark"
    return [f"{note}."]


def _notes_on_mostly_numbers(what: str, present: Mapping[str, int], rules: Rules) -> list[str]:
    """A column of text of which most rows are numbers."""
    best: list[str] = []
    for mark in (rules.decimal,) if rules.decimal else (".", ","):
        form = NumberFormat(mark)
        found = [t for t in present if form.number(t.removesuffix("%").rstrip()) is not None]
        best = max(best, found, key=len)
    n, total = sum(present[t] for t in best), sum(present.values())
    if n == total and any(t.endswith("%") for t in present):
        return [
            f"{what}: text, since only some of its numbers, such as {shown(_percent(present))}, are in per cent."
        ]
    if not _MOSTLY * total < n < total:
        return []
    odd = sorted(set(present) - set(best))
    return [
        f"{what}: text, since {total - n:,} of its values, such as {shown(odd[0])}, are not numbers; the rest are. "
        "Correct or empty them, or pass all texts that mean missing by `na` (--na): it replaces the built-in list."
    ]


def _percent(texts: Iterable[str]) -> str:
    return min(t for t in texts if t.endswith("%"))


def _texts(column: Column, counts: IntArray | None = None) -> dict[str, int]:
    """The distinct texts of a column that are not missing, and how many rows have each."""
    try:
        counted = column.counted(counts)
    except TypeError:  # lists and the like, which others refuse
        return Counter(v for v in column.values[~column.missing].tolist() if isinstance(v, str))
    return {str(v): n for v, n in counted.items() if isinstance(v, str | bytes)}


def _others(column: Column) -> list[Any]:
    """Values of a column of objects that are not text."""
    if column.values.dtype.kind != "O" or _all_text(column):
        return []
    return [v for v in column.values[~column.missing].tolist() if not isinstance(v, str)]


def _all_text(column: Column) -> bool:
    try:
        return all(isinstance(level, str) for level in column.coded.levels)
    except TypeError:  # lists and the like
        return False
