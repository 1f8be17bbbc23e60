"""Data sets: their loaders on small files of the true format, and what they promise."""

from types import SimpleNamespace

import numpy as np
import pytest

from fairlattice import InputError
from fairlattice.datasets import dataset_names, load_adult, load_dataset, load_diabetes

# ruff: noqa: E501 - lines as long as the files have them

ROWS = """\
39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, United-States, <=50K
54, ?, 180211, Some-college, 10, Married-civ-spouse, ?, Husband, Asian-Pac-Islander, Male, 0, 0, 60, South, >50K
"""


def test_adult_from_ucis_files(tmp_path):
    (tmp_path / "adult.data").write_text(ROWS + "\n")
    (tmp_path / "adult.test").write_text("|1x3 Cross validator\n" + ROWS.replace("K\n", "K.\n") + "\n")
    data = load_adult(tmp_path)
    assert data.n_rows == 4
    assert data.columns["income"].tolist() == ["<=50K", ">50K"] * 2
    assert data.columns["workclass"].tolist() == ["State-gov", None] * 2
    assert data.columns["age"].dtype == np.int64
    assert (data.positive, data.drop, data.cuts) == (">50K", ("fnlwgt",), {"age": (25.0, 45.0)})


def test_adult_files_that_are_not_there_or_not_adult(tmp_path):
    with pytest.raises(InputError, match=r"adult\.data. is not there"):
        load_adult(tmp_path)
    (tmp_path / "adult.data").write_text("a,b,c\n")
    with pytest.raises(InputError, match="a row of 3 fields, not 15"):
        load_adult(tmp_path)


def test_adult_from_openml(monkeypatch):
    """As scikit-learn returns it without pandas: categories as codes, NaN where missing."""
    names = ["age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
             "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country"]  # fmt: skip
    text = {n: ["u", "v"] for n in names if n in {"workclass", "education", "marital-status", "occupation",
            "relationship", "race", "sex", "native-country"}}  # fmt: skip
    data = np.array([[0.0] * 14, [1.0] * 14])
    data[1, 1] = np.nan
    bunch = SimpleNamespace(
        data=data, target=np.array(["<=50K", ">50K"], dtype=object), feature_names=names, categories=text
    )
    monkeypatch.setattr("fairlattice.datasets._adult.fetch_openml", lambda *_, **__: bunch)
    found = load_adult()
    assert found.columns["workclass"].tolist() == ["u", None]
    assert found.columns["race"].tolist() == ["u", "v"]
    assert found.columns["hours-per-week"].tolist() == [0, 1]


def test_diabetes_comes_along():
    data = load_diabetes()
    assert data.n_rows == 442
    assert set(data.columns) >= {"sex", "age", "bmi", "progressed"}
    assert set(data.columns["sex"]) == {1, 2}
    assert 0.45 < data.columns["progressed"].mean() <= 0.5


def test_names():
    assert dataset_names() == ("diabetes", "adult")
    assert load_dataset("diabetes").name == "diabetes"
    with pytest.raises(InputError, match="Did you mean 'diabetes'"):
        load_dataset("diabetis")


def test_real_adult(real_data):
    data = load_adult(real_data / "adult")
    assert data.n_rows == 48_842
    assert np.mean(data.columns["income"] == ">50K") == pytest.approx(0.2393, abs=1e-4)
    assert sum(v is None for v in data.columns["occupation"]) == 2809
