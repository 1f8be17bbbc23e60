"""Data sets whose files cannot be included: small files of their true format, with every trap in them."""

import zipfile
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from fairlattice import InputError
from fairlattice.datasets import load_dataset
from fairlattice.groups import GroupLattice


@pytest.fixture(autouse=True)
def no_folder_of_real_data(monkeypatch):
    """These tests bring their own files, whatever real ones the environment names."""
    monkeypatch.delenv("FAIRLATTICE_DATA", raising=False)


def written(folder, name, text, encoding="utf-8"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def columns_equal(one, other):
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        assert one.columns[name].tolist() == other.columns[name].tolist(), name


# --- ACS --------------------------------------------------------------------------------------

INCOME = {
    "PINCP": [0, 1, 1], "RAC1P": [0, 5, 8], "SCHL": [16.0, 21.0, 24.0], "POBP": [42.0, 6.0, 303.0],
    "SEX": [1.0, 2.0, 2.0], "OCCP": [4720.0, 10.0, 0.0], "RELP": [0.0, 1.0, 17.0], "COW": [1.0, 3.0, 8.0],
    "MAR": [5.0, 1.0, 3.0], "WKHP": [35.0, 1.0, 99.0], "AGEP": [24.0, 25.0, 96.0], "index": [9, 10, 11],
}  # fmt: skip


def acs_file(folder, part, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(INCOME | changes).write_parquet(folder / f"ACSIncome.{part}.parquet")


def test_acs_parts_are_pooled_in_the_split_s_order(tmp_path):
    acs_file(tmp_path / "acs", "test", PINCP=[0, 0, 0])
    acs_file(tmp_path / "acs", "train")
    data = load_dataset("acs_income", tmp_path)
    assert data.columns["part"].tolist() == ["train"] * 3 + ["test"] * 3
    assert data.columns["PINCP"].tolist() == [0, 1, 1, 0, 0, 0]
    assert data.part == "part"
    assert data.columns["RAC1P"].tolist()[:3] == ["White", "Asian", "two or more"]
    assert data.columns["SEX"].tolist()[:3] == ["male", "female", "female"]
    assert data.columns["OCCP"].tolist()[:3] == ["4720", "10", "0"]
    assert data.columns["WKHP"].tolist()[:3] == [35, 1, 99]
    assert data.features == ("SCHL", "POBP", "OCCP", "RELP", "COW", "MAR", "WKHP")
    columns_equal(data, load_dataset("acs_income", tmp_path / "acs"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"RAC1P": [1, 6, 9]}, "9 in column `RAC1P`, row 3; known are 0"),
        ({"SEX": [1.0, 2.0, 3.0]}, "3 in column `SEX`, row 3"),
        ({"PINCP": [0, 1, 52_000]}, r"52000 in column `PINCP`, row 3; a whole number in \[0, 1\]"),
        ({"AGEP": [24.0, None, 25.0]}, "None in column `AGEP`, row 2"),
        ({"WKHP": [1.5, 2.0, 3.0]}, "1.5 in column `WKHP`, row 1"),
    ],
)
def test_acs_files_with_other_codes_are_refused(changes, told, tmp_path):
    acs_file(tmp_path, "train", **changes)
    with pytest.raises(InputError, match=told):
        load_dataset("acs_income", tmp_path)


def test_acs_files_that_are_none(tmp_path):
    written(tmp_path, "ACSIncome.train.parquet", "not parquet")
    with pytest.raises(InputError, match="Parquet"):
        load_dataset("acs_income", tmp_path)
    pl.DataFrame(INCOME).drop("OCCP").write_parquet(tmp_path / "ACSIncome.train.parquet")
    with pytest.raises(InputError, match="no column 'OCCP'"):
        load_dataset("acs_income", tmp_path)
    pl.DataFrame(INCOME).clear().write_parquet(tmp_path / "ACSIncome.train.parquet")
    with pytest.raises(InputError, match="has no rows"):
        load_dataset("acs_income", tmp_path)


# --- credit card clients ------------------------------------------------------------------------

CREDIT_NAMES = (
    "LIMIT_BAL,SEX,EDUCATION,MARRIAGE,AGE,PAY_0,PAY_2,PAY_3,PAY_4,PAY_5,PAY_6,BILL_AMT1,BILL_AMT2,BILL_AMT3,"
    "BILL_AMT4,BILL_AMT5,BILL_AMT6,PAY_AMT1,PAY_AMT2,PAY_AMT3,PAY_AMT4,PAY_AMT5,PAY_AMT6,"
)
CREDIT = [
    "20000,2,2,1,24,2,2,-1,-1,-2,-2,3913,3102,689,0,0,0,0,689,0,0,0,0,1",
    "120000,1,0,0,45,-1,2,0,0,0,8,2682,-1725,2682,3272,3455,3261,0,1000,1000,1000,0,2000,0",
    "50000,1,6,3,25,0,0,0,0,0,0,1,2,3,4,5,6,7,8,9,10,11,12,0",
]


def credit_text(label="default payment next month", rows=CREDIT):
    return CREDIT_NAMES + label + "\n" + "\n".join(rows) + "\n"


def test_credit_codes_that_no_book_explains_count_as_other(tmp_path):
    written(tmp_path, "default.csv", credit_text())
    data = load_dataset("default_credit", tmp_path)
    assert data.columns["EDUCATION"].tolist() == ["university", "other", "other"]
    assert data.columns["MARRIAGE"].tolist() == ["married", "other", "other"]
    assert data.columns["SEX"].tolist() == ["female", "male", "male"]
    assert data.columns[data.label].tolist() == [1, 0, 0]
    assert data.columns["BILL_AMT2"].tolist() == [3102, -1725, 2]


def test_credit_from_the_other_release_and_from_openml_is_the_same(tmp_path, monkeypatch):
    written(tmp_path / "default_credit", "default.csv", credit_text())
    data = load_dataset("default_credit", tmp_path)
    written(tmp_path / "other", "UCI_Credit_Card.csv", credit_text("default.payment.next.month"))
    columns_equal(data, load_dataset("default_credit", tmp_path / "other"))
    table = np.array([row.split(",") for row in CREDIT])
    bunch = SimpleNamespace(
        data=table[:, :-1].astype(float), target=table[:, -1].astype(object), categories={},
        feature_names=[f"x{j}" for j in range(1, 24)],
    )  # fmt: skip
    monkeypatch.setattr("fairlattice.datasets._default_credit.fetch_openml", lambda **_: bunch)
    columns_equal(data, load_dataset("default_credit"))
    bunch.feature_names, bunch.data = bunch.feature_names[1:], bunch.data[:, 1:]
    with pytest.raises(InputError, match="23 columns, not 24"):
        load_dataset("default_credit")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        (CREDIT_NAMES + "default\n", "header but no rows"),
        (credit_text("defaulted"), "no column 'default payment next month'"),
        (credit_text().replace(",AGE", ",YEARS"), "no column 'AGE'"),
        (credit_text().replace("PAY_2", "PAY_0"), "no column 'PAY_2'"),
        (credit_text(rows=[CREDIT[0], CREDIT[1] + ",1"]), "a row of 25 fields, not 24, in line 3"),
        (credit_text(rows=[CREDIT[0].replace("24,", "old,")]), "'old' for a number in column `AGE`, row 1"),
        (credit_text(rows=[CREDIT[0].replace("24,", "24.5,")]), "'24.5' in column `AGE`, row 1"),
        (credit_text(rows=[CREDIT[0].replace("24,", "nan,")]), "'nan' in column `AGE`, row 1"),
        (credit_text(rows=[CREDIT[0][:-1] + "2"]), "'2' in column `default payment next month`"),
        (credit_text(rows=[CREDIT[0].replace("20000,2", "20000,3")]), "'3' in column `SEX`"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused(text, told, tmp_path):
    written(tmp_path, "default.csv", text)
    with pytest.raises(InputError, match=told) as refused:
        load_dataset("default_credit", tmp_path)
    assert "default.csv" in str(refused.value)


def test_files_in_another_encoding_and_folders_for_files_are_refused(tmp_path):
    written(tmp_path, "default.csv", credit_text().replace("PAY_0", "É"), encoding="latin-1")
    with pytest.raises(InputError, match="not text in UTF-8, at byte"):
        load_dataset("default_credit", tmp_path)
    (tmp_path / "student-mat.csv").mkdir()
    with pytest.raises(InputError, match="is not there"):
        load_dataset("student_mat", tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path):
    written(tmp_path / "a", "default.csv", credit_text())
    written(tmp_path / "b", "default.csv", "\ufeff" + credit_text().replace("\n", "\r\n"))
    columns_equal(
        load_dataset("default_credit", tmp_path / "a"), load_dataset("default_credit", tmp_path / "b")
    )


@pytest.mark.parametrize("name", ["default_credit", "german", "diabetes130"])
def test_a_network_that_is_not_there_is_one_error(name, monkeypatch):
    def offline(**_):
        raise OSError("no route")

    monkeypatch.setattr(f"fairlattice.datasets._{name}.fetch_openml", offline)
    with pytest.raises(InputError, match=r"could not be fetched from OpenML.*--data-dir.*no route"):
        load_dataset(name)


# --- German credit ------------------------------------------------------------------------------

GERMAN = """\
A11 6 A34 A43 1169 A65 A75 4 A93 A101 4 A121 67 A143 A152 2 A173 1 A192 A201 1
A12 48 A30 A410 5951 A61 A73 2 A92 A102 2 A124 26 A141 A151 1 A171 1 A191 A202 2
A14 12 A32 A40 2096 A61 A71 2 A91 A103 3 A122 25 A142 A153 1 A174 2 A191 A201 1
"""
GERMAN_WORDS = [
    ["<0", 6, "critical/other existing credit", "radio/tv", 1169, "no known savings", ">=7", 4, "male single",
     "none", 4, "real estate", 67, "none", "own", 2, "skilled", 1, "yes", "yes", "good"],
    ["0<=X<200", 48, "no credits/all paid", "other", 5951, "<100", "1<=X<4", 2, "female div/dep/mar",
     "co applicant", 2, "no known property", 26, "bank", "rent", 1, "unemp/unskilled non res", 1, "none",
     "no", "bad"],
    ["no checking", 12, "existing paid", "new car", 2096, "<100", "unemployed", 2, "male div/sep",
     "guarantor", 3, "life insurance", 25, "stores", "for free", 1, "high qualif/self emp/mgmt", 2, "none",
     "yes", "good"],
]  # fmt: skip


def test_german_codes_become_the_words_that_openml_has(tmp_path, monkeypatch):
    written(tmp_path / "german", "german.data", GERMAN.replace(" A201 1\n", "  A201 1 \n"))  # blanks are many
    data = load_dataset("german", tmp_path)
    names = [name for name in data.columns if name != "sex"]
    assert [[data.columns[name][i] for name in names] for i in range(3)] == GERMAN_WORDS
    assert data.columns["sex"].tolist() == ["male", "female", "male"]
    assert "personal_status" not in data.features
    assert (data.columns["age"] < data.cuts["age"][0]).tolist() == [False, False, True]  # 25 is not above 25
    levels = {
        n: sorted({r[j] for r in GERMAN_WORDS})
        for j, n in enumerate(names[:-1])
        if j not in (1, 4, 7, 10, 12, 15, 17)
    }
    coded = [
        [float(levels[n].index(v)) if n in levels else float(v) for n, v in zip(names[:-1], r, strict=False)]
        for r in GERMAN_WORDS
    ]
    bunch = SimpleNamespace(
        data=np.array(coded), target=np.array([r[-1] for r in GERMAN_WORDS], dtype=object),
        feature_names=names[:-1], categories=levels,
    )  # fmt: skip
    monkeypatch.setattr("fairlattice.datasets._german.fetch_openml", lambda **_: bunch)
    columns_equal(data, load_dataset("german"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GERMAN.replace(" A201 1\n", " 1\n"), "a row of 20 fields, not 21, in line 1"),
        (GERMAN.replace("A92", "A96"), "'A96' in column `personal_status`, row 2"),
        (GERMAN.replace("A202 2", "A202 3"), "'3' in column `class`, row 2"),
        (GERMAN.replace("5951", "?"), "'\\?' for a number in column `credit_amount`, row 2"),
    ],
)
def test_german_files_that_are_not(text, told, tmp_path):
    written(tmp_path, "german.data", text)
    with pytest.raises(InputError, match=told):
        load_dataset("german", tmp_path)


# --- students -----------------------------------------------------------------------------------

STUDENT = """\
school;sex;age;address;famsize;Pstatus;Medu;Fedu;Mjob;Fjob;reason;guardian;traveltime;studytime;failures;\
schoolsup;famsup;paid;activities;nursery;higher;internet;romantic;famrel;freetime;goout;Dalc;Walc;health;\
absences;G1;G2;G3
"GP";"F";18;"U";"GT3";"A";4;4;"at_home";"teacher";"course";"mother";2;2;0;"yes";"no";"no";"no";"yes";"yes";\
"no";"no";4;3;4;1;1;3;6;"5";"6";9
"MS";"M";17;"R";"LE3";"T";1;0;"other";"services";"home";"father";1;1;3;"no";"yes";"no";"yes";"yes";"no";\
"yes";"yes";5;3;3;5;5;1;93;"0";"11";10
"""


@pytest.mark.parametrize("name", ["student_mat", "student_por"])
def test_students_pass_with_ten_and_their_grades_are_no_features(name, tmp_path):
    written(tmp_path / "student", name.replace("_", "-") + ".csv", STUDENT)
    data = load_dataset(name, tmp_path)
    assert data.columns["passed"].tolist() == [0, 1]
    assert data.columns["G1"].tolist() == [5, 0]  # quoted in the file
    assert [data.columns[a].tolist() for a in data.sensitive] == [
        ["female", "male"],
        [18, 17],
        ["urban", "rural"],
    ]
    assert not {"G1", "G2", "G3", "passed"} & set(data.features)
    assert data.columns["Mjob"].tolist() == ["at_home", "other"]


def test_students_with_commas_are_not_the_file(tmp_path):
    written(tmp_path, "student-mat.csv", STUDENT.replace(";", ","))
    with pytest.raises(InputError, match="no column 'school'"):
        load_dataset("student_mat", tmp_path)


# --- diabetes in 130 hospitals ------------------------------------------------------------------

HOSPITAL_NAMES = [
    "encounter_id", "patient_nbr", "race", "gender", "age", "weight", "admission_type_id",
    "discharge_disposition_id", "admission_source_id", "time_in_hospital", "payer_code",
    "medical_specialty", "num_lab_procedures", "num_procedures", "num_medications", "number_outpatient",
    "number_emergency", "number_inpatient", "diag_1", "diag_2", "diag_3", "number_diagnoses",
    "max_glu_serum", "A1Cresult", "metformin", "repaglinide", "nateglinide", "chlorpropamide",
    "glimepiride", "acetohexamide", "glipizide", "glyburide", "tolbutamide", "pioglitazone",
    "rosiglitazone", "acarbose", "miglitol", "troglitazone", "tolazamide", "examide", "citoglipton",
    "insulin", "glyburide-metformin", "glipizide-metformin", "glimepiride-pioglitazone",
    "metformin-rosiglitazone", "metformin-pioglitazone", "change", "diabetesMed", "readmitted",
]  # fmt: skip


def stay(encounter, patient, race, gender, age, discharge, diagnoses, readmitted):
    drugs = ["No"] * 17 + ["Up"] + ["No"] * 5
    return [
        encounter, patient, race, gender, age, "?", 1, discharge, 7, 3, "?", "Cardiology", 41, 0, 8, 0, 0, 2,
        *diagnoses, 9, "None", ">8", *drugs, "Ch", "Yes", readmitted,
    ]  # fmt: skip


STAYS = [
    stay(11, 7, "Caucasian", "Female", "[0-10)", 1, ["250.83", "?", "V27"], "NO"),
    stay(12, 7, "Caucasian", "Female", "[20-30)", 1, ["428", "786", "E909"], "<30"),
    stay(13, 8, "?", "Male", "[30-40)", 18, ["599", "140", "715"], ">30"),
    stay(14, 9, "Asian", "Male", "[90-100)", 13, ["787", "860", "1"], "NO"),
    stay(15, 10, "Other", "Unknown/Invalid", "[60-70)", 1, ["414", "414", "414"], "NO"),
]


def hospital_text():
    return "\r\n".join(",".join(map(str, row)) for row in [HOSPITAL_NAMES, *STAYS]) + "\r\n"


def test_hospital_stays(tmp_path):
    written(tmp_path / "diabetes130", "diabetic_data.csv", hospital_text())
    data = load_dataset("diabetes130", tmp_path)
    assert data.columns["encounter_id"].tolist() == [11, 12, 13]  # no hospice, no gender that is not known
    assert load_dataset("diabetes130", tmp_path, keep_deaths=True).n_rows == 4
    assert data.columns["readmitted_early"].tolist() == [0, 1, 0]
    assert data.columns["race"].tolist() == ["Caucasian", "Caucasian", None]
    assert data.columns["max_glu_serum"].tolist() == ["not measured"] * 3
    assert data.columns["A1Cresult"].tolist() == [">8"] * 3
    assert data.columns["weight"].tolist() == [None] * 3
    assert data.columns["diag_1"].tolist() == ["diabetes", "circulatory", "genitourinary"]
    assert data.columns["diag_2"].tolist() == [None, "respiratory", "neoplasms"]
    assert data.columns["diag_3"].tolist() == ["other", "other", "musculoskeletal"]
    assert data.columns["discharge_disposition_id"].tolist() == ["1", "1", "18"]
    attributes = {name: data.columns[name] for name in data.sensitive}
    lattice = GroupLattice.from_features(attributes, cuts=dict(data.cuts))
    assert [a.levels for a in lattice.attributes][2] == ("<30", "30 to <60", ">=60")
    assert (data.unit, data.part) == ("patient_nbr", None)
    assert data.sample(1, rng=np.random.default_rng(0)).columns["patient_nbr"].tolist() == [8]


def test_hospital_stays_from_the_zip_file_and_from_openml_are_the_same(tmp_path, monkeypatch):
    written(tmp_path / "a", "diabetic_data.csv", hospital_text())
    data = load_dataset("diabetes130", tmp_path / "a")
    (tmp_path / "b").mkdir()
    with zipfile.ZipFile(tmp_path / "b" / "dataset_diabetes.zip", "w") as archive:
        archive.writestr("dataset_diabetes/IDs_mapping.csv", "x")
        archive.writestr("dataset_diabetes/diabetic_data.csv", hospital_text())
    columns_equal(data, load_dataset("diabetes130", tmp_path / "b"))
    numeric = {n for n, v in zip(HOSPITAL_NAMES, STAYS[0], strict=True) if isinstance(v, int)}
    levels = {
        n: list(dict.fromkeys(row[j] for row in STAYS))
        for j, n in enumerate(HOSPITAL_NAMES[:-1])
        if n not in numeric
    }
    coded = [
        [
            float(levels[n].index(v)) if n in levels else float(v)
            for n, v in zip(HOSPITAL_NAMES[:-1], row, strict=False)
        ]
        for row in STAYS
    ]
    dotted = [n.replace("-", ".") for n in HOSPITAL_NAMES[:-1]]
    bunch = SimpleNamespace(
        data=np.array(coded), target=np.array([r[-1] for r in STAYS], dtype=object), feature_names=dotted,
        categories={n.replace("-", "."): v for n, v in levels.items()},
    )  # fmt: skip
    monkeypatch.setattr("fairlattice.datasets._diabetes130.fetch_openml", lambda **_: bunch)
    columns_equal(data, load_dataset("diabetes130"))


def test_hospital_files_that_are_not(tmp_path):
    path = written(tmp_path, "dataset_diabetes.zip", "no archive")
    with pytest.raises(InputError, match="cannot be unpacked"):
        load_dataset("diabetes130", tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("IDs_mapping.csv", "x")
    with pytest.raises(InputError, match=r"holds no diabetic_data\.csv"):
        load_dataset("diabetes130", tmp_path)
    written(tmp_path, "diabetic_data.csv", hospital_text().replace("[20-30)", "20-30"))
    with pytest.raises(InputError, match="'20-30' in column `age`, row 2"):
        load_dataset("diabetes130", tmp_path)


# --- CelebA -------------------------------------------------------------------------------------

FORTY = [
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips",
    "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby",
    "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male",
    "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin",
    "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair",
    "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace",
    "Wearing_Necktie", "Young",
]  # fmt: skip
FACES = np.random.default_rng(3).integers(0, 2, (6, 40))


def faces_text(faces=FACES, count=None):
    rows = [
        f"{i + 1:06d}.jpg " + " ".join(f"{2 * v - 1:>2d}" for v in row) for i, row in enumerate(faces)
    ]  # -1 1 are told apart by one blank or two
    return "\n".join([str(count or len(faces)), " ".join(FORTY) + " ", *rows]) + "\n"


def test_faces(tmp_path):
    written(tmp_path / "celeba", "list_attr_celeba.txt", faces_text())
    data = load_dataset("celeba", tmp_path)
    assert (data.n_rows, data.part, data.unit) == (6, None, None)
    assert data.columns["Smiling"].tolist() == FACES[:, FORTY.index("Smiling")].tolist()
    for name in ("Male", "Young", "Attractive", "Pale_Skin"):
        assert data.columns[name].tolist() == [("no", "yes")[v] for v in FACES[:, FORTY.index(name)]]
    assert data.sensitive == ("Male", "Young", "Attractive", "Pale_Skin")
    assert len(data.features) == 35
    for name in data.features:
        assert data.columns[name].tolist() == FACES[:, FORTY.index(name)].tolist()


def test_faces_in_the_published_split_and_of_known_persons(tmp_path):
    written(tmp_path, "list_attr_celeba.txt", faces_text())
    order = [5, 0, 1, 2, 3, 4]  # whatever order the file has
    written(tmp_path, "list_eval_partition.txt", "".join(f"{i + 1:06d}.jpg {i % 3}\n" for i in order))
    written(tmp_path, "identity_CelebA.txt", "".join(f"{i + 1:06d}.jpg {2880 + i // 2}\n" for i in order))
    data = load_dataset("celeba", tmp_path)
    assert data.columns["part"].tolist() == ["train", "validation", "test"] * 2
    assert data.columns["person"].tolist() == ["2880", "2880", "2881", "2881", "2882", "2882"]
    assert (data.part, data.unit) == ("part", "person")
    assert len(data.features) == 35


def test_faces_as_images(tmp_path):
    written(tmp_path, "list_attr_celeba.txt", faces_text())
    with pytest.raises(InputError, match=r"img_align_celeba\.zip"):
        load_dataset("celeba", tmp_path, features="images")
    written(tmp_path / "img_align_celeba", "000001.jpg", "an image")
    data = load_dataset("celeba", tmp_path, features="images")
    assert data.features == data.images == ("image",)
    assert data.columns["image"][5] == str(tmp_path / "img_align_celeba" / "000006.jpg")


def test_faces_as_vectors_of_ones_own(tmp_path):
    written(tmp_path, "list_attr_celeba.txt", faces_text())
    vectors = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    np.save(tmp_path / "seen.npy", vectors)
    data = load_dataset("celeba", tmp_path, features=tmp_path / "seen.npy")
    assert data.features == ("v000", "v001", "v002")
    assert np.array_equal(np.column_stack([data.columns[f] for f in data.features]), vectors)
    bad = {
        "5 rows for 6 images": vectors[:5],
        r"shape \(6, d\), got shape \(6,\)": vectors[:, 0],
        "not finite numbers": np.where(vectors > 0, np.nan, vectors),
        r"no \.npy file of numbers": np.array([["a"], [None]], dtype=object),
    }
    for told, array in bad.items():
        np.save(tmp_path / "bad.npy", array, allow_pickle=True)
        with pytest.raises(InputError, match=told):
            load_dataset("celeba", tmp_path, features=tmp_path / "bad.npy")
    with pytest.raises(InputError, match=r"gone\.npy` is no"):
        load_dataset("celeba", tmp_path, features=tmp_path / "gone.npy")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (faces_text(count=7), "has 6 rows, but says 7"),
        (faces_text() + "000007.jpg -1 1\n", "a row of 2 values, not 40, in line 9"),
        (faces_text().replace(" 1\n", " 0\n"), "has '0' in line"),
        (faces_text().replace("-1", "- 1", 1), "a row of 41 values"),
        (faces_text().replace("Smiling", "Laughing"), "no column 'Smiling'"),
        (faces_text().partition("\n")[2], "does not begin with the number of images"),
        (faces_text() + "000007.jpg\n", "a row of 1 field in line 9"),
    ],
)
def test_lists_of_faces_that_are_not(text, told, tmp_path):
    written(tmp_path, "list_attr_celeba.txt", text)
    with pytest.raises(InputError, match=told):
        load_dataset("celeba", tmp_path)


def test_a_partition_of_other_faces_is_refused(tmp_path):
    written(tmp_path, "list_attr_celeba.txt", faces_text())
    whole = [f"{i + 1:06d}.jpg 0" for i in range(6)]
    for lines, told in (
        (whole[:5], "nothing of 000006.jpg"),
        ([*whole, "000007.jpg 0"], "7 images, not 6"),
        ([*whole[:5], "000006.jpg 3"], "parts other than 0, 1 and 2"),
    ):
        written(tmp_path, "list_eval_partition.txt", "\n".join(lines))
        with pytest.raises(InputError, match=told):
            load_dataset("celeba", tmp_path)


# --- Twitter ------------------------------------------------------------------------------------

TWEETS = "tid\tuid\ttext\tdate\tgender\tage\tcity\tstate\tcountry\tethnicity\tlabel\n"


def tweet(uid, text, gender="0", age="1", country="1", ethnicity="0", label="0"):
    return f"t\t{uid}\t{text}\tx\t{gender}\t{age}\tx\tx\t{country}\t{ethnicity}\t{label}\n"


def test_tweets(tmp_path):
    rows = [
        tweet("u1", 'he said "so'),  # a lone quotation mark, which swallows rows if it is heeded
        tweet("u2", "17", age="x"),
        tweet("u1", "è\u2028 nice", gender="1", country="0", ethnicity="1", label="1"),
        tweet("x", ""),
    ]
    written(tmp_path / "twitter", "valid.tsv", TWEETS + "".join(rows))
    written(
        tmp_path / "twitter",
        "test.tsv",
        TWEETS + tweet("u3", "ja", ethnicity="x") + tweet("u4", "no", label="1"),
    )
    data = load_dataset("twitter", tmp_path)
    assert data.columns["text"].tolist() == ['he said "so', "è\u2028 nice", "", "no"]
    assert data.columns["gender"].tolist() == ["male", "female", "male", "male"]
    assert data.columns["country"].tolist() == ["most frequent", "other", "most frequent", "most frequent"]
    assert data.columns["ethnicity"].tolist() == ["white", "other", "white", "white"]
    assert data.columns["label"].tolist() == [0, 1, 0, 1]
    assert data.columns["part"].tolist() == ["validation"] * 3 + ["test"]
    assert data.columns["uid"].tolist() == ["u1", "u1", "(row 4)", "u4"]
    assert (data.features, data.text, data.unit, data.part) == (("text",), ("text",), "uid", None)
    assert "2 of 6 rows" in data.about
    assert load_dataset("twitter", tmp_path, pool=False).part == "part"


def test_tweets_of_word_numbers_become_words(tmp_path):
    padded = " ".join(["0"] * 37 + ["5", "14999", "5"])
    written(tmp_path, "test.tsv", TWEETS + tweet("u1", padded) + tweet("u2", " ".join(["0"] * 40)))
    assert load_dataset("twitter", tmp_path).columns["text"].tolist() == ["w5 w14999 w5", ""]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TWEETS + tweet("u", "a").replace("\tx", "", 1), "a row of 10 fields, not 11, in line 2"),
        (TWEETS + tweet("u", "a", gender="f"), "'f' in column `gender`, row 1"),
        (TWEETS + tweet("u", "a", label="x"), "'x' for a number in column `label`"),
        (TWEETS + tweet("u", "a", age="x"), "No row in"),
        (TWEETS.replace("ethnicity", "race") + tweet("u", "a"), "no column 'ethnicity'"),
    ],
)
def test_files_of_tweets_that_are_not(text, told, tmp_path):
    written(tmp_path, "train.tsv", text)
    with pytest.raises(InputError, match=told):
        load_dataset("twitter", tmp_path)


# --- POPQUORN -------------------------------------------------------------------------------------

RATINGS = "instance_id,user_id,text,offensiveness,gender,race,age,education,occupation\n"


def rating(comment, score, gender="Woman", race="White", age="54-59", education="College degree"):
    return f'{comment},7,"he said ""so"", twice",{score},{gender},{race},{age},{education},Student\n'


@pytest.mark.parametrize("header", [RATINGS, RATINGS.replace("instance_id,user_id", "comment,rater")])
def test_ratings(header, tmp_path):
    rows = [
        rating("a", 1),
        rating("a", 2, race="Arab American", age=">65"),
        rating("b", 3, gender="", education="Other"),
    ]
    written(tmp_path / "popquorn", "raw_data.csv", header + "".join(rows))
    data = load_dataset("popquorn", tmp_path)
    assert data.columns["offensive"].tolist() == [0, 1, 1]
    assert data.columns["gender"].tolist() == ["woman", "woman", None]
    assert data.columns["race"].tolist() == ["white", "other", "white"]
    assert data.columns["age"].tolist() == ["45-59", "60+", "45-59"]
    assert data.columns["comment"].tolist() == ["a", "a", "b"]
    assert data.columns["text"].tolist() == ['he said "so", twice'] * 3
    assert (data.features, data.text, data.unit) == (("text",), ("text",), "comment")
    narrower = load_dataset("popquorn", tmp_path, at_least=3, education=True)
    assert narrower.columns["offensive"].tolist() == [0, 0, 1]
    assert narrower.sensitive == ("gender", "race", "age", "education")


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (RATINGS + rating("a", 6), "'6' in column `offensiveness`, row 1"),
        (RATINGS + rating("a", 1, race="Martian"), "'Martian' in column `race`, row 1"),
        (RATINGS.replace("instance_id", "item") + rating("a", 1), "no column 'instance_id'"),
        (RATINGS.replace("age", "years") + rating("a", 1), "no column 'age'"),
    ],
)
def test_files_of_ratings_that_are_not(text, stated, tmp_path):
    written(tmp_path, "raw_data.csv", text)
    with pytest.raises(InputError, match=stated):
        load_dataset("popquorn", tmp_path)
    with pytest.raises(InputError, match="at_least"):
        load_dataset("popquorn", tmp_path, at_least=6)


# --- numeracy and anxiety -----------------------------------------------------------------------

FIRST = ("D1", "D2", "D3", "D4", "D5", "D6")
LATER = ("D1-Age", "D2-Gender", "D4-Race", "D5-Education", "D6-Income", "EFL")
# text, score, age, sex, race, education, income, english
PEOPLE = [
    ("I count pills, \xe9ach day", "0.9", "1", "1", "1", "5", "1", "1"),
    ("same words", "0.2", "82", "2", "2", "4", "6", "2"),
    ("same words", "0.5", "30", "2", "8", "8", "7", ""),
    ("", "0.6", "30", "1", "7", "7", "8", "1"),
    ("nobody knows", "", "40", "2", "1", "1", "2", "1"),
    ('a "quoted" word', "0.5", "NA", "", "6", "6", "3", "1"),
]


def survey(names=FIRST, delimiter="\t", folds=None, task="Numeracy"):
    header = ["Row", f"Text_{task}", f"Label_{task}", *names, "MN1", "Label_Other"]
    rows = [[str(i), *person, "1", "0.5"] for i, person in enumerate(PEOPLE)]
    if folds:
        header.append("File")
        rows = [[*row, fold] for row, fold in zip(rows, folds, strict=True)]
    if delimiter != "\t":
        rows = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    return "\n".join(delimiter.join(row) for row in [header, *rows]) + "\n"


@pytest.mark.parametrize("names", [FIRST, LATER])
@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
@pytest.mark.parametrize("task", ["Numeracy", "Anxiety"])
def test_survey(names, delimiter, task, tmp_path):
    text = survey(names, delimiter, task=task)
    written(tmp_path / "fair_psych_nlp", "Data_SurveyPlusDemographics.txt", text, encoding="latin-1")
    data = load_dataset(task.lower(), tmp_path)
    assert data.columns["text"].tolist() == [PEOPLE[0][0], "same words", "same words", "", 'a "quoted" word']
    assert data.columns[data.label].tolist() == [1, 0, 0, 1, 0]  # the median is 0.5
    assert data.sensitive == ("sex", "age", "race", "education")
    assert data.columns["sex"].tolist() == ["male", "female", "female", "male", None]
    np.testing.assert_array_equal(data.columns["age"], [18, 99, 47, 47, np.nan])
    assert data.cuts == {"age": (48.0,)}  # above the median of 18, 99, 47, 47 and 57
    assert data.columns["race"].tolist() == ["White", "other", None, "other", "other"]
    assert data.columns["education"].tolist() == ["college", "below college", None, "college", "college"]
    np.testing.assert_array_equal(data.columns["income"], [1, 6, np.nan, np.nan, 3])
    assert data.columns["english"].tolist() == ["1", "2", None, "1", "1"]
    assert (data.features, data.text) == (("income", "english", "text"), ("text",))
    assert (data.part, data.unit) == (None, None)
    assert "1 of 6 rows" in data.about


def test_survey_that_tells_its_folds(tmp_path):
    written(tmp_path, "Data_SurveyPlusDemographics.txt", survey(folds="123451"), encoding="latin-1")
    data = load_dataset("numeracy", tmp_path)
    assert (data.part, data.columns["fold"].tolist()) == ("fold", [1, 2, 3, 4, 1])
    assert "fold" not in data.features
    written(tmp_path, "Data_SurveyPlusDemographics.txt", survey(folds="123456"), encoding="latin-1")
    with pytest.raises(InputError, match="'6' in column `File`, row 6"):
        load_dataset("numeracy", tmp_path)


def archived(path, tested):
    """Folds as published: label, text and more, without a header; a text of None is in no fold."""
    with zipfile.ZipFile(path, "w") as archive:
        for fold in range(1, 6):
            lines = [f"1\t{text}\t30\t2" for number, text in tested if number == fold]
            archive.writestr(f"DataCVFolds/{fold}/Numeracy_test.txt", "\n".join(lines).encode("latin-1"))
            archive.writestr(f"DataCVFolds/{fold}/Numeracy_train.txt", "-1\tsame words\t1\t1")
            archive.writestr(f"DataCVFolds/{fold}/Anxiety_test.txt", "-1\tsame words\t1\t1")


def test_folds_come_from_the_archive_by_the_text(tmp_path):
    written(tmp_path, "Data_SurveyPlusDemographics.txt", survey(), encoding="latin-1")
    tested = [(4, PEOPLE[0][0]), (2, "same words"), (5, "same  words"), (3, '"a ""quoted"" word"')]
    archived(tmp_path / "DataCVFolds.zip", tested)
    data = load_dataset("numeracy", tmp_path)
    assert data.columns["fold"].tolist() == [4, 2, 5, 3]  # two wrote the same; one is in no fold
    assert "2 of 6 rows" in data.about
    archived(tmp_path / "DataCVFolds.zip", tested[:1])
    with pytest.raises(InputError, match="the texts of only 1 of 6 rows"):
        load_dataset("numeracy", tmp_path)
    written(tmp_path, "DataCVFolds.zip", "no archive")
    with pytest.raises(InputError, match="cannot be unpacked"):
        load_dataset("numeracy", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("D4", "Education", "no column 'D4'"),
        ("Label_Numeracy", "Label", "no column 'Label_Numeracy'"),
        ("\t0.9\t", "\t1.9\t", "'1.9' in column `Label_Numeracy`"),
        ("\t82\t", "\t83\t", "'83' in column `age`"),
        ("\t2\t2\t4\t6", "\t3\t2\t4\t6", "3 in column `sex`, row 2"),
        ("same words\t0.2\t", "same words\t", "fields, not 11, in line 3"),
    ],
)
def test_surveys_that_are_not_are_refused_without_showing_a_text(old, new, told, tmp_path):
    text = survey()
    assert old in text
    written(tmp_path, "Data_SurveyPlusDemographics.txt", text.replace(old, new), encoding="latin-1")
    with pytest.raises(InputError, match=told) as refused:
        load_dataset("numeracy", tmp_path)
    assert not any(person[0] in str(refused.value) for person in PEOPLE if person[0])


@pytest.mark.parametrize("quoted", ["nobody knows", "same words"])
def test_quotation_marks_that_begin_texts_swallow_no_rows(quoted, tmp_path):
    text = survey().replace(quoted, '"' + quoted)  # one alone, or two that a reader takes for a pair
    written(tmp_path, "Data_SurveyPlusDemographics.txt", text, encoding="latin-1")
    assert load_dataset("numeracy", tmp_path).n_rows == 5


def test_a_survey_between_tabs_may_quote_all_its_fields(tmp_path):
    quoted = "\n".join(
        "\t".join('"' + cell.replace('"', '""') + '"' for cell in line.split("\t"))
        for line in survey().splitlines()
    )
    written(tmp_path / "a", "Data_SurveyPlusDemographics.txt", survey(), encoding="latin-1")
    written(tmp_path / "b", "Data_SurveyPlusDemographics.txt", quoted, encoding="latin-1")
    broken = quoted.replace("same words", "same\nwords")  # a line end inside a field
    written(tmp_path / "c", "Data_SurveyPlusDemographics.txt", broken, encoding="latin-1")
    data = load_dataset("numeracy", tmp_path / "a")
    for name, values in data.columns.items():
        for folder in "bc":
            found = load_dataset("numeracy", tmp_path / folder).columns[name]
            assert [str(v).split() for v in found] == [str(v).split() for v in values]
