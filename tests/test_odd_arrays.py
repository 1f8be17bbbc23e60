"""Arrays and tables that Python users pass: what is read with its names, and what is refused in words."""

import fractions
import pathlib
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

import fairlattice as fl
from fairlattice.exceptions import InputError
from fairlattice.report import Report

N = 120
PEOPLE = pl.DataFrame({
    "y": [i % 2 for i in range(N)],
    "p": [i % 3 % 2 for i in range(N)],
    "sex": ["fm"[i % 5 % 2] for i in range(N)],
    "race": ["abc"[i % 7 % 3] for i in range(N)],
    "x": [float(i * 7 % 40) for i in range(N)],
})  # fmt: skip
GROUPS = PEOPLE.select("sex", "race")
LABELS, PREDICTIONS = PEOPLE["y"].to_numpy(), PEOPLE["p"].to_numpy()
ROWS = PEOPLE.select("x").to_numpy()
MASK = np.arange(N) % 3 == 0


def audit(groups, y=LABELS, p=PREDICTIONS):
    return fl.audit(y, p, sensitive_features=groups)


@pytest.mark.parametrize(
    "groups",
    [
        np.array(GROUPS.rows(), dtype=[("sex", "U1"), ("race", "U1")]),
        GROUPS.to_pandas().to_records(index=False),
        GROUPS.lazy(),
    ],
    ids=["structured", "records", "lazy"],
)
def test_columns_keep_their_names(groups):
    found = audit(groups)
    assert found.counts.lattice == audit(GROUPS).counts.lattice
    assert found.by_group("tpr") == audit(GROUPS).by_group("tpr")
    compared = fl.compare(
        PEOPLE.select("x"),
        LABELS,
        sensitive_features=groups,
        folds=2,
        repeats=1,
        strategies=["none"],
        n_jobs=1,
    )
    assert [a.name for a in compared.lattice.attributes] == ["sex", "race"]
    fl.HierarchicalAugmenter(random_state=0).fit(PEOPLE.select("x"), LABELS, sensitive_features=groups)


def test_a_batch_of_pyarrow_is_refused():
    batch = PEOPLE.to_arrow().to_batches()[0]
    with pytest.raises(InputError, match="`sensitive_features` is a RecordBatch"):
        audit(batch.select(["sex", "race"]))
    with pytest.raises(InputError, match="`X` is a RecordBatch"):
        fl.TableEncoder().fit(batch)
    with pytest.raises(InputError, match="`X` is a RecordBatch"):
        fl.HierarchicalAugmenter(sensitive=["sex"]).fit(batch, LABELS)


class TestMasks:
    @pytest.mark.parametrize("kind", [int, float, str])
    def test_masked_labels_are_missing(self, kind):
        masked = np.ma.array(LABELS.astype(kind), mask=MASK)
        with pytest.raises(InputError, match=r"40 missing values of 120"):
            audit(GROUPS, y=masked)
        with pytest.raises(InputError, match=r"40 missing values of 120"):
            audit(GROUPS, p=masked)

    def test_a_classifier_refuses_masked_labels(self):
        masked = np.ma.array(LABELS, mask=MASK)
        with pytest.raises(InputError, match="missing values"):
            fl.FairClassifier(LogisticRegression()).fit(ROWS, masked, sensitive_features=GROUPS)

    def test_a_mask_without_a_masked_row_changes_nothing(self):
        masked = np.ma.array(LABELS, mask=np.zeros(N, bool))
        assert audit(GROUPS, y=masked).by_group("tpr") == audit(GROUPS).by_group("tpr")
        fl.FairClassifier(LogisticRegression()).fit(ROWS, masked, sensitive_features=GROUPS)

    def test_masked_attributes_and_features_are_missing(self):
        sex = np.ma.array(GROUPS["sex"].to_numpy().astype(str), mask=MASK)
        assert audit({"sex": sex}).counts.lattice.attributes[0].levels == ("f", "m", None)
        features = np.ma.array(ROWS, mask=MASK[:, None])
        assert fl.TableEncoder().fit(features).get_feature_names_out().tolist() == ["x_0", "x_0_missing"]


@pytest.mark.parametrize(
    "write",
    [str.encode, pathlib.Path, lambda s: uuid.UUID(int=ord(s)), lambda s: fractions.Fraction(ord(s), 7),
     lambda s: complex(ord(s)), lambda s: frozenset([s])],
    ids=["bytes", "path", "uuid", "fraction", "complex", "set"],
)  # fmt: skip
def test_levels_that_no_file_holds_are_refused(write):
    values = [write(s) for s in GROUPS["sex"]]
    with pytest.raises(InputError, match=r"Attribute `sex` holds values of type \w+\. Turn them into text"):
        audit({"sex": values})
    with pytest.raises(InputError, match="Turn them into text"):
        audit(GROUPS, y=values, p=values)
    with pytest.raises(InputError, match="Turn them into text"):
        fl.HierarchicalAugmenter().fit(PEOPLE.select("x"), LABELS, sensitive_features={"sex": values})


def test_levels_that_files_hold_are_written():
    flags, numbers = (GROUPS["sex"] == "f").to_numpy(), np.arange(N) % 2
    found = audit(
        {"flag": flags, "number": numbers, "text": GROUPS["sex"].to_list(), "day": pd.to_datetime(numbers)}
    )
    assert Report.of(found).to_json()


@pytest.mark.parametrize("estimator", [fl.HierarchicalAugmenter(), fl.FairClassifier(LogisticRegression())])
def test_a_dict_is_not_a_table_of_rows(estimator):
    with pytest.raises(InputError, match="`X` is a mapping of columns"):
        estimator.fit({"x": ROWS[:, 0]}, LABELS, sensitive_features=GROUPS)


class TestBaseline:
    def test_predictions_that_are_never_labels_are_refused(self):
        with pytest.raises(InputError, match=r"No prediction is a label: .*`before` holds \[7\]"):
            fl.harm(LABELS, np.full(N, 7), PREDICTIONS, sensitive_features=GROUPS)
        with pytest.raises(InputError, match=r"No prediction is a label: .*`after` holds \[7\]"):
            fl.leveling_down(LABELS, PREDICTIONS, np.full(N, 7), sensitive_features=GROUPS)

    def test_a_baseline_of_one_class_is_compared(self):
        assert fl.harm(LABELS, np.ones(N, int), PREDICTIONS, sensitive_features=GROUPS).changes
