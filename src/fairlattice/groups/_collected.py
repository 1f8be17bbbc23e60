"""What an engine computes of a lazy frame, as a small frame in memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import narwhals as nw


@contextmanager
def unannounced() -> Iterator[None]:
    """Narwhals announces that its support of Dask will be a package of its own; no user can act on it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Dask support is moving", FutureWarning)
        yield


def collected(table: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """The frame in memory; polars reads files in pieces if asked to, other engines do as they are set up."""
    streaming: dict[str, Any] = {"engine": "streaming"} if table.implementation.is_polars() else {}
    with unannounced():
        return table.collect(**streaming)
