"""Rates, fairness measures and intervals: hand arithmetic, laws, and independent referees."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

import fairlattice as fl
from fairlattice.metrics import (
    Rates,
    alpha_intersectional,
    clopper_pearson_interval,
    differential_fairness,
    group_rates,
    jeffreys_interval,
    newcombe_interval,
)
from fairlattice.metrics._intervals import simultaneous_confidence

counts = st.integers(0, 60)
tables = st.lists(st.tuples(counts, counts), min_size=1, max_size=8).filter(
    lambda t: any(a + b for a, b in t)
)


def rates_of(table):
    s, f = (np.array(c) for c in zip(*table, strict=True))
    return Rates(s, s + f)


def test_hand_made_table():
    # group x: 8 of 10 positives found; y: 3 of 10; z has no positives
    rates = Rates(np.array([8, 3, 0]), np.array([10, 10, 0]))
    m = [8.5 / 11, 3.5 / 11]
    df, if_half = differential_fairness(rates), alpha_intersectional(rates, alpha=0.5)
    assert df.value == pytest.approx(np.log(m[0] / m[1]), abs=1e-12)
    assert (df.worst, df.best) == (1, 0)
    assert if_half.value == pytest.approx(0.5 * (1 - m[1]) + 0.5 * (1 - m[1] / m[0]), abs=1e-12)
    both = differential_fairness(rates, both_outcomes=True)
    assert both.value == pytest.approx(max(df.value, np.log((1 - m[1]) / (1 - m[0]))), abs=1e-12)


def naive_if(m, alpha):
    return max(alpha * max(1 - a, 1 - b) + (1 - alpha) * (1 - min(a, b) / max(a, b)) for a in m for b in m)


@given(tables, st.floats(0, 1))
def test_measures_agree_with_the_definition_over_all_pairs(table, alpha):
    rates = rates_of(table)
    m = [v for v in rates.smoothed(0.5) if not np.isnan(v)]
    df = differential_fairness(rates)
    assert df.value == pytest.approx(max(abs(np.log(a / b)) for a in m for b in m), abs=1e-9)
    assert alpha_intersectional(rates, alpha=alpha).value == pytest.approx(naive_if(m, alpha), abs=1e-9)


@given(tables, st.floats(0, 1))
def test_measures_are_finite_bounded_and_do_not_care_for_order(table, alpha):
    for measure in (
        lambda r: differential_fairness(r),
        lambda r: differential_fairness(r, both_outcomes=True),
        lambda r: alpha_intersectional(r, alpha=alpha),
    ):
        found, turned = measure(rates_of(table)), measure(rates_of(table[::-1]))
        assert np.isfinite([found.value, found.low, found.high]).all()
        assert 0 <= found.low <= found.value + 1e-12 <= found.high + 2e-12
        assert found.value == pytest.approx(turned.value)


@given(tables)
def test_the_two_ends_of_alpha(table):
    rates = rates_of(table)
    df, m = differential_fairness(rates).value, rates.smoothed(0.5)
    assert alpha_intersectional(rates, alpha=0.0).value == pytest.approx(1 - np.exp(-df), abs=1e-9)
    assert alpha_intersectional(rates, alpha=1.0).value == pytest.approx(1 - np.nanmin(m), abs=1e-9)


def test_undefined_everywhere_is_an_error_and_options_are_checked():
    empty = Rates(np.array([0, 0]), np.array([0, 0]))
    with pytest.raises(fl.UndefinedRateError, match="undefined"):
        differential_fairness(empty)
    rates = Rates(np.array([1]), np.array([2]))
    with pytest.raises(fl.InputError, match=r"`alpha` must lie in \[0, 1\], got 1.3"):
        alpha_intersectional(rates, alpha=1.3)
    with pytest.raises(fl.InputError, match=r"`smoothing` must lie in \(0, inf\)"):
        differential_fairness(rates, smoothing=0.0)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from("abc")), min_size=4, max_size=60)
)
def test_differential_fairness_agrees_with_aif360(rows):
    from aif360.datasets import BinaryLabelDataset
    from aif360.metrics import BinaryLabelDatasetMetric

    y, p, a = map(list, zip(*rows, strict=True))
    if len(set(a)) < 2 or len({*y, *p}) < 2:
        return
    frame = pd.DataFrame({"s": [ord(v) for v in a], "p": p}).astype(float)
    data = BinaryLabelDataset(
        df=frame,
        label_names=["p"],
        protected_attribute_names=["s"],
        favorable_label=1.0,
        unfavorable_label=0.0,
    )
    theirs = BinaryLabelDatasetMetric(data).smoothed_empirical_differential_fairness(concentration=1.0)
    ours = fl.audit(y, p, sensitive_features={"s": a}, positive=1).differential_fairness("selection_rate")
    assert ours == pytest.approx(theirs, abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from("abc")), min_size=3, max_size=60)
)
def test_rates_agree_with_fairlearn_where_both_are_defined(rows):
    from fairlearn.metrics import MetricFrame, selection_rate, true_negative_rate, true_positive_rate
    from sklearn.metrics import accuracy_score

    y, p, a = map(list, zip(*rows, strict=True))
    if len({*y, *p}) < 2:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = MetricFrame(
            metrics={
                "tpr": true_positive_rate,
                "tnr": true_negative_rate,
                "selection_rate": selection_rate,
                "accuracy": accuracy_score,
            },
            y_true=y,
            y_pred=p,
            sensitive_features=pd.DataFrame({"a": a}),
        )
    audit = fl.audit(y, p, sensitive_features={"a": a})
    for rate in frame.by_group.columns:
        for g in audit.by_group(rate):
            if g.rate is not None:
                assert frame.by_group.loc[g.group["a"], rate] == pytest.approx(g.rate, abs=1e-12)


@given(st.integers(0, 40), st.integers(0, 40))
def test_jeffreys_interval_agrees_with_scipy(successes, failures):
    n = successes + failures
    low, high = jeffreys_interval(np.array([successes]), np.array([n]), closed=False)
    prior = beta(successes + 0.5, failures + 0.5)
    assert (low[0], high[0]) == pytest.approx((prior.ppf(0.025), prior.ppf(0.975)), abs=1e-9)
    low, high = jeffreys_interval(np.array([successes]), np.array([n]))
    if n:
        assert low[0] <= successes / n <= high[0]
        assert (low[0] == 0) == (successes == 0)
        assert (high[0] == 1) == (failures == 0)


@pytest.mark.parametrize("n", [1, 6, 30, 200])
def test_jeffreys_interval_covers_by_exact_enumeration(n):
    low, high = jeffreys_interval(np.arange(n + 1), np.full(n + 1, n))
    p = np.linspace(0.0005, 0.9995, 1000)[:, None]
    inside = (low[None] <= p) & (p <= high[None])
    coverage = (binom.pmf(np.arange(n + 1)[None], n, p) * inside).sum(axis=1)
    assert coverage.mean() >= 0.94


def test_a_group_of_one_has_an_honest_wide_interval():
    low, high = jeffreys_interval(np.array([1]), np.array([1]))
    assert low[0] < 0.2
    assert high[0] == 1.0


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 30), st.integers(1, 30))
def test_difference_interval_holds_the_difference_and_turns_around(a, b, extra_a, extra_b):
    before, after = (np.array([a]), np.array([a + extra_a])), (np.array([b]), np.array([b + extra_b]))
    d, low, high = newcombe_interval(before, after)
    assert -1 <= low[0] <= d[0] <= high[0] <= 1
    back = newcombe_interval(after, before)
    assert (-back[0][0], -back[2][0], -back[1][0]) == pytest.approx((d[0], low[0], high[0]))


def test_simultaneous_confidence_grows_with_groups():
    assert simultaneous_confidence(0.95, 1) == pytest.approx(0.95)
    assert simultaneous_confidence(0.95, 100) ** 100 == pytest.approx(0.95)


def test_intervals_of_df_and_if_hold_at_the_stated_confidence_over_groups_that_are_alike():
    rng = np.random.default_rng(3)
    sizes, held = np.array([5, 12, 40, 200, 1000]), []
    for _ in range(200):
        truth = 1 / (1 + np.exp(-0.8 - 0.4 * rng.standard_normal(5)))
        true_df = np.log(truth.max() / truth.min())
        true_if = 0.5 * (1 - truth.min()) + 0.5 * (1 - truth.min() / truth.max())
        rates = Rates(rng.binomial(sizes, truth), sizes)
        df, if_ = differential_fairness(rates), alpha_intersectional(rates)
        held.append([df.low <= true_df <= df.high, if_.low <= true_if <= if_.high])
    assert (np.mean(held, axis=0) >= 0.935).all()


def test_rates_of_three_classes():
    table = np.array([[[4, 1, 0], [0, 3, 2], [1, 1, 8]]])
    classes = ("a", "b", "c")
    assert group_rates(table, classes, "recall:b").raw.tolist() == [3 / 5]
    assert group_rates(table, classes, "tpr", positive="c").raw.tolist() == [8 / 10]
    assert group_rates(table, classes, "tnr", positive="c").raw.tolist() == [(4 + 1 + 0 + 3) / 10]
    assert group_rates(table, classes, "accuracy").raw.tolist() == [15 / 20]
    assert group_rates(table, classes, "selection_rate", positive="b").raw.tolist() == [5 / 20]
    with pytest.raises(fl.InputError, match="needs a positive class"):
        group_rates(table, classes, "tpr")
    with pytest.raises(fl.InputError, match="Did you mean 'accuracy'"):
        group_rates(table, classes, "acuracy")
    with pytest.raises(fl.InputError, match="No class 'd'"):
        group_rates(table, classes, "recall:d")


def test_one_group_alone_has_no_disparity():
    one = Rates(np.array([3]), np.array([5]))
    df, if_ = differential_fairness(one), alpha_intersectional(one, alpha=0.5)
    assert (df.value, df.low, df.high, df.corrected, df.p_value) == (0.0, 0.0, 0.0, 0.0, 1.0)
    assert 0 < if_.low < 0.5 * (1 - 3.5 / 6) < if_.high < 0.5


@given(tables.filter(lambda t: sum(a + b > 0 for a, b in t) >= 2))
def test_the_lower_bound_is_the_least_over_a_box_of_simultaneous_intervals(table):
    rates = rates_of(table)
    known = rates.of(np.flatnonzero(rates.defined))
    each = 0.975 ** (1 / len(known.trials))
    low, high = clopper_pearson_interval(known.successes, known.trials, confidence=each)
    gaps = [np.log(max(a, 1e-300) / b) for a in low for b in high]
    df = differential_fairness(rates)
    assert df.low == pytest.approx(min(max(0.0, *gaps), df.value))


def test_huge_counts_stay_exact():
    rates = Rates(np.array([10**15 - 1, 10**15 - 10]), np.array([10**15, 10**15]))
    df = differential_fairness(rates, both_outcomes=True)
    assert df.value == pytest.approx(np.log(10.5 / 1.5), rel=1e-9)
    assert np.isfinite(df.high)
