"""Tasks of joblib: results as they end, and an end before the last of them."""

import contextlib
import time
import warnings

import numpy as np
import pytest
from joblib import delayed

import fairlattice as fl
from fairlattice.benchmark._tasks import as_they_end


@pytest.fixture
def told():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_whoever_stops_while_results_wait_and_tasks_run_is_told_nothing(n_jobs, told):
    tasks = [delayed(time.sleep)(0.05), *[delayed(time.sleep)(0.2)] * 7]
    with contextlib.suppress(KeyboardInterrupt):
        for _ in as_they_end(tasks, n_jobs, ahead=1, batch_size=1):
            time.sleep(0.3)  # meanwhile others end, and more begin
            raise KeyboardInterrupt
    assert not [str(w.message) for w in told]


def test_a_diagnosis_that_its_progress_interrupts_ends_without_a_warning(told):
    rng = np.random.default_rng(0)
    X, y, who = rng.normal(size=(400, 2)), rng.integers(0, 2, 400), rng.integers(0, 3, 400)

    def stop(_done, _total):
        time.sleep(0.3)
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        fl.diagnose(
            X, y, sensitive_features={"who": who}, max_rows=60, permutations=199, n_jobs=2, progress=stop
        )
    assert not [str(w.message) for w in told]
