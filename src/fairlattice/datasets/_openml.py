"""OpenML's tables through scikit-learn: its errors as one of ours, its codes as words."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from fairlattice.exceptions import InputError


@contextlib.contextmanager
def reaching_openml(title: str, files: str) -> Iterator[None]:
    """Whatever keeps a table from being fetched becomes one error that names the files to get instead."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of every retry; the error below says it once
            yield
    except Exception as error:
        raise InputError(
            f"{title} could not be fetched from OpenML; is this machine online? Download {files} instead "
            f"and pass their folder with --data-dir. ({type(error).__name__}: {error})"
        ) from error


def openml_columns(bunch: Any, target: str) -> dict[str, list[Any]]:
    """Columns of a table that was fetched as arrays: "?" where missing, words for codes of categories."""
    categories = getattr(bunch, "categories", None) or {}
    names = [str(name) for name in bunch.feature_names]
    columns = {
        name: [_plain(value, categories.get(name)) for value in np.asarray(bunch.data[:, j]).tolist()]
        for j, name in enumerate(names)
    }
    found = np.asarray(bunch.target).ravel().tolist()
    return columns | {target: [_plain(value, categories.get(target)) for value in found]}


def _plain(value: Any, categories: Any) -> Any:
    if value is None or value != value:
        return "?"
    return categories[int(value)] if categories and not isinstance(value, str) else value
