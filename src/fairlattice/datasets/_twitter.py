"""Hate speech on Twitter, English: a tweet's text, and what was inferred of its author.

The texts are words, or the publisher's numbers of words with zeros before them; a number n becomes
the word "wn", so that whatever reads text reads both.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._reading import Columns, find_folder, numbers, objects, read_table, texts, words
from fairlattice.exceptions import InputError

ABOUT = "English tweets; label: hateful (Huang et al. 2020)."
SOURCE = Source(
    url="https://github.com/xiaoleihuang/Multilingual_Fairness_LREC",
    licence="none stated; tweets are subject to the platform's terms",
    reference="Huang, Xing, Dernoncourt & Paul (2020), Multilingual Twitter Corpus and Baselines for "
    "Evaluating Demographic Bias in Hate Speech Recognition, LREC, arXiv:2002.10361.",
    traps=(
        "Gender, age and ethnicity were inferred from profiles by machine; the authors did not state them.",
        "Most rows lack one of the four attributes: 9,658 of 25,363 remain in valid and test.",
        "The published split is not random: 23 % are hateful in valid and 73 % in test.",
        "Quotation marks in tweets are plain characters; a reader that interprets them loses rows.",
        "Some texts are numbers of words, in which those outside the vocabulary are gone.",
    ),
    access="files",
)
_PARTS = {"train.tsv": "train", "valid.tsv": "validation", "test.tsv": "test"}
_MEANING = {
    "gender": {"0": "male", "1": "female"},
    "age": {"0": "above the median", "1": "up to the median"},
    "country": {"0": "other", "1": "most frequent"},
    "ethnicity": {"0": "white", "1": "other"},
}
_NAMES = ("uid", "text", *_MEANING, "label")
_NUMBERS = re.compile(r"[\[ ]*\d+([ ,]+\d+)*[\] ]*")
_ADVICE = f"The folder must hold English train.tsv, valid.tsv or test.tsv, from {SOURCE.url}."


def load_twitter(data_dir: Path | str | None = None, *, pool: bool = True) -> Dataset:
    """Twitter hate speech: is a tweet hateful, by its author's gender, age, country and ethnicity.

    Rows that lack one of the four attributes are left out; `about` says how many. The author is the unit;
    a row without one is a unit of its own.

    Parameters
    ----------
    data_dir : Path or str
        A folder with `train.tsv`, `valid.tsv` and `test.tsv`, or those of them that there are, or one with a
        folder `twitter` that has them.
    pool : bool, default=True
        Whether all rows are pooled, to be split again. If false, `part` is the published split, whose parts differ
        much in their rate of hateful tweets.

    Raises
    ------
    InputError
        If there is no such file, it is not as published, or no row has all four attributes.

    References
    ----------
    Huang, Xing, Dernoncourt & Paul (2020), Multilingual Twitter Corpus and Baselines for Evaluating
    Demographic Bias in Hate Speech Recognition, LREC, arXiv:2002.10361.
    """
    if data_dir is None:
        raise InputError(f"Data set `twitter` is read from files. {_ADVICE}")
    folder = find_folder(data_dir, "twitter", tuple(_PARTS), _ADVICE)
    pieces = [_piece(folder / file, part) for file, part in _PARTS.items() if (folder / file).is_file()]
    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    columns["uid"] = objects(u or f"(row {i})" for i, u in enumerate(columns["uid"].tolist(), start=1))
    whole = np.logical_and.reduce([[v is not None for v in columns[name]] for name in _MEANING])
    if not whole.any():
        raise InputError(f"No row in `{folder}` has gender, age, country and ethnicity. {_ADVICE}")
    return Dataset(
        name="twitter",
        columns={name: values[whole] for name, values in columns.items()},
        label="label",
        positive=1,
        sensitive=tuple(_MEANING),
        cuts={},
        drop=("uid", "part"),
        about=f"{ABOUT} {int((~whole).sum()):,} of {len(whole):,} rows lack an attribute and are left out.",
        text=("text",),
        unit="uid",
        part=None if pool or len(pieces) == 1 else "part",
        source=SOURCE,
    )


def _piece(path: Path, part: str) -> Columns:
    raw = read_table(path, _NAMES, delimiter="\t", quoted=False, advice=_ADVICE)
    columns: Columns = {"uid": texts(raw["uid"], missing=("x", "")), "text": objects(as_words(raw["text"]))}
    for name, meaning in _MEANING.items():
        columns[name] = words(path, name, raw[name], {"x": None} | meaning)
    columns["label"] = numbers(path, "label", raw["label"], 0, 1)
    columns["part"] = objects([part] * len(raw["label"]))
    return columns


def as_words(found: list[str]) -> list[str]:
    """Texts as they are, or words "w123" where every one of them is a row of numbers, without the zeros.

    Examples
    --------
    >>> as_words(["0 0 17 5", "0 0 0 3"])
    ['w17 w5', 'w3']
    >>> as_words(["2 days to go", "17"])
    ['2 days to go', '17']
    """
    if not all(map(_NUMBERS.fullmatch, found)):
        return found
    return [" ".join(f"w{n}" for n in re.findall(r"\d+", text) if int(n)) for text in found]
