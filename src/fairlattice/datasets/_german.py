"""UCI Statlog German credit: good and bad risks, from `german.data` or through OpenML.

The file's codes (A11, A34 …) become the words that OpenML's version has, so both ways give one table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sklearn.datasets import fetch_openml

from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._openml import openml_columns, reaching_openml
from fairlattice.datasets._reading import Columns, find_folder, numbers, read_text, words
from fairlattice.exceptions import InputError

ABOUT = "1,000 applicants for credit in Germany; label: a good risk (UCI Statlog, CC BY 4.0)."
SOURCE = Source(
    url="https://archive.ics.uci.edu/dataset/144/statlog+german+credit+data",
    licence="CC BY 4.0",
    reference="Hofmann (1994), Statlog (German Credit Data), UCI Machine Learning Repository, "
    "doi:10.24432/C5NC77.",
    traps=(
        "Sex is known only through personal_status, which mixes it with marriage and is therefore left out.",
        "Age is cut after 25: the groups are up to 25 and from 26.",
        "963 of 1,000 are foreign workers; it stays a feature, since the others are too few for groups.",
        "With 1,000 rows the smallest of the four groups has 85.",
    ),
    access="fetched",
)
_LEVELS: dict[str, tuple[str, ...]] = {
    "checking_status": ("<0", "0<=X<200", ">=200", "no checking"),
    "credit_history": (
        "no credits/all paid", "all paid", "existing paid", "delayed previously",
        "critical/other existing credit",
    ),
    "purpose": (
        "new car", "used car", "furniture/equipment", "radio/tv", "domestic appliance", "repairs",
        "education", "vacation", "retraining", "business", "other",
    ),
    "savings_status": ("<100", "100<=X<500", "500<=X<1000", ">=1000", "no known savings"),
    "employment": ("unemployed", "<1", "1<=X<4", "4<=X<7", ">=7"),
    "personal_status": (
        "male div/sep", "female div/dep/mar", "male single", "male mar/wid", "female single",
    ),
    "other_parties": ("none", "co applicant", "guarantor"),
    "property_magnitude": ("real estate", "life insurance", "car", "no known property"),
    "other_payment_plans": ("bank", "stores", "none"),
    "housing": ("rent", "own", "for free"),
    "job": ("unemp/unskilled non res", "unskilled resident", "skilled", "high qualif/self emp/mgmt"),
    "own_telephone": ("none", "yes"),
    "foreign_worker": ("yes", "no"),
}  # fmt: skip
_NAMES = (
    "checking_status", "duration", "credit_history", "purpose", "credit_amount", "savings_status",
    "employment", "installment_commitment", "personal_status", "other_parties", "residence_since",
    "property_magnitude", "age", "other_payment_plans", "housing", "existing_credits", "job",
    "num_dependents", "own_telephone", "foreign_worker", "class",
)  # fmt: skip
_FIRST = {"credit_history": 0, "purpose": 0}  # the others' codes count from 1
_ADVICE = f"The folder must hold UCI's german.data, from {SOURCE.url}."


def load_german(data_dir: Path | str | None = None) -> Dataset:
    """German credit: is an applicant a good risk, by sex and age.

    Parameters
    ----------
    data_dir : Path or str, optional
        A folder with UCI's `german.data`, or one with a folder `german` that has it; without it scikit-learn
        fetches the table from OpenML once and keeps it.

    Raises
    ------
    InputError
        If the file is not there or another, or OpenML cannot be reached.

    References
    ----------
    Hofmann (1994), Statlog (German Credit Data), UCI Machine Learning Repository, doi:10.24432/C5NC77,
    CC BY 4.0.
    """
    return Dataset(
        name="german",
        columns=_from_openml() if data_dir is None else _from_file(data_dir),
        label="class",
        positive="good",
        sensitive=("sex", "age"),
        cuts={"age": (26.0,)},
        drop=("personal_status",),
        about=ABOUT,
        source=SOURCE,
    )


def _from_file(data_dir: Path | str) -> Columns:
    path = find_folder(data_dir, "german", ("german.data",), _ADVICE) / "german.data"
    rows = []
    for i, line in enumerate(read_text(path, advice=_ADVICE).split("\n"), start=1):
        fields = line.split()
        if len(fields) not in (0, len(_NAMES)):
            raise InputError(
                f"`{path}` has a row of {len(fields)} fields, not {len(_NAMES)}, in line {i:,}. {_ADVICE}"
            )
        rows += [fields] if fields else []
    raw = {name: [row[j] for row in rows] for j, name in enumerate(_NAMES)}
    for j, (name, levels) in enumerate(zip(_NAMES, map(_LEVELS.get, _NAMES), strict=True), start=1):
        if levels is not None:
            codes = {f"A{j}{_FIRST.get(name, 1) + k}": level for k, level in enumerate(levels)}
            raw[name] = words(path, name, raw[name], codes).tolist()
    raw["class"] = words(path, "class", raw["class"], {"1": "good", "2": "bad"}).tolist()
    return _typed(path, raw)


def _from_openml() -> Columns:
    with reaching_openml("German credit", "german.data from the UCI repository"):
        bunch = fetch_openml(data_id=31, as_frame=False, parser="liac-arff")
    raw = openml_columns(bunch, "class")
    absent = [name for name in _NAMES if name not in raw]
    if absent:
        raise InputError(f"OpenML's table has no column {absent[0]!r}. {_ADVICE}")
    return _typed("OpenML", raw)


def _typed(origin: Path | str, raw: dict[str, list[Any]]) -> Columns:
    """Words and numbers in the file's order, and sex, the first word of the personal status."""
    columns: Columns = {}
    for name in _NAMES:
        levels = ("good", "bad") if name == "class" else _LEVELS.get(name)
        if levels is None:
            columns[name] = numbers(origin, name, raw[name], 0)
        else:
            columns[name] = words(origin, name, raw[name], dict(zip(levels, levels, strict=True)))
    sexes = {status: status.split()[0] for status in _LEVELS["personal_status"]}
    return columns | {"sex": words(origin, "personal_status", raw["personal_status"], sexes)}
