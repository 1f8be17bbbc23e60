"""Features that give the label away are named; good features are not."""

import numpy as np
import polars as pl
import pytest

import fairlattice as fl
from fairlattice._validation import as_column
from fairlattice.benchmark._giveaways import giveaway_notes, nearly_perfect

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 400)
OTHER = RNG.integers(0, 2, 400)
GIVEAWAYS = {
    "the label as text": np.where(Y == 1, "yes", "no").astype(object),
    "three texts for two labels": np.where(Y == 1, "late", np.where(OTHER == 1, "early", "never")).astype(
        object
    ),
    "missing for one label": np.where(Y == 1, "paid", None),
    "numbers that a cut separates": Y * 10.0 + RNG.random(400),
    "a flag": Y == 1,
}
HONEST_FEATURES = {
    "another flag": OTHER,
    "a good score": Y + RNG.normal(size=400),
    "a name for each row": np.array([f"{label}-{i}" for i, label in enumerate(Y)], dtype=object),
    "right for one label only": np.where((Y == 1) & (OTHER == 1), "yes", "no").astype(object),
    "one value": np.zeros(400),
    "missing throughout": np.full(400, np.nan),
}


@pytest.mark.parametrize("name", GIVEAWAYS)
def test_a_feature_that_says_which_label_a_row_has_is_named(name):
    notes = giveaway_notes({name: as_column(GIVEAWAYS[name], name)}, Y)
    assert len(notes) == 1 and f"`{name}`" in notes[0]


@pytest.mark.parametrize("name", HONEST_FEATURES)
def test_other_features_are_not(name):
    assert giveaway_notes({name: as_column(HONEST_FEATURES[name], name)}, Y) == []


def test_nearly_perfect_means_both_labels():
    assert nearly_perfect(Y, Y)
    assert not nearly_perfect(np.zeros_like(Y), np.array([0] * 399 + [1]))


def test_a_comparison_remarks_on_it_only_where_a_strategy_is_nearly_always_right():
    X = pl.DataFrame({"x": Y + RNG.normal(size=400), "outcome": GIVEAWAYS["the label as text"]})
    groups = {"sex": RNG.choice(["f", "m"], 400)}
    options = {"sensitive_features": groups, "strategies": ["none"], "folds": 2, "repeats": 1, "n_jobs": 1}
    assert any("`outcome` alone gives the label" in note for note in fl.compare(X, Y, **options).notes)
    assert not any("gives the label" in note for note in fl.compare(X.select("x"), Y, **options).notes)
