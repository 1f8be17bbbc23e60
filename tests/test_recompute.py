"""Every number of a comparison's JSON, computed again from its predictions by someone else's few lines."""

import json
import warnings

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, true_negative_rate, true_positive_rate

from fairlattice.cli import main

ATTRIBUTES = ["sex", "race", "age"]


@pytest.fixture(scope="module")
def written(people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recompute")
    people.write_parquet(folder / "people.parquet")
    code = main(
        ["compare", str(folder / "people.parquet"), "--label", "hired", "--sensitive", "sex", "race",
         "age:30,60", "--repeats", "2", "--folds", "3", "--per-cell", "50", "--jobs", "1",
         "--json", str(folder / "r.json"), "--predictions", str(folder / "p.parquet")]
    )  # fmt: skip
    assert code == 0
    return json.loads((folder / "r.json").read_text()), pl.read_parquet(folder / "p.parquet")


def recompute(rows, alpha=0.5):
    """The figures of one strategy and repeat, in plain NumPy."""
    y, p = rows["y_true"].to_numpy(), rows["y_pred"].to_numpy()
    group = np.array(["|".join(map(str, g)) for g in rows.select(ATTRIBUTES).iter_rows()])
    figures = {"balanced_accuracy": ((p[y == 1] == 1).mean() + (p[y == 0] == 0).mean()) / 2}
    for rate, label in (("tpr", 1), ("tnr", 0)):
        m = []
        for g in np.unique(group[y == label]):
            hit = p[(group == g) & (y == label)] == label
            m.append((hit.sum() + 0.5) / (len(hit) + 1))
        worst, best = min(m), max(m)
        figures[rate] = {
            "df": np.log(best / worst),
            "if": alpha * (1 - worst) + (1 - alpha) * (1 - worst / best),
            "worst": worst,
            "best": best,
        }
    return figures


def check(estimate, values):
    assert estimate["mean"] == pytest.approx(np.mean(values), abs=1e-12)
    assert estimate["se"] == pytest.approx(np.std(values, ddof=1) / np.sqrt(len(values)), abs=1e-12)


def per_repeat(predictions, name):
    mine = predictions.filter(pl.col("strategy") == name)
    return [recompute(mine.filter(pl.col("repeat") == r)) for r in sorted(mine["repeat"].unique())]


def test_every_plug_in_figure(written):
    summary, predictions = written
    assert summary["schema"] == "fairlattice/compare/2"
    assert predictions.columns[:6] == ["strategy", "repeat", "row", "y_true", "y_pred", "score"]
    for strategy in summary["strategies"]:
        runs, raw = per_repeat(predictions, strategy["name"]), strategy["raw"]
        assert strategy["balanced_accuracy"]["mean"] == pytest.approx(
            np.mean([r["balanced_accuracy"] for r in runs])
        )
        for rate in ("tpr", "tnr"):
            for figure in ("df", "if", "worst", "best"):
                check(raw["measures"][rate][figure], [r[rate][figure] for r in runs])
        for figure in ("df", "if"):
            check(raw["equalized_odds"][figure], [max(r["tpr"][figure], r["tnr"][figure]) for r in runs])


def drawn_if(predictions, name, draws=400):
    """IF of equalized odds of one strategy by Bayesian bootstrap of people, without any prior or pooling."""
    mine = predictions.filter(pl.col("strategy") == name).sort("row", "repeat")
    y = mine["y_true"].to_numpy()[::2]
    right = (mine["y_pred"] == mine["y_true"]).to_numpy().reshape(-1, 2).mean(axis=1)
    group = np.array(["|".join(map(str, g)) for g in mine.select(ATTRIBUTES).iter_rows()])[::2]
    weights = np.random.default_rng(0).exponential(size=(draws, len(y)))
    found = []
    for label in (1, 0):
        rates = []
        for g in np.unique(group):
            own = (group == g) & (y == label)
            rates.append((weights[:, own] @ right[own]) / weights[:, own].sum(axis=1))
        worst, best = np.min(rates, axis=0), np.max(rates, axis=0)
        found.append(0.5 * (1 - worst) + 0.5 * (1 - worst / best))
    return np.max(found, axis=0)


def test_posterior_figures_of_large_groups_from_the_predictions_alone(tmp_path):
    """With 500 people and more in every cell, priors hardly matter, so thirty lines of NumPy reproduce the figures."""
    rng = np.random.default_rng(0)
    n = 8_000
    table = pl.DataFrame(
        {"sex": rng.choice(["f", "m"], n), "old": rng.integers(0, 2, n), "x": rng.normal(size=n)}
    )
    shift = 0.8 * ((table["sex"] == "f") & (table["old"] == 1)).to_numpy()
    y = (table["x"].to_numpy() - shift + rng.normal(size=n) > 0).astype(int)
    table.with_columns(y=y).write_parquet(tmp_path / "t.parquet")
    files = ["--json", str(tmp_path / "r.json"), "--predictions", str(tmp_path / "p.parquet")]
    code = main(
        ["compare", str(tmp_path / "t.parquet"), "--label", "y", "--sensitive", "sex", "old",
         "--strategies", "none,equal,thresholds", "--jobs", "1", *files]
    )  # fmt: skip
    assert code == 0
    summary = json.loads((tmp_path / "r.json").read_text())
    predictions = pl.read_parquet(tmp_path / "p.parquet").rename({"old": "race"}).with_columns(age=pl.lit(0))
    drawn = {s["name"]: drawn_if(predictions, s["name"]) for s in summary["strategies"]}
    for s in summary["strategies"]:
        level = s["estimates"]["equalized_odds"]["if"]
        assert level["median"] == pytest.approx(np.median(drawn[s["name"]]), abs=0.015)
        if s["name"] != "none":
            gap = s["differences"]["none"]["equalized_odds.if"]
            ours = drawn[s["name"]] - drawn["none"]
            assert gap["median"] == pytest.approx(np.median(ours), abs=0.02)
            assert gap["probability_better"] == pytest.approx((ours < 0).mean(), abs=0.1)
        right = predictions.filter(pl.col("strategy") == s["name"])
        assert s["accuracy"]["mean"] == pytest.approx((right["y_pred"] == right["y_true"]).mean())
        assert s["selection_rate"]["mean"] == pytest.approx((right["y_pred"] == 1).mean())


def test_every_group_rate_against_numpy_and_fairlearn(written):
    summary, predictions = written
    for strategy in summary["strategies"]:
        rows = predictions.filter(pl.col("strategy") == strategy["name"]).to_pandas()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = MetricFrame(
                metrics={"tpr": true_positive_rate, "tnr": true_negative_rate},
                y_true=rows["y_true"],
                y_pred=rows["y_pred"],
                sensitive_features=rows[ATTRIBUTES],
            )
        for rate, label in (("tpr", 1), ("tnr", 0)):
            for g in strategy["raw"]["measures"][rate]["by_group"]:
                mine = rows[(rows[ATTRIBUTES] == [g["group"][a] for a in ATTRIBUTES]).all(axis=1)]
                mine = mine[mine["y_true"] == label]
                assert len(mine) == g["n"]
                if g["n"]:
                    assert g["rate"] == pytest.approx((mine["y_pred"] == label).mean(), abs=1e-12)
                    key = tuple(g["group"][a] for a in ATTRIBUTES)
                    assert frame.by_group.loc[key, rate] == pytest.approx(g["rate"], abs=1e-12)
                    assert g["low"] <= g["rate"] <= g["high"]
                else:
                    assert g["rate"] is None


def test_predictions_are_of_the_table_and_follow_the_score(written, people):
    _, predictions = written
    rows = predictions["row"].to_numpy()
    assert (people["hired"].to_numpy()[rows] == predictions["y_true"].to_numpy()).all()
    assert (people["sex"].to_numpy()[rows] == predictions["sex"].to_numpy()).all()
    own = predictions.filter(
        ~pl.col("strategy").is_in(["tuned", "minimax"])
    )  # which have thresholds of their own
    assert ((own["score"] > 0.5) == (own["y_pred"] == 1)).all()
    assert set(predictions["age"].unique()) == {"<30", "30 to <60", ">=60"}
    for (_, _), part in predictions.group_by("strategy", "repeat"):
        assert sorted(part["row"]) == list(range(people.height))
