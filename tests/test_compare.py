"""The comparison: splits, strategies, honesty about noise, no leak from test rows, same bytes."""

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

import fairlattice as fl
from fairlattice.benchmark import Difference, Estimate
from fairlattice.benchmark._splits import cross_folds, stratified_splits
from fairlattice.report import Report
from fairlattice.strategies import STRATEGIES

CUTS = {"age": [30, 60]}
SENSITIVE = ["sex", "race", "age"]


def run(people, **options):
    shared = {
        "cuts": CUTS,
        "folds": 3,
        "repeats": 2,
        "per_cell": 60,
        "random_state": 3,
        "groups_at_prediction": True,
    }
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


def test_every_strategy_is_there_and_everyone_is_tested_once_a_repeat(people, comparison):
    assert [r.name for r in comparison.results] == list(STRATEGIES)
    for result in comparison.results:
        assert [run_.rows.tolist() for run_ in result.runs] == [list(range(people.height))] * 2
    assert sorted(np.unique(comparison.fold[0])) == [0, 1, 2]
    first = comparison["none"].estimate("tpr.if")
    assert first.low < first.median < first.high


def test_same_seed_same_bytes_whatever_the_number_of_jobs(people, comparison, two_threads):
    first = Report.of(comparison, data={"name": "t", "rows": people.height}).to_json()
    again = Report.of(run(people, n_jobs=2), data={"name": "t", "rows": people.height}).to_json()
    assert again == first
    other = run(people, random_state=4, strategies=["none"])["none"].runs[0]
    assert (other.score != comparison["none"].runs[0].score).any()


def test_a_strategy_does_not_depend_on_the_others_asked_for(people, comparison):
    alone = run(people, strategies=["smote"])
    for ours, theirs in zip(alone["smote"].runs, comparison["smote"].runs, strict=True):
        assert (ours.predicted == theirs.predicted).all()
        assert (ours.score == theirs.score).all()


def test_a_model_does_not_depend_on_the_rows_that_it_is_tested_on(people):
    """Change the test rows of one fold beyond recognition: its model scores the one left as it was as before."""
    options = {"sensitive_features": people.select(SENSITIVE), "cuts": CUTS, "folds": 3, "random_state": 3}
    options |= {"repeats": 1, "per_cell": 60}
    features = people.select("hours", "skill", "job")
    kept = fl.compare(features, people["hired"], **options)
    test = np.flatnonzero(kept.fold[0] == 1)
    spoiled = {k: np.array(v, dtype=object) for k, v in features.to_dict(as_series=False).items()}
    spoiled["hours"][test[1:]] = 10_000
    spoiled["job"][test[1:]] = "astronaut"
    changed = fl.compare(
        pl.DataFrame({k: v.tolist() for k, v in spoiled.items()}), people["hired"], **options
    )
    for name in (result.name for result in kept.results):
        a, b = kept[name].runs[0], changed[name].runs[0]
        assert a.score[test[0]] == b.score[test[0]]


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


def test_folds_are_even_in_every_cell_and_keep_units_together():
    rng = np.random.default_rng(0)
    leaves, labels = rng.integers(0, 5, 1000), rng.integers(0, 2, 1000)
    for repeat in range(2):
        folds = [f for f in cross_folds(leaves, labels, folds=4, repeats=2, seed=0) if f.repeat == repeat]
        assert sorted(np.concatenate([f.test for f in folds])) == list(range(1000))
        for f in folds:
            assert sorted([*f.train, *f.test]) == list(range(1000))
            sizes = np.bincount(leaves[f.test] * 2 + labels[f.test], minlength=10)
            assert np.abs(sizes - np.bincount(leaves * 2 + labels, minlength=10) / 4).max() <= 2
    units = rng.integers(0, 200, 1000)
    for f in cross_folds(leaves, labels, folds=4, repeats=1, seed=0, units=units):
        assert not set(units[f.train]) & set(units[f.test])
    with pytest.raises(fl.InputError, match="too small to test in 4 folds"):
        cross_folds(leaves[:10], np.r_[np.zeros(7, int), 1, 1, 1], folds=4, repeats=1, seed=0)


def test_rows_of_one_person_are_never_trained_and_tested_on(people):
    who = np.arange(people.height) // 3
    folds = run(people, strategies=["none"], units=who, repeats=1).fold[0]
    assert set(folds) == {0, 1, 2}
    assert all(len(set(folds[who == person])) == 1 for person in who)


def test_estimates_and_differences_by_hand():
    assert Estimate.of([1.0, 2.0, 6.0]) == Estimate(
        3.0, pytest.approx(np.std([1, 2, 6], ddof=1) / np.sqrt(3))
    )
    assert Estimate.of([1.0]) == Estimate(1.0, None)
    shape = np.array([-1.0, 1.0]) * 0.01  # a standard deviation of .01, so .0196 is the end of the noise
    assert Difference.of_draws(shape + 0.0195).within_noise
    assert not Difference.of_draws(shape + 0.0197).within_noise
    assert Difference.of_draws(shape + 0.0197).p_value == pytest.approx(0.05, abs=0.002)
    assert Difference.of_draws(shape + 0.1, known=False).within_noise
    assert Difference.of_draws(np.zeros(9)).within_noise


def test_differences_are_paired_and_antisymmetric(comparison):
    for figure in ("equalized_odds.if", "tpr.worst", "accuracy", "selection_rate.df"):
        forth = comparison.difference("equal", "none", figure)
        back = comparison.difference("none", "equal", figure)
        assert forth.median == pytest.approx(-back.median)
        assert (forth.low, forth.high) == (pytest.approx(-back.high), pytest.approx(-back.low))
        assert forth.probability_better == pytest.approx(1 - back.probability_better)


def test_the_baseline_never_levels_down_on_itself_and_hurts_nobody(comparison):
    assert comparison.leveling_down("none").verdict == "no"
    assert comparison.harm("none").fell == comparison.harm("none").rose == ()


class Flipping:
    """Predicts at random for everyone: fair, and everyone is worse off."""

    name = "random"

    def fit(self, _):
        return self

    def predict(self, X):
        return (np.random.default_rng(len(X)).random(len(X)) < 0.5).astype(int)


def planted(n, strategies):
    rng = np.random.default_rng(0)
    S = {"a": rng.integers(0, 2, n), "b": rng.integers(0, 2, n)}
    y = rng.integers(0, 2, n)
    shift = np.where((S["a"] == 1) & (S["b"] == 1), 2.0, 3.0)
    X = (y * shift + rng.normal(size=n))[:, None]
    return fl.compare(X, y, sensitive_features=S, strategies=strategies)


def test_leveling_down_and_harm_are_seen_when_planted():
    result = planted(6000, ["none", "equal", Flipping()])
    assert result.leveling_down("random").verdict == "yes"
    fell = result.harm("random").fell
    assert len(fell) == 8
    assert fell[0].after - fell[0].before < -0.2 and fell[0].probability_fell == 1.0
    assert result.recommendation.strategy == "none"


def test_predicting_one_label_for_everyone_is_fair_and_its_price_is_said():
    class Yes(Flipping):
        name = "yes"

        def predict(self, X):
            return np.ones(len(X), dtype=int)

    result = planted(2000, ["none", Yes()])
    price = Report.of(result, name="t").summary["recommendation"]["price"]
    assert price["selection_rate"]["after"] == 1.0
    assert price["accuracy"]["difference"] < -0.3
    assert result["yes"].accuracies.calibration is None


def test_a_classifier_of_ones_own(people):
    result = run(
        people, strategies=["none", "equal"], classifier=RandomForestClassifier(20), repeats=1, folds=2
    )
    assert result["none"].estimate("balanced_accuracy").mean > 0.6
    assert result.settings["classifier"].startswith("RandomForest")


@pytest.mark.parametrize("classifier", ["mlp", "boosting"])
def test_other_classifiers_by_name(people, classifier):
    result = run(people, strategies=["none", "equal"], classifier=classifier, repeats=1, folds=2)
    assert result["equal"].estimate("balanced_accuracy").mean > 0.55


def test_progress_is_told(people):
    seen = []
    run(people, strategies=["none", "equal"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 12) for i in range(1, 13)]


def test_what_compare_refuses(people):
    X, y, S = people.select("hours"), people["hired"], people.select("sex")
    cases = [
        ({"strategies": ["equl"]}, "Did you mean 'equal'"),
        ({"strategies": []}, "at least one"),
        ({"strategies": "equal"}, "must be a sequence"),
        ({"classifier": "logistik"}, "Did you mean 'logistic'"),
        ({"classifier": KNeighborsClassifier}, "a scikit-learn classifier"),
        ({"repeats": 0}, "`repeats` must be"),
        ({"folds": 1}, "`folds` must be"),
        ({"notion": "equal"}, "Did you mean"),
        ({"max_loss": 2.0}, "`max_loss` must lie"),
        ({"units": [1, 2]}, "differ in length"),
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
        found = run(people, strategies=["none"], classifier=classifier, random_state=seed, repeats=1, folds=2)
        assert found["none"].estimate("balanced_accuracy").mean > 0.5


def test_threads_of_the_users_own_backend_give_the_same(people, comparison):
    with joblib.parallel_config(backend="threading"):
        again = run(people, n_jobs=4)
    about = {"name": "t", "rows": people.height}
    assert Report.of(again, data=about).to_json() == Report.of(comparison, data=about).to_json()


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
    result = fl.compare(
        table, y, sensitive_features=S, strategies=["equal", "augment", "borrow"], repeats=1, folds=3
    )
    shares = {r.name: [run.predicted.mean() for run in r.runs] for r in result.results}
    for name in ("augment", "borrow"):
        assert np.abs(np.subtract(shares[name], shares["equal"])).max() < 0.12


def test_features_of_a_comparison_are_those_trained_on():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    X = pl.DataFrame({"id": np.arange(200) + 1, "x": x})
    y = (x + rng.normal(size=200) > 0).astype(int)
    with pytest.warns(fl.exceptions.AssumptionWarning, match="id"):
        result = fl.compare(
            X, y, sensitive_features=rng.choice(["a", "b"], 200), strategies=["none"], folds=2, repeats=1
        )
    assert result.features == ("x",)


def test_an_infinite_value_is_named_by_its_row_in_the_whole_table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    x[123] = np.inf
    S = {"g": rng.choice(["a", "b"], 200)}
    with pytest.raises(fl.InputError, match=r"`x` .* \(first in row 123"):
        fl.compare({"x": x}, rng.integers(0, 2, 200), sensitive_features=S, strategies=["none"])
