"""How sure we are: intervals, tests, pooling, weights and bounds, against enumeration and others' code."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import betainc, gammaincc
from scipy.stats import binom, binomtest, chi2_contingency, multinomial

import fairlattice as fl
from fairlattice.exceptions import InputError
from fairlattice.metrics import (
    Rates,
    _design,
    audit_series,
    clopper_pearson_interval,
    differential_fairness,
    homogeneity_test,
    jeffreys_interval,
    misrecording_bounds,
    partial_pooling,
    weighted_rates,
    wilson_interval,
)
from fairlattice.metrics._homogeneity import table_test
from fairlattice.metrics._intervals import INTERVALS, paired_interval, rate_interval

few = st.integers(0, 60)


def arrays(*values):
    return tuple(np.array([v]) for v in values)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(
    ("ours", "theirs"), [(wilson_interval, "wilson"), (clopper_pearson_interval, "exact")]
)
def test_intervals_agree_with_scipy_for_every_count(ours, theirs, confidence):
    for n in (1, 2, 7, 40):
        low, high = ours(np.arange(n + 1), np.full(n + 1, n), confidence=confidence)
        for k in range(n + 1):
            ci = binomtest(k, n).proportion_ci(confidence, method=theirs)
            assert (low[k], high[k]) == pytest.approx((ci.low, ci.high), abs=1e-9)


@given(
    few, few, st.sampled_from([("wilson", "wilson"), ("clopper-pearson", "beta"), ("jeffreys", "jeffreys")])
)
def test_intervals_agree_with_statsmodels(s, f, names):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    # Where nothing succeeded or failed our Jeffreys interval is closed at the end, theirs is not.
    assume(s + f > 0 and (names[0] != "jeffreys" or (s > 0 and f > 0)))
    low, high = rate_interval(*arrays(s, s + f), method=names[0])
    ends = proportion.proportion_confint(s, s + f, method=names[1])
    assert (low[0], high[0]) == pytest.approx(tuple(map(float, ends)), abs=1e-9)


@given(few, few, st.sampled_from(sorted(INTERVALS)), st.floats(0.5, 0.999))
def test_intervals_hold_the_rate_and_turn_around_with_the_outcome(s, f, name, confidence):
    low, high = rate_interval(*arrays(s, s + f), method=name, confidence=confidence)
    other = rate_interval(*arrays(f, s + f), method=name, confidence=confidence)
    assert (1 - other[1][0], 1 - other[0][0]) == pytest.approx((low[0], high[0]), abs=1e-9)
    if s + f:
        assert 0 <= low[0] <= s / (s + f) <= high[0] <= 1


@pytest.mark.parametrize("name", sorted(INTERVALS))
@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 10, 17, 30, 64, 100, 250, 1000])
def test_average_coverage_over_all_rates_is_at_least_94_percent(name, n):
    k = np.arange(n + 1)
    low, high = rate_interval(k, np.full(n + 1, n), method=name)
    coverage = (betainc(k + 1, n - k + 1, high) - betainc(k + 1, n - k + 1, low)).sum() / (n + 1)
    assert coverage >= 0.94


def test_clopper_pearson_covers_every_rate():
    p = np.linspace(0.001, 0.999, 500)[:, None]
    for n in (1, 6, 50):
        k = np.arange(n + 1)
        low, high = clopper_pearson_interval(k, np.full(n + 1, n))
        assert (binom.pmf(k, n, p) * ((low <= p) & (p <= high))).sum(axis=1).min() >= 0.95


def test_a_percentile_bootstrap_of_six_rows_covers_too_little_where_jeffreys_covers():
    n, p, k = 6, 0.8, np.arange(7)
    chance = binom.pmf(k, n, p)
    low, high = binom.ppf(0.025, n, k / n) / n, binom.ppf(0.975, n, k / n) / n
    assert chance[(low <= p) & (p <= high)].sum() < 0.8
    assert chance[low == high].sum() > 0.2  # intervals without any width
    low, high = jeffreys_interval(k, np.full(7, n))
    assert chance[(low <= p) & (p <= high)].sum() >= 0.94


@given(few, few, few, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_a_paired_interval_excludes_zero_exactly_when_mcnemar_rejects(b, c, kept, confidence):
    assume(b + c + kept > 0)
    d, low, high = (v[0] for v in paired_interval(*arrays(b, c, b + c + kept), confidence=confidence))
    p_value = binomtest(c, b + c).pvalue if b + c else 1.0
    assert (low > 0 or high < 0) == (p_value < 1 - confidence)
    assert -1 <= low <= d <= high <= 1
    assert d == pytest.approx((c - b) / (b + c + kept))
    back = [v[0] for v in paired_interval(*arrays(c, b, b + c + kept), confidence=confidence)]
    assert (-back[0], -back[2], -back[1]) == pytest.approx((d, low, high), abs=1e-9)


@pytest.mark.parametrize("n", [5, 12, 30])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5])
def test_a_paired_interval_calls_no_change_a_change_no_more_often_than_stated(n, share):
    b, c = (v.ravel() for v in np.indices((n + 1, n + 1)))
    b, c = b[b + c <= n], c[b + c <= n]
    _, low, high = paired_interval(b, c, np.full(len(b), n))
    chance = multinomial.pmf(np.stack([b, c, n - b - c], axis=1), n, [share, share, 1 - 2 * share])
    assert chance.sum() == pytest.approx(1.0)
    assert chance[(low > 0) | (high < 0)].sum() <= 0.05


def test_changes_without_cause_are_rarely_called_changes():
    rng, alarms = np.random.default_rng(6), 0
    S, y = {"g": np.repeat(np.arange(20), 60)}, np.ones(1200, dtype=int)
    for _ in range(200):
        b = (rng.random(1200) < 0.8).astype(int)
        a = np.where(rng.random(1200) < 0.3, rng.permutation(b), b)
        found = fl.leveling_down(y, b, a, sensitive_features=S, positive=1, measure="tpr")
        alarms += bool(found.lost or found.gained)
    assert alarms <= 10


@pytest.mark.parametrize(("sizes", "successes"), [((1, 2, 3), 3), ((2, 2, 2, 2), 3), ((1, 1, 1, 5), 4)])
def test_the_p_value_has_the_moments_that_enumeration_finds(sizes, successes):
    n, sizes = sum(sizes), np.array(sizes)
    share = successes / n
    tables = [t for t in itertools.product(*(range(k + 1) for k in sizes)) if sum(t) == successes]
    chance = np.array([math.prod(map(math.comb, sizes.tolist(), t)) for t in tables]) / math.comb(
        n, successes
    )
    x = np.array([((np.array(t) - sizes * share) ** 2 / (sizes * share * (1 - share))).sum() for t in tables])
    mean = chance @ x
    variance = chance @ (x - mean) ** 2
    assert chance.sum() == pytest.approx(1.0)
    for table, statistic in zip(tables, x, strict=True):
        expected = gammaincc(mean**2 / variance, statistic * mean / variance)
        both = np.column_stack([table, sizes - np.array(table)]).astype(float)
        assert table_test(both) == pytest.approx(expected, rel=1e-9)
        # With so few successes the public test draws tables; its p-value is the enumerated one.
        exact = chance[x >= statistic * (1 - 1e-9)].sum()
        drawn = homogeneity_test(Rates(np.array(table), sizes))
        assert drawn == pytest.approx(exact, abs=4 * 0.5 / 1999**0.5)


@pytest.mark.parametrize("shape", [(6, 2), (4, 5)])
def test_large_tables_have_the_textbook_p_value(shape):
    rng = np.random.default_rng(1)
    for _ in range(20):
        table = rng.poisson(3000, shape).astype(float)
        assert table_test(table) == pytest.approx(chi2_contingency(table, correction=False).pvalue, abs=2e-3)


@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=2, max_size=5))
def test_rows_and_columns_of_a_table_may_change_places(table):
    table = np.array(table, dtype=float)
    found = table_test(table)
    assert 0 <= found <= 1
    assert table_test(table.T) == pytest.approx(found, abs=1e-9)
    assert table_test(table[::-1, [2, 0, 1]]) == pytest.approx(found, abs=1e-9)


def test_false_alarms_over_many_small_groups_are_as_frequent_as_stated():
    rng = np.random.default_rng(2)
    sizes = rng.integers(1, 51, 60)
    p = [homogeneity_test(Rates(rng.binomial(sizes, 0.3), sizes)) for _ in range(4000)]
    assert 0.04 <= np.mean(np.array(p) <= 0.05) <= 0.06


@pytest.mark.parametrize(
    ("successes", "trials"),
    [
        ([3], [7]),
        ([0, 0], [5, 9]),
        ([5, 9], [5, 9]),
        ([1, 0], [1, 1]),
        ([0, 4], [0, 9]),
        ([1, 0, 0], [1, 1, 1]),
    ],
)
def test_tables_in_which_nothing_could_differ_have_a_p_value_of_one(successes, trials):
    assert homogeneity_test(Rates(np.array(successes), np.array(trials))) == 1.0


# Partial pooling

LATTICE = [{"a": a, "b": b, "c": c} for a in range(3) for b in range(4) for c in range(3)]


def drawn(seed, sizes, spread=0.2):
    """True rates over a lattice of main effects, deviations of their own, and counts."""
    rng = np.random.default_rng(seed)
    effects = [rng.normal(0, 0.5, k) for k in (3, 4, 3)]
    linear = [0.8 + effects[0][g["a"]] + effects[1][g["b"]] + effects[2][g["c"]] for g in LATTICE]
    truth = 1 / (1 + np.exp(-np.array(linear) - spread * rng.standard_normal(len(LATTICE))))
    trials = rng.choice(sizes, len(LATTICE))
    return truth, Rates(rng.binomial(trials, truth), trials)


def test_huge_groups_keep_their_rates():
    _, rates = drawn(0, [10**6])
    assert partial_pooling(rates, LATTICE).mean == pytest.approx(rates.raw, abs=1e-4)


def test_groups_that_are_all_alike_are_pooled_completely():
    pooled = partial_pooling(Rates(np.full(36, 140), np.full(36, 200)), LATTICE)
    assert pooled.spread < 0.1
    assert pooled.mean == pytest.approx(np.full(36, 0.7), abs=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_a_tiny_group_lies_between_its_rate_and_its_prediction(seed):
    _, rates = drawn(seed, [300])
    for successes in (0, 3):
        s, n = rates.successes.copy(), rates.trials.copy()
        s[7], n[7] = successes, 3
        pooled = partial_pooling(Rates(s, n), LATTICE)
        ends = sorted([successes / 3, pooled.predicted[7]])
        assert ends[0] < pooled.mean[7] < ends[1]
        assert abs(pooled.mean[7] - pooled.predicted[7]) < abs(pooled.mean[7] - successes / 3)


def test_the_order_of_groups_does_not_matter():
    _, rates = drawn(1, [0, 2, 20, 300])
    order = np.random.default_rng(0).permutation(len(LATTICE))
    one, two = partial_pooling(rates, LATTICE), partial_pooling(rates.of(order), [LATTICE[i] for i in order])
    assert two.mean == pytest.approx(one.mean[order], abs=1e-6)
    assert two.predicted == pytest.approx(one.predicted[order], abs=1e-6)
    assert two.spread == pytest.approx(one.spread, abs=1e-6)


def test_groups_without_trials_get_a_prediction_and_the_widest_interval():
    _, rates = drawn(2, [300])
    s, n = rates.successes.copy(), rates.trials.copy()
    s[4] = n[4] = 0
    pooled = partial_pooling(Rates(s, n), LATTICE)
    assert pooled.mean[4] == pytest.approx(pooled.predicted[4], abs=0.02)
    width = pooled.high - pooled.low
    assert 0 < pooled.low[4] < pooled.high[4] < 1
    assert width.argmax() == 4
    with pytest.raises(fl.UndefinedRateError):
        partial_pooling(Rates(np.zeros(36, int), np.zeros(36, int)), LATTICE)


def test_pooled_rates_are_nearer_to_the_truth_than_raw_and_laplace_ones_and_their_intervals_hold():
    errors, held = [], []
    for seed in range(12):
        truth, rates = drawn(100 + seed, [2, 5, 15, 60])
        pooled = partial_pooling(rates, LATTICE)
        guesses = (pooled.mean, rates.raw, rates.smoothed(1.0))
        errors.append([((guess - truth) ** 2).mean() for guess in guesses])
        held.append(((pooled.low <= truth) & (truth <= pooled.high)).mean())
    ours, raw, laplace = np.mean(errors, axis=0)
    assert ours < 0.5 * raw
    assert ours < 0.6 * laplace
    assert 0.92 <= np.mean(held) <= 0.98


def test_the_same_seed_gives_the_same_draws():
    _, rates = drawn(3, [5, 50])
    one, two, other = (partial_pooling(rates, LATTICE, random_state=seed).draws for seed in (0, 0, 1))
    assert (one == two).all()
    assert not (one == other).all()
    assert ((one > 0) & (one < 1)).all()


def test_corrected_disparity_of_many_equal_groups_is_nearer_to_none():
    rng = np.random.default_rng(4)
    groups = [{"a": i // 20, "b": i % 20} for i in range(200)]
    found = differential_fairness(Rates(rng.binomial(10, 0.7, 200), np.full(200, 10)), groups=groups)
    assert found.value > 1.0
    assert found.corrected < 0.4 * found.value
    assert found.low == 0.0
    assert found.p_value > 0.05


def test_effective_numbers_of_rows_by_hand():
    S, y, p = {"s": ["x"] * 4}, [1, 1, 1, 0], [1, 1, 0, 1]
    counts = fl.GroupCounts.from_arrays(y, p, sensitive_features=S, sample_weight=[1.0, 1.0, 2.0, 5.0])
    rates = weighted_rates(counts.layers, counts.classes, "tpr", 1)
    assert rates.trials == pytest.approx([4**2 / 6])
    assert rates.raw == pytest.approx([0.5])


@given(st.floats(0.01, 100), st.integers(0, 10**6))
def test_equal_weights_change_nothing(weight, seed):
    rng = np.random.default_rng(seed)
    y, p, s = (rng.integers(0, 2, 40) for _ in range(3))
    plain = fl.audit(y, p, sensitive_features={"s": s}, positive=1)
    same = fl.audit(y, p, sensitive_features={"s": s}, positive=1, sample_weight=np.full(40, weight))
    for rate in plain.rates:
        for g, h in zip(plain.by_group(rate), same.by_group(rate), strict=True):
            assert (h.n, h.successes, h.low, h.high) == pytest.approx((g.n, g.successes, g.low, g.high))
            assert h.rate == (None if g.rate is None else pytest.approx(g.rate))


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from("xy"), st.integers(1, 9)), min_size=1))
def test_whole_weights_give_the_rate_of_repeated_rows_but_no_more_certainty_than_rows(rows):
    p, s, w = map(list, zip(*rows, strict=True))
    ones, features = [1] * len(p), {"s": s}
    plain = fl.audit(ones, p, sensitive_features=features, positive=1).by_group("tpr")
    ours = fl.audit(ones, p, sensitive_features=features, positive=1, sample_weight=w).by_group("tpr")
    again = fl.audit(
        np.repeat(ones, w), np.repeat(p, w), sensitive_features={"s": np.repeat(s, w)}, positive=1
    ).by_group("tpr")
    for a, b, c in zip(plain, ours, again, strict=True):
        assert b.rate == pytest.approx(c.rate)
        assert b.n <= a.n + 1e-9


def recorded(successes, trials, smoothing=1e-9):
    y = np.ones(sum(trials), dtype=int)
    p = np.concatenate([np.arange(n) < s for s, n in zip(successes, trials, strict=True)]).astype(int)
    names = [("x", "u"), ("y", "u"), ("x", "v"), ("y", "v")][: len(trials)]
    a, b = (np.repeat([name[i] for name in names], trials) for i in (0, 1))
    features = {"a": a, "b": b} if len(trials) > 2 else {"a": a}
    return fl.audit(y, p, sensitive_features=features, positive=1, smoothing=smoothing)


@pytest.mark.parametrize(
    ("successes", "trials"), [((9, 15), (20, 20)), ((6, 10), (12, 20)), ((7, 8), (10, 15))]
)
def test_misrecording_bounds_hold_whoever_was_recorded_wrongly(successes, trials):
    error = 0.2
    found = misrecording_bounds(recorded(successes, trials), {"a": error})
    df, if_ = [], []
    (s0, s1), (n0, n1) = successes, trials
    for i, j, k, m in itertools.product(range(6), repeat=4):  # successes and failures that change sides
        true = [(s0 - i + k, n0 - i - j + k + m), (s1 - k + i, n1 - k - m + i + j)]
        out, into = i + j, k + m
        if i > s0 or j > n0 - s0 or k > s1 or m > n1 - s1 or min(true[0][1], true[1][1]) < 1:
            continue
        if max(out / n0, into / n1, into / true[0][1], out / true[1][1]) > error + 1e-12:
            continue
        worst, best = sorted(s / n for s, n in true)
        df.append(math.log(best / worst))
        if_.append(0.5 * (1 - worst) + 0.5 * (1 - worst / best))
    assert len(df) > 30
    for values, bounds in ((df, found["df"]), (if_, found["if"])):
        assert bounds.low - 1e-6 <= min(values) <= bounds.value + 1e-6
        assert bounds.value - 1e-6 <= max(values) <= bounds.high + 1e-6


def test_misrecording_of_two_attributes_may_hit_different_rows():
    # Of 100 rows in every group, 10 swap by `a` and 10 others by `b`: 80 % truly are 60 % and 100 %.
    found = misrecording_bounds(recorded((80, 80, 80, 80), (100,) * 4), {"a": 0.1, "b": 0.1})
    assert found["df"].high >= math.log(1.0 / 0.6) - 1e-9


def test_misrecording_bounds_are_the_value_without_error_and_widen_with_it():
    audit = recorded((9, 15), (20, 20), smoothing=0.5)
    none = misrecording_bounds(audit, {"a": 0.0})
    assert misrecording_bounds(audit, {}) == none
    for kind in ("df", "if"):
        bounds = none[kind]
        assert bounds.low == pytest.approx(bounds.value) == pytest.approx(bounds.high)
        found = [misrecording_bounds(audit, {"a": e})[kind] for e in np.linspace(0, 0.4, 9)]
        lows, highs = [f.low for f in found], [f.high for f in found]
        assert lows == sorted(lows, reverse=True)
        assert highs == sorted(highs)
    assert misrecording_bounds(audit, {"a": 0.5})["df"].high is None  # some group's rate may be 0
    assert misrecording_bounds(audit, {"a": 1.0})["df"].low == 0.0
    with pytest.raises(fl.InputError, match="Columns not found"):
        misrecording_bounds(audit, {"z": 0.1})
    with pytest.raises(fl.InputError, match="must lie in"):
        misrecording_bounds(audit, {"a": 1.5})


def test_replicates_are_drawn_from_counts_and_need_no_rows():
    y, S = np.ones(300, dtype=int), {"sex": np.repeat(["f", "m"], [200, 100])}
    p = np.concatenate([np.arange(200) < 150, np.arange(100) < 90]).astype(int)
    counts = fl.GroupCounts.from_arrays(y, p, sensitive_features=S)
    before = fl.audit(counts, positive=1).by_group("tpr")
    y[:], p[:], S["sex"][:] = 0, 0, "z"
    assert fl.audit(counts, positive=1).by_group("tpr") == before
    rng, rates = np.random.default_rng(9), []
    for _ in range(300):
        drawn = rng.multinomial(counts.n, (counts.table / counts.n).ravel()).reshape(counts.table.shape)
        replicate = fl.audit(replace(counts, table=drawn), positive=1)
        assert replicate.counts.n == 300
        rates.append(replicate.by_group("tpr")[0].rate)
    assert np.std(rates) == pytest.approx(math.sqrt(0.75 * 0.25 / 200), rel=0.15)


def test_options_of_pooling_and_series_are_checked():
    rates = Rates(np.array([1, 2]), np.array([2, 2]))
    with pytest.raises(InputError, match="are of 2 groups, but `groups` names 1"):
        partial_pooling(rates, [{}])
    for option in ({"draws": 0}, {"draws": 1.5}, {"random_state": -1}):
        with pytest.raises(InputError, match=next(iter(option))):
            partial_pooling(rates, [{}, {}], **option)
    with pytest.raises(InputError, match="0 <= successes <= trials"):
        Rates(np.array([3]), np.array([2]))
    S = {"sex": ["f", "m"] * 4, "month": [1] * 4 + [2] * 4}
    counts = fl.GroupCounts.from_arrays([1, 0] * 4, [1, 1] * 4, sensitive_features=S)
    with pytest.raises(InputError, match="confidence"):
        audit_series(counts, "month", confidance=0.9)


def test_many_effects_are_pooled_by_a_sparse_design_as_by_a_dense_one(monkeypatch):
    rng = np.random.default_rng(0)
    n = rng.integers(0, 30, 36)
    rates = Rates(rng.binomial(n, 0.4), n)
    dense = partial_pooling(rates, LATTICE)
    singles = _design.Design.of(LATTICE).matrix.shape[1]
    monkeypatch.setattr(_design, "_MOST_EFFECTS", 0)
    dense_singles = partial_pooling(rates, LATTICE)
    monkeypatch.setattr(_design, "_MOST_ENTRIES", 0)
    sparse = partial_pooling(rates, LATTICE)
    assert _design.Design.of(LATTICE).matrix.shape[1] < singles
    np.testing.assert_allclose(sparse.mean, dense_singles.mean, atol=1e-9)
    np.testing.assert_allclose(sparse.draws, dense_singles.draws, atol=1e-6)
    assert np.abs(dense.mean - sparse.mean).max() < 0.2


def test_one_draw_in_twenty_borrows_nothing():
    """None of 4 succeeded where levels predict 90 %: counts alone do not rule out a rate of 5 %."""
    groups = [{"a": i, "b": j} for i in range(2) for j in range(8)]
    n = np.array([4] + [400] * 15)
    s = np.array([0] + [360] * 15)
    draws = partial_pooling(Rates(s, n), groups, draws=4000).draws[:, 0]
    assert 0.01 < (draws < 0.05).mean() < 0.3
    assert np.median(draws) > 0.2


def test_intervals_hold_where_weights_go_with_the_outcome():
    """98 % of rows at weight 1 and rate .97, 2 % at weight 10 and rate .5: Kish's number alone covers 3 in 4."""
    rng = np.random.default_rng(0)
    truth = (0.98 * 0.97 + 0.02 * 10 * 0.5) / (0.98 + 0.02 * 10)
    covered, rejected, repeats = 0, 0, 150
    for _ in range(repeats):
        heavy = rng.random(2000) < 0.02
        right = rng.random(2000) < np.where(heavy, 0.5, 0.97)
        found = fl.audit(
            np.ones(2000, int),
            right.astype(int),
            sensitive_features={"g": rng.integers(0, 4, 2000)},
            sample_weight=np.where(heavy, 10.0, 1.0),
            positive=1,
        )
        covered += sum(group.low <= truth <= group.high for group in found.by_group("tpr"))
        rejected += found.disparity("tpr").p_value < 0.05
    assert covered / (4 * repeats) > 0.91
    assert rejected / repeats < 0.13


def test_one_odd_group_among_many_alike_is_not_crushed():
    """Sixteen groups at 80 %, one at 30 %: σ is learned from the sixteen; without odd groups 41 %."""
    groups = [{"a": i} for i in range(17)]
    trials, truth = np.array([100] * 16 + [20]), np.array([0.8] * 16 + [0.3])
    covered, mean = [], []
    for seed in range(60):
        drawn = np.random.default_rng(seed).binomial(trials, truth)
        pooled = partial_pooling(Rates(drawn, trials), groups, random_state=seed)
        covered.append((pooled.low <= truth) & (truth <= pooled.high))
        mean.append(pooled.mean[16])
    assert np.mean([c[16] for c in covered]) > 0.75
    assert np.mean([c[:16] for c in covered]) > 0.93
    assert np.mean(mean) < 0.55


def test_groups_alike_are_not_taken_for_odd():
    groups = [{"a": i // 20, "b": i % 20} for i in range(200)]
    successes = np.random.default_rng(0).binomial(50, 0.7, 200)
    pooled = partial_pooling(Rates(successes, np.full(200, 50)), groups)
    assert np.abs(pooled.mean - 0.7).max() < 0.08
    assert pooled.spread < 0.2
