"""Learned weights: cells with low recall weigh more, and likely rows represent small cells."""

from typing import ClassVar

import numpy as np
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import fairlattice as fl
from fairlattice.samplers import CellIndex, ImportanceSampler
from fairlattice.strategies import _learned as learned
from fairlattice.strategies._learned import Learner, fit_mass, learn_mass
from fairlattice.strategies._spread import (
    known_cells,
    mean_one,
    representation_of,
    spread_weights,
    thinned_cells,
)


def people(seed=0, n=1500):
    """Two attributes; in the small leaf (b, 1) the label hangs on another feature than elsewhere."""
    rng = np.random.default_rng(seed)
    S = {"a": rng.choice(["a", "b"], n, p=[0.8, 0.2]), "o": (rng.random(n) < 0.2).astype(int)}
    small = (S["a"] == "b") & (S["o"] == 1)
    X = rng.normal(size=(n, 4)) + 0.8 * np.column_stack([S["a"] == "b", S["o"] == 1, small, small])
    y = (np.where(small, X[:, 3] - 1.2, X[:, 0]) + 0.5 * rng.normal(size=n) > 0.3).astype(int)
    return X, y, S, small


def fitted(seed=0, n=1500):
    X, y, S, _ = people(seed, n)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    lattice = fl.GroupLattice.from_features(S)
    index = CellIndex(lattice, lattice.encode(S), y.astype(np.int64), 2)
    return Z, index, ImportanceSampler.fit(Z, index, entropy=(seed,))


def test_weights_are_positive_have_mean_one_and_follow_the_seed():
    X, y, S, _ = people()
    first, again, other = (fl.adaptive_weights(X, y, sensitive_features=S, random_state=r) for r in (0, 0, 1))
    assert (first > 0).all()
    assert first.mean() == pytest.approx(1)
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_without_borrowing_rows_of_a_cell_weigh_the_same_and_with_it_they_do_not():
    X, y, S, _ = people()
    own = fl.adaptive_weights(X, y, sensitive_features=S, spread=False, random_state=0)
    cells = np.unique([f"{a}{o}{k}" for a, o, k in zip(S["a"], S["o"], y, strict=True)], return_inverse=True)[
        1
    ]
    assert all(len(np.unique(own[cells == c].round(12))) == 1 for c in range(8))
    borrowed = fl.adaptive_weights(X, y, sensitive_features=S, random_state=0)
    assert len(np.unique(borrowed.round(12))) > 100


def test_the_worst_group_is_recognised_better_on_new_rows():
    X, y, S, small = people(1, 3000)
    new_X, new_y, _, new_small = people(101, 20_000)
    recalls = {}
    for name, weights in {
        "equal": fl.equal_weights(y, sensitive_features=S),
        "adaptive": fl.adaptive_weights(X, y, sensitive_features=S, cost=0.05, random_state=0),
    }.items():
        right = LogisticRegression().fit(X, y, sample_weight=weights).predict(new_X) == new_y
        recalls[name] = min(right[new_small & (new_y == k)].mean() for k in (0, 1))
    assert small.sum() < 200
    assert recalls["adaptive"] > recalls["equal"] + 0.05


def test_the_round_taken_is_fairer_than_equal_weights_at_no_more_than_the_cost():
    Z, index, sampler = fitted()
    for spread in (True, False):
        found = learn_mass(
            sampler, Learner.of(None, Z, Z), spread=spread, cost=0.02, rng=np.random.default_rng(0)
        )
        assert found.mass.sum() == pytest.approx(1)
        assert (found.mass > 0).all()
        assert found.unfairness[found.chosen] <= found.unfairness[0]
        if not spread:  # then the first round is equal weights, which the cost is counted from
            assert found.balanced_accuracy[found.chosen] >= found.balanced_accuracy[0] - 0.02
    assert len(known_cells(index)[0]) == 8


def test_a_cost_of_nothing_takes_equal_weights_or_what_is_no_less_accurate():
    Z, _, sampler = fitted()
    found = learn_mass(sampler, Learner.of(None, Z, Z), spread=False, cost=0.0, rng=np.random.default_rng(0))
    assert found.balanced_accuracy[found.chosen] >= found.balanced_accuracy[0]


def test_borrowed_weights_are_what_many_draws_come_to():
    Z, index, sampler = fitted(n=300)
    cells, _ = known_cells(index)
    mass = np.arange(1.0, len(cells) + 1)
    expected = mean_one(spread_weights(sampler, mass))
    drawn = np.zeros(len(Z))
    for cell, share in zip(cells, mass, strict=True):
        rows = sampler.draw(cell, 20_000)[1][:, 0]
        drawn += share * np.bincount(rows, minlength=len(Z)) / len(rows)
    drawn *= len(Z) / drawn.sum()
    assert drawn == pytest.approx(expected, abs=0.02 * expected.max())
    whole = representation_of(sampler, np.arange(len(Z)))
    assert whole.weights(mass, spread=True) == pytest.approx(expected)
    assert whole.shares.sum(axis=1) == pytest.approx(np.ones(len(cells)))


def test_part_of_the_rows_stands_for_all_cells():
    Z, _, sampler = fitted()
    part = representation_of(sampler, np.arange(0, len(Z), 3))
    assert part.shares.sum(axis=1) == pytest.approx(np.ones(8))
    values = np.random.default_rng(0).random(len(part.place))
    raw = np.bincount(part.place, weights=values) / part.sizes
    assert part.shrunk(values, 0.0) == pytest.approx(raw)
    assert part.shrunk(values, 1e12) == pytest.approx(part.shares @ values)
    assert part.shrunk(np.full(len(values), 0.7), 50.0) == pytest.approx(np.full(8, 0.7))


def test_memory_is_bounded_where_nearly_every_row_is_a_cell(monkeypatch):
    rng = np.random.default_rng(0)
    S = {f"a{i}": rng.integers(0, 3, 400) for i in range(6)}
    X = rng.normal(size=(400, 3))
    y = (X[:, 0] > 0).astype(int)
    monkeypatch.setattr(learned, "_MOST_SHARES", 30_000)
    looked_at = []
    monkeypatch.setattr(
        learned, "representation_of", lambda *a: looked_at.append(representation_of(*a)) or looked_at[0]
    )
    weights = fl.adaptive_weights(X, y, sensitive_features=S, random_state=0)
    cells, rows = looked_at[0].shares.shape
    assert cells > 300 and rows == 30_000 // cells  # fewer rows than cells
    assert weights.min() >= 0 and weights.mean() == pytest.approx(1)


def test_many_rows_are_looked_at_in_part_small_cells_whole(monkeypatch):
    monkeypatch.setattr(learned, "_MOST_ROWS", 600)
    Z, index, sampler = fitted()
    rows = thinned_cells(known_cells(index)[1], 600, np.random.default_rng(0), least=3)
    place = known_cells(index)[1]
    sizes, kept = np.bincount(place), np.bincount(place[rows])
    assert len(rows) <= 600
    assert (kept == np.minimum(sizes, kept.max())).all()
    found = learn_mass(sampler, Learner.of(None, Z, Z), spread=True, rng=np.random.default_rng(0))
    # The accuracy told is that of the table, not of the rows that were kept.
    labels = np.asarray([c.label for c in known_cells(index)[0]])
    seen = learned._Seen(rows, representation_of(sampler, rows), sizes)
    correct = (place[rows] < 2).astype(float)
    of_label = [sizes[(labels == k) & (np.arange(8) < 2)].sum() / sizes[labels == k].sum() for k in (0, 1)]
    assert seen.accuracy(correct) == pytest.approx(np.mean(of_label))
    assert found.mass.min() > 0


@pytest.mark.parametrize(
    ("y", "groups", "told"),
    [
        ([0, 1, 2] * 20, ["a", "b"] * 30, "two classes, got 3"),
        ([1] * 60, ["a", "b"] * 30, "two classes, got 1"),
        ([0, 1] * 30, {}, "no columns"),
        ([0, 1] * 29, ["a", "b"] * 30, "`y` has 58"),
    ],
)
def test_bad_input_is_refused(y, groups, told):
    X = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(fl.InputError, match=told):
        fl.adaptive_weights(X, y, sensitive_features=groups)


def test_one_row_of_a_label_and_one_group_are_no_obstacle():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.r_[1, np.zeros(39, dtype=int)]
    weights = fl.adaptive_weights(X, y, sensitive_features=["a"] * 40, random_state=0)
    assert np.isfinite(weights).all()
    assert weights[0] == pytest.approx(20)


def test_the_classifier_takes_adaptive_weights_or_draws_by_them():
    X, y, S, _ = people()
    for strategy, spread in (("adaptive", False), ("borrow", True)):
        model = fl.FairClassifier(LogisticRegression(), strategy, random_state=0)
        model.fit(X, y, sensitive_features=S)
        weights = fl.adaptive_weights(
            X, y, sensitive_features=S, spread=spread, estimator=LogisticRegression(), random_state=0
        )
        by_hand = LogisticRegression().fit(X, y, sample_weight=weights)
        assert model.estimator_.coef_ == pytest.approx(by_hand.coef_)
    drawn = fl.FairClassifier(KNeighborsClassifier(), "adaptive", random_state=0)
    assert drawn.fit(X, y, sensitive_features=S).predict(X).shape == y.shape
    with pytest.raises(fl.InputError, match="`adaptive` uses groups"):
        fl.FairClassifier(LogisticRegression(), "adaptive").fit(X, y)


def test_a_regression_is_cross_fitted_as_strongly_penalised_as_it_is_and_others_as_they_are():
    Z = np.zeros((4, 3))
    for estimator in (LogisticRegression(C=0.1), make_pipeline(StandardScaler(), LogisticRegression(C=0.1))):
        learner = Learner.of(estimator, None, Z)
        assert learner.before is None and learner.model.C == 0.1 and learner.X is Z
    for estimator in (
        LogisticRegression(solver="liblinear", l1_ratio=1.0),
        make_pipeline(PolynomialFeatures(), LogisticRegression()),
        KNeighborsClassifier(),
    ):
        learner = Learner.of(estimator, "rows", Z)
        assert learner.model is estimator and learner.X == "rows"
        assert learner.before.X is Z


class Counting(DecisionTreeClassifier):
    """A tree that knows how many rows it was ever trained on."""

    sizes: ClassVar[list[int]] = []

    def fit(self, X, y, sample_weight=None):
        self.sizes.append(len(X))
        return super().fit(X, y, sample_weight)


def test_an_estimator_is_cross_fitted_on_a_bounded_number_of_rows(monkeypatch):
    X, y, S, _ = people()
    Counting.sizes.clear()
    weights = fl.adaptive_weights(X, y, sensitive_features=S, estimator=Counting(max_depth=3), random_state=0)
    assert len(Counting.sizes) == 3  # one round on from the weights of the regression, on three folds
    assert set(Counting.sizes) == {1000}
    assert weights.mean() == pytest.approx(1)
    monkeypatch.setattr(learned, "_MOST_OWN", 600)
    Counting.sizes.clear()
    fl.adaptive_weights(X, y, sensitive_features=S, estimator=Counting(max_depth=3), random_state=0)
    assert max(Counting.sizes) <= 400


def test_cells_that_the_estimator_does_not_see_are_raised():
    """A stump looks at one feature, which is another in the small leaf than elsewhere."""
    X, y, S, small = people(2, 3000)
    stump = DecisionTreeClassifier(max_depth=1, random_state=0)
    weights = fl.adaptive_weights(
        X, y, sensitive_features=S, cost=0.2, spread=False, estimator=stump, random_state=0
    )
    assert weights[small].sum() > 1.2 * fl.equal_weights(y, sensitive_features=S)[small].sum()


@pytest.mark.parametrize("last", [KNeighborsClassifier(), LogisticRegression()])
def test_pipelines_on_frames_and_classifiers_without_weights_are_cross_fitted(last):
    X, y, S, _ = people(n=600)
    frame = pl.DataFrame(X, schema=list("wxyz")).with_columns(pl.Series("o", S["o"]).cast(str)).to_pandas()
    encode = make_column_transformer((OneHotEncoder(), ["o"]), remainder="passthrough")
    model = fl.FairClassifier(make_pipeline(encode, last), strategy="adaptive", random_state=0)
    labels = np.where(y == 1, "yes", "no")
    first, again = (model.fit(frame, labels, sensitive_features=S).predict_proba(frame) for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert set(model.predict(frame)) == {"yes", "no"}


def test_weights_from_vectors_are_those_of_the_table():
    Z, index, _ = fitted()
    learner = Learner.of(None, Z, Z)
    first, again = (fit_mass(Z, index, learner, spread=True, entropy=(3,))[1] for _ in range(2))
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize("borrow", [False, True])
def test_sparse_arrays_give_tables_of_categories_the_same_weights(borrow, monkeypatch):
    X, y, S, _ = people(n=900)
    kinds = np.random.default_rng(1).integers(0, 40, (len(y), 2))
    frame = pl.DataFrame({"x": X[:, 0], **{f"kind{j}": [f"k{k}" for k in kinds[:, j]] for j in range(2)}})
    assert np.mean(fl.TableEncoder().fit_transform(frame) != 0) < learned._LIGHT

    def weights(light):
        monkeypatch.setattr(learned, "_LIGHT", light)
        return fl.adaptive_weights(frame, y, sensitive_features=S, spread=borrow, random_state=0)

    np.testing.assert_allclose(weights(learned._LIGHT), weights(0.0), rtol=1e-6)
