"""The exact tail agrees with SciPy's distribution, and with counting by hand."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import hypergeom

from fairlattice.metrics._hypergeometric import lower_tail


def drawn_tables(largest, size=2_000):
    """Tables whose count lies a few standard deviations around its mean, and at its ends."""
    rng = np.random.default_rng(largest)
    total = rng.integers(1, largest + 1, size)
    good, drawn = (rng.integers(0, total + 1) for _ in range(2))
    least, most = np.maximum(0, drawn - (total - good)), np.minimum(drawn, good)
    mean = drawn * (good / total)
    sd = np.sqrt(mean * (1 - good / total) * (1 - drawn / total))
    k = np.clip(np.rint(mean + 3 * sd * rng.normal(size=size)).astype(np.int64), least, most)
    k[:50], k[50:100] = least[:50], most[50:100]
    return k, drawn, good, total


@pytest.mark.parametrize(
    ("largest", "accuracy"), [(4, 1e-14), (50, 1e-13), (1_000, 1e-11), (100_000, 1e-8), (10**7, 1e-6)]
)
def test_the_tail_is_that_of_the_distribution(largest, accuracy):
    k, drawn, good, total = drawn_tables(largest)
    np.testing.assert_allclose(
        lower_tail(k, drawn, good, total), hypergeom.cdf(k, total, good, drawn), rtol=accuracy, atol=1e-290
    )


def test_every_table_of_eight_items():
    tables = [
        (k, n, g, 8)
        for n in range(9)
        for g in range(9)
        for k in range(max(0, n + g - 8), min(n, g) + 1)
    ]  # fmt: skip
    k, n, g, t = np.array(tables).T
    np.testing.assert_allclose(lower_tail(k, n, g, t), hypergeom.cdf(k, t, g, n), rtol=1e-13)


def test_no_tables_have_no_tails():
    nothing = np.empty(0, dtype=np.int64)
    assert lower_tail(nothing, nothing, nothing, nothing).shape == (0,)


@pytest.mark.parametrize("slow", ["scipy.stats", "scipy.interpolate"])
def test_an_audit_does_not_load_what_takes_long(slow):
    code = f"import sys, fairlattice.metrics; print('{slow}' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
