"""The evidence between two priors agrees with Beta functions, and the spline over σ with SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.special import betaln

from fairlattice.metrics import _evidence, _pooling
from fairlattice.metrics._evidence import Evidence


@pytest.fixture(autouse=True)
def products_of_small_tables_too(monkeypatch):
    monkeypatch.setattr(_evidence, "_MANY", 1)


def by_beta_functions(s, f, one, other):
    logs = [betaln(s + a, f + b) - betaln(a, b) for a, b in (one, other)]
    return np.exp(np.clip(logs[0] - logs[1], -50.0, 50.0))


def priors_of(odds, spread):
    return 0.5 + (1 + odds) / spread**2, 0.5 + (1 + 1 / odds) / spread**2


@given(st.data(), st.sampled_from([1, 5, 64, 65, 3_000]), st.booleans(), st.integers(0, 2**32 - 1))
def test_quotients_are_those_of_beta_functions(data, most, whole, seed):
    rng = np.random.default_rng(seed)
    m, rows = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 5))
    n = rng.integers(0, most + 1, m) if whole else rng.uniform(0, most, m)
    s = rng.binomial(n, 0.7) if whole else n * rng.random(m)
    odds = np.exp(rng.normal(0.5, 1.5, (rows, m)))
    spread = np.exp(rng.uniform(np.log(0.1), np.log(2.6), (rows, 1)))
    one, other = priors_of(odds, 1.6), priors_of(odds, spread)
    counts = Evidence(s.astype(float), (n - s).astype(float))
    np.testing.assert_allclose(
        counts.quotients(one, other), by_beta_functions(s, n - s, one, other), rtol=1e-9
    )
    first = one[0][:1], one[1][:1]  # one prior against many
    np.testing.assert_allclose(
        counts.quotients(first, other), by_beta_functions(s, n - s, first, other), rtol=1e-9
    )


@pytest.mark.parametrize("spread", [0.02, 1.6, 2.6])
@pytest.mark.parametrize("odds", [np.exp(-20.0), 1.0, np.exp(20.0)])
def test_products_stay_finite_at_the_ends_of_what_the_model_can_say(spread, odds):
    s = np.array([0.0, 1.0, 32.0, 64.0, 0.0])
    f = np.array([0.0, 0.0, 32.0, 0.0, 64.0])
    one, other = (tuple(np.full(5, v) for v in priors_of(odds, width)) for width in (1.6, spread))
    found = Evidence(s, f).quotients(one, other)
    assert found[0] == 1.0
    assert ((found >= np.exp(-50.0)) & (found <= np.exp(50.0))).all()
    assert (np.isfinite(found) & (found > 0)).all()


def test_the_spline_is_scipys():
    knots, fine = np.log(_pooling._SPREADS), np.log(_pooling._FINE)
    expected = CubicSpline(knots, np.eye(len(knots)))(fine)
    np.testing.assert_allclose(_pooling._SPLINE, expected, atol=1e-12)
    cubic = np.polynomial.Polynomial([1.0, -2.0, 0.5, 3.0])  # which a spline of third degree is exact for
    np.testing.assert_allclose(_pooling._SPLINE @ cubic(knots), cubic(fine), rtol=1e-11, atol=1e-11)
