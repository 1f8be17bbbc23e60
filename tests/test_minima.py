"""Several minima: the least is taken, and neither rounding nor the build of the linear algebra chooses it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from fairlattice.generators._losses import Place
from fairlattice.generators._minimise import minimise
from fairlattice.generators._newton import LEFT, descend, explore, least, polish
from fairlattice.generators._shared import MIXINGS

BUILDS = ("Nehalem", "Sandybridge", "Haswell")  # kernels of OpenBLAS that every x86-64 with AVX2 runs

FITS = """
import json, sys
import numpy as np
from threadpoolctl import threadpool_info
from fairlattice.groups import GroupLattice
from fairlattice.samplers import CellIndex, MixingSampler

def fits(Z, S, y, cuts=None):
    lattice = GroupLattice.from_features(S, cuts=cuts)
    sampler = MixingSampler.fit(Z, CellIndex(lattice, lattice.encode(S), y, 2), entropy=(0,))
    return [fit.parameters.tolist() for fit in sampler.by_label]

def made(seed):
    # Groups do not differ, so that no parent is preferred: their mean is nearly a saddle.
    rng = np.random.default_rng(seed)
    S = {name: rng.integers(0, 2, 600) for name in "abc"}
    return rng.normal(size=(600, 6)), S, rng.integers(0, 2, 600)

def census(data_dir, seed):
    import polars as pl
    from fairlattice.datasets import load_dataset
    from fairlattice.encoders import TableEncoder
    data = load_dataset("acs_income", data_dir=data_dir).sample(2000, rng=np.random.default_rng(seed))
    X = pl.DataFrame({name: data.columns[name] for name in data.features}, strict=False)
    S, y = {name: data.columns[name] for name in data.sensitive}, data.columns[data.label]
    return TableEncoder(64).fit(X).transform(X), S, np.unique(y, return_inverse=True)[1], data.cuts

tables = [made(seed) for seed in range(6)] if len(sys.argv) < 2 else [census(sys.argv[1], k) for k in (0, 1)]
builds = [pool.get("architecture") for pool in threadpool_info() if pool["user_api"] == "blas"]
print(json.dumps({"builds": builds, "fits": [fits(*table) for table in tables]}))
"""


def in_each_build(*arguments):
    """The fits of fresh processes, one for each build of OpenBLAS's kernels that this machine runs."""
    found = {}
    for build in BUILDS:
        told = subprocess.run(
            [sys.executable, "-c", FITS, *arguments],
            env={**os.environ, "OPENBLAS_CORETYPE": build, "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
            timeout=280,
        )
        answer = json.loads(told.stdout)
        if set(answer["builds"]) == {build}:
            found[build] = np.array(answer["fits"])
    if len(found) < 2:
        pytest.skip("NumPy's linear algebra is not OpenBLAS with kernels to choose from")
    return found


def test_builds_of_the_linear_algebra_agree_where_the_mean_is_nearly_a_saddle():
    first, *others = in_each_build().values()
    for fits in others:
        assert fits == pytest.approx(first, abs=5e-5)


def test_builds_agree_on_the_census(real_data):
    first, *others = in_each_build(str(real_data)).values()
    for fits in others:
        assert fits == pytest.approx(first, abs=5e-5)


def two_wells(tilt=0.0):
    """(x² - 1)² + y² + tilt · x: minima near (-1, 0) and (1, 0), a saddle between them."""

    def loss(place):
        x, y = place
        return Place(
            (x * x - 1.0) ** 2 + y * y + tilt * x,
            np.array([4.0 * x * (x * x - 1.0) + tilt, 2.0 * y]),
            np.array([[12.0 * x * x - 4.0, 0.0], [0.0, 2.0]]),
        )

    return loss


@pytest.mark.parametrize("aside", [0.0, 1e-12, -1e-12, 1e-4, -1e-4])
def test_both_sides_of_a_saddle_are_descended(aside):
    ends = explore(two_wells(), [np.array([aside, 2.0])], 50)
    saddle, *minima = [end.place.round(2).tolist() for end in ends]
    assert abs(saddle[0]) < 0.02
    assert minima == [[1.0, 0.0], [-1.0, 0.0]]


def test_equal_minima_are_taken_in_order_and_others_by_their_loss():
    starts = [np.array([0.8, 0.1]), np.array([-0.8, 0.1])]
    for tilt, first in ((0.0, 1.0), (0.2 * LEFT, 1.0), (-0.2 * LEFT, 1.0), (0.1, -1.0), (-0.1, 1.0)):
        loss = two_wells(tilt)
        assert least(explore(loss, starts, 50)).place[0] == pytest.approx(first, abs=0.05), tilt


def test_polishing_tells_the_place_to_many_digits():
    loss = two_wells()
    rough = descend(loss, np.array([0.7, 0.3]), 50)
    assert rough.curve == sorted(rough.curve, reverse=True)
    fine = polish(loss, rough)
    assert np.abs(fine.place - [1.0, 0.0]).max() < 1e-6 <= np.abs(rough.place - [1.0, 0.0]).max()


def test_a_descent_that_no_step_helps_says_so():
    """A gradient that points uphill: the loss must not rise."""

    def wrong(place):
        return Place(float(place @ place), -2.0 * place, 2.0 * np.eye(2))

    end = descend(wrong, np.array([1.0, 0.0]), 50)
    assert (end.place.tolist(), end.curve) == ([1.0, 0.0], [1.0])
    assert "rounding" in end.status
    assert "allowed" in descend(two_wells(), np.array([0.1, 0.3]), 1).status


class Wells:
    """Two wells as a loss that leaves a constant out; without curvature, for descents by gradients alone."""

    def __init__(self, tilt, *, bent):
        self.at, self.bent = two_wells(tilt), bent

    def __call__(self, flat):
        here = self.at(flat)
        return here if self.bent else here._replace(hessian=None)

    def constant(self):
        return 2.0


@pytest.mark.parametrize("bent", [True, False])
@pytest.mark.parametrize("cheaper", [0, 1])
def test_the_least_of_the_minima_that_starts_lead_to(bent, cheaper):
    losses = [Wells(0.3, bent=bent) for _ in range(cheaper + 1)]
    starts = [np.array([0.9, 0.2]), np.array([-0.9, 0.2]), np.array([0.5, 0.5])]
    found = minimise(losses, starts, max_steps=50)
    assert found.place == pytest.approx([-1.035, 0.0], abs=1e-3)
    assert found.curve[0] == pytest.approx(2.0 + losses[-1](starts[-1]).value)
    assert found.curve == sorted(found.curve, reverse=True)


def test_a_cheaper_loss_that_misleads_does_no_harm():
    misleading, true = Wells(0.0, bent=True), Wells(0.0, bent=True)
    misleading.at = lambda place: Place(
        float((place - 3.0) @ (place - 3.0)), 2.0 * (place - 3.0), 2.0 * np.eye(2)
    )
    start = np.array([1.0, 0.0])
    assert minimise([misleading, true], [start], max_steps=1).curve[-1] <= 2.0 + true(start).value


@pytest.mark.parametrize("name", MIXINGS)
def test_each_parent_alone_is_a_start_where_its_rows_can_be_had(name):
    parents, mixing = np.random.default_rng(0).normal(size=(3, 5, 4)), MIXINGS[name]
    alone = mixing.alone(3, 4)
    assert len(alone) == (0 if name in ("summed", "linear") else 3)
    for parameters, rows in zip(alone, parents, strict=bool(alone)):
        assert mixing.mix(parameters, parents).tolist() == rows.tolist()
