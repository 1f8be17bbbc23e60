"""Equal sampling, cells and parents, and rows made for cells: valid, traceable, reproducible."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn.pipeline import make_pipeline as sampling_pipeline
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

import fairlattice as fl
from fairlattice.samplers import Cell, CellIndex
from fairlattice.samplers._sampler import in_order
from fairlattice.strategies._equal import cell_weights

CUTS = {"age": [30, 60]}
SENSITIVE = ["sex", "race", "age"]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=50))
def test_equal_weights_make_all_cells_sum_to_the_same(rows):
    y, a, b = (np.array(c) for c in zip(*rows, strict=True))
    weights = fl.equal_weights(y, sensitive_features={"a": a, "b": b})
    sums = {}
    for w, cell in zip(weights, zip(y, a, b, strict=True), strict=True):
        sums[cell] = sums.get(cell, 0) + w
    assert weights.mean() == pytest.approx(1)
    assert list(sums.values()) == pytest.approx([len(y) / len(sums)] * len(sums))


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=50),
    st.sampled_from(["mean", "max", 1, 7]),
)
def test_equal_resampling_draws_every_cell_as_often(rows, per_cell):
    y, a = (np.array(c) for c in zip(*rows, strict=True))
    drawn = fl.equal_resample(y, sensitive_features=a, per_cell=per_cell, rng=np.random.default_rng(0))
    _, counts = np.unique(np.stack([y, a])[:, drawn], axis=1, return_counts=True)
    cells, sizes = np.unique(np.stack([y, a]), axis=1, return_counts=True)
    expected = {"mean": -(-len(y) // len(sizes)), "max": sizes.max()}.get(per_cell, per_cell)
    assert counts.tolist() == [expected] * cells.shape[1]
    per_row = np.bincount(drawn, minlength=len(y))
    for cell in cells.T:
        of_cell = per_row[(y == cell[0]) & (a == cell[1])]
        assert of_cell.max() - of_cell.min() <= 1


def test_per_cell_is_checked():
    with pytest.raises(fl.InputError, match="'mean', 'max'"):
        fl.equal_resample([0, 1], sensitive_features=[0, 1], per_cell="most", rng=np.random.default_rng(0))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
def test_cells_and_parents_are_what_a_naive_search_finds(rows):
    y, a, b = (np.array(c) for c in zip(*rows, strict=True))
    features = {"a": a, "b": b}
    lattice = fl.GroupLattice.from_features(features)
    index = CellIndex(lattice, lattice.encode(features), y, 2)
    for code in range(lattice.n_leaves):
        la, lb = lattice.leaf(code)
        for k in (0, 1):
            cell = Cell(code, k)
            assert index.rows(cell).tolist() == np.flatnonzero((a == la) & (b == lb) & (y == k)).tolist()
            for found, mine in zip(index.parents(cell), (b == lb, a == la), strict=True):
                expected = np.flatnonzero(mine & (y == k))
                everyone = np.flatnonzero(y == k)
                assert found.tolist() == (expected if len(expected) else everyone).tolist()


def fitted(people, library=pl.DataFrame, **options):
    table = library(people.drop("hired").to_dict(as_series=False))
    S = table.select(SENSITIVE) if library is not pd.DataFrame else table[SENSITIVE]
    y = people["hired"].to_numpy()
    aug = fl.HierarchicalAugmenter(cuts=CUTS, random_state=0, **options)
    return aug.fit(table, y, sensitive_features=S), table, y, S


@pytest.mark.parametrize("library", [pl.DataFrame, pd.DataFrame, pa.table])
def test_augmented_rows_are_valid_and_belong_to_their_cell(people, library):
    aug, X, y, S = fitted(people, library)
    more = aug.augment(X, y, sensitive_features=S)
    assert type(more.X) is type(X)
    table = pl.DataFrame(more.X) if library is not pl.DataFrame else more.X
    real = people.drop("hired")
    assert table.columns == real.columns
    assert table.schema["age"] == table.schema["hours"] == pl.Int64
    assert table.head(people.height).equals(real)
    made = table.tail(table.height - people.height)
    assert made["hours"].is_between(real["hours"].min(), real["hours"].max()).all()
    assert set(made["job"]) <= set(real["job"])
    lattice = aug.lattice_
    assert [lattice.leaf(c) for c in lattice.encode(more.sensitive_features)] == list(more.origin.leaf)
    assert [lattice.leaf(c) for c in lattice.encode(more.X)] == list(more.origin.leaf)
    cells = lattice.encode(more.sensitive_features) * 2 + more.y
    assert len(set(np.unique(cells, return_counts=True)[1])) == 1
    assert cell_weights(cells) == pytest.approx(1.0)


def test_every_mixed_row_names_rows_of_its_parents(people):
    aug, X, y, S = fitted(people, mixing="scalar")
    more = aug.augment(X, y, sensitive_features=S, per_cell=50)
    lattice, leaves = aug.lattice_, aug.lattice_.encode(S)
    n = people.height
    assert (more.origin.parents[:n] == -1).all()
    assert more.origin.synthetic.tolist() == [False] * n + [True] * (len(more.y) - n)
    for row in range(n, len(more.y), 7):
        for freed, parent in enumerate(more.origin.parents[row]):
            assert y[parent] == more.y[row]
            theirs = lattice.leaf(int(leaves[parent]))
            assert all(
                t == m
                for i, (t, m) in enumerate(zip(theirs, more.origin.leaf[row], strict=True))
                if i != freed
            )


def test_a_picked_row_lies_between_the_rows_it_names_and_has_the_categories_of_the_first(people):
    aug, X, y, S = fitted(people)
    more = aug.augment(X, y, sensitive_features=S, per_cell=50)
    n = people.height
    assert (more.origin.parents[:n] == -1).all()
    new, behind = more.X[n:], more.origin.parents[n:]
    assert behind.shape == (new.height, 2)
    assert (y[behind] == np.asarray(more.y)[n:, None]).all()
    main, partner = (X[rows.tolist()] for rows in behind.T)
    assert new["job"].equals(main["job"])
    for name in ("skill", "hours"):
        both = np.sort([main[name].to_numpy(), partner[name].to_numpy()], axis=0)
        assert ((new[name].to_numpy() >= both[0] - 1e-9) & (new[name].to_numpy() <= both[1] + 1e-9)).all()
    copied = behind[:, 0] == behind[:, 1]
    assert new["hours"].filter(copied).equals(main["hours"].filter(copied))
    assert 0.05 < copied.mean() < 0.15
    kept, *_ = fitted(people, max_copies=1.0)
    assert (np.diff(kept.augment(X, y, sensitive_features=S, per_cell=50).origin.parents[n:]) == 0).all()


def test_a_synthetic_row_is_the_stated_mix_of_the_rows_it_names(people):
    aug, X, y, S = fitted(people, mixing="scalar")
    more = aug.augment(X, y, sensitive_features=S, per_cell=40)
    features = X.drop(SENSITIVE)
    Z = aug.encoder_.transform(features)
    centre = Z.mean(axis=0)
    for row in range(people.height, len(more.y), 11):
        weights = aug.fits_[int(more.y[row])].parameters
        mixed = centre + (weights[:, None] * (Z[more.origin.parents[row]] - centre)).sum(axis=0)
        expected = aug.encoder_.inverse_transform(mixed[None])
        made = more.X.drop(SENSITIVE)[row]
        assert made.drop("skill").equals(expected.drop("skill"))
        assert made["skill"][0] == pytest.approx(expected["skill"][0], rel=1e-12)


@pytest.mark.parametrize("mixing", ["scalar", "diagonal", "summed", "linear"])
@pytest.mark.parametrize("share", ["label", "cell"])
def test_every_mixing_and_share(people, mixing, share):
    aug, X, y, S = fitted(people, mixing=mixing, share=share, max_steps=15)
    keys = [k for k in aug.fits_ if isinstance(k, tuple)]
    assert bool(keys) == (share == "cell")
    assert aug.sample(("f", "a", "<30"), 1, 4).height == 4
    assert len(aug.augment(X, y, sensitive_features=S, per_cell=20).y) >= people.height


def test_sampling_again_gives_the_same_rows_and_another_stream_others(people):
    first, *_ = fitted(people)
    second, *_ = fitted(people)
    leaf = ("m", "c", ">=60")
    assert first.sample(leaf, 1, 9).equals(second.sample(leaf, 1, 9))
    assert not first.sample(leaf, 1, 9).equals(first.sample(leaf, 1, 9, stream=1))


def test_cells_with_one_row_or_none_work_and_are_named():
    rng = np.random.default_rng(0)
    S = {"a": ["x"] * 30 + ["y"] * 30 + ["z"], "b": ["u", "v"] * 30 + ["u"]}
    y = np.append(rng.integers(0, 2, 60), 1)
    X = rng.normal(size=(61, 2))
    with pytest.warns(fl.SmallCellWarning, match=r"a=z, b=u with label 0 \(0\); a=z, b=u with label 1 \(1\)"):
        aug = fl.HierarchicalAugmenter(random_state=0).fit(X, y, sensitive_features=S)
    more = aug.augment(X, y, sensitive_features=S, per_cell=5)
    assert sum(leaf == ("z", "u") for leaf in more.origin.leaf) == 10
    assert ("z", "v") not in more.origin.leaf  # nobody belongs to it
    assert aug.sample(("z", "v"), 0, 3).shape == (3, 2)  # but rows can be made for it


def test_a_level_that_nobody_has_cannot_be_made():
    rng = np.random.default_rng(0)
    S = {"age": rng.integers(20, 50, 80), "sex": rng.choice(["f", "m"], 80)}
    aug = fl.HierarchicalAugmenter(cuts={"age": [35, 90]}, random_state=0)
    aug.fit(rng.normal(size=(80, 2)), rng.integers(0, 2, 80), sensitive_features=S)
    with pytest.raises(fl.InputError, match="No training row has age>=90"):
        aug.sample((">=90", "f"), 0)


def test_one_attribute_has_everyone_as_its_parent():
    rng = np.random.default_rng(1)
    X, y, S = (
        rng.normal(size=(90, 3)),
        rng.integers(0, 2, 90),
        rng.choice(["a", "b", "c"], 90, p=[0.1, 0.3, 0.6]),
    )
    aug = fl.HierarchicalAugmenter("scalar", random_state=0).fit(X, y, sensitive_features=S)
    more = aug.augment(X, y, sensitive_features=S)
    assert more.origin.parents.shape == (len(more.y), 1)
    cells = aug.lattice_.encode(more.sensitive_features) * 2 + more.y
    assert len(set(np.unique(cells, return_counts=True)[1])) == 1


def test_many_labels_and_text_labels():
    rng = np.random.default_rng(2)
    y = np.array([f"label{i % 7}" for i in range(210)], dtype=object)
    S = rng.choice(["a", "b"], 210)
    aug = fl.HierarchicalAugmenter(random_state=0).fit(rng.normal(size=(210, 2)), y, sensitive_features=S)
    more = aug.augment(rng.normal(size=(210, 2)), y, sensitive_features=S, per_cell=40)
    assert set(more.y) == set(y)
    assert len(more.y) == 7 * 2 * 40


def test_more_rows_than_asked_for_stay(people):
    aug, X, y, S = fitted(people)
    assert aug.augment(X, y, sensitive_features=S, per_cell=1).X.equals(X)


def test_sensitive_columns_inside_x_in_a_pipeline_of_imbalanced_learn(people):
    aug = fl.HierarchicalAugmenter(sensitive=SENSITIVE, cuts=CUTS, per_cell=60, random_state=0)
    X, y = people.drop("hired"), people["hired"].to_numpy()
    grown, labels = aug.fit_resample(X, y)
    assert grown.columns == X.columns
    assert len(grown) == len(labels) > people.height
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["job"]), remainder="drop")
    model = sampling_pipeline(aug, encode, LogisticRegression()).fit(X, y)
    assert model.predict(X).shape == (people.height,)


def test_groups_beside_x_grow_with_it(people):
    X, y, S = people.drop("hired", *SENSITIVE), people["hired"], people.select(SENSITIVE)
    grown, labels, groups = fl.HierarchicalAugmenter(cuts=CUTS, random_state=0).fit_resample(
        X, y, sensitive_features=S
    )
    assert len(grown) == len(labels) == len(groups)
    assert isinstance(labels, pl.Series)


def test_sensitive_columns_of_an_array_by_position():
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.normal(size=120), rng.integers(0, 2, 120), rng.integers(0, 3, 120)])
    grown, _ = fl.HierarchicalAugmenter(sensitive=[1, 2], random_state=0).fit_resample(
        X, rng.integers(0, 2, 120)
    )
    assert (grown[:120] == X).all()
    assert set(grown[:, 1]) == {0.0, 1.0}
    assert set(grown[:, 2]) == {0.0, 1.0, 2.0}


def test_what_an_augmenter_refuses(people):
    X, y, S = people.drop("hired"), people["hired"], people.select("sex")
    with pytest.raises(fl.InputError, match="Groups are needed"):
        fl.HierarchicalAugmenter().fit(X, y)
    with pytest.raises(fl.InputError, match="Did you mean 'label'"):
        fl.HierarchicalAugmenter(share="lable").fit(X, y, sensitive_features=S)
    with pytest.raises(fl.InputError, match="one of importance, scalar"):
        fl.HierarchicalAugmenter("picked").fit(X, y, sensitive_features=S)
    with pytest.raises(fl.InputError, match="`bandwidths`"):
        fl.HierarchicalAugmenter("scalar", bandwidths="mean").fit(X, y, sensitive_features=S)
    with pytest.raises(fl.InputError, match="`max_copies`"):
        fl.HierarchicalAugmenter(max_copies=2.0).fit(X, y, sensitive_features=S)
    with pytest.raises(fl.InputError, match="differ in length"):
        fl.HierarchicalAugmenter().fit(X, y.head(9), sensitive_features=S)
    aug = fl.HierarchicalAugmenter(random_state=0).fit(X, y, sensitive_features=S)
    with pytest.raises(fl.InputError, match="No label 2; the labels are 0, 1"):
        aug.sample(("f",), 2)
    with pytest.raises(fl.InputError, match="has no level 'x'"):
        aug.sample(("x",), 1)
    with pytest.raises(fl.InputError, match="`per_cell` must be 'max'"):
        aug.augment(X, y, sensitive_features=S, per_cell="min")
    with pytest.raises(fl.InputError, match="label not seen in training"):
        aug.augment(X, y + 1, sensitive_features=S)


def test_a_copied_sensitive_value_belongs_to_the_label():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 600)
    age = np.where(y == 1, rng.integers(30, 40, 600), rng.integers(50, 60, 600))
    age[:60] = rng.integers(61, 80, 60)
    X = pl.DataFrame({"age": age, "x": rng.normal(size=600)})
    aug = fl.HierarchicalAugmenter(sensitive=["age"], cuts={"age": [60]}, random_state=0).fit(X, y)
    more = aug.augment(X, y, per_cell=400)
    made = more.X.tail(more.X.height - 600).with_columns(y=more.y[600:])
    assert made.filter((pl.col("age") < 60) & (pl.col("y") == 1))["age"].max() < 40
    assert made.filter((pl.col("age") < 60) & (pl.col("y") == 0))["age"].min() >= 50


def test_positions_of_sensitive_columns_are_checked():
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    X[:, 2] = np.arange(60) % 3
    grown, _ = fl.HierarchicalAugmenter(sensitive=[-1], per_cell=20, random_state=0).fit_resample(X, y)
    assert set(grown[:, 2]) == {0.0, 1.0, 2.0}
    with pytest.raises(fl.InputError, match="positions among 3 columns, got 3"):
        fl.HierarchicalAugmenter(sensitive=[3]).fit(X, y)
    with pytest.raises(fl.InputError, match="`random_state`"):
        fl.HierarchicalAugmenter(sensitive=[2], random_state=-1).fit(X, y)


@pytest.mark.parametrize("threads", [1, 3])
def test_batches_come_in_order_and_no_more_are_made_than_threads_ahead(threads):
    started = []

    def square(i):
        started.append(i)
        return i * i

    found = in_order(square, range(50), threads)
    assert next(found) == 0
    assert len(started) <= threads + 1
    assert list(found) == [i * i for i in range(1, 50)]
    assert sorted(started) == list(range(50))
    left = in_order(square, iter(range(50)), threads)
    next(left)
    started.clear()
    left.close()
    assert len(started) <= threads
