"""Model cards and data cards: what they say, and names that would rather be something else."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import fairlattice as fl
from fairlattice.cli import main
from fairlattice.exceptions import InputError
from fairlattice.report import Report
from fairlattice.report._shared import chart_png

ODD = "<script>alert(1)</script>|*x*\n# y"


@pytest.fixture(scope="module")
def summary():
    rng = np.random.default_rng(0)
    S = {ODD: rng.choice(["f", ODD], 300), "old": rng.integers(0, 2, 300)}
    X, y = rng.normal(size=(300, 3)), rng.integers(0, 2, 300)
    result = fl.compare(X, y, sensitive_features=S, strategies=["none", "equal"], repeats=2, n_jobs=1)
    data = {"name": ODD, "rows": 300, "label": "y", "sha256": "ab", "features": ["a", ODD], "dropped": []}
    return Report.of(result, data=data).summary


def test_a_model_card_tells_figures_of_the_chosen_strategy_and_runs_nothing(summary):
    name = summary["recommendation"]["strategy"]
    card = Report(summary).card()
    own = next(s for s in summary["strategies"] if s["name"] == name)
    assert f"**{name}**" in card
    assert f"{own['balanced_accuracy']['mean']:.3f}" in card
    assert "<script>" not in card
    assert "\n# y" not in card
    assert "|*x*" not in card
    for section in (
        "Intended use",
        "Groups",
        "Decision",
        "Evaluation",
        "Who is served how",
        "Was anyone hurt",
        "Caveats",
    ):
        assert f"## {section}\n" in card
    for line in card.splitlines():  # a name with a bar would add a column
        if line.startswith("| ") and "| --- |" not in line:
            assert line.replace("\\|", "").count("|") in (6, 8)


def test_the_card_follows_the_recommendation_and_says_what_was_found(summary):
    other = json.loads(json.dumps(summary))
    other["recommendation"] |= {"strategy": "equal", "verdict": "take", "simplest": None}
    card = Report(other).card()
    assert "**equal**" in card and "- Take equal." in card
    assert "FairClassifier(" in card
    found = next(s for s in other["strategies"] if s["name"] == "equal")
    found["leveling_down"]["verdict"] = "yes"
    assert "looks fairer while the worst-off group" in Report(other).card()
    found["harm"]["fell"] = [{"group": {"old": 1}, "rate": "tpr", "before": 0.8, "after": 0.4}]
    assert "old=1, TPR 0.80 to 0.40" in Report(other).card()


def test_cards_of_the_wrong_thing_are_refused(summary):
    with pytest.raises(InputError, match="No strategy 'gan'; the comparison has none, equal"):
        Report(summary).card("gan")
    audit = fl.audit([1, 0, 1], [1, 0, 0], sensitive_features={"sex": ["f", "m", "f"]})
    with pytest.raises(InputError, match="Cards are made of comparisons and augmentations"):
        Report.of(audit).card()
    for odd in ("", "<b>", None):
        with pytest.raises(InputError, match="`chart` must be"):
            chart_png(odd)


def test_augment_writes_a_card_and_what_it_did(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    pl.DataFrame(
        {"x": rng.normal(size=60), "sex": ["f"] * 10 + ["m"] * 50, "y": rng.integers(0, 2, 60)}
    ).write_csv("t.csv")
    files = ["--out", "more.csv", "--card", "card.md", "--json", "done.json"]
    assert main(["augment", "t.csv", "--label", "y", "--sensitive", "sex", *files]) == 0
    done = json.loads(Path("done.json").read_text())
    more = pl.read_csv("more.csv")
    assert sum(c["original"] for c in done["cells"]) == 60
    assert sum(c["synthetic"] for c in done["cells"]) == int(more["fairlattice_synthetic"].sum())
    for c in done["cells"]:
        part = more.filter((pl.col("sex") == c["group"]["sex"]) & (pl.col("y") == c["label"]))
        assert part.height == c["original"] + c["synthetic"]
    card = Path("card.md").read_text()
    assert f"{more.height - 60:,} synthetic rows" in card
    assert "Never evaluate on synthetic rows" in card


def test_compare_writes_a_model_card(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    pl.DataFrame(
        {"x": rng.normal(size=200), "sex": rng.choice(["f", "m"], 200), "y": rng.integers(0, 2, 200)}
    ).write_csv("t.csv")
    command = ["compare", "t.csv", "--label", "y", "--sensitive", "sex", "--repeats", "2", "--jobs", "1"]
    assert main([*command, "--strategies", "none,equal", "--card", "card.md"]) == 0
    assert Path("card.md").read_text().startswith("# Model card: y by logistic")
