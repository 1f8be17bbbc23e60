"""Counts: the same integers from any container, additive, rolled up to any marginal."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlattice import GroupCounts, GroupLattice, InputError


def naive(y, p, leaves, classes):
    table = {}
    for truth, predicted, leaf in zip(y, p, leaves, strict=True):
        block = table.setdefault(leaf, np.zeros((len(classes), len(classes)), dtype=int))
        block[classes.index(truth), classes.index(predicted)] += 1
    return table


rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from("abc"), st.sampled_from([1, 2, None])),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(b is not None for *_, b in rows))


@given(rows)
def test_counts_agree_with_a_naive_loop(table):
    y, p, a, b = map(list, zip(*table, strict=True))
    counts = GroupCounts.from_arrays(y, p, sensitive_features={"a": a, "b": b})
    expected = naive(y, p, zip(a, b, strict=True), list(counts.classes))
    assert dict(zip(counts.leaves, counts.table.tolist(), strict=True)) == {
        k: v.tolist() for k, v in expected.items()
    }


@given(rows, rows)
def test_counts_of_two_batches_add_up(first, second):
    def count(table):
        y, p, a, b = map(list, zip(*table, strict=True))
        return GroupCounts.from_arrays(y, p, sensitive_features={"a": a, "b": b})

    both, whole = count(first) + count(second), count(first + second)
    assert both.lattice == whole.lattice
    assert both.classes == whole.classes
    assert both.codes.tolist() == whole.codes.tolist()
    assert (both.table == whole.table).all()


@given(rows)
def test_rolled_up_counts_are_counts_of_fewer_attributes(table):
    y, p, a, b = map(list, zip(*table, strict=True))
    counts = GroupCounts.from_arrays(y, p, sensitive_features={"a": a, "b": b})
    only_a = GroupCounts.from_arrays(y, p, sensitive_features={"a": a})
    rolled = counts.rollup(["a"])
    assert rolled.lattice == only_a.lattice
    assert (rolled.table == only_a.table).all()
    assert counts.rollup([]).table.tolist() == [counts.table.sum(axis=0).tolist()]


HOLES = {
    "y": [1, 0, 1, 1, 0, 1],
    "p": [1, 1, 0, 1, 0, 1],
    "a": ["x", None, "y", "x", "y", "y"],
    "age": [20.0, 30.0, None, 50.0, 60.0, 25.0],
}


@pytest.mark.parametrize(
    "library",
    [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table],
    ids=["pandas", "polars", "polars-lazy", "pyarrow"],
)
def test_any_frame_is_counted_by_its_own_engine_to_the_same_integers(library):
    arguments = {"label": "y", "prediction": "p", "sensitive": ["a", "age"], "cuts": {"age": [25, 45]}}
    expected = GroupCounts.from_arrays(
        HOLES["y"],
        HOLES["p"],
        sensitive_features={"a": HOLES["a"], "age": HOLES["age"]},
        cuts={"age": [25, 45]},
    )
    counts = GroupCounts.from_frame(library(HOLES), **arguments)
    assert counts.lattice == expected.lattice
    assert counts.leaves == expected.leaves
    assert (counts.table == expected.table).all()


def test_a_value_on_a_cut_point_belongs_to_the_upper_band():
    frame = pl.DataFrame({"y": [0, 1, 0], "p": [0, 1, 1], "age": [24, 25, 26]})
    counts = GroupCounts.from_frame(frame, label="y", prediction="p", sensitive=["age"], cuts={"age": [25]})
    assert counts.rows.tolist() == [1, 2]


def test_many_classes_and_classes_that_are_only_predicted():
    counts = GroupCounts.from_arrays([0, 39], [39, 40], sensitive_features=["a", "a"])
    assert counts.classes == (0, 39, 40)
    assert counts.table.sum() == 2


def test_sparse_lattices_store_only_leaves_with_rows():
    features = {f"a{i}": np.arange(40) % 20 for i in range(10)}
    counts = GroupCounts.from_arrays(np.zeros(40), np.zeros(40), sensitive_features=features)
    assert counts.lattice.n_leaves == 20**10
    assert counts.table.shape == (20, 1, 1)


def test_frozen():
    counts = GroupCounts.from_arrays([0, 1], [0, 1], sensitive_features=["a", "b"])
    with pytest.raises(ValueError, match="read-only"):
        counts.table[0, 0, 0] = 9
    with pytest.raises(AttributeError):
        counts.classes = ()


def test_what_counts_refuse():
    with pytest.raises(InputError, match="differ in length"):
        GroupCounts.from_arrays([0, 1], [0], sensitive_features=["a", "b"])
    with pytest.raises(InputError, match="1 missing values"):
        GroupCounts.from_arrays([0, None], [0, 1], sensitive_features=["a", "b"])
    with pytest.raises(InputError, match="differ in type"):
        GroupCounts.from_arrays(["0", "1"], [0, 1], sensitive_features=["a", "b"])
    frame = pl.DataFrame({"y": [0, None], "p": [0, 1], "s": ["a", "b"]})
    with pytest.raises(InputError, match="Did you mean 'y'"):
        GroupCounts.from_frame(frame, label="yy", prediction="p", sensitive=["s"])
    with pytest.raises(InputError, match="`y` has 1 missing values"):
        GroupCounts.from_frame(frame, label="y", prediction="p", sensitive=["s"])
    with pytest.raises(InputError, match="no rows"):
        GroupCounts.from_frame(frame.head(0), label="y", prediction="p", sensitive=["s"])
    frame = frame.with_columns(y=pl.col("p"))
    with pytest.raises(InputError, match="is cut at numbers"):
        GroupCounts.from_frame(frame, label="y", prediction="p", sensitive=["s"], cuts={"s": [1]})


def test_real_size_in_one_pass():
    rng = np.random.default_rng(0)
    n = 300_000
    features = {"a": rng.integers(0, 9, n), "b": rng.choice(["x", "y"], n), "age": rng.integers(16, 90, n)}
    y, p = rng.integers(0, 2, n), rng.integers(0, 2, n)
    counts = GroupCounts.from_arrays(y, p, sensitive_features=features, cuts={"age": [25, 45]})
    frame = pl.DataFrame({"y": y, "p": p, **features})
    lazily = GroupCounts.from_frame(
        frame.lazy(), label="y", prediction="p", sensitive=["a", "b", "age"], cuts={"age": [25, 45]}
    )
    assert counts.n == lazily.n == n
    assert isinstance(lazily.lattice, GroupLattice)
    assert (counts.table == lazily.table).all()


def test_scores_in_place_of_predictions_are_refused():
    with pytest.raises(InputError, match="Turn scores into labels by a threshold"):
        GroupCounts.from_arrays([0, 1], [0.2, 0.7], sensitive_features=["a", "b"])
    with pytest.raises(InputError, match=r"`y_pred` have 1,500 distinct values, as scores have.*--score"):
        GroupCounts.from_arrays(
            ["no", "yes"] * 750, [f"0,{i}" for i in range(1500)], sensitive_features=["a"] * 1500
        )
    with pytest.raises(InputError, match="more than 1,000 classes"):
        GroupCounts.from_arrays(np.arange(1500), np.arange(1500), sensitive_features=["a"] * 1500)


def test_counts_of_labels_typed_differently_do_not_add():
    numbers = GroupCounts.from_arrays([0, 1], [0, 1], sensitive_features=["a", "b"])
    text = GroupCounts.from_arrays(["0", "1"], ["0", "1"], sensitive_features=["a", "b"])
    with pytest.raises(InputError, match="differ in type"):
        numbers + text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rows", [2**62]),
        ("excluded", 2**60),
        ("classes", [0, None]),
        ("weights", [3.0]),  # of one row with squares 1, they can be no more than 1
        ("squares", [float("inf")]),
    ],
)
def test_counts_that_no_rows_could_have_are_refused(key, value):
    S = {"sex": ["f"]}
    counts = GroupCounts.from_arrays([1], [0], sensitive_features=S, sample_weight=[1.0])
    found = json.loads(counts.to_json())
    assert GroupCounts.from_json(json.dumps(found)).n == 1
    with pytest.raises(InputError, match=r"damaged|not JSON"):
        GroupCounts.from_json(json.dumps({**found, key: value}))


def test_counts_come_from_paths_and_texts_only():
    with pytest.raises(InputError, match="must be a path or JSON text, got NoneType"):
        GroupCounts.from_json(None)
    with pytest.raises(InputError, match="has the schema None"):
        GroupCounts.from_json("[]")


def test_a_name_that_is_no_unicode_is_written_and_read():
    counts = GroupCounts.from_arrays([1, 0], [0, 1], sensitive_features={"\ud800": ["f", "m"]})
    assert GroupCounts.from_json(counts.to_json()).lattice.names == ("\ud800",)


def test_periods_and_intervals_of_pandas_are_text():
    frame = pd.DataFrame({"y": [1, 0], "p": [1, 1]})
    frame["month"] = pd.period_range("2024-01", periods=2, freq="M")
    frame["age"] = pd.cut(pd.Series([20, 40]), [0, 30, 50])
    S = ["month", "age"]
    for counts in (
        GroupCounts.from_frame(frame, label="y", prediction="p", sensitive=S),
        GroupCounts.from_arrays(frame.y, frame.p, sensitive_features=frame[S]),
    ):
        assert counts.leaves == (("2024-01", "(0, 30]"), ("2024-02", "(30, 50]"))
        assert GroupCounts.from_json(counts.to_json()).leaves == counts.leaves


def test_what_a_frame_is_refused_for():
    frame = pd.DataFrame({"y": [1, 0], "p": [1, 1], "sex": ["f", "m"]})
    names = {"label": "y", "prediction": "p"}
    assert GroupCounts.from_frame(frame, **names, sensitive="sex").lattice.names == ("sex",)
    for sensitive in (["sex", "sex"], ["y"]):
        with pytest.raises(InputError, match="is named twice, once as sensitive"):
            GroupCounts.from_frame(frame, **names, sensitive=sensitive)
    with pytest.raises(InputError, match=r"Columns not found: \['1'\]"):
        GroupCounts.from_frame(frame, label=1, prediction="p", sensitive=["sex"])
    double = pd.concat([frame, frame[["sex"]]], axis=1)
    with pytest.raises(InputError, match="Two columns have one name"):
        GroupCounts.from_frame(double, **names, sensitive=["sex"])
    with pytest.raises(InputError, match="Two columns have one name"):
        GroupCounts.from_arrays([1, 0], [1, 1], sensitive_features=double)
