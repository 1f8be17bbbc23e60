"""What the tests share: small tables with known structure, where real ones lie, how many processes run."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

# Several processes of tests keep every processor busy: more threads in each would only wait for one another.
# NumPy and PyTorch read this once, when they are loaded, as do the programs that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import joblib
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits
from xdist.scheduler import LoadScopeScheduling

settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
MOST_WORKERS = 8  # each holds PyTorch and several table libraries in memory
# Files whose tests share what costs more than they do: a browser, a site, a cluster, a comparison, pages.
WHOLE = (
    "test_browser.py",
    "test_compare.py",
    "test_docs.py",
    "test_engines.py",
    "test_page.py",
    "test_recompute.py",
    "test_strategies.py",
)


class WholeFilesOrSingleTests(LoadScopeScheduling):
    """A file of `WHOLE` goes to one process, which makes what its tests share once; other tests go singly."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return file if file.endswith(WHOLE) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    return WholeFilesOrSingleTests(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_xdist_auto_num_workers() -> int | None:
    """What `-n auto` means: the processors that we may use, and two at least, as many a test only waits.

    Left to itself it would count the cores of the machine, whatever a container may use of them.
    """
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return min(max(joblib.cpu_count(), 2), MOST_WORKERS)


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Wait for a condition, at most a minute: tests wait for facts, not for a time to pass."""

    def wait(condition: Callable[[], object], seconds: float = 60) -> None:
        end, never = time.monotonic() + seconds, threading.Event()
        while not condition():
            assert time.monotonic() < end, "what the test waits for did not happen"
            never.wait(0.005)

    return wait


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Sums on two threads, also where the tests run on one: for results that must not depend on it."""
    with threadpool_limits(2):
        yield


@pytest.fixture(params=["cpu", "cuda"])
def tensor(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a tensor of an array, on the processor and on a graphics card where there is one."""
    torch = pytest.importorskip("torch")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no graphics card here")
    return partial(torch.tensor, device=request.param)


def data_folder() -> Path:
    named = os.environ.get("FAIRLATTICE_DATA")
    return Path(named) if named else Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip("no real tables here: set FAIRLATTICE_DATA to a folder that has adult/ and acs/")
    return folder


@pytest.fixture(scope="session")
def people() -> pl.DataFrame:
    """900 people; one small intersection has another relation between features and label."""
    rng = np.random.default_rng(7)
    n = 900
    sex, race = rng.choice(["f", "m"], n, p=[0.3, 0.7]), rng.choice(["a", "b", "c"], n, p=[0.1, 0.3, 0.6])
    age = rng.integers(18, 80, n)
    hours, skill = rng.integers(0, 60, n), rng.normal(size=n)
    shift = np.where((sex == "f") & (race == "a"), 1.5, 0.0)
    hired = (0.05 * (hours - 30) + skill - shift + rng.normal(size=n) > 0).astype(int)
    return pl.DataFrame(
        {
            "sex": sex,
            "race": race,
            "age": age,
            "hours": hours,
            "skill": skill,
            "job": rng.choice(["cook", "nurse", "clerk"], n),
            "hired": hired,
        }
    )


@pytest.fixture(scope="session")
def scored(people: pl.DataFrame) -> pl.DataFrame:
    """The same people with the predictions of two models."""
    rng = np.random.default_rng(8)
    p = (people["skill"].to_numpy() + 0.03 * (people["hours"].to_numpy() - 30) > 0).astype(int)
    q = np.where(rng.random(people.height) < 0.1, 1 - p, p)
    return people.with_columns(pl.Series("p", p), pl.Series("q", q))
