"""Diagnostics: honest under the null, sharp on real differences, equal to naive loops, never NaN."""

import dataclasses
import gc
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import contingency, ks_2samp, spearmanr
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from fairlattice import InputError
from fairlattice.diagnostics import (
    Assumption,
    MMDTest,
    associations,
    assumption,
    classifier_test,
    embedding,
    manifold,
    marginals,
    memory,
    mmd_test,
)
from fairlattice.diagnostics._folds import fold_auc, stratified_folds
from fairlattice.diagnostics._permutation import effect, p_value, permuted_labels
from fairlattice.diagnostics._shared import CAVEATS, adjusted, advice, holm, permutations_needed, verdict
from fairlattice.diagnostics._two_sample import _neighbours, _ridges, _standardised
from fairlattice.divergences import RBFMixture, mmd2

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
KERNEL = RBFMixture((0.7, 2.0))


def gaussian(rng, n, m, d=3):
    return rng.normal(size=(n, d)), rng.normal(size=(m, d))


def zeros_and_ones(rng, n, m, d=4):
    return rng.integers(0, 2, (n, d)).astype(float), rng.integers(0, 2, (m, d)).astype(float)


# Permutations


@given(rngs, st.integers(1, 12), st.integers(1, 30))
def test_dealt_labels_begin_with_the_seen_ones_and_stay_in_their_blocks(rng, n, permutations):
    labels, blocks = rng.integers(0, 2, n).astype(float), np.array_split(rng.permutation(n), 2)
    dealt = permuted_labels(labels, permutations, blocks=blocks, rng=rng)
    assert dealt.shape == (1 + permutations, n)
    assert (dealt[0] == labels).all()
    for block in blocks:
        assert (dealt[:, block].sum(axis=1) == labels[block].sum()).all()


def test_every_dealing_is_as_likely():
    dealt = permuted_labels(np.array([1.0, 1.0, 0.0, 0.0]), 6000, rng=np.random.default_rng(0))[1:]
    counts = np.unique(dealt, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert counts == pytest.approx(1000, abs=150)


def test_p_values_and_effects():
    null = np.array([0.0, 1.0, 2.0, 3.0])
    assert p_value(3.0, null) == 0.4
    assert p_value(9.0, null) == 0.2
    assert p_value(3.0 + 1e-15, null) == 0.4  # added up in another order
    assert effect(1.5, null) == 0.0
    assert effect(7.0, np.full(4, 7.0)) == 0.0


def test_folds_hold_the_same_share_of_both_samples():
    for n, m in ((2, 2), (2, 9), (3, 3), (4, 50), (10, 10), (23, 61)):
        labels = np.repeat([0.0, 1.0], [n, m])
        folds = stratified_folds(labels, 5, rng=np.random.default_rng(n))
        assert len(folds) == min(5, max(2, min(n, m) // 2))
        assert sorted(np.concatenate([f.held for f in folds])) == list(range(n + m))
        for side, size in enumerate((n, m)):
            counts = [(labels[f.held] == side).sum() for f in folds]
            assert sum(counts) == size
            assert max(counts) - min(counts) <= 1
            assert min(counts) >= 1
        for fold in folds:
            assert sorted([*fold.held, *fold.rest]) == list(range(n + m))


@given(rngs, st.integers(2, 12), st.integers(2, 12), st.booleans())
@settings(max_examples=20)
def test_areas_in_batch_agree_with_scikit_learn(rng, n, m, tied):
    labels = np.repeat([0.0, 1.0], [n, m])
    folds = stratified_folds(labels, 3, rng=rng)
    dealt = permuted_labels(labels, 4, blocks=[f.held for f in folds], rng=rng)
    scores = [rng.normal(size=(5, len(f.held))) for f in folds]
    scores = [np.rint(s) for s in scores] if tied else scores
    for b, found in enumerate(fold_auc(scores, dealt, folds)):
        won = pairs = 0.0
        for fold, s in zip(folds, scores, strict=True):
            own = dealt[b, fold.held]
            of = own.sum() * (1 - own).sum()
            won, pairs = won + of * roc_auc_score(own, s[b]), pairs + of
        assert found == pytest.approx(won / pairs, abs=1e-12)


# Classifiers


@pytest.mark.parametrize("d", [3, 60], ids=["few columns", "more columns than rows"])
def test_cross_fitting_agrees_with_a_loop_of_scikit_learns_ridge(d):
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(37, d)), np.repeat([0.0, 1.0], [17, 20])
    scaled = _standardised(np.hstack([rows, np.ones((37, 1))]))
    assert scaled.shape == rows.shape  # the constant column is gone
    folds = stratified_folds(labels, 5, rng=rng)
    for fold, scorer in zip(folds, _ridges(scaled, folds), strict=True):
        dealt = permuted_labels(labels, 3, rng=rng)[:, fold.rest]
        found = scorer(dealt)
        train = scaled[fold.rest]
        penalty = ((train - train.mean(axis=0)) ** 2).sum() / len(train)
        for b, y in enumerate(dealt):
            naive = Ridge(alpha=penalty).fit(train, y).predict(scaled[fold.held])
            gaps = found[b] - naive  # up to the intercept
            assert gaps == pytest.approx(gaps[0], abs=1e-9)


def test_neighbours_agree_with_a_loop_of_scikit_learns():
    rng = np.random.default_rng(1)
    rows, labels = rng.normal(size=(41, 3)), np.repeat([0.0, 1.0], [11, 30])
    for fold in stratified_folds(labels, 5, rng=rng):
        dealt = permuted_labels(labels, 3, rng=rng)[:, fold.rest]
        found = _neighbours(cdist(rows, rows), fold)(dealt)
        for b, y in enumerate(dealt):
            model = KNeighborsClassifier(round(math.sqrt(len(y)))).fit(rows[fold.rest], y)
            assert found[b] == pytest.approx(model.predict_proba(rows[fold.held])[:, 1], abs=1e-12)


def test_neighbours_that_tie_share_the_last_places():
    rows = np.array([[0.0], [0.1], [1.0], [-1.0], [1.0], [5.0], [6.0], [7.0], [8.0], [9.0]])
    fold = stratified_folds(np.array([0.0, 1.0]).repeat(5), 2, rng=np.random.default_rng(0))[0]
    fold = fold._replace(
        held=np.array([0]), rest=np.arange(1, 10)
    )  # k = 3: one row nearer, three tie for two
    found = _neighbours(cdist(rows, rows), fold)(
        np.array([[1.0, 1, 0, 0, 0, 0, 0, 0, 0], [0.0, 1, 1, 0, 0, 0, 0, 0, 0]])
    )
    assert found.ravel() == pytest.approx([(1 + 2 / 3) / 3, (4 / 3) / 3])


def test_a_clear_shift_is_seen_and_a_local_difference_by_neighbours_only():
    rng = np.random.default_rng(2)
    x, y = gaussian(rng, 40, 60)
    found = classifier_test(x, y + 2, permutations=199, rng=rng)
    for test in found.values():
        assert test.auc > 0.9
        assert test.p_value == 1 / 200
        assert test.null_low < 0.5 < test.null_high < test.auc
    assert mmd_test(x, y + 2, permutations=199, rng=rng).p_value == 1 / 200
    ring = x / np.linalg.norm(x, axis=1, keepdims=True) * 3
    found = classifier_test(ring, y * 0.5, permutations=199, rng=rng)
    assert found["neighbours"].auc > 0.9
    assert found["linear"].p_value > 0.05


def test_an_area_is_one_half_on_average_under_the_null_at_any_size():
    rng = np.random.default_rng(3)
    for n, m in ((4, 4), (5, 12), (8, 8)):
        found = [classifier_test(*gaussian(rng, n, m), permutations=1, rng=rng) for _ in range(100)]
        for name in ("linear", "neighbours"):
            areas = [f[name].auc for f in found]
            assert np.mean(areas) == pytest.approx(0.5, abs=3.5 * np.std(areas) / np.sqrt(len(areas)))


@pytest.mark.parametrize(
    ("draw", "n", "m"),
    [(gaussian, 20, 20), (gaussian, 5, 31), (zeros_and_ones, 9, 24), (zeros_and_ones, 4, 4)],
    ids=["equal sizes", "unequal sizes", "many equal rows", "tiny, many equal rows"],
)
def test_p_values_are_honest_under_the_null(draw, n, m):
    rng = np.random.default_rng(4)
    repeats, permutations = 200, 39
    p = {"linear": [], "neighbours": [], "mmd": []}
    for _ in range(repeats):
        x, y = draw(rng, n, m)
        for name, test in classifier_test(x, y, permutations=permutations, rng=rng).items():
            p[name].append(test.p_value)
        p["mmd"].append(mmd_test(x, y, permutations=permutations, rng=rng).p_value)
    for name, values in p.items():
        for level in (0.05, 0.25, 0.5):
            noise = math.sqrt(level * (1 - level) / repeats)
            rejected = np.mean(np.array(values) <= level)
            assert rejected <= level + 3 * noise, (name, level)
            if draw is gaussian:  # without ties the level is met, not only kept
                assert rejected >= level - 3.5 * noise, (name, level)


def test_the_same_seed_gives_the_same_and_the_caller_chooses_it():
    x, y = gaussian(np.random.default_rng(5), 12, 9)
    once, again, other = (classifier_test(x, y, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert once == again != other


# MMD


def naive_mmd_test(x, y, kernel, dealt):
    rows = np.vstack([x, y])
    return [mmd2(rows[row == 1], rows[row == 0], kernel, unbiased=True) for row in dealt]


@given(rngs, st.integers(2, 8), st.integers(2, 8))
@settings(max_examples=30)
def test_mmd_in_batch_agrees_with_a_naive_loop(rng, n, m):
    x, y = gaussian(rng, n, m)
    seed = int(rng.integers(2**32))
    found = mmd_test(x, y, kernel=KERNEL, permutations=20, rng=np.random.default_rng(seed))
    dealt = permuted_labels(np.repeat([1.0, 0.0], [n, m]), 20, rng=np.random.default_rng(seed))
    value, *null = naive_mmd_test(x, y, KERNEL, dealt)
    null = np.array(null)
    assert found.mmd2 == pytest.approx(value, abs=1e-12)
    assert found.p_value == pytest.approx((1 + (null >= value - 1e-12).sum()) / 21)
    assert found.null_high == pytest.approx(np.quantile(null, 0.95), abs=1e-12)
    if null.std() > 1e-9:
        assert found.effect == pytest.approx((value - null.mean()) / null.std())


@given(rngs, st.integers(2, 8), st.integers(2, 8))
@settings(max_examples=30)
def test_mmd_knows_no_order_no_sides_and_with_its_own_kernel_no_units(rng, n, m):
    x, y = gaussian(rng, n, m)
    value = mmd_test(x, y, permutations=1, rng=rng).mmd2
    assert mmd_test(y, x, permutations=1, rng=rng).mmd2 == pytest.approx(value, abs=1e-10)
    assert mmd_test(x[::-1], rng.permutation(y), permutations=1, rng=rng).mmd2 == pytest.approx(
        value, abs=1e-10
    )
    assert mmd_test(x * 100, y * 100, permutations=1, rng=rng).mmd2 == pytest.approx(value, abs=1e-8)


# Manifold


def naive_manifold(x, y, k):
    def radius(i, rows):
        return sorted(np.linalg.norm(rows - rows[i], axis=1))[min(k, len(rows) - 1)]

    rx, ry = [radius(i, x) for i in range(len(x))], [radius(j, y) for j in range(len(y))]
    d = [[np.linalg.norm(a - b) for b in y] for a in x]
    n, m = range(len(x)), range(len(y))
    precision = np.mean([any(d[i][j] <= rx[i] for i in n) for j in m])
    recall = np.mean([any(d[i][j] <= ry[j] for j in m) for i in n])
    density = sum(d[i][j] <= rx[i] for i in n for j in m) / (min(k, len(x) - 1) * len(y))
    return precision, recall, density, np.mean([any(d[i][j] <= rx[i] for j in m) for i in n])


@given(rngs, st.integers(2, 9), st.integers(1, 9), st.integers(1, 5))
@settings(max_examples=40)
def test_manifold_agrees_with_a_naive_loop_and_knows_no_order_and_no_units(rng, n, m, k):
    x, y = gaussian(rng, n, m)
    found = dataclasses.astuple(manifold(x, y, k=k))
    assert found == pytest.approx(naive_manifold(x, y, k))
    assert found == dataclasses.astuple(manifold(x[::-1] * 4, y[::-1] * 4, k=k))
    assert all(0 <= v <= 1 for v in (*found[:2], found[3]))


def test_manifold_of_equal_and_of_distant_samples():
    rng = np.random.default_rng(6)
    x, y = gaussian(rng, 50, 40)
    same = manifold(x, x)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert dataclasses.astuple(manifold(x, y + 99)) == (0, 0, 0, 0)


# Columns


@given(rngs, st.integers(1, 15), st.integers(1, 15))
@settings(max_examples=40)
def test_column_distances_agree_with_scipy_and_a_naive_sum(rng, n, m):
    levels = ["a", "b", "c", None]
    real = {"x": rng.integers(0, 6, n), "c": rng.choice(levels, n)}
    generated = {"c": rng.choice(levels, m), "x": rng.integers(0, 6, m) + 0.5 * rng.integers(0, 2, m)}
    found = marginals(pl.DataFrame(real), pl.DataFrame(generated))
    ks = ks_2samp(real["x"], generated["x"]).statistic
    tv = sum(abs(np.mean(real["c"] == v) - np.mean(generated["c"] == v)) for v in levels) / 2
    assert [c.name for c in found.columns] == ["x", "c"]
    assert [c.distance for c in found.columns] == pytest.approx([ks, tv])
    assert found.mean == pytest.approx((ks + tv) / 2)
    assert found.worst == max(c.distance for c in found.columns)
    assert found.column == ("x" if ks >= tv - 1e-12 else "c")
    order = rng.permutation(n)
    assert marginals(pl.DataFrame({k: v[order] for k, v in real.items()}), pl.DataFrame(generated)) == found


def test_missing_values_and_types_of_columns():
    real = pl.DataFrame({"x": [1, 2, None, None], "t": [True, True, False, None], "e": [None] * 4})
    generated = pl.DataFrame({"x": [1.0, 2.0, 1.0, 2.0], "t": [1, 1, 0, 0], "e": [None] * 4})
    assert [c.distance for c in marginals(real, generated).columns] == [0.5, 0.25, 0.0]
    with pytest.raises(InputError, match="`x` holds numbers in one table"):
        marginals(real, generated.with_columns(pl.col("x").cast(pl.String)))
    with pytest.raises(InputError, match=r"not found: \['e'\]"):
        marginals(real, generated.drop("e"))
    with pytest.raises(InputError, match=r"not found: \['e'\]"):
        marginals(real.drop("e"), generated)
    with pytest.raises(InputError, match="at least 1 row"):
        marginals(real, generated[:0])
    with pytest.raises(InputError, match="infinite"):
        marginals({"x": [1.0, np.inf]}, {"x": [1.0, 2.0]})


def test_associations_agree_with_naive_formulas():
    rng = np.random.default_rng(7)

    def table(n, tie):
        x = rng.normal(size=n)
        c = np.where(x + tie * rng.normal(size=n) > 0, "high", rng.choice(["low", "lower"], n))
        return {"x": x, "y": x + tie * rng.normal(size=n), "c": c, "k": rng.choice(["p", "q"], n)}

    def v(a, b):  # Bergsma (2013)
        counts = contingency.crosstab(a, b).count
        n, (r, k) = counts.sum(), counts.shape
        phi2 = contingency.association(counts, "cramer") ** 2 * min(r - 1, k - 1)
        left = max(0, phi2 - (r - 1) * (k - 1) / (n - 1))
        return math.sqrt(left / min(r - 1 - (r - 1) ** 2 / (n - 1), k - 1 - (k - 1) ** 2 / (n - 1)))

    def eta(x, c):  # Kelley (1935), of ranks
        ranks, n, k = np.argsort(np.argsort(x)), len(x), len(set(c))
        rest = sum(((ranks[c == level] - ranks[c == level].mean()) ** 2).sum() for level in set(c))
        return math.sqrt(max(0, 1 - rest / ((ranks - ranks.mean()) ** 2).sum() * (n - 1) / (n - k)))

    def naive(t):
        number = {
            name: eta(t[a], t[b]) for name, (a, b) in {"xc": "xc", "xk": "xk", "yc": "yc", "yk": "yk"}.items()
        }
        return {"xy": spearmanr(t["x"], t["y"]).statistic, **number, "ck": v(t["c"], t["k"])}

    for n, m in ((60, 60), (12, 70)):
        real, generated = table(n, 0.3), table(m, 3.0)
        gaps = [abs(a - b) for a, b in zip(naive(real).values(), naive(generated).values(), strict=True)]
        found = associations(real, generated)
        assert found.mean == pytest.approx(np.mean(gaps))
        assert found.worst == pytest.approx(max(gaps))
        assert "".join(found.pair) == list(naive(real))[int(np.argmax(gaps))]
        assert found == associations({k: c[::-1] for k, c in real.items()}, generated)


def test_associations_pass_over_holes_constants_and_all_beyond_forty_columns():
    rng = np.random.default_rng(8)
    real = {"x": [1.0, 2.0, 3.0, None, 9.0], "y": [1.0, 2.0, 3.0, 4.0, None], "k": [1] * 5}
    generated = {"x": [1.0, 2.0, 3.0], "y": [3.0, 2.0, 1.0], "k": [1] * 3}
    found = associations(pl.DataFrame(real), pl.DataFrame(generated))
    assert found.pair == ("x", "y")
    assert found.worst == pytest.approx(2.0)
    assert associations({"x": [1, 2], "k": [1, 1]}, {"x": [1, 2], "k": [1, 1]}) is None
    one = associations({"x": [1, 2, 3], "k": [1, 1, 1]}, {"x": [1, 2, 3], "k": [1, 2, 3]})
    assert one.worst == pytest.approx(1.0)  # constant in one table: 0 there
    wide = rng.normal(size=(30, 43))
    assert associations(wide, wide).left_out == 3
    assert associations(wide, wide).worst == 0.0
    many = {"id": [f"v{i}" for i in range(100)], "x": rng.normal(size=100)}
    assert associations(many, many).worst == 0.0


# Memory


def test_a_bootstrap_of_training_rows_is_flagged_with_its_known_advantage():
    rng = np.random.default_rng(9)
    advantages, shares = [], []
    for _ in range(30):
        train, held_out = gaussian(rng, 100, 100, d=5)
        drawn = rng.integers(0, 100, 100)
        found = memory(train, train[drawn], held_out)
        assert found.exact == found.copied == 100
        assert found.distance_ratio == 0.0
        advantages.append(found.membership_advantage)
        shares.append(len(set(drawn.tolist())) / 100)
    assert np.mean(shares) == pytest.approx(1 - 1 / math.e, abs=0.02)
    assert np.mean(advantages) == pytest.approx(np.mean(shares), abs=0.03)
    assert found.advantage_noise == pytest.approx(math.sqrt(201 / 30000))
    everyone = memory(train, train, held_out)
    assert everyone.membership_advantage == 1.0
    assert [(c.nearest, c.kind) for c in sorted(everyone.copies, key=lambda c: c.row)] == [
        (i, "exact") for i in range(100)
    ]


def test_rows_like_held_out_ones_give_nothing_away():
    rng = np.random.default_rng(10)
    found = [memory(*(rng.normal(size=(60, 5)) for _ in range(3))) for _ in range(60)]
    advantages = [f.membership_advantage for f in found]
    assert np.mean(advantages) == pytest.approx(0.0, abs=3 * found[0].advantage_noise / math.sqrt(60))
    assert np.std(advantages) == pytest.approx(found[0].advantage_noise, rel=0.35)
    assert np.mean([f.distance_ratio for f in found]) == pytest.approx(1.0, abs=0.03)
    assert sum(f.exact + f.near for f in found) == 0


def test_equal_rows_in_a_table_of_zeros_and_ones_are_no_copies():
    rng = np.random.default_rng(11)
    train, other = zeros_and_ones(rng, 300, 300)
    found = memory(train, zeros_and_ones(rng, 150, 1)[0], other)
    assert found.exact == 150
    assert found.exact_expected == 150.0
    assert (found.copied, found.near, found.distance_ratio, found.membership_advantage) == (0.0, 0, 1.0, 0.0)


def test_near_copies_agree_with_a_naive_loop():
    rng = np.random.default_rng(12)
    train, held_out = gaussian(rng, 40, 30, d=6)
    generated = np.vstack(
        [train[:10] + 1e-3 * rng.normal(size=(10, 6)), train[3:5], rng.normal(size=(20, 6))]
    )
    train = np.vstack([train, train[:5]])  # a twin is not another row
    found = memory(train, generated, held_out)
    d = cdist(generated, train)
    naive = []
    for row in d:
        others = row[np.abs(train - train[row.argmin()]).sum(axis=1) > 0]
        naive.append("exact" if row.min() < 1e-9 else "near" if row.min() < 0.1 * others.min() else None)
    assert {c.row: c.kind for c in found.copies} == {i: kind for i, kind in enumerate(naive) if kind}
    assert (found.near, found.exact) == (10, 2)
    assert all(
        c.distance == pytest.approx(d[c.row].min()) and c.nearest == d[c.row].argmin() for c in found.copies
    )
    assert [c.distance for c in found.copies] == sorted(c.distance for c in found.copies)
    assert memory(train, generated, held_out, near=0.0).near == 0


@given(rngs)
@settings(max_examples=25)
def test_memory_knows_no_order_and_no_units(rng):
    train, generated, held_out = (rng.integers(0, 3, (n, 2)).astype(float) for n in (9, 6, 5))
    found = memory(train, generated, held_out)
    again = memory(train[::-1] * 8, generated[::-1] * 8, held_out[::-1] * 8)
    assert dataclasses.astuple(again)[:-1] == pytest.approx(dataclasses.astuple(found)[:-1])


# The assumption


def test_a_mix_that_closes_the_gap_and_one_that_does_not():
    rng = np.random.default_rng(13)
    cell, left, right = (rng.normal(at, 1.0, (40, 2)) for at in (0.0, -2.0, 2.0))
    found = assumption(cell, [left, right, left[:1]], rng.normal(0.0, 1.0, (40, 2)), permutations=99, rng=rng)
    assert [p is None for p in found.parents] == [False, False, True]
    assert found.mix.mmd2 < min(found.parents[0].mmd2, found.parents[1].mmd2)
    assert verdict(found.mix, rows=40) == "holds"
    names = ["left", "right", "none"]
    assert advice(found, "holds", names=names).startswith("Augment")
    found = assumption(cell, [left, rng.normal(size=(80, 2))], left, permutations=99, rng=rng)
    assert verdict(found.mix, rows=40) == "fails"
    assert found.closest == 1
    assert "Merge this cell into its parent b" in advice(found, "fails", names=["a", "b"])
    assert advice(found, "fails", names=["a", "b"], p_adjusted=[0.01, 0.01]).startswith("Do not augment")
    assert advice(found, "fails", names=["a", "b"], p_adjusted=[0.01, None]).startswith("Do not augment")
    with pytest.raises(InputError, match="differ in length"):
        advice(found, "fails", names=["a"])


def test_verdicts():
    def said(p, size, rows, **options):
        return verdict(MMDTest(0.1, size, 0.1, p), rows=rows, **options)

    assert said(0.01, 3.0, 4) == "fails"
    assert said(0.01, 3.0, 40, p_adjusted=0.2) == "not enough data"  # large, but too many cells are looked at
    assert said(0.01, 1.0, 40) == "not enough data"
    assert said(0.5, 0.0, 9) == "not enough data"
    assert said(0.5, 0.0, 10) == "holds"
    assert advice(Assumption((), MMDTest(0.1, 3.0, 0.1, 0.01)), "not enough data", names=[]).startswith(
        "Collect"
    )
    assert advice(Assumption((), MMDTest(0.1, 3.0, 0.1, 0.01)), "fails", names=[]).startswith("Do not")


# Many tests


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12))
@settings(max_examples=40)
def test_adjusted_p_values_agree_with_statsmodels_and_with_naive_loops(p):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    made = [v for v in p if v is not None]
    gc.freeze()  # statsmodels collects garbage at every call, which takes long where much is loaded
    for method, theirs in (("holm", "holm"), ("bh", "fdr_bh")):
        found = adjusted(p, method=method)
        assert [math.isnan(v) for v in found] == [v is None for v in p]
        found = found[~np.isnan(found)]
        if made:
            assert found == pytest.approx(multitest.multipletests(made, method=theirs)[1])
        assert (found >= np.array(made) - 1e-15).all()
    gc.unfreeze()
    naive, least = {}, 0.0
    for i, v in enumerate(sorted(made)):
        least = max(least, min(1.0, v * (len(made) - i)))
        naive.setdefault(v, least)
    assert [v for v in holm(p) if not math.isnan(v)] == pytest.approx([naive[v] for v in made])


def test_what_adjusting_refuses_and_how_many_permutations_it_needs():
    with pytest.raises(InputError, match="lie in"):
        holm([0.5, 1.5])
    with pytest.raises(InputError, match="one of holm, bh"):
        adjusted([0.5], method="bonferroni")
    for tests in (1, 7, 400):
        least = permutations_needed(tests)
        assert holm([1 / (1 + least)] * tests).min() <= 0.05 + 1e-12
        assert holm([1 / least] * tests).min() > 0.05


# Pictures


def test_principal_components_are_those_of_the_covariance_and_know_their_signs():
    rng = np.random.default_rng(14)
    x, y = gaussian(rng, 20, 30, d=4)
    x, y = (s * [1.0, 5.0, 2.0, 0.5] for s in (x, y))
    places = embedding({"real": x, "generated": y})
    assert [p.shape for p in places.values()] == [(20, 2), (30, 2)]
    both = np.vstack(list(places.values()))
    values = np.linalg.eigvalsh(np.cov(np.vstack([x, y]).T))[::-1]
    assert both.var(axis=0, ddof=1) == pytest.approx(values[:2])
    turned = embedding({"real": x[::-1], "generated": y})
    assert turned["real"][::-1] == pytest.approx(places["real"])
    assert np.corrcoef(both[:, 0], np.vstack([x, y])[:, 1])[0, 1] > 0.9


def test_pictures_of_little_data():
    for rows in ([[1.0]], [[1.0, 2.0]] * 3, [[0.0], [1.0], [2.0]], [[0.0, 1.0, 5.0], [1.0, 4.0, 4.0]]):
        for method in CAVEATS:
            places = embedding({"a": rows, "b": np.zeros((0, len(rows[0])))}, method=method)
            assert places["a"].shape == (len(rows), 2)
            assert np.isfinite(places["a"]).all()
            assert places["b"].shape == (0, 2)
    with pytest.raises(InputError, match="no rows"):
        embedding({"a": np.zeros((0, 2))})
    with pytest.raises(InputError, match="one of pca, tsne"):
        embedding({"a": [[1.0]]}, method="umap")


def test_neighbourhoods_are_kept_and_the_same_seed_draws_the_same():
    rng = np.random.default_rng(15)
    rows = np.vstack([rng.normal(size=(20, 3)), rng.normal(size=(20, 3)) + 30, np.full((8, 3), 60.0)])
    once, again = (embedding({"a": rows}, method="tsne", random_state=3)["a"] for _ in range(2))
    assert (once == again).all()
    own = np.repeat([0, 1, 2], [20, 20, 8])
    nearest = (cdist(once, once) + np.diag([np.inf] * 48)).argmin(axis=1)
    assert (own[nearest] == own).mean() > 0.9


# Little data and bad data


def figures(x, y):
    """All figures of two samples."""
    rng = np.random.default_rng(0)
    found = [manifold(x, y), marginals(x, y), associations(x, y), memory(x, y, x), memory(x, x, y)]
    if min(len(x), len(y)) >= 2:
        tests = classifier_test(x, y, permutations=9, rng=rng)
        found += [
            *tests.values(),
            mmd_test(x, y, permutations=9, rng=rng),
            mmd_test(y, x, permutations=1, rng=rng),
        ]
    return found


@pytest.mark.parametrize("d", [1, 7])
def test_no_figure_is_ever_undefined(d):
    rng = np.random.default_rng(16)
    for n, m in ((1, 1), (1, 5), (5, 1), (2, 2), (2, 3), (3, 3), (3, 40)):
        for x, y in (
            gaussian(rng, n, m, d),
            zeros_and_ones(rng, n, m, d),
            (np.zeros((n, d)), np.zeros((m, d))),
            (np.zeros((n, d)), np.ones((m, d))),
            (np.full((n, d), 1e6 + 0.1), np.full((m, d), 1e6 + 0.1)),
        ):
            for found in figures(x, y):
                values = [] if found is None else dataclasses.astuple(found)
                assert all(math.isfinite(v) for v in values if isinstance(v, float)), found


def test_rows_that_are_all_alike_cannot_be_told_apart():
    rng = np.random.default_rng(17)
    x, y = np.full((6, 3), 0.1), np.full((4, 3), 0.1)
    for test in classifier_test(x, y, rng=rng).values():
        assert dataclasses.astuple(test) == (0.5, 0.5, 0.5, 1.0)
    found = mmd_test(x, y, rng=rng)
    assert (found.effect, found.p_value) == (0.0, 1.0)
    assert found.mmd2 == pytest.approx(0.0, abs=1e-12)
    assert dataclasses.astuple(manifold(x[:1], y[:1])) == (1.0, 1.0, 1.0, 1.0)
    assert memory(x, y, x).distance_ratio == 1.0


def test_what_is_refused():
    rng, x = np.random.default_rng(0), np.zeros((5, 2))
    for test in (classifier_test, mmd_test):
        with pytest.raises(InputError, match="at least 2 rows, got 1"):
            test(x, x[:1], rng=rng)
        with pytest.raises(InputError, match="`permutations`"):
            test(x, x, permutations=0, rng=rng)
    with pytest.raises(InputError, match="differ in their columns"):
        manifold(x, np.zeros((5, 3)))
    with pytest.raises(InputError, match="missing or infinite"):
        manifold(x, np.full((5, 2), np.nan))
    with pytest.raises(InputError, match="shape"):
        manifold(x, np.zeros(5))
    with pytest.raises(InputError, match="must hold numbers"):
        manifold(x, [["a", "b"]])
    with pytest.raises(InputError, match="at least 1 row, got 0"):
        memory(x, x[:0], x)
    with pytest.raises(InputError, match="`near`"):
        memory(x, x, x, near=1.0)
    with pytest.raises(InputError, match="`folds`"):
        classifier_test(x, x, folds=1, rng=rng)
    with pytest.raises(InputError, match="`k`"):
        manifold(x, x, k=0)
    with pytest.raises(InputError, match="at least 2 rows"):
        assumption(x[:1], [x], x, rng=rng)
