"""The data sets by name, and what is known of them before they are loaded."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from fairlattice._validation import check_choice
from fairlattice.datasets import (
    _acs,
    _adult,
    _celeba,
    _census,
    _default_credit,
    _diabetes,
    _diabetes130,
    _german,
    _popquorn,
    _psychometric,
    _student,
    _twitter,
)
from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.exceptions import InputError

Loader = Callable[..., Dataset]


class _Entry(NamedTuple):
    loader: Loader
    about: str = ""
    source: Source | None = None


_CATALOGUE: dict[str, _Entry] = {
    "census": _Entry(_census.load_census, _census.ABOUT, _census.SOURCE),
    "diabetes": _Entry(_diabetes.load_diabetes, _diabetes.ABOUT, _diabetes.SOURCE),
    "adult": _Entry(_adult.load_adult, _adult.ABOUT, _adult.SOURCE),
    "acs_income": _Entry(_acs.load_acs_income, _acs.ABOUT_INCOME, _acs.SOURCE),
    "acs_coverage": _Entry(_acs.load_acs_coverage, _acs.ABOUT_COVERAGE, _acs.SOURCE),
    "default_credit": _Entry(
        _default_credit.load_default_credit, _default_credit.ABOUT, _default_credit.SOURCE
    ),
    "diabetes130": _Entry(_diabetes130.load_diabetes130, _diabetes130.ABOUT, _diabetes130.SOURCE),
    "german": _Entry(_german.load_german, _german.ABOUT, _german.SOURCE),
    "student_mat": _Entry(_student.load_student_mat, _student.ABOUT_MAT, _student.SOURCE),
    "student_por": _Entry(_student.load_student_por, _student.ABOUT_POR, _student.SOURCE),
    "celeba": _Entry(_celeba.load_celeba, _celeba.ABOUT, _celeba.SOURCE),
    "popquorn": _Entry(_popquorn.load_popquorn, _popquorn.ABOUT, _popquorn.SOURCE),
    "twitter": _Entry(_twitter.load_twitter, _twitter.ABOUT, _twitter.SOURCE),
    "numeracy": _Entry(_psychometric.load_numeracy, _psychometric.ABOUT_NUMERACY, _psychometric.SOURCE),
    "anxiety": _Entry(_psychometric.load_anxiety, _psychometric.ABOUT_ANXIETY, _psychometric.SOURCE),
}


def register(name: str, loader: Loader, *, about: str = "", source: Source | None = None) -> None:
    """Make a data set available by name.

    Parameters
    ----------
    name : str
        Name of the data set; an existing one is replaced.
    loader : callable
        Takes a folder of local files, or None, and returns a :class:`Dataset`. Further keyword arguments are
        its options.
    about : str, default=""
        One sentence, for lists that load nothing.
    source : Source, optional
        Where it comes from, likewise.
    """
    _CATALOGUE[name] = _Entry(loader, about, source)


def dataset_names() -> tuple[str, ...]:
    """Names of the data sets that :func:`load_dataset` knows.

    Examples
    --------
    >>> dataset_names()[:4]
    ('census', 'diabetes', 'adult', 'acs_income')
    """
    return tuple(_CATALOGUE)


def dataset_about(name: str) -> tuple[str, Source | None]:
    """What is known of a data set without loading it: a sentence, and where it comes from.

    Raises
    ------
    InputError
        If there is no such data set.

    Examples
    --------
    >>> about, source = dataset_about("adult")
    >>> source.licence
    'CC BY 4.0'
    """
    entry = _CATALOGUE[check_choice("dataset", name, dataset_names())]
    return entry.about, entry.source


def load_dataset(name: str, data_dir: Path | str | None = None, **options: Any) -> Dataset:
    """Load a data set by name.

    Parameters
    ----------
    name : str
        One of :func:`dataset_names`.
    data_dir : Path or str, optional
        A folder with the data set's own files, or one with a folder of the data set that has them. By default, the
        folder of the data set in the one that the environment variable ``FAIRLATTICE_DATA`` names, if it is there.
    **options
        Options of the data set's own loader.

    Raises
    ------
    InputError
        If there is no such data set or option, or it cannot be loaded.

    Examples
    --------
    >>> load_dataset("diabetes").n_rows
    442
    """
    loader = _CATALOGUE[check_choice("dataset", name, dataset_names())].loader
    taken = list(inspect.signature(loader).parameters)[1:]
    for option in options:
        if option not in taken and not _takes_any(loader):
            advice = f"It takes {', '.join(taken)}." if taken else "It takes none."
            raise InputError(f"Data set `{name}` has no option `{option}`. {advice}")
    return loader(_folder_of(name) if data_dir is None else Path(data_dir), **options)


def _folder_of(name: str) -> Path | None:
    """The data set's folder in the one that the environment names."""
    named = os.environ.get("FAIRLATTICE_DATA")
    if not named or not (Path(named) / name).is_dir():
        return None
    return Path(named)


def _takes_any(loader: Loader) -> bool:
    kinds = [parameter.kind for parameter in inspect.signature(loader).parameters.values()]
    return inspect.Parameter.VAR_KEYWORD in kinds
