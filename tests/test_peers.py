"""Cases that other libraries get wrong, and what is done about them here."""

import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

import fairlattice as fl


def test_a_group_whose_predictions_are_all_equal_has_finite_smoothed_df():
    a = fl.audit([0, 1, 0, 1], [1, 1, 0, 1], sensitive_features=["x", "x", "y", "y"])
    assert np.isfinite(a.differential_fairness("selection_rate"))


def test_a_group_without_positives_is_undefined_not_zero():
    a = fl.audit([1, 1, 0, 0], [1, 1, 0, 0], sensitive_features=["x", "x", "y", "y"])
    assert a.undefined("tpr") == ({"sensitive_feature_0": "y"},)
    assert a.differential_fairness("tpr") == 0.0


def test_an_empty_group_is_listed_as_empty():
    a = fl.audit([1, 0, 1], [1, 0, 1], sensitive_features={"a": [0, 0, 1], "b": [0, 1, 0]})
    assert list(a.counts.lattice.empty_leaves(a.counts.codes)) == [(1, 1)]


def test_a_group_of_one_has_a_wide_interval():
    g = fl.audit([1, 0], [1, 0], sensitive_features=["x", "y"]).by_group("tpr")[0]
    assert g.n == 1
    assert g.low < 0.2
    assert g.high == 1.0


@pytest.mark.parametrize("hole", [None, float("nan"), pd.NA])
def test_a_missing_sensitive_value_is_its_own_level_or_refused(hole):
    S = pd.DataFrame({"a": pd.Series(["x", hole, "y", "x"], dtype=object)})
    assert (
        None in fl.audit([1, 0, 1, 0], [1, 0, 1, 1], sensitive_features=S).counts.lattice.attributes[0].levels
    )
    with pytest.raises(fl.InputError, match="missing='level'"):
        fl.audit([1, 0, 1, 0], [1, 0, 1, 1], sensitive_features=S, missing="raise")


def test_names_of_polars_columns_are_kept():
    a = fl.audit(pl.Series([1, 0]), pl.Series([1, 0]), sensitive_features=pl.DataFrame({"sex": ["f", "m"]}))
    assert a.by_group("tpr")[0].group == {"sex": "f"}


def test_groups_are_an_explicit_keyword_and_grow_with_the_rows():
    rng = np.random.default_rng(0)
    X, y, S = rng.normal(size=(80, 2)), rng.integers(0, 2, 80), rng.choice(["f", "m"], 80, p=[0.2, 0.8])
    grown_X, grown_y, grown_S = fl.HierarchicalAugmenter(random_state=0).fit_resample(
        X, y, sensitive_features=S
    )
    assert len(grown_X) == len(grown_y) == len(grown_S) > 80
    fl.FairClassifier(LogisticRegression()).fit(grown_X, grown_y, sensitive_features=grown_S)


def test_the_pair_that_makes_the_df_is_named():
    a = fl.audit([1] * 6, [1, 1, 1, 0, 0, 0], sensitive_features=["x", "x", "y", "y", "z", "z"], positive=1)
    pair = a.pairs("tpr")[0]
    assert (pair.worse, pair.better) == ({"sensitive_feature_0": "z"}, {"sensitive_feature_0": "x"})


def test_importing_changes_no_other_library():
    """Names of NumPy, pandas and scikit-learn are the same objects before and after, in a new process."""
    code = """
        import sys
        import imblearn, joblib, narwhals, numpy, pandas, polars, scipy, sklearn, sklearn.utils
        theirs = [numpy, pandas, polars, sklearn, sklearn.utils, imblearn]
        before = [{name: id(value) for name, value in vars(module).items()} for module in theirs]
        import fairlattice.samplers, fairlattice.benchmark, fairlattice.report
        for module, names in zip(theirs, before):
            for name, value in list(vars(module).items()):
                if names.get(name) != id(value) and type(value) is not type(sys):  # submodules load when used
                    print(module.__name__, name)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
