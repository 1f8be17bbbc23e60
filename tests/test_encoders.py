"""Encoders: what comes back has the same columns and types, and only values that can be."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

from fairlattice import InputError, TableEncoder

DATA = {
    "whole": [1, 2, None, 4],
    "real": [0.5, None, 2.25, 3.0],
    "count": [1.0, 2.0, 3.0, 4.0],
    "text": ["a", None, "b", "a"],
    "flag": [True, False, True, True],
    "gone": [None] * 4,
}
FRAMES = {
    "polars": pl.DataFrame(DATA).with_columns(
        pl.col("text").cast(pl.Categorical), pl.col("whole").cast(pl.Int16), pl.col("count").cast(pl.Float32)
    ),
    "polars enum": pl.DataFrame(DATA).with_columns(pl.col("text").cast(pl.Enum(["b", "a", "z"]))),
    "pandas": pd.DataFrame(DATA),
    "pandas category": pd.DataFrame(DATA).astype(
        {"text": pd.CategoricalDtype(["b", "a", "z"], ordered=True)}
    ),
    "pandas nullable": pd.DataFrame(DATA).astype({"whole": "Int32", "text": "string", "flag": "boolean"}),
    "pandas index": pd.DataFrame(DATA, index=[7, 7, 8, 9]),
    "arrow": pa.table(DATA),
}


def same(made, frame):
    if isinstance(frame, pd.DataFrame):
        pd.testing.assert_frame_equal(made, frame.reset_index(drop=True))
    elif isinstance(frame, pl.DataFrame):
        assert made.schema == frame.schema
        assert made.equals(frame)
    else:
        assert made.schema == frame.schema
        assert made.to_pydict() == frame.to_pydict()


@pytest.mark.parametrize("name", FRAMES)
def test_round_trip_in_every_library(name):
    frame = FRAMES[name]
    encoder = TableEncoder().fit(frame)
    same(encoder.inverse_transform(encoder.transform(frame)), frame)


@pytest.mark.parametrize("name", FRAMES)
def test_anything_decodes_to_a_valid_row(name):
    frame = FRAMES[name]
    encoder = TableEncoder().fit(frame)
    Z = np.random.default_rng(0).normal(size=(200, encoder.n_features_out_)) * 5
    made = (
        pl.DataFrame(pa.table(encoder.inverse_transform(Z)))
        if name == "arrow"
        else encoder.inverse_transform(Z)
    )
    table = made if isinstance(made, pl.DataFrame) else pl.from_pandas(made)
    assert set(table["whole"].drop_nulls().to_list()) <= {1, 2, 3, 4}
    assert table["real"].drop_nulls().is_between(0.5, 3.0).all()
    assert set(table["count"].drop_nulls().to_list()) <= {1.0, 2.0, 3.0, 4.0}
    assert set(table["text"].drop_nulls().cast(pl.String).to_list()) <= {"a", "b"}
    assert table["gone"].null_count() == 200
    assert table["count"].null_count() == table["flag"].null_count() == 0
    assert 0 < table["text"].null_count() < 200


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.floats(-1e6, 1e6)))
def test_arrays_come_back_as_they_were(X):
    encoder = TableEncoder().fit(X)
    assert encoder.inverse_transform(encoder.transform(X)) == pytest.approx(X, abs=1e-6)
    assert np.isfinite(encoder.transform(X)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.int8, object, bool])
def test_arrays_keep_their_type(dtype):
    X = np.array([[1, 0], [0, 1], [1, 1]]).astype(dtype)
    made = TableEncoder().fit(X).inverse_transform(TableEncoder().fit(X).transform(X))
    assert made.dtype == X.dtype
    assert (made == X).all()


def test_numbers_are_standardised_and_categories_are_zero_or_one():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(5, 3, 500), "c": rng.choice(["u", "v", "w"], 500)})
    encoder = TableEncoder()
    Z = encoder.fit_transform(frame)
    assert Z[:, encoder.slices_["x"]].mean() == pytest.approx(0, abs=1e-12)
    assert Z[:, encoder.slices_["x"]].std() == pytest.approx(1)
    assert (Z[:, encoder.slices_["c"]].sum(axis=1) == 1).all()


def test_rare_categories_share_a_coordinate_and_unknown_ones_join_them():
    text = ["a"] * 9 + ["b"] * 5 + ["c"] * 3 + ["d"] * 2 + ["e"]
    encoder = TableEncoder(max_categories=3).fit(pl.DataFrame({"t": text}))
    assert encoder.n_features_out_ == 3
    Z = encoder.transform(pl.DataFrame({"t": ["a", "b", "c", "e", "never seen"]}))
    assert encoder.inverse_transform(Z)["t"].to_list() == ["a", "b", "c", "c", "c"]
    few = TableEncoder().fit(pl.DataFrame({"t": text}))
    assert few.transform(pl.DataFrame({"t": ["never seen"]})).sum() == 0


@pytest.mark.parametrize("name", FRAMES)
def test_snapping_is_decoding_and_encoding_again(name):
    encoder = TableEncoder().fit(FRAMES[name])
    Z = np.random.default_rng(1).normal(size=(50, encoder.n_features_out_)) * 3
    assert encoder.snap(Z) == pytest.approx(encoder.transform(encoder.inverse_transform(Z)))


def test_ties_go_to_the_most_frequent_category():
    encoder = TableEncoder().fit(pl.DataFrame({"t": ["a", "b", "b", "c"]}))
    assert encoder.inverse_transform(np.array([[0.5, 0.5, 0.5], [0.0, 0.0, 0.0]]))["t"].to_list() == [
        "b",
        "b",
    ]


def test_missing_values_that_were_not_seen_in_training_are_the_mean():
    encoder = TableEncoder().fit(pl.DataFrame({"x": [1.0, 3.0]}))
    assert encoder.transform(pl.DataFrame({"x": [None, 2.0]}, schema={"x": pl.Float64})).tolist() == [
        [0.0],
        [0.0],
    ]


def test_a_constant_column_stays_constant():
    encoder = TableEncoder().fit(pl.DataFrame({"x": [7, 7, 7]}))
    assert encoder.transform(pl.DataFrame({"x": [7]})).tolist() == [[0.0]]
    assert encoder.inverse_transform(np.array([[9.0]]))["x"].to_list() == [7]


def test_what_an_encoder_refuses():
    with pytest.raises(InputError, match=r"`x` has 1 infinite values \(first in row 1\)"):
        TableEncoder().fit(pl.DataFrame({"x": [1.0, np.inf]}))
    with pytest.raises(InputError, match="type List"):
        TableEncoder().fit(pl.DataFrame({"x": [[1], [2]]}))
    with pytest.raises(InputError, match="type Date"):
        TableEncoder().fit(pl.DataFrame({"x": ["2020-01-01"]}).with_columns(pl.col("x").str.to_date()))
    with pytest.raises(InputError, match="no rows"):
        TableEncoder().fit(pl.DataFrame({"x": [1]}).head(0))
    with pytest.raises(InputError, match="Columns not found"):
        TableEncoder().fit(pl.DataFrame({"x": [1]})).transform(pl.DataFrame({"y": [1]}))
    for huge in ([2**60, 1], [1e200, 1.0]):
        with pytest.raises(InputError, match="too large to learn from"):
            TableEncoder().fit(pl.DataFrame({"x": huge}))
    with pytest.raises(InputError, match="was numeric in training"):
        TableEncoder().fit(pl.DataFrame({"x": [1]})).transform(pl.DataFrame({"x": ["a"]}))


@parametrize_with_checks([TableEncoder()])
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)
