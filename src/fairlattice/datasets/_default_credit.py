"""UCI Default of credit card clients: Taiwan, 2005, from a CSV file or through OpenML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sklearn.datasets import fetch_openml

from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._openml import openml_columns, reaching_openml
from fairlattice.datasets._reading import Columns, find_folder, numbers, read_table, words
from fairlattice.exceptions import InputError

ABOUT = "30,000 holders of credit cards, Taiwan 2005; label: default next month (UCI, CC BY 4.0)."
SOURCE = Source(
    url="https://archive.ics.uci.edu/dataset/350/default+of+credit+card+clients",
    licence="CC BY 4.0",
    reference="Yeh (2009), Default of Credit Card Clients, UCI Machine Learning Repository, "
    "doi:10.24432/C55S3H.",
    traps=(
        "The positive label is the bad outcome: selected means expected to default.",
        "EDUCATION 0, 5 and 6 and MARRIAGE 0 are in no code book; they count as other.",
        "35 rows repeat another; without the clients' numbers nobody knows whether they are one client.",
    ),
    access="fetched",
)
LABEL = "default payment next month"
_LABELS = (LABEL, "default.payment.next.month", "default", "y")
_FILES = ("default.csv", "UCI_Credit_Card.csv")
_ADVICE = f"Save the table from {SOURCE.url} as default.csv, its columns' names in the first line."
_SEXES = {1: "male", 2: "female"}
_MARRIAGES = {0: "other", 1: "married", 2: "single", 3: "other"}
_EDUCATIONS = {1: "graduate school", 2: "university", 3: "high school"} | dict.fromkeys((0, 4, 5, 6), "other")
_WORDS = {"SEX": _SEXES, "MARRIAGE": _MARRIAGES, "EDUCATION": _EDUCATIONS}
_BOUNDS = {"SEX": (1, 2), "MARRIAGE": (0, 3), "EDUCATION": (0, 6), "AGE": (0, 120), LABEL: (0, 1)}
_NAMES = (
    "LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE", "PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6",
    *(f"BILL_AMT{i}" for i in range(1, 7)), *(f"PAY_AMT{i}" for i in range(1, 7)), LABEL,
)  # fmt: skip


def load_default_credit(data_dir: Path | str | None = None) -> Dataset:
    """Credit card clients: does a holder fail to pay next month, by sex, marriage and age.

    Parameters
    ----------
    data_dir : Path or str, optional
        A folder with `default.csv`, or one with a folder `default_credit` that has it; without it
        scikit-learn fetches the table from OpenML once and keeps it.

    Raises
    ------
    InputError
        If the file is not there or another, or OpenML cannot be reached.

    References
    ----------
    Yeh & Lien (2009), The comparisons of data mining techniques for the predictive accuracy of probability
    of default of credit card clients, Expert Systems with Applications 36(2), doi:10.1016/j.eswa.2007.12.020.
    """
    return Dataset(
        name="default_credit",
        columns=_from_openml() if data_dir is None else _from_file(data_dir),
        label=LABEL,
        positive=1,
        sensitive=("SEX", "MARRIAGE", "AGE"),
        cuts={"AGE": (25.0, 45.0)},
        about=ABOUT,
        source=SOURCE,
    )


def _from_file(data_dir: Path | str) -> Columns:
    folder = find_folder(data_dir, "default_credit", _FILES, _ADVICE)
    path = next(folder / name for name in _FILES if (folder / name).is_file())
    raw: dict[str, list[str]] = read_table(path, _NAMES[:-1], advice=_ADVICE)
    label = next((name for name in _LABELS if name in raw), None)
    if label is None:
        raise InputError(f"`{path}` has no column {LABEL!r}. {_ADVICE}")
    return _typed(path, raw | {LABEL: raw[label]})


def _from_openml() -> Columns:
    with reaching_openml("The table of credit card clients", "it as default.csv"):
        bunch = fetch_openml(data_id=42477, as_frame=False, parser="liac-arff")
    raw = list(openml_columns(bunch, "y").values())  # there called x1 … x23
    if len(raw) != len(_NAMES):
        raise InputError(f"OpenML's table has {len(raw)} columns, not {len(_NAMES)}. {_ADVICE}")
    return _typed("OpenML", dict(zip(_NAMES, raw, strict=True)))


def _typed(origin: Path | str, raw: dict[str, Sequence[Any]] | dict[str, list[str]]) -> Columns:
    columns: Columns = {}
    for name in _NAMES:
        low, high = _BOUNDS.get(name, (-2 if name.startswith("PAY_") else -1e8, 1e8))
        codes = numbers(origin, name, raw[name], low, high)
        columns[name] = words(origin, name, codes.tolist(), _WORDS[name]) if name in _WORDS else codes
    return columns
