"""Data sets: their loaders on small files of the true format, and what they promise."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlattice import InputError
from fairlattice.datasets import (
    Dataset,
    Source,
    _catalogue,
    _diabetes130,
    dataset_about,
    dataset_names,
    load_adult,
    load_dataset,
    load_diabetes,
    register,
)
from fairlattice.groups import GroupLattice

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


NAMES = (
    "census", "diabetes", "adult", "acs_income", "acs_coverage", "default_credit", "diabetes130", "german",
    "student_mat", "student_por", "celeba", "popquorn", "twitter", "numeracy", "anxiety",
)  # fmt: skip


def test_names():
    assert dataset_names()[: len(NAMES)] == NAMES
    assert load_dataset("diabetes").name == "diabetes"
    with pytest.raises(InputError, match="Did you mean 'diabetes'"):
        load_dataset("diabetis")


@pytest.mark.parametrize("name", NAMES)
def test_everything_listed_is_told_without_loading(name):
    about, source = dataset_about(name)
    assert about.endswith(".")
    assert source is not None
    assert source.url.startswith("https://")
    assert source.licence
    assert source.reference
    assert source.traps
    assert all(trap.endswith(".") for trap in source.traps)


@pytest.mark.parametrize("name", NAMES[2:])
def test_a_folder_without_the_files_is_refused_with_both_places_and_where_to_get_them(name, tmp_path):
    _, source = dataset_about(name)
    with pytest.raises(InputError, match="is not there") as refused:
        load_dataset(name, tmp_path)
    assert f"nor is it in `{tmp_path}`" in str(refused.value)
    assert source.url.split(",")[0] in str(refused.value)


@pytest.mark.parametrize(
    "name", ["acs_income", "acs_coverage", "student_mat", "celeba", "popquorn", "twitter", "anxiety"]
)
def test_what_can_only_be_read_from_files_says_so(name):
    with pytest.raises(InputError, match="is read from "):
        load_dataset(name)


def test_options_reach_the_loader_and_unknown_ones_are_refused(monkeypatch):
    monkeypatch.setattr(_catalogue, "_CATALOGUE", dict(_catalogue._CATALOGUE))  # others do not see it

    def load(data_dir, *, rows=2):
        return made(rows)

    register("made", load, about="Made.", source=Source("u", "l", "r"))
    assert load_dataset("made", rows=5).n_rows == 5
    assert dataset_about("made") == ("Made.", Source("u", "l", "r"))
    with pytest.raises(InputError, match=r"has no option `row`\. It takes rows"):
        load_dataset("made", row=5)
    with pytest.raises(InputError, match=r"has no option `rows`\. It takes none"):
        load_dataset("diabetes", rows=5)


def made(n=12, units=None, **changes):
    columns = {
        "y": np.arange(n) % 2,
        "sex": np.array(["f", "m"] * n, dtype=object)[:n],
        "age": np.arange(n),
        "race": np.array(["a", "b", "c"] * n, dtype=object)[:n],
        "x": np.arange(n) / 2,
        "words": np.array(["so"] * n, dtype=object),
        "who": np.arange(n) if units is None else np.asarray(units, dtype=object),
        "fold": np.arange(n) % 5 + 1,
    }
    fields = {
        "name": "made", "columns": columns, "label": "y", "positive": 1, "sensitive": ("sex", "age", "race"),
        "cuts": {"age": (3.0,)}, "drop": ("who", "fold"), "text": ("words",), "unit": "who", "part": "fold",
    }  # fmt: skip
    return Dataset(**(fields | changes))


def test_features_are_what_is_nothing_else():
    assert made().features == ("x", "words")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_on_fewer_axes_the_other_attributes_are_neither_sensitive_nor_features(n):
    data = made()
    less = data.on_axes(n)
    assert less.sensitive == data.sensitive[:n]
    assert set(less.cuts) <= set(less.sensitive)
    assert less.features == data.features
    assert set(data.sensitive[n:]) <= set(less.drop)
    assert less.columns is data.columns
    assert less.on_axes(n) == less


@pytest.mark.parametrize("n", [0, 4, 1.5])
def test_a_number_of_axes_that_there_is_not(n):
    with pytest.raises(InputError, match=r"`n`|3 sensitive attributes, not 4"):
        made().on_axes(n)


@given(
    units=st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=30),
    n_rows=st.integers(1, 30),
    seed=st.integers(0, 99),
)
def test_a_sample_has_whole_units_in_the_tables_order(units, n_rows, seed):
    data = made(len(units), units)
    sizes = [units.count(u) if u is not None else 1 for u in units]
    if min(sizes) > n_rows and len(units) > n_rows:
        with pytest.raises(InputError, match="Every `who` has more than"):
            data.sample(n_rows, rng=np.random.default_rng(seed))
        return
    drawn = data.sample(n_rows, rng=np.random.default_rng(seed))
    rows = drawn.columns["age"]  # the row's number in the table
    assert 0 < drawn.n_rows <= n_rows or drawn is data
    assert (np.diff(rows) > 0).all()
    kept = [u for u in drawn.columns["who"].tolist() if u is not None]
    assert all(kept.count(u) == units.count(u) for u in kept)
    assert all((values == data.columns[name][rows]).all() for name, values in drawn.columns.items())
    again = data.sample(n_rows, rng=np.random.default_rng(seed))
    assert (again.columns["age"] == rows).all()


def test_a_sample_without_units_has_just_as_many_rows_and_each_as_likely():
    data = made(unit=None)
    rng = np.random.default_rng(0)
    counts = np.zeros(data.n_rows)
    for _ in range(3000):
        counts[data.sample(4, rng=rng).columns["age"]] += 1
    assert counts.sum() == 3000 * 4
    assert np.abs(counts / 3000 - 4 / 12).max() < 5 * np.sqrt(1 / 3 * 2 / 3 / 3000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "z"}, "Columns not found"),
        ({"sensitive": ("sexe",)}, "Did you mean 'sex'"),
        ({"text": ("word",)}, "Did you mean 'words'"),
        ({"drop": ("who",)}, "Column `fold`"),
        ({"columns": {"y": np.zeros(2), "x": np.zeros(3)}, "sensitive": (), "cuts": {}, "drop": (), "text": (),
          "unit": None, "part": None}, "differ in length"),
    ],
)  # fmt: skip
def test_a_data_set_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        made(**changes)


# What the real tables are known to hold, counted by other means than these loaders.
# name: rows, rate of the positive label, leaves of the full lattice, the smallest of them
REAL = {
    "adult": (48_842, 0.2393, 30, 22),
    "acs_income": (332_900, 0.3684, 54, None),
    "acs_coverage": (227_658, 0.2972, 54, None),
    "default_credit": (30_000, 0.2212, None, None),
    "german": (1000, 0.7, 4, 85),
    "student_mat": (395, 0.6709, 8, 17),
    "student_por": (649, 0.8459, 8, 25),
}


@pytest.fixture(scope="module")
def real(real_data):
    loaded = {}

    def load(name, **options):
        key = (name, *options)
        if key not in loaded:
            loaded[key] = load_dataset(name, real_data, **options)
        return loaded[key]

    return load


def groups(data):
    columns = {name: data.columns[name] for name in data.sensitive}
    lattice = GroupLattice.from_features(columns, cuts=dict(data.cuts))
    return lattice, np.bincount(lattice.encode(columns))


@pytest.mark.parametrize("name", REAL)
def test_real_tables_hold_what_their_sources_say(name, real):
    data = real(name)
    rows, rate, leaves, smallest = REAL[name]
    assert data.n_rows == rows
    assert np.mean(data.columns[data.label] == data.positive) == pytest.approx(rate, abs=1e-4)
    lattice, sizes = groups(data)
    assert leaves is None or lattice.n_leaves == leaves
    assert smallest is None or sizes.min() == smallest
    assert data.source == dataset_about(name)[1]
    assert not {"fnlwgt", "G1", "G2", "index", "personal_status", *data.sensitive} & set(data.features)


def test_real_adult(real_data):
    data = load_adult(real_data / "adult")
    assert data.n_rows == 48_842
    assert np.mean(data.columns["income"] == ">50K") == pytest.approx(0.2393, abs=1e-4)
    assert sum(v is None for v in data.columns["occupation"]) == 2809
    assert sum(v is None for v in data.columns["workclass"]) == 2799
    assert sum(v is None for v in data.columns["native-country"]) == 857


def test_real_default_credit_has_the_groups_that_its_source_lists(real):
    data = real("default_credit")
    c = data.columns
    rows = (c["SEX"] == "male") & (c["MARRIAGE"] == "married") & (c["AGE"] < 25)
    assert rows.sum() == 38
    assert c[data.label][rows].mean() == pytest.approx(0.395, abs=1e-3)
    assert np.isin(c["MARRIAGE"], ["married", "single"]).sum() == 29_623
    assert (c["SEX"] == "female").mean() == pytest.approx(0.604, abs=1e-3)


def test_real_german_is_cut_after_25(real):
    data = real("german")
    young = data.columns["age"] < data.cuts["age"][0]
    female = data.columns["sex"] == "female"
    found = [
        (young & female).sum(),
        (young & ~female).sum(),
        (~young & female).sum(),
        (~young & ~female).sum(),
    ]
    assert found == [105, 85, 205, 605]
    assert np.mean(data.columns["class"][young & female] == "good") == pytest.approx(0.552, abs=1e-3)
    assert (data.columns["foreign_worker"] == "no").sum() == 37


def test_real_diabetes130_leaves_out_the_dead_and_keeps_patients_together(real, monkeypatch):
    monkeypatch.setattr(_diabetes130, "_from_files", cache(_diabetes130._from_files))  # read once
    data = real("diabetes130")
    whole = real("diabetes130", keep_deaths=True)
    assert whole.n_rows == 101_766 - 3  # gender not known
    assert whole.n_rows - data.n_rows == 2423
    assert len(set(whole.columns["patient_nbr"].tolist())) in (71_515, 71_516, 71_517, 71_518)
    assert np.mean(whole.columns["readmitted"] == "<30") == pytest.approx(0.1116, abs=1e-4)
    assert sum(v is None for v in whole.columns["race"]) == pytest.approx(2273, abs=3)
    assert sum(v is None for v in whole.columns["max_glu_serum"]) == 0
    c = whole.columns
    old = (c["race"] == "Caucasian") & (c["gender"] == "Female") & (c["age"] >= 60)
    assert old.sum() == 29_029
    assert c["readmitted_early"][old].mean() == pytest.approx(0.117, abs=1e-3)
    assert ((c["race"] == "Asian") & (c["gender"] == "Male") & (c["age"] < 30)).sum() == 2
    assert not {"patient_nbr", "encounter_id", "weight", "readmitted", "examide"} & set(data.features)
    drawn = data.sample(5000, rng=np.random.default_rng(0))
    ours = drawn.columns["patient_nbr"]
    assert np.isin(data.columns["patient_nbr"], ours).sum() == drawn.n_rows > 4900


def test_real_acs_has_words_for_codes_and_numbers_for_ranks(real):
    data = real("acs_income")
    assert set(data.columns["SEX"].tolist()) == {"male", "female"}
    assert len(set(data.columns["RAC1P"].tolist())) == 9
    assert np.mean(data.columns["RAC1P"] == "White") > 0.7
    assert isinstance(data.columns["OCCP"][0], str)
    assert data.columns["WKHP"].dtype == np.int64
    assert set(data.columns["part"].tolist()) == {"validation"}
    assert (data.part, data.unit) == (None, None)
    assert np.corrcoef(data.columns["PINCP"], data.columns["SCHL"])[0, 1] == pytest.approx(0.32, abs=0.01)
