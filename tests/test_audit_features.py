"""What an audit offers beyond rates: small groups, attribution, claims, pairs of models, series, classes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fairlattice as fl
from fairlattice.metrics._claims import FOUR_FIFTHS
from fairlattice.metrics._intervals import INTERVALS, rate_interval


def table(cells, names=("sex", "race")):
    """Positives of each group, so many of which are found: {(levels): (found, rows)}."""
    rows = [n for _, n in cells.values()]
    p = np.concatenate([np.arange(n) < s for s, n in cells.values()]).astype(int)
    features = {name: np.repeat([leaf[i] for leaf in cells], rows) for i, name in enumerate(names)}
    return np.ones(len(p), dtype=int), p, features


def audit_of(cells, names=("sex", "race"), **options):
    y, p, features = table(cells, names)
    return fl.audit(y, p, sensitive_features=features, positive=1, **options)


# The two rows of (f, c) were missed, as those of f were; c's other rows were found.
UNEVEN = {("f", "a"): (5, 50), ("f", "c"): (0, 2), ("m", "a"): (45, 50), ("m", "c"): (48, 50)}


def test_small_groups_are_kept_with_a_warning():
    with pytest.warns(fl.SmallCellWarning, match=r"fewer than 10 rows: sex=f, race=c \(2\)"):
        audit = audit_of(UNEVEN, min_size=10)
    assert [(s.group, s.n, s.action, s.into) for s in audit.small] == [
        ({"sex": "f", "race": "c"}, 2, "kept", None)
    ]
    assert len(audit.groups) == 4
    assert audit_of(UNEVEN).small == ()


def test_a_small_group_is_merged_into_the_parent_that_it_resembles_most():
    audit = audit_of(UNEVEN, min_size=10, on_small="merge")
    assert [(s.n, s.action, s.into) for s in audit.small] == [(2, "merged", {"sex": "f"})]
    assert audit.groups[-1] == {"sex": "f"}
    assert audit.by_group("tpr")[-1].n == 52  # all of the parent's rows speak
    found = {**UNEVEN, ("f", "c"): (2, 2)}  # and had they been found, they would be like c's
    assert audit_of(found, min_size=10, on_small="merge").small[0].into == {"race": "c"}
    assert audit_of(UNEVEN, min_size=60, on_small="merge").small[0].into == {}  # parents too small as well


def test_dropped_groups_are_listed_and_count_for_everyone_still_or_small_groups_are_refused():
    plain, dropped = audit_of(UNEVEN), audit_of(UNEVEN, min_size=10, on_small="drop")
    merged = audit_of(UNEVEN, min_size=10, on_small="merge")
    assert [s.action for s in dropped.small] == ["dropped"]
    assert {"sex": "f", "race": "c"} not in dropped.groups
    assert dropped.overall("tpr") == merged.overall("tpr") == plain.overall("tpr")
    with pytest.raises(fl.InputError, match="none is left"):
        audit_of(UNEVEN, min_size=1000, on_small="drop")
    with pytest.raises(fl.InputError, match=r"sex=f, race=c \(2\)"):
        audit_of(UNEVEN, min_size=10, on_small="raise")


def test_rows_with_a_missing_attribute_may_be_left_out_and_counted():
    y, p = [1, 1, 1, 0, 1], [1, 0, 1, 0, 0]
    S = {"a": ["x", None, "y", "x", "y"], "b": ["u", "u", None, "v", "u"]}
    audit = fl.audit(y, p, sensitive_features=S, missing="exclude")
    assert (audit.counts.excluded, audit.counts.n) == (2, 3)
    kept = fl.audit([1, 0, 1], [1, 0, 0], sensitive_features={"a": ["x", "x", "y"], "b": ["u", "v", "u"]})
    assert audit.by_group("accuracy") == kept.by_group("accuracy")
    frame = pl.DataFrame({"y": y, "p": p, **S})
    same = fl.audit(frame, label="y", prediction="p", sensitive=["a", "b"], missing="exclude")
    assert (same.counts.excluded, same.by_group("tpr")) == (2, audit.by_group("tpr"))


@pytest.mark.parametrize("engine", [pl.DataFrame, pd.DataFrame, lambda d: pl.DataFrame(d).lazy()])
def test_an_audit_of_a_frame_is_that_of_its_columns(people, scored, engine):
    columns = {c: scored[c].to_list() for c in ("hired", "p", "sex", "race")}
    ours = fl.audit(engine(columns), label="hired", prediction="p", sensitive=["sex", "race"])
    features = {c: columns[c] for c in ("sex", "race")}
    arrays = fl.audit(columns["hired"], columns["p"], sensitive_features=features)
    for rate in arrays.rates:
        assert ours.by_group(rate) == arrays.by_group(rate)
        assert ours.disparity(rate) == arrays.disparity(rate)


def test_frames_and_arrays_are_not_mixed():
    frame = pl.DataFrame({"y": [1, 0], "p": [1, 0], "s": ["a", "b"]})
    named = {"label": "y", "prediction": "p", "sensitive": ["s"]}
    for extra in ({"y_pred": [1, 0]}, {"sensitive_features": ["a", "b"]}, {"sample_weight": [1, 1]}):
        with pytest.raises(fl.InputError, match="and pass no arrays"):
            fl.audit(frame, **named, **extra)
    with pytest.raises(fl.InputError, match="missing: prediction, sensitive"):
        fl.audit(frame, label="y")
    with pytest.raises(fl.InputError, match="Pass `GroupCounts` alone"):
        fl.audit(fl.audit(frame, **named).counts, **named)


def test_intervals_are_chosen_by_name_and_wider_where_all_are_to_hold_together():
    found = {name: audit_of(UNEVEN, interval=name) for name in INTERVALS}
    for name, audit in found.items():
        for g in audit.by_group("tpr"):
            low, high = rate_interval(np.array([g.successes]), np.array([g.n]), method=name)
            assert (g.low, g.high) == (low[0], high[0])
        for one, all_ in zip(audit.by_group("tpr"), audit.by_group("tpr", simultaneous=True), strict=True):
            assert all_.low <= one.low <= one.high <= all_.high
            assert all_.high - all_.low > one.high - one.low
    assert len({a.by_group("tpr")[0].low for a in found.values()}) == 3
    with pytest.raises(fl.InputError, match="wilson"):
        audit_of(UNEVEN, interval="wilsen")


def test_the_worst_group_of_every_level_by_hand():
    everyone, one, leaf = audit_of(UNEVEN).worst_by_level("tpr")
    assert (everyone.group, everyone.successes, everyone.n) == ({}, 98, 152)
    assert (one.group, one.successes, one.n) == ({"sex": "f"}, 5, 52)
    # With one person added who succeeds as everyone does, 5 of 50 is worse than 0 of 2: 5.64/51 < 0.64/3.
    assert (leaf.group, leaf.successes, leaf.n) == ({"sex": "f", "race": "a"}, 5, 50)


@pytest.mark.parametrize(
    ("sizes", "worst", "best"),
    [
        ({"f": (90, 100), "m": (79, 99), "d": (1, 1)}, "m", "d"),  # a perfect group of one is not the worst
        ({"f": (90, 100), "m": (79, 99), "d": (0, 9)}, "d", "f"),  # a small one of which nobody succeeds is
        ({"f": (9, 10), "m": (18, 20), "d": (1, 4)}, "d", "m"),  # of equal rates, that of more rows is surer
    ],
)
def test_the_worst_and_the_best_group_are_ranked_with_one_person_added(sizes, worst, best):
    audit = audit_of({(k,): v for k, v in sizes.items()}, ("sex",))
    assert (audit.worst("tpr").group, audit.best("tpr").group) == ({"sex": worst}, {"sex": best})
    assert audit.worst_by_level("tpr")[1].group == {"sex": worst}


def test_the_json_has_the_smoothed_extremes_that_the_measures_take():
    audit = audit_of({("f",): (90, 100), ("m",): (79, 99), ("d",): (1, 1)}, ("sex",))
    worst = fl.Report.of(audit).summary["measures"]["tpr"]["worst"]
    assert (worst["group"], worst["value"]) == ({"sex": "d"}, 0.75)


def test_a_group_that_no_marginal_shows_is_hidden():
    names = ("sex", "age")
    planted = {("f", "old"): 600, ("f", "young"): 900, ("m", "old"): 900, ("m", "young"): 600}
    found = audit_of({k: (s, 1000) for k, s in planted.items()}, names).worse_off("tpr")
    assert {tuple(w.group.values()) for w in found} == {("f", "old"), ("m", "young")}
    assert all(w.hidden and w.high < 0 for w in found)
    assert found[0].difference == pytest.approx(0.6 - 0.8)
    assert "no coarser group shows it" in str(found[0])


def test_a_group_that_a_marginal_shows_is_not_hidden():
    found = audit_of({("f", "a"): (500, 1000), ("f", "b"): (500, 1000), ("m", "a"): (900, 1000),
                      ("m", "b"): (900, 1000)}).worse_off("tpr")  # fmt: skip
    assert {"sex": "f"} in [w.group for w in found]
    assert not any(w.hidden for w in found)


def test_hidden_groups_are_listed_first():
    rates = {("f", "a"): 95, ("f", "b"): 40, ("f", "c"): 40, ("m", "a"): 50, ("m", "b"): 95, ("m", "c"): 95}
    found = audit_of({k: (10 * s, 1000) for k, s in rates.items()}).worse_off("tpr")
    assert [w.group for w in found if w.hidden] == [{"sex": "m", "race": "a"}]
    assert found[0].hidden
    assert {"sex": "f"} in [w.group for w in found]


@pytest.mark.parametrize("rate", ["tpr", "accuracy", "selection_rate"])
def test_intervals_of_pairs_hold_the_value_and_the_first_pair_attains_the_measures(rate):
    audit = audit_of(UNEVEN)
    pairs = audit.pairs(rate)
    assert pairs[0].df == pytest.approx(audit.differential_fairness(rate))
    assert audit.pairs("tpr")[0].if_ == pytest.approx(audit.alpha_intersectional("tpr"))
    for pair in pairs:
        assert pair.df_low <= pair.df <= pair.df_high
        assert pair.if_low <= pair.if_ <= pair.if_high
    assert len(audit.pairs(rate, top=2)) == 2
    assert audit.pairs(rate, top=2)[0] == pairs[0]


def test_everyone_else_is_everyone_else_where_rows_are_weighted():
    y, p, S = table({("f",): (400, 500), ("m",): (475, 500)}, ["sex"])
    w = np.ones(1000)
    w[500:600] = 100.0  # a few heavy rows among the men
    audit = fl.audit(y, p, sensitive_features=S, sample_weight=w, positive=1)
    f, m = audit.by_group("tpr")
    by_group = {c.group["sex"]: c for c in audit.claims("tpr")[1:]}
    assert by_group["f"].estimate == pytest.approx(m.rate - f.rate)
    assert by_group["m"].estimate == pytest.approx(f.rate - m.rate)
    assert [w.group for w in audit.worse_off("tpr")] == [{"sex": "f"}]


def test_claims_say_yes_no_or_not_enough_data():
    def first(a, b, n, margin=0.05):
        return audit_of({("f",): (round(a * n), n), ("m",): (round(b * n), n)}, ["sex"]).claims(
            "tpr", margin=margin
        )

    four_fifths, f, m = first(0.5, 0.9, 2000)
    assert (four_fifths.verdict, f.verdict, m.verdict) == ("yes", "yes", "no")
    assert f.estimate == pytest.approx(0.4)
    assert four_fifths.needed is f.needed is None
    assert [c.verdict for c in first(0.89, 0.9, 2000)] == ["no", "no", "no"]
    assert [c.verdict for c in first(0.7, 0.8, 20)] == ["not enough data"] * 3
    assert first(0.7, 0.8, 20, margin=1.0)[1].verdict == "no"


@pytest.mark.parametrize("rates", [(0.6, 0.9), (0.75, 0.85), (0.78, 0.8)])
def test_the_rows_said_to_be_needed_are_about_enough(rates):
    cells = {(s,): (round(r * 40), 40) for s, r in zip("fm", rates, strict=True)}
    audit = audit_of(cells, ["sex"])

    def scaled(k):
        counts = replace(audit.counts, table=np.rint(audit.counts.table * k).astype(np.int64))
        return replace(audit, counts=counts).claims("tpr")

    judged = [(i, 40 if i else 80, c) for i, c in enumerate(audit.claims("tpr")) if c.needed]
    for i, n, claim in judged:
        assert claim.verdict == "not enough data"
        assert n < claim.needed.low < claim.needed.high <= 20 * n + 50
        assert scaled(2 * claim.needed.high / n)[i].verdict != "not enough data"
        if claim.needed.low > 4 * n:
            assert scaled(claim.needed.low / n / 4)[i].verdict == "not enough data"


def test_four_fifths_of_the_selection_rate_is_about_being_selected():
    # 90 and 95 of a hundred are selected, far above four fifths; that twice as many are refused is not asked.
    claim = audit_of({("f",): (1800, 2000), ("m",): (1900, 2000)}, ["sex"]).claims("selection_rate")[0]
    assert claim.verdict == "no"
    assert claim.high < FOUR_FIFTHS


def models(groups, flips, n=100, right=80):
    """Before: `right` of `n` positives are found in every group; flips: {group: (lost, gained)}."""
    before, after = [], []
    for g in range(groups):
        lost, gained = flips.get(g, (0, 0))
        old = np.arange(n) < right
        before.append(old)
        after.append(np.where(np.arange(n) < lost, False, np.where(np.arange(n) >= n - gained, True, old)))
    b, a = (np.concatenate(v).astype(int) for v in (before, after))
    return np.ones(groups * n, dtype=int), b, a, {"g": np.repeat(np.arange(groups), n)}


def down(y, before, after, S, **options):
    options = {"positive": 1, "measure": "tpr", **options}
    return fl.leveling_down(y, before, after, sensitive_features=S, **options)


def test_victims_and_winners_are_named():
    y, b, a, S = models(5, {1: (40, 0), 3: (1, 15), 4: (2, 2)})
    found = down(y, b, a, S)
    assert [c.group for c in found.lost] == [{"g": 1}]
    assert [c.group for c in found.gained] == [{"g": 3}]
    assert (found.lost[0].before, found.lost[0].after) == (0.8, 0.4)
    assert found.lost[0].difference == pytest.approx(-0.4)
    assert {c.group["g"]: c.verdict for c in found.changes} == {
        0: "not enough data", 1: "yes", 2: "not enough data", 3: "no", 4: "not enough data",
    }  # fmt: skip
    for measure in ("tpr", "accuracy", "selection_rate"):
        old, new = (fl.audit(y, p, sensitive_features=S, positive=1) for p in (b, a))
        rates = zip(old.by_group(measure), new.by_group(measure), strict=True)
        changes = {c.group["g"]: c for c in down(y, b, a, S, measure=measure).changes}
        for before, after in rates:
            change = changes[before.group["g"]]
            assert (change.before, change.after, change.n) == (before.rate, after.rate, before.n)


def test_paired_counts_of_shards_add_up():
    y, b, a, S = models(4, {1: (40, 0), 2: (0, 9)})
    cut = 130  # so that the shards have different groups
    shards = [
        fl.PairedCounts.from_arrays(y[s], b[s], a[s], sensitive_features={"g": S["g"][s]})
        for s in (slice(None, cut), slice(cut, None))
    ]
    both = shards[0] + shards[1]
    for found in (fl.leveling_down(both, positive=1, measure="tpr"),
                  fl.leveling_down(shards[1] + shards[0], positive=1, measure="tpr")):  # fmt: skip
        assert found == down(y, b, a, S)
    whole = fl.GroupCounts.from_arrays(y, a, sensitive_features=S, classes=both.classes)
    assert both.after.table.tolist() == whole.table.tolist()
    with pytest.raises(fl.InputError, match="Pass `PairedCounts` alone"):
        fl.leveling_down(both, b)


def test_the_same_rows_show_what_two_separate_audits_cannot():
    y, b, a, S = models(3, {0: (14, 2)}, n=200, right=160)
    before, after = (fl.audit(y, p, sensitive_features=S, positive=1) for p in (b, a))
    assert not after.leveling_down(before, measure="tpr").lost
    assert [c.group for c in down(y, b, a, S).lost] == [{"g": 0}]


def test_leveling_down_of_many_classes():
    rng = np.random.default_rng(7)
    y, S = rng.choice(["a", "b", "c"], 900), {"g": rng.choice(["x", "y"], 900)}
    b = np.where(rng.random(900) < 0.8, y, "a")
    a = np.where((y == "c") & (S["g"] == "x") & (rng.random(900) < 0.5), "b", b)
    found = fl.leveling_down(y, b, a, sensitive_features=S)
    assert set(found.by_rate) == {"recall:a", "recall:b", "recall:c"}
    assert [(c.rate, c.group) for c in found.lost] == [("recall:c", {"g": "x"})]
    for c in found.changes:
        rows = S["g"] == c.group["g"]
        recalls = dict(
            zip("abc", recall_score(y[rows], a[rows], labels=list("abc"), average=None), strict=True)
        )
        assert c.after == pytest.approx(recalls[c.rate[-1]])
    with pytest.raises(fl.InputError, match="needs a positive class"):
        fl.leveling_down(y, b, a, sensitive_features=S, measure="tpr")


def test_rates_of_each_class_by_hand_and_by_scikit_learn():
    y, p = list("aaabbbcccc"), list("aabbbacccb")
    audit = fl.audit(y, p, sensitive_features={"s": list("xxyyxxyyxx")})
    one = audit.overall
    assert (one("recall:a").rate, one("recall:b").rate, one("recall:c").rate) == (2 / 3, 2 / 3, 3 / 4)
    assert (one("specificity:a").rate, one("specificity:b").rate) == (6 / 7, 5 / 7)
    assert (one("specificity:c").rate, one("selection:b").rate) == (1.0, 4 / 10)
    s = np.array(list("xxyyxxyyxx"))
    for g in audit.by_group("recall:c"):
        rows = s == g.group["s"]
        theirs = recall_score(np.array(y)[rows], np.array(p)[rows], labels=["c"], average="macro")
        assert g.rate == pytest.approx(theirs)
    binary = audit_of(UNEVEN)
    for own, other in (("tpr", "recall:1"), ("tnr", "specificity:1"), ("selection_rate", "selection:1")):
        assert binary.by_group(own) == binary.by_group(other)


def monthly(rates, n=1500, shares=None, seed=0):
    """Counts of positives by month and group; rates of shape (months, groups)."""
    rng = np.random.default_rng(seed)
    months, groups = rates.shape
    sizes = np.full((months, groups), n) if shares is None else shares
    lattice = fl.GroupLattice.from_features(
        {"g": np.tile(np.arange(groups), months), "month": np.repeat(np.arange(months), groups)}
    )
    month, group = (v.ravel() for v in np.indices(rates.shape))
    codes = lattice.encode({"g": group, "month": month})
    found = rng.binomial(sizes, rates).ravel()
    twice = np.concatenate([found, sizes.ravel() - found])
    predicted = np.repeat([1, 0], len(codes))
    some = twice > 0
    return fl.GroupCounts.from_codes(
        lattice, (0, 1), np.tile(codes, 2)[some], np.ones_like(twice)[some], predicted[some], twice[some]
    )


def changes(counts, **options):
    return fl.audit_series(counts, "month", measure="tpr", positive=1, **options).changes


def test_a_step_of_one_group_is_flagged_once_in_its_period():
    rates = np.full((7, 4), 0.85)
    rates[4:, 2] = 0.6
    found = changes(monthly(rates))
    assert {c.period for c in found} == {4}
    (own,) = [c for c in found if c.kind == "fairness" and c.group == {"g": 2}]
    assert own.since == 0
    assert abs(own.difference) == max(abs(c.difference) for c in found)
    assert "g=2" in str(own)


def test_a_slow_drift_adds_up_to_a_flag():
    rates = np.full((12, 4), 0.85)
    rates[:, 1] -= 0.012 * np.arange(12)
    counts = monthly(rates, n=800)
    assert {"g": 1} in [c.group for c in changes(counts) if c.kind == "fairness" and c.difference < 0]


def test_series_without_change_are_rarely_flagged():
    alarms = sum(bool(changes(monthly(np.full((5, 6), 0.8), n=80, seed=seed))) for seed in range(100))
    assert alarms <= 7


def test_a_change_of_composition_is_flagged_as_such():
    sizes = np.full((4, 3), 1000)
    sizes[2:, 0] = 1500
    found = changes(monthly(np.full((4, 3), 0.8), shares=sizes))
    assert {c.kind for c in found} == {"composition"}
    assert {c.period for c in found} == {2}
    (own,) = [c for c in found if c.group == {"g": 0}]
    assert own.difference == pytest.approx(1500 / 3500 - 1 / 3)


def test_a_group_that_is_absent_in_some_period_is_no_trouble():
    sizes = np.full((3, 3), 400)
    sizes[1, 0] = 0
    series = fl.audit_series(monthly(np.full((3, 3), 0.8), shares=sizes), "month", measure="tpr", positive=1)
    assert list(series.audits) == [0, 1, 2]
    assert {c.kind for c in series.changes} == {"composition"}


def test_what_a_series_refuses():
    y, p = [1, 1, 0, 0], [1, 0, 0, 1]
    S = {"sex": ["f", "m", "f", "m"], "month": [1, 1, 2, None]}
    counts = fl.GroupCounts.from_arrays(y, p, sensitive_features=S)
    with pytest.raises(fl.InputError, match="`month` is missing in some rows"):
        fl.audit_series(counts, "month")
    with pytest.raises(fl.InputError, match="Did you mean 'month'"):
        fl.audit_series(counts, "mont")
    with pytest.raises(fl.InputError, match="only attribute"):
        fl.audit_series(counts.rollup(["sex"]), "sex")


def test_groups_are_routed_through_a_scikit_learn_pipeline():
    rng = np.random.default_rng(8)
    X, S = rng.normal(size=(300, 3)), rng.choice(["f", "m"], 300, p=[0.2, 0.8])
    y = (X[:, 0] + np.where(S == "f", X[:, 1], -X[:, 1]) > 0).astype(int)
    with sklearn.config_context(enable_metadata_routing=True):
        last = fl.FairClassifier(LogisticRegression(), "borrow", random_state=0).set_fit_request(
            sensitive_features=True
        )
        routed = make_pipeline(StandardScaler(), last).fit(X, y, sensitive_features=S)
    scaled = StandardScaler().fit_transform(X)
    direct = fl.FairClassifier(LogisticRegression(), "borrow", random_state=0).fit(
        scaled, y, sensitive_features=S
    )
    without = fl.FairClassifier(LogisticRegression(), "label").fit(scaled, y)
    assert routed.predict_proba(X) == pytest.approx(direct.predict_proba(scaled))
    assert not np.allclose(routed.predict_proba(X), without.predict_proba(scaled))
