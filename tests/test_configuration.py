"""What is computed does not depend on what scikit-learn is told to return: arrays or frames."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import fairlattice as fl
from fairlattice import classifiers
from fairlattice.benchmark import diagnose, drift
from fairlattice.report import Report


def parts(people):
    frame = people.head(300)
    return {
        "X": frame.drop("hired", "sex", "race"),
        "y": frame["hired"].to_numpy(),
        "sensitive_features": frame.select("sex", "race"),
    }


def augmented(people):
    given = parts(people)
    augmenter = fl.HierarchicalAugmenter(random_state=0).fit(**given)
    return augmenter.augment(**given).X.rows()


def compared(people):
    result = fl.compare(**parts(people), strategies=["none", "smote", "adaptive", "parents"], repeats=1)
    return Report.of(result).to_json()


def diagnosed(people):
    return Report.of(diagnose(**parts(people), sources=["parents"], permutations=99)).to_json()


def drifted(people):
    given, later = parts(people), parts(people.tail(300))
    later = {"later_X": later["X"], "later_y": later["y"], "later_features": later["sensitive_features"]}
    return repr(drift(**given, **later, source="parents", permutations=99, random_state=0))


def weights(people):
    return fl.adaptive_weights(**parts(people), random_state=0).tolist()


def trained(people):
    given = parts(people)
    model = fl.FairClassifier(make_pipeline(fl.TableEncoder(), LogisticRegression()), random_state=0)
    probabilities = []
    for strategy in ("adaptive", "smote", "augment"):
        fitted = clone(model).set_params(strategy=strategy).fit(**given)
        probabilities.append(np.asarray(fitted.predict_proba(given["X"])).tolist())
    return probabilities


def network(people):
    pytest.importorskip("torch")
    given = parts(people)
    X = given["X"].select("age", "hours", "skill").to_numpy()
    models = [classifiers.NeuralClassifier(steps=5), classifiers.NullspaceClassifier(steps=5, n_iterations=2)]
    fitted = [m.fit(X, given["y"], sensitive_features=given["sensitive_features"]) for m in models]
    return [model.predict_proba(X).tolist() for model in fitted]


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("compute", [augmented, compared, diagnosed, drifted, weights, trained, network])
@pytest.mark.filterwarnings("ignore::fairlattice.exceptions.FairlatticeWarning")
def test_the_configuration_of_scikit_learn_changes_nothing(compute, library, people):
    expected = compute(people)
    with config_context(transform_output=library):
        assert compute(people) == expected
