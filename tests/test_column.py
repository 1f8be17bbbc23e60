"""Columns: codes and distinct values agree with the values themselves, for every library."""

from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlattice import TableEncoder
from fairlattice._column import Column
from fairlattice._validation import as_column
from fairlattice.encoders._shared import read_columns

TEXTS = st.lists(st.sampled_from(["a", "b", "Ä", "", " a", "x y", None]), min_size=1, max_size=60)
LIBRARIES = {
    "polars": lambda values: pl.Series("c", values, dtype=pl.String),
    "pandas": lambda values: pd.Series(values, dtype="object"),
    "pandas strings": lambda values: pd.Series(values, dtype="string"),
    "pyarrow": lambda values: pa.chunked_array([pa.array(values, type=pa.string())]),
    "NumPy": lambda values: np.array(values, dtype=object),
}


def plain(column):
    return [None if gone else v for v, gone in zip(column.values.tolist(), column.missing, strict=True)]


@pytest.mark.parametrize("library", LIBRARIES)
@given(values=TEXTS, times=st.sampled_from([1, 20]))  # with 20 rows of each text, libraries code the column
def test_text_of_any_library_is_read_as_it_is(library, values, times):
    column = as_column(LIBRARIES[library](values * times), "c")
    assert plain(column) == values * times
    assert column.counted() == Counter(v for v in values * times if v is not None)


@given(values=TEXTS, seed=st.integers(0, 99))
def test_rows_that_are_taken_have_the_values_codes_and_counts_of_those_rows(values, seed):
    rows = np.random.default_rng(seed).integers(0, len(values), 2 * len(values))
    taken = as_column(np.array(values, dtype=object), "c").take(rows)
    expected = [values[i] for i in rows]
    assert plain(taken) == expected
    assert taken.counted() == Counter(v for v in expected if v is not None)
    assert taken.counted(np.arange(len(rows))) == {
        v: sum(i for i, w in enumerate(expected) if w == v) for v in set(expected) - {None}
    }
    places = taken.places(["b", "", "a"])
    known = {"b": 0, "": 1, "a": 2}
    assert [p for p, v in zip(places, expected, strict=True) if v is not None] == [
        known.get(v, -1) for v in expected if v is not None
    ]


def test_a_column_of_codes_has_their_levels_and_misses_minus_one():
    column = Column.of_codes(["no", "yes"], np.array([1, 0, -1, 1], dtype=np.int32))
    assert plain(column) == ["yes", "no", None, "yes"]
    assert column.counted() == {"yes": 2, "no": 1}


def test_numbers_are_located_among_known_ones():
    column = as_column(np.array([3, 1, 7]), "c")
    assert column.places([1, 2, 3]).tolist() == [2, 0, -1]
    assert column.take(np.array([2, 0])).values.tolist() == [7, 3]


def test_values_without_a_hash_cannot_be_coded():
    values = np.empty(2, dtype=object)
    values[:] = [[1], [2]]
    with pytest.raises(TypeError):
        _ = as_column(values, "c").coded


@pytest.mark.filterwarnings("ignore::fairlattice.exceptions.AssumptionWarning")
@given(seed=st.integers(0, 30))
def test_rows_of_columns_read_once_are_encoded_as_rows_that_are_read_by_themselves(seed):
    rng = np.random.default_rng(seed)
    n = 80
    frame = pl.DataFrame(
        {
            "job": rng.choice(["cook", " cook", "nurse", "N/A", "pilot"], n),
            "pay": rng.choice(["1,200", "900", "unknown", "1,000"], n),
            "age": rng.integers(18, 70, n),
            "day": rng.choice(["2024-01-05", "2024-02-07", None], n),
            "free": [f"{i} words" for i in range(n)],
        }
    )
    features = TableEncoder().read(frame)
    columns = read_columns(frame, features)
    rows = rng.permutation(n)[:50]
    alone = TableEncoder()
    vectors = alone.fit_vectors(frame[rows], features)
    np.testing.assert_array_equal(vectors, alone.vectors(frame[rows]))
    shared = TableEncoder().fit_as(frame[rows], {k: c.take(rows) for k, c in columns.items()}, features)
    assert alone.codecs_ == shared.codecs_
    rest = np.setdiff1d(np.arange(n), rows)
    np.testing.assert_array_equal(
        alone.vectors(frame[rest]), shared.encode({k: c.take(rest) for k, c in columns.items()})
    )
