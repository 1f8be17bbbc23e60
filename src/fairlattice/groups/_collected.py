"""Collect a lazy frame into memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import narwhals as nw


@contextmanager
def without_dask_notice() -> Iterator[None]:
    """Silence narwhals' notice that Dask support will move to another package; users cannot act on it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Dask support is moving", FutureWarning)
        yield


def collected(table: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Collect the frame; polars streams it, and other engines work as they are configured."""
    streaming: dict[str, Any] = {"engine": "streaming"} if table.implementation.is_polars() else {}
    with without_dask_notice():
        return table.collect(**streaming)
