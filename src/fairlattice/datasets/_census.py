"""The census sample that the package carries: 30,000 persons, no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fairlattice.datasets._dataset import Dataset, Source

ABOUT = "30,000 people of low income, US census survey of 2018; label: covered by public health insurance."
SOURCE = Source(
    url="https://www.census.gov/programs-surveys/acs/microdata.html",
    licence="public-use microdata, a work of the US government; nobody may be identified with them",
    reference="Ding, Hardt, Miller & Schmidt (2021), Retiring Adult, NeurIPS, arXiv:2108.04884 (ACSPublicCoverage).",
    traps=(
        "A simple random sample, without survey weights and without states.",
        "Three codes of Native Americans are one level; income is rounded to hundreds of dollars.",
        "Persons of one household are rows of their own, and nothing says that they belong together.",
    ),
    access="included",
)
_FILE = Path(__file__).with_name("census.parquet")


def load_census(data_dir: Path | str | None = None) -> Dataset:  # noqa: ARG001 - a loader takes a folder
    """Public health coverage of 30,000 people of low income, by race, sex and age.

    References
    ----------
    US Census Bureau, American Community Survey 2018, public-use microdata; the task is folktables' ACSPublicCoverage
    (arXiv:2108.04884).

    Examples
    --------
    >>> data = load_census()
    >>> data.n_rows, data.sensitive
    (30000, ('race', 'sex', 'age'))
    """
    import polars as pl

    table = pl.read_parquet(_FILE)
    columns = {
        name: np.asarray(column.to_list(), dtype=object)
        if column.dtype == pl.Categorical
        else column.to_numpy()
        for name, column in zip(table.columns, table.iter_columns(), strict=True)
    }
    return Dataset(
        name="census",
        columns=columns,
        label="public_coverage",
        positive=1,
        sensitive=("race", "sex", "age"),
        cuts={"age": (25.0, 45.0)},
        about=ABOUT,
        source=SOURCE,
    )
