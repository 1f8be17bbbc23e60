"""The posterior of a comparison: truth known by construction, pairs that are exchangeable, marks, decisions."""

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution

import fairlattice as fl
from fairlattice.benchmark._decision import Limits, recommend
from fairlattice.benchmark._group_draws import People, _bootstrap, _training_noise, draw_rate
from fairlattice.benchmark._posterior import Posterior, figures_of, sure_signs
from fairlattice.strategies import STRATEGIES

LATTICE = fl.GroupLattice.from_features({"a": np.arange(12) % 3, "b": np.arange(12) % 4})


def people(rates, sizes, seed=0, repeats=2, agree=1.0):
    """Strategies whose true recall in each of twelve groups, of either label, is given: (strategies, 12)."""
    rng = np.random.default_rng(seed)
    leaves = np.repeat(np.arange(12), 2 * np.asarray(sizes))
    truth = np.concatenate([np.repeat([0, 1], n) for n in sizes])
    luck = rng.random(len(leaves))
    predicted = np.empty((len(rates), repeats, len(leaves)), dtype=np.int64)
    for k, own in enumerate(rates):
        for r in range(repeats):
            again = np.where(rng.random(len(leaves)) < agree, luck, rng.random(len(leaves)))
            right = again < np.asarray(own)[leaves]
            predicted[k, r] = np.where(right, truth, 1 - truth)
    names = tuple(list(STRATEGIES)[: len(rates)])
    return People(LATTICE, leaves, truth, predicted, names)


def test_large_groups_keep_their_rates_and_extremes_are_those_of_the_truth():
    rates = np.linspace(0.5, 0.9, 12)
    posterior = Posterior(people([rates], [4000] * 12))
    level = posterior.level("none", "tpr.if")
    assert level.median == pytest.approx(0.5 * (1 - 0.5) + 0.5 * (1 - 0.5 / 0.9), abs=0.02)
    assert level.low < 0.25 + 0.5 * (1 - 5 / 9) < level.high
    assert posterior.level("none", "tpr.worst").median == pytest.approx(0.5, abs=0.02)
    assert posterior.level("none", "equalized_odds.df").median == pytest.approx(np.log(9 / 5), abs=0.05)


def test_alike_tiny_groups_are_not_taken_for_unequal_ones():
    """Twelve groups of eight at 70 %: counting says IF .55 or so, where .15 is true."""
    found = [
        (Posterior(p).level("none", "tpr.if").median, plug_in(p))
        for p in (people([np.full(12, 0.7)], [8] * 12, s) for s in range(10))
    ]
    ours, counted = np.mean(found, axis=0)
    assert counted > 0.4
    assert ours < counted - 0.12


def plug_in(p):
    whom, success = p.of_rate("tpr")
    n = np.bincount(p.leaves[whom])
    rates = (np.bincount(p.leaves[whom], weights=success[0].mean(axis=0)) + 0.5) / (n + 1)
    return 0.5 * (1 - rates.min()) + 0.5 * (1 - rates.min() / rates.max())


def test_the_bootstrap_of_one_group_is_a_beta_and_weights_are_shared():
    sums = np.r_[np.full(30, 2), np.zeros(10, dtype=int)][None].repeat(2, axis=0)
    weighted, total = _bootstrap(sums, np.zeros(40, dtype=int), 1, 20_000, np.random.default_rng(0))
    share = weighted[0, :, 0] / 2 / total[:, 0]
    for q in (0.05, 0.5, 0.95):
        assert np.quantile(share, q) == pytest.approx(beta_distribution.ppf(q, 30, 10), abs=0.005)
    assert (weighted[0] == weighted[1]).all()


def test_equal_strategies_are_exchangeable_and_rarely_marked():
    marked = 0
    for seed in range(20):
        posterior = Posterior(people([np.linspace(0.5, 0.9, 12)] * 2, [30] * 12, seed, agree=0.6), seed=seed)
        gaps = [posterior.gaps("none", f)["label"] for f in ("equalized_odds.if", "tpr.worst")]
        marked += sum(gap.mark is not None for gap in gaps)
    assert marked <= 3


def test_a_clear_gain_is_marked_and_taken_and_none_is_kept_where_strategies_only_cost():
    low = np.r_[0.2, np.full(11, 0.9)]
    better = Posterior(people([low, np.full(12, 0.9)], [60] * 12))
    gap = better.gaps("none", "equalized_odds.if")["label"]
    assert gap.mark == "better" and gap.high < -0.3
    strategies = {name: STRATEGIES[name] for name in ("none", "label")}
    found = recommend(better, strategies, {"label": 0.0}, Limits())
    assert (found.verdict, found.strategy) == ("take", "label")
    limited = recommend(better, strategies, {"label": 0.05}, Limits(max_loss=0.01))
    assert limited.strategy == "none" and "-0.050" in limited.reasons[0]
    assert (
        limited.reasons[-1]
        == "Every strategy that is fairer with probability 0.8 loses more than 0.01 of accuracy."
    )
    worse = Posterior(people([np.full(12, 0.9), np.full(12, 0.75)], [60] * 12))
    kept = recommend(worse, strategies, {"label": 0.1}, Limits())
    assert (kept.verdict, kept.reasons[-1]) == ("keep", "No strategy is fairer with probability 0.8.")
    alone = recommend(worse, {"none": STRATEGIES["none"]}, {}, Limits())
    assert (alone.verdict, alone.reasons) == ("keep", ("No other strategy was compared.",))


def test_the_default_is_named_as_such_where_no_other_is_shown_to_be_fairer():
    low = np.r_[0.2, np.full(11, 0.9)]
    posterior = Posterior(people([low, np.full(12, 0.9), np.full(12, 0.9)], [60] * 12))
    strategies = {name: STRATEGIES[name] for name in ("none", "label", "equal")}
    chosen = recommend(posterior, strategies, {}, Limits(default="equal"))
    assert (chosen.verdict, chosen.strategy) == ("take", "equal")
    assert any("default is equal" in reason for reason in chosen.reasons)
    fairest = recommend(posterior, strategies, {}, Limits(default="minimax"))
    assert fairest.verdict == "take" and not any("default" in reason for reason in fairest.reasons)


def test_little_data_is_said_to_be_little_and_what_would_help_is_said():
    posterior = Posterior(
        people([np.r_[0.4, np.full(11, 0.8)], np.r_[0.5, np.full(11, 0.8)]], [5] * 12, seed=3)
    )
    found = recommend(posterior, {n: STRATEGIES[n] for n in ("none", "label")}, {}, Limits())
    assert found.strategy == "none"
    if found.verdict == "not enough data":
        assert any("Coarser bands" in line for line in found.advice)


def test_groups_at_prediction_are_opt_in():
    rates = [np.full(12, 0.5), np.full(12, 0.6), np.full(12, 0.9)]
    posterior = Posterior(people(rates, [60] * 12))
    strategies = dict(
        zip(posterior.people.names, (STRATEGIES[n] for n in ("none", "borrow", "thresholds")), strict=True)
    )
    without = recommend(posterior, strategies, {}, Limits())
    assert without.strategy == "label"  # as the second of the people is called
    assert recommend(posterior, strategies, {}, Limits(groups_at_prediction=True)).strategy == "equal"


def test_training_noise_is_that_of_the_models_and_not_of_the_people():
    rng = np.random.default_rng(0)
    n, groups = 200, 60
    place = np.repeat(np.arange(groups), n)
    for spread in (0.0, 0.5):
        found = []
        for _ in range(10):
            logits = 0.5 + spread * rng.standard_normal((2, groups))
            success = rng.random((2, n * groups)) < 1 / (1 + np.exp(-logits[:, place]))
            found.append(_training_noise(success, place, np.full(groups, n)))
        assert np.mean(found) == pytest.approx(2 * spread**2, abs=0.02 + 0.2 * spread**2)


def test_figures_by_hand():
    found = figures_of(np.array([[0.5, 0.8], [0.9, 0.9]]), 0.5, both_outcomes=True)
    assert found["if"] == pytest.approx([0.25 + 0.5 * (1 - 0.5 / 0.8), 0.05])
    assert found["df"] == pytest.approx([np.log(0.5 / 0.2), 0.0])
    assert found["worst"].tolist() == [0.5, 0.9]


def test_marks_keep_the_expected_share_of_wrong_signs():
    rng = np.random.default_rng(0)
    for _ in range(50):
        better = rng.beta(0.2, 0.2, 30)
        marked = np.array(sure_signs(better.tolist()))
        wrong = np.minimum(better, 1 - better)
        assert not marked.any() or wrong[marked].mean() <= 0.025
        assert not marked.any() or wrong[~marked].min(initial=1.0) >= wrong[marked].max()


@pytest.mark.parametrize("leaves", [2, 300])
def test_few_and_many_groups(leaves):
    lattice = fl.GroupLattice.from_features({"a": np.arange(leaves)}, max_levels=1000)
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(leaves), 8)
    truth = np.tile([0, 1], 4 * leaves)
    predicted = rng.integers(0, 2, (2, 2, len(codes)))
    posterior = Posterior(People(lattice, codes, truth, predicted, ("none", "label")))
    for figure in posterior.figures.values():
        assert np.isfinite(figure).all()
    drawn = draw_rate(posterior.people, "tpr", size=50, seed=0, groups=np.array([0, 1]))
    assert drawn.codes.tolist() == [0, 1]
