"""The classifier: scikit-learn's own checks, and that groups travel with the rows."""

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import fairlattice as fl


@parametrize_with_checks(
    [
        fl.FairClassifier(LogisticRegression(), "none"),
        fl.FairClassifier(LogisticRegression(), "label"),
        fl.FairClassifier(KNeighborsClassifier(), "label", random_state=0),
    ]
)
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def biased():
    """A small group in which the label depends on the feature the other way round."""
    rng = np.random.default_rng(0)
    n = 4000
    S = {"sex": rng.choice(["f", "m"], n, p=[0.1, 0.9]), "old": rng.integers(0, 2, n)}
    small = (S["sex"] == "f") & (S["old"] == 1)
    X = rng.normal(size=(n, 2)) + 2.0 * small[:, None]
    y = (X[:, 0] - 4.0 * small + 0.5 * rng.normal(size=n) > 0.5).astype(int)
    return X, y, S


def test_weights_are_equal_sampling(biased):
    X, y, S = biased
    model = fl.FairClassifier(LogisticRegression(), "equal").fit(X, y, sensitive_features=S)
    by_hand = LogisticRegression().fit(X, y, sample_weight=fl.equal_weights(y, sensitive_features=S))
    assert model.predict_proba(X) == pytest.approx(by_hand.predict_proba(X))
    plain = LogisticRegression().fit(X, y)
    before, after = (fl.audit(y, m.predict(X), sensitive_features=S) for m in (plain, model))
    assert after.alpha_intersectional("equalized_odds") < before.alpha_intersectional("equalized_odds")


def test_the_positive_label_is_the_one_that_an_opportunity_is_about(biased):
    X, y, S = biased
    words = np.where(np.asarray(y) == 1, "approved", "refused")
    options = {"strategy": "thresholds", "notion": "equal_opportunity", "random_state": 0}
    coded = fl.FairClassifier(LogisticRegression(), **options).fit(X, y, sensitive_features=S)
    named = fl.FairClassifier(LogisticRegression(), positive="approved", **options)
    predicted = named.fit(X, words, sensitive_features=S).predict(X, sensitive_features=S)
    assert named.classes_.tolist() == ["refused", "approved"]
    assert ((predicted == "approved") == (coded.predict(X, sensitive_features=S) == 1)).all()
    assert (named.predict_proba(X) == coded.predict_proba(X)).all()
    last = fl.FairClassifier(LogisticRegression(), **options).fit(X, words, sensitive_features=S)
    assert (last.predict(X, sensitive_features=S) != predicted).any()  # about the refused
    assert clone(named).positive == "approved"


@pytest.mark.parametrize(
    ("labels", "positive", "word"), [("ab", "c", "'c' does not occur"), ("abc", "a", "there are 3")]
)
def test_a_positive_label_that_is_not_one_of_two_is_refused(labels, positive, word):
    X, y = np.zeros((30, 1)), np.array(list(labels * 30))[:30]
    with pytest.raises(fl.InputError, match=word):
        fl.FairClassifier(LogisticRegression(), "label", positive=positive).fit(X, y)


def test_class_weights_need_no_groups_and_strategies_that_use_them_do(biased):
    X, y, _ = biased
    model = fl.FairClassifier(LogisticRegression(), "label").fit(X, y)
    balanced = LogisticRegression(class_weight="balanced").fit(X, y)
    assert model.predict_proba(X) == pytest.approx(balanced.predict_proba(X), abs=1e-6)
    for name, strategy in fl.STRATEGIES.items():
        if strategy.uses_groups:
            with pytest.raises(fl.InputError, match=f"`{name}` uses groups"):
                fl.FairClassifier(LogisticRegression(), name).fit(X, y)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        KNeighborsClassifier(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        HistGradientBoostingClassifier(max_iter=5),
    ],
    ids=lambda e: type(e).__name__,
)
def test_any_estimator_with_an_augmenter(biased, estimator):
    X, y, S = biased
    augmenter = fl.HierarchicalAugmenter(per_cell=200, random_state=0)
    model = fl.FairClassifier(estimator, augmenter=augmenter, random_state=0).fit(X, y, sensitive_features=S)
    again = clone(model).fit(X, y, sensitive_features=S)
    assert model.score(X, y) > 0.6
    assert (model.predict(X) == again.predict(X)).all()
    assert hasattr(model, "predict_proba")
    assert hasattr(model, "decision_function") == hasattr(model.estimator_, "decision_function")
    assert not hasattr(augmenter, "lattice_")  # the parameter itself is left alone


def test_frames_in_frames_to_the_estimator(people):
    S = people.select("sex", "race")
    X = people.select("hours", "skill")
    model = fl.FairClassifier(
        make_pipeline(StandardScaler(), LogisticRegression()),
        augmenter=fl.HierarchicalAugmenter(random_state=0),
    ).fit(X, people["hired"].to_numpy(), sensitive_features=S)
    assert model.feature_names_in_.tolist() == ["hours", "skill"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X.rename({"hours": "minutes"}))


def test_grid_search_over_the_inside(people):
    X, y = people.drop("hired", "job", "race").with_columns(pl.col("sex") == "f"), people["hired"].to_numpy()
    model = fl.FairClassifier(
        LogisticRegression(max_iter=2000),
        augmenter=fl.HierarchicalAugmenter(sensitive=["sex"], per_cell=100, random_state=0),
    )
    search = GridSearchCV(model, {"augmenter__mixing": ["scalar", "diagonal"], "estimator__C": [0.1]}, cv=2)
    assert search.fit(X.to_pandas(), y).best_score_ > 0.6


def test_what_it_refuses(biased):
    X, y, S = biased
    with pytest.raises(fl.InputError, match="Did you mean 'equal'"):
        fl.FairClassifier(LogisticRegression(), "equl").fit(X, y, sensitive_features=S)
    with pytest.raises(fl.InputError, match="uses groups"):
        fl.FairClassifier(LogisticRegression(), augmenter=fl.HierarchicalAugmenter()).fit(X, y)
    with pytest.raises(fl.InputError, match="synthetic rows of its own"):
        fl.FairClassifier(LogisticRegression(), "smote", augmenter=fl.HierarchicalAugmenter()).fit(
            X, y, sensitive_features=S
        )
    with pytest.raises(fl.InputError, match="differ in length"):
        fl.FairClassifier(LogisticRegression()).fit(X, y, sensitive_features=S["sex"][:9])


class Recorder(LogisticRegression):
    """Remembers the weights it was trained with."""

    def fit(self, X, y, sample_weight=None):
        type(self).seen = sample_weight
        return super().fit(X, y, sample_weight)


def test_cut_attributes_are_weighted_by_band(people):
    X, y, S = people.select("hours", "skill"), people["hired"].to_numpy(), people.select("sex", "age")
    cuts = {"age": [30, 60]}
    fl.FairClassifier(Recorder(), "equal", cuts=cuts).fit(X, y, sensitive_features=S)
    assert Recorder.seen == pytest.approx(fl.equal_weights(y, sensitive_features=S, cuts=cuts))
    assert len(np.unique(Recorder.seen.round(9))) <= 12
    augmenter = fl.HierarchicalAugmenter(cuts=cuts, random_state=0)
    fl.FairClassifier(Recorder(), augmenter=augmenter).fit(X, y, sensitive_features=S)
    assert Recorder.seen == pytest.approx(1.0)  # raised to the same size, so they weigh the same
