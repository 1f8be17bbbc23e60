"""UCI Diabetes 130-US hospitals: is a patient back within thirty days, 1999 to 2008.

Diagnoses are codes of hundreds of levels; they become the nine groups of the table's own authors.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import fetch_openml

from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._openml import openml_columns, reaching_openml
from fairlattice.datasets._reading import (
    Columns,
    as_table,
    check_header,
    find_folder,
    numbers,
    read_text,
    texts,
    words,
)
from fairlattice.exceptions import InputError

ABOUT = "Stays of diabetic patients in 130 US hospitals; label: back within 30 days (UCI, CC BY 4.0)."
SOURCE = Source(
    url="https://archive.ics.uci.edu/dataset/296/diabetes+130-us+hospitals+for+years+1999-2008",
    licence="CC BY 4.0",
    reference="Strack et al. (2014), Impact of HbA1c measurement on hospital readmission rates, BioMed "
    "Research International, doi:10.1155/2014/781670; data doi:10.24432/C5230J.",
    traps=(
        "A row is a stay and not a patient: 101,766 stays of 71,518 patients. Split by patient_nbr.",
        "None in max_glu_serum and A1Cresult means not measured, which some readers take for missing.",
        "2,423 stays end in death or hospice, after which nobody comes back; they are left out.",
        "Race is missing in 2,273 rows, weight in 98,569; weight and two constant drugs are left out.",
        "Some groups of race, gender and age have hardly a row: two Asian men are below 30.",
    ),
    access="fetched",
)
_FILES = ("diabetic_data.csv", "dataset_diabetes.zip", "diabetes+130-us+hospitals+for+years+1999-2008.zip")
_ADVICE = f"The folder must hold diabetic_data.csv or dataset_diabetes.zip, from {SOURCE.url}."
_COUNTS = (
    "time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications", "number_outpatient",
    "number_emergency", "number_inpatient", "number_diagnoses",
)  # fmt: skip
_LEVELS = (
    "race", "gender", "weight", "admission_type_id", "discharge_disposition_id", "admission_source_id",
    "payer_code", "medical_specialty", "max_glu_serum", "A1Cresult", "metformin", "repaglinide",
    "nateglinide", "chlorpropamide", "glimepiride", "acetohexamide", "glipizide", "glyburide",
    "tolbutamide", "pioglitazone", "rosiglitazone", "acarbose", "miglitol", "troglitazone", "tolazamide",
    "examide", "citoglipton", "insulin", "glyburide-metformin", "glipizide-metformin",
    "glimepiride-pioglitazone", "metformin-rosiglitazone", "metformin-pioglitazone", "change",
    "diabetesMed",
)  # fmt: skip
_IDS = ("encounter_id", "patient_nbr")
_DIAGNOSES = ("diag_1", "diag_2", "diag_3")
_NAMES = (*_IDS, "age", *_LEVELS, *_COUNTS, *_DIAGNOSES, "readmitted")
_DECADES = {f"[{low}-{low + 10})": low for low in range(0, 100, 10)}
_READMITTED = {"<30": "<30", ">30": ">30", "NO": "NO"}
_DEAD = ("11", "13", "14", "19", "20", "21")
_CHAPTERS = (
    (140, 240, "neoplasms"), (250, 251, "diabetes"), (390, 460, "circulatory"), (460, 520, "respiratory"),
    (520, 580, "digestive"), (580, 630, "genitourinary"), (710, 740, "musculoskeletal"),
    (785, 786, "circulatory"), (786, 787, "respiratory"), (787, 788, "digestive"),
    (788, 789, "genitourinary"), (800, 1000, "injury"),
)  # fmt: skip


def load_diabetes130(data_dir: Path | str | None = None, *, keep_deaths: bool = False) -> Dataset:
    """Diabetes in 130 US hospitals: is a patient back within 30 days, by race, gender and age.

    Rows are stays; `patient_nbr` is their unit. The three rows whose gender is not known are left out. Age is
    the lower end of its band of ten years, cut at 30 and 60. A missing race is a level of its own.

    Parameters
    ----------
    data_dir : Path or str, optional
        A folder with `diabetic_data.csv`, or the zip file that has it, or one with a folder `diabetes130`;
        without it scikit-learn fetches the table from OpenML once and keeps it.
    keep_deaths : bool, default=False
        Whether stays that ended in death or hospice count, after which nobody can be readmitted.

    Raises
    ------
    InputError
        If the file is not there or another, or OpenML cannot be reached.

    References
    ----------
    Strack et al. (2014), Impact of HbA1c measurement on hospital readmission rates, BioMed Research
    International, doi:10.1155/2014/781670. Data: doi:10.24432/C5230J, CC BY 4.0.
    """
    columns = _from_openml() if data_dir is None else _from_files(data_dir)
    kept = columns["gender"] != "Unknown/Invalid"
    if not keep_deaths:
        kept &= ~np.isin(columns["discharge_disposition_id"].astype(str), _DEAD)
    if not kept.any():
        raise InputError(
            "No stay in `diabetes130` is left: all end in death or have no gender. Look at the file."
        )
    return Dataset(
        name="diabetes130",
        columns={name: values[kept] for name, values in columns.items()},
        label="readmitted_early",
        positive=1,
        sensitive=("race", "gender", "age"),
        cuts={"age": (30.0, 60.0)},
        drop=(*_IDS, "weight", "examide", "citoglipton", "readmitted"),
        about=ABOUT,
        unit="patient_nbr",
        source=SOURCE,
    )


def _from_files(data_dir: Path | str) -> Columns:
    folder = find_folder(data_dir, "diabetes130", _FILES, _ADVICE)
    path = next(folder / name for name in _FILES if (folder / name).is_file())
    text = _unzipped(path) if path.suffix == ".zip" else read_text(path, advice=_ADVICE)
    return _typed(path, as_table(path, text, _NAMES))


def _unzipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = next((n for n in archive.namelist() if n.endswith("diabetic_data.csv")), None)
            if inside is None:
                raise InputError(f"`{path}` holds no diabetic_data.csv. {_ADVICE}")
            return archive.read(inside).decode()
    except (zipfile.BadZipFile, OSError, UnicodeDecodeError) as error:
        raise InputError(f"`{path}` cannot be unpacked: {error}. Fetch it again.") from error


def _from_openml() -> Columns:
    with reaching_openml("Diabetes in 130 US hospitals", "diabetic_data.csv"):
        bunch = fetch_openml(data_id=4541, as_frame=False, parser="liac-arff")
    raw = {name.replace(".", "-"): v for name, v in openml_columns(bunch, "readmitted").items()}
    check_header(Path("OpenML"), _NAMES, list(raw))
    return _typed("OpenML", raw)


def _typed(origin: Path | str, raw: dict[str, Any]) -> Columns:
    columns: Columns = {name: numbers(origin, name, raw[name], 0) for name in (*_IDS, *_COUNTS)}
    columns |= {name: texts(map(_code, raw[name])) for name in _LEVELS}
    for name in ("max_glu_serum", "A1Cresult"):
        columns[name] = np.where(columns[name] == "None", "not measured", columns[name])
    columns |= {name: texts(map(chapter, raw[name]), missing=()) for name in _DIAGNOSES}
    columns["age"] = words(origin, "age", raw["age"], _DECADES).astype(np.int64)
    columns["readmitted"] = words(origin, "readmitted", raw["readmitted"], _READMITTED)
    columns["readmitted_early"] = (columns["readmitted"] == "<30").astype(np.int64)
    return columns


def _code(value: Any) -> str:
    """Codes as text, also where a table has them as floating numbers."""
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def chapter(code: str | float) -> str | None:
    """The group of a diagnosis in ICD-9, as in Strack et al. (2014), Table 2; None where missing.

    Examples
    --------
    >>> [chapter(code) for code in ("250.83", "428", "V27", "?")]
    ['diabetes', 'circulatory', 'other', None]
    """
    if code == "?":
        return None
    try:
        number = float(code)
    except ValueError:  # external causes (E) and supplements (V)
        return "other"
    return next((name for low, high, name in _CHAPTERS if low <= number < high), "other")
