"""Scores: AUC and calibration from counts, against direct arithmetic, laws, and simulated truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from fairlattice.exceptions import InputError
from fairlattice.groups import ScoreCounts
from fairlattice.metrics._scores import GroupScore, audit_scores, delong

rows = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=60).filter(
    lambda r: len({y for y, _ in r}) == 2
)


def count(y, s, features=None, **options):
    features = {"all": ["x"] * len(y)} if features is None else features
    return ScoreCounts.from_arrays(y, s, sensitive_features=features, **options)


def only(y, s, bins=200, **options):
    (found,) = audit_scores(count(y, s, bins=bins), attributes=(), **options)
    return found


def numbers(score: GroupScore):
    return [getattr(score, name) for name in GroupScore.__slots__ if name != "group"]


def split(r):
    return np.array([int(y) for y, _ in r]), np.array([s for _, s in r])


def leaves(repeats):
    """Two attributes whose leaves are the repeats of a simulation, all audited at once."""
    a, b = np.divmod(np.arange(repeats), 50)
    return a, b


@pytest.mark.parametrize("bins", [2, 8, 64, 256])
def test_scores_that_are_multiples_of_a_bin_lose_nothing(bins):
    rng = np.random.default_rng(bins)
    place, y, g = rng.integers(0, bins, 500), rng.integers(0, 2, 500), rng.integers(0, 3, 500)
    s = place / bins
    for found in audit_scores(count(y, s, {"g": g}, bins=bins)):
        own = g == found.group["g"]
        assert found.auc == pytest.approx(roc_auc_score(y[own], s[own]), abs=1e-12)
        assert (found.n, found.n_positive) == (own.sum(), y[own].sum())


@given(rows, st.sampled_from([2, 7, 20, 200]))
def test_the_auc_is_within_the_slack_of_the_exact_one(r, bins):
    y, s = split(r)
    found = only(y, s, bins)
    assert abs(found.auc - roc_auc_score(y, s)) <= found.auc_slack + 1e-12
    assert 0 <= found.auc_low <= found.auc <= found.auc_high <= 1
    assert found.auc_low < found.auc_high
    assert 0 <= found.auc_slack <= 0.5


@given(rows)
def test_turning_scores_and_labels_over_changes_only_the_sign_of_the_calibration(r):
    y, s = split(r)
    s = np.floor(s * 64) / 64 + 1 / 128  # middles of bins stay middles
    s = np.minimum(s, 127 / 128)
    one, other = only(y, s, 64), only(1 - y, 1 - s, 64)
    assert one.auc == pytest.approx(other.auc, abs=1e-12)
    assert (one.auc_low, one.auc_high) == pytest.approx((other.auc_low, other.auc_high), abs=1e-9)
    assert one.calibration == pytest.approx(-other.calibration, abs=1e-12)
    assert one.calibration_low == pytest.approx(-other.calibration_high, abs=1e-9)


def naive_delong(y, s):
    kernel = [[(p > q) + (p == q) / 2 for q in s[y == 0]] for p in s[y == 1]]
    v = [sum(row) / len(row) for row in kernel]
    w = [sum(column) / len(column) for column in zip(*kernel, strict=True)]
    parts = [sum((x - sum(u) / len(u)) ** 2 for x in u) / (len(u) - 1) / len(u) for u in (v, w)]
    freedom = sum(parts) ** 2 / sum(p**2 / (len(u) - 1) for p, u in zip(parts, (v, w), strict=True))
    return sum(v) / len(v), sum(parts), freedom


@pytest.mark.parametrize("seed", range(5))
def test_delong_agrees_with_loops_over_all_pairs(seed):
    rng = np.random.default_rng(seed)
    y, s = np.r_[0, 0, 1, 1, rng.integers(0, 2, 40)], rng.integers(0, 32, 44) / 32
    auc, variance, freedom, _ = delong(count(y, s, bins=32).table)
    assert (auc[0], variance[0], freedom[0]) == pytest.approx(naive_delong(y, s), abs=1e-12)


@given(rows)
def test_calibration_is_direct_arithmetic(r):
    y, s = split(r)
    found = only(y, s)
    assert found.calibration == pytest.approx(np.mean(s - y), abs=1e-12)
    assert -1 <= found.calibration_low <= found.calibration <= found.calibration_high <= 1
    assert found.calibration_low < found.calibration_high
    tenth = np.minimum(np.floor(s * 200) // 20, 9)
    ece = sum(abs((s - y)[tenth == b].sum()) for b in range(10)) / len(y)
    assert abs(found.ece - ece) <= 1 / 400 + 1e-12
    assert found.ece >= abs(found.calibration)


def test_equal_scores_have_the_interval_of_agresti_and_coull():
    y = np.r_[np.ones(300), np.zeros(700)].astype(int)
    found = only(y, np.full(1000, 0.25))
    z2 = norm.ppf(0.975) ** 2
    p = (300 + z2 / 2) / (1000 + z2)
    half = np.sqrt(z2 * p * (1 - p) / (1000 + z2))  # Student's t adds a little
    ends = (found.calibration_low, found.calibration_high)
    assert ends == pytest.approx((0.25 - p - half, 0.25 - p + half), abs=1e-4)


@pytest.mark.parametrize("n", [60, 200])
@pytest.mark.parametrize(("share", "auc"), [(0.5, 0.6), (0.5, 0.9), (0.1, 0.75), (0.1, 0.97)])
def test_the_interval_of_the_auc_covers(n, share, auc):
    rng, repeats = np.random.default_rng(n), 1000
    shift = norm.ppf(auc) * np.sqrt(2)
    y = (rng.random((repeats, n)) < share).astype(int)
    s = norm.cdf(rng.normal(size=(repeats, n)) + shift * (y - 0.5))
    a, b = (np.repeat(x, n) for x in leaves(repeats))
    found = audit_scores(count(y.ravel(), s.ravel(), {"a": a, "b": b}, bins=1000))
    assert len(found) == repeats
    assert np.mean([f.auc_low <= auc <= f.auc_high for f in found]) >= 0.93


@pytest.mark.parametrize("n", [10, 100])
@pytest.mark.parametrize("shape", [(2, 2), (1, 9), (0.1, 0.9), (50, 50)])
@pytest.mark.parametrize("shrink", [1.0, 0.01])
def test_the_interval_of_calibration_covers(n, shape, shrink):
    rng, repeats = np.random.default_rng(n), 1000
    p = rng.beta(*shape, (repeats, n))
    y, truth = rng.random((repeats, n)) < p, (shrink - 1) * shape[0] / sum(shape)
    a, b = (np.repeat(x, n) for x in leaves(repeats))
    found = audit_scores(count(y.ravel().astype(int), (shrink * p).ravel(), {"a": a, "b": b}, bins=20))
    assert np.mean([f.calibration_low <= truth <= f.calibration_high for f in found]) >= 0.93


def test_without_one_of_the_classes_the_auc_is_undefined_and_calibration_is_not():
    f, m = audit_scores(count([1, 1, 0, 1], [0.5, 0.7, 0.2, 0.9], {"sex": list("ffmm")}))
    assert (f.auc, f.auc_low, f.auc_high, f.auc_slack) == (None, 0.0, 1.0, 0.0)
    assert f.calibration == pytest.approx(-0.4)
    assert "AUC undefined" in str(f)
    assert m.auc == 1.0
    assert str(m).startswith("sex=m: AUC 1.000 [")


def test_one_row_says_nothing_of_the_group():
    one, _ = audit_scores(count([1, 0, 1], [0.5, 0.7, 0.2], {"sex": list("fmm")}))
    assert (one.n, one.n_positive, one.auc, one.calibration) == (1, 1, None, -0.5)
    assert (one.calibration_low, one.calibration_high) == (-1.0, 1.0)


@pytest.mark.parametrize(("n", "least"), [(1, 0.7), (4, 0.5), (50, 0.1)])
@pytest.mark.parametrize("scores", [(0.5, 0.5), (0.1, 0.9), (0.9, 0.1)], ids=["tied", "right", "wrong"])
def test_where_no_variance_is_seen_the_interval_is_wide_and_narrows_with_rows(n, least, scores):
    found = only([0] * n + [1] * n, [scores[0]] * n + [scores[1]] * n)
    assert found.auc == pytest.approx(0.5 + np.sign(scores[1] - scores[0]) / 2)
    assert found.auc_slack == (0.5 if scores[0] == scores[1] else 0.0)
    width = found.auc_high - found.auc_low
    assert width > (least if found.auc == 0.5 else least / 3)
    assert n < 50 or width < 0.3


def test_the_positive_class_may_be_the_first():
    y, s = ["good", "bad", "good", "bad"], [0.2, 0.9, 0.4, 0.3]
    counts = count(y, s)
    with pytest.raises(InputError, match="Which label is positive"):
        audit_scores(counts)
    bad, good = audit_scores(counts, positive="bad")[0], audit_scores(counts, positive="good")[0]
    assert bad.auc == roc_auc_score([0, 1, 0, 1], s) == 1 - good.auc
    assert bad.calibration == pytest.approx(0.45 - 0.5)
    assert counts.classes[0] == "bad"


def crowd(n=400):
    rng = np.random.default_rng(3)
    features = {"sex": rng.choice(["f", "m"], n), "age": rng.choice(["old", "young"], n)}
    return rng.integers(0, 2, n), rng.integers(0, 65, n) / 64, features


def test_counts_of_parts_add_up():
    y, s, features = crowd()
    parts = [
        count(y[part], s[part], {k: v[part] for k, v in features.items()})
        for part in (slice(0, 150), slice(150, None))
    ]
    whole, added = audit_scores(count(y, s, features)), audit_scores(parts[0] + parts[1])
    for one, other in zip(whole, added, strict=True):
        assert one.group == other.group
        assert numbers(one) == pytest.approx(numbers(other), abs=1e-12)


@pytest.mark.parametrize("names", [(), ("sex",), ("age",), ("sex", "age")])
def test_fewer_attributes_are_as_if_only_they_were_counted(names):
    y, s, features = crowd()
    fewer = {k: features[k] for k in names} or None
    found = audit_scores(count(y, s, features), attributes=names)
    assert len(found) == 2 ** len(names)
    for one, other in zip(found, audit_scores(count(y, s, fewer)), strict=True):
        assert one.group == (other.group if names else {})
        assert numbers(one) == pytest.approx(numbers(other), abs=1e-12)


def test_more_confidence_is_wider():
    y, s, _ = crowd()
    widths = [
        (f.auc_high - f.auc_low, f.calibration_high - f.calibration_low)
        for f in (only(y, s, confidence=c) for c in (0.001, 0.5, 0.95, 0.999))
    ]
    assert widths == sorted(widths)
    with pytest.raises(InputError, match="`confidence` must lie in"):
        only(y, s, confidence=1.0)


def test_billions_of_rows_neither_overflow_nor_lose_their_digits():
    y, s, _ = crowd()
    counts = count(y, s)
    many = ScoreCounts(
        counts.lattice, counts.classes, counts.codes, counts.table * 10**8, counts.sums * 10**8
    )
    (few,), (found,) = audit_scores(counts), audit_scores(many)
    assert found.auc == pytest.approx(few.auc, abs=1e-12)
    assert found.auc - 1e-5 < found.auc_low < found.auc < found.auc_high < found.auc + 1e-5
    assert found.calibration - 1e-5 < found.calibration_low < found.calibration_high


def test_an_attribute_that_is_not_there_is_named():
    with pytest.raises(InputError, match="gendr"):
        audit_scores(count(*crowd()), attributes=["gendr"])
