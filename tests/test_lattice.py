"""The lattice: levels, codes, parents, marginals, and what it refuses."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlattice import GroupLattice, InputError
from fairlattice.groups import Attribute, show_group
from fairlattice.groups._shared import parse_sensitive

S = {"sex": ["f", "m", "f", "m"], "race": ["b", "a", "a", "c"], "age": [20, 30, 44, 45]}


def test_levels_bands_and_leaves():
    lattice = GroupLattice.from_features(S, cuts={"age": [25, 45]})
    assert lattice.shape == (2, 3, 3)
    assert [a.levels for a in lattice.attributes][2] == ("<25", "25 to <45", ">=45")
    assert [lattice.leaf(c) for c in lattice.encode(S)] == [
        ("f", "b", "<25"),
        ("m", "a", "25 to <45"),
        ("f", "a", "25 to <45"),
        ("m", "c", ">=45"),
    ]
    assert lattice.n_leaves - 4 == len(list(lattice.empty_leaves(lattice.encode(S))))


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_any_container_gives_the_same_lattice_and_codes(library):
    expected = GroupLattice.from_features(S, cuts={"age": [25]})
    found = GroupLattice.from_features(library(S), cuts={"age": [25]})
    assert found == expected
    assert found.encode(library(S)).tolist() == expected.encode(S).tolist()


def test_arrays_have_positional_names():
    array = np.array([["f", 1], ["m", 2]], dtype=object)
    lattice = GroupLattice.from_features(array)
    assert lattice.names == ("sensitive_feature_0", "sensitive_feature_1")
    assert lattice.attributes[1].levels == (1, 2)
    assert lattice.encode(array).tolist() == [0, 3]


def test_extra_columns_are_ignored_and_order_does_not_matter():
    lattice = GroupLattice.from_features({"a": [0, 1], "b": ["x", "y"]})
    frame = pl.DataFrame({"other": [9, 9], "b": ["y", "x"], "a": [0, 1]})
    assert lattice.encode(frame).tolist() == [1, 2]


def test_parents_and_children():
    lattice = GroupLattice.from_features(S, cuts={"age": [25]})
    assert lattice.parents(("f", "a", "<25")) == (
        {"race": "a", "age": "<25"},
        {"sex": "f", "age": "<25"},
        {"sex": "f", "race": "a"},
    )
    assert lattice.children({"race": "a", "sex": "f"}) == (
        {"sex": "f", "race": "a", "age": "<25"},
        {"sex": "f", "race": "a", "age": ">=25"},
    )
    assert lattice.parents({"sex": "f"}) == ({},)
    assert len(list(lattice.marginals())) == 8
    assert list(lattice.groups(["sex"])) == [{"sex": "f"}, {"sex": "m"}]


@pytest.mark.parametrize("hole", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_missing_is_a_level_or_refused(hole):
    features = {"a": np.array(["x", hole, "y"], dtype=object)}
    lattice = GroupLattice.from_features(features)
    assert lattice.attributes[0].levels == ("x", "y", None)
    assert lattice.encode(features).tolist() == [0, 2, 1]
    with pytest.raises(InputError, match="`a` is missing in 1 of 3 rows"):
        GroupLattice.from_features(features, missing="raise")


def test_missing_numbers_keep_the_type_of_the_others():
    frame = pl.DataFrame({"a": [1, None, 2]})
    assert GroupLattice.from_features(frame).attributes[0].levels == (1, 2, None)


def test_unseen_levels_are_refused_by_name():
    lattice = GroupLattice.from_features({"sex": ["female", "male"]})
    with pytest.raises(InputError, match=r"`sex` has no level 'femal' \(row 1\).*Did you mean 'female'\?"):
        lattice.encode({"sex": ["male", "femal"]})
    with pytest.raises(InputError, match="no level missing"):
        lattice.encode({"sex": ["male", None]})
    with pytest.raises(InputError, match="Columns not found"):
        lattice.encode({"gender": ["male"]})


def test_what_a_lattice_refuses():
    with pytest.raises(InputError, match="missing in every row"):
        GroupLattice.from_features({"a": [None, None]})
    with pytest.raises(InputError, match="infinite"):
        GroupLattice.from_features({"a": [1.0, np.inf]})
    with pytest.raises(InputError, match="infinite"):
        GroupLattice.from_features({"a": [1.0, np.inf]}, cuts={"a": [2]})
    with pytest.raises(InputError, match="has 200 levels"):
        GroupLattice.from_features({"a": np.arange(200)})
    with pytest.raises(InputError, match=r"cut at numbers, but 'x' is not one \(2"):
        GroupLattice.from_features({"a": ["x", "y"]}, cuts={"a": [2]})
    with pytest.raises(InputError, match="increase"):
        GroupLattice.from_features({"a": [1, 2]}, cuts={"a": [2, 2]})
    with pytest.raises(InputError, match="differ in length"):
        GroupLattice.from_features({"a": [1, 2], "b": [1]})
    with pytest.raises(InputError, match="too many to number"):
        GroupLattice(tuple(Attribute(f"a{i}", tuple(range(100))) for i in range(10)))


def test_a_million_level_product_is_numbered_without_being_listed():
    lattice = GroupLattice(tuple(Attribute(f"a{i}", tuple(range(9))) for i in range(10)))
    leaf = tuple(i % 9 for i in range(10))
    assert lattice.n_leaves == 9**10
    assert lattice.leaf(lattice.code(leaf)) == leaf


def test_no_attributes_is_everyone():
    lattice = GroupLattice(())
    assert (lattice.n_leaves, lattice.leaf(0), lattice.encode(np.zeros(3)).tolist()) == (1, (), [0, 0, 0])
    assert show_group({}) == "everyone"


sizes = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(sizes, st.data())
def test_codes_number_leaves_one_to_one(shape, data):
    lattice = GroupLattice(tuple(Attribute(f"a{i}", tuple(range(n))) for i, n in enumerate(shape)))
    assert lattice.n_leaves == math.prod(shape)
    codes = np.arange(lattice.n_leaves)
    assert [lattice.code(lattice.leaf(c)) for c in codes] == codes.tolist()
    names = data.draw(st.lists(st.sampled_from(lattice.names), unique=True))
    sub = lattice.marginal(names)
    for code, projected in zip(codes, lattice.project(codes, names), strict=True):
        whole = lattice.group(int(code))
        assert sub.group(int(projected)) == {n: whole[n] for n in sub.names}


def test_union_keeps_the_levels_of_both():
    a = GroupLattice.from_features({"x": ["b", "a"], "y": [1, None]})
    b = GroupLattice.from_features({"x": ["c", "a"], "y": [2, 3]})
    both = a.union(b)
    assert [t.levels for t in both.attributes] == [("a", "b", "c"), (1, 2, 3, None)]
    codes = np.arange(a.n_leaves)
    assert [both.leaf(c) for c in a.recode(codes, both)] == [a.leaf(c) for c in codes]
    with pytest.raises(InputError, match="differ in their attributes"):
        a.union(GroupLattice.from_features({"z": [1]}))


def test_cut_points_in_place():
    assert parse_sensitive("age:25,45") == ("age", (25.0, 45.0))
    assert parse_sensitive("age") == ("age", ())
    assert parse_sensitive("a:1", ["a:1"]) == ("a:1", ())
    with pytest.raises(InputError, match="must be numbers"):
        parse_sensitive("age:young")
    assert show_group({"age": "<25", "sex": "f", "n": 2.0, "m": None}) == "age<25, sex=f, n=2, m=(missing)"
