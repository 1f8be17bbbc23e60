"""The comparison: splits, strategies, honesty about noise, no leak from test rows, same bytes."""

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

import fairlattice as fl
from fairlattice.benchmark import Difference, Estimate, Run, StrategyResult
from fairlattice.benchmark._splits import stratified_splits
from fairlattice.report import compare_summary, to_json
from fairlattice.strategies import STRATEGIES

CUTS = {"age": [30, 60]}
SENSITIVE = ["sex", "race", "age"]


def run(people, **options):
    shared = {"cuts": CUTS, "repeats": 2, "per_cell": 60, "random_state": 3, "groups_at_prediction": True}
    arguments = shared | options
    return fl.compare(
        people.drop("hired", *SENSITIVE),
        people["hired"],
        sensitive_features=people.select(SENSITIVE),
        **arguments,
    )


@pytest.fixture(scope="module")
def comparison(people):
    return run(people)


def test_every_strategy_is_there(comparison):
    assert [r.name for r in comparison.results] == list(STRATEGIES)
    assert comparison["none"].per_repeat != comparison["equal"].per_repeat


def test_same_seed_same_bytes_whatever_the_number_of_jobs(people, comparison, two_threads):
    first = to_json(compare_summary(comparison, {"name": "t", "rows": people.height}))
    for jobs in (1, 2):
        again = to_json(compare_summary(run(people, n_jobs=jobs), {"name": "t", "rows": people.height}))
        assert again == first
    other = to_json(compare_summary(run(people, random_state=4), {"name": "t", "rows": people.height}))
    assert other != first


def test_a_strategy_does_not_depend_on_the_others_asked_for(people, comparison):
    alone = run(people, strategies=["smote"])
    assert alone["smote"].per_repeat == comparison["smote"].per_repeat


def test_predictions_of_test_rows_do_not_depend_on_test_labels_or_features(people):
    """Change the test rows beyond recognition: what was trained stays what it was."""
    options = {"sensitive_features": people.select(SENSITIVE), "cuts": CUTS, "repeats": 1, "random_state": 3}
    features = people.select("hours", "skill", "job")
    kept = fl.compare(features, people["hired"], per_cell=60, **options)
    test = kept["none"].runs[0].rows
    spoiled = {k: np.array(v, dtype=object) for k, v in features.to_dict(as_series=False).items()}
    spoiled["hours"][test[1:]] = 10_000
    spoiled["job"][test[1:]] = "astronaut"
    table = pl.DataFrame({k: v.tolist() for k, v in spoiled.items()})
    changed = fl.compare(table, people["hired"], per_cell=60, **options)
    for name in (result.name for result in kept.results):
        a, b = kept[name].runs[0], changed[name].runs[0]
        assert (a.rows == test).all()
        assert a.score[0] == b.score[0]  # the one test row left as it was is scored by the same model


def test_splits_are_stratified_disjoint_and_whole():
    rng = np.random.default_rng(0)
    leaves, labels = rng.integers(0, 5, 1000), rng.integers(0, 2, 1000)
    for train, test in stratified_splits(leaves, labels, repeats=3, test_size=0.25, seed=0):
        assert sorted([*train, *test]) == list(range(1000))
        for leaf in range(5):
            for label in (0, 1):
                cell = (leaves == leaf) & (labels == label)
                assert abs(cell[test].sum() - 0.25 * cell.sum()) <= 1


def test_cells_of_one_row_and_tables_with_more_cells_than_test_rows_can_be_split():
    labels = np.array([0, 1] * 20)
    one_row_cells = np.where(np.arange(40) < 3, np.arange(40), 9)
    assert len(stratified_splits(one_row_cells, labels, repeats=2, test_size=0.3, seed=0)) == 2
    assert len(stratified_splits(np.arange(40), labels, repeats=2, test_size=0.1, seed=0)) == 2
    with pytest.raises(fl.InputError, match="too small"):
        stratified_splits(np.zeros(3, dtype=int), np.array([0, 0, 1]), repeats=1, test_size=0.3, seed=0)


def test_estimates_and_differences_by_hand():
    assert Estimate.of([1.0, 2.0, 6.0]) == Estimate(
        3.0, pytest.approx(np.std([1, 2, 6], ddof=1) / np.sqrt(3))
    )
    assert Estimate.of([1.0]) == Estimate(1.0, None)
    assert Difference.of([0.5], test_share=0.3).within_noise
    assert Difference.of([0.0, 0.0], test_share=0.3).within_noise
    # s = 0.01, R = 5: reach = 2.776 · 0.01 · sqrt(1/5 + 3/7) = 0.022
    shape = np.array([-1.0, -1.0, 0.0, 1.0, 1.0]) * 0.01
    assert Difference.of(shape + 0.021, test_share=0.3).within_noise
    assert not Difference.of(shape + 0.023, test_share=0.3).within_noise


def test_differences_are_paired_and_antisymmetric(comparison):
    forth, back = comparison.differences("equal", "none"), comparison.differences("none", "equal")
    for figure, d in forth.items():
        assert d.mean == pytest.approx(-back[figure].mean)
        assert d.mean == pytest.approx(
            comparison["equal"].estimate(figure).mean - comparison["none"].estimate(figure).mean
        )


def test_the_baseline_never_levels_down_on_itself(comparison):
    found = comparison.leveling_down("none")
    assert (found.verdict, found.groups) == ("no", ())


def test_leveling_down_is_seen_when_planted():
    """A strategy that predicts at random for everyone is fair, and everyone is worse off."""
    rng = np.random.default_rng(0)
    n = 6000
    S = {"a": rng.integers(0, 2, n), "b": rng.integers(0, 2, n)}
    y = rng.integers(0, 2, n)
    shift = np.where((S["a"] == 1) & (S["b"] == 1), 2.0, 3.0)
    X = (y * shift + rng.normal(size=n))[:, None]
    result = fl.compare(X, y, sensitive_features=S, strategies=["none", "equal"], repeats=4)
    worse = result["equal"]
    for run_, audit in zip(worse.runs, worse.audits, strict=True):
        flipped = rng.random(len(run_.rows)) < 0.5
        run_.predicted[:] = np.where(flipped, run_.predicted, 1 - run_.predicted)
        counts = fl.GroupCounts.from_codes(
            result.lattice, result.classes, result.leaves[run_.rows], result.truth[run_.rows], run_.predicted
        )
        object.__setattr__(audit, "counts", counts)
    found = result.leveling_down("equal")
    assert found.verdict == "yes"
    assert found.groups[0].difference.mean < -0.2
    assert not found.groups[0].difference.within_noise


def test_a_classifier_of_ones_own(people):
    result = run(people, strategies=["none", "equal"], classifier=RandomForestClassifier(20), repeats=1)
    assert result["none"].estimate("balanced_accuracy").mean > 0.6
    assert result.settings["classifier"].startswith("RandomForest")


@pytest.mark.parametrize("classifier", ["mlp", "boosting"])
def test_other_classifiers_by_name(people, classifier):
    result = run(people, strategies=["none", "equal"], classifier=classifier, repeats=1)
    assert result["equal"].estimate("balanced_accuracy").mean > 0.55


def test_progress_is_told(people):
    seen = []
    run(people, strategies=["none", "equal"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 4) for i in range(1, 5)]


def test_what_compare_refuses(people):
    X, y, S = people.select("hours"), people["hired"], people.select("sex")
    cases = [
        ({"strategies": ["equl"]}, "Did you mean 'equal'"),
        ({"strategies": []}, "at least one"),
        ({"strategies": "equal"}, "must be a sequence"),
        ({"classifier": "logistik"}, "Did you mean 'logistic'"),
        ({"classifier": KNeighborsClassifier}, "a scikit-learn classifier"),
        ({"repeats": 0}, "`repeats` must be"),
        ({"test_size": 1.0}, "`test_size` must lie"),
        ({"alpha": 2.0}, "`alpha` must lie"),
        ({"random_state": -1}, "`random_state`"),
        ({"positive": "yes"}, "does not occur"),
    ]
    for options, message in cases:
        with pytest.raises(fl.InputError, match=message):
            fl.compare(X, y, sensitive_features=S, **options)
    with pytest.raises(fl.InputError, match="two classes, got 3"):
        fl.compare(X, np.arange(people.height) % 3, sensitive_features=S)
    with pytest.raises(fl.InputError, match="differ in length"):
        fl.compare(X, y, sensitive_features=S.head(5))


def test_large_seeds_and_every_classifier(people):
    for seed, classifier in ((20_240_521, "boosting"), (2**40, "logistic")):
        run(people, strategies=["none"], classifier=classifier, random_state=seed, repeats=1)


def test_threads_of_the_users_own_backend_give_the_same(people, comparison):
    with joblib.parallel_config(backend="threading"):
        again = run(people, n_jobs=4)
    about = {"name": "t", "rows": people.height}
    assert to_json(compare_summary(again, about)) == to_json(compare_summary(comparison, about))


def test_people_are_counted_once_however_often_they_are_tested(comparison):
    for rate, label in (("tpr", 1), ("tnr", 0)):
        successes, n = comparison.people("equal", rate)
        tested = np.unique(np.concatenate([r.rows for r in comparison["equal"].runs]))
        tested = tested[comparison.truth[tested] == label]
        assert n.tolist() == [
            int((comparison.leaves[tested] == code).sum()) for code in comparison["equal"].pooled.counts.codes
        ]
        assert (successes <= n).all()
        for (g, people_), m in zip(comparison.by_group("equal", rate), n, strict=True):
            assert people_ == m <= g.n
            if g.rate is not None:
                assert g.low <= g.rate <= g.high


def test_nothing_is_lost_beyond_noise_between_equally_good_models():
    """Independent errors at the same rate: few tables may show a group that lost beyond noise."""
    rng = np.random.default_rng(0)
    lattice = fl.GroupLattice.from_features({"a": np.arange(10)})
    false_alarms = 0
    for _ in range(60):
        leaves, truth = np.repeat(np.arange(10), 6), np.tile([0, 1], 30)
        splits = stratified_splits(leaves, truth, repeats=5, test_size=0.3, seed=int(rng.integers(2**31)))
        results = []
        for name in ("none", "equal"):
            wrong = rng.random(60) < 0.3
            guess = np.where(wrong, 1 - truth, truth)
            runs = tuple(Run(r, test, guess[test], guess[test] * 1.0) for r, (_, test) in enumerate(splits))
            audits = tuple(
                fl.audit(
                    fl.GroupCounts.from_codes(lattice, (0, 1), leaves[r.rows], truth[r.rows], r.predicted)
                )
                for r in runs
            )
            results.append(StrategyResult(name, runs, audits))
        table = fl.Comparison({"test_size": 0.3}, lattice, (0, 1), truth, leaves, tuple(results))
        found = table.leveling_down("equal")
        false_alarms += found.verdict == "yes" or any(not g.difference.within_noise for g in found.groups)
    assert false_alarms <= 6


def test_augment_predicts_about_as_many_positives_as_equal_does_on_text_columns():
    rng = np.random.default_rng(0)
    n = 1500
    table = pl.DataFrame(
        {c: rng.choice(list("uvwxy"), n) for c in ("j", "k", "l")} | {"x": rng.normal(size=n)}
    )
    S = pl.DataFrame(
        {"a": rng.choice(["p", "q"], n, p=[0.2, 0.8]), "b": rng.choice(["r", "s"], n, p=[0.3, 0.7])}
    )
    y = (table["x"].to_numpy() + (table["j"] == "u").to_numpy() + rng.normal(size=n) > 0.3).astype(int)
    result = fl.compare(table, y, sensitive_features=S, strategies=["equal", "augment", "borrow"], repeats=3)
    shares = {r.name: [run.predicted.mean() for run in r.runs] for r in result.results}
    for name in ("augment", "borrow"):
        assert np.abs(np.subtract(shares[name], shares["equal"])).max() < 0.12
