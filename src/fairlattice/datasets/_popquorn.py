"""How offensive a comment is, by whoever rates it: many raters for each text, and what they said of themselves.

A model that sees the text alone predicts the same for every rater, so groups differ by what they find offensive: whose
judgement does the model follow?
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fairlattice._validation import check_count
from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._reading import (
    Columns,
    check_header,
    find_folder,
    numbers,
    objects,
    read_table,
    words,
)
from fairlattice.exceptions import InputError

ABOUT = "Ratings of Reddit comments; label: the rater finds the comment offensive (POPQUORN, 2023)."
SOURCE = Source(
    url="https://github.com/Jiaxin-Pei/Potato-Prolific-Dataset, dataset/offensiveness/raw_data.csv",
    licence="none stated; the authors call it open",
    reference="Pei & Jurgens (2023), When Do Annotator Demographics Matter? Measuring the Influence of Annotator "
    "Demographics with the POPQUORN Dataset, LAW-XVII, arXiv:2306.06826.",
    traps=(
        "The comments are meant to offend.",
        "Each comment has about nine ratings, so rows of one comment belong into one part of a split.",
        "A model sees the text alone: no blind weight can serve two groups that disagree on one text.",
        "Raters repeat too, so rows of one group come from few people.",
        "One band of age is written 54-59; it is 55-59.",
    ),
    access="files",
)
_FILES = ("offensiveness.csv", "raw_data.csv")
_NAMES = {"comment": "instance_id", "rater": "user_id"}  # in the file as published
_KEPT = ("text", "offensiveness", "gender", "race", "age", "education")
_AGES = (
    dict.fromkeys(("18-24", "25-29"), "18-29")
    | dict.fromkeys(("30-34", "35-39", "40-44"), "30-44")
    | dict.fromkeys(("45-49", "50-54", "54-59", "55-59"), "45-59")
    | dict.fromkeys(("60-64", ">65"), "60+")
)
_RACES = {
    "White": "white", "Black or African American": "black", "Asian": "asian", "Native American": "other",
    "Hispanic or Latino": "other", "Arab American": "other",
}  # fmt: skip
_GENDERS = {"Woman": "woman", "Man": "man", "Non-binary": "non-binary"}
_EDUCATIONS = (
    dict.fromkeys(("College degree", "Graduate degree"), "college")
    | dict.fromkeys(("High school diploma or equivalent", "Less than a high school diploma"), "below college")
    | {"Other": "other"}
)
_ADVICE = f"The folder must hold {' or '.join(_FILES)}, from {SOURCE.url}."


def load_popquorn(
    data_dir: Path | str | None = None, *, at_least: int = 2, education: bool = False
) -> Dataset:
    """POPQUORN: does a rater find a comment offensive, by the rater's gender, race and age.

    Age is in four bands; Native, Hispanic and Arab Americans are one level, "other". The comment is the unit. What a
    rater did not say is missing.

    Parameters
    ----------
    data_dir : Path or str
        A folder with `offensiveness.csv` or `raw_data.csv`, or one with a folder `popquorn` that has it.
    at_least : int, default=2
        Ratings, from 1 to 5, that count as offensive: 42 % of rows from 2, 25 % from 3.
    education : bool, default=False
        Whether education is a fourth attribute: college or below.

    Raises
    ------
    InputError
        If there is no such file, it is not as published, or `at_least` is not in 2 to 5.

    References
    ----------
    Pei & Jurgens (2023), When Do Annotator Demographics Matter? Measuring the Influence of Annotator Demographics with
    the POPQUORN Dataset, LAW-XVII, arXiv:2306.06826.
    """
    if data_dir is None:
        raise InputError(f"Data set `popquorn` is read from a file. {_ADVICE}")
    check_count("at_least", at_least, 2)
    if at_least > 5:
        raise InputError(f"`at_least` must lie in 2 to 5, got {at_least}.")
    folder = find_folder(data_dir, "popquorn", _FILES, _ADVICE)
    path = next(folder / name for name in _FILES if (folder / name).is_file())
    raw = read_table(path, _KEPT, advice=_ADVICE)
    for name, published in _NAMES.items():
        if name not in raw:
            check_header(path, (published,), list(raw))
            raw[name] = raw[published]
    columns: Columns = {
        "comment": objects(raw["comment"]),
        "rater": objects(raw["rater"]),
        "text": objects(raw["text"]),
    }
    asked = {"gender": _GENDERS, "race": _RACES, "age": _AGES, "education": _EDUCATIONS}
    for name, meaning in asked.items():
        columns[name] = words(path, name, raw[name], {"": None} | meaning)
    columns["offensive"] = (numbers(path, "offensiveness", raw["offensiveness"], 1, 5) >= at_least).astype(
        np.int64
    )
    attributes = ("gender", "race", "age", *(("education",) if education else ()))
    return Dataset(
        name="popquorn",
        columns=columns,
        label="offensive",
        positive=1,
        sensitive=attributes,
        cuts={},
        drop=("comment", "rater", *(() if education else ("education",))),
        about=ABOUT,
        text=("text",),
        unit="comment",
        source=SOURCE,
    )
