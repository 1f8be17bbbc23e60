"""UCI Student performance: two Portuguese schools, mathematics or Portuguese."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._reading import Columns, find_folder, numbers, read_table, texts, words
from fairlattice.exceptions import InputError

ABOUT_MAT = "395 pupils of two Portuguese schools; label: passed mathematics (UCI, CC BY 4.0)."
ABOUT_POR = "649 pupils of two Portuguese schools; label: passed Portuguese (UCI, CC BY 4.0)."
SOURCE = Source(
    url="https://archive.ics.uci.edu/dataset/320/student+performance",
    licence="CC BY 4.0",
    reference="Cortez (2008), Student Performance, UCI Machine Learning Repository, doi:10.24432/C5TG7T.",
    traps=(
        "G1 and G2 are earlier grades of the same year and nearly give G3 away; all three are left out.",
        "382 pupils are in both files, so the two must not be pooled as if independent.",
        "A few hundred rows in eight groups: the smallest has 17 (mathematics) or 25 (Portuguese).",
    ),
    access="files",
)
_BOUNDS = {
    "age": (10, 30), "Medu": (0, 4), "Fedu": (0, 4), "traveltime": (1, 4), "studytime": (1, 4),
    "failures": (0, 4), "famrel": (1, 5), "freetime": (1, 5), "goout": (1, 5), "Dalc": (1, 5),
    "Walc": (1, 5), "health": (1, 5), "absences": (0, 93), "G1": (0, 20), "G2": (0, 20), "G3": (0, 20),
}  # fmt: skip
_NAMES = (
    "school", "sex", "age", "address", "famsize", "Pstatus", "Medu", "Fedu", "Mjob", "Fjob", "reason",
    "guardian", "traveltime", "studytime", "failures", "schoolsup", "famsup", "paid", "activities",
    "nursery", "higher", "internet", "romantic", "famrel", "freetime", "goout", "Dalc", "Walc", "health",
    "absences", "G1", "G2", "G3",
)  # fmt: skip
_WORDS = {"sex": {"F": "female", "M": "male"}, "address": {"U": "urban", "R": "rural"}}


def load_student_mat(data_dir: Path | str | None = None) -> Dataset:
    """Student performance, mathematics: does a pupil pass, by sex, age and address.

    Parameters
    ----------
    data_dir : Path or str
        A folder with UCI's `student-mat.csv`, or one with a folder `student` that has it.

    Raises
    ------
    InputError
        If the file is not there, or not as UCI wrote it.

    References
    ----------
    Cortez & Silva (2008), Using data mining to predict secondary school student performance, Proceedings of
    5th FUture BUsiness TEChnology Conference. Data: doi:10.24432/C5TG7T, CC BY 4.0.
    """
    return _load("student_mat", data_dir, "student-mat.csv", ABOUT_MAT)


def load_student_por(data_dir: Path | str | None = None) -> Dataset:
    """Student performance, Portuguese: does a pupil pass, by sex, age and address.

    Parameters
    ----------
    data_dir : Path or str
        A folder with UCI's `student-por.csv`, or one with a folder `student` that has it.

    Raises
    ------
    InputError
        If the file is not there, or not as UCI wrote it.

    References
    ----------
    Cortez & Silva (2008), Using data mining to predict secondary school student performance, Proceedings of
    5th FUture BUsiness TEChnology Conference. Data: doi:10.24432/C5TG7T, CC BY 4.0.
    """
    return _load("student_por", data_dir, "student-por.csv", ABOUT_POR)


def _load(name: str, data_dir: Path | str | None, file: str, about: str) -> Dataset:
    advice = f"Get {file} from {SOURCE.url}, and pass its folder."
    if data_dir is None:
        raise InputError(f"Data set `{name}` is read from a file. {advice}")
    path = find_folder(data_dir, "student", (file,), advice) / file
    raw = read_table(path, _NAMES, delimiter=";", advice=advice)
    columns: Columns = {}
    for column in _NAMES:
        if column in _BOUNDS:
            columns[column] = numbers(path, column, raw[column], *_BOUNDS[column])
        elif column in _WORDS:
            columns[column] = words(path, column, raw[column], _WORDS[column])
        else:
            columns[column] = texts(raw[column], missing=("",))
    columns["passed"] = (columns["G3"] >= 10).astype(np.int64)
    return Dataset(
        name=name,
        columns=columns,
        label="passed",
        positive=1,
        sensitive=("sex", "age", "address"),
        cuts={"age": (18.0,)},
        drop=("G1", "G2", "G3"),
        about=about,
        source=SOURCE,
    )
