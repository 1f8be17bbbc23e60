"""Every lattice and every kind of table: what rows are made, and that they are rows like the real ones."""

import math
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fairlattice as fl
from fairlattice.encoders import TableEncoder
from fairlattice.samplers import Cell, CellIndex, ImportanceSampler, MixingSampler
from fairlattice.samplers._sampler import pieces_of

FAST = {"max_steps": 20, "random_state": 0}
MAKERS = {"importance": ImportanceSampler, "scalar": MixingSampler}
WAYS = pytest.mark.parametrize("mixing", ["importance", "scalar"])


def made_of(X, y, S, *, per_cell="max", small=False, **options):
    """The augmenter and its new rows, which pass the schema of X; warnings only where cells are small."""
    augmenter = fl.HierarchicalAugmenter(**{**FAST, **options})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if small:
            warnings.simplefilter("ignore", fl.SmallCellWarning)
        augmenter.fit(X, y, sensitive_features=S)
        more = augmenter.augment(X, y, sensitive_features=S, per_cell=per_cell)
    new = more.X[len(y) :]
    augmenter.encoder_.check(new)
    assert np.isfinite(augmenter.encoder_.transform(new)).all()
    assert all(np.isfinite(fit.parameters).all() for fit in augmenter.fits_.values())
    cells = augmenter.lattice_.encode(more.sensitive_features) * 1000 + np.asarray(more.y)
    _, sizes = np.unique(cells, return_counts=True)
    if per_cell == "max":
        assert len(set(sizes)) == 1
    return augmenter, new, more


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {"x": rng.normal(size=n), "k": rng.integers(0, 9, n), "job": rng.choice(["a", "b"], n)}
    )


@WAYS
def test_empty_leaves_are_left_alone_and_can_be_sampled(mixing):
    S = {"a": ["u", "v"] * 40, "b": ["p", "q"] * 40}  # (u, q) and (v, p) have no rows
    augmenter, _, more = made_of(table(80), np.arange(80) // 2 % 2, S, per_cell=30, mixing=mixing)
    assert set(more.origin.leaf) == {("u", "p"), ("v", "q")}
    assert augmenter.sample(("u", "q"), 1, 7).height == 7


@WAYS
def test_a_cell_with_one_row_gets_rows_of_its_parents(mixing):
    S, y = {"a": ["u", "v"] * 40 + ["w"], "b": ["p", "p", "q", "q"] * 20 + ["p"]}, np.arange(81) % 3 % 2
    augmenter, _, more = made_of(table(81), y, S, small=True, mixing=mixing)
    own = [i for i, leaf in enumerate(more.origin.leaf) if leaf == ("w", "p") and i >= 81]
    assert augmenter.lattice_.code(("w", "p")) in augmenter.lattice_.encode(S)
    assert len(set(more.origin.parents[own, 0].tolist())) > 5


def test_a_parent_with_two_rows_gives_both():
    S = {"a": ["u", "v"] * 40 + ["w"] * 2, "b": ["p", "p", "q", "q"] * 20 + ["p"] * 2}
    y = np.append(np.arange(80) // 4 % 2, [0, 0])
    _, _, more = made_of(table(82), y, S, small=True, per_cell=40, mixing="scalar")
    own = [i for i, leaf in enumerate(more.origin.leaf) if leaf == ("w", "p") and i >= 82 and more.y[i] == 0]
    assert set(more.origin.parents[own, 1].tolist()) == {80, 81}


def test_one_attribute_has_everyone_with_the_label_as_its_parent():
    y = np.arange(200) % 2
    _, _, more = made_of(table(200), y, {"a": ["u"] * 150 + ["v"] * 50}, mixing="scalar")
    new = more.origin.parents[200:]
    assert new.shape[1] == 1
    assert (y[new[:, 0]] == np.asarray(more.y)[200:]).all()
    assert (new < 150).any()
    assert (new >= 150).any()


@WAYS
def test_ten_attributes(mixing):
    rng = np.random.default_rng(0)
    S = {f"a{i}": rng.integers(0, 2, 300) for i in range(10)}
    augmenter, _, more = made_of(
        table(300), rng.integers(0, 2, 300), S, small=True, per_cell=2, mixing=mixing
    )
    assert augmenter.lattice_.n_leaves == 1024
    assert more.origin.parents.shape[1] == (2 if mixing == "importance" else 10)
    if mixing == "scalar":
        assert augmenter.fits_[0].parameters.shape == (10,)


@WAYS
def test_forty_labels(mixing):
    _, _, more = made_of(
        table(800), np.arange(800) % 40, {"a": ["u", "v", "v", "w"] * 200}, small=True, mixing=mixing
    )
    assert len(set(np.asarray(more.y).tolist())) == 40


@pytest.mark.parametrize("mixing", ["importance", "scalar", "diagonal", "summed", "linear"])
def test_constant_columns_stay_constant(mixing):
    X = table(200).with_columns(one=pl.lit(7), text=pl.lit("same"), gone=pl.lit(None, pl.Float64))
    _, new, _ = made_of(X, np.arange(200) % 2, {"a": ["u"] * 150 + ["v"] * 50}, mixing=mixing)
    assert new.select(pl.col("one", "text").n_unique()).row(0) == (1, 1)
    assert new["gone"].null_count() == new.height


@WAYS
def test_nothing_but_constant_columns(mixing):
    X = pl.DataFrame({"one": [1.5] * 100})
    _, new, _ = made_of(X, np.arange(100) % 2, {"a": ["u"] * 70 + ["v"] * 30}, mixing=mixing)
    assert new["one"].unique().to_list() == [1.5]


@WAYS
def test_duplicated_rows_give_that_row(mixing):
    X = pl.concat([table(1)] * 120)
    _, new, _ = made_of(X, np.arange(120) % 2, {"a": ["u"] * 90 + ["v"] * 30}, mixing=mixing)
    assert new.unique().equals(X.unique())


@WAYS
def test_heavy_tails_stay_within_what_was_seen(mixing):
    X = pl.DataFrame({"pay": np.random.default_rng(0).standard_cauchy(500) * 1e6, "k": np.arange(500) % 5})
    _, new, _ = made_of(X, np.arange(500) % 2, {"a": ["u"] * 400 + ["v"] * 100}, mixing=mixing)
    assert new["pay"].is_between(X["pay"].min(), X["pay"].max()).all()


@WAYS
def test_columns_of_0_and_1_stay_0_and_1(mixing):
    X = np.random.default_rng(0).integers(0, 2, (300, 4)).astype(float)
    _, new, _ = made_of(X, np.arange(300) % 2, {"a": ["u"] * 200 + ["v"] * 100}, mixing=mixing)
    assert set(new.ravel()) == {0.0, 1.0}


@WAYS
def test_a_table_of_categories_alone(mixing):
    rng = np.random.default_rng(0)
    X = pl.DataFrame({"job": rng.choice(["a", "b", "c"], 300), "own": rng.random(300) < 0.3})
    _, new, _ = made_of(X, np.arange(300) % 2, {"a": ["u"] * 200 + ["v"] * 100}, mixing=mixing)
    assert new.schema == X.schema
    assert set(new["job"]) == {"a", "b", "c"}


@WAYS
def test_a_million_rows_in_one_cell_and_three_in_another(mixing):
    n, rng = 1_000_003, np.random.default_rng(0)
    Z = rng.normal(size=(n, 2))
    features = {"a": np.repeat([0, 1], [n - 3, 3])}
    lattice = fl.GroupLattice.from_features(features)
    index = CellIndex(lattice, lattice.encode(features), np.zeros(n, dtype=np.int64), 1)
    sampler = MAKERS[mixing].fit(Z, index, entropy=(0,))
    assert [len(index.rows(Cell(leaf, 0))) for leaf in (0, 1)] == [n - 3, 3]
    assert index.shortfalls("max") == {Cell(1, 0): n - 6}
    made, parents = sampler.draw_pieces(list(pieces_of([(Cell(1, 0), n - 6)])), dtype=np.float32)
    assert made.shape == (n - 6, 2)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert parents.max() < n


@pytest.mark.parametrize("share", ["label", "cell"])
@pytest.mark.parametrize("mixing", ["importance", "scalar", "linear"])
def test_same_seed_same_bytes_whatever_n_jobs(share, mixing):
    y, S = np.arange(400) % 2, {"a": ["u", "v", "v", "v"] * 100, "b": ["p", "q", "q", "q", "q"] * 80}
    made = [
        made_of(table(400), y, S, small=True, share=share, mixing=mixing, n_jobs=n)[1] for n in (None, 2, -1)
    ]
    assert made[0].equals(made[1])
    assert made[0].equals(made[2])


@WAYS
def test_pieces_of_a_cell_are_the_same_whatever_the_threads_and_the_batches(mixing):
    y, S = np.arange(400) // 4 % 2, {"a": ["u", "v", "v", "v"] * 100}
    augmenter = fl.HierarchicalAugmenter(mixing, **FAST).fit(table(400), y, sensitive_features=S)
    wanted = {(("u",), 0): 100_000, (("v",), 1): 3}
    alone = list(augmenter.batches(wanted))
    threads = list(augmenter.set_params(n_jobs=2).batches(wanted))
    assert [b.X.height for b in alone] == [65_536, 34_467]
    assert all(a.X.equals(b.X) for a, b in zip(alone, threads, strict=True))
    assert all(
        np.array_equal(a.origin.parents, b.origin.parents) for a, b in zip(alone, threads, strict=True)
    )
    assert alone[1].origin.leaf[-3:] == (("v",),) * 3
    assert alone[1].origin.synthetic.all()
    with pytest.raises(fl.InputError, match="No label 5"):
        next(augmenter.batches({(("u",), 5): 1}))


def test_single_precision_is_double_precision_rounded():
    rng = np.random.default_rng(0)
    S = {"a": rng.integers(0, 3, 500), "b": rng.integers(0, 2, 500)}
    lattice = fl.GroupLattice.from_features(S)
    index = CellIndex(lattice, lattice.encode(S), rng.integers(0, 2, 500), 2)
    for mixing in ("scalar", "diagonal", "linear"):
        sampler = MixingSampler.fit(
            rng.normal(size=(500, 4)), index, entropy=(0,), mixing=mixing, max_steps=9
        )
        double, rows = sampler.draw(Cell(3, 1), 3000)
        single, same = sampler.draw(Cell(3, 1), 3000, dtype=np.float32)
        deviations = sampler.Z[rows.T] - sampler.centre
        expected = sampler.by_label[1].generate(deviations) + sampler.centre
        assert np.array_equal(rows, same)
        assert np.allclose(double, expected, atol=1e-12)
        assert np.allclose(single, double, atol=1e-5)
        distinct, apart = sampler.draw(Cell(3, 1), 40, distinct=True)
        assert all(len(np.unique(column)) == 40 for column in apart.T)
        mixed = sampler.by_label[1].generate(sampler.Z[apart.T] - sampler.centre) + sampler.centre
        assert np.allclose(distinct, mixed)


def kinds():
    """One table of every kind of column, in every library."""
    rng = np.random.default_rng(1)
    n = 240
    plain = pl.DataFrame(
        {
            "pay": rng.normal(3e4, 1e4, n),
            "age": rng.integers(18, 80, n),
            "tiny": pl.Series(rng.integers(0, 9, n), dtype=pl.UInt8),
            "single": pl.Series(rng.normal(size=n), dtype=pl.Float32),
            "holes": [None if i % 7 == 0 else i % 40 for i in range(n)],
            "job": [None if i % 11 == 0 else "abc"[i % 3] for i in range(n)],
            "yes": rng.random(n) < 0.5,
        }
    )
    coded = pl.col("job").cast(pl.Categorical)
    whole = plain.to_pandas()
    nullable = whole.convert_dtypes().assign(job=lambda f: f["job"].astype("category"))
    return {
        "polars": plain.with_columns(coded, cut=pl.col("job").cast(pl.Enum(["a", "b", "c", "d"]))),
        "pandas": whole.assign(job=whole["job"].astype("category")),
        "nullable": nullable,
        "pyarrow": pa.table(plain.to_arrow()),
    }


@WAYS
@pytest.mark.parametrize("library", ["polars", "pandas", "nullable", "pyarrow"])
def test_made_rows_pass_the_schema_of_the_real_ones(library, mixing):
    X = kinds()[library]
    augmenter = fl.HierarchicalAugmenter(mixing, **FAST)
    S, y = {"a": ["u", "v", "v", "v"] * 60}, np.arange(240) // 4 % 2
    augmenter.fit(X, y, sensitive_features=S)
    augmenter.encoder_.check(X)
    made = augmenter.sample(("u",), 1, 500)
    augmenter.encoder_.check(made)
    for batch in augmenter.batches({(("v",), 0): 300}):
        augmenter.encoder_.check(batch.X)
    assert list(pd.DataFrame(made.to_pandas() if library in ("polars", "pyarrow") else made)) == list(
        X.columns if library != "pyarrow" else X.column_names
    )


@pytest.mark.parametrize(
    ("tampered", "words"),
    [
        (pl.col("pay") * 10, r"Column `pay` holds .* \(row \d+\), outside .*, the bounds in training"),
        (pl.col("age").cast(pl.Int32), "Column `age` has type Int32, and had Int64 in training"),
        (pl.lit(500, pl.Int64).alias("age"), r"Column `age` holds 500.0 \(row 0\), outside"),
        (
            pl.lit("z").cast(pl.Categorical).alias("job"),
            r"Column `job` holds 'z' \(row 0\), a category that no",
        ),
        (
            pl.lit(None, pl.Float64).alias("pay"),
            r"Column `pay` holds a missing value \(row 0\), but none was",
        ),
        (pl.col("age").alias("aged"), None),
    ],
)
def test_tampered_rows_are_told(tampered, words):
    X = kinds()["polars"]
    encoder = TableEncoder().fit(X)
    if words is None:  # more columns do no harm
        encoder.check(X.with_columns(tampered))
        return
    with pytest.raises(fl.InputError, match=words):
        encoder.check(X.with_columns(tampered))


def test_columns_that_are_gone_fractions_and_other_tables_are_told():
    X = kinds()["polars"]
    with pytest.raises(fl.InputError, match=r"Columns not found: \['pay'\]"):
        TableEncoder().fit(X).check(X.drop("pay"))
    whole = pl.DataFrame({"n": [1.0, 2.0, 5.0]})
    with pytest.raises(fl.InputError, match=r"`n` holds 2.5 \(row 1\), a fraction, where .* Round it"):
        TableEncoder().fit(whole).check(pl.DataFrame({"n": [1.0, 2.5]}))
    with pytest.raises(fl.InputError, match="must be a frame as in training, got dict"):
        TableEncoder().fit(whole).check({"n": [1.0, 2.0]})
    array = TableEncoder().fit(np.ones((3, 2)))
    array.check(np.ones((1, 2)))
    with pytest.raises(fl.InputError, match="`X` has type float32, and had float64 in training"):
        array.check(np.ones((1, 2), np.float32))


def test_fits_do_not_need_a_copy_of_a_large_table():
    n, rng = 70_000, np.random.default_rng(0)
    features = {"a": rng.integers(0, 3, n), "b": rng.integers(0, 2, n)}
    lattice = fl.GroupLattice.from_features(features)
    index = CellIndex(lattice, lattice.encode(features), rng.integers(0, 2, n), 2)
    Z = rng.normal(size=(n, 3)) + 5
    sampler = MixingSampler.fit(Z, index, entropy=(0,))
    assert sampler.Z is Z
    assert math.isclose(sampler.centre.mean(), 5, abs_tol=0.1)
    assert sampler.by_label[0].n_cells == 6
