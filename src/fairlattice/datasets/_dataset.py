"""What a data set is, and the list of those that can be asked for by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from fairlattice._validation import check_choice


@dataclass(frozen=True)
class Dataset:
    """A table with everything needed to audit or compare on it.

    Parameters
    ----------
    name : str
        What it is called.
    columns : mapping of str to array of shape (n,)
        The table; None or NaN where a value is missing.
    label : str
        The column to predict.
    positive : label
        The positive class.
    sensitive : tuple of str
        The sensitive columns.
    cuts : mapping of str to tuple of float
        Cut points of those that are numeric.
    drop : tuple of str
        Columns that are no features, such as survey weights.
    about : str
        One sentence of origin, for the reader of a result.
    """

    name: str
    columns: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    label: str
    positive: Any
    sensitive: tuple[str, ...]
    cuts: Mapping[str, tuple[float, ...]]
    drop: tuple[str, ...] = ()
    about: str = ""

    @property
    def n_rows(self) -> int:
        """How many rows the table has."""
        return len(self.columns[self.label])


Loader = Callable[[Path | None], Dataset]
_LOADERS: dict[str, Loader] = {}


def register(name: str, loader: Loader) -> None:
    """Make a data set available by name; `loader` takes a folder of local files, or None."""
    _LOADERS[name] = loader


def dataset_names() -> tuple[str, ...]:
    """Names of the data sets that :func:`load_dataset` knows.

    Examples
    --------
    >>> dataset_names()
    ('diabetes', 'adult')
    """
    return tuple(_LOADERS)


def load_dataset(name: str, data_dir: Path | None = None) -> Dataset:
    """Load a data set by name, from local files in `data_dir` if given.

    Raises
    ------
    InputError
        If there is no such data set, or it cannot be had.
    """
    return _LOADERS[check_choice("dataset", name, dataset_names())](data_dir)
