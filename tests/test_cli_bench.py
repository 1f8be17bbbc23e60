"""``fairlattice bench`` at the shell: what it prints, writes, refuses."""

import csv
import io
import json
import signal
import subprocess
import sys
import time

import pytest

from fairlattice.benchmark._shared import Store
from fairlattice.cli import main
from fairlattice.datasets import dataset_names
from fairlattice.exceptions import InputError

RUN = [
    "bench",
    "run",
    "--datasets",
    "diabetes",
    "--methods",
    "logistic,logistic+equal",
    "--seeds",
    "3",
    "--jobs",
    "1",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "trials.sqlite"
    assert main([*RUN, "--store", str(path)]) == 0
    return path


def test_run_prints_the_table_what_it_says_and_where_time_went(store, capsys):
    assert main([*RUN, "--store", str(store)]) == 0
    printed = capsys.readouterr().out
    for words in ("logistic+equal", "leveled", "where the time went", "Fairer than logistic beyond noise"):
        assert words in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_formats_hold_the_figures_of_the_json(store, tmp_path, capsys):
    target = tmp_path / "result.json"
    assert main(["bench", "show", str(store), "--format", "csv", "--json", str(target)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    summary = json.loads(target.read_text())
    assert summary["schema"] == "fairlattice/bench/2"
    methods = {m["name"]: m for m in summary["tables"][0]["methods"]}
    for row in rows:
        name = row["method"] + ("" if row["strategy"] == "none" else f"+{row['strategy']}")
        block, _, kind = row["figure"].rpartition(".")
        m = methods[name]
        found = m[kind] if not block else (m["measures"].get(block) or m[block])[kind]
        assert float(row["mean"]) == found["mean"]
        if row["against"]:
            assert float(row["difference"]) == m["differences"][row["against"]][row["figure"]]["mean"]
    assert main(["bench", "show", str(store), "--format", "markdown"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert f"{methods['logistic']['balanced_accuracy']['mean']:.3f}" in lines[2]


def test_latex_is_set_by_latexs_rules(store, tmp_path, capsys):
    target = tmp_path / "table.tex"
    assert main(["bench", "show", str(store), "--format", "latex", "--out", str(target)]) == 0
    assert capsys.readouterr().out == f"wrote {target}\n"
    text = target.read_text()
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    assert "±" not in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert body.count(r"\\") == 2
    assert len({line.count("&") for line in body.strip().splitlines()}) == 1


def test_an_experiment_shows_its_methods_only(store, capsys):
    assert main(["bench", "show", str(store), "--experiment", "ablation"]) == 0
    assert "logistic+equal" not in capsys.readouterr().out


def test_list_names_everything_and_shows_cards(capsys):
    assert main(["bench", "list"]) == 0
    printed = capsys.readouterr().out
    for name in (*dataset_names(), "fairgrad", "+augment", "tradeoff"):
        assert name in printed
    access = {words[0]: words[1] for line in printed.splitlines() if len(words := line.split()) > 1}
    assert [access[name] for name in ("census", "diabetes", "adult", "celeba")] == [
        "included", "included", "fetched", "files",
    ]  # fmt: skip
    assert main(["bench", "list", "diabetes"]) == 0
    card = capsys.readouterr().out
    for words in ("# diabetes", "Rows: 442", "Smallest groups", "Licence"):
        assert words in card


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--datasets", "adlt"], "Did you mean 'adult'"),
        (["run", "--datasets", ","], "names nothing"),
        (["run", "--datasets", "diabetes", "--methods", "logistik"], "Did you mean 'logistic'"),
        (["run", "--datasets", "diabetes", "--hidden", "a,b"], "--hidden"),
        (["run", "--datasets", "diabetes", "--hidden", "0"], "hidden"),
        (["run", "--datasets", "diabetes", "--jobs", "0"], "--jobs"),
        (["run", "--datasets", "diabetes", "--format", "word"], "--format"),
        (["run", "--datasets", "diabetes", "--out", "x.md"], "--format markdown"),
        (["run", "--datasets", "diabetes", "--plugin", "none.py"], "cannot be read"),
        (["run", "--datasets", "diabetes", "--methods", "logistic", "--store", "none/s.sqlite"], "none"),
        (["run"], "--datasets"),
        (["show", "none.sqlite"], "is not there"),
        (["list", "diabets"], "Did you mean 'diabetes'"),
        ([], "COMMAND"),
        (["shw"], "Did you mean 'show'"),
        (["run", "--datasets", "diabetes:name=x"], "OPTION=VALUE"),
        (["show", "--frmat"], "See fairlattice bench"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *arguments]) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert len(printed.err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_store_is_not_overwritten_by_an_output(store, capsys):
    before = store.read_bytes()
    for option in ("--json", "--report"):
        assert main(["bench", "show", str(store), option, str(store)]) == 2
    assert main(["bench", "show", str(store), "--format", "csv", "--out", str(store)]) == 2
    assert store.read_bytes() == before


def test_inputs_are_not_overwritten(tmp_path, capsys):
    plugin, data = tmp_path / "mine.py", tmp_path / "data"
    data.mkdir()
    table, free = data / "adult.data", tmp_path / "new.json"
    method = "    name, about, grid = 'a', '', ({},)\n    def make(self, *, seed, settings):\n        1 / 0\n"
    plugin.write_text(f"class A:\n{method}")
    table.write_text("39, State-gov")
    command = ["bench", "run", "--datasets", "diabetes", "--methods", "a", "--seeds", "1", "--jobs", "1"]
    command += ["--plugin", str(plugin), "--data-dir", str(data), "--store", str(tmp_path / "s.sqlite")]
    for path in (plugin, table):
        before = path.read_text()
        for option in (["--json"], ["--report"], ["--format", "csv", "--out"]):
            assert main([*command, *option, str(path)]) == 2
        assert main([*command[:-1], str(path)]) == 2
        assert path.read_text() == before
    capsys.readouterr()
    assert main([*command, "--json", str(free)]) == 2  # every trial failed
    printed = capsys.readouterr()
    assert "ZeroDivisionError" in printed.out
    assert "Every trial failed" in printed.err
    assert json.loads(free.read_text())["tables"][0]["failed"]


def has_finished(path):
    """Whether a store holds a result; its tables may be in the making."""
    try:
        return any(r.state == "done" for r in Store(path, create=False).records())
    except InputError:
        return False


def test_an_interruption_keeps_what_was_finished(tmp_path):
    path = tmp_path / "trials.sqlite"
    command = [sys.executable, "-m", "fairlattice", *RUN[:-2], "--seeds", "400", "--store", str(path)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    patience = time.monotonic() + 120
    while time.monotonic() < patience:
        time.sleep(0.05)
        if path.exists() and has_finished(path):
            break
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 2
    assert len(told.strip().splitlines()) == 1
    assert "the same command goes on" in told
    states = [r.state for r in Store(path, create=False).records()]
    assert set(states) == {"done"}
    assert main(["bench", "show", str(path)]) == 0
