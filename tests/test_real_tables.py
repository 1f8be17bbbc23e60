"""Real tables at real size, where they are at hand."""

import warnings

import numpy as np
import polars as pl
import pytest

import fairlattice as fl
from fairlattice.datasets import load_adult

SENSITIVE = ["race", "sex", "age"]


@pytest.fixture(scope="module")
def adult(real_data):
    data = load_adult(real_data / "adult")
    return pl.DataFrame({name: pl.Series(values.tolist()) for name, values in data.columns.items()})


@pytest.fixture(scope="module")
def acs(real_data):
    return pl.read_parquet(real_data / "acs" / "ACSIncome.validation.parquet")


def test_adult_has_the_groups_that_its_source_lists(adult):
    lattice = fl.GroupLattice.from_features(adult.select(SENSITIVE), cuts={"age": [25, 45]})
    sizes = np.bincount(lattice.encode(adult.select(SENSITIVE)))
    assert (lattice.n_leaves, sizes.min(), sizes.max()) == (30, 22, 14866)
    assert lattice.leaf(int(sizes.argmin())) == ("Other", "Female", ">=45")


def test_adult_comparison_is_sane_and_equal_sampling_lowers_unfairness(adult):
    result = fl.compare(
        adult.drop("income", "fnlwgt", *SENSITIVE),
        adult["income"],
        sensitive_features=adult.select(SENSITIVE),
        cuts={"age": [25, 45]},
        positive=">50K",
        strategies=["none", "label", "equal"],
        repeats=2,
    )
    figures = {r.name: r.estimate("equalized_odds.if").median for r in result.results}
    assert figures["equal"] < figures["none"] - 0.02
    assert result.recommendation.verdict == "take"
    assert 0.7 < result["none"].estimate("balanced_accuracy").mean < 0.8
    assert any(
        "race=Amer-Indian-Eskimo, sex=Male, age<25 with label >50K (0)" in note for note in result.notes
    )


def test_acs_is_counted_as_fairlearn_counts_it(acs):
    from fairlearn.metrics import MetricFrame, true_positive_rate

    rng = np.random.default_rng(0)
    y = acs["PINCP"].to_numpy()
    predicted = np.where(rng.random(len(y)) < 0.8, y, 1 - y)
    frame = acs.with_columns(p=predicted, old=(pl.col("AGEP") >= 45).cast(int))
    ours = fl.audit(
        fl.GroupCounts.from_frame(
            frame.lazy(), label="PINCP", prediction="p", sensitive=["RAC1P", "SEX", "old"]
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MetricFrame(
            metrics=true_positive_rate,
            y_true=y,
            y_pred=predicted,
            sensitive_features=frame.select("RAC1P", "SEX", "old").to_pandas(),
        )
    for g in ours.by_group("tpr"):
        if g.n:
            assert theirs.by_group[tuple(g.group.values())] == pytest.approx(g.rate, abs=1e-12)


@pytest.mark.filterwarnings("ignore::fairlattice.exceptions.AssumptionWarning")
def test_acs_rows_are_made_at_real_size(acs):
    features = acs.drop("PINCP", "index")
    S = features.select("RAC1P", "SEX", "AGEP")
    with pytest.warns(fl.SmallCellWarning):
        augmenter = fl.HierarchicalAugmenter(cuts={"AGEP": [25, 45]}, random_state=0).fit(
            features, acs["PINCP"], sensitive_features=S
        )
    more = augmenter.augment(features, acs["PINCP"], sensitive_features=S, per_cell=2000)
    made = more.X.tail(more.X.height - acs.height)
    assert made.height > 50_000
    assert made.schema == features.schema
    for name in features.columns:
        column = made[name]
        assert (column == column.round()).all(), f"{name} was whole"
        assert column.is_between(features[name].min(), features[name].max()).all()
