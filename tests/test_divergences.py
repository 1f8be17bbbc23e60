"""Divergences: closed forms, laws, gradients against finite differences and autograd, any array library."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist

from fairlattice import InputError
from fairlattice.divergences import (
    NegativeDistance,
    RBFMixture,
    energy_distance,
    median_bandwidths,
    mmd2,
    sliced_wasserstein,
)
from fairlattice.divergences._mmd import mmd2_gradient
from fairlattice.divergences._shared import by_rank, draw_directions, quantile_means

KERNEL = RBFMixture((0.7, 1.5, 4.0))
DISTANCES = {
    "energy": energy_distance,
    "sliced": lambda X, Y: sliced_wasserstein(X, Y, n_directions=12, rng=np.random.default_rng(0)),
}


def naive_mmd2(X, Y, kernel):
    def k(x, y):
        return np.mean([np.exp(-((x - y) ** 2).sum() / (2 * h * h)) for h in kernel.bandwidths])

    def mean(A, B):
        return np.mean([[k(a, b) for b in B] for a in A])

    return mean(X, X) + mean(Y, Y) - 2 * mean(X, Y)


samples = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@given(samples, st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
def test_mmd_agrees_with_a_naive_loop_and_obeys_its_laws(rng, n, m, d):
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 1
    value = mmd2(X, Y, KERNEL)
    assert value == pytest.approx(naive_mmd2(X, Y, KERNEL), abs=1e-12)
    assert value == pytest.approx(mmd2(Y, X, KERNEL), abs=1e-12)
    assert 0 <= value + 1e-12 <= 2
    assert mmd2(X, X, KERNEL) == pytest.approx(0, abs=1e-12)
    assert mmd2(X + 3, Y + 3, KERNEL) == pytest.approx(value, abs=1e-9)
    assert mmd2(X[::-1], Y, KERNEL) == pytest.approx(value, abs=1e-12)


def test_mmd_of_gaussians_agrees_with_the_closed_form():
    rng = np.random.default_rng(0)
    d, h, s, shift = 3, 1.3, 0.8, 0.9
    X = rng.normal(size=(4000, d)) * s
    Y = rng.normal(size=(4000, d)) * s + shift / np.sqrt(d)
    spread = h**2 + 2 * s**2
    within = (h**2 / spread) ** (d / 2)
    expected = 2 * within * (1 - np.exp(-(shift**2) / (2 * spread)))
    assert mmd2(X, Y, RBFMixture((h,)), unbiased=True) == pytest.approx(expected, abs=0.004)


def test_the_unbiased_estimate_is_zero_on_average():
    rng = np.random.default_rng(1)
    values = [
        mmd2(rng.normal(size=(20, 2)), rng.normal(size=(20, 2)), KERNEL, unbiased=True) for _ in range(400)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


@given(samples, st.integers(1, 5), st.integers(1, 5))
def test_gradient_agrees_with_finite_differences(rng, n, m):
    X, Y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
    value, gradient = mmd2_gradient(X, Y, KERNEL)
    assert float(value) + KERNEL(Y, Y).mean() == pytest.approx(mmd2(X, Y, KERNEL), abs=1e-12)
    step = 1e-6
    for i in range(n):
        for j in range(2):
            up, down = X.copy(), X.copy()
            up[i, j] += step
            down[i, j] -= step
            slope = (mmd2(up, Y, KERNEL) - mmd2(down, Y, KERNEL)) / (2 * step)
            assert gradient[i, j] == pytest.approx(slope, abs=1e-7)


def test_torch_arrays_give_the_same_and_autograd_agrees(tensor):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(6, 4)), rng.normal(size=(9, 4))
    tX, tY = tensor(X, requires_grad=True), tensor(Y)
    squared = ((tX[:, None] - tX[None]) ** 2).sum(-1), ((tX[:, None] - tY[None]) ** 2).sum(-1)
    within, across = (sum(torch.exp(-s / (2 * h * h)) for h in KERNEL.bandwidths) / 3 for s in squared)
    (within.mean() - 2 * across.mean()).backward()
    value, gradient = mmd2_gradient(tX.detach(), tY, KERNEL)
    assert isinstance(gradient, torch.Tensor)
    assert gradient.device == tX.device
    assert gradient.cpu().numpy() == pytest.approx(tX.grad.cpu().numpy(), abs=1e-12)
    assert float(value) == pytest.approx(float(mmd2_gradient(X, Y, KERNEL)[0]))
    assert mmd2(tX.detach(), tY, KERNEL) == pytest.approx(mmd2(X, Y, KERNEL))


def test_median_bandwidths():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(300, 3))
    expected = np.median(cdist(X, X)[np.triu_indices(300, 1)])
    assert median_bandwidths(X, scales=(1.0, 2.0), rng=rng) == pytest.approx((expected, 2 * expected))
    assert median_bandwidths(np.zeros((9, 2)), scales=(1.0,), rng=rng) == (1.0,)
    mostly = np.zeros((9, 1))
    mostly[0] = 9.0
    assert median_bandwidths(mostly, scales=(1.0,), rng=rng) == pytest.approx((2.0,))
    assert median_bandwidths(X[:1], scales=(1.0,), rng=rng) == (1.0,)
    wide = np.repeat(rng.normal(size=(1, 40)) * 1e5, 9, axis=0)  # rounding parts equal rows by 1e-3
    wide[0] += 9.0 / np.sqrt(40)
    assert median_bandwidths(wide, scales=(1.0,), rng=rng) == pytest.approx((2.0,), rel=1e-4)
    sampled = median_bandwidths(X, scales=(1.0,), rng=rng, max_rows=100)[0]
    assert sampled == pytest.approx(expected, rel=0.1)


def test_what_mmd_refuses():
    with pytest.raises(InputError, match=r"must lie in \[1e-75, 1e\+150\]"):
        RBFMixture((1.0, 0.0))
    with pytest.raises(InputError, match=r"must lie in \[1e-75, 1e\+150\]"):
        RBFMixture(())
    with pytest.raises(InputError, match="at least 2 rows"):
        mmd2(np.zeros((1, 2)), np.zeros((5, 2)), KERNEL, unbiased=True)


@pytest.mark.parametrize("name", DISTANCES)
@given(samples, st.integers(1, 7), st.integers(1, 7), st.integers(1, 4))
def test_laws_of_distances(name, rng, n, m, d):
    distance, power = DISTANCES[name], {"energy": 1, "sliced": 2}[name]
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 1
    value = distance(X, Y)
    assert value >= 0
    near = {"abs": 1e-6}  # the root of a squared distance that rounds to 1e-16 is 1e-8
    assert distance(Y, X) == pytest.approx(value, **near)
    assert distance(X, X) == pytest.approx(0, **near)
    assert distance(X + 3, Y + 3) == pytest.approx(value, **near)
    assert distance(X[::-1], Y) == pytest.approx(value, **near)
    assert distance(np.repeat(X, 3, axis=0), Y) == pytest.approx(value, **near)
    assert distance(-2.5 * X, -2.5 * Y) == pytest.approx(2.5**power * value, **near)


@given(samples, st.integers(2, 4))
def test_energy_distance_does_not_see_a_rotation_nor_a_basis_of_slices_a_shift(rng, d):
    X, Y = rng.normal(size=(6, d)), rng.normal(size=(4, d))
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    assert energy_distance(X @ turn, Y @ turn) == pytest.approx(energy_distance(X, Y), abs=1e-7)
    shift = rng.normal(size=d)
    assert sliced_wasserstein(X, X + shift, n_directions=3 * d, rng=rng) == pytest.approx(shift @ shift / d)


@given(samples, st.integers(1, 9), st.integers(1, 9))
def test_in_one_dimension_scipy_agrees(rng, n, m):
    x, y = rng.normal(size=n), rng.normal(size=m)
    expected = stats.energy_distance(x, y) ** 2
    assert energy_distance(x[:, None], y[:, None]) == pytest.approx(expected, abs=1e-7)
    # Every quantile function is constant between multiples of 1/(n m), so repeated rows do.
    long, short = np.sort(np.repeat(x, m)), np.sort(np.repeat(y, n))
    found = sliced_wasserstein(x[:, None], y[:, None], rng=rng)
    assert found == pytest.approx(((long - short) ** 2).mean())
    assert np.sqrt(found) >= stats.wasserstein_distance(x, y) - 1e-9  # W2 is at least W1


def test_energy_distance_is_its_formula():
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
    expected = 2 * cdist(X, Y).mean() - cdist(X, X).mean() - cdist(Y, Y).mean()
    assert energy_distance(X, Y) == pytest.approx(expected)
    assert mmd2(X, Y, NegativeDistance(1e-5)) == pytest.approx(expected, abs=1e-4)


@given(samples, st.integers(1, 5), st.integers(1, 5))
def test_the_gradient_of_the_energy_distance_agrees_with_finite_differences(rng, n, m):
    X, Y, kernel = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)), NegativeDistance(0.1)
    gradient, step = mmd2_gradient(X, Y, kernel)[1], 1e-5
    for place in np.ndindex(X.shape):
        up, down = X.copy(), X.copy()
        up[place] += step
        down[place] -= step
        slope = (mmd2(up, Y, kernel) - mmd2(down, Y, kernel)) / (2 * step)
        assert gradient[place] == pytest.approx(slope, abs=1e-6)


def test_where_rows_meet_the_plain_distance_has_gradient_0():
    X = np.ones((3, 2))
    value, gradient = mmd2_gradient(X, X, NegativeDistance())
    assert float(value) == 0
    assert gradient.tolist() == np.zeros((3, 2)).tolist()


@given(samples, st.integers(1, 6), st.integers(1, 6))
def test_quantile_means_are_integrals(rng, n, m):
    y = rng.normal(size=(m, 2))
    fine = np.sort(np.repeat(y, n, axis=0), axis=0)  # n m steps, m in each of the n intervals
    assert quantile_means(y, n) == pytest.approx(fine.reshape(n, m, 2).mean(axis=1))
    x = rng.normal(size=(n, 2))
    assert by_rank(np.sort(x, axis=0), x).tolist() == x.tolist()


def test_directions_are_unit_vectors_and_come_in_bases():
    u = draw_directions(3, 8, np.random.default_rng(0))
    assert (u**2).sum(axis=0) == pytest.approx(1)
    assert u[:, 3:6].T @ u[:, 3:6] == pytest.approx(np.eye(3))


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_of_torch_arrays(name, tensor):
    rng = np.random.default_rng(6)
    X, Y = rng.normal(size=(6, 4)), rng.normal(size=(9, 4))
    found = DISTANCES[name](tensor(X), tensor(Y))
    assert found == pytest.approx(DISTANCES[name](X, Y), abs=1e-7)  # roots of rounding errors


def test_what_distances_refuse():
    with pytest.raises(InputError, match="at least 0"):
        NegativeDistance(-1.0)
    for distance in DISTANCES.values():
        with pytest.raises(InputError, match="at least 1 row"):
            distance(np.zeros((0, 2)), np.zeros((5, 2)))
        with pytest.raises(InputError, match="as many columns"):
            distance(np.zeros((1, 2)), np.zeros((5, 3)))
    with pytest.raises(InputError, match="`n_directions`"):
        sliced_wasserstein(np.zeros((1, 2)), np.zeros((5, 2)), n_directions=0, rng=np.random.default_rng(0))
