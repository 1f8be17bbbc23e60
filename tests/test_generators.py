"""Mixings and their fits: gradients, recovery of known mixtures, edge cases, determinism."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad

from fairlattice import InputError
from fairlattice.divergences import RBFMixture, median_bandwidths, mmd2
from fairlattice.generators import MIXINGS, CellRows, fit_mixing, make_mixing
from fairlattice.generators._training import _draw_batch, _Loss

samples = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@pytest.mark.parametrize("name", MIXINGS)
@given(samples)
def test_pull_back_is_the_adjoint_of_mixing(name, rng):
    """Mixing is linear in its parameters, so <G, mix(θ)> = <pull_back(G), θ> for every G and θ."""
    mixing, parents = make_mixing(name), rng.normal(size=(3, 5, 4))
    theta, G = rng.normal(size=mixing.start(3, 4).shape), rng.normal(size=(5, 4))
    assert (G * mixing.mix(theta, parents)).sum() == pytest.approx(
        (mixing.pull_back(G, parents) * theta).sum(), abs=1e-9
    )


@pytest.mark.parametrize("name", MIXINGS)
def test_all_begin_as_the_mean_of_the_parents(name):
    parents = np.random.default_rng(0).normal(size=(4, 6, 3))
    mixing = make_mixing(name)
    assert mixing.mix(mixing.start(4, 3), parents) == pytest.approx(parents.mean(axis=0))


def test_mixing_formulas():
    parents = np.array([[[1.0, 2.0]], [[10.0, 20.0]]])
    assert MIXINGS["scalar"].mix(np.array([2.0, 0.5]), parents).tolist() == [[7.0, 14.0]]
    assert MIXINGS["diagonal"].mix(np.array([[1.0, 0.0], [0.0, 1.0]]), parents).tolist() == [[1.0, 20.0]]
    assert MIXINGS["linear"].mix(np.array([[0.0, 1.0], [1.0, 0.0]]), parents).tolist() == [[22.0, 11.0]]
    with pytest.raises(InputError, match="Did you mean 'scalar'"):
        make_mixing("skalar")


@pytest.mark.parametrize("name", MIXINGS)
@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_the_loss_has_its_true_gradient_through_both_terms(name, beta):
    rng = np.random.default_rng(5)
    Z, form = rng.normal(size=(60, 3)), make_mixing(name)
    cells = [
        CellRows(np.arange(9), (np.arange(9, 30), np.arange(30, 60))),
        CellRows(np.arange(3), (np.arange(5),) * 2),
    ]
    batches = [_draw_batch(Z, cell, beta, 8, rng) for cell in cells]
    loss = _Loss(form, batches, RBFMixture((0.5, 2.0)), form.start(2, 3).shape)
    start = form.start(2, 3).ravel() + rng.normal(size=form.start(2, 3).size) * 0.1
    assert check_grad(lambda t: loss(t)[0], lambda t: loss(t)[1], start) < 1e-6


def test_the_loss_is_the_formula():
    rng = np.random.default_rng(6)
    Z, form, kernel = rng.normal(size=(40, 2)), make_mixing("scalar"), RBFMixture((1.0,))
    batch = _draw_batch(Z, CellRows(np.arange(10), (np.arange(10, 25), np.arange(25, 40))), 0.7, 12, rng)
    loss, theta = _Loss(form, [batch], kernel, (2,)), np.array([0.3, 0.9])
    made = form.mix(theta, batch.parents)
    (cell, one), *others = batch.targets
    assert one == 1.0
    expected = mmd2(made, cell, kernel) + 0.7 * sum(mmd2(made, target, kernel) for target, _ in others)
    assert loss(theta)[0] + loss.constant() == pytest.approx(expected)


def toy(weights, rng, n=3000):
    """Parents that are Gaussians far apart, and a child that mixes independent draws of them."""
    d = weights.shape[-1] if weights.ndim > 1 else 3
    centres = [4.0, -4.0]  # far apart in every coordinate, so that mean and variance identify the weights
    parents = [rng.normal(size=(n, d)) * s + c for s, c in zip((1.0, 0.5), centres, strict=True)]
    drawn = np.stack([p[rng.integers(0, n, n)] for p in parents])
    name = "diagonal" if weights.ndim > 1 else "scalar"
    child = MIXINGS[name].mix(weights, drawn)
    cell = CellRows(np.arange(2 * n, 3 * n), (np.arange(n), np.arange(n, 2 * n)))
    return np.concatenate([*parents, child]), cell, name


@pytest.mark.parametrize(
    "weights",
    [np.array([0.7, 0.4]), np.array([0.2, 0.9]), np.array([[0.8, 0.3, 0.5], [0.3, 0.9, 0.6]])],
    ids=str,
)
def test_a_known_mix_is_recovered(weights):
    rng = np.random.default_rng(11)
    Z, cell, name = toy(weights, rng)
    fit = fit_mixing(
        Z, [cell], mixing=name, beta=0.0, batch_size=800, bandwidths=median_bandwidths(Z, rng=rng), rng=rng
    )
    assert fit.parameters == pytest.approx(weights, abs=0.12)
    assert fit.curve[-1] < 0.01 * fit.curve[0]


def test_the_curve_falls_and_the_status_is_in_words():
    rng = np.random.default_rng(12)
    Z, cell, _ = toy(np.array([0.7, 0.4]), rng, n=300)
    fit = fit_mixing(Z, [cell], bandwidths=(1.0, 3.0), rng=rng)
    assert all(b <= a + 1e-12 for a, b in zip(fit.curve, fit.curve[1:], strict=False))
    assert fit.status.isprintable()
    assert " " in fit.status
    assert fit.n_cells == 1
    with pytest.raises(AttributeError):
        fit.status = "changed"


def test_same_seed_same_fit():
    Z, cell, _ = toy(np.array([0.7, 0.4]), np.random.default_rng(0), n=300)
    first, second = (fit_mixing(Z, [cell], bandwidths=(2.0,), rng=np.random.default_rng(1)) for _ in range(2))
    assert first.parameters.tobytes() == second.parameters.tobytes()


def test_cells_without_rows_leave_the_mean_and_tiny_cells_work():
    rng = np.random.default_rng(13)
    Z, none = rng.normal(size=(20, 3)), np.zeros(0, dtype=int)
    empty = fit_mixing(Z, [CellRows(none, (np.arange(5), np.arange(5)))], rng=rng)
    assert (empty.parameters.tolist(), empty.n_cells) == ([0.5, 0.5], 0)
    tiny = fit_mixing(Z, [CellRows(np.arange(1), (np.arange(2), np.arange(1)))], rng=rng)
    assert np.isfinite(tiny.parameters).all()
    constant = fit_mixing(np.zeros((20, 3)), [CellRows(np.arange(3), (np.arange(9),) * 2)], rng=rng)
    assert np.isfinite(constant.parameters).all()


def test_the_parents_term_keeps_rows_diverse():
    """Fitted to one row alone the mix shrinks; the second term holds it back."""
    rng = np.random.default_rng(14)
    Z = np.concatenate([np.zeros((1, 4)), rng.normal(size=(400, 4))])
    cell = CellRows(np.arange(1), (np.arange(1, 201), np.arange(201, 401)))
    spreads = [
        np.var(
            fit_mixing(Z, [cell], beta=beta, bandwidths=(2.0,), rng=rng).generate(Z[1:].reshape(2, 200, 4))
        )
        for beta in (0.0, 1.0)
    ]
    assert spreads[0] < 0.1 * spreads[1]


def test_torch_parents_are_mixed_on_their_device():
    torch = pytest.importorskip("torch")
    parents = np.random.default_rng(15).normal(size=(2, 7, 3))
    for name, mixing in MIXINGS.items():
        theta = mixing.start(2, 3)
        made = mixing.mix(torch.tensor(theta), torch.tensor(parents))
        assert isinstance(made, torch.Tensor), name
        assert made.numpy() == pytest.approx(mixing.mix(theta, parents))
        back = mixing.pull_back(made, torch.tensor(parents))
        assert back.numpy() == pytest.approx(mixing.pull_back(made.numpy(), parents))


def test_what_a_fit_refuses():
    rng, Z = np.random.default_rng(0), np.zeros((4, 1))
    with pytest.raises(InputError, match="at least one cell"):
        fit_mixing(Z, [], rng=rng)
    cell = CellRows(np.arange(2), (np.arange(2),))
    with pytest.raises(InputError, match="`beta` must lie"):
        fit_mixing(Z, [cell], beta=-1.0, rng=rng)
    with pytest.raises(InputError, match="`batch_size`"):
        fit_mixing(Z, [cell], batch_size=1, rng=rng)
