"""Mixings and their fits: gradients, recovery of known mixtures, edge cases, determinism."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import Parallel, delayed
from scipy.optimize import check_grad

from fairlattice import InputError
from fairlattice.divergences import NegativeDistance, RBFMixture, median_bandwidths, mmd2, sliced_wasserstein
from fairlattice.generators import CellRows, _blocks, fit_mixing
from fairlattice.generators._batches import Batch, draw_rows
from fairlattice.generators._blocks import Blocks, block_size
from fairlattice.generators._losses import KernelLoss, SlicedLoss
from fairlattice.generators._mixing import make_mixing
from fairlattice.generators._products import ProductLoss
from fairlattice.generators._shared import MIXINGS
from fairlattice.generators._training import DIVERGENCES

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
    assert MIXINGS["summed"].mix(np.array([1.0, 0.5]), parents).tolist() == [[11.0, 11.0]]
    assert MIXINGS["linear"].mix(np.array([[0.0, 1.0], [1.0, 0.0]]), parents).tolist() == [[22.0, 11.0]]
    with pytest.raises(InputError, match="Did you mean 'scalar'"):
        make_mixing("skalar")


def losses_of(name, divergence, Z, draws):
    """The losses of a mixing: from rows, and for scalar weights from inner products too."""
    form = make_mixing(name)
    shape = form.start(len(draws[0].parents), Z.shape[1]).shape
    if divergence == "sliced":
        u = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
        return [SlicedLoss(form, shape, [Batch.of(Z, draw) for draw in draws], u)]
    kernel = RBFMixture((0.5, 2.0)) if divergence == "mmd" else NegativeDistance(0.1)
    blocks = Blocks.of(Z, draws, kernel, pairs=10**6)
    plain = [KernelLoss(form, shape, blocks, kernel)]
    return plain + ([ProductLoss.of(blocks, kernel)] if name == "scalar" else [])


@pytest.fixture
def doubles(monkeypatch):
    """Keep losses in double precision, so that differences tell their derivatives."""
    monkeypatch.setattr(_blocks, "single_will_do", lambda *_: False)


def two_cells(rng, beta, size=8):
    Z = rng.normal(size=(60, 3))
    cells = [
        CellRows(np.arange(9), (np.arange(9, 30), np.arange(30, 60))),
        CellRows(np.arange(3), (np.arange(5),) * 2),
    ]
    return Z, [draw_rows(cell, beta, size, rng) for cell in cells]


@pytest.mark.usefixtures("doubles")
@pytest.mark.parametrize("divergence", ["mmd", "energy", "sliced"])
@pytest.mark.parametrize("name", MIXINGS)
@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_the_loss_has_its_true_derivatives_through_both_terms(name, beta, divergence):
    rng = np.random.default_rng(5)
    for loss in losses_of(name, divergence, *two_cells(rng, beta)):
        start = make_mixing(name).start(2, 3).ravel()
        start = start + rng.normal(size=start.size) * 0.1
        assert check_grad(lambda t, f=loss: f(t).value, lambda t, f=loss: f(t).gradient, start) < 1e-6
        hessian = loss(start).hessian
        assert (hessian is None) != isinstance(loss, ProductLoss)
        if hessian is not None:
            steps = 1e-6 * np.eye(len(start))
            slopes = [(loss(start + u).gradient - loss(start - u).gradient) / 2e-6 for u in steps]
            assert hessian == pytest.approx(np.stack(slopes), abs=1e-6)


@pytest.mark.usefixtures("doubles")
@pytest.mark.parametrize("divergence", ["mmd", "energy", "sliced"])
def test_the_loss_is_the_formula(divergence):
    rng = np.random.default_rng(6)
    (Z, draws), theta = two_cells(rng, 0.7, size=12), np.array([0.3, 0.9])
    expected = 0.0
    for batch in (Batch.of(Z, draw) for draw in draws):
        made = make_mixing("scalar").mix(theta, batch.parents)
        for target, weight in batch.targets:
            expected += weight * {
                "mmd": lambda X, Y: mmd2(X, Y, RBFMixture((0.5, 2.0))),
                "energy": lambda X, Y: mmd2(X, Y, NegativeDistance(0.1)),
                "sliced": lambda X, Y: sliced_wasserstein(X, Y, n_directions=3, rng=np.random.default_rng(0)),
            }[divergence](made, target)
    for loss in losses_of("scalar", divergence, Z, draws):
        found = loss(theta)[0] + loss.constant()
        assert found == pytest.approx(expected / 2, abs=1e-9 if divergence != "sliced" else None)


def test_blocks_estimate_the_whole_without_bias():
    """Rows that meet in blocks give on average what all pairs give, gradients too."""
    rng, kernel, theta = np.random.default_rng(7), RBFMixture((1.0,)), np.array([0.5, 0.8])
    Z = rng.normal(size=(300, 2))
    cells = [CellRows(np.arange(20), (np.arange(20, 150), np.arange(150, 300)))] * 10
    gaps = []
    for _ in range(12):
        draws = [draw_rows(cell, 1.0, 32, rng) for cell in cells]
        whole, parts = (ProductLoss.of(Blocks.of(Z, draws, kernel, pairs=n), kernel) for n in (10**6, 1))
        assert (whole.norms.shape[2], parts.norms.shape[2]) == (10, 40)  # blocks of all cells
        some, every = parts(theta), whole(theta)
        rows = KernelLoss(make_mixing("scalar"), (2,), parts.blocks, kernel)(theta)
        assert rows.value == pytest.approx(some.value, abs=1e-5)
        assert rows.gradient == pytest.approx(some.gradient, abs=1e-5)
        gaps.append(
            [
                some.value - every.value,
                *(some.gradient - every.gradient),
                parts.constant() - whole.constant(),
                *(some.hessian - every.hessian).ravel(),
            ]
        )
    error = np.std(gaps, axis=0, ddof=1) / np.sqrt(len(gaps))
    assert (np.abs(np.mean(gaps, axis=0)) < 5 * error + 5e-3).all()
    assert (error[:4] < 0.02).all()
    assert (error[4:] < 0.03).all()  # second derivatives
    assert parts.across[3, :, 0].sum(axis=1).mean() == pytest.approx(3.0)  # the weights of all targets
    assert [block_size(n, 10**6, 10**5) for n in (2, 7, 13, 24, 128)] == [2, 7, 13, 8, 8]
    assert [block_size(128, 80, pairs) for pairs in (200_000, 400_000, 10**7)] == [16, 32, 128]


def test_single_precision_does_not_show_and_is_not_taken_where_it_would(monkeypatch):
    rng, theta, kernel = np.random.default_rng(8), np.array([0.4, 0.7]), RBFMixture((0.5, 1.0, 2.0))
    Z, draws = two_cells(rng, 1.0, size=16)
    loss = ProductLoss.of(Blocks.of(Z, draws, kernel, pairs=10**6), kernel)
    with monkeypatch.context() as patch:
        patch.setattr(_blocks, "single_will_do", lambda *_: False)
        exact = ProductLoss.of(Blocks.of(Z, draws, kernel, pairs=10**6), kernel)
    assert (loss.norms.dtype, exact.norms.dtype) == (np.float32, np.float64)
    for found, expected in zip(loss(theta), exact(theta), strict=True):
        assert found == pytest.approx(expected, abs=1e-5)
    assert loss.constant() == pytest.approx(exact.constant(), abs=1e-5)
    for far in (Z + 1e3, Z * 1e30):
        assert Blocks.of(far, draws, kernel, pairs=1).X.dtype == np.float64


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
@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_a_known_mix_is_recovered(weights, divergence):
    rng = np.random.default_rng(11)
    Z, cell, name = toy(weights, rng)
    widths = median_bandwidths(Z, rng=rng)
    fit = fit_mixing(
        Z, [cell], mixing=name, divergence=divergence, beta=0.0, batch_size=800, bandwidths=widths, rng=rng
    )
    assert fit.parameters == pytest.approx(weights, abs=0.12)
    assert fit.curve[-1] < 0.02 * fit.curve[0]


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


def test_a_fit_looks_at_no_place_twice(monkeypatch):
    places, keep = [], ProductLoss.__call__

    def watched(self, flat):
        places.append(flat.tobytes())
        return keep(self, flat)

    monkeypatch.setattr(ProductLoss, "__call__", watched)
    rng = np.random.default_rng(18)
    Z = rng.normal(size=(900, 4)) + np.repeat([0.0, 1.0, 2.0], 300)[:, None]
    parents = tuple(rng.choice(900, 400, replace=False) for _ in range(4))
    fit_mixing(Z, [CellRows(np.arange(50), parents)] * 3, bandwidths=(1.0, 2.0), rng=rng)
    assert len(places) > 3
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("name", MIXINGS)
def test_same_seed_same_fit(name, divergence):
    Z, cell, _ = toy(np.array([0.7, 0.4]), np.random.default_rng(0), n=300)
    first, second = (
        fit_mixing(
            Z, [cell], mixing=name, divergence=divergence, bandwidths=(2.0,), rng=np.random.default_rng(1)
        )
        for _ in range(2)
    )
    assert first.parameters.tobytes() == second.parameters.tobytes()
    assert first.curve == second.curve


def edge(kind, rng):
    """Rows of ten columns whose first is the cell and whose others are its parents."""
    Z = rng.normal(size=(200, 10))
    if kind == "constant columns":
        Z[:] = 1.0
    elif kind == "one constant column":
        Z[:, 0] = 3.0
    elif kind == "duplicated rows":
        Z = np.repeat(Z[:4], 50, axis=0)
    elif kind == "heavy tails":
        Z = rng.standard_cauchy(size=(200, 10))
    elif kind == "0/1 columns":
        Z = (Z > 0.5).astype(float)
    return Z


EDGES = ["constant columns", "one constant column", "duplicated rows", "heavy tails", "0/1 columns", "plain"]


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("kind", EDGES)
@pytest.mark.parametrize("parents", [1, 2, 10])
def test_fits_at_the_edges_are_finite_and_never_worse_than_the_mean(kind, divergence, parents):
    rng = np.random.default_rng(16)
    Z = edge(kind, rng)
    for rows in (np.arange(1), np.arange(30)):
        groups = (np.arange(30, 32), *(rng.permutation(200)[:90] for _ in range(parents - 1)))
        widths = median_bandwidths(Z, rng=rng)
        options = {"divergence": divergence, "bandwidths": widths, "batch_size": 32, "rng": rng}
        fit = fit_mixing(Z, [CellRows(rows, groups)], **options)
        assert fit.parameters.shape == (parents,)
        assert np.isfinite(fit.parameters).all()
        assert np.isfinite(fit.curve).all()
        assert fit.curve[-1] <= fit.curve[0]


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("name", MIXINGS)
def test_a_torch_fit_is_the_same_and_its_parameters_are_in_numpy(name, divergence, tensor):
    Z, cell, _ = toy(np.array([0.7, 0.4]), np.random.default_rng(0), n=300)
    options = {"mixing": name, "divergence": divergence, "bandwidths": (1.0, 2.0), "batch_size": 64}
    ours = fit_mixing(Z, [cell], **options, rng=np.random.default_rng(1))
    theirs = fit_mixing(tensor(Z), [cell], **options, rng=np.random.default_rng(1))
    assert isinstance(theirs.parameters, np.ndarray)
    assert theirs.curve[0] == pytest.approx(ours.curve[0], abs=1e-5)
    assert theirs.curve[-1] == pytest.approx(ours.curve[-1], abs=1e-4)


def test_cells_without_rows_leave_the_mean_and_tiny_cells_work():
    rng = np.random.default_rng(13)
    Z, none = rng.normal(size=(20, 3)), np.zeros(0, dtype=int)
    empty = fit_mixing(Z, [CellRows(none, (np.arange(5), np.arange(5)))], rng=rng)
    assert (empty.parameters.tolist(), empty.n_cells) == ([0.5, 0.5], 0)
    tiny = fit_mixing(Z, [CellRows(np.arange(1), (np.arange(2), np.arange(1)))], rng=rng)
    assert np.isfinite(tiny.parameters).all()
    constant = fit_mixing(np.zeros((20, 3)), [CellRows(np.arange(3), (np.arange(9),) * 2)], rng=rng)
    assert np.isfinite(constant.parameters).all()


@pytest.mark.parametrize("divergence", ["mmd", "energy"])
@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e6, 1e12])
def test_units_do_not_matter(scale, divergence):
    """Weights of rows in other units are the same, and nothing overflows on the way."""
    rng = np.random.default_rng(2)
    Z, cell, _ = toy(np.array([0.7, 0.4]), rng, n=300)
    plain, scaled = (
        fit_mixing(
            Z * s, [cell], divergence=divergence, bandwidths=(s, 2.0 * s), rng=np.random.default_rng(0)
        ).parameters
        for s in (1.0, scale)
    )
    assert scaled == pytest.approx(plain, abs=2e-3)


@pytest.mark.parametrize("name", MIXINGS)
def test_rows_far_from_0_round_to_no_overflow(name):
    Z, cell, _ = toy(np.array([0.7, 0.4]), np.random.default_rng(3), n=300)
    fit = fit_mixing(Z + 1e8, [cell], mixing=name, bandwidths=(1e-3, 1.0), rng=np.random.default_rng(0))
    assert np.isfinite(fit.curve).all()


def test_a_batch_of_a_prime_number_of_rows_costs_no_more(monkeypatch):
    rng, seen = np.random.default_rng(4), []
    Z = rng.normal(size=(900, 2))
    cells = [CellRows(np.arange(600), (np.arange(600), np.arange(300, 900)))] * 3
    keep = Blocks.of.__func__

    def watched(cls, *args, **options):
        seen.append(keep(cls, *args, **options))
        return seen[-1]

    monkeypatch.setattr(Blocks, "of", classmethod(watched))
    fit_mixing(Z, cells, batch_size=509, rng=rng)
    assert seen[0].n == 504
    assert seen[0].share.shape[0] > 3


def test_fits_in_threads_leave_torch_as_it_was():
    torch = pytest.importorskip("torch")
    Z, cell, _ = toy(np.array([0.7, 0.4]), np.random.default_rng(5), n=300)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        fits = Parallel(n_jobs=4, require="sharedmem")(
            delayed(fit_mixing)(Z, [cell], rng=np.random.default_rng(0)) for _ in range(8)
        )
        with ThreadPoolExecutor(1) as pool:
            assert (torch.get_num_threads(), pool.submit(torch.get_num_threads).result()) == (2, 2)
    finally:
        torch.set_num_threads(before)
    assert len({fit.parameters.tobytes() for fit in fits}) == 1


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


def test_torch_parents_are_mixed_on_their_device(tensor):
    parents = np.random.default_rng(15).normal(size=(2, 7, 3))
    for name, mixing in MIXINGS.items():
        theta = mixing.start(2, 3)
        made = mixing.mix(tensor(theta), tensor(parents))
        assert made.device == tensor(theta).device, name
        assert made.cpu().numpy() == pytest.approx(mixing.mix(theta, parents))
        back = mixing.pull_back(made, tensor(parents))
        assert back.cpu().numpy() == pytest.approx(mixing.pull_back(made.cpu().numpy(), parents))


def test_what_a_fit_refuses():
    rng, Z = np.random.default_rng(0), np.zeros((4, 1))
    with pytest.raises(InputError, match="at least one cell"):
        fit_mixing(Z, [], rng=rng)
    cell = CellRows(np.arange(2), (np.arange(2),))
    with pytest.raises(InputError, match="`beta` must lie"):
        fit_mixing(Z, [cell], beta=-1.0, rng=rng)
    with pytest.raises(InputError, match="`batch_size`"):
        fit_mixing(Z, [cell], batch_size=1, rng=rng)
    with pytest.raises(InputError, match="`max_cells`"):
        fit_mixing(Z, [cell], max_cells=0, rng=rng)
    with pytest.raises(InputError, match="at least 1"):
        fit_mixing(Z, [CellRows(np.arange(2), ())], rng=rng)
    for divergence in DIVERGENCES:
        for bad in (np.nan, np.inf):
            with pytest.raises(InputError, match="must be finite"):
                fit_mixing(np.full((4, 1), bad), [cell], divergence=divergence, rng=rng)
    with pytest.raises(InputError, match="Did you mean 'energy'"):
        fit_mixing(Z, [cell], divergence="enrgy", rng=rng)
    with pytest.raises(InputError, match="`n_directions`"):
        fit_mixing(Z, [cell], divergence="sliced_wasserstein", n_directions=0, rng=rng)
