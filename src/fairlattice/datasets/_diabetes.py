"""The diabetes study that comes inside scikit-learn: no network, 442 patients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes as sklearn_diabetes

from fairlattice.datasets._dataset import Dataset, Source

ABOUT = (
    "442 patients; label: disease progression after one year above the median "
    "(Efron et al. 2004, from scikit-learn)."
)
SOURCE = Source(
    url="https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
    licence="not stated; comes inside scikit-learn (BSD-3-Clause)",
    reference="Efron, Hastie, Johnstone & Tibshirani (2004), Least angle regression, Ann. Statist. 32(2).",
    traps=("Sex is coded 1 and 2, and no source says which is which.",),
    access="included",
)


def load_diabetes(data_dir: Path | str | None = None) -> Dataset:  # noqa: ARG001 - a loader takes a folder
    """Diabetes progression of 442 patients, by sex, age and body-mass index.

    The label is disease progression after one year above the median. Sex is coded 1 and 2, as in the
    source, which does not say which is which.

    References
    ----------
    Efron, Hastie, Johnstone & Tibshirani (2004), Least angle regression, Annals of Statistics 32(2).

    Examples
    --------
    >>> data = load_diabetes()
    >>> data.n_rows, data.sensitive
    (442, ('sex', 'age', 'bmi'))
    """
    bunch = sklearn_diabetes(scaled=False)
    columns = {name: bunch.data[:, j] for j, name in enumerate(bunch.feature_names)}
    columns |= {name: columns[name].astype(np.int64) for name in ("sex", "age")}
    columns["progressed"] = (bunch.target > np.median(bunch.target)).astype(np.int64)
    return Dataset(
        name="diabetes",
        columns=columns,
        label="progressed",
        positive=1,
        sensitive=("sex", "age", "bmi"),
        cuts={"age": (40.0, 60.0), "bmi": (25.0, 30.0)},
        about=ABOUT,
        source=SOURCE,
    )
