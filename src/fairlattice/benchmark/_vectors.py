"""Texts and images as vectors of a model that was trained elsewhere, once for all trials.

Such a model learns nothing from the table, so every row may be encoded before rows are split. What is
learned from texts themselves (TF-IDF) is learned in each trial, from its training rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fairlattice.datasets import Dataset
from fairlattice.encoders import ImageEncoder, SentenceEncoder


def with_vectors(
    data: Dataset,
    *,
    text_model: str | Path | None = None,
    image_weights: str | Path | None = None,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The data set with its texts and images as columns of numbers, where a model for them is given.

    Parameters
    ----------
    data : Dataset
        The data set.
    text_model : path, optional
        Folder of a model of sentence-transformers; without it texts stay texts.
    image_weights : path or "imagenet", optional
        Weights of ResNet18; without them images stay images.
    cache : Path, optional
        Folder in which vectors are kept, so that a second start goes on.
    progress : callable (done, total), optional
        Called after every batch.

    Raises
    ------
    InputError
        If the extra ``text`` or ``image`` is not installed, or the model or an image cannot be read.
    """
    columns = dict(data.columns)
    if text_model is not None:
        texts = SentenceEncoder(text_model, cache=cache, progress=progress)
        for name in data.text:
            columns = _replaced(columns, name, texts.fit_transform(columns[name]))
    if image_weights is not None:
        pictures = ImageEncoder(weights=image_weights, cache=cache, progress=progress)
        for name in data.images:
            columns = _replaced(columns, name, pictures.fit_transform(columns[name]))
    return replace(
        data,
        columns=columns,
        text=data.text if text_model is None else (),
        images=data.images if image_weights is None else (),
    )


def _replaced(columns: dict[str, Any], name: str, vectors: Any) -> dict[str, Any]:
    """The columns with one of them as as many numbers."""
    numbers = {
        f"{name}_{j:03d}": np.asarray(vectors[:, j], dtype=np.float64) for j in range(vectors.shape[1])
    }
    return {k: v for k, v in columns.items() if k != name} | numbers
