"""Strategies: every product of parts, names, ablations, small cells, and the law of compare and FairClassifier."""

from itertools import product

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import fairlattice as fl
from fairlattice.benchmark._classifiers import make_classifier
from fairlattice.encoders import TableEncoder
from fairlattice.samplers import Cell, CellIndex
from fairlattice.samplers._shared import LeafProbabilities
from fairlattice.strategies import STRATEGIES, Strategy, TrainingTable
from fairlattice.strategies._decisions import DECISIONS
from fairlattice.strategies._leaf_thresholds import LeafThresholds, ThresholdsByLeaf
from fairlattice.strategies._row_sources import ROW_SOURCES
from fairlattice.strategies._shared import Vectors, default_for, strategies_of, strategy_of
from fairlattice.strategies._shrinkage import Shrinkage
from fairlattice.strategies._weightings import WEIGHTINGS

CUTS = {"age": [30, 60]}
SENSITIVE = ["sex", "race", "age"]
PRODUCTS = [Strategy(*parts) for parts in product(ROW_SOURCES, WEIGHTINGS, DECISIONS)]


def test_names_are_unique_lead_back_and_each_preset_is_what_the_design_says():
    names = [s.name for s in PRODUCTS]
    assert len(set(names)) == len(PRODUCTS) == 125
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
        "minimax": ("own", "label", "minimax"),
        "thresholds": ("own", "label", "thresholds"),
    }


def test_auto_is_equal_where_weights_cannot_be_learned(people):
    X, y, S = (
        people.select("hours", "skill").to_numpy(),
        people["hired"].to_numpy(),
        people.select("sex", "race"),
    )
    three = y + (X[:, 0] > np.median(X[:, 0]))
    model = fl.FairClassifier(LogisticRegression()).fit(X, three, sensitive_features=S)
    assert (model.strategy, model.strategy_.name) == ("auto", "equal")
    augmenter = fl.HierarchicalAugmenter(random_state=0)
    model = fl.FairClassifier(LogisticRegression(), augmenter=augmenter).fit(X, y, sensitive_features=S)
    assert model.strategy_.weights.name == "equal"


@pytest.mark.parametrize("name", ["thresholds", "expected", "borrow+thresholds"])
def test_thresholds_are_trained_for_the_notion(people, name):
    X, y, S = (
        people.select("hours", "skill").to_numpy(),
        people["hired"].to_numpy(),
        people.select("sex", "race"),
    )
    model = fl.FairClassifier(LogisticRegression(), name, notion="demographic_parity", random_state=0)
    model.fit(X, y, sensitive_features=S)
    assert model.strategy_.name == strategy_of(name).name
    assert model.strategy_.decision.notion == "demographic_parity"
    with pytest.raises(fl.InputError, match="notion"):
        model.set_params(notion="parity").fit(X, y, sensitive_features=S)


def test_a_comparison_for_a_notion_compares_thresholds_for_it():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 800)
    y = (rng.random(800) < np.where(group == 0, 0.3, 0.7)).astype(int)
    X = (y + rng.normal(0, 1, 800))[:, None]
    gaps = []
    for notion in ("equalized_odds", "demographic_parity"):
        options = {"strategies": ["label", "thresholds"], "notion": notion, "repeats": 1}
        result = fl.compare(X, y, sensitive_features=group, **options)
        gaps.append(result["thresholds"].estimate("selection_rate.if").median)
    assert gaps[1] < gaps[0] - 0.05
    assert result["label"].thresholds is None
    found = result["thresholds"].thresholds
    model = fl.FairClassifier(make_classifier("logistic", 0), "thresholds", notion=notion, random_state=0)
    trained = model.fit(X, y, sensitive_features=group).fitted_.decision
    assert [row["rows"] for row in found.table()] == [row["rows"] for row in trained.table()]
    for mine, theirs in zip(found.table(), trained.table(), strict=True):
        assert mine["low"] - 0.05 < theirs["threshold"] < mine["high"] + 0.05


class Scoreless(KNeighborsClassifier):
    """Predicts labels alone."""

    predict_proba = property()


def test_auto_is_the_default_everywhere(people):
    assert strategy_of("auto") is STRATEGIES["minimax"]
    assert [s.name for s in strategies_of(["auto", "minimax", "none"])] == ["minimax", "none"]
    X, y, S = people.select("hours", "skill"), people["hired"], people.select("sex", "race")
    pipe = make_pipeline(TableEncoder(), LogisticRegression())
    auto, minimax = (
        fl.FairClassifier(pipe, name, random_state=0).fit(X, y, sensitive_features=S)
        for name in ("auto", "minimax")
    )
    assert (auto.predict(X) == minimax.predict(X)).all()
    assert fl.FairClassifier(pipe).strategy == "auto"
    nearest = fl.FairClassifier(make_pipeline(TableEncoder(), Scoreless()))
    assert nearest.fit(X, y, sensitive_features=S).strategy_.name == "borrow"


def test_the_default_of_a_comparison_follows_the_classifier(people):
    X, y, S = people.select("hours", "skill"), people["hired"], people.select("sex")
    options = {"sensitive_features": S, "folds": 2, "repeats": 2, "n_jobs": 1}
    found = {
        name: fl.compare(X, y, strategies=["none", "borrow", "auto"], classifier=classifier, **options)
        for name, classifier in (("scores", "logistic"), ("labels", Scoreless()))
    }
    assert [r.name for r in found["labels"].results] == ["none", "borrow"]
    assert [r.name for r in found["scores"].results] == ["none", "borrow", "minimax"]
    assert [found[name].settings["default"] for name in found] == ["minimax", "borrow"]
    for name, auto in (("labels", "borrow"), ("scores", "minimax")):
        assert found[name]["auto"].name == auto
        assert found[name].difference("auto", "none", "equalized_odds.if").low is not None
    # Without it among those compared, the weighing begins with learned weights.
    weighed = fl.compare(X, y, strategies=["none", "equal", "borrow"], classifier="logistic", **options)
    assert weighed.recommendation.considered in ("borrow", "equal")


@pytest.mark.parametrize(
    ("classifier", "name"),
    [
        (LogisticRegression(), "minimax"),
        (LinearSVC(), "minimax"),
        (make_pipeline(TableEncoder(), LogisticRegression()), "minimax"),
        (make_pipeline(TableEncoder(), Scoreless()), "borrow"),
        (KNeighborsClassifier(), "minimax"),
        (HistGradientBoostingClassifier(), "minimax"),
    ],
)
def test_the_default_for_a_classifier(classifier, name):
    assert default_for(classifier) == name


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
        decides = s.decision.name in ("thresholds", "minimax")
        assert s.uses_groups == (s.makes_rows or decides or s.weights.name not in ("none", "label"))
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
    options = {"cuts": CUTS, "folds": 2, "repeats": 2, "random_state": 3, "per_cell": 60, "n_jobs": 2}
    return fl.compare(X, y, sensitive_features=S, strategies=names, **options)


@pytest.mark.parametrize(("repeat", "fold"), [(0, 0), (1, 1)])
@pytest.mark.parametrize(
    "name", [*STRATEGIES, "smote+learned", "augment+borrow+thresholds", "parents+borrow+tuned"]
)
def test_a_classifier_trained_on_a_folds_training_rows_predicts_what_compare_recorded(
    people, compared, name, repeat, fold
):
    run, tested = compared[name].runs[repeat], compared.fold[repeat] == fold
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    X, S = people.select("hours", "skill", "job", "sex"), people.select(SENSITIVE)
    labels, positive, seed = np.array([0, 1]), None, 3
    if (repeat, fold) != (0, 0):  # the positive label is text that sorts first
        labels, positive, seed = np.array(["no", "hired"]), "hired", (3, 2 * repeat + fold)
    y = labels[people["hired"].to_numpy()]
    model = fl.FairClassifier(
        make_pipeline(fl.TableEncoder(), LogisticRegression(max_iter=1000)),
        strategy=name,
        cuts=CUTS,
        positive=positive,
        per_cell=60,
        random_state=seed,
    ).fit(X[train], y[train], sensitive_features=S[train])
    assert model.classes_.tolist() == labels.tolist()
    groups = {"sensitive_features": S[test]} if STRATEGIES.get(name, model.strategy_).needs_groups else {}
    assert (model.predict(X[test], **groups) == labels[run.predicted[test]]).all()
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
    found = Shrinkage.of(lattice, leaves, rows, np.arange(4)).shares(higher)[:, 0]
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


def scored(shifts, n=50_000):
    """A table of leaves whose scores are shifted and whose shares of positives differ, and thresholds for a notion."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(len(shifts)), n)
    y = (rng.random(len(group)) < np.linspace(0.3, 0.6, len(shifts))[group]).astype(int)
    scores = 0.4 + 0.2 * y + np.asarray(shifts)[group] + rng.normal(0, 0.1, len(group))
    index = CellIndex(fl.GroupLattice.from_features({"a": list(range(len(shifts)))}), group, y, 2)
    return TrainingTable(None, index, np.arange(2), None, (0,)), scores, group, y


@pytest.mark.parametrize(
    ("aim", "even"),
    [
        (LeafThresholds("equal_opportunity"), "tpr"),
        (LeafThresholds("equal_opportunity", level=0.9), "tpr"),
        (LeafThresholds("demographic_parity"), "selected"),
        (LeafThresholds("demographic_parity", level=0.25), "selected"),
    ],
)
def test_thresholds_make_equal_what_the_notion_asks_for(aim, even):
    table, scores, group, y = scored((0.0, 0.2, 0.1))
    fitted = aim.choose(table, lambda: scores)
    above = fitted.above(scores, None, table.index.lattice, group)
    own = (y == 1) if even == "tpr" else np.ones(len(y), dtype=bool)
    rates = np.array([above[own & (group == g)].mean() for g in range(3)])
    # Candidates are quantiles of all scores, so a rate can be met within about one hundredth.
    assert np.ptp(rates) < 0.03
    assert rates.mean() == pytest.approx(fitted.aim.level, abs=0.02)
    assert aim.level in (None, fitted.aim.level)


@pytest.mark.parametrize("costs", [(1.0, 1.0), (3.0, 1.0), (1.0, 2.0)])
def test_thresholds_for_given_costs_cost_least(costs):
    table, scores, group, y = scored((0.0, 0.2))
    fitted = LeafThresholds("accuracy", costs=costs).choose(table, lambda: scores)
    grid = np.linspace(0.2, 1.0, 201)
    for g, threshold in enumerate(fitted.thresholds(table.index.lattice, np.arange(2))):
        own, label = scores[group == g], y[group == g]
        price = [
            costs[0] * (own[label == 1] <= t).sum() + costs[1] * (own[label == 0] > t).sum() for t in grid
        ]
        mine = (
            costs[0] * (own[label == 1] <= threshold).sum() + costs[1] * (own[label == 0] > threshold).sum()
        )
        assert mine < 1.02 * min(price)


def test_thresholds_are_saved_with_what_unseen_leaves_need(tmp_path):
    table, scores, _, _ = scored((0.0, 0.2, 0.1), 500)
    fitted = LeafThresholds("demographic_parity", level=0.4).choose(table, lambda: scores)
    fitted.to_json(tmp_path / "t.json")
    again = ThresholdsByLeaf.from_json(tmp_path / "t.json")
    wider = fl.GroupLattice.from_features({"a": [0, 1, 2, 7]})
    assert again.to_json() == fitted.to_json()
    assert (again.thresholds(wider, np.arange(4)) == fitted.thresholds(wider, np.arange(4))).all()
    for text in (
        '{"schema": "fairlattice/counts/1"}',
        '{"schema": "fairlattice/thresholds/1"}',
        "[",
        "nowhere.json",
    ):
        with pytest.raises(fl.InputError):
            ThresholdsByLeaf.from_json(text)


def test_intervals_of_thresholds_are_those_of_a_bootstrap_of_rows():
    table, scores, group, y = scored((0.0, 0.2), 300)
    lattice, leaves = table.index.lattice, np.arange(2)
    fitted = LeafThresholds().choose(table, lambda: scores)
    low, high = fitted.intervals(draws=400)
    assert (low <= fitted.thresholds(lattice, leaves)).all()
    rng, drawn = np.random.default_rng(1), []
    for _ in range(200):
        rows = rng.integers(0, len(y), len(y))
        part = TrainingTable(None, CellIndex(lattice, group[rows], y[rows], 2), leaves, None, (0,))
        drawn.append(LeafThresholds().choose(part, lambda r=rows: scores[r]).thresholds(lattice, leaves))
    widths = np.quantile(drawn, 0.975, axis=0) - np.quantile(drawn, 0.025, axis=0)
    assert high - low == pytest.approx(widths, rel=0.35)
    sizes = [[int(((group == g) & (y == k)).sum()) for k in (0, 1)] for g in (0, 1)]
    assert [row["rows"] for row in fitted.table()] == sizes


@pytest.mark.parametrize("decision", ["expected", "minimax"])
def test_blind_thresholds_follow_the_features_and_never_the_groups(decision):
    """Leaf "b" has scores .3 higher; a feature says who is in it, a sensitive column among the features may not."""
    rng = np.random.default_rng(0)
    n = 4_000
    group, y = rng.choice(["a", "b"], n), rng.integers(0, 2, n)
    skill = y + rng.normal(0, 0.8, n) + 1.5 * (group == "b")
    proxy = (group == "b") * 1.0 + rng.normal(0, 0.2, n)  # a copy would be a sensitive column itself
    with_proxy = pl.DataFrame({"skill": skill, "proxy": proxy})
    with_group = pl.DataFrame({"skill": skill, "group": group})
    rates = {}
    for name, X in (("proxy", with_proxy), ("group", with_group)):
        model = fl.FairClassifier(make_pipeline(fl.TableEncoder(), Blunt()), decision, random_state=0)
        model.fit(X, y, sensitive_features=pl.DataFrame({"group": group}))
        predicted = model.predict(X)
        assert (model.predict(X[:7]) == predicted[:7]).all()
        rates[name] = [(predicted == y)[(group == g) & (y == k)].mean() for g in "ab" for k in (0, 1)]
    assert np.ptp(rates["proxy"]) < 0.2  # nearly as fair as thresholds per leaf
    assert np.ptp(rates["group"]) > 0.3  # blind: only the score speaks of the group
    assert strategy_of(decision).needs_groups is False


def test_minimax_costs_raise_the_lowest_recall_of_any_blind_rule():
    """Leaf b is one row in ten, features say half of who is in it; one threshold for all would fail its negatives."""
    rng = np.random.default_rng(0)
    n = 20_000
    group, y = rng.random(n) < 0.1, rng.integers(0, 2, n)
    hint = np.where(rng.random(n) < 0.5, group, rng.random(n) < 0.1)
    X = np.column_stack([y + rng.normal(0, 0.7, n) + 1.0 * group, hint])
    lowest = {}
    for name in ("label", "minimax"):
        model = fl.FairClassifier(LogisticRegression(), name, random_state=0).fit(
            X, y, sensitive_features=group
        )
        right = model.predict(X) == y
        lowest[name] = min(right[(group == g) & (y == k)].mean() for g in (False, True) for k in (0, 1))
    # The best of all pairs of thresholds, one for each value of the hint, found by trying them.
    grid = np.linspace(-0.5, 2.5, 61)
    below = [
        [[np.mean(X[(group == g) & (y == k) & (hint == h), 0] <= t) for t in grid] for h in (False, True)]
        for g in (False, True) for k in (0, 1)
    ]  # fmt: skip
    cells = np.array([
        [np.mean(hint[(group == g) & (y == k)] == h) for h in (False, True)]
        for g in (False, True) for k in (0, 1)
    ])  # fmt: skip
    first, second = (np.array(below)[:, h] for h in (0, 1))
    passed = cells[:, :1, None] * first[:, :, None] + cells[:, 1:, None] * second[:, None, :]
    passed[1::2] = 1 - passed[1::2]
    best = passed.min(axis=0).max()
    assert lowest["label"] < best - 0.1
    assert lowest["minimax"] == pytest.approx(best, abs=0.03)


def test_probabilities_of_leaves_are_a_softmax_over_those_that_have_rows():
    rng = np.random.default_rng(0)
    lattice = fl.GroupLattice.from_features({"a": [0, 1], "b": [0, 1]})
    leaves = np.repeat([0, 1, 2], [5_000, 2_000, 3_000])
    X = rng.normal(size=(10_000, 1)) + (leaves == 2)[:, None] * 2.0
    model = LeafProbabilities.fit(X, lattice, leaves, rng=rng)
    chances = model(X)
    assert chances.sum(axis=1) == pytest.approx(np.ones(10_000))
    assert chances.mean(axis=0) == pytest.approx([0.5, 0.2, 0.3], abs=0.03)
    # With normal features, one of which is moved, Bayes' rule is the truth.
    density = np.exp(-0.5 * (X - np.array([0.0, 0.0, 2.0])) ** 2) * [0.5, 0.2, 0.3]
    assert np.abs(chances - density / density.sum(axis=1, keepdims=True)).mean() < 0.03
    values = rng.random((3, 2))
    assert model.expected(X, values) == pytest.approx(chances @ values)


class Blunt(LogisticRegression):
    """Looks at the first feature alone."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X[:, :1], y, sample_weight)

    def predict_proba(self, X):
        return super().predict_proba(X[:, :1])


def test_scores_may_be_decision_values_and_must_be_there(people):
    X, y, S = people.select("hours", "skill"), people["hired"], people.select("sex")
    for name in ("tuned", "minimax", "thresholds"):
        model = fl.FairClassifier(LinearSVC(), name, random_state=0).fit(X, y, sensitive_features=S)
        assert model.score(X, y, sensitive_features=S) > 0.6

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


def test_rare_categories_of_some_rows_are_those_rows_own():
    """Parts of a table, which thresholds are chosen on, know the rare categories of their own rows."""
    jobs = [f"job {i}" for i in np.random.default_rng(0).integers(0, 150, 900)]
    encoder = TableEncoder().fit(pl.DataFrame({"job": jobs}))
    whole = Vectors(encoder, encoder.vectors(pl.DataFrame({"job": jobs})))
    rows = np.arange(899, 0, -3)
    (levels,), (every,) = whole.take(rows).crowded, whole.crowded
    assert (levels == every[rows]).all()
    assert (whole.take(rows).take(np.array([1, 5])).crowded[0] == every[rows[[1, 5]]]).all()


@pytest.mark.parametrize("name", ["tuned", "expected", "minimax", "thresholds", "none+minimax"])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_thresholds_of_fewer_rows_than_folds(name, n):
    X, y, S = np.arange(n, dtype=float)[:, None], np.arange(n) % 2, np.array(["a", "b", "a", "a", "b"])[:n]
    model = fl.FairClassifier(LogisticRegression(), name, random_state=0).fit(X, y, sensitive_features=S)
    assert set(model.predict(X, sensitive_features=S)) <= {0, 1}
