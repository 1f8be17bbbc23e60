"""UCI Adult: income in the 1994 US census, from local files or through OpenML."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import fetch_openml

from fairlattice.datasets._dataset import Dataset
from fairlattice.exceptions import InputError

_NAMES = (
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
    "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country",
    "income",
)  # fmt: skip
_NUMERIC = ("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week")


def load_adult(data_dir: Path | None = None) -> Dataset:
    """Adult: does a person earn more than 50,000 dollars a year, by race, sex and age.

    Parameters
    ----------
    data_dir : Path, optional
        A folder with UCI's `adult.data` and `adult.test`; without it scikit-learn fetches the table
        from OpenML once and keeps it.

    Raises
    ------
    InputError
        If the files are not there or not as UCI wrote them, or OpenML cannot be reached.

    References
    ----------
    Becker & Kohavi (1996), Adult, UCI Machine Learning Repository, doi:10.24432/C5XW20, CC BY 4.0.
    """
    columns = _from_openml() if data_dir is None else _from_files(data_dir)
    return Dataset(
        name="adult",
        columns=columns,
        label="income",
        positive=">50K",
        sensitive=("race", "sex", "age"),
        cuts={"age": (25.0, 45.0)},
        drop=("fnlwgt",),
        about="1994 US census extract; label: income above 50,000 dollars (UCI Adult, CC BY 4.0).",
    )


def _from_files(folder: Path) -> dict[str, npt.NDArray[Any]]:
    rows: list[list[str]] = []
    for name in ("adult.data", "adult.test"):
        path = folder / name
        if not path.is_file():
            raise InputError(f"`{path}` is not there. The folder must hold UCI's adult.data and adult.test.")
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.reader(lines, skipinitialspace=True):
                if len(row) < 2:  # a blank line, or the banner line of UCI's adult.test
                    continue
                if len(row) != len(_NAMES):
                    raise InputError(
                        f"`{path}` has a row of {len(row)} fields, not {len(_NAMES)}: {row[:3]} …"
                    )
                rows.append(row)
    return _typed({name: [row[j] for row in rows] for j, name in enumerate(_NAMES)})


def _from_openml() -> dict[str, npt.NDArray[Any]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of every retry; the error below says it once
            bunch = fetch_openml("adult", version=2, as_frame=False, parser="liac-arff")
    except Exception as error:
        raise InputError(
            "Adult could not be fetched from OpenML; is this machine online? Download adult.data and "
            "adult.test from the UCI repository instead and pass their folder with --data-dir. "
            f"({type(error).__name__}: {error})"
        ) from error
    names = [*bunch.feature_names, "income"]
    table = np.column_stack([bunch.data.astype(object), bunch.target.astype(object)])
    raw: dict[str, list[Any]] = {}
    for j, name in enumerate(names):
        categories = bunch.categories.get(name)
        raw[name] = [
            "?"
            if value is None or value != value
            else categories[int(value)]
            if categories and not isinstance(value, str)
            else value
            for value in table[:, j]
        ]
    return _typed({name: raw[name] for name in _NAMES})


def _typed(raw: dict[str, list[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Text as text with None where missing ("?"), whole numbers as such, labels without a final dot."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for name, values in raw.items():
        if name in _NUMERIC:
            columns[name] = np.asarray([int(float(v)) for v in values], dtype=np.int64)
        else:
            text = [str(v).rstrip(".") if name == "income" else v for v in values]
            columns[name] = np.array([None if v == "?" else v for v in text], dtype=object)
    return columns
