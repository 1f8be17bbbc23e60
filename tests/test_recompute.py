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
         "age:30,60", "--repeats", "3", "--per-cell", "50", "--jobs", "1",
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


def test_every_figure(written):
    summary, predictions = written
    assert summary["schema"] == "fairlattice/compare/1"
    assert predictions.columns[:6] == ["strategy", "repeat", "row", "y_true", "y_pred", "score"]
    baselines = {name: per_repeat(predictions, name) for name in predictions["strategy"].unique()}
    for strategy in summary["strategies"]:
        runs = per_repeat(predictions, strategy["name"])
        check(strategy["balanced_accuracy"], [r["balanced_accuracy"] for r in runs])
        for rate in ("tpr", "tnr"):
            for figure in ("df", "if", "worst", "best"):
                check(strategy["measures"][rate][figure], [r[rate][figure] for r in runs])
        for figure in ("df", "if"):
            check(strategy["equalized_odds"][figure], [max(r["tpr"][figure], r["tnr"][figure]) for r in runs])
        for baseline, differences in strategy["differences"].items():
            gaps = [
                a["balanced_accuracy"] - b["balanced_accuracy"]
                for a, b in zip(runs, baselines[baseline], strict=True)
            ]
            check(differences["balanced_accuracy"], gaps)
            for rate in ("tpr", "tnr"):
                for figure in ("df", "if", "worst", "best"):
                    gaps = [
                        a[rate][figure] - b[rate][figure]
                        for a, b in zip(runs, baselines[baseline], strict=True)
                    ]
                    check(differences[f"{rate}.{figure}"], gaps)


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
            for g in strategy["measures"][rate]["by_group"]:
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


def test_leveling_down_from_the_predictions(written):
    summary, predictions = written
    none = per_repeat(predictions, "none")
    for strategy in summary["strategies"]:
        runs = per_repeat(predictions, strategy["name"])
        for rate in ("tpr", "tnr"):

            def gap(figure, rate=rate, runs=runs):
                return np.mean([a[rate][figure] - b[rate][figure] for a, b in zip(runs, none, strict=True)])

            suspected = min(gap("df"), gap("if")) < 0 and gap("worst") < 0
            assert (strategy["leveling_down"]["by_rate"][rate] != "no") == suspected
        for loss in strategy["leveling_down"]["groups"]:
            assert loss["difference"]["mean"] < 0


def test_predictions_are_of_the_table_and_follow_the_score(written, people):
    _, predictions = written
    rows = predictions["row"].to_numpy()
    assert (people["hired"].to_numpy()[rows] == predictions["y_true"].to_numpy()).all()
    assert (people["sex"].to_numpy()[rows] == predictions["sex"].to_numpy()).all()
    own = predictions.filter(pl.col("strategy") != "tuned")  # which has a threshold of its own
    assert ((own["score"] > 0.5) == (own["y_pred"] == 1)).all()
    assert set(predictions["age"].unique()) == {"<30", "30 to <60", ">=60"}
    for (_, _), part in predictions.group_by("strategy", "repeat"):
        assert part["row"].is_unique().all()
