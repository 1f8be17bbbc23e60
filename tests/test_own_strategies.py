"""Strategies of one's own: objects and plugin files, in `compare` and `bench`, from Python and the command line."""

import json

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import fairlattice as fl
from fairlattice.benchmark import Plugins
from fairlattice.cli import main

PLUGIN = '''
import numpy as np
from sklearn.base import clone


class Half:
    name = "half"
    about = "trains on every other row"

    def fit(self, table):
        return clone(table.estimator).fit(table.X[::2], table.y[::2])


class ByGroup:
    """Predicts the majority of the group, so groups are needed at prediction."""

    name = "bygroup"
    needs_groups = True

    def fit(self, table):
        keys = ["/".join(map(str, levels)) for levels in table.sensitive_features]
        share = {key: np.mean(table.y[np.asarray(keys) == key]) for key in set(keys)}
        return Majority(share)


class Majority:
    def __init__(self, share):
        self.share = share

    def predict(self, X, sensitive_features):
        keys = ["/".join(map(str, levels)) for levels in sensitive_features]
        return np.array([int(self.share.get(key, 0) > 0.5) for key in keys])


class Root:
    name = "root"
    about = "cells weigh as the root of their rows"
    uses_groups = True

    def weights(self, table, rows):
        cells = rows.leaves * table.index.n_labels + rows.labels
        return 1 / np.sqrt(np.bincount(cells)[cells])


class Twins:
    name = "twins"
    about = "the cell's own rows again"
    makes_rows = True

    def draw(self, table, wanted, *, distinct=False):
        Z, rows = table.features.Z, {cell: table.index.rows(cell) for cell in wanted}
        return {c: np.resize(Z[rows[c]], (n, Z.shape[1])) for c, n in wanted.items() if len(rows[c])}


class Low:
    name = "low"
    about = "a threshold of .3 for everyone"
    needs_groups = False

    def choose(self, table, scores):
        return Fixed()


class Fixed:
    def above(self, scores, X, lattice, leaves):
        return scores > 0.3
'''


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def table(people, tmp_path):
    path = tmp_path / "people.csv"
    people.drop("age").write_csv(path)
    return path


def test_the_command_line_compares_strategies_and_parts_of_a_file(plugin, table, tmp_path):
    out, predictions = tmp_path / "result.json", tmp_path / "p.parquet"
    named = "none,half,bygroup,root,twins+root+low,smote+low"
    code = main(
        ["compare", str(table), "--label", "hired", "--sensitive", "sex", "race", "--plugin", str(plugin),
         "--strategies", named, "--repeats", "2", "--jobs", "2", "--json", str(out), "--predictions", str(predictions)]
    )  # fmt: skip
    assert code == 0
    found = json.loads(out.read_text())["strategies"]
    assert [s["name"] for s in found] == named.split(",")
    by_name = {s["name"]: s for s in found}
    assert by_name["bygroup"]["needs_groups"] and not by_name["half"]["needs_groups"]
    assert by_name["twins+root+low"]["makes_rows"]
    assert by_name["twins+root+low"]["ablations"] == ["root+low", "twins+root", "twins+none+low"]
    assert set(by_name["half"]["differences"]) == {"none"}
    rows = pl.read_parquet(predictions)
    kept = rows.filter(pl.col("strategy") == "smote+low")
    assert set(rows["strategy"]) == set(named.split(","))
    if "score" in rows.columns:
        assert ((kept["score"] > 0.3) == (kept["y_pred"] == 1)).all()


def test_without_names_the_strategies_of_a_file_come_after_ours(plugin, table, tmp_path):
    out = tmp_path / "result.json"
    arguments = ["compare", str(table), "--label", "hired", "--sensitive", "sex", "--plugin", str(plugin)]
    assert main([*arguments, "--repeats", "1", "--jobs", "1", "--json", str(out)]) == 0
    names = [s["name"] for s in json.loads(out.read_text())["strategies"]]
    ours = [name for name, s in fl.STRATEGIES.items() if not s.needs_groups]
    assert names == [*ours, "half", "root", "twins", "low"]


def test_bench_trains_its_methods_by_strategies_of_a_file(plugin, tmp_path):
    data = fl.datasets.load_dataset("diabetes")
    methods = ["logistic", "logistic+half", "logistic+bygroup", "logistic+twins+root", "logistic+thresholds"]
    found = fl.bench(
        [data], tmp_path / "s.sqlite", methods=methods, seeds=2, plugins=Plugins.of([plugin]), n_jobs=2
    )
    results = found.tables[0].comparison.results
    assert not found.tables[0].failed
    assert {r.name for r in results} == {*methods[:3], "logistic+twins+root", "logistic+thresholds"}
    predictions = {r.name: np.concatenate([run.predicted for run in r.runs]) for r in results}
    assert len({p.tobytes() for p in predictions.values()}) == len(methods)


@pytest.mark.parametrize("name", ["smote", "half", "bygroup", "smote+root", "twins+root+low"])
def test_the_recommended_code_trains_a_strategy_of_a_file(name, plugin, table, tmp_path, monkeypatch):
    """As a reader of the command's output would run it, in the folder where the file lies."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "result.json"
    arguments = [
        "compare",
        str(table),
        "--label",
        "hired",
        "--sensitive",
        "sex",
        "race",
        "--plugin",
        plugin.name,
    ]
    code = main([*arguments, "--strategies", name, "--repeats", "1", "--jobs", "1", "--json", str(out)])
    assert code == 0
    recommended = json.loads(out.read_text())["recommendation"]["python"]
    frame = pl.read_csv(table)
    S = frame.select("sex", "race")
    X, y = frame.drop("hired", "sex", "race"), frame["hired"]
    names = {"fl": fl, "make_pipeline": make_pipeline, "LogisticRegression": LogisticRegression,
             "X": X, "y": y, "S": S, "X_new": X, "S_new": S}  # fmt: skip
    exec(recommended, names)
    assert names["model"].strategy_.name == name
    assert ("Plugins.of('mine.py')" in recommended) == (name != "smote")


def test_the_recommended_code_makes_objects_of_ones_own(people):
    class Root:
        name, about, uses_groups = "root", "weighs all rows alike", True

        def weights(self, _, rows):
            return np.ones(len(rows.labels))

    strategy = fl.Strategy(rows="smote", weights=Root())
    X, y, S = people.select("hours"), people["hired"], people.select("sex")
    result = fl.compare(X, y, sensitive_features=S, strategies=[strategy], repeats=1)
    code = fl.Report.of(result).summary["recommendation"]["python"]
    assert "fl.Strategy(rows='smote', weights=Root(), decision='.5')" in code


def test_plugins_are_named_by_text_or_path_alone_or_in_a_list(plugin):
    found = {Plugins.of(paths) for paths in (plugin, str(plugin), [plugin], [str(plugin)])}
    assert len(found) == 1
    with pytest.raises(fl.InputError, match="No strategy is called 'rot'"):
        found.pop().strategy("smote+rot")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class S:\n    name = 'equal'\n    def fit(self, table): ...\n", "one of ours"),
        ("class S:\n    name = 'a b'\n    def fit(self, table): ...\n", "Use letters"),
        (
            "class S:\n    name = 'a'\n    def fit(self, table): ...\nclass T(S): ...\n",
            "two strategies called `a`",
        ),
        ("x = 1\n", "holds no method, no strategy and no data set"),
        ("raise RuntimeError('no')\n", "cannot be loaded: RuntimeError: no"),
    ],
)
def test_what_a_plugin_cannot_be(source, message, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(source)
    with pytest.raises(fl.InputError, match=message):
        Plugins.of([path])


def test_a_strategy_that_returns_no_classifier_is_named(people):
    class Nothing:
        name = "nothing"

        def fit(self, _):
            return None

    X, y, S = people.select("hours"), people["hired"], people.select("sex")
    with pytest.raises(fl.InputError, match="`fit` of strategy `nothing` must return a fitted classifier"):
        fl.FairClassifier(LogisticRegression(), Nothing()).fit(X, y, sensitive_features=S)


def test_an_object_trains_in_a_fair_classifier_as_in_a_comparison(people, plugin):
    X, y, S = people.select("hours", "skill"), people["hired"], people.select("sex", "race")
    own = Plugins.of([plugin]).strategies()["bygroup"]
    model = fl.FairClassifier(LogisticRegression(), own).fit(X, y, sensitive_features=S)
    share = people.group_by("sex", "race").agg(pl.col("hired").mean())
    expected = S.join(share, on=["sex", "race"], how="left", maintain_order="left")["hired"] > 0.5
    assert (model.predict(X, sensitive_features=S).astype(bool) == expected.to_numpy()).all()
    with pytest.raises(fl.InputError, match="needs groups at prediction"):
        model.predict(X)
