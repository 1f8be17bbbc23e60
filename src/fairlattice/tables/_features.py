"""Features: numbers, categories, dates, codes, and what cannot be learned from, such as a row's number.

A code is a category although it is written as a number. What is different in every row, or most of its text, is
an identifier: nothing is learned from it, and a synthetic row carries that of a real row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._column import Column
from fairlattice._validation import FloatArray, check_columns_exist
from fairlattice.tables._columns import Reading, Rules, read_column, similar_levels

_LEAST_ROWS = 20  # of fewer, nothing can be said about a column
_MOST_CODES = 64
_TIMES_EACH = 10  # rows for every code, on average
_LEAST_SHARE = 0.005  # of the rows, that half of the codes have
_UNEVEN = 10.0  # times the least step, which the greatest step between codes is
_COMMON = 0.5  # share of the steps, less than which are equal between codes
_SMALL = 20  # codes below it may have steps of similar size
_GROWING = 6  # numbers whose steps only grow, as 1, 2, 5, 10, 20, 50 do, are a scale, not codes
_MOSTLY_ZERO = 0.5  # of the rows, beyond which there is an amount or none
_SURE = 5.0  # pairs of equal values expected, of which there is none in an identifier
_WHOLE_DIGITS = 6
_EXACT = 2**53  # beyond, floats skip whole numbers
_CODE_WORDS = frozenset({
    "code", "codes", "zip", "zipcode", "postcode", "postal", "postalcode", "plz", "fips", "icd", "icd9", "icd10",
    "naics", "sic", "soc", "isco", "isic", "cpt", "occ", "occp", "occupation", "industry", "county", "id", "ids",
})  # fmt: skip
_NOMINAL_WORDS = frozenset({
    "country", "nationality", "citizenship", "birthplace", "region", "state", "province", "district", "municipality",
    "tract", "puma", "msa", "cbsa", "language", "religion", "race", "ethnicity", "ethnic", "marital", "marriage",
    "relationship", "sector", "nace", "department", "dept", "branch", "store", "shop", "school", "hospital", "provider",
    "customer", "client", "patient", "user", "employee", "account", "merchant", "vendor", "product", "sku", "ean",
    "upc", "brand", "type", "diagnosis", "drg", "ndc", "atc", "hcpcs", "rater", "annotator", "respondent",
    "participant",
})  # fmt: skip
_QUANTITY_WORDS = frozenset({
    "age", "amount", "amt", "balance", "bmi", "charge", "charges", "children", "cost", "costs", "count", "counts",
    "days", "debt", "distance", "dose", "duration", "fare", "fee", "fees", "gain", "gains", "height", "hour", "hours",
    "hrs", "income", "kids", "length", "limit", "loss", "losses", "mileage", "minutes", "months", "pay", "payment",
    "payments", "percent", "pct", "points", "population", "pressure", "price", "qty", "quantity", "rate", "ratio",
    "salary", "sales", "score", "scores", "size", "speed", "tenure", "time", "total", "value", "visits", "wage",
    "wages", "weeks", "weight", "year", "years",
})  # fmt: skip
_ROW_WORDS = frozenset({
    "", "id", "ids", "uid", "uuid", "guid", "index", "idx", "row", "rowid", "rownum", "rownumber", "rn", "ssn", "nbr",
    "unnamed", "level", "key", "serial", "seq", "record", "recordid", "no", "nr", "num", "number", "account", "caseid",
})  # fmt: skip


@dataclass(frozen=True)
class Feature:
    """What a feature is.

    Parameters
    ----------
    reading : Reading
        How its values are read.
    kind : {"number", "written", "date", "category", "identifier"}
        A column of numbers; text that is numbers; dates; categories, codes among them; or what is carried only.
    """

    reading: Reading
    kind: str


def read_features(
    columns: Mapping[str, Column], rules: Rules, *, named: bool
) -> tuple[dict[str, Feature], list[str]]:
    """What each of some columns is, and sentences on what that assumes.

    Parameters
    ----------
    columns : mapping of str to Column
        The features.
    rules : Rules
        The user's options.
    named : bool
        Whether the columns have names. Numbers of an array without names are numbers.
    """
    check_columns_exist([*rules.categorical, *rules.keep], list(columns))
    found, notes = {}, []
    for name, column in columns.items():
        reading, said = read_column(name, column, rules, dates=True)
        found[name], more = _feature(reading, column, rules, named=named)
        notes += [*said, *more]
    return found, notes


def _feature(reading: Reading, column: Column, rules: Rules, *, named: bool) -> tuple[Feature, list[str]]:
    name, read = reading.name, reading.apply(column)
    present = read.values[~read.missing]
    chosen, kept = name in rules.categorical, name in rules.keep
    numeric = present.dtype.kind in "iuf" and len(present) > 0
    if named and not kept and not chosen:
        dates = reading.kind == "date"
        why = _why_identifier(name, present, dates=dates) if numeric else _why_text_identifier(read)
        if why:
            return Feature(reading, "identifier"), [f"Column `{name}` {why}, so it is not used as a feature. Pass "
                                                   "`keep` (--keep) to use it."]  # fmt: skip
    if not numeric:
        return Feature(reading, "category"), similar_levels(f"Column `{name}`", read)
    if chosen:
        return Feature(reading, "category"), []
    if reading.kind == "date":
        return Feature(reading, "date"), []
    why = _why_code(name, present) if named else ""
    distinct, n = len(np.unique(present)) if why else 0, len(present)
    if why and distinct > n / 2 and n >= _LEAST_ROWS and not kept:
        return Feature(reading, "identifier"), [f"Column `{name}` holds {distinct:,} codes in {n:,} rows, so it is not "
                                               "used as a feature. Pass `keep` (--keep) to use it."]  # fmt: skip
    if why:
        return Feature(reading, "category"), [f"Column `{name}`: {why}, so its numbers are categories."]
    return Feature(reading, "written" if reading.kind == "number" else "number"), []


def _why_identifier(name: str, present: npt.NDArray[Any], *, dates: bool) -> str:
    """Return why nothing can be learned from a numeric column, as words to follow its name; or an empty text."""
    n = len(present)
    if n < _LEAST_ROWS:
        return ""
    values = present.astype(np.float64)
    if not np.isfinite(values).all() or (not dates and (values % 1 != 0).any()):
        return ""
    if len(np.unique(present)) < n:
        return ""
    steps = np.diff(values)
    if (steps > 0).all() or (steps < 0).all():
        return "is a date that goes with the row" if dates else "is a running number"
    return "" if dates else _why_row_number(name, values)


def _why_text_identifier(column: Column) -> str:
    """Return the same for a column that does not hold numbers."""
    n = int((~column.missing).sum())
    if n < _LEAST_ROWS or column.values.dtype.kind == "b":
        return ""
    try:
        sizes = column.counted()
    except TypeError:  # lists and the like, which the encoder refuses
        return ""
    n, distinct = sum(sizes.values()), len(sizes)
    if distinct == n:
        return "is different in every row"
    return f"is text with {distinct:,} values in {n:,} rows" if distinct > n / 2 else ""


def _why_row_number(name: str, values: FloatArray) -> str:
    """Why whole numbers, no two of which are equal, are not a quantity; or nothing."""
    n, spread = len(values), float(values.max() - values.min())
    if spread == n - 1:
        return "is a running number"
    digits = {len(f"{abs(v):.0f}") for v in (values.min(), values.max())}
    long_alike = len(digits) == 1 and min(digits) >= _WHOLE_DIGITS
    if long_alike or _words(name) & _ROW_WORDS or n * n / (2.0 * spread) >= _SURE:
        return "is different in every row"
    return ""


def _why_code(name: str, present: npt.NDArray[Any]) -> str:
    """Why numbers are codes, or nothing."""
    if present.dtype.kind == "b":
        return ""
    values: FloatArray = present.astype(np.float64)
    if not np.isfinite(values).all() or np.abs(values).max() > _EXACT:
        return ""
    distinct, sizes = np.unique(values, return_counts=True)
    if len(distinct) < 3:
        return ""
    words = _words(name)
    quantity = bool(words & _QUANTITY_WORDS)
    strict = bool(words & _CODE_WORDS) and not quantity
    strict = strict or re.search(r"(code|zip|[ _.-]id)$", name.lower()) is not None
    if strict or (words & _NOMINAL_WORDS and not quantity and (values % 1 == 0).all()):
        return "codes by its name"
    zeros, n = sizes[distinct == 0].sum(), len(values)
    few = len(distinct) <= _MOST_CODES and n >= _TIMES_EACH * len(distinct)
    often = np.median(sizes) >= _LEAST_SHARE * n and zeros <= _MOSTLY_ZERO * n
    if few and often and not quantity and _uneven(distinct):
        return f"{len(distinct)} whole numbers with uneven steps, like codes"
    return ""


def _uneven(distinct: FloatArray) -> bool:
    """Whether the steps between whole numbers are those of codes, not of counts, bands or scales.

    1, 3, 6, 9 are neither counts nor bands; ages and hours have mostly equal steps, whatever the largest is.
    """
    steps = np.diff(distinct)
    grow = len(distinct) >= _GROWING and (np.diff(steps) >= 0).all()
    if grow or distinct[0] < 0 or (distinct % 1 != 0).any():
        return False
    sparse = steps.min() >= 2 and distinct[-1] < _SMALL and np.gcd.reduce(steps.astype(np.int64)) == 1
    common = np.unique(steps, return_counts=True)[1].max() / len(steps)
    return bool(sparse or (steps.max() >= _UNEVEN * steps.min() and common < _COMMON))


def _words(name: str) -> set[str]:
    """The words of a column's name: ``zipCode``, ``zip_code`` and ``ZIP code`` have two."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = [w for w in re.split(r"[^a-z0-9]+", spaced.lower()) if w]
    return {w if w in _CODE_WORDS else re.sub(r"(?<=.)\d+$", "", w) for w in words} or {""}
