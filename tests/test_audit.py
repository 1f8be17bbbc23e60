"""The audit: what an auditor asks, on tables with tiny, empty and one-class groups."""

import numpy as np
import pytest

import fairlattice as fl
from fairlattice.metrics import _one_rate

S = {"sex": ["f"] * 5 + ["m"] * 5, "old": [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]}
Y = [1, 1, 0, 0, 0, 1, 1, 0, 0, 1]
P = [1, 0, 0, 1, 0, 1, 1, 0, 1, 1]


@pytest.fixture
def audit():
    return fl.audit(Y, P, sensitive_features=S)


def test_rates_and_undefined_groups_are_named_not_invented(audit):
    rates = {tuple(g.group.values()): g.rate for g in audit.by_group("tpr")}
    assert rates == {("f", 0): 0.5, ("f", 1): None, ("m", 0): 1.0}
    assert audit.undefined("tpr") == ({"sex": "f", "old": 1},)
    assert "undefined" in str(audit.by_group("tpr")[1])
    assert list(audit.counts.lattice.empty_leaves(audit.counts.codes)) == [("m", 1)]


def test_overall_and_balanced_accuracy(audit):
    assert audit.overall("tpr").rate == 4 / 5
    assert audit.overall("tnr").rate == 3 / 5
    assert audit.balanced_accuracy == pytest.approx(0.7)
    assert audit.overall("accuracy").n == 10


def test_notions_are_the_worst_of_their_rates(audit):
    tpr, tnr = (audit.differential_fairness(r) for r in ("tpr", "tnr"))
    assert audit.differential_fairness("equal_opportunity") == tpr
    assert audit.differential_fairness("equalized_odds") == max(tpr, tnr)
    assert audit.differential_fairness("demographic_parity") == audit.differential_fairness("selection_rate")
    assert audit.alpha_intersectional("tpr", alpha=1.0) == pytest.approx(1 - 1.5 / 3)


def test_worst_best_and_marginals(audit):
    assert audit.worst("tpr").group == {"sex": "f", "old": 0}
    assert audit.best("tpr").group == {"sex": "m", "old": 0}
    by_sex = audit.by_group("tpr", attributes=["sex"])
    assert [(g.group, g.rate) for g in by_sex] == [({"sex": "f"}, 0.5), ({"sex": "m"}, 1.0)]


def test_the_first_pair_attains_both_measures():
    rng = np.random.default_rng(0)
    features = {"a": rng.integers(0, 5, 2000), "b": rng.integers(0, 4, 2000)}
    y = rng.integers(0, 2, 2000)
    p = np.where(rng.random(2000) < 0.5 + 0.08 * features["a"], y, 1 - y)
    result = fl.audit(y, p, sensitive_features=features)
    pairs = result.pairs("tpr", top=7)
    assert pairs[0].df == pytest.approx(result.differential_fairness("tpr"))
    assert max(q.if_ for q in pairs) == pytest.approx(result.alpha_intersectional("tpr"))
    m = [v for v in result.smoothed("tpr") if v is not None]
    gaps = sorted((abs(np.log(a / b)) for i, a in enumerate(m) for b in m[:i]), reverse=True)
    assert [q.df for q in pairs] == pytest.approx(gaps[:7])


def test_positive_label():
    assert fl.audit([True, False], [True, True], sensitive_features=[0, 1]).positive is True
    assert fl.audit([-1, 1], [1, 1], sensitive_features=[0, 1]).positive == 1
    assert fl.audit(["n", "y"], ["y", "y"], sensitive_features=[0, 1], positive="y").positive == "y"
    assert fl.audit([3, 4], [4, 4], sensitive_features=[0, 1], positive="4").positive == 4
    with pytest.raises(fl.InputError, match="Which label is positive"):
        fl.audit(["n", "y"], ["y", "y"], sensitive_features=[0, 1])
    with pytest.raises(fl.InputError, match="does not occur; the labels are n, y"):
        fl.audit(["n", "y"], ["y", "y"], sensitive_features=[0, 1], positive="yes")


def test_any_number_of_classes():
    rng = np.random.default_rng(1)
    y, a = rng.integers(0, 40, 3000), rng.choice(["u", "v"], 3000)
    p = np.where(rng.random(3000) < 0.7, y, rng.integers(0, 40, 3000))
    result = fl.audit(y, p, sensitive_features=a)
    assert result.positive is None
    assert len(result.rates) == 41
    worst = max(result.differential_fairness(f"recall:{c}") for c in range(40))
    assert result.differential_fairness("equalized_odds") == worst
    assert result.balanced_accuracy == pytest.approx(np.mean([(p[y == c] == c).mean() for c in range(40)]))


def test_audit_of_counts_is_the_audit_of_the_rows(audit):
    counts = fl.GroupCounts.from_arrays(Y, P, sensitive_features=S)
    assert fl.audit(counts).by_group("tnr") == audit.by_group("tnr")
    with pytest.raises(fl.InputError, match="alone"):
        fl.audit(counts, P)
    with pytest.raises(fl.InputError, match="are needed"):
        fl.audit(Y)


def make(worst, best, n=1000):
    """Two groups of n positives with these TPRs."""
    y = np.ones(2 * n, dtype=int)
    p = np.concatenate([np.arange(n) < round(worst * n), np.arange(n) < round(best * n)]).astype(int)
    return fl.audit(
        np.append(y, [0, 0]), np.append(p, [0, 0]), sensitive_features=["a"] * n + ["b"] * n + ["a", "b"]
    )


def test_leveling_down_is_seen_and_its_victims_named():
    before = make(0.60, 0.90)
    down = make(0.50, 0.55).leveling_down(before, measure="tpr")
    assert down.verdict == "yes"
    assert [c.group for c in down.lost] == [{"sensitive_feature_0": "b"}, {"sensitive_feature_0": "a"}]
    assert "leveling down: yes" in str(down)
    assert make(0.70, 0.80).leveling_down(before, measure="tpr").verdict == "not seen"
    assert (
        make(0.50, 0.95).leveling_down(before, measure="tpr").verdict == "not seen"
    )  # worse, but not fairer
    assert before.leveling_down(before).verdict == "not seen"
    assert not before.leveling_down(before).lost


def test_a_fall_within_noise_is_neither_yes_nor_no():
    assert (
        make(0.56, 0.70, n=25).leveling_down(make(0.60, 0.90, n=25), measure="tpr").verdict
        == "not enough data"
    )


def test_a_baseline_with_other_groups_or_labels():
    other = fl.audit(Y, P, sensitive_features={"sex": ["x"] * 10, "old": S["old"]})
    assert fl.audit(Y, P, sensitive_features=S).leveling_down(other).verdict == "not seen"
    with pytest.raises(fl.InputError, match="differ in their positive label"):
        fl.audit(Y, P, sensitive_features=S, positive=0).leveling_down(fl.audit(Y, P, sensitive_features=S))


def test_bounds_of_a_notion_hold_for_all_of_its_rates():
    y = np.repeat([1, 0], [400, 44])
    p = np.concatenate([np.arange(200) < 150, np.arange(200) < 100, np.arange(40) >= 20, np.arange(4) >= 3])
    S = ["a"] * 200 + ["b"] * 200 + ["a"] * 40 + ["b"] * 4
    result = fl.audit(y, p.astype(int), sensitive_features=S)
    for kind in ("df", "if"):
        both, tpr, tnr = (result.disparity(m, kind=kind) for m in ("equalized_odds", "tpr", "tnr"))
        assert both.value == max(tpr.value, tnr.value)
        assert both.high >= max(tpr.high, tnr.high)
        assert both.low <= both.value


def test_pairs_of_the_selection_rate_count_both_outcomes():
    p = np.concatenate([np.arange(200) < k for k in (100, 180, 199)]).astype(int)
    result = fl.audit(np.arange(600) % 2, p, sensitive_features=np.repeat(["a", "b", "c"], 200))
    pairs = result.pairs("selection_rate")
    assert pairs[0].df == pytest.approx(result.differential_fairness("selection_rate"))
    assert [q.df for q in pairs] == sorted((q.df for q in pairs), reverse=True)
    assert pairs[0].worse == {"sensitive_feature_0": "a"}
    assert pairs[1].worse == {"sensitive_feature_0": "b"}


def test_leveling_down_uses_the_audits_smoothing():
    S = ["a"] + ["b"] * 12 + ["a"]
    y = [1] * 13 + [0]
    before, after = (
        fl.audit(y, [0] + [1] * k + [0] * (12 - k) + [0], sensitive_features=S, smoothing=5.0) for k in (9, 4)
    )
    assert after.leveling_down(before, measure="tpr").verdict == "not enough data"


def test_the_interval_of_the_group_picked_as_worst_allows_for_the_picking():
    rng = np.random.default_rng(0)
    y, S = np.append(np.ones(1200, dtype=int), 0), np.append(np.repeat(np.arange(24), 50), 0)
    held = []
    for _ in range(60):
        p = np.append((rng.random(1200) < 0.8).astype(int), 0)
        worst = fl.audit(y, p, sensitive_features=S).worst("tpr")
        held.append(worst.low <= 0.8 <= worst.high)
    assert np.mean(held) >= 0.9


def test_a_positive_label_given_as_a_numpy_number_is_written_as_json():
    result = fl.audit([1, 0], [1, 1], sensitive_features=["a", "b"], positive=np.int64(1))
    assert type(result.positive) is int


@pytest.mark.parametrize("labelled", [True, False])
def test_threads_change_nothing(monkeypatch, labelled):
    rng = np.random.default_rng(0)
    S = {name: rng.integers(0, 4, 600) for name in "abc"}
    y, p = np.ones(600, dtype=int), rng.integers(0, 2, 600)  # without negatives the TNR is undefined
    found = fl.audit(y if labelled else None, p, sensitive_features=S, positive=1)
    alone = fl.Report.of(found).to_json()
    monkeypatch.setattr(_one_rate, "_MANY", 1)
    again = fl.audit(y if labelled else None, p, sensitive_features=S, positive=1)
    _one_rate.compute_ahead(again, again.rates)
    assert "pooled" in vars(again._one_rate("selection_rate"))
    assert ("pooled" in vars(again._one_rate("tnr"))) is False
    assert fl.Report.of(again).to_json() == alone
