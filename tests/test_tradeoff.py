"""The script of the trade-off: it resumes, takes data sets of one's own, and reports paired differences."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "tradeoff.py"
OWN = """
import numpy as np
from fairlattice.datasets import Dataset


class Hiring:
    name = "hiring"

    def load(self, data_dir):
        rng = np.random.default_rng(0)
        sex, old = rng.choice(["f", "m"], 3000), rng.choice(["no", "yes"], 3000)
        x = rng.normal(size=(2, 3000))
        shift = np.where((sex == "f") & (old == "yes"), x[1], x[0])
        columns = {"a": x[0], "b": x[1], "sex": sex, "old": old, "hired": (shift > 0).astype(int)}
        return Dataset("hiring", columns, "hired", 1, ("sex", "old"), {})
"""


@pytest.fixture
def tradeoff(tmp_path, monkeypatch, capsys):
    """Runs the script in this process, on a data set of a plugin; what it prints."""
    if not SCRIPT.is_file():
        pytest.skip("benchmarks are not installed with the package")
    monkeypatch.syspath_prepend(SCRIPT.parent)
    spec = importlib.util.spec_from_file_location("tradeoff_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "tradeoff_script", module)
    spec.loader.exec_module(module)
    (tmp_path / "own.py").write_text(OWN)
    store = tmp_path / "splits.jsonl"

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tradeoff.py", *map(str, arguments), "--store", str(store)])
        module.main()
        return capsys.readouterr()

    def run(strategies):
        options = ("--classifiers", "logistic", "--sizes", 300, "--seeds", 2, "--jobs", 1)
        plugin = ("--data-dir", tmp_path, "--plugin", tmp_path / "own.py", "--datasets", "hiring")
        return call("run", *plugin, *options, "--strategies", strategies, "--blends", "1").err

    return store, run, lambda: call("show").out


def test_a_store_is_continued(tradeoff):
    """What is in the store is not run again: neither a split nor a strategy; half a line is run again."""
    store, run, _ = tradeoff
    assert "2 of 2 splits" in run("label,equal")
    assert run("label,equal") == ""
    assert "2 of 2 splits" in run("label,equal,adaptive")
    ran = [[f["strategy"] for f in json.loads(line)["figures"]] for line in lines(store)]
    assert sorted(ran) == [["adaptive"], ["adaptive"], ["label", "equal"], ["label", "equal"]]
    store.write_text(store.read_text()[:-30])
    assert "1 of 1 splits" in run("adaptive")
    assert len(lines(store)) == 4
    assert run("label,equal,adaptive") == ""


def test_what_is_added_later_is_what_would_have_been(tradeoff):
    """Strategies that are added later see the same splits and seeds."""
    store, run, show = tradeoff
    run("label,equal,adaptive,borrow,augment,thresholds")
    at_once = without_seconds(show())
    store.unlink()
    for strategy in ("borrow", "label", "adaptive", "equal", "thresholds", "augment"):
        run(strategy)
    assert without_seconds(show()) == at_once
    assert "| hiring, 300 | 2 |" in at_once and "Means over settings, 2 seeds" in at_once


def without_seconds(shown):
    """What is printed, less the last column of the table whose units are tasks."""
    begin, end = shown.index("tasks as units"), shown.index("Means over settings")
    rows = (line.rsplit("|", 2)[0] for line in shown[begin:end].splitlines())
    return shown[:begin] + "\n".join(rows) + shown[end:]


def test_differences_are_paired(tradeoff):
    """The mean over seeds of what `borrow` has less than `equal`, and its standard error."""
    store, run, show = tradeoff
    run("equal,borrow")
    found = []
    for line in lines(store):
        figures = {f["strategy"]: f["if"] for f in json.loads(line)["figures"]}
        found.append(figures["borrow"] - figures["equal"])
    mean, error = sum(found) / 2, abs(found[0] - found[1]) / 2
    star = "*" if abs(mean) > 2 * error else ""
    assert f"| hiring, 300 | 2 | {mean:+.3f} ± {error:.3f}{star} |" in show()


def test_options_that_cannot_be_are_refused(tradeoff, capsys):
    """At once, and not in a worker."""
    _, run, _ = tradeoff
    with pytest.raises(SystemExit):
        run("equal,augmented")
    assert "No strategy is called 'augmented'" in capsys.readouterr().err


def lines(store):
    return [line for line in store.read_text().splitlines() if line.endswith("}]}")]
