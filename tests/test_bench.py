"""Experiments: the protocol, what a trial depends on, the store, the runner, plugins."""

import contextlib
import json
import os
import pickle
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

import fairlattice as fl
from fairlattice import InputError
from fairlattice.benchmark import Difference, Network, Plugins, Settings
from fairlattice.benchmark._code import statements
from fairlattice.benchmark._methods import Combination
from fairlattice.benchmark._protocol import choose, deal_out
from fairlattice.benchmark._runner import run_trials
from fairlattice.benchmark._seeds_posterior import SeedOutcomes, SeedPosterior
from fairlattice.benchmark._shared import EXPERIMENTS, METHODS, Store, Table, read_results, with_vectors
from fairlattice.benchmark._trial import Trial
from fairlattice.datasets import Dataset

PLAIN = ["logistic", "logistic+equal", "logistic+parents"]


def people(n=600, *, unit=False, part=None, seed=0):
    """A data set in which one small intersection has another relation between features and label."""
    rng = np.random.default_rng(seed)
    sex, race = rng.choice(["f", "m"], n, p=[0.3, 0.7]), rng.choice(["a", "b"], n, p=[0.2, 0.8])
    skill = rng.normal(size=n)
    hired = (skill - 1.5 * ((sex == "f") & (race == "a")) + 0.5 * rng.normal(size=n) > 0.4).astype(int)
    columns = {"sex": sex, "race": race, "skill": skill, "noise": rng.normal(size=n), "hired": hired}
    more = {}
    if unit:
        columns["who"] = rng.integers(0, n // 3, n)
        more |= {"unit": "who", "drop": ("who",)}
    if part is not None:
        columns["part"] = part(rng, n)
        more |= {"part": "part", "drop": (*more.get("drop", ()), "part")}
    return Dataset(
        "people",
        columns,
        label="hired",
        positive=1,
        sensitive=("sex", "race"),
        cuts={},
        about="Made.",
        **more,
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    store = tmp_path_factory.mktemp("bench") / "store.sqlite"
    return fl.bench([people()], store, methods=PLAIN, seeds=3), store


# The protocol


@settings(max_examples=25)
@given(n=st.integers(60, 400), seed=st.integers(0, 99), unit=st.booleans())
def test_rows_are_dealt_out_60_20_20_and_units_stay_together(n, seed, unit):
    table = Table.of(people(n, unit=unit, seed=seed))
    parts = deal_out(table, seed, "random")
    together = np.sort(np.concatenate(parts))
    assert together.tolist() == list(range(n))
    if unit:
        owners = [set(table.units[rows].tolist()) for rows in parts]
        assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    else:
        assert [len(rows) / n for rows in parts] == pytest.approx([0.6, 0.2, 0.2], abs=3 / n)
    again, other = deal_out(table, seed, "random"), deal_out(table, seed + 1, "random")
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    assert not np.array_equal(parts.test, other.test)


def test_rows_beyond_are_tested_and_nothing_else():
    data = people(900, unit=True)
    table = Table.of(data, rows=300, extra_test=400)
    assert table.n_rows <= 700
    assert 250 < (~table.beyond).sum() <= 300
    beyond = np.flatnonzero(table.beyond)
    assert not set(table.units[beyond]) & set(table.units[~table.beyond])
    tested = []
    for seed in range(5):
        parts = deal_out(table, seed, "random")
        assert not set(beyond) & (set(parts.train) | set(parts.validation))
        assert len(parts.train) == pytest.approx(180, abs=20)
        tested += sorted(set(beyond) & set(parts.test))
    assert sorted(tested) == beyond.tolist()  # each of them by one of five seeds
    whole = deal_out(Table.of(data, rows=10**6, extra_test=400), 0, "random")
    assert sum(map(len, whole)) == 900


def test_three_seeds_are_needed_for_a_mark(tmp_path):
    """All seeds of a published split test the same rows: people's noise is known, and training's from seeds."""
    names = np.array(["train", "validation", "test"])
    data = people(part=lambda rng, n: rng.choice(names, n, p=[0.6, 0.2, 0.2]))
    asked = {"methods": ["logistic", "boosting"], "settings": Settings(split="published")}
    few = fl.bench([data], tmp_path / "p.sqlite", seeds=2, **asked).tables[0].comparison
    assert all(d.within_noise and d.p_value is None for d in few.differences("boosting", "logistic").values())
    many = fl.bench([data], tmp_path / "p.sqlite", seeds=4, **asked).tables[0].comparison
    found = many.differences("boosting", "logistic")
    assert all(0 < d.p_value <= 1 for d in found.values())
    with pytest.raises(InputError, match="extra_test"):
        fl.bench([data], tmp_path / "q.sqlite", extra_test=9, **asked)


def outcomes_of(seed, rates, seeds=5, n=3000, luck=0.3):
    """Methods whose recall in twelve groups is given; each seed tests a fifth, and shifts every group's rate."""
    rng = np.random.default_rng(seed)
    lattice = fl.GroupLattice.from_features({"a": np.arange(12) % 3, "b": np.arange(12) % 4})
    leaves, truth, ability = rng.integers(0, 12, n), rng.integers(0, 2, n), rng.random(n)
    rows = [np.sort(rng.permutation(n)[: n // 5]) for _ in range(seeds)]
    right = {}
    for k, own in enumerate(rates):
        shifts = luck * rng.normal(size=(seeds, 12))
        right[str(k)] = [
            ability[r] < expit(logit(own)[leaves[r]] + shift[leaves[r]])
            for r, shift in zip(rows, shifts, strict=True)
        ]
    return SeedPosterior(tuple(right), lattice, SeedOutcomes(leaves, truth, rows, right), 0.5, seed)


def test_of_methods_that_are_alike_few_are_marked():
    marked = 0
    for seed in range(60):
        posterior = outcomes_of(seed, [np.full(12, 0.75)] * 2)
        for figure in ("equalized_odds.if", "tpr.worst"):
            gap = posterior.draws("0", figure) - posterior.draws("1", figure)
            marked += not Difference.of_draws(gap).within_noise
    assert marked <= 12  # of 120; at a level of 5 % more are rarer than one in a hundred


def test_a_method_that_is_fairer_is_marked_and_levels_are_those_of_the_truth():
    unfair, fair = np.r_[0.4, np.full(11, 0.8)], np.full(12, 0.8)
    found = [outcomes_of(seed, [unfair, fair], n=12_000, luck=0.1) for seed in range(10)]
    levels = [p.draws("0", "tpr.if").mean() for p in found]
    assert np.mean(levels) == pytest.approx(0.5 * (1 - 0.4) + 0.5 * (1 - 0.5), abs=0.05)
    gaps = [Difference.of_draws(p.draws("1", "tpr.if") - p.draws("0", "tpr.if")) for p in found]
    assert all(gap.mean < -0.2 and not gap.within_noise for gap in gaps)


def test_balanced_accuracy_over_seeds_is_a_weighted_mean_that_few_lines_reproduce():
    posterior = outcomes_of(3, [np.full(12, 0.6)], seeds=6)
    tested, plain = posterior.tested, []
    for label in (0, 1):
        own = [tested.truth[rows] == label for rows in tested.rows]
        hits = [r[o].sum() for r, o in zip(tested.right["0"], own, strict=True)]
        plain.append(np.sum(hits) / np.sum([o.sum() for o in own]))
    assert posterior.balanced_accuracy.mean() == pytest.approx(np.mean(plain), abs=0.005)
    by_seed = [r.mean() for r in tested.right["0"]]
    assert posterior.balanced_accuracy.std() > 0.8 * np.std(by_seed, ddof=1) / np.sqrt(6)


def test_published_splits_are_kept_and_folds_turn():
    names = np.array(["train", "validation", "test"])
    table = Table.of(people(part=lambda rng, n: rng.choice(names, n, p=[0.6, 0.2, 0.2])))
    for rows, name in zip(deal_out(table, 5, "published"), names, strict=True):
        assert set(table.parts[rows]) == {name}
    folds = Table.of(people(part=lambda rng, n: rng.integers(1, 6, n)))
    tested = [set(folds.parts[deal_out(folds, seed, "published").test].tolist()) for seed in range(5)]
    assert sorted(tested, key=min) == [{1}, {2}, {3}, {4}, {5}]
    with pytest.raises(InputError, match="no published split"):
        deal_out(Table.of(people()), 0, "published")


def test_the_choice_is_the_least_unfair_near_the_most_accurate():
    def run(accuracy, unfairness):
        return {"balanced_accuracy": accuracy, "tpr.if": unfairness, "equalized_odds.if": 1 - unfairness}

    runs = [run(0.80, 0.5), run(0.77, 0.3), run(0.76, 0.1), run(0.5, 0.0)]
    assert choose(runs, "equal_opportunity", 0.03) == 1
    assert choose(runs, "equal_opportunity", 0.0) == 0
    assert choose(runs, "equal_opportunity", 1.0) == 3
    assert choose(runs, "equalized_odds", 1.0) == 0


# A trial, against the same thing by hand


def test_a_trial_is_what_one_would_do_by_hand(found):
    results, _ = found
    table, comparison = Table.of(people()), results.tables[0].comparison
    for result, strategy in ((comparison["logistic"], "none"), (comparison["logistic+equal"], "equal")):
        for seed in range(3):
            parts = deal_out(table, seed, "random")
            X = np.column_stack([table.X["skill"], table.X["noise"]])
            mean, scale = X[parts.train].mean(0), X[parts.train].std(0)
            Z, y = (X - mean) / scale, table.truth
            weights = None
            if strategy == "equal":
                cells = table.leaves[parts.train] * 2 + y[parts.train]
                weights = 1 / np.bincount(cells)[cells]
                weights *= len(cells) / weights.sum()
            model = LogisticRegression(max_iter=1000).fit(Z[parts.train], y[parts.train], weights)
            assert result.runs[seed].rows.tolist() == parts.test.tolist()
            assert result.runs[seed].predicted.tolist() == model.predict(Z[parts.test]).tolist()
            expected = balanced_accuracy_score(y[parts.test], model.predict(Z[parts.test]))
            assert result.per_repeat["balanced_accuracy"][seed] == pytest.approx(expected)


def test_results_read_from_the_file_are_the_results(found):
    results, path = found
    again = read_results(Store(path, create=False))
    assert fl.Report.of(again).summary == fl.Report.of(results).summary
    assert results.tables[0].seconds("logistic+parents")["rows"] > 0
    assert set(results.seconds) == {"encode", "rows", "train", "predict"}


def without_seconds(path):
    """Every trial's predictions and choices, by what was asked for."""
    kept = {}
    for record in Store(Path(path), create=False).records():
        result = {k: v for k, v in record.result.items() if "seconds" not in k}
        kept[record.key] = (record.state, json.dumps(result, sort_keys=True), record.payload)
    return kept


def test_any_number_of_jobs_gives_the_same_table(found, tmp_path, two_threads):
    _, path = found
    fl.bench([people()], tmp_path / "two.sqlite", methods=PLAIN[::-1], seeds=3, n_jobs=2)
    assert without_seconds(tmp_path / "two.sqlite") == without_seconds(path)


def test_networks_are_trained_on_one_thread_from_the_first(tmp_path):
    asked = {"methods": ["unconstrained"], "seeds": 2, "settings": Settings(network=Network(steps=40))}
    torch.set_num_threads(2)
    for n_jobs in (1, 2):
        fl.bench([people()], tmp_path / f"{n_jobs}.sqlite", **asked, n_jobs=n_jobs)
        assert torch.get_num_threads() == 2
    assert without_seconds(tmp_path / "1.sqlite") == without_seconds(tmp_path / "2.sqlite")


def test_threads_of_a_users_backend_are_not_shared(found, tmp_path):
    _, path = found
    with joblib.parallel_config("threading", n_jobs=2):
        fl.bench([people()], tmp_path / "threads.sqlite", methods=PLAIN, seeds=3)
    assert without_seconds(tmp_path / "threads.sqlite") == without_seconds(path)


def test_the_key_changes_with_all_that_a_result_depends_on():
    table = Table.of(people())
    trial = Trial(table.fingerprint(), Combination("logistic"), 0, Settings(), "code")
    others = [
        replace(trial, seed=1),
        replace(trial, code="other"),
        replace(trial, combination=Combination("logistic", "equal")),
        replace(trial, settings=Settings(margin=0.1)),
        replace(trial, settings=Settings(network=Network(steps=10))),
        replace(trial, table=Table.of(people(seed=1)).fingerprint()),
        replace(trial, table=Table.of(people(), axes=1).fingerprint()),
        replace(trial, table=Table.of(people(), rows=300).fingerprint()),
        replace(trial, table=Table.of(people(), rows=300, extra_test=100).fingerprint()),
    ]
    assert len({trial.key, *(t.key for t in others)}) == 10
    assert replace(trial).key == trial.key
    assert Table.of(people()).fingerprint() == table.fingerprint()


def test_the_digest_of_code_sees_statements_only():
    source = 'def f(x):\n    """Text."""\n    return x + 1  # one\n'
    assert statements(source) == statements("def f(x):\n    return (x + 1)\n")
    assert statements(source) != statements(source.replace("1", "2"))


# Texts and images


class Letters:
    """Stands for a model: counts of three letters."""

    def __init__(self, *_, **__):
        pass

    def fit_transform(self, values):
        return np.array([[str(v).count(letter) for letter in "abc"] for v in values], dtype=np.float32)


def told(n=300):
    """A data set whose text gives the label away."""
    rng = np.random.default_rng(0)
    glad = rng.integers(0, 2, n)
    words = [" ".join(rng.choice(["aa good day", "a bbb cab", "well"][: 2 + g], 3)) for g in glad]
    columns = {"text": np.array(words, dtype=object), "sex": rng.choice(["f", "m"], n), "glad": glad}
    return Dataset(
        "told", columns, label="glad", positive=1, sensitive=("sex",), cuts={}, text=("text",), about="Made."
    )


def test_texts_are_learned_from_as_texts_or_as_vectors_of_a_model(tmp_path, monkeypatch):
    monkeypatch.setattr("fairlattice.benchmark._vectors.SentenceEncoder", Letters)
    plain = told()
    vectors = with_vectors(plain, text_model="folder")
    assert vectors.features == ("text_000", "text_001", "text_002")
    assert vectors.columns["text_001"].tolist() == [t.count("b") for t in plain.columns["text"]]
    for data in (plain, vectors):
        table = fl.bench([data], tmp_path / "s.sqlite", methods=["logistic"], seeds=1).tables[0]
        assert not table.failed
        assert table.comparison.estimate("logistic", "balanced_accuracy").mean > 0.7


def test_images_must_become_vectors_first(monkeypatch):
    monkeypatch.setattr("fairlattice.benchmark._vectors.ImageEncoder", Letters)
    data = replace(told(), text=(), images=("text",))
    with pytest.raises(InputError, match="--image-weights"):
        Table.of(data)
    assert list(Table.of(with_vectors(data, image_weights="imagenet")).X) == [
        "text_000",
        "text_001",
        "text_002",
    ]
    assert with_vectors(data) == data


# The store and the runner


def test_finished_trials_are_not_run_again(found, tmp_path):
    _, path = found
    told = []
    fl.bench([people()], path, methods=PLAIN, seeds=3, progress=lambda *at: told.append(at))
    assert told == [(9, 9)]
    told.clear()
    fl.bench([people()], path, methods=PLAIN, seeds=4, progress=lambda *at: told.append(at))
    assert told[0] == (9, 12)
    assert told[-1] == (12, 12)


PLUGIN = """
    import os, time
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from fairlattice.datasets import Dataset

    class Slow:
        name = "slow"
        about = "tells of every fit in a file"
        grid = ({"C": 1.0}, {"C": 0.1})

        def make(self, *, seed, settings, C):
            with open(os.environ["FITS"], "a") as log:
                log.write(f"{seed} {C}\\n")
            time.sleep(float(os.environ.get("PAUSE", 0)))
            return LogisticRegression(C=C)

    class Fails:
        name = "fails"
        about = "fails where the file says so"
        grid = ({},)

        def make(self, *, seed, settings):
            if os.path.exists(os.environ["FITS"] + ".fail"):
                raise ValueError("on purpose")
            return LogisticRegression()

    class Coins:
        name = "coins"
        about = "a hundred coins"

        def load(self, data_dir=None):
            rng = np.random.default_rng(0)
            side = rng.choice(["heads", "tails"], 100)
            columns = {"side": side, "weight": rng.normal(size=100), "kept": rng.integers(0, 2, 100)}
            return Dataset("coins", columns, label="kept", positive=1, sensitive=("side",), cuts={})
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    monkeypatch.setenv("FITS", str(tmp_path / "fits"))
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(PLUGIN))
    return file


def test_an_entry_of_a_grid_that_fails_is_not_taken_and_the_others_are(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        textwrap.dedent("""
        from sklearn.linear_model import LogisticRegression
        from fairlattice import InputError

        class Picky:
            name, about, grid = "picky", "cannot do C = 2", ({"C": 1.0}, {"C": 2.0})

            def make(self, *, seed, settings, C):
                if C == 2.0:
                    raise InputError("Training diverged.")
                return LogisticRegression(C=C)
        """)
    )
    table = fl.bench(
        [people()], tmp_path / "s.sqlite", methods=["picky"], seeds=2, plugins=Plugins.of([file])
    ).tables[0]
    assert not table.failed
    found = table.outcomes["picky"][0]
    assert found.chosen == {"C": 1.0}
    assert found.validated[1] == {"hyper": {"C": 2.0}, "error": "Training diverged."}


def test_a_plugin_changes_the_keys_of_its_own_methods_only(plugin, tmp_path):
    told, store = [], tmp_path / "store.sqlite"
    fl.bench([people()], store, methods=["logistic"], seeds=2)
    asked = {"seeds": 2, "progress": lambda *at: told.append(at), "plugins": Plugins.of([plugin])}
    fl.bench([people()], store, methods=["logistic", "slow"], **asked)
    assert told[0] == (2, 4)
    plugin.write_text(plugin.read_text() + "\n# another version\n")
    told.clear()
    fl.bench([people()], store, methods=["logistic", "slow"], **asked)
    assert told[0] == (2, 4)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("np.array([[0.2, 0.8]])", r"gave shape \(1, 2\) for \d+ rows"),
        ("np.full(len(X), 0.5)", "gave shape"),
        ("np.full((len(X), 2), 7.0)", "no probabilities"),
        ("np.full((len(X), 2), np.nan)", "no probabilities"),
        ("sys.exit(0)", "SystemExit"),
        ("1 / 0 if print('loud') is None else 1", "ZeroDivisionError"),
        ("[][int('\\x1b[31m', 7)]", r"ValueError: .*x1b"),
    ],
)
def test_a_model_that_misbehaves_is_a_failure_that_is_told(given, told, tmp_path, capsys):
    file = tmp_path / "mine.py"
    file.write_text(
        textwrap.dedent(f"""
        import sys
        import numpy as np

        class Odd:
            name, about, grid = "odd", "misbehaves", ({{}},)

            def make(self, *, seed, settings):
                return self

            def fit(self, X, y):
                return self

            def predict_proba(self, X):
                return {given}
        """)
    )
    asked = {"methods": ["odd", "logistic"], "seeds": 1, "plugins": Plugins.of([file])}
    table = fl.bench([people()], tmp_path / "s.sqlite", **asked).tables[0]
    assert [f.method for f in table.failed] == ["odd"]
    assert re.search(told, table.failed[0].error)
    assert table.failed[0].error.isprintable()
    assert capsys.readouterr().out == ""
    assert list(table.outcomes) == ["logistic"]


def test_a_failing_trial_is_kept_with_its_error_and_stops_nothing(plugin, tmp_path):
    flag, store = tmp_path / "fits.fail", tmp_path / "store.sqlite"
    flag.touch()
    plugins = Plugins.of([plugin])
    asked = {"methods": ["fails", "logistic"], "seeds": 2, "plugins": plugins}
    table = fl.bench([people()], store, **asked).tables[0]
    assert [(f.method, f.seed, f.error) for f in table.failed] == [
        ("fails", seed, "ValueError: on purpose") for seed in range(2)
    ]
    assert [r.name for r in table.comparison.results] == ["logistic"]
    flag.unlink()
    assert len(fl.bench([people()], store, **asked).tables[0].failed) == 2  # kept: nobody asked to retry
    table = fl.bench([people()], store, **asked, retry=True).tables[0]
    assert not table.failed
    assert {r.name for r in table.comparison.results} == {"fails", "logistic"}


def test_methods_that_lack_seeds_are_left_out_and_named(tmp_path):
    store = tmp_path / "store.sqlite"
    fl.bench([people()], store, methods=["logistic"], seeds=3)
    fl.bench([people()], store, methods=["logistic+equal"], seeds=1)
    table = read_results(Store(store)).tables[0]
    assert table.unfinished == {"logistic+equal": 1}
    assert [r.name for r in table.comparison.results] == ["logistic"]
    fl.bench([people()], store, methods=["logistic+equal"], seeds=2)
    table = read_results(Store(store)).tables[0]  # two methods with two seeds say more than one with three
    assert not table.unfinished
    assert [len(r.runs) for r in table.comparison.results] == [2, 2]


# Loads everything and fills one store undisturbed, then forks a runner whenever it is told to: a runner then
# spends its life on trials, where it is to be killed, and not on loading modules.
RUNNERS = """
    import os, pickle, signal, sys
    from pathlib import Path
    import fairlattice as fl
    from fairlattice.benchmark import Plugins

    data, plugin, clean, store = map(Path, sys.argv[1:])
    data = pickle.loads(data.read_bytes())

    def run(path):
        fl.bench([data], path, methods=["slow"], seeds=40, plugins=Plugins.of([plugin]))

    def start():
        runner = os.fork()
        if runner:
            return runner
        status = 1
        try:
            run(store)
            status = 0
        finally:
            os._exit(status)

    def kill(runner):
        os.kill(runner, signal.SIGKILL)
        return wait(runner)

    def wait(runner):
        return os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1])

    run(clean)
    os.environ |= {"FITS": f"{store.parent / 'fits'}", "PAUSE": "0.05"}
    print("ready", flush=True)
    for line in sys.stdin:
        word, *runner = line.split()
        print({"start": start, "kill": kill, "wait": wait}[word](*map(int, runner)), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_kills_at_any_moment_lose_what_was_in_flight_and_two_runners_share_a_store(
    plugin, tmp_path, monkeypatch
):
    """Twenty kills: nothing is corrupt, nothing finished is run again, and the end is the whole table."""
    monkeypatch.setenv("FITS", str(tmp_path / "fits of the clean store"))
    data, clean, store = (tmp_path / name for name in ("people.pickle", "clean.sqlite", "store.sqlite"))
    data.write_bytes(pickle.dumps(people(200)))  # read back without this file, which loads much
    command = [sys.executable, "-c", textwrap.dedent(RUNNERS), *map(str, (data, plugin, clean, store))]
    rng = np.random.default_rng(1)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, start_new_session=True) as parent:

        def tell(*words):
            print(*words, file=parent.stdin, flush=True)
            return int(parent.stdout.readline())

        try:
            assert parent.stdout.readline() == "ready\n"
            runners = [tell("start"), tell("start")]
            killed = 0
            for _ in range(20):
                time.sleep(float(rng.uniform(0.0, 0.15)))
                victim = int(rng.integers(2))
                killed += tell("kill", runners[victim]) == -signal.SIGKILL
                runners[victim] = tell("start")
            assert [tell("wait", runner) for runner in runners] == [0, 0]
            parent.stdin.close()
            assert parent.wait(timeout=60) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)
    assert killed > 0
    assert sqlite3.connect(store).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    records = Store(store, create=False).records()
    assert Counter(r.state for r in records) == {"done": 40}
    assert sorted(r.spec["seed"] for r in records) == list(range(40))
    fits = Counter((tmp_path / "fits").read_text().splitlines())
    assert len(fits) == 80  # two entries of the grid
    assert fits.total() <= 80 + 2 * 20  # a kill costs its runner one trial at most
    left = list(tmp_path.glob(".*.lock"))
    assert len(left) < killed  # who is killed before he claims a trial leaves a lock that nobody looks for
    for path in left:
        FileLock(path).acquire(timeout=0).lock.release()  # nobody holds it
    assert without_seconds(clean) == without_seconds(store)


def test_a_claim_of_the_living_is_left_alone_and_one_of_the_dead_is_taken(tmp_path):
    table = Table.of(people())
    trial = Trial(table.fingerprint(), Combination("logistic"), 0, Settings())
    path = tmp_path / "store.sqlite"
    first, second = Store(path), Store(path)
    with second:
        with first:
            assert first.claim(trial)
            assert not second.claim(trial)
        assert second.claim(trial)  # the first let go
        second.finish(trial, "done", {"figure": 1.0})
        assert not second.claim(trial, retry=True)
    assert Store(path).states([trial.key]) == {trial.key: "done"}


def test_files_that_are_no_store_are_refused_and_left_alone(tmp_path):
    text, other = tmp_path / "a.txt", tmp_path / "b.sqlite"
    text.write_text("no database at all, but long enough to be read as the head of one " * 20)
    sqlite3.connect(other).execute("CREATE TABLE mine (x)").connection.close()
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(InputError, match="--store"):
            Store(path)
        assert path.read_bytes() == before
    with pytest.raises(InputError, match="is not there"):
        Store(tmp_path / "none.sqlite", create=False)
    with pytest.raises(InputError, match="holds no result yet"):
        read_results(Store(tmp_path / "new.sqlite"))


def test_a_run_that_goes_on_or_was_killed_hides_no_result(tmp_path):
    table, path = Table.of(people()), tmp_path / "store.sqlite"
    trials = [
        Trial(table.fingerprint(), Combination("logistic"), 0, Settings(), code) for code in ("old", "new")
    ]
    store = Store(path)
    with store:
        run_trials(trials[:1], {table.fingerprint(): table}, store)
        assert store.claim(trials[1])
        assert list(read_results(Store(path, create=False)).tables[0].outcomes) == ["logistic"]
        store.finish(trials[1], "failed", {"error": "KeyError: 1"})
    assert list(read_results(Store(path, create=False)).tables[0].outcomes) == ["logistic"]


def test_links_to_a_store_are_the_store_and_showing_changes_nothing(tmp_path):
    path, link = tmp_path / "store.sqlite", tmp_path / "link.sqlite"
    link.symlink_to(path)
    trial = Trial("table", Combination("logistic"), 0, Settings())
    with Store(path) as first, Store(link) as second:
        assert first.claim(trial)
        assert not second.claim(trial)
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    with pytest.raises(InputError, match="not one of ours"):
        Store(empty, create=False)
    assert empty.read_bytes() == b""
    path.chmod(0o444)
    before = path.read_bytes()
    assert not Store(path, create=False).records()
    assert path.read_bytes() == before


def test_damaged_and_newer_stores_are_told(found, tmp_path):
    _, path = found
    harm = {
        "damaged": ["DELETE FROM tables", "UPDATE trials SET payload='x'", "UPDATE trials SET result='{}'"],
        "newer": ["PRAGMA user_version = 99"],
        "ours": ["PRAGMA user_version = 0", "DROP TABLE tables"],
    }
    for told, statements_ in harm.items():
        for statement in statements_:
            copy = tmp_path / "copy.sqlite"
            copy.write_bytes(path.read_bytes())
            with sqlite3.connect(copy) as db:
                db.execute(statement)
            db.close()
            with pytest.raises(InputError, match=told):
                read_results(Store(copy, create=False))


def test_results_of_newer_code_count_and_are_told(tmp_path):
    table = Table.of(people())
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        for code in ("old", "new"):
            trials = [
                Trial(table.fingerprint(), Combination("logistic"), s, Settings(), code) for s in range(2)
            ]
            run_trials(trials[: 2 if code == "old" else 1], {table.fingerprint(): table}, store)
    results = read_results(Store(path))
    assert results.n_codes == 2
    assert len(results.tables[0].comparison["logistic"].runs) == 2
    assert "2 versions" in fl.Report.of(results).summary["notes"][0]


# Methods, plugins, experiments


def test_plugins_bring_methods_and_data_sets(plugin, tmp_path):
    plugins = Plugins.of([plugin])
    assert {"slow", "fails"} <= set(plugins.load())
    assert fl.datasets.load_dataset("coins").n_rows == 100
    results = fl.bench(
        [fl.datasets.load_dataset("coins")],
        tmp_path / "s.sqlite",
        methods=["slow+equal"],
        seeds=2,
        plugins=plugins,
    )
    assert results.tables[0].outcomes["slow+equal"][0].chosen["C"] in (0.1, 1.0)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = 1", "holds no method, no strategy and no data set"),
        ("1 +", "cannot be loaded: SyntaxError"),
        ("class A:\n    name = 'logistic'\n    about = ''\n    grid = ({},)\n    make = None", "one of ours"),
        ("class A:\n    name = 'adult'\n    load = None", "one of ours"),
        ("import sys\nsys.exit(0)", "cannot be loaded: SystemExit"),
        ("class A:\n    name, about, grid, make = 'a+b', '', ({},), None", "Use letters"),
        ("class A:\n    name, about, grid, make = 'a', '', (), None", "is empty"),
        (
            "class A:\n    name, about, grid, make = 'a', '', ({'C': {1}},), None",
            "not a list of plain options",
        ),
        ("class A:\n    name, about, grid, make = 'a', None, ({},), None", "is not text"),
        (
            "class A:\n    name, about, grid, make = 'a', '', ({},), None\nclass B(A):\n    pass",
            "two methods called `a`",
        ),
    ],
)
def test_files_that_are_no_plugin(tmp_path, source, told):
    file = tmp_path / "mine.py"
    file.write_text(source)
    with pytest.raises(InputError, match=told):
        Plugins.of([file])


def test_files_that_cannot_be_plugins(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Plugins.of([tmp_path / "none.py"])
    (tmp_path / "mine.txt").write_text("x = 1")
    with pytest.raises(InputError, match=r"ends in \.py"):
        Plugins.of([tmp_path / "mine.txt"])


def test_a_method_without_sample_weight_gets_rows_drawn_by_weight(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        textwrap.dedent("""
        import numpy as np

        class Prior:
            name, about, grid = "prior", "the share of positives it was trained on", ({},)

            def make(self, *, seed, settings):
                return Model()

        class Model:
            def fit(self, X, y):
                self.share = np.mean(y)
                return self

            def predict_proba(self, X):
                return np.tile([1 - self.share, self.share], (len(X), 1))
        """)
    )
    table, plugins = Table.of(people(2000)), Plugins.of([file])
    share = {}
    for strategy in ("none", "label"):
        trial = Trial(table.fingerprint(), Combination("prior", strategy), 0, Settings())
        share[strategy] = trial.run(table, plugins).run.score[0]
    train = deal_out(table, 0, "random").train
    assert share["none"] == pytest.approx(table.truth[train].mean())
    assert share["label"] == pytest.approx(0.5, abs=0.05)
    assert abs(share["none"] - 0.5) > 0.06


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"methods": ["logistik"]}, "Did you mean 'logistic'"),
        ({"methods": ["logistic+equals"]}, "Did you mean 'equal'"),
        ({"methods": []}, "at least one method"),
        ({"experiment": "trade"}, "must be one of"),
        ({"seeds": 0}, "`seeds`"),
        ({"rows": 0}, "`rows`"),
        ({"axes": 3}, "2 sensitive attributes, not 3"),
        ({"settings": Settings(notion="parity")}, "`notion`"),
        ({"settings": Settings(margin=2.0)}, "`margin`"),
        ({"settings": Settings(network=Network(dropout=1.0))}, "`dropout`"),
        ({"settings": Settings(network=Network(hidden=()))}, "`hidden`"),
        ({"rows": 4}, "too small to split"),
        ({"extra_test": 5}, "`extra_test`"),
        ({"methods": ["logistic+"]}, "No strategy is called"),
        ({"settings": Settings(split="published")}, "no published split"),
        ({"settings": Settings(network=Network(batch_size=10**9))}, "`batch_size` must be at most"),
    ],
)
def test_questions_that_cannot_be_asked(tmp_path, asked, told):
    path = tmp_path / "store.sqlite"
    with pytest.raises(InputError, match=told):
        fl.bench([people()], path, **{"methods": ["logistic"], "seeds": 1, **asked})
    assert not path.exists()


def test_experiments_name_methods_that_exist():
    for experiment in EXPERIMENTS.values():
        for text in experiment.methods:
            assert Combination.parse(text, METHODS).name == text
    assert set(EXPERIMENTS) == {"tradeoff", "axes", "leveling", "fidelity", "ablation"}


def test_axes_grow_one_by_one(tmp_path):
    results = fl.bench([people()], tmp_path / "s.sqlite", experiment="axes", methods=["logistic"], seeds=1)
    assert [t.people.lattice.names for t in results.tables] == [("sex",), ("sex", "race")]
    assert all("race" not in t.people.features for t in results.tables)


def test_fidelity_sets_made_rows_beside_real_ones(tmp_path):
    results = fl.bench([people()], tmp_path / "s.sqlite", experiment="fidelity", seeds=2)
    figures = results.tables[0].fidelity
    assert set(figures) == {"real", "smote", "parents", "paper", "augment"}
    assert 0.3 < figures["real"]["auc_neighbours"].mean < 0.7
    assert figures["real"]["copies"] is None
    assert figures["parents"]["copies"].mean == 1.0
    assert results.tables[0].comparison is None


def test_the_front_is_what_nobody_beats(found):
    table = found[0].tables[0]
    points = {
        r.name: tuple(table.comparison.estimate(r.name, f).mean for f in ("balanced_accuracy", "tpr.if"))
        for r in table.comparison.results
    }
    for name, (accuracy, unfairness) in points.items():
        beaten = any(
            a >= accuracy and u <= unfairness and (a, u) != (accuracy, unfairness) for a, u in points.values()
        )
        assert (name in table.pareto("tpr.if")) != beaten
