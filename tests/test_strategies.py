"""Strategies: every product of parts, names, ablations, small cells, and the law of compare and FairClassifier."""

from itertools import product

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import fairlattice as fl
from fairlattice.encoders import TableEncoder
from fairlattice.samplers import Cell, CellIndex
from fairlattice.strategies import STRATEGIES, Strategy, TrainingTable
from fairlattice.strategies._decisions import DECISIONS, ThresholdsByLeaf, _shrunk
from fairlattice.strategies._row_sources import ROW_SOURCES
from fairlattice.strategies._shared import Vectors, strategies_of, strategy_of
from fairlattice.strategies._weightings import WEIGHTINGS

CUTS = {"age": [30, 60]}
SENSITIVE = ["sex", "race", "age"]
PRODUCTS = [Strategy(*parts) for parts in product(ROW_SOURCES, WEIGHTINGS, DECISIONS)]


def test_names_are_unique_lead_back_and_each_preset_is_what_the_design_says():
    names = [s.name for s in PRODUCTS]
    assert len(set(names)) == len(PRODUCTS) == 100
    assert all(strategy_of(s.name) == s for s in PRODUCTS)
    assert set(STRATEGIES) <= set(names)
    parts = {name: (s.rows.name, s.weights.name, s.decision.name) for name, s in STRATEGIES.items()}
    assert parts == {
        "none": ("own", "none", ".5"),
        "label": ("own", "label", ".5"),
        "equal": ("own", "equal", ".5"),
        "adaptive": ("own", "learned", ".5"),
        "borrow": ("own", "borrow", ".5"),
        "smote": ("smote", "equal", ".5"),
        "parents": ("parents", "equal", ".5"),
        "paper": ("paper", "equal", ".5"),
        "augment": ("augment", "equal", ".5"),
        "tuned": ("own", "label", "tuned"),
        "thresholds": ("own", "label", "thresholds"),
    }


def test_auto_is_the_default_everywhere(people):
    assert strategy_of("auto") is STRATEGIES["borrow"]
    assert [s.name for s in strategies_of(["auto", "borrow", "none"])] == ["borrow", "none"]
    assert strategy_of("auto+thresholds").name == "borrow+thresholds"
    X, y, S = people.select("hours", "skill"), people["hired"], people.select("sex", "race")
    pipe = make_pipeline(TableEncoder(), LogisticRegression())
    auto, borrow = (
        fl.FairClassifier(pipe, name, random_state=0).fit(X, y, sensitive_features=S)
        for name in ("auto", "borrow")
    )
    assert (auto.predict_proba(X) == borrow.predict_proba(X)).all()
    result = fl.compare(X, y, sensitive_features=S, strategies=["none", "auto"], folds=2, repeats=1)
    assert result["auto"].name == "borrow"
    assert result.difference("auto", "none", "equalized_odds.if").low is not None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("smote+learned", ("smote", "learned", ".5")),
        ("smote+adaptive+thresholds", ("smote", "learned", "thresholds")),
        ("borrow+thresholds", ("own", "borrow", "thresholds")),
        ("thresholds+borrow", ("own", "borrow", "thresholds")),
        ("augment+tuned", ("augment", "equal", "tuned")),
        ("label+tuned", ("own", "label", "tuned")),
        ("own+none", ("own", "none", ".5")),
    ],
)
def test_parts_combine_by_name(text, parts):
    assert strategy_of(text) == Strategy(*parts)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("smotte", "Did you mean 'smote'"),
        ("smote+parents", "two parts of one kind, `rows`"),
        ("smote+", "No strategy is called ''"),
        (3, "got 3"),
        (Strategy, "A strategy is a name"),
    ],
)
def test_what_is_not_a_strategy(given, message):
    with pytest.raises(fl.InputError, match=message):
        strategy_of(given)


def test_what_is_not_a_part():
    with pytest.raises(fl.InputError, match="`rows` must be one of own, smote"):
        Strategy(rows="smot")
    with pytest.raises(fl.InputError, match="lacks name, about"):
        Strategy(weights=object())
    with pytest.raises(fl.InputError, match="Two strategies are called"):
        strategies_of([Own("mine"), Own("mine")])


def test_ablations_remove_one_part_each_and_end_in_no_strategy():
    for strategy in PRODUCTS:
        for ablation in strategy.ablations:
            changed = sum(a != b for a, b in zip(strategy.parts, ablation.parts, strict=True))
            assert changed == 1
        assert strategy.ablations or strategy.name == "none"
    names = {name: [a.name for a in s.ablations] for name, s in STRATEGIES.items()}
    assert names["borrow"] == ["adaptive"]
    assert names["augment"] == ["equal", "augment+none"]
    assert names["thresholds"] == ["label", "none+thresholds"]


def test_each_knows_whether_it_makes_rows_and_needs_groups():
    for s in PRODUCTS:
        assert s.makes_rows == (s.rows.name != "own")
        assert s.needs_groups == (s.decision.name == "thresholds")
        assert s.uses_groups == (s.makes_rows or s.needs_groups or s.weights.name not in ("none", "label"))
        assert s.about and "\n" not in s.about


class Own:
    """A strategy of one's own that says who is positive by one column."""

    def __init__(self, name):
        self.name = name

    def fit(self, table):
        self.seen = table
        return LogisticRegression().fit(table.X[:, :1], table.y)


@pytest.fixture(scope="module")
def compared(people):
    """Every preset and some products on the people, with a sensitive column among the features."""
    names = [*STRATEGIES, "smote+learned", "augment+borrow+thresholds", "parents+borrow+tuned"]
    X, y, S = people.select("hours", "skill", "job", "sex"), people["hired"], people.select(SENSITIVE)
    options = {"cuts": CUTS, "folds": 3, "repeats": 2, "random_state": 3, "per_cell": 60, "n_jobs": 2}
    return fl.compare(X, y, sensitive_features=S, strategies=names, **options)


@pytest.mark.parametrize(("repeat", "fold"), [(0, 0), (1, 2)])
@pytest.mark.parametrize(
    "name", [*STRATEGIES, "smote+learned", "augment+borrow+thresholds", "parents+borrow+tuned"]
)
def test_a_classifier_trained_on_a_folds_training_rows_predicts_what_compare_recorded(
    people, compared, name, repeat, fold
):
    run, tested = compared[name].runs[repeat], compared.fold[repeat] == fold
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    X, y, S = people.select("hours", "skill", "job", "sex"), people["hired"], people.select(SENSITIVE)
    model = fl.FairClassifier(
        make_pipeline(fl.TableEncoder(), LogisticRegression(max_iter=1000)),
        strategy=name,
        cuts=CUTS,
        per_cell=60,
        random_state=3 if (repeat, fold) == (0, 0) else (3, 3 * repeat + fold),
    ).fit(X[train], y[train], sensitive_features=S[train])
    groups = {"sensitive_features": S[test]} if STRATEGIES.get(name, model.strategy_).needs_groups else {}
    assert (model.predict(X[test], **groups) == run.predicted[test]).all()
    assert model.predict_proba(X[test])[:, 1] == pytest.approx(run.score[test])


def test_augment_trains_on_exactly_the_rows_that_the_augmenter_draws(people):
    X, y, S = people.select("hours", "skill", "job"), people["hired"], people.select(SENSITIVE)
    lattice = fl.GroupLattice.from_features(S, cuts=CUTS)
    index = CellIndex(lattice, lattice.encode(S), y.to_numpy(), 2)
    table = TrainingTable(X, index, np.arange(2), None, (4, 0), on_vectors=False, per_cell=70)
    rows = STRATEGIES["augment"].prepare(table)
    more = fl.HierarchicalAugmenter(cuts=CUTS, per_cell=70, random_state=4).fit(X, y, sensitive_features=S)
    expected = more.augment(X, y, sensitive_features=S)
    assert rows.X.equals(expected.X)
    assert (rows.labels == expected.y.to_numpy()).all()
    assert rows.weights == pytest.approx(
        fl.equal_weights(expected.y, sensitive_features=lattice.level_columns(rows.leaves))
    )


def test_an_augmenter_of_ones_own_draws_its_own_rows(people):
    X, y, S = people.select("hours", "skill"), people["hired"], people.select("sex", "race")
    augmenter = fl.HierarchicalAugmenter("diagonal", per_cell=90, random_state=1)
    seen = []

    class Recorder(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append(X)
            return super().fit(X, y, sample_weight)

    fl.FairClassifier(Recorder(), augmenter=augmenter).fit(X, y, sensitive_features=S)
    assert seen[0].equals(augmenter.fit(X, y, sensitive_features=S).augment(X, y, sensitive_features=S).X)


@pytest.mark.parametrize("strategy", PRODUCTS[::4], ids=lambda s: s.name)
def test_products_train_and_predict_on_vectors(strategy):
    table = training(np.random.default_rng(1), [50, 40, 30, 20, 16, 13, 6, 5])
    fitted = strategy.fit(table)
    predicted = fitted.predict(table.X, table.index.lattice, table.index.leaves)
    assert set(np.unique(predicted)) <= {0, 1}
    rows = strategy.prepare(table)
    if rows.weights is not None:
        assert rows.weights.min() >= 0
        assert rows.weights.mean() == pytest.approx(1)


def test_learned_weights_of_a_cell_are_shared_by_its_original_and_synthetic_rows():
    table = training(np.random.default_rng(1), [50, 40, 30, 20, 16, 13, 6, 0])
    for name in ("learned", "borrow"):
        alone, filled = Strategy(weights=name).prepare(table), Strategy("parents", name).prepare(table)
        shares = []
        for rows in (alone, filled):
            cell = rows.leaves * 2 + rows.labels
            sums = np.bincount(cell, weights=rows.weights, minlength=8)[:7]
            shares.append(sums / sums.sum())
        assert shares[0] == pytest.approx(shares[1])
        empty = filled.weights[(filled.leaves == 3) & (filled.labels == 1)]
        assert empty.sum() / filled.weights.sum() == pytest.approx(1 / 8, abs=0.02)


def test_thresholds_need_groups_and_a_leaf_never_seen_takes_its_parents(people):
    X, y, S = people.select("hours", "skill"), people["hired"], people.select("sex", "race")
    model = fl.FairClassifier(LogisticRegression(max_iter=1000), "thresholds", random_state=0)
    model.fit(X, y, sensitive_features=S)
    with pytest.raises(fl.InputError, match="needs groups at prediction"):
        model.predict(X)
    assert model.score(X, y, sensitive_features=S) > 0.6
    new = pl.DataFrame({"sex": ["f", "f"], "race": ["z", None]})
    assert model.predict(X[:2], sensitive_features=new).shape == (2,)
    scores = model.predict_proba(X)[:, 1]
    order = np.argsort(scores)
    women = (S["sex"] == "f").to_numpy() & (S["race"] == "c").to_numpy()
    predicted = model.predict(X, sensitive_features=S)[order][women[order]]
    assert (np.diff(predicted) >= 0).all()  # within a leaf a higher score is never worse


def test_shares_above_a_threshold_are_shrunk_as_by_hand():
    lattice = fl.GroupLattice.from_features({"a": [0, 1], "b": [0, 1]})
    leaves, rows = np.array([0, 1, 3]), np.array([10.0, 20.0, 5.0])
    higher = np.array([[8.0], [5.0], [1.0]])
    found = _shrunk(lattice, leaves, rows, higher, np.arange(4))[:, 0]
    top = 14 / 35
    a = [(13 + 50 * top) / 80, (1 + 50 * top) / 55]
    b = [(8 + 50 * top) / 60, (6 + 50 * top) / 75]
    expected = [
        (8 + 50 * (a[0] + b[0]) / 2) / 60,
        (5 + 50 * (a[0] + b[1]) / 2) / 70,
        (a[1] + b[0]) / 2,
        (1 + 50 * (a[1] + b[1]) / 2) / 55,
    ]
    assert found == pytest.approx(expected)


def test_thresholds_follow_the_scores_of_large_leaves():
    """Two large leaves whose scores differ by a shift get thresholds that differ by it."""
    lattice = fl.GroupLattice.from_features({"a": [0, 1]})
    grid = np.linspace(0, 1, 201)
    counts = np.zeros((2, 2, 201))
    for leaf, shift in enumerate((0.0, 0.3)):
        for label, centre in enumerate((0.2, 0.5)):
            scores = np.linspace(centre - 0.15, centre + 0.15, 100_000) + shift
            counts[label, leaf] = (scores[:, None] > grid).sum(axis=0)
    fitted = ThresholdsByLeaf(lattice, grid, np.arange(2), np.full((2, 2), 1e5), counts)
    low, high = fitted.thresholds(lattice, np.arange(2))
    assert low == pytest.approx(0.35, abs=0.01)
    assert high == pytest.approx(0.65, abs=0.01)


def test_an_expected_threshold_follows_the_features_and_never_the_groups():
    """Leaf "b" has scores .3 higher; a feature says who is in it, a sensitive column among the features may not."""
    rng = np.random.default_rng(0)
    n = 4_000
    group, y = rng.choice(["a", "b"], n), rng.integers(0, 2, n)
    skill = y + rng.normal(0, 0.8, n) + 1.5 * (group == "b")
    proxy = (group == "b") * 1.0 + rng.normal(0, 0.2, n)  # a copy would be a sensitive column itself
    told = pl.DataFrame({"skill": skill, "proxy": proxy})
    untold = pl.DataFrame({"skill": skill, "group": group})
    rates = {}
    for name, X in (("told", told), ("untold", untold)):
        model = fl.FairClassifier(make_pipeline(fl.TableEncoder(), Blunt()), "label+expected", random_state=0)
        model.fit(X, y, sensitive_features=pl.DataFrame({"group": group}))
        predicted = model.predict(X)
        rates[name] = [(predicted == y)[(group == g) & (y == 0)].mean() for g in "ab"]
    assert abs(np.subtract(*rates["told"])) < 0.1  # as fair as thresholds per leaf
    assert np.subtract(*rates["untold"]) > 0.2  # blind: only the score speaks of the group
    assert strategy_of("label+expected").needs_groups is False


class Blunt(LogisticRegression):
    """Looks at the first feature alone."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X[:, :1], y, sample_weight)

    def predict_proba(self, X):
        return super().predict_proba(X[:, :1])


def test_scores_may_be_decision_values_and_must_be_there(people):
    X, y, S = people.select("hours", "skill"), people["hired"], people.select("sex")
    for name in ("tuned", "thresholds"):
        model = fl.FairClassifier(LinearSVC(), name, random_state=0).fit(X, y, sensitive_features=S)
        assert model.score(X, y, sensitive_features=S) > 0.6

    class Scoreless(KNeighborsClassifier):
        predict_proba = property()

    with pytest.raises(fl.InputError, match="needs scores"):
        fl.FairClassifier(Scoreless(), "tuned").fit(X, y)


def test_strategies_of_two_classes_refuse_three(people):
    X, S = people.select("hours", "skill"), people.select("sex")
    y = np.arange(people.height) % 3
    for name in ("adaptive", "borrow", "tuned", "thresholds"):
        with pytest.raises(fl.InputError, match="two classes, got 3"):
            fl.FairClassifier(LogisticRegression(), name).fit(X, y, sensitive_features=S)
    for name in ("equal", "augment", "parents"):
        fl.FairClassifier(LogisticRegression(), name).fit(X, y, sensitive_features=S).predict(X)


def training(rng, sizes):
    """Cells of the given sizes on a 2 × 2 lattice, labels alternating."""
    lattice = fl.GroupLattice.from_features({"a": [0, 1], "b": [0, 1]})
    leaves = np.repeat(np.arange(4).repeat(2), sizes)
    labels = np.repeat(np.tile([0, 1], 4), sizes)
    encoder = TableEncoder()
    Z = encoder.fit_transform(rng.normal(size=(len(leaves), 3)) + leaves[:, None])
    index = CellIndex(lattice, leaves, labels, 2)
    return TrainingTable(
        None, index, np.arange(2), LogisticRegression(), (0, 0), per_cell=30, encoded=Vectors(encoder, Z)
    )


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_each_strategy_does_to_small_cells(name):
    train = training(np.random.default_rng(1), [50, 40, 30, 20, 6, 3, 1, 0])
    prepared = STRATEGIES[name].prepare(train)
    n = len(train.X)
    assert (prepared.X[:n] == train.X).all()
    assert np.isfinite(prepared.X).all()
    fills_empty_cells = name != "smote"
    expected = 10 + 24 + 27 + 29 + (30 if fills_empty_cells else 0)
    assert len(prepared.X) - n == (expected if STRATEGIES[name].makes_rows else 0)
    assert prepared.n_original == n
    if name == "none":
        assert prepared.weights is None
    elif not STRATEGIES[name].uses_groups or name == "thresholds":
        sums = [prepared.weights[prepared.labels == k].sum() for k in (0, 1)]
        assert sums[0] == pytest.approx(sums[1])
    else:
        cells = {"equal": 7, "adaptive": 7, "smote": 7, "borrow": n}.get(name, 8)
        assert len(np.unique(prepared.weights.round(9))) <= cells
        assert (prepared.weights > 0).all()
        assert prepared.weights.sum() == pytest.approx(len(prepared.X))


def test_smote_stays_between_rows_of_its_cell_and_repeats_a_single_row():
    train = training(np.random.default_rng(2), [50, 40, 30, 20, 6, 3, 1, 0])
    prepared, n = STRATEGIES["smote"].prepare(train), len(train.X)
    three = train.X[train.index.rows(Cell(2, 1))]
    one = train.X[train.index.rows(Cell(3, 0))]
    made = prepared.X[n:]
    assert made[-29:] == pytest.approx(np.repeat(one, 29, axis=0))
    of_three = made[-29 - 27 : -29]
    assert (of_three >= three.min(axis=0) - 1e-9).all()
    assert (of_three <= three.max(axis=0) + 1e-9).all()


def test_parents_are_copies_of_real_rows_of_the_label():
    train = training(np.random.default_rng(3), [50, 40, 30, 20, 6, 3, 1, 0])
    prepared, n = STRATEGIES["parents"].prepare(train), len(train.X)
    for made, label in zip(prepared.X[n:], prepared.labels[n:], strict=True):
        nearest = np.abs(train.X - made).max(axis=1).argmin()
        assert train.X[nearest] == pytest.approx(made)
        assert train.index.labels[nearest] == label


@pytest.mark.parametrize("on_vectors", [True, False])
@pytest.mark.parametrize("name", [name for name, s in STRATEGIES.items() if s.makes_rows])
def test_sensitive_columns_among_the_features_have_the_leafs_levels(people, name, on_vectors):
    features, S = people.drop("hired"), people.select(SENSITIVE)
    lattice = fl.GroupLattice.from_features(S, cuts=CUTS)
    index = CellIndex(lattice, lattice.encode(S), people["hired"].to_numpy(), 2)
    table = TrainingTable(features, index, np.arange(2), None, (1,), per_cell=40, on_vectors=on_vectors)
    prepared = STRATEGIES[name].prepare(table)
    rows = table.vectors.encoder.inverse_transform(prepared.X) if on_vectors else prepared.X
    cells = lattice.encode(rows) * 2 + prepared.labels
    assert (lattice.encode(rows) == prepared.leaves).all()
    assert len(cells) > people.height
    assert np.unique(cells, return_counts=True)[1].min() >= (40 if name != "smote" else 1)


@pytest.mark.parametrize("name", [name for name, s in STRATEGIES.items() if s.makes_rows])
def test_synthetic_rows_are_valid_rows_and_do_not_reveal_their_label(people, name):
    """Parameters that do not sum to 1 must not scale the 0/1 coordinates of categories by label."""
    features, S = people.drop("hired", *SENSITIVE), people.select(SENSITIVE)
    lattice = fl.GroupLattice.from_features(S, cuts=CUTS)
    index = CellIndex(lattice, lattice.encode(S), people["hired"].to_numpy(), 2)
    table = TrainingTable(features, index, np.arange(2), None, (5,), per_cell=60)
    made, encoder = STRATEGIES[name].prepare(table).X[people.height :], table.vectors.encoder
    assert (made[:, encoder.slices_["job"]].sum(axis=1) == 1.0).all()
    assert made == pytest.approx(encoder.transform(encoder.inverse_transform(made)))
