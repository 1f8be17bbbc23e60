"""UCI Adult: income in the 1994 US census, from local files or through OpenML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sklearn.datasets import fetch_openml

from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._openml import openml_columns, reaching_openml
from fairlattice.datasets._reading import Columns, find_folder, numbers, read_rows, read_text, texts, words
from fairlattice.exceptions import InputError

ABOUT = "1994 US census extract; label: income above 50,000 dollars (UCI Adult, CC BY 4.0)."
SOURCE = Source(
    url="https://archive.ics.uci.edu/dataset/2/adult",
    licence="CC BY 4.0",
    reference="Becker & Kohavi (1996), Adult, UCI Machine Learning Repository, doi:10.24432/C5XW20.",
    traps=(
        "fnlwgt is a survey weight and no feature; it is left out.",
        "Labels in adult.test end in a dot, and its first line may be a banner; the loader handles both.",
        "3,620 rows lack workclass, occupation or native-country: a question mark in the files.",
        "relationship says husband or wife, and so the sex of 45 % of the rows, although sex is not a feature.",
    ),
    access="fetched",
)
_NAMES = (
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
    "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country",
    "income",
)  # fmt: skip
_NUMERIC = ("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week")
_INCOME = {"<=50K": "<=50K", "<=50K.": "<=50K", ">50K": ">50K", ">50K.": ">50K"}
_FILES = ("adult.data", "adult.test")
_ADVICE = f"The folder must hold UCI's adult.data and adult.test, from {SOURCE.url}."


def load_adult(data_dir: Path | str | None = None) -> Dataset:
    """Adult: does a person earn more than 50,000 dollars a year, by race, sex and age.

    Parameters
    ----------
    data_dir : Path or str, optional
        A folder with UCI's `adult.data` and `adult.test`, or one with a folder `adult` that has them; without
        it scikit-learn fetches the table from OpenML once and keeps it.

    Raises
    ------
    InputError
        If the files are not there or not as UCI wrote them, or OpenML cannot be reached.

    References
    ----------
    Becker & Kohavi (1996), Adult, UCI Machine Learning Repository, doi:10.24432/C5XW20, CC BY 4.0.
    """
    return Dataset(
        name="adult",
        columns=_from_openml() if data_dir is None else _from_files(data_dir),
        label="income",
        positive=">50K",
        sensitive=("race", "sex", "age"),
        cuts={"age": (25.0, 45.0)},
        drop=("fnlwgt",),
        about=ABOUT,
        source=SOURCE,
    )


def _from_files(data_dir: Path | str) -> Columns:
    folder = find_folder(data_dir, "adult", _FILES[:1], _ADVICE)
    rows: list[list[str]] = []
    for name in _FILES:
        path = folder / name
        lines = read_text(path, advice=_ADVICE).split("\n")
        if lines[0].startswith("|"):
            lines[0] = ""  # the banner of UCI's adult.test
        rows += read_rows(path, "\n".join(lines), len(_NAMES))
    return _typed(folder, {name: [row[j] for row in rows] for j, name in enumerate(_NAMES)})


def _from_openml() -> Columns:
    with reaching_openml("Adult", "adult.data and adult.test from the UCI repository"):
        bunch = fetch_openml("adult", version=2, as_frame=False, parser="liac-arff")
    raw = openml_columns(bunch, "income")
    absent = [name for name in _NAMES if name not in raw]
    if absent:
        raise InputError(f"OpenML's table has no column {absent[0]!r}. {_ADVICE}")
    return _typed("OpenML", {name: raw[name] for name in _NAMES})


def _typed(origin: Path | str, raw: dict[str, list[Any]]) -> Columns:
    """Text as text with None where missing ("?"), whole numbers as such, labels without a final dot."""
    columns: Columns = {}
    for name, values in raw.items():
        if name in _NUMERIC:
            columns[name] = numbers(origin, name, values, 0)
        elif name == "income":
            columns[name] = words(origin, name, values, _INCOME)
        else:
            columns[name] = texts(values)
    return columns
