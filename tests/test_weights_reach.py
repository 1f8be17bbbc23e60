"""Weights reach the model whatever it is: passed where they arrive, else rows are drawn by them."""

import numpy as np
import pytest
import sklearn
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as resampling_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import fairlattice as fl
from fairlattice.strategies._weighted_fit import fit_weighted, weight_route

SCALED = make_pipeline(StandardScaler(), LogisticRegression())
LAST = "logisticregression__sample_weight"


class Kwargs(ClassifierMixin, BaseEstimator):
    """Takes any argument of `fit`, and drops it."""

    def fit(self, X, y, **_):
        self.inner_ = LogisticRegression().fit(X, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X):
        return self.inner_.predict(X)


CASES = {
    "plain": (LogisticRegression(), "sample_weight"),
    "no weights": (KNeighborsClassifier(50), None),
    "pipeline": (SCALED, LAST),
    "pipeline without weights": (make_pipeline(StandardScaler(), KNeighborsClassifier(50)), None),
    "nested pipeline": (make_pipeline(StandardScaler(), SCALED), f"pipeline__{LAST}"),
    "resampling pipeline": (
        resampling_pipeline(RandomOverSampler(random_state=0), LogisticRegression()),
        None,
    ),
    "calibrated": (CalibratedClassifierCV(LogisticRegression()), "sample_weight"),
    "calibrated pipeline": (CalibratedClassifierCV(SCALED), None),
    "boosted trees": (
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=5),
        "sample_weight",
    ),
    "boosted default": (AdaBoostClassifier(n_estimators=5), "sample_weight"),
    "bagged neighbours": (BaggingClassifier(KNeighborsClassifier(50), random_state=0), None),
    "grid search": (GridSearchCV(LogisticRegression(), {"C": [0.5, 1.0]}, cv=2), "sample_weight"),
    "grid search over a pipeline": (GridSearchCV(SCALED, {"logisticregression__C": [0.5, 1.0]}, cv=2), LAST),
    "grid search over a resampling pipeline": (
        GridSearchCV(
            resampling_pipeline(RandomOverSampler(random_state=0), LogisticRegression()),
            {"logisticregression__C": [0.5, 1.0]},
            cv=2,
        ),
        None,
    ),
    "calibrated grid search": (
        CalibratedClassifierCV(GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2), cv=2),
        None,
    ),
    "vote": (VotingClassifier([("a", LogisticRegression()), ("b", KNeighborsClassifier(50))]), None),
    "forest": (RandomForestClassifier(10, random_state=0), "sample_weight"),
    "any argument": (Kwargs(), None),
}


def contrary():
    """Rows whose majority says 0 everywhere, and whose weighted majority says 1 where x is 1."""
    x = np.repeat([0.0, 1.0], 400)
    y = np.r_[np.zeros(390), np.ones(10), np.zeros(300), np.ones(100)].astype(int)
    weights = np.where((x == 1) & (y == 1), 20.0, 1.0)
    order = np.random.default_rng(0).permutation(len(x))
    return x[order, None], y[order], (weights / weights.mean())[order]


@pytest.mark.parametrize("routing", [False, True], ids=["routing off", "routing on"])
@pytest.mark.parametrize("name", CASES)
def test_the_model_learns_what_the_weighted_rows_say(name, routing):
    estimator, route = CASES[name]
    X, y, weights = contrary()
    model = sklearn.clone(estimator)
    with sklearn.config_context(enable_metadata_routing=routing):
        assert weight_route(model) == route
        fit_weighted(model, X, y, weights, rng=np.random.default_rng(0))
        assert model.predict([[0.0], [1.0]]).tolist() == [0, 1]
        assert sklearn.clone(estimator).fit(X, y).predict([[0.0], [1.0]])[1] == (name.count("resampling") > 0)


def test_a_grid_search_around_a_fair_classifier_routes_the_groups():
    rng = np.random.default_rng(0)
    X, S = rng.normal(size=(400, 2)), rng.choice(["f", "m"], 400, p=[0.2, 0.8])
    y = (X[:, 0] + (S == "f") * X[:, 1] > 0).astype(int)
    with sklearn.config_context(enable_metadata_routing=True):
        for strategy in ("equal", "thresholds"):
            model = fl.FairClassifier(SCALED, strategy, random_state=0)
            model.set_fit_request(sensitive_features=True).set_predict_request(sensitive_features=True)
            model.set_score_request(sensitive_features=True)
            search = GridSearchCV(model, {"estimator__logisticregression__C": [0.1, 1.0]}, cv=2)
            search.fit(X, y, sensitive_features=S)
            assert search.best_score_ > 0.7
            behind = make_pipeline(StandardScaler().set_fit_request(), model)
            assert behind.fit(X, y, sensitive_features=S).predict(X, sensitive_features=S).shape == (400,)


@pytest.mark.parametrize("routing", [False, True], ids=["routing off", "routing on"])
def test_a_pipeline_is_trained_the_same_with_metadata_routing_on_and_off(routing):
    rng = np.random.default_rng(0)
    X, y, S = rng.normal(size=(200, 3)), rng.integers(0, 2, 200), rng.choice(["f", "m"], 200)
    with sklearn.config_context(enable_metadata_routing=routing):
        model = fl.FairClassifier(SCALED, "equal").fit(X, y, sensitive_features=S)
    weights = fl.equal_weights(y, sensitive_features=S)
    by_hand = LogisticRegression().fit(StandardScaler().fit_transform(X), y, sample_weight=weights)
    assert model.estimator_[-1].coef_ == pytest.approx(by_hand.coef_)


def test_boosting_around_what_takes_no_weights_fails_as_it_does_by_itself():
    """AdaBoost reweighs rows for its inner model, so scikit-learn itself refuses one without weights."""
    X, y, weights = contrary()
    for inner in (KNeighborsClassifier(), SCALED):
        model = AdaBoostClassifier(inner, n_estimators=5)
        assert weight_route(model) is None
        with pytest.raises(ValueError, match="doesn't support sample_weight"):
            sklearn.clone(model).fit(X, y)
        with pytest.raises(ValueError, match="doesn't support sample_weight"):
            fit_weighted(model, X, y, weights, rng=np.random.default_rng(0))


def test_a_comparison_takes_classifiers_without_weights(people):
    X, S = people.select("hours", "skill"), people.select("sex", "race")
    for classifier in (KNeighborsClassifier(50), MLPClassifier((8,), max_iter=50, random_state=0)):
        result = fl.compare(
            X, people["hired"], sensitive_features=S, strategies=["none", "equal"],
            classifier=classifier, repeats=1,
        )  # fmt: skip
        plain, equal = (result[name].runs[0].predicted for name in ("none", "equal"))
        assert (plain != equal).any()
