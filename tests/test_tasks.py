"""Tasks of joblib: results in order of completion, and stopping before the last one."""

import contextlib
import time
import warnings

import numpy as np
import pytest
from joblib import delayed

import fairlattice as fl
from fairlattice.benchmark._tasks import as_completed


@pytest.fixture
def recorded_warnings():
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        yield recorded


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_stopping_while_results_wait_and_tasks_run_gives_no_warning(n_jobs, recorded_warnings):
    tasks = [delayed(time.sleep)(0.05), *[delayed(time.sleep)(0.2)] * 7]
    with contextlib.suppress(KeyboardInterrupt):
        for _ in as_completed(tasks, n_jobs, ahead=1, batch_size=1):
            time.sleep(0.3)  # other tasks end in this time, and more begin
            raise KeyboardInterrupt
    assert not [str(w.message) for w in recorded_warnings]


def test_a_diagnosis_interrupted_by_its_progress_callback_gives_no_warning(recorded_warnings):
    rng = np.random.default_rng(0)
    X, y, who = rng.normal(size=(400, 2)), rng.integers(0, 2, 400), rng.integers(0, 3, 400)

    def stop(_done, _total):
        time.sleep(0.3)
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        fl.diagnose(
            X, y, sensitive_features={"who": who}, max_rows=60, permutations=199, n_jobs=2, progress=stop
        )
    assert not [str(w.message) for w in recorded_warnings]
