"""What the tests share: small tables with known structure, and where real ones lie."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


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
