"""Importance resampling: probabilities, which parents it finds, own rows, valid rows, and copies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from fairlattice.divergences import RBFMixture, median_bandwidths, mmd2
from fairlattice.encoders import TableEncoder
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice
from fairlattice.samplers import Cell, CellIndex, ImportanceSampler
from fairlattice.samplers import _membership as membership
from fairlattice.samplers._neighbours import Neighbours


def index_of(levels, labels, n_labels=2):
    features = {f"a{i}": np.asarray(column) for i, column in enumerate(levels)}
    lattice = GroupLattice.from_features(features)
    return CellIndex(lattice, lattice.encode(features), np.asarray(labels), n_labels)


def lattice_rows(n, sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [np.r_[np.arange(k), rng.integers(0, k, n - k)] for k in sizes], rng


def shifted(n=900, seed=0, sizes=(3, 2)):
    """Rows of one label, whose first attribute moves the mean and whose second does nothing."""
    levels, rng = lattice_rows(n, sizes, seed)
    Z = rng.normal(size=(n, 3)) + 4.0 * levels[0][:, None] * np.array([1.0, 0.0, 0.0])
    return Z, index_of(levels, np.zeros(n, dtype=int), 1), levels


def own_share(sampler, cell):
    rows, weights = sampler.weights(cell)
    return weights[sampler.index.leaves[rows] == cell.leaf].sum()


@given(st.integers(0, 1000), st.integers(1, 4), st.integers(2, 40))
@settings(max_examples=25, deadline=None)
def test_weights_are_probabilities_over_rows_of_the_label(seed, p, n):
    levels, rng = lattice_rows(max(n, 2), [2] * p, seed)
    labels = rng.integers(0, 2, len(levels[0]))
    sampler = ImportanceSampler.fit(
        rng.standard_cauchy(size=(len(labels), 2)), index_of(levels, labels), entropy=[seed]
    )
    for cell in {Cell(int(g), int(k)) for g in sampler.index.leaves for k in labels}:
        rows, weights = sampler.weights(cell)
        assert (labels[rows] == cell.label).all()
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1)
        vectors, behind = sampler.draw(cell, 7)
        assert vectors.shape == (7, 2)
        assert np.isfinite(vectors).all()
        assert behind.shape == (7, 2)
        assert (labels[behind] == cell.label).all()


def test_same_seed_same_bytes_and_other_draws_do_not_matter():
    Z, index, _ = shifted()
    one, other = (ImportanceSampler.fit(Z, index, entropy=[3, 4]) for _ in range(2))
    other.draw(Cell(1, 0), 50)
    for a, b in zip(one.draw(Cell(0, 0), 20), other.draw(Cell(0, 0), 20), strict=True):
        assert a.tobytes() == b.tobytes()
    assert not np.array_equal(one.draw(Cell(0, 0), 20)[0], one.draw(Cell(0, 0), 20, stream=1)[0])
    assert not np.array_equal(
        one.draw(Cell(0, 0), 20)[0], ImportanceSampler.fit(Z, index, entropy=[5]).draw(Cell(0, 0), 20)[0]
    )


def test_it_finds_the_parent_that_is_like_the_leaf():
    Z, index, levels = shifted()
    leaf = int(index.lattice.code((0, 1)))
    few = np.flatnonzero(index.leaves == leaf)[3:]
    kept = np.setdiff1d(np.arange(len(Z)), few)
    index = index_of([column[kept] for column in levels], np.zeros(len(kept), dtype=int), 1)
    sampler = ImportanceSampler.fit(Z[kept], index, entropy=[0])
    rows, weights = sampler.weights(Cell(leaf, 0))
    first, second = (column[kept][rows] for column in levels)
    like, unlike = (first == 0) & (second == 0), first != 0
    # Parent 1 frees the attribute that makes no difference.
    assert weights[like].sum() > 5 * weights[unlike].sum()
    assert weights[like | unlike].sum() > 0.5
    made, _ = sampler.draw(Cell(leaf, 0), 400)
    assert abs(made[:, 0].mean()) < 0.6
    plain = Z[kept][index.parents(Cell(leaf, 0))[0]][:, 0].mean()
    assert plain > 1.5


@pytest.mark.parametrize("cell_rows", [1, 3, 30, 2000])
def test_own_rows_count_for_little_in_small_cells_and_for_all_in_large_ones(cell_rows):
    rng = np.random.default_rng(1)
    sizes = {(0, 0): cell_rows, (0, 1): 300, (1, 0): 300, (1, 1): 300}
    levels = np.repeat(list(sizes), list(sizes.values()), axis=0).T
    Z = rng.normal(size=(levels.shape[1], 2))
    Z[(levels == 0).all(axis=0)] += 1.0  # an effect that does not add up
    index = index_of(levels, np.zeros(len(Z), dtype=int), 1)
    share = own_share(ImportanceSampler.fit(Z, index, entropy=[0]), Cell(int(index.leaves[0]), 0))
    low, high = {1: (0.0, 0.3), 3: (0.0, 0.6), 30: (0.3, 0.98), 2000: (0.95, 1.0)}[cell_rows]
    assert low <= share <= high


def test_closer_to_a_tiny_cell_than_its_parents_and_its_own_rows():
    Z, index, levels = shifted(3000, 2, (3, 4))
    leaf = int(index.lattice.code((0, 1)))
    rows = np.flatnonzero(index.leaves == leaf)
    kept = np.setdiff1d(np.arange(len(Z)), rows[5:])
    small = index_of([column[kept] for column in levels], np.zeros(len(kept), dtype=int), 1)
    cell, rng = Cell(leaf, 0), np.random.default_rng(0)
    kernel = RBFMixture(median_bandwidths(Z, rng=rng))
    parents = [Z[kept][rng.choice(r, 100)] for r in small.parents(cell)]
    made = {
        "picked": ImportanceSampler.fit(Z[kept], small, entropy=[0]).draw(cell, 200)[0],
        "parents": np.concatenate(parents),
        "bootstrap": Z[rng.choice(rows[:5], 200)],
    }
    far = {name: mmd2(vectors, Z[rows[5:]], kernel, unbiased=True) for name, vectors in made.items()}
    assert far["picked"] < 0.5 * min(far["parents"], far["bootstrap"])


def mixed_table(n=400, seed=0):
    levels, rng = lattice_rows(n, (3, 2), seed)
    job = rng.choice(["cook", "nurse", "clerk"], n)
    table = {
        "job": job,
        "place": np.where(job == "cook", "kitchen", rng.choice(["ward", "office"], n)),
        "hours": rng.integers(0, 60, n) + 10 * levels[0],
        "pay": rng.lognormal(2, 1, n),
    }
    encoder = TableEncoder()
    Z = encoder.fit_transform({k: v.tolist() if v.dtype.kind == "U" else v for k, v in table.items()})
    return Z, index_of(levels, rng.integers(0, 2, n)), encoder


BLOCKS = ("job", "place")


def test_rows_are_valid_and_categories_come_together_from_one_row():
    Z, index, encoder = mixed_table()
    blocks = [encoder.slices_[name] for name in BLOCKS]
    sampler = ImportanceSampler.fit(Z, index, entropy=[0], blocks=blocks, snap=encoder.snap)
    made, behind = sampler.draw(Cell(int(index.leaves[0]), 1), 300)
    assert np.allclose(encoder.snap(made), made)
    together = np.concatenate([np.arange(b.start, b.stop) for b in blocks])
    assert np.array_equal(made[:, together], Z[behind[:, 0]][:, together])
    low, high = Z.min(axis=0), Z.max(axis=0)
    assert ((made >= low - 1e-9) & (made <= high + 1e-9)).all()


@pytest.mark.parametrize("max_copies", [0.0, 0.25, 1.0])
def test_copies_are_bounded_where_numbers_can_move(max_copies):
    Z, index, _ = shifted(600)
    sampler = ImportanceSampler.fit(Z, index, entropy=[0], max_copies=max_copies)
    made, _ = sampler.draw(Cell(0, 0), 200)
    least = 0.1 * Z.std(axis=0)
    gaps = np.abs(made[:, None] - Z)
    exact = (gaps.max(axis=2) < 1e-9).any(axis=1)
    assert exact.mean() == pytest.approx(max_copies, abs=0.01)
    assert ((gaps <= 0.9 * least).all(axis=2).any(axis=1) & ~exact).mean() < 0.2  # third rows, by chance


def test_distinct_picks_no_row_again_while_there_are_enough():
    Z, index, _ = shifted(300)
    sampler = ImportanceSampler.fit(Z, index, entropy=[0])
    _, behind = sampler.draw(Cell(0, 0), 300, distinct=True)
    assert len(np.unique(behind[:, 0])) == 300
    _, behind = sampler.draw(Cell(0, 0), 100, distinct=True)
    assert len(np.unique(behind[:, 0])) == 100
    assert sampler.draw(Cell(0, 0), 650, distinct=True)[0].shape == (650, 3)


def test_levels_come_from_the_rows_behind_where_they_have_them():
    Z, index, _ = mixed_table()
    cell = Cell(int(index.leaves[5]), 0)
    _, behind = ImportanceSampler.fit(Z, index, entropy=[0]).draw(cell, 50)
    wanted, known = (index.lattice.digits(leaves) for leaves in (np.array([cell.leaf]), index.leaves))
    sources = index.level_sources([(cell, 50)], behind, np.random.default_rng(0))
    for source, level, digits in zip(sources, wanted, known, strict=True):
        assert (digits[source] == level).all()
        has = digits[behind] == level
        assert ((source[:, None] == behind) & has).any(axis=1)[has.any(axis=1)].all()
        assert (index.labels[source] == 0).all()


def edge(name):
    rng = np.random.default_rng(0)
    a, b = np.repeat([0, 0, 1, 1], 10), np.tile([0, 1], 20)
    Z = rng.normal(size=(40, 3))
    if name == "empty cell":
        gone = (a == 0) & (b == 0)
        keep = np.flatnonzero(~gone | (np.arange(40) % 3 == 0))
        labels = np.where((a == 0) & (b == 0), 1, np.arange(40) % 2)[keep]
        return Z[keep], index_of([a[keep], b[keep]], labels)
    if name == "one row":
        return Z[19:], index_of([a[19:] * 0 + np.r_[0, a[20:]], b[19:]], np.zeros(21, dtype=int))
    if name == "a parent of two rows":
        keep = np.r_[0, 1, np.arange(20, 40)]
        return Z[keep], index_of([a[keep], b[keep]], np.zeros(22, dtype=int))
    if name == "one attribute":
        return Z, index_of([a], np.arange(40) % 2)
    if name == "ten attributes":
        return Z, index_of([np.r_[0, 1, rng.integers(0, 2, 38)] for _ in range(10)], np.arange(40) % 2)
    if name == "one leaf":
        return Z, index_of([a * 0], np.zeros(40, dtype=int), 1)
    if name == "constant columns":
        return Z * 0 + 5.0, index_of([a, b], np.arange(40) % 2)
    if name == "duplicated rows":
        return np.repeat(Z[:4], 10, axis=0), index_of([a, b], np.arange(40) % 2)
    if name == "all-categorical":
        return np.eye(4)[rng.integers(0, 4, 40)], index_of([a, b], np.arange(40) % 2)
    assert name == "heavy tails"
    return rng.standard_cauchy(size=(40, 3)) ** 3, index_of([a, b], np.arange(40) % 2)


EDGES = [
    "empty cell", "one row", "a parent of two rows", "one attribute", "ten attributes", "one leaf",
    "constant columns", "duplicated rows", "all-categorical", "heavy tails",
]  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("distinct", [False, True])
def test_edges(name, distinct):
    Z, index = edge(name)
    blocks = [slice(0, 4)] if name == "all-categorical" else []
    sampler = ImportanceSampler.fit(Z, index, entropy=[0], blocks=blocks, max_copies=0.0)
    for cell, _ in index.cells():
        if not (index.labels == cell.label).any():
            continue
        made, behind = sampler.draw(cell, 30, distinct=distinct)
        assert made.shape == (30, Z.shape[1])
        assert np.isfinite(made).all()
        assert (index.labels[behind] == cell.label).all()
        if name in ("all-categorical", "constant columns"):  # nothing can move: copies, as is told
            assert np.array_equal(made, Z[behind[:, 0]])
        assert (made.min(axis=0) >= Z.min(axis=0) - 1e-9).all()
        assert (made.max(axis=0) <= Z.max(axis=0) + 1e-9).all()


def test_an_empty_cell_takes_from_its_parents():
    Z, index = edge("empty cell")
    empty = [cell for cell, n in index.cells() if not n]
    assert empty
    rows, weights = ImportanceSampler.fit(Z, index, entropy=[0]).weights(empty[0])
    assert weights.sum() == pytest.approx(1)
    assert (index.leaves[rows] != empty[0].leaf).all()


def test_many_leaves_are_learned_attribute_by_attribute():
    levels, rng = lattice_rows(3000, (20, 20, 20))
    Z = rng.normal(size=(3000, 2)) + (levels[0] % 2)[:, None]
    index = index_of(levels, np.zeros(3000, dtype=int), 1)
    sampler = ImportanceSampler.fit(Z, index, entropy=[0])
    for parity in (0, 1):
        cell = Cell(int(np.flatnonzero(np.arange(8000) // 400 % 2 == parity)[0]), 0)
        assert sampler.draw(cell, 400)[0][:, 0].mean() == pytest.approx(parity, abs=0.4)


def test_the_unit_of_numbers_does_not_matter():
    Z, index, _ = shifted()
    one, other = (ImportanceSampler.fit(c * Z, index, entropy=[0]).weights(Cell(0, 0))[1] for c in (1, 1000))
    assert one == pytest.approx(other, rel=1e-2, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "told"), [({"max_copies": 1.5}, "max_copies"), ({"spread": 0.0}, "spread")]
)
def test_options_out_of_range_are_refused(options, told):
    Z, index, _ = shifted(50)
    with pytest.raises(InputError, match=told):
        ImportanceSampler.fit(Z, index, entropy=[0], **options)


def test_a_label_without_rows_is_refused_by_name():
    Z, _, levels = shifted(50)
    sampler = ImportanceSampler.fit(Z, index_of(levels, np.zeros(50, dtype=int), 2), entropy=[0])
    with pytest.raises(InputError, match="label"):
        sampler.draw(Cell(0, 1), 3)


@pytest.mark.parametrize("kind", ["numbers", "ties", "categories", "huge", "few"])
def test_neighbours_are_the_nearest_of_the_pool_with_other_numbers(kind):
    rng = np.random.default_rng(3)
    n, d = 400, 5
    Z = rng.integers(0, 4, size=(n, d)).astype(float) if kind == "ties" else rng.normal(size=(n, d))
    numbers = np.arange(d)
    if kind == "categories":
        Z[:, 3:], numbers = rng.integers(0, 2, size=(n, 2)), np.arange(3)
    if kind == "huge":
        Z[:5] *= 1e60
    pool = np.unique(rng.choice(n, 4 if kind == "few" else 120))
    least = np.full(len(numbers), 0.1)
    found = Neighbours(Z, numbers, least, rows=np.arange(n), pool=pool)
    for row in range(n):
        apart = np.abs(Z[pool][:, numbers] - Z[row, numbers]).max(axis=1) > 2.5 * 0.1
        distance = np.where(apart, np.sqrt(((Z[pool] - Z[row]) ** 2).sum(axis=1)), np.inf)
        ordered = np.sort(distance[apart])
        for reach in (5, 20):
            room = min(reach, apart.sum())
            shares = (np.arange(room) + 0.5) / room
            near = found.pick(np.full(room, row), reach, shares)
            np.testing.assert_allclose(distance[np.searchsorted(pool, near)], ordered[:room], rtol=1e-12)
            assert found.room[row] >= room


def test_a_membership_model_is_fitted_on_one_thread_of_the_linear_algebra(two_threads, monkeypatch):
    def threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    found, plain = [], membership.minimize
    monkeypatch.setattr(membership, "minimize", lambda *a, **k: found.append(threads()) or plain(*a, **k))
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 2, (2, 60))
    membership.MembershipModel.fit(rng.normal(size=(60, 3)), digits, np.arange(60), levels=[2, 2])
    assert found == [{1}]
    assert threads() == {2}
