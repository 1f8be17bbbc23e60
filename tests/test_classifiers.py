"""Neural classifiers: the estimator's laws, and that each method does what it is for."""

import pickle
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from fairlattice import InputError
from fairlattice.classifiers import (
    Adversarial,
    FairGrad,
    FairMixup,
    GroupDRO,
    NeuralClassifier,
    NullspaceClassifier,
    NullspaceProjection,
    SoftDifferentialFairness,
    Unconstrained,
)
from fairlattice.classifiers._network import make_network
from fairlattice.classifiers._nullspace import new_directions
from fairlattice.classifiers._training import Epochs, WithReplacement
from fairlattice.exceptions import FairlatticeWarning

WEIGHTED = {
    "check_sample_weight_equivalence_on_dense_data": "weights are chances of drawing: they hold on average",
    "check_sample_weight_equivalence_on_sparse_data": "the same",
}
FORMS = [
    Adversarial(),
    Adversarial(heads="leaf", hidden=()),
    *(FairGrad(notion=n) for n in ("equalized_odds", "equal_opportunity", "accuracy_parity")),
    FairGrad(notion="demographic_parity"),
    *(FairMixup(notion=n) for n in ("equalized_odds", "equal_opportunity", "demographic_parity")),
    *(SoftDifferentialFairness(notion=n) for n in ("equalized_odds", "equal_opportunity")),
    SoftDifferentialFairness(),
    GroupDRO(),
]
QUICK = {"hidden": (8, 6), "steps": 60, "batch_size": 32}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@parametrize_with_checks(
    [
        NeuralClassifier(hidden=(16,), steps=100, batch_size=32, learning_rate=0.04, dropout=0.1),
        NullspaceClassifier(0, hidden=(16,), steps=100, batch_size=32, learning_rate=0.04, dropout=0.1),
    ],
    expected_failed_checks=lambda _: WEIGHTED,
)
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)


def planted(n=3000, seed=0):
    """Two attributes; the label of one leaf in four is pulled down, and a feature tells of it."""
    rng = np.random.default_rng(seed)
    S = {"a": rng.integers(0, 2, n), "b": rng.choice(["x", "y"], n)}
    low = (S["a"] == 1) & (S["b"] == "x")
    skill = rng.normal(size=n)
    X = np.column_stack(
        [skill, low + 0.3 * rng.normal(size=n), S["a"] + 0.3 * rng.normal(size=n), rng.normal(size=n)]
    )
    y = (skill - 1.5 * low + 1.2 * rng.normal(size=n) > 0).astype(int)
    return X, y, S


@pytest.fixture(scope="module")
def small():
    return planted(300)


def probabilities(model, table, **more):
    X, y, S = table
    return model.fit(X, y, sensitive_features=S, **more).predict_proba(X)


@pytest.mark.parametrize("weighted", [False, True])
def test_every_objective_of_weight_zero_is_unconstrained_to_the_byte(small, weighted):
    more = {"sample_weight": np.random.default_rng(0).random(300)} if weighted else {}
    plain = probabilities(NeuralClassifier(**QUICK), small, **more)
    assert np.ptp(plain) > 0.05
    for objective in FORMS:
        zero = type(objective)(**{**vars(objective), "weight": 0.0})
        assert np.array_equal(probabilities(NeuralClassifier(zero, **QUICK), small, **more), plain), zero
        strong = type(objective)(**{**vars(objective), "weight": 1.0})
        assert not np.array_equal(probabilities(NeuralClassifier(strong, **QUICK), small, **more), plain)
    projected = probabilities(NullspaceClassifier(0, **QUICK), small, **more)
    assert np.array_equal(projected, plain)


def test_the_adversary_s_shape_changes_nothing_but_through_its_gradient(small):
    plain = probabilities(NeuralClassifier(Unconstrained(), **QUICK), small)
    wide = Adversarial(weight=0.0, heads="leaf", hidden=(9, 9))
    assert np.array_equal(probabilities(NeuralClassifier(wide, **QUICK), small), plain)


@pytest.mark.parametrize("objective", [None, *FORMS[::3], FairMixup()])
def test_one_seed_gives_the_same_bytes_and_touches_no_global_generator(small, objective):
    np.random.seed(5)  # noqa: NPY002 - the state that must not move
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model = NeuralClassifier(objective, **QUICK)
    first = probabilities(model, small)
    torch.rand(3)
    assert np.array_equal(probabilities(clone(model), small), first)
    assert np.array_equal(probabilities(model, small), first)  # state of a fit does not outlive it
    assert not np.array_equal(probabilities(clone(model).set_params(random_state=1), small), first)
    torch.set_rng_state(before[0])
    probabilities(clone(model).set_params(random_state=None), small)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_random_states_of_all_kinds_are_taken(small):
    for make in (np.random.RandomState, np.random.default_rng):
        made = [probabilities(NeuralClassifier(random_state=make(s), **QUICK), small) for s in (3, 3, 4)]
        assert np.array_equal(made[0], made[1])
        assert not np.array_equal(made[0], made[2])
    with pytest.raises(InputError, match="`random_state`"):
        probabilities(NeuralClassifier(random_state="a", **QUICK), small)


def test_the_network_has_the_shape_that_is_stated(small):
    model = NeuralClassifier(hidden=(7, 5, 3), steps=250, batch_size=16)
    X = small[0]
    p = probabilities(model, small)
    shapes = [tuple(weight.shape) for weight, _ in model.network_.layers]
    assert shapes == [(7, 4), (5, 7), (3, 5), (1, 3)]
    hidden = (X - X.mean(axis=0)) / X.std(axis=0)
    for weight, bias in model.network_.layers[:-1]:
        hidden = np.maximum(hidden @ weight.numpy().T + bias.numpy(), 0)
    np.testing.assert_allclose(model.transform(X), hidden, atol=1e-5)
    weight, bias = (t.numpy() for t in model.network_.layers[-1])
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-(hidden @ weight[0] + bias[0]))), atol=1e-5)
    assert len(model.loss_curve_) == 3
    assert model.loss_curve_[0] > model.loss_curve_[1]
    assert list(model.get_feature_names_out()) == [f"neuralclassifier{i}" for i in range(3)]


def test_initial_weights_are_uniform_in_what_their_inputs_allow():
    (weight, bias), _ = make_network((400, 50, 1), np.random.default_rng(0)).layers
    assert float(weight.detach().abs().max()) <= 0.05 and float(bias.detach().abs().max()) <= 0.05
    assert float(weight.detach().std()) == pytest.approx(0.05 / 3**0.5, rel=0.02)


def test_epochs_show_every_row_as_often_as_any_other():
    stream = Epochs(7, np.random.default_rng(0))
    rows = np.concatenate([stream.take(k) for k in (3, 5, 1, 20, 6)])
    for epoch in rows.reshape(5, 7):
        assert sorted(epoch) == list(range(7))
    assert not np.array_equal(rows[:7], rows[7:14])


def test_rows_are_drawn_in_proportion_to_their_chances():
    rows = WithReplacement(np.array([0.5, 0.1, 0.4]), np.random.default_rng(0)).take(40_000)
    np.testing.assert_allclose(np.bincount(rows) / 40_000, [0.5, 0.1, 0.4], atol=0.01)


def test_weights_are_as_good_as_duplicates():
    X, y, _ = planted(800)
    times = 1 + 3 * (y == 1)
    rows = np.repeat(np.arange(800), times)
    options = {"hidden": (8,), "steps": 400, "learning_rate": 0.01, "dropout": 0.0}

    def mean(X, y, weights=None):
        fits = [
            NeuralClassifier(random_state=s, **options).fit(X, y, sample_weight=weights) for s in range(3)
        ]
        return np.mean([m.predict_proba(planted(800)[0])[:, 1] for m in fits], axis=0)

    plain, weighted, copied = mean(X, y), mean(X, y, times), mean(X[rows], y[rows])
    assert np.abs(weighted - copied).mean() < 0.02
    assert np.abs(weighted - plain).mean() > 0.06


def test_a_row_of_weight_zero_leaves_no_trace(small):
    X, y, S = small
    weights = np.random.default_rng(0).random(300)
    more = {k: np.append(v, ["q" if k == "b" else 7]) for k, v in S.items()}
    objective = Adversarial()
    plain = NeuralClassifier(objective, **QUICK).fit(X, y, sensitive_features=S, sample_weight=weights)
    other = NeuralClassifier(objective, **QUICK).fit(
        np.vstack([X, np.full(4, 1e6)]),
        np.append(y, 1),
        sensitive_features={"a": more["a"], "b": more["b"]},
        sample_weight=np.append(weights, 0),
    )
    assert np.array_equal(plain.predict_proba(X), other.predict_proba(X))


def test_groups_come_as_any_table_and_missing_is_a_level(small):
    X, y, S = small
    b = [None if v == "y" else v for v in S["b"]]
    model = NeuralClassifier(GroupDRO(weight=0.5), **QUICK)
    made = [
        clone(model).fit(X, y, sensitive_features=groups).predict_proba(X)
        for groups in (S, pl.DataFrame(S), pl.DataFrame({"a": S["a"], "b": b}).to_pandas())
    ]
    assert np.array_equal(made[0], made[1])
    assert np.array_equal(made[0], made[2])


def test_labels_of_any_kind_come_back_and_a_model_can_be_pickled(small):
    X, y, S = small
    words = np.where(y == 1, "yes", "no")
    model = NeuralClassifier(FairMixup(), **QUICK).fit(X, words, sensitive_features=S)
    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(X)) <= {"no", "yes"}
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


def gap(rates):
    return max(rates) - min(rates)


def by_leaf(values, S, where=None):
    where = np.ones(len(values), dtype=bool) if where is None else where
    leaf = 2 * S["a"] + (S["b"] == "x")
    return [values[where & (leaf == k)].mean() for k in range(4)]


def figure(objective, seeds=2, steps=300):
    """Mean over seeds of (parity gap, TPR gap, accuracy gap, worst cell's log loss) on new rows."""
    told = []
    X, y, S = planted()
    X1, y1, S1 = planted(4000, seed=99)
    for seed in range(seeds):
        model = NeuralClassifier(
            objective, hidden=(24, 12), steps=steps, learning_rate=1e-2, dropout=0.1, random_state=seed
        )
        p = model.fit(X, y, sensitive_features=S).predict_proba(X1)[:, 1]
        h = (p > 0.5).astype(float)
        loss = -np.log(np.where(y1 == 1, p, 1 - p))
        worst = max(max(by_leaf(loss, S1, y1 == label)) for label in (0, 1))
        rates = by_leaf(h, S1), by_leaf(h, S1, y1 == 1), by_leaf((h == y1).astype(float), S1)
        told.append([*map(gap, rates), worst, gap(by_leaf(p, S1)), gap(by_leaf(p, S1, y1 == 1))])
    return dict(
        zip(["parity", "tpr", "accuracy", "worst", "soft", "soft_tpr"], np.mean(told, axis=0), strict=True)
    )


@pytest.fixture(scope="module")
def unconstrained():
    return figure(Unconstrained())


@pytest.mark.parametrize(
    ("objectives", "measure", "margins"),
    [
        ([SoftDifferentialFairness(0.5), SoftDifferentialFairness(5.0)], "soft", (0.8, 0.5)),
        (
            [
                SoftDifferentialFairness(0.3, notion="equal_opportunity"),
                SoftDifferentialFairness(3.0, notion="equal_opportunity"),
            ],
            "soft_tpr",
            (0.9, 0.5),
        ),
        ([FairMixup(0.5), FairMixup(5.0)], "soft", (0.9, 0.5)),
        (
            [FairMixup(0.5, notion="equal_opportunity"), FairMixup(5.0, notion="equal_opportunity")],
            "soft_tpr",
            (0.9, 0.5),
        ),
        (
            [FairGrad(0.003, notion="demographic_parity"), FairGrad(0.03, notion="demographic_parity")],
            "parity",
            (0.8, 0.4),
        ),
        (
            [FairGrad(0.0003, notion="equal_opportunity"), FairGrad(0.003, notion="equal_opportunity")],
            "tpr",
            (0.8, 0.4),
        ),
        ([FairGrad(0.0003), FairGrad(0.003)], "tpr", (0.8, 0.5)),
        ([Adversarial(0.1), Adversarial(2.0)], "parity", (1.05, 0.6)),
        ([GroupDRO(0.003), GroupDRO(0.05)], "worst", (0.9, 0.7)),
    ],
    ids=lambda v: type(v[0]).__name__ if isinstance(v, list) else None,
)
def test_unfairness_falls_as_the_weight_grows(unconstrained, objectives, measure, margins):
    before = unconstrained[measure]
    some, much = (figure(objective)[measure] for objective in objectives)
    assert before > 0.2
    assert some < margins[0] * before
    assert much < margins[1] * before
    assert much < some


def test_projecting_hides_an_attribute_from_every_linear_reader():
    rng = np.random.default_rng(0)
    S = rng.integers(0, 3, 1500)
    X = rng.normal(size=(1500, 8))
    X[:, :2] += 1.5 * np.eye(3)[S][:, :2]
    majority = np.bincount(S).max() / len(S)
    reader = LogisticRegression(max_iter=1000)
    assert reader.fit(X, S).score(X, S) > majority + 0.15
    projection = NullspaceProjection(3).fit(X, sensitive_features=S)
    P = projection.projection_
    np.testing.assert_allclose(P, P.T, atol=1e-12)
    np.testing.assert_allclose(P @ P, P, atol=1e-12)
    assert np.linalg.matrix_rank(P) == projection.rank_ == 6
    Z = projection.transform(X)
    np.testing.assert_allclose(Z, X @ P)
    assert reader.fit(Z, S).score(Z, S) < majority + 0.05


def test_projection_takes_attributes_apart_or_leaves_whole_and_stops_where_nothing_is_read():
    rng = np.random.default_rng(1)
    S = {"a": rng.integers(0, 2, 2000), "b": rng.integers(0, 2, 2000)}
    X = rng.normal(size=(2000, 6))
    X[:, 0] += S["a"] == S["b"]  # only the intersection shows
    assert NullspaceProjection(4).fit(X, sensitive_features=S).rank_ == 6
    projection = NullspaceProjection(4, by="leaf").fit(X, sensitive_features=S)
    assert projection.rank_ < 6
    assert abs(projection.projection_[0, 0]) < 0.05
    assert NullspaceProjection(0).fit(X, sensitive_features=S).projection_.tolist() == np.eye(6).tolist()


def test_weights_of_a_projection_count_like_copies():
    rng = np.random.default_rng(2)
    S = rng.integers(0, 2, 400)
    X = rng.normal(size=(400, 4)) + S[:, None] * [1, 0.5, 0, 0]
    kept = rng.random(400) < 0.5
    some = NullspaceProjection(1).fit(X, sensitive_features=S, sample_weight=3.0 * kept)
    same = NullspaceProjection(1).fit(X[kept], sensitive_features=S[kept])
    np.testing.assert_allclose(some.projection_, same.projection_, atol=1e-4)


def test_new_directions_are_orthonormal_and_never_more_than_there_is_room_for():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(5, 3)))[0]
    found = new_directions(basis, rng.normal(size=(4, 5)))
    assert found.shape == (5, 2)
    both = np.hstack([basis, found])
    np.testing.assert_allclose(both.T @ both, np.eye(5), atol=1e-12)


def test_nullspace_classifier_hides_the_attribute_and_still_tells_the_label():
    X, y, S = planted()
    low = (S["a"] == 1) & (S["b"] == "x")
    options = {"hidden": (24, 16), "steps": 300, "learning_rate": 1e-2}
    gaps, scores = [], []
    for iterations in (0, 1, 4):
        model = NullspaceClassifier(iterations, **options).fit(X, y, sensitive_features=low)
        p = model.predict_proba(X)[:, 1]
        gaps.append(p[~low].mean() - p[low].mean())
        scores.append(model.score(X, y))
    assert gaps[0] > 0.2
    assert gaps[2] < 0.5 * gaps[0]
    assert gaps[2] < gaps[1] < gaps[0]
    assert scores[2] > 0.6
    assert model.transform(X).shape == (3000, 16)


def test_a_projection_that_leaves_nothing_says_so(small):
    X, y, S = small
    S = {"a": X[:, 0] > 0, "b": X[:, 2] > 0.5, "c": X[:, 3] > 0, "d": X[:, 1] > 0.5}
    model = NullspaceClassifier(9, hidden=(3,), steps=300, learning_rate=0.01)
    with pytest.warns(FairlatticeWarning, match="took out every direction"):
        model.fit(X, y, sensitive_features=S)
    assert np.ptp(model.predict_proba(X)[:, 1]) < 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "`steps`"),
        ({"batch_size": 0}, "`batch_size`"),
        ({"hidden": ()}, "`hidden`"),
        ({"hidden": (8, 0)}, "`hidden`"),
        ({"hidden": 8}, "`hidden`"),
        ({"dropout": 1.0}, "`dropout`"),
        ({"learning_rate": 0.0}, "`learning_rate`"),
        ({"learning_rate": float("nan")}, "`learning_rate`"),
        ({"device": "abacus"}, "`device`"),
        ({"objective": "fair"}, "`objective`"),
        ({"objective": GroupDRO(weight=-1.0)}, "`weight`"),
        ({"objective": GroupDRO(weight=float("inf"))}, "`weight`"),
        ({"objective": FairGrad(notion="odds")}, "`notion`"),
        ({"objective": FairMixup(notion="accuracy_parity")}, "`notion`"),
        ({"objective": SoftDifferentialFairness(notion="accuracy_parity")}, "`notion`"),
        ({"objective": Adversarial(heads="all")}, "`heads`"),
        ({"objective": Adversarial(hidden=(0,))}, "`hidden`"),
        ({"learning_rate": 1e30, "steps": 300}, "diverged.*`learning_rate`"),
    ],
)
def test_bad_options_are_refused_when_fitting(small, options, message):
    X, y, S = small
    model = NeuralClassifier(**{**QUICK, **options})
    with pytest.raises(InputError, match=message):
        model.fit(X, y, sensitive_features=S)


def test_bad_tables_are_refused(small):
    X, y, S = small
    model = NeuralClassifier(GroupDRO(), **QUICK)
    with pytest.raises(InputError, match="needs groups"):
        model.fit(X, y)
    with pytest.raises(InputError, match="needs groups"):
        NullspaceClassifier(1, **QUICK).fit(X, y)
    with pytest.raises(InputError, match="needs groups"):
        NullspaceProjection().fit(X)
    with pytest.raises(InputError, match="differ in length"):
        model.fit(X, y, sensitive_features=S["a"][:-1])
    with pytest.raises(InputError, match="3 classes"):
        model.fit(X, np.arange(300) % 3, sensitive_features=S)
    with pytest.raises(InputError, match="one class"):
        model.fit(X, np.zeros(300), sensitive_features=S)
    with pytest.raises(InputError, match="`sample_weight` cannot"):
        model.fit(X, y, sensitive_features=S, sample_weight=np.zeros(300))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.where(X > 2, np.nan, X), y, sensitive_features=S)
    with pytest.raises(NotFittedError):
        NeuralClassifier().predict(X)


def test_interrupting_a_fit_is_the_user_s_right(small, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("fairlattice.classifiers._objective.Running.loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        probabilities(NeuralClassifier(**QUICK), small)


def test_without_torch_the_room_opens_and_says_what_to_install():
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from fairlattice.classifiers import *\n"
        "X = [[0.0, 1.0], [1.0, 0.0]] * 9\n"
        "print(NullspaceProjection(1).fit(X, sensitive_features=[0, 1] * 9).rank_)\n"
        "try:\n"
        "    NeuralClassifier(FairGrad()).fit(X, [0, 1] * 9, sensitive_features=[0, 1] * 9)\n"
        "except ValueError as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    rank, told = done.stdout.strip().splitlines()
    assert rank == "1"
    assert told.startswith("InputError")
    assert 'pip install "fairlattice[torch]"' in told
