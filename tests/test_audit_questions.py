"""What an auditor, a lawyer and a release gate ask: notions, decisions without labels, ratios, harm, any metric."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import binomtest
from sklearn import metrics as referee

import fairlattice as fl
from fairlattice.cli import main
from fairlattice.cli._gates import parse_gates
from fairlattice.cli._options import parse_reference
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupCounts, PairedCounts
from fairlattice.metrics import audit_series, make_scorer, metric_by_group
from fairlattice.metrics._intervals import ratio_interval
from fairlattice.metrics._needed import rows_needed
from fairlattice.report import Report

SEXES, RACES = ["f", "m"], ["a", "b", "c"]


@pytest.fixture(scope="module")
def decided():
    """1,500 people; the model approves fewer of those women of race b who repay."""
    rng = np.random.default_rng(5)
    n = 1500
    frame = pl.DataFrame(
        {"sex": rng.choice(SEXES, n, p=[0.4, 0.6]), "race": rng.choice(RACES, n, p=[0.5, 0.3, 0.2])}
    )
    repaid = rng.random(n) < 0.6
    harmed = ((frame["sex"] == "f") & (frame["race"] == "b")).to_numpy()
    score = rng.random(n)
    before = np.where(repaid, score < 0.75, score < 0.2)
    after = np.where(repaid & harmed, score < 0.4, before)
    words = np.array(["no", "yes"])
    return frame.with_columns(
        repaid=pl.Series(words[repaid.astype(int)]),
        approved=pl.Series(words[after.astype(int)]),
        previous=pl.Series(words[before.astype(int)]),
        decision=pl.Series(np.where(after, "approve", "refuse")),
        month=pl.Series(rng.integers(1, 4, n)),
    )


def audit_of(frame, **options):
    options = {"label": "repaid", "positive": "yes", **options}
    return fl.audit(frame, prediction="approved", sensitive=["sex", "race"], **options)


REFEREES = {
    "tpr": lambda y, p: referee.recall_score(y, p, pos_label="yes"),
    "recall": lambda y, p: referee.recall_score(y, p, pos_label="yes"),
    "tnr": lambda y, p: referee.recall_score(y, p, pos_label="no"),
    "specificity": lambda y, p: referee.recall_score(y, p, pos_label="no"),
    "ppv": lambda y, p: referee.precision_score(y, p, pos_label="yes"),
    "precision": lambda y, p: referee.precision_score(y, p, pos_label="yes"),
    "npv": lambda y, p: referee.precision_score(y, p, pos_label="no"),
    "precision:no": lambda y, p: referee.precision_score(y, p, pos_label="no"),
    "fnr": lambda y, p: 1 - referee.recall_score(y, p, pos_label="yes"),
    "fpr": lambda y, p: 1 - referee.recall_score(y, p, pos_label="no"),
    "fdr": lambda y, p: 1 - referee.precision_score(y, p, pos_label="yes"),
    "for": lambda y, p: 1 - referee.precision_score(y, p, pos_label="no"),
    "accuracy": referee.accuracy_score,
    "error_rate": lambda y, p: 1 - referee.accuracy_score(y, p),
    "selection_rate": lambda _, p: (p == "yes").mean(),
}


@pytest.mark.parametrize("rate", REFEREES)
def test_rates_by_their_usual_names_are_those_of_scikit_learn(decided, rate):
    found = audit_of(decided).by_group(rate)
    assert len(found) == 6
    for g in found:
        own = decided.filter(pl.all_horizontal(pl.col(k) == v for k, v in g.group.items()))
        assert g.rate == pytest.approx(REFEREES[rate](own["repaid"].to_numpy(), own["approved"].to_numpy()))
        assert g.low <= g.rate <= g.high


def test_the_interval_of_an_error_rate_mirrors_that_of_its_rate(decided):
    audit = audit_of(decided)
    for error, rate in (("fpr", "tnr"), ("fdr", "ppv")):
        for e, r in zip(audit.by_group(error), audit.by_group(rate), strict=True):
            assert (e.low, e.high, e.n) == pytest.approx((1 - r.high, 1 - r.low, r.n))


@pytest.mark.parametrize(
    ("rate", "word"),
    [
        ("fpr", "Use 'tnr'"),
        ("fdr", "Use 'ppv'"),
        ("tprr", "Did you mean 'tpr'"),
        ("presicion", "'precision'"),
    ],
)
def test_measures_of_error_rates_and_of_none_are_refused_with_the_right_name(decided, rate, word):
    with pytest.raises(InputError, match=word):
        audit_of(decided).disparity(rate)


def test_the_favourable_outcome_decides_what_a_notion_is_about(decided):
    assert audit_of(decided).judged == ("tpr", "tnr")
    assert audit_of(decided, favourable="no").judged == ("tnr", "tpr")
    assert audit_of(decided, notion="equal_opportunity", favourable="no").judged == ("tnr",)
    assert audit_of(decided, notion="predictive_parity").judged == ("ppv",)
    assert audit_of(decided, notion="predictive_parity", favourable="no").judged == ("npv",)
    refused = audit_of(decided, notion="demographic_parity", favourable="no")
    selected = audit_of(decided, notion="demographic_parity")
    for a, b in zip(refused.by_group(refused.judged[0]), selected.by_group("selection_rate"), strict=True):
        assert a.rate == pytest.approx(1 - b.rate)
    assert refused.disparity("demographic_parity").value == pytest.approx(
        selected.disparity("demographic_parity").value
    )  # both outcomes count


def test_of_several_classes_one_may_be_favourable():
    y, p = ["low", "mid", "high"] * 40, ["low", "high", "high"] * 40
    S = {"g": ["a", "b"] * 60}
    audit = fl.audit(y, p, sensitive_features=S, notion="equal_opportunity", favourable="high")
    assert audit.judged == ("recall:high",)
    assert audit.selection == "selection:high"
    with pytest.raises(InputError, match="needs a favourable outcome"):
        fl.audit(y, p, sensitive_features=S, notion="equal_opportunity")


def test_the_headline_is_about_the_harmed_group_in_words_of_the_task(decided):
    first = audit_of(decided).verdicts()[0]
    assert (first.question, first.verdict, first.rate) == ("worse_off", "yes", "tpr")
    assert first.group == {"sex": "f", "race": "b"}
    own = decided.filter((pl.col("sex") == "f") & (pl.col("race") == "b"))
    repaid = own.filter(pl.col("repaid") == "yes")
    rest = decided.filter(~((pl.col("sex") == "f") & (pl.col("race") == "b")), pl.col("repaid") == "yes")
    assert (first.n, first.rows) == (repaid.height, own.height)
    assert first.value == pytest.approx((repaid["approved"] == "yes").mean())
    assert first.other == pytest.approx((rest["approved"] == "yes").mean())
    assert "with repaid = yes" in repr(audit_of(decided))


def test_decisions_without_labels_are_audited(decided):
    audit = audit_of(decided, label=None)
    assert (audit.notion, audit.rates, audit.balanced_accuracy) == (
        "demographic_parity",
        ("selection_rate",),
        None,
    )
    expected = decided.group_by("sex", "race").agg((pl.col("approved") == "yes").mean().alias("rate"))
    found = {tuple(g.group.values()): g.rate for g in audit.by_group("selection_rate")}
    assert found == {(r["sex"], r["race"]): pytest.approx(r["rate"]) for r in expected.to_dicts()}
    labelled = audit_of(decided)
    assert audit.disparity("demographic_parity") == labelled.disparity("demographic_parity")
    with pytest.raises(InputError, match="needs labels"):
        audit.by_group("tpr")
    with pytest.raises(InputError, match="needs labels"):
        audit_of(decided, label=None, notion="equalized_odds")


def test_counts_without_labels_add_split_and_come_back_from_json(decided):
    counts = GroupCounts.from_frame(
        decided, label=None, prediction="approved", sensitive=["sex", "race", "month"]
    )
    assert counts.table.shape[1:] == (1, 2)
    parts = [GroupCounts.from_frame(part, label=None, prediction="approved", sensitive=counts.lattice.names)
             for part in (decided[:700], decided[700:])]  # fmt: skip
    assert (parts[0] + parts[1]).table.tolist() == counts.table.tolist()
    assert GroupCounts.from_json(counts.to_json()).table.tolist() == counts.table.tolist()
    assert sum(part.n for part in counts.split("month").values()) == decided.height
    series = audit_series(counts, "month", positive="yes")
    assert {c.rate for c in series.changes} <= {None, "selection_rate"}
    with pytest.raises(InputError, match="has labels"):
        counts + GroupCounts.from_frame(
            decided, label="repaid", prediction="approved", sensitive=["sex", "race", "month"]
        )


def test_counts_of_text_labels_come_back_from_json(decided):
    counts = GroupCounts.from_frame(decided, label="repaid", prediction="approved", sensitive=["sex"])
    again = GroupCounts.from_json(counts.to_json())
    assert (again.classes, again.table.tolist()) == (("no", "yes"), counts.table.tolist())


def test_decisions_spelled_unlike_labels(decided):
    same = audit_of(decided)
    other = fl.audit(
        decided, label="repaid", prediction="decision", sensitive=["sex", "race"], positive="yes",
        positive_prediction="approve",
    )  # fmt: skip
    assert other.counts.table.tolist() == same.counts.table.tolist()
    assert "decision = approve" in repr(other)
    with pytest.raises(InputError, match="Positive prediction 'aprove' does not occur"):
        fl.audit(decided, label="repaid", prediction="decision", sensitive=["sex"], positive="yes",
                 positive_prediction="aprove")  # fmt: skip
    with pytest.raises(InputError, match="positive_prediction"):
        fl.audit(decided, prediction="decision", sensitive=["sex"])


def test_ratios_to_the_best_to_others_and_to_a_group(decided):
    audit = audit_of(decided)
    rate = {tuple(g.group.values()): g.rate for g in audit.by_group("selection_rate")}
    best = max(rate.values())
    for r in audit.impact_ratios():
        assert r.ratio == pytest.approx(rate[tuple(r.group.values())] / best)
        assert r.low <= r.ratio <= r.high <= 1
        assert r.other_rate == pytest.approx(best)
    for r in audit.impact_ratios(reference="others"):
        mine = pl.all_horizontal(pl.col(k) == v for k, v in r.group.items())
        rest = decided.filter(~mine)
        assert r.ratio == pytest.approx(r.rate / (rest["approved"] == "yes").mean())
        assert r.against is None
    men = decided.filter(pl.col("sex") == "m")
    for r in audit.impact_ratios(reference={"sex": "m"}):
        assert (r.against, r.other_n) == ({"sex": "m"}, men.height)
        assert r.other_rate == pytest.approx((men["approved"] == "yes").mean())
    same = audit.impact_ratios(reference={"sex": "m", "race": "a"})
    assert [r.ratio for r in same if r.group == {"sex": "m", "race": "a"}] == [None]
    with pytest.raises(InputError, match="no level 'x'"):
        audit.impact_ratios(reference={"sex": "x"})
    with pytest.raises(InputError, match="No attribute `sx`"):
        audit.impact_ratios(reference={"sx": "m"})


def test_a_group_too_small_a_share_has_no_ratio_and_is_no_reference():
    p = [1] * 50 + [0] * 50 + [1] * 30 + [0] * 70 + [1, 1]
    audit = fl.audit(None, p, sensitive_features={"g": ["a"] * 100 + ["b"] * 100 + ["c"] * 2})
    assert [r.ratio for r in audit.impact_ratios()] == pytest.approx([0.5, 0.3, 1.0])
    found = audit.impact_ratios(min_share=0.02)
    assert [r.ratio for r in found] == [1.0, pytest.approx(0.6), None]
    assert found[2].verdict == "not enough data"


def test_four_fifths_is_a_yes_only_beyond_noise():
    def verdict(n, rate):
        p = [1] * (n // 2) + [0] * (n // 2) + [1] * round(rate * n) + [0] * (n - round(rate * n))
        return fl.audit(None, p, sensitive_features={"g": ["a"] * n + ["b"] * n}).verdicts()[1]

    assert [verdict(n, 0.3).verdict for n in (20, 2000)] == ["not enough data", "yes"]
    assert [verdict(n, 0.49).verdict for n in (20, 4000)] == ["not enough data", "no"]
    assert verdict(2000, 0.3).estimate == pytest.approx(0.6)


def test_the_interval_of_a_ratio_is_near_katz_for_many_rows():
    s1, n1, s2, n2 = 3000, 10_000, 4000, 10_000
    ratio, low, high = ratio_interval((np.array([s1]), np.array([n1])), (np.array([s2]), np.array([n2])))
    half = 1.959964 * np.sqrt(1 / s1 - 1 / n1 + 1 / s2 - 1 / n2)
    assert (low[0], high[0]) == pytest.approx((ratio[0] * np.exp(-half), ratio[0] * np.exp(half)), rel=0.002)
    ratio, low, high = ratio_interval(
        (np.array([0, 5]), np.array([9, 9])), (np.array([5, 0]), np.array([9, 9]))
    )
    assert (ratio[0], low[0], high[1]) == (0.0, 0.0, np.inf)
    assert np.isnan(ratio[1])


def test_harm_is_the_exact_test_of_mcnemar_split_over_the_groups_that_can_show_any(decided):
    S = decided.select("sex", "race")
    found = fl.harm(decided["repaid"], decided["previous"], decided["approved"], sensitive_features=S,
                    positive="yes", measure="equal_opportunity")  # fmt: skip
    positives = decided.filter(pl.col("repaid") == "yes")
    flips = {}
    for c in found.changes:
        own = positives.filter(
            pl.all_horizontal([pl.lit(True), *(pl.col(k) == v for k, v in c.group.items())])
        )
        lost = ((own["previous"] == "yes") & (own["approved"] == "no")).sum()
        gained = ((own["previous"] == "no") & (own["approved"] == "yes")).sum()
        assert c.difference == pytest.approx((gained - lost) / own.height)
        flips[tuple(c.group.items())] = (int(lost), int(gained))
    assert len(flips) == 12  # everyone, two sexes, three races, six leaves
    least = [2.0 ** (1 - b - c) if b + c else 2.0 for b, c in flips.values()]
    k = next(k for k in range(1, 14) if sum(p <= 0.05 / k for p in least) <= k)
    fallen = {g for g, (b, c) in flips.items() if b + c and binomtest(c, b + c).pvalue < 0.05 / k and c < b}
    assert {tuple(c.group.items()) for c in found.fell} == fallen
    assert (("sex", "f"), ("race", "b")) in fallen
    assert found.verdict == "yes"


def test_a_tolerance_accepts_a_fall_and_ppv_is_compared_apart(decided):
    def harm(**options):
        return fl.harm(decided["repaid"], decided["previous"], decided["approved"], positive="yes",
                       sensitive_features=decided.select("sex", "race"), **options)  # fmt: skip

    assert all(c.high < -0.1 for c in harm(tolerance=0.1).fell)
    assert harm(tolerance=0.9).verdict == "no"
    ppv = harm(measure="predictive_parity")
    assert {c.rate for c in ppv.changes} == {"ppv"}
    new = decided.filter(pl.col("approved") == "yes")
    everyone = next(c for c in ppv.changes if not c.group)
    assert everyone.after == pytest.approx((new["repaid"] == "yes").mean())
    assert {c.rate for c in harm(measure=["precision", "tpr"]).changes} == {"ppv", "tpr"}
    with pytest.raises(InputError, match="`tolerance`"):
        harm(tolerance=2)


def test_two_audits_are_compared_as_independent_samples(decided):
    old = fl.audit(decided, label="repaid", prediction="previous", sensitive=["sex", "race"], positive="yes")
    found = audit_of(decided).harm(old, measure="tpr")
    assert found.verdict == "yes"
    assert {"sex": "f", "race": "b"} in [c.group for c in found.fell]
    assert old.harm(old).verdict == "not enough data"


def test_harm_is_rarely_seen_where_nothing_changed():
    alarms, rng = 0, np.random.default_rng(0)
    for _ in range(100):
        S = {"a": rng.choice(["x", "y"], 500), "b": rng.choice(["u", "v", "w"], 500)}
        y = rng.integers(0, 2, 500)
        one, two = (np.where(rng.random(500) < 0.2, 1 - y, y) for _ in range(2))
        alarms += fl.harm(y, one, two, sensitive_features=S).verdict == "yes"
    assert alarms <= 10  # 5 are allowed; binomial, 99 %


def test_needed_rows_are_a_range_between_one_and_twenty_times_what_is_there():
    needed = rows_needed(-0.1, -0.25, 0.05, 0.0, 100)
    assert 100 < needed.low < needed.high <= 2000
    assert needed.difference == -0.1
    assert rows_needed(-0.1, -0.25, 0.05, 0.0, 3) is None  # a group of three
    assert rows_needed(-0.001, -0.2, 0.2, 0.0, 100) is None  # 2,800,000 rows would tell
    assert rows_needed(-0.3, -0.4, -0.2, 0.0, 100) is None  # enough


def test_any_metric_by_group_from_counts_and_from_rows(decided):
    def f1(y_true, y_pred, sample_weight=None):
        return referee.f1_score(y_true, y_pred, pos_label="yes", sample_weight=sample_weight)

    def plain(y_true, y_pred):
        return referee.f1_score(y_true, y_pred, pos_label="yes")

    audit = audit_of(decided)
    S = decided.select("sex", "race")
    by_rows = metric_by_group(f1, decided["repaid"], decided["approved"], sensitive_features=S, draws=200)
    by_plain = metric_by_group(plain, decided["repaid"], decided["approved"], sensitive_features=S, draws=200)
    for g, r, p in zip(audit.by_group(f1), by_rows, by_plain, strict=True):
        own = decided.filter(pl.all_horizontal(pl.col(k) == v for k, v in g.group.items()))
        assert g.value == r.value == p.value == pytest.approx(plain(own["repaid"], own["approved"]))
        assert g.n == own.height
        for other in (r, p):
            assert (g.low, g.high) == pytest.approx((other.low, other.high), abs=0.03)

    def right(y_true, y_pred, sample_weight=None):
        return np.average(np.asarray(y_true) == np.asarray(y_pred), weights=sample_weight)

    table = audit.to_frame(right)
    assert table.columns == ["sex", "race", "right", "low", "high", "n"]


def test_metrics_of_scores_of_one_person_and_undefined_ones():
    y = np.array([0, 1] * 50 + [1])
    score = np.linspace(0, 1, 101)
    S = {"g": ["a"] * 100 + ["b"]}
    a, b = metric_by_group(referee.roc_auc_score, y, score, sensitive_features=S, draws=100)
    assert a.low < a.value < a.high
    assert b.value is None or b.low is None  # one class has no AUC
    a, b = metric_by_group(referee.brier_score_loss, y, score, sensitive_features=S, draws=300)
    assert b.high - b.low > 0.05  # one person is not sure of itself
    assert "n=1" in str(b)


def test_frames_are_of_the_users_own_library(decided):
    assert isinstance(audit_of(decided).to_frame("tpr"), pl.DataFrame)
    table = audit_of(decided.to_pandas()).to_frame("precision")
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["sex", "race", "precision", "low", "high", "n"]
    arrays = fl.audit(decided["repaid"].to_numpy(), decided["approved"].to_numpy(), positive="yes",
                      sensitive_features=decided.select("sex").to_pandas())  # fmt: skip
    assert isinstance(arrays.to_frame("tpr"), pd.DataFrame)
    assert isinstance(arrays.to_frame("tpr", backend="polars"), pl.DataFrame)


def test_pictures_are_drawn_on_the_axes_given(decided):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, axes = pyplot.subplots(1, 2)
    audit = audit_of(decided)
    assert audit.plot(ax=axes[0]) is axes[0]
    assert axes[0].get_xlabel() == "tpr"
    points = axes[0].lines[0].get_xdata()
    assert list(points) == sorted(g.rate for g in audit.by_group("tpr"))
    audit.plot(ratio=True, ax=axes[1])
    assert max(axes[1].lines[0].get_xdata()) == 1.0
    pyplot.close(figure)


def test_without_matplotlib_it_says_what_to_install(decided, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(InputError, match=r"fairlattice\[plot\]"):
        audit_of(decided).plot()


def test_results_show_themselves_in_a_notebook(decided):
    page = audit_of(decided)._repr_html_()
    assert page.startswith("<iframe")
    assert "repaid" in page


def test_scorers_for_cross_validation_take_groups_from_columns_or_metadata():
    import sklearn
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate

    rng = np.random.default_rng(2)
    X = pd.DataFrame({"x": rng.normal(size=400), "sex": rng.integers(0, 2, 400)})
    y = (X["x"] + rng.normal(size=400) > 0).astype(int)
    own = make_scorer("tpr.worst.value", sensitive=["sex"])
    fitted = LogisticRegression().fit(X, y)
    expected = fl.audit(y, fitted.predict(X), sensitive_features=X[["sex"]]).figure("tpr.worst").value
    assert own(fitted, X, y) == pytest.approx(expected)
    assert make_scorer("tpr.df.value", sensitive=["sex"])(fitted, X, y) <= 0
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_validate(
            LogisticRegression(), X, y, cv=3, scoring=make_scorer("equalized_odds.if"),
            params={"sensitive_features": X["sex"]},
        )  # fmt: skip
    assert (scores["test_score"] < 0).all()
    with pytest.raises(InputError, match="Measures are"):
        make_scorer("tpr", sensitive=["sex"])


def test_figures_of_limits_agree_with_the_measures(decided):
    audit = audit_of(decided)
    assert (
        audit.figure("equalized_odds.if").corrected == audit.disparity("equalized_odds", kind="if").corrected
    )
    smoothed = [v for v in audit.smoothed("selection_rate") if v is not None]
    ratio = audit.figure("selection_rate.ratio")
    assert ratio.value == pytest.approx(min(smoothed) / max(smoothed))
    assert ratio.low <= ratio.corrected <= ratio.high
    worst = audit.figure("equalized_odds.worst")
    assert worst.value == pytest.approx(
        min(v for r in ("tpr", "tnr") for v in audit.smoothed(r) if v is not None)
    )


# The command line


@pytest.fixture
def table(decided, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    decided.write_csv("t.csv")
    return "t.csv"


LABELLED = [
    "--label",
    "repaid",
    "--positive",
    "yes",
    "--prediction",
    "approved",
    "--sensitive",
    "sex",
    "race",
]
DECISIONS = ["--prediction", "decision", "--positive-prediction", "approve", "--sensitive", "sex", "race"]


def test_the_command_audits_decisions_alone(table, capsys):
    assert main(["audit", table, *DECISIONS, "--by", "month", "--json", "a.json", "--report", "a.html"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    found = json.loads(Path("a.json").read_text())
    assert (found["labelled"], found["data"]["label"], found["accuracy"]) == (False, None, None)
    assert list(found["measures"]) == found["judged"] == ["selection_rate"]
    assert found["settings"]["notion"] == "demographic_parity"
    assert found["settings"]["assumed"] == ["notion", "favourable"]
    assert [v["question"] for v in found["verdicts"]] == ["worse_off", "four_fifths"]
    assert "no labels" in printed
    assert found["series"]["notion"] == "demographic_parity"
    assert len(found["impact_ratios"]["by_group"]) == 6


def test_terminal_and_json_tell_verdicts_in_the_same_words(table, capsys):
    for extra in ([], ["--notion", "equal_opportunity", "--favourable", "no"], ["--baseline", "previous"],
                  ["--reference", "sex=m,race=a"], ["--notion", "predictive_parity"]):  # fmt: skip
        assert main(["audit", table, *LABELLED, *extra, "--json", "a.json"]) == 0
        printed = " ".join(capsys.readouterr().out.replace("•", "").split())
        found = json.loads(Path("a.json").read_text())
        assert found["verdicts"]
        for verdict in found["verdicts"]:
            assert " ".join(verdict["sentence"].split()) in printed


@pytest.mark.parametrize(
    "options", [["--min-size", "120", "--on-small", "merge"], ["--min-size", "120", "--on-small", "drop"]]
)
def test_coarser_groups_are_sums_of_all_rows_under_every_option(table, decided, options):
    assert main(["audit", table, *LABELLED, *options, "--json", "a.json"]) == 0
    found = json.loads(Path("a.json").read_text())["coarser"]
    assert found["complete"]
    men = next(g for g in found["by_rate"]["selection_rate"] if g["group"] == {"sex": "m"})
    own = decided.filter(pl.col("sex") == "m")
    assert (men["n"], men["rate"]) == (own.height, pytest.approx((own["approved"] == "yes").mean()))


def test_a_model_that_harms_one_group_falls_at_the_gate(table, capsys):
    gated = [*LABELLED, "--baseline", "previous", "--fail-on-harm", "--gate-json", "g.json"]
    assert main(["audit", table, *gated]) == 1
    assert "harm: a rate fell" in capsys.readouterr().err
    found = json.loads(Path("g.json").read_text())
    assert (found["schema"], found["passed"]) == ("fairlattice/gate/1", False)
    gate = found["gates"][0]
    assert (gate["gate"], gate["fell"]) == ("harm", True)
    assert {"sex": "f", "race": "b"} in [g["group"] for g in gate["groups"]]
    assert main(["audit", table, *gated, "--tolerance", "0.9"]) == 0
    assert main(["audit", table, *LABELLED, "--baseline", "previous", "--fail-on-harm", "tnr"]) == 0
    same = [a.replace("approved", "previous") for a in LABELLED]
    assert (
        main(
            [
                "audit",
                table,
                *same,
                "--baseline",
                "decision",
                "--positive-prediction",
                "yes",
                "--fail-on-harm",
            ]
        )
        == 2
    )


def test_a_loss_of_half_of_the_true_positive_rate_is_harm_and_no_leveling_down():
    # Group b's rate falls from .6 to .28, while measures of fairness get worse: no leveling down, and harm.
    n = 400
    y = [1] * 2 * n
    before = ([1] * 320 + [0] * 80) + ([1] * 240 + [0] * 160)
    after = ([1] * 320 + [0] * 80) + ([1] * 114 + [0] * 286)
    S = {"g": ["a"] * n + ["b"] * n}
    assert (
        fl.leveling_down(y, before, after, sensitive_features=S, positive=1, measure="tpr").verdict
        == "not seen"
    )
    found = fl.harm(y, before, after, sensitive_features=S, positive=1, measure="tpr")
    assert found.fell[0].group == {"g": "b"}


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        ("selection_rate.ratio<0.8", 1),
        ("selection_rate.ratio=0.1", 0),
        ("selection_rate.ratio.high<0.98", 1),
        ("tpr.df>0.1", 1),
        ("tpr.df.low>2", 0),
        ("equalized_odds.if>0.99,tpr.worst<0.9", 1),
        ("tpr.worst.value<0.01", 0),
        ("df=9,if=0.99", 0),
        ("df.value=0.01", 1),
        ("ppv.if=0.99", 0),
    ],
)
def test_gates_on_any_rate_and_figure(table, gates, code):
    assert main(["audit", table, *LABELLED, "--fail-above", gates, "--gate-json", "g.json"]) == code
    found = json.loads(Path("g.json").read_text())
    assert found["passed"] == (code == 0)
    assert len(found["gates"]) == len(parse_gates(gates))


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        (["--fail-above", "selection_rate.ratio>0.8"], "bad below"),
        (["--fail-above", "tpr.df<1"], "bad above"),
        (["--fail-above", "selection_rate.rato<0.8"], "Did you mean 'ratio'"),
        (["--fail-above", "fpr.df>1"], "Use 'tnr'"),
        (["--fail-above", "tpr.df>x"], "numbers"),
        (["--fail-on-harm"], "--baseline"),
        (["--tolerance", "3"], "--tolerance"),
        (["--notion", "parity"], "`notion` must be one of"),
        (["--favourable", "maybe"], "Favourable outcome 'maybe'"),
        (["--reference", "sex"], "--reference"),
        (["--reference", "sex=x"], "no level 'x'"),
        (["--min-share", "2"], "min_share"),
    ],
)
def test_bad_options_are_refused_in_one_line(table, extra, word, capsys):
    assert main(["audit", table, *LABELLED, *extra]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert word in err


def test_scores_need_labels(table, capsys):
    assert main(["audit", table, *DECISIONS, "--score", "month"]) == 2
    assert "--label" in capsys.readouterr().err


def test_a_reference_may_have_commas_in_its_levels():
    assert parse_reference("race=Black, other,sex=m", ["sex", "race"]) == {"race": "Black, other", "sex": "m"}
    assert parse_reference("others", []) == "others"


def test_the_date_of_a_report_can_be_set(table, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert main(["audit", table, *LABELLED, "--json", "a.json", "--report", "a.html"]) == 0
    assert json.loads(Path("a.json").read_text())["data"]["date"] == "1970-01-02"
    assert "1970-01-02" in Path("a.html").read_text()


def test_paired_counts_without_labels_hold_two_models(decided):
    pairs = PairedCounts.from_frame(
        decided, label=None, before="previous", after="approved", sensitive=["sex", "race"]
    )
    assert not pairs.labelled
    found = fl.harm(pairs, positive="yes")
    assert {c.rate for c in found.changes} == {"selection_rate"}
    with pytest.raises(InputError, match="needs labels"):
        fl.harm(pairs, positive="yes", measure="tpr")


def test_a_page_of_decisions_alone_has_no_word_of_labels(decided):
    audit = fl.audit(decided, prediction="decision", sensitive=["sex", "race"], positive_prediction="approve")
    data = {"name": "t", "rows": 1500, "label": None, "prediction": "decision"}
    assert Report.of(audit, data=data).to_html().count("true-positive rate") == 0


def test_hostile_names_of_columns_and_values_are_text_on_the_page():
    hostile = "<script>alert(1)</script>"
    frame = pl.DataFrame(
        {hostile: [hostile, "no"] * 60, "p": [hostile, "no", "no", "no"] * 30, "s": ["a", "b", "c"] * 40}
    )
    audit = fl.audit(
        frame, label=hostile, prediction="p", sensitive=["s"], positive=hostile, favourable=hostile
    )
    page = Report.of(audit).to_html()
    assert hostile not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_error_in_peoples_favour_is_called_so(decided):
    found = audit_of(decided).verdicts()[-1]
    assert found.rate == "tnr"
    assert "got approved = yes all the same" in repr(audit_of(decided))
    flipped = repr(audit_of(decided, favourable="no"))
    assert "got approved = no all the same" in flipped


def test_the_least_ratio_is_that_of_fairlearn(decided):
    peer = pytest.importorskip("fairlearn.metrics")
    y, p = ((decided[name] == "yes").to_numpy().astype(int) for name in ("repaid", "approved"))
    S = decided.select("sex", "race").to_pandas()
    least = min(r.ratio for r in audit_of(decided).impact_ratios())
    assert least == pytest.approx(peer.demographic_parity_ratio(y, p, sensitive_features=S))


def test_over_time_it_is_the_notion_that_is_watched(decided):
    counts = GroupCounts.from_frame(
        decided, label="repaid", prediction="approved", sensitive=["sex", "race", "month"]
    )
    refused = pl.when(pl.col("sex") == "f").then(pl.lit("no")).otherwise("approved")
    later = GroupCounts.from_frame(
        decided.with_columns(month=pl.lit(4), approved=refused),
        label="repaid",
        prediction="approved",
        sensitive=["sex", "race", "month"],
    )
    both = counts + later
    for notion, favourable, rates in (
        ("equal_opportunity", None, {"tpr"}),
        ("equal_opportunity", "no", {"tnr"}),
        ("demographic_parity", None, {"selection_rate"}),
        ("predictive_parity", None, {"ppv"}),
    ):
        series = audit_series(both, "month", positive="yes", notion=notion, favourable=favourable)
        assert {c.rate for c in series.changes if c.kind != "composition"} <= rates
    changed = audit_series(both, "month", positive="yes", notion="equal_opportunity").changes
    assert any(c.period == 4 and c.kind == "fairness" for c in changed)


def test_a_comparison_shows_its_answer():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    X, S = rng.normal(size=(200, 2)) + y[:, None], {"sex": rng.choice(["f", "m"], 200)}
    found = fl.compare(X, y, sensitive_features=S, strategies=["none", "label"], folds=2, repeats=1, n_jobs=1)
    assert repr(found).startswith("Comparison of 2 strategies on 200 rows, equalized odds: ")
    assert found.recommendation.strategy in repr(found)
    assert found._repr_html_().startswith("<iframe")


def test_leaves_that_were_merged_or_dropped_have_no_ratio(decided):
    sizes = decided.group_by("sex", "race").len()
    least = int(sizes["len"].min()) + 1
    audit = audit_of(decided, min_size=least, on_small="merge")
    small = [s.group for s in audit.small]
    assert [r.group for r in audit.impact_ratios() if r.ratio is None] == small
    assert all(r.ratio is not None for r in audit.impact_ratios(attributes=["race"]))


def test_what_was_assumed_is_said_in_python_too(decided):
    assert "equalized odds (assumed; set notion)" in repr(audit_of(decided))
    chosen = repr(audit_of(decided, notion="equalized_odds", favourable="yes"))
    assert "assumed" not in chosen


def test_values_may_be_typed_as_they_are_printed():
    S = {"g": ["a", "b"] * 20}
    y = [0.0, 1.0] * 20
    assert fl.audit(y, y, sensitive_features=S, favourable="0.0").judged == ("tnr", "tpr")
    assert fl.audit(y, y, sensitive_features=S, favourable="0").judged == ("tnr", "tpr")
    same = [False, True] * 20
    assert (
        fl.audit(None, same, sensitive_features=S, positive_prediction="False").selection == "selection_rate"
    )
