"""Encoders: what comes back has the same columns and types, and only values that can be."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from fairlattice import InputError, TableEncoder
from fairlattice.encoders import TextTableEncoder

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


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_transformer_get_feature_names_out,
        estimator_checks.check_transformer_get_feature_names_out_pandas,
        estimator_checks.check_set_output_transform,
    ],
)
def test_what_scikit_learn_checks_of_its_own_transformers(check):
    # The others of these checks fit a frame and transform an array, which is refused: columns go by name.
    check("TableEncoder", TableEncoder())


@pytest.mark.parametrize("name", FRAMES)
def test_every_coordinate_has_a_name(name):
    encoder = TableEncoder().fit(FRAMES[name])
    assert encoder.feature_names_in_.tolist() == list(DATA)
    assert encoder.feature_names_in_.dtype == object
    assert encoder.get_feature_names_out().tolist() == [
        *("whole", "whole_missing", "real", "real_missing", "count"),
        *("text_a", "text_b", "text_missing", "flag_True", "flag_False", "gone_missing"),
    ]


def test_rare_categories_share_a_name():
    text = ["a"] * 9 + ["b"] * 5 + ["c"] * 3 + ["d"] * 2 + [None]
    names = TableEncoder(max_categories=3).fit(pl.DataFrame({"t": text})).get_feature_names_out()
    assert names.tolist() == ["t_a", "t_b", "t_infrequent", "t_missing"]


def test_columns_of_an_array_are_named_by_place_or_as_told():
    encoder = TableEncoder().fit(np.array([[0.5, "u"], [1.5, "v"]], dtype=object))
    assert not hasattr(encoder, "feature_names_in_")
    assert encoder.get_feature_names_out().tolist() == ["x_0", "x_1_u", "x_1_v"]
    assert encoder.get_feature_names_out(["age", "job"]).tolist() == ["age", "job_u", "job_v"]
    with pytest.raises(InputError, match=r"number of features \(2\), got 1"):
        encoder.get_feature_names_out(["age"])
    assert not hasattr(encoder.fit(pl.DataFrame({"x": [1]})).fit(np.ones((2, 1))), "feature_names_in_")


def test_names_of_columns_that_are_no_text_are_not_remembered():
    encoder = TableEncoder().fit(pd.DataFrame({0: [1.0, 2.0], "b": [1.0, 3.0]}))
    assert not hasattr(encoder, "feature_names_in_")
    assert encoder.get_feature_names_out().tolist() == ["0", "b"]


NAMES = st.sampled_from(["a", "a_b", "a_b_2", "a_missing", "missing", "a_infrequent"])
LEVELS = st.sampled_from(["b", "b_2", "missing", "infrequent", "infrequent_2", None, 1, "1", True, "True"])


@given(st.dictionaries(NAMES, st.lists(LEVELS, min_size=5, max_size=5), min_size=1), st.sets(NAMES))
def test_no_two_coordinates_share_a_name_and_numbers_keep_theirs(columns, numeric):
    table = {**columns, **{name: np.array([1.0, np.nan, 2.0, 3.0, 3.0]) for name in numeric}}
    encoder = TableEncoder(max_categories=3).fit(table)
    names = encoder.get_feature_names_out().tolist()
    assert len(set(names)) == len(names) == encoder.n_features_out_
    assert all(names[encoder.slices_[name].start] == name for name in numeric)


def test_frames_come_out_as_asked_for_and_keep_their_index():
    frame = FRAMES["pandas index"]
    encoder = TableEncoder().fit(frame)
    Z = encoder.transform(frame)
    assert type(Z) is np.ndarray
    out = encoder.set_output(transform="pandas").transform(frame)
    assert out.index.tolist() == [7, 7, 8, 9]
    assert out.columns.tolist() == encoder.get_feature_names_out().tolist()
    assert type(clone(encoder).fit_transform(frame)) is pd.DataFrame
    polars = encoder.set_output(transform="polars").transform(frame)
    assert type(polars) is pl.DataFrame
    assert (polars.to_numpy() == Z).all()
    for told in (out, polars):
        same(encoder.inverse_transform(told), frame)
        assert (encoder.snap(told) == encoder.snap(Z)).all()
    assert type(encoder.set_output(transform="default").transform(frame)) is np.ndarray


@pytest.mark.parametrize(("library", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_frames_of_an_array_and_by_the_configuration(library, kind):
    X = np.array([[0.5, np.nan], [1.5, 2.0]])
    told = TableEncoder().set_output(transform=library).fit_transform(X)
    with config_context(transform_output=library):
        configured = TableEncoder().fit_transform(X)
    for out in (told, configured):
        assert type(out) is kind
        assert list(out.columns) == ["x_0", "x_1", "x_1_missing"]
        assert (out.to_numpy() == TableEncoder().fit(X).vectors(X)).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_step_of_a_pipeline(library, people):
    X, y = people.drop("hired"), people["hired"].to_numpy()
    X = X.to_pandas() if library == "pandas" else X
    plain = make_pipeline(TableEncoder(), LogisticRegression()).fit(X, y)
    framed = clone(plain).set_output(transform=library).fit(X, y)
    assert framed.predict_proba(X) == pytest.approx(plain.predict_proba(X), abs=1e-12)
    names = framed[:-1].get_feature_names_out().tolist()
    assert names == framed[-1].feature_names_in_.tolist()
    assert set(names) >= {"age", "job_cook", "job_nurse", "job_clerk", "sex_f", "race_a"}
    assert not hasattr(plain[-1], "feature_names_in_")


def test_vectors_are_an_array_whatever_is_configured():
    frame = FRAMES["pandas"]
    encoder = TableEncoder().fit(frame)
    Z = encoder.transform(frame)
    with config_context(transform_output="pandas"):
        assert type(encoder.transform(frame)) is pd.DataFrame
        vectors = encoder.vectors(frame)
        others = TextTableEncoder(text=()).fit_transform(frame)
    assert type(vectors) is type(others) is np.ndarray
    assert (vectors == Z).all()
    assert (others == Z).all()
