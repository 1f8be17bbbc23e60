"""American Community Survey 2018: two of folktables' tasks, from Parquet files of a ready split.

Codes that only number a level become text, since their order means nothing; what counts or ranks
(age, hours, income, schooling) stays a number.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._reading import Columns, check_header, find_folder, numbers, objects, words
from fairlattice.exceptions import InputError

if TYPE_CHECKING:
    import polars as pl

ABOUT_INCOME = "US census survey of 2018, all states; label: income above 50,000 dollars (ACSIncome)."
ABOUT_COVERAGE = (
    "US census survey of 2018, low incomes, all states; label: public health insurance (ACSPublicCoverage)."
)
SOURCE = Source(
    url="https://github.com/dssg/aequitas, folder datasets/FolkTables",
    licence="public-use microdata of the US Census Bureau; nobody may be identified with them",
    reference="Ding, Hardt, Miller & Schmidt (2021), Retiring Adult, NeurIPS, arXiv:2108.04884.",
    traps=(
        "RAC1P counts from 0 in these files, one less than in the code book.",
        "Gaps were filled with 0 before, so 0 is a level of its own, such as births (FER) of men.",
        "OCCP and POBP are codes of hundreds of levels, without order; encoders keep the most frequent.",
        "All nine codes of race stay apart, so the smallest groups have some fifty rows in half a million.",
        "Persons of one household are rows of their own, and nothing says that they belong together.",
    ),
    access="files",
)
PARTS = ("train", "validation", "test")
_RACES = (
    "White",
    "Black",
    "American Indian",
    "Alaska Native",
    "American Indian or Alaska Native, tribe not told",
    "Asian",
    "Native Hawaiian or Pacific Islander",
    "other",
    "two or more",
)
_SEXES = {1: "male", 2: "female"}
_NUMERIC = {"AGEP": (0, 120), "SCHL": (0, 24), "WKHP": (0, 99), "PINCP": (-1e7, 1e8)}
_INCOME = ("RAC1P", "SCHL", "POBP", "SEX", "OCCP", "RELP", "COW", "MAR", "WKHP", "AGEP", "PINCP")
_COVERAGE = (
    "RAC1P", "DEAR", "SEX", "ESP", "DEYE", "MIL", "AGEP", "DIS", "ANC", "SCHL", "MIG", "ESR", "NATIVITY",
    "FER", "PINCP", "DREM", "MAR", "CIT", "PUBCOV",
)  # fmt: skip


def load_acs_income(data_dir: Path | str | None = None) -> Dataset:
    """ACSIncome: does a person earn more than 50,000 dollars a year, by race, sex and age.

    Parameters
    ----------
    data_dir : Path or str
        A folder with `ACSIncome.train.parquet`, `.validation` and `.test`, or one with a folder `acs` that
        has them. Those that are there are pooled in this order; column `part` says which a row is from.

    Raises
    ------
    InputError
        If there is no such file, or it has other columns or codes.

    References
    ----------
    Ding, Hardt, Miller & Schmidt (2021), Retiring Adult: new datasets for fair machine learning, NeurIPS,
    arXiv:2108.04884.
    """
    return _load("acs_income", data_dir, "ACSIncome", _INCOME, ABOUT_INCOME)


def load_acs_coverage(data_dir: Path | str | None = None) -> Dataset:
    """ACSPublicCoverage: does a person of low income have public health insurance, by race, sex and age.

    Parameters
    ----------
    data_dir : Path or str
        A folder with `ACSPublicCoverage.train.parquet`, `.validation` and `.test`, or one with a folder `acs`
        that has them. Those that are there are pooled in this order; column `part` says which a row is from.

    Raises
    ------
    InputError
        If there is no such file, or it has other columns or codes.

    References
    ----------
    Ding, Hardt, Miller & Schmidt (2021), Retiring Adult: new datasets for fair machine learning, NeurIPS,
    arXiv:2108.04884.
    """
    return _load("acs_coverage", data_dir, "ACSPublicCoverage", _COVERAGE, ABOUT_COVERAGE)


def _load(name: str, data_dir: Path | str | None, task: str, wanted: tuple[str, ...], about: str) -> Dataset:
    files = tuple(f"{task}.{part}.parquet" for part in PARTS)
    advice = f"Get {files[0]}, or those of the other parts, from {SOURCE.url}, and pass their folder."
    if data_dir is None:
        raise InputError(f"Data set `{name}` is read from files. {advice}")
    folder = find_folder(data_dir, "acs", files, advice)
    label = wanted[-1]
    pieces = {
        part: _columns(folder / file, wanted)
        for part, file in zip(PARTS, files, strict=True)
        if (folder / file).is_file()
    }
    columns = {c: np.concatenate([piece[c] for piece in pieces.values()]) for c in wanted}
    columns["part"] = objects(part for part, piece in pieces.items() for _ in range(len(piece[label])))
    return Dataset(
        name=name,
        columns=columns,
        label=label,
        positive=1,
        sensitive=("RAC1P", "SEX", "AGEP"),
        cuts={"AGEP": (25.0, 45.0)},
        drop=("part",),
        about=about,
        part="part" if len(pieces) > 1 else None,
        source=SOURCE,
    )


def _columns(path: Path, wanted: tuple[str, ...]) -> Columns:
    """One file: the label 0 or 1, races and sexes as words, other levels as the text of their codes."""
    frame = _read(path)
    check_header(path, wanted, frame.columns)
    columns: Columns = {}
    for name in wanted:
        values: list[Any] = frame[name].to_list()
        low, high = (0, 1) if name == wanted[-1] else _NUMERIC.get(name, (0, 1e5))
        codes = numbers(path, name, values, low, high)
        if name == "RAC1P":
            codes = words(path, name, codes.tolist(), dict(enumerate(_RACES)))
        elif name == "SEX":
            codes = words(path, name, codes.tolist(), _SEXES)
        elif name not in _NUMERIC and name != wanted[-1]:
            codes = objects(map(str, codes.tolist()))
        columns[name] = codes
    return columns


def _read(path: Path) -> pl.DataFrame:
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"`{path}` cannot be read as Parquet: {error}. Fetch it again.") from error
    if not frame.height:
        raise InputError(f"`{path}` has no rows. Fetch it again.")
    return frame
