"""What the neural classifiers are trained for: gradients, constants and running states, by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairlattice.classifiers import (
    Adversarial,
    FairGrad,
    FairMixup,
    GroupDRO,
    SoftDifferentialFairness,
    Step,
    Training,
    Unconstrained,
)
from fairlattice.classifiers._adversarial import reversed_gradient
from fairlattice.classifiers._differential import epsilon, updated_counts
from fairlattice.classifiers._fair_grad import fairness_constants
from fairlattice.classifiers._fair_mixup import Pool, path_penalty
from fairlattice.classifiers._group_dro import updated_ratios
from fairlattice.classifiers._network import make_network

N, D, LEAVES = 24, 3, 4


@pytest.fixture
def training():
    rng = np.random.default_rng(0)
    leaves = np.arange(N) % LEAVES
    return Training(
        x=torch.tensor(rng.normal(size=(N, D))),
        labels=(np.arange(N) // LEAVES) % 2,
        leaves=leaves,
        levels=np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),
        chances=np.full(N, 1 / N),
        batch_size=N,
        width=5,
        adversary_rng=np.random.default_rng(1),
        mixing_rng=np.random.default_rng(2),
    )


def network():
    return make_network((D, 6, 5, 1), np.random.default_rng(3), dtype=torch.float64)


def step_of(net, training):
    cells = training.tensor(2 * training.leaves + training.labels)
    labels = (cells % 2).double()
    hidden = net.hidden(training.x)
    logits = net.logits(hidden)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return Step(net, cells, labels, hidden, logits, losses)


def gradients(value, tensors):
    return [g.numpy().copy() for g in torch.autograd.grad(value, tensors)]


def finite_differences(function, tensors, width=1e-6):
    found = []
    for tensor in tensors:
        slopes = np.zeros(tensor.shape)
        for at in np.ndindex(*tensor.shape):
            ends = []
            for sign in (1, -1):
                with torch.no_grad():
                    tensor[at] += sign * width
                    ends.append(float(function()))
                    tensor[at] -= sign * width
            slopes[at] = (ends[0] - ends[1]) / (2 * width)
        found.append(slopes)
    return found


@pytest.mark.parametrize("notion", ["demographic_parity", "equal_opportunity", "equalized_odds"])
@pytest.mark.parametrize("kind", [FairMixup, SoftDifferentialFairness])
def test_a_penalty_s_gradient_is_that_of_its_value(training, kind, notion):
    net = network()

    def loss():
        running = kind(weight=2.0, notion=notion).start(training)
        if hasattr(running, "rng"):
            running.rng = np.random.default_rng(5)
        return running.loss(step_of(net, training))

    plain = Unconstrained().start(training).loss(step_of(net, training))
    assert float(loss().detach()) > float(plain.detach()) + 1e-4
    for ours, true in zip(
        gradients(loss(), net.parameters()), finite_differences(loss, net.parameters()), strict=True
    ):
        np.testing.assert_allclose(ours, true, atol=1e-7)


@pytest.mark.parametrize(
    "objective", [GroupDRO(weight=3.0), FairGrad(weight=2.0, notion="demographic_parity")]
)
def test_a_reweighted_gradient_is_that_of_the_weighted_loss(training, objective):
    net = network()
    with torch.no_grad():  # half of the rows are predicted 1
        net.layers[-1][1].sub_(step_of(net, training).logits.median() + 1e-4)
    step = step_of(net, training)
    running = objective.start(training)
    ours = gradients(running.loss(step), net.parameters())
    if isinstance(objective, GroupDRO):
        means = np.array([float(step.losses[step.cells == k].detach().mean()) for k in range(8)])
        pull = np.exp(3 * means / (1 - (1 - 1 / 8) ** N))  # by the chance that a batch has rows of a cell
        weights = 8 * pull / pull.sum()
    else:
        weights = (1 + running.multipliers @ running.matrix / running.shares).numpy()
    assert np.ptp(weights) > 0.01
    row_weights = torch.tensor(weights)[step.cells]
    true = finite_differences(lambda: (row_weights * step_of(net, training).losses).mean(), net.parameters())
    for a, b in zip(ours, true, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_an_adversary_s_gradient_is_reversed_for_the_network_only(training):
    net, weight = network(), 0.7
    running = Adversarial(weight=weight).start(training)
    loss = running.loss(step_of(net, training))
    ours = gradients(loss, [*net.parameters()[:-2], *running.parameters()])
    targets = torch.tensor(training.levels[training.leaves])

    def task():
        return step_of(net, training).losses.mean()

    def heads():
        hidden = net.hidden(training.x)
        return sum(
            torch.nn.functional.cross_entropy(
                torch.nn.functional.linear(head.hidden(hidden), *head.layers[-1]), targets[:, j]
            )
            for j, head in enumerate(running.heads)
        )

    lower = net.parameters()[:-2]
    expected = [
        a - weight * b
        for a, b in zip(finite_differences(task, lower), finite_differences(heads, lower), strict=True)
    ] + finite_differences(heads, running.parameters())
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_adversarial_heads_are_one_per_attribute_or_one_over_leaves(training):
    by_attribute = Adversarial(hidden=(7,)).start(training).heads
    assert [[tuple(w.shape) for w, _ in head.layers] for head in by_attribute] == [[(7, 5), (2, 7)]] * 2
    by_leaf = Adversarial(heads="leaf", hidden=()).start(training).heads
    assert [[tuple(w.shape) for w, _ in head.layers] for head in by_leaf] == [[(4, 5)]]


def test_reversal_changes_no_value():
    hidden = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    turned = reversed_gradient(hidden, 0.3)
    assert torch.equal(turned, hidden)
    turned.sum().backward()
    assert torch.equal(hidden.grad, torch.full((4, 3), -0.3))


def test_the_path_s_slope_is_the_derivative_along_it():
    net = network()
    rng = np.random.default_rng(4)
    first, second = (torch.tensor(rng.normal(size=(10, D))) for _ in range(2))

    def mean_prediction(t):
        x = t * first + (1 - t) * second
        return net.logits(net.hidden(x)).sigmoid().view(2, 5).mean(dim=1).detach().numpy()

    slopes = (mean_prediction(0.3 + 1e-6) - mean_prediction(0.3 - 1e-6)) / 2e-6
    np.testing.assert_allclose(
        float(path_penalty(net, first, second, 0.3, 2).detach()), np.abs(slopes).sum(), rtol=1e-6
    )


def test_a_pool_draws_two_leaves_by_the_rows_chances():
    leaves = np.array([2, 0, 1, 0, 2, 1])
    chances = np.array([0.1, 0.3, 0.2, 0.1, 0.1, 0.2])
    rng = np.random.default_rng(0)
    pool = Pool.of(leaves, chances, np.array([0, 1, 2, 3, 4]))
    drawn = [pool.pair(50, rng) for _ in range(300)]
    for pair in drawn:
        first, second = (set(leaves[rows].tolist()) for rows in pair)
        assert len(first) == len(second) == 1
        assert first != second
    rows = np.concatenate([pair.reshape(-1) for pair in drawn])
    of_leaf_0 = rows[leaves[rows] == 0]
    assert abs((of_leaf_0 == 1).mean() - 0.75) < 0.02
    assert 5 not in rows
    assert abs((leaves[rows] == 1).mean() - 1 / 3) < 0.06


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=2, max_size=6),
    st.randoms(use_true_random=False),
)
def test_fairness_constants_are_the_fairness_levels_they_stand_for(cells, random):
    counts = np.array(cells)  # rows of label 0 and 1, by leaf
    leaf = np.repeat(np.repeat(np.arange(len(counts)), 2), counts.reshape(-1))
    y = np.repeat(np.tile([0, 1], len(counts)), counts.reshape(-1))
    h = np.array([random.randint(0, 1) for _ in y])
    wrong = h != y

    def levels(notion):
        if notion == "accuracy_parity":
            return [wrong.mean() - wrong[leaf == r].mean() for r in range(len(counts))]
        if notion == "demographic_parity":
            return [h[leaf == r].mean() - h.mean() for r in range(len(counts))]
        told = []
        for r, label in np.ndindex(len(counts), 2):
            mine = (leaf == r) & (y == label)
            asked = mine.any() and (label == 1 or notion == "equalized_odds")
            told.append(wrong[y == label].mean() - wrong[mine].mean() if asked else 0.0)
        return told

    for notion in ("accuracy_parity", "demographic_parity", "equalized_odds", "equal_opportunity"):
        constants = fairness_constants(notion, counts / counts.sum())
        group = constants.groups[2 * leaf + y]
        sizes = np.bincount(group, minlength=len(constants.shares))
        errors = np.bincount(group, weights=wrong, minlength=len(sizes)) / np.maximum(sizes, 1)
        np.testing.assert_allclose(constants.constant + constants.matrix @ errors, levels(notion), atol=1e-12)
        np.testing.assert_allclose(constants.shares, sizes / len(y))


def naive_fair_grad(shares, batches, rate):
    """Equalized odds, as a loop: multipliers, then weights, over batches of (errors, rows) per cell."""
    K = len(shares)
    multipliers = np.zeros(K)
    for errors, rows in batches:
        for k in range(K):
            alike = [j for j in range(K) if j % 2 == k % 2 and rows[j]]
            if rows[k]:
                all_rate = sum(shares[j] * errors[j] / rows[j] for j in alike) / sum(shares[j] for j in alike)
                multipliers[k] += rate * (all_rate - errors[k] / rows[k])
    total = [shares[0::2].sum(), shares[1::2].sum()]
    weights = np.zeros(K)
    for k in range(K):
        pull = sum(multipliers[j] * shares[k] / total[k % 2] for j in range(K) if j % 2 == k % 2)
        weights[k] = (shares[k] + pull - multipliers[k]) / shares[k]
    return weights


def test_fair_grad_weights_are_those_of_a_naive_loop_with_absent_groups_left_out(training):
    running = FairGrad(weight=0.3).start(training)
    full = np.array([1.0, 2, 0, 3, 1, 0, 3, 1]), np.array([3.0] * 8)
    holes = np.array([0.0, 1, 2, 0, 0, 1, 0, 0]), np.array([2.0, 2, 4, 3, 0, 4, 5, 0])
    for errors, rows in (full, holes):
        weights = running.group_weights(torch.tensor(errors), torch.tensor(rows))
    shares = np.full(8, 1 / 8)
    expected = naive_fair_grad(shares, [full, holes], 0.3)
    # where the batch has every group, the shares of all of them; with holes, of those it has
    np.testing.assert_allclose(weights.numpy(), expected, atol=1e-12)


def test_a_group_that_errs_more_weighs_more(training):
    for notion in ("accuracy_parity", "equalized_odds", "equal_opportunity"):
        running = FairGrad(weight=0.1, notion=notion).start(training)
        groups = len(running.shares)
        rows, errors = torch.full((groups,), 6.0).double(), torch.ones(groups).double()
        errors[3] = 5.0
        weights = running.group_weights(errors, rows)
        assert int(weights.argmax()) == 3
        assert float(weights[3]) > 1 > float(weights[1])
        assert float((weights * running.shares).sum()) == pytest.approx(1.0)


def test_parity_weighs_a_favoured_leaf_s_positives_down(training):
    running = FairGrad(weight=0.1, notion="demographic_parity").start(training)
    errors = torch.tensor([3.0, 0, 0, 3, 0, 3, 0, 3]).double()  # leaf 0 gets only positives, others none
    weights = running.group_weights(errors, torch.full((8,), 3.0).double()).numpy()
    assert weights[1] < 1 < weights[0]
    assert (weights[2::2] < 1).all() and (weights[3::2] > 1).all()


def test_two_steps_of_group_dro_are_exponentiated_sums():
    p = torch.tensor([0.5, 0.3, 0.2]).double()
    losses = [np.array([0.2, 0.9, 0.0]), np.array([0.7, 0.1, 2.0])]
    moved = torch.zeros(3).double()
    for loss in losses:
        moved, ratios = updated_ratios(moved, torch.tensor(loss), p, 0.5)
    q = p.numpy() * np.exp(0.5 * (losses[0] + losses[1]))
    np.testing.assert_allclose((ratios * p).numpy(), q / q.sum(), atol=1e-14)


def test_a_cell_that_few_batches_see_is_not_forgotten(training):
    """The expected ascent of a cell is its loss, however rare it is: within the noise of 4,000 batches."""
    shares = np.array([0.6, 0.399, 0.001])
    running = GroupDRO(weight=1e-3).start(replace(training, batch_size=128))
    running.shares = torch.tensor(shares)
    running.presence = 1 - (1 - running.shares) ** 128
    running.moved = torch.zeros(3).double()
    rng = np.random.default_rng(0)
    loss_of = torch.tensor([0.3, 0.3, 2.0]).double()
    for _ in range(4000):
        cells = torch.tensor(rng.choice(3, 128, p=shares))
        running.loss(Step(None, cells, None, None, None, loss_of[cells]))
    np.testing.assert_allclose(running.moved.numpy(), 1e-3 * 4000 * loss_of.numpy(), rtol=0.15)


def test_group_dro_stays_finite_and_starts_at_exactly_one():
    p = torch.full((10,), 0.1).double() / torch.full((10,), 0.1).double().sum()
    _, ratios = updated_ratios(torch.zeros(10).double(), torch.arange(10).double(), p, 0.0)
    assert torch.equal(ratios, torch.ones(10).double())
    _, ratios = updated_ratios(torch.arange(10).double() * 1e5, torch.zeros(10).double(), p, 0.0)
    np.testing.assert_allclose(ratios.numpy(), [0.0] * 9 + [10.0], atol=1e-12)


def test_soft_counts_and_epsilon_by_hand():
    counts = torch.tensor([[10.0, 5.0, 1.0], [20.0, 10.0, 2.0]]).double()
    p = np.array([0.9, 0.2, 0.4, 0.6])
    after = updated_counts(counts, torch.tensor(p), torch.tensor([0, 1, 0, 0]), 8.0).numpy()
    np.testing.assert_allclose(after[0], [9 + 0.8 * 1.9, 4.5 + 0.8 * 0.2, 0.9])
    np.testing.assert_allclose(after[1], [18 + 0.8 * 3, 9 + 0.8, 1.8])
    theta = (after[0] + 0.5) / (after[1] + 1)
    worst = max(
        abs(np.log(a / b)) for rates in (theta, 1 - theta) for a in rates.tolist() for b in rates.tolist()
    )
    assert float(epsilon(*torch.tensor(after))) == pytest.approx(worst)


@pytest.mark.parametrize("kind", [FairMixup, SoftDifferentialFairness])
def test_one_leaf_is_fair_to_itself(training, kind):
    alone = Training(
        **{**vars(training), "leaves": np.zeros(N, dtype=int), "levels": np.zeros((1, 1), dtype=int)}
    )
    step = step_of(network(), alone)
    loss = kind(weight=9.0).start(alone).loss(step).detach()
    assert float(loss) == pytest.approx(float(step.losses.detach().mean()))
