"""Numeracy and anxiety in health: what respondents wrote, and whether they score above the median.

Both data sets come from one survey. The texts are personal: nothing here ever shows one, not even
in an error.
"""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import FloatArray
from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._reading import (
    Columns,
    as_table,
    check_header,
    find_folder,
    numbers,
    objects,
    read_text,
    texts,
    words,
)
from fairlattice.exceptions import InputError

ABOUT_NUMERACY = "Respondents' texts on health; label: numeracy above the median (Abbasi et al. 2021, MIT)."
ABOUT_ANXIETY = (
    "Respondents' texts on visits to a doctor; label: anxiety above the median (Abbasi et al. 2021, MIT)."
)
SOURCE = Source(
    url="https://github.com/nd-hal/fair-psych-nlp, folder Data",
    licence="MIT",
    reference="Abbasi, Dobolyi, Lalor, Netemeyer, Smith & Yang (2021), Constructing a Psychometric Testbed "
    "for Fair Natural Language Processing, EMNLP, doi:10.18653/v1/2021.emnlp-main.304.",
    traps=(
        "The texts are personal: do not print or pass them on.",
        "The files are in ISO-8859-1; read as UTF-8 they break.",
        "D4 is education in one release, and D4-Race is race in another; both are read.",
        "Who declined to answer is missing, which is a level of its own with few rows.",
        "The label is cut at the median of a score: people near it differ little. Its items are dropped.",
    ),
    access="files",
)
_SURVEY, _FOLDS = "Data_SurveyPlusDemographics.txt", "DataCVFolds.zip"
_ADVICE = f"The folder must hold {_SURVEY}, from {SOURCE.url}."
_MISSING = ("", "NA", "nan", "NaN")
_ASKED = {  # column: its names in the two releases
    "sex": ("D2", "D2-Gender"),
    "age": ("D1", "D1-Age"),
    "race": ("D3", "D4-Race"),
    "education": ("D4", "D5-Education"),
    "income": ("D5", "D6-Income"),
    "english": ("D6", "EFL"),
}
_SEXES = {1: "male", 2: "female"}
_RACES = {1: "White"} | dict.fromkeys(range(2, 8), "other") | {8: None}
_EDUCATIONS = dict.fromkeys(range(1, 5), "below college") | dict.fromkeys(range(5, 8), "college") | {8: None}
_FIRST_AGE = 17  # code 1 is 18 years


def load_numeracy(data_dir: Path | str | None = None) -> Dataset:
    """Numeracy: does a respondent handle health figures better than the median, predicted from a text.

    Attributes, each of two levels: sex; age above the sample's median or not; race White or other; education
    below college or not. Who declined to answer is missing.

    Parameters
    ----------
    data_dir : Path or str
        A folder with `Data_SurveyPlusDemographics.txt`, or one with a folder `fair_psych_nlp` that has it.
        The fold in which a row is tested comes from its column `File`, or from `DataCVFolds.zip` in the same folder by
        the text; rows of no fold are then left out, and `about` says how many.

    Raises
    ------
    InputError
        If the file is not there or not as published.

    References
    ----------
    Abbasi, Dobolyi, Lalor, Netemeyer, Smith & Yang (2021), Constructing a Psychometric Testbed for Fair
    Natural Language Processing, EMNLP, doi:10.18653/v1/2021.emnlp-main.304.
    """
    return _load("numeracy", data_dir, ABOUT_NUMERACY)


def load_anxiety(data_dir: Path | str | None = None) -> Dataset:
    """Anxiety: does a respondent fear the doctor more than the median, predicted from a text.

    Attributes, each of two levels: sex; age above the sample's median or not; race White or other; education
    below college or not. Who declined to answer is missing.

    Parameters
    ----------
    data_dir : Path or str
        A folder with `Data_SurveyPlusDemographics.txt`, or one with a folder `fair_psych_nlp` that has it.
        The fold in which a row is tested comes from its column `File`, or from `DataCVFolds.zip` in the same folder by
        the text; rows of no fold are then left out, and `about` says how many.

    Raises
    ------
    InputError
        If the file is not there or not as published.

    References
    ----------
    Abbasi, Dobolyi, Lalor, Netemeyer, Smith & Yang (2021), Constructing a Psychometric Testbed for Fair
    Natural Language Processing, EMNLP, doi:10.18653/v1/2021.emnlp-main.304.
    """
    return _load("anxiety", data_dir, ABOUT_ANXIETY)


def _load(name: str, data_dir: Path | str | None, about: str) -> Dataset:
    if data_dir is None:
        raise InputError(f"Data set `{name}` is read from files. {_ADVICE}")
    folder, task = find_folder(data_dir, "fair_psych_nlp", (_SURVEY,), _ADVICE), name.capitalize()
    path = folder / _SURVEY
    raw = _survey(path, (f"Text_{task}", f"Label_{task}"))
    columns = _demographics(path, raw)
    columns["text"] = objects("" if text.strip() in _MISSING else text for text in raw[f"Text_{task}"])
    scores = _codes(path, f"Label_{task}", raw[f"Label_{task}"], 0, 1, whole=False)
    if np.isnan(scores).all():
        raise InputError(f"`{path}` has no score in column `Label_{task}`. Is it the right file?")
    columns[name] = (scores > np.nanmedian(scores)).astype(np.int64)
    age = (float(np.floor(np.nanmedian(columns["age"]))) + 1,)
    kept, note = ~np.isnan(scores), ""
    folds = _folds(path, raw, columns["text"], task)
    if folds is not None:
        columns["fold"] = folds
        kept &= folds > 0
    if not kept.all():
        note = f" {int((~kept).sum()):,} of {len(kept):,} rows have no score or no fold and are left out."
    return Dataset(
        name=name,
        columns={column: values[kept] for column, values in columns.items()},
        label=name,
        positive=1,
        sensitive=("sex", "age", "race", "education"),
        cuts={"age": age},
        drop=("fold",) if folds is not None else (),
        about=about + note,
        text=("text",),
        part="fold" if folds is not None else None,
        source=SOURCE,
    )


def _survey(path: Path, wanted: tuple[str, ...]) -> dict[str, list[str]]:
    """The survey as text; whichever of three delimiters its first line has most."""
    text = read_text(path, encoding="latin-1", advice=_ADVICE).removeprefix("ï»¿")
    first = text.partition("\n")[0]
    delimiter = max("\t,;", key=first.count)
    raw = _parsed(path, text, delimiter)
    check_header(path, wanted, list(raw))
    for column, names in _ASKED.items():
        found = next((name for name in names if name in raw), None)
        if found is None:
            check_header(path, names[:1], list(raw))
        else:
            raw[column] = raw[found]
    return raw


def _parsed(path: Path, text: str, delimiter: str) -> dict[str, list[str]]:
    """Between tabs a quotation mark is a plain character, unless a field cannot do without."""
    if delimiter == "\t":
        with contextlib.suppress(InputError):
            plain = as_table(path, text, (), delimiter=delimiter, quoted=False)
            return {_unquoted(name): list(map(_unquoted, values)) for name, values in plain.items()}
    return as_table(path, text, (), delimiter=delimiter)


def _unquoted(field: str) -> str:
    quoted = len(field) > 1 and field[0] == field[-1] == '"'
    return field[1:-1].replace('""', '"') if quoted else field


def _demographics(path: Path, raw: Mapping[str, list[str]]) -> Columns:
    age = _codes(path, "age", raw["age"], 1, 82) + _FIRST_AGE
    if np.isnan(age).all():
        raise InputError(f"`{path}` has no age. Is it the right file?")
    income = _codes(path, "income", raw["income"], 1, 8)
    return {
        "sex": _meant(path, "sex", raw["sex"], _SEXES),
        "age": age,
        "race": _meant(path, "race", raw["race"], _RACES),
        "education": _meant(path, "education", raw["education"], _EDUCATIONS),
        "income": np.where(income > 6, np.nan, income),  # 7 is not sure, 8 declined
        "english": texts((value.strip() for value in raw["english"]), missing=_MISSING),
    }


def _codes(
    path: Path, name: str, values: list[str], low: float, high: float, *, whole: bool = True
) -> FloatArray:
    """Numbers, NaN where there is none."""
    found = [value.strip() for value in values]
    array = np.full(len(found), np.nan)
    present = [i for i, value in enumerate(found) if value not in _MISSING]
    array[present] = numbers(path, name, [found[i] for i in present], low, high, whole=whole)
    return array


def _meant(path: Path, name: str, values: list[str], meaning: Mapping[int, str | None]) -> npt.NDArray[Any]:
    codes = [None if value != value else int(value) for value in _codes(path, name, values, 0, 99)]
    return words(path, name, codes, {None: None, **meaning})


def _folds(
    path: Path, raw: Mapping[str, list[str]], text: npt.NDArray[Any], task: str
) -> npt.NDArray[Any] | None:
    """In which fold each row is tested, 1 to 5, or 0 for none; None where it is not recorded."""
    if "File" in raw:
        codes = _codes(path, "File", raw["File"], 1, 5)
        return np.nan_to_num(codes).astype(np.int64)
    archive = path.parent / _FOLDS
    if not archive.is_file():
        return None
    tested = _tested(archive, task)
    folds = np.array(
        [tested[_key(t)].pop(0) if tested[_key(t)] else 0 for t in text.tolist()], dtype=np.int64
    )
    if np.mean(folds > 0) < 0.5:
        raise InputError(
            f"`{archive}` has the texts of only {int((folds > 0).sum()):,} of {len(folds):,} rows. "
            f"It must fit {_SURVEY}; fetch both again."
        )
    return folds


def _tested(archive: Path, task: str) -> defaultdict[str, list[int]]:
    """Folds that test each text, in the archive's order: two respondents may have written the same."""
    tested: defaultdict[str, list[int]] = defaultdict(list)
    wanted = re.compile(rf"(?:^|/)([1-5])/[^/]*{task}_?test\.txt$", re.IGNORECASE)
    try:
        with zipfile.ZipFile(archive) as files:
            found = [(m[1], name) for name in files.namelist() if (m := wanted.search(name))]
            for fold, name in found:
                for line in files.read(name).decode("latin-1").split("\n"):
                    fields = line.rstrip("\r").split("\t")
                    if len(fields) > 1:
                        tested[_key(fields[1])].append(int(fold))
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"`{archive}` cannot be unpacked: {error}. Fetch it again.") from error
    return tested


def _key(text: str) -> str:
    """A text without what writing it into a table may change: blanks and quotation marks."""
    return "".join(text.replace('"', "").split())
