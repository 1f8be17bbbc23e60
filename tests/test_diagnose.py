"""Diagnoses: figures beside the floor, verdicts over cells, copies, noise, drift, and the command."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fairlattice as fl
from fairlattice.benchmark._diagnose import SOURCES
from fairlattice.benchmark._noise import flipped
from fairlattice.cli import main
from fairlattice.exceptions import InputError
from fairlattice.report import Report

FAST = {"permutations": 199, "max_rows": 60, "pictures": 0}


def table(n=600, seed=0, shift=0.0):
    """Two attributes; in one leaf, f and old, rows lie `shift` off from those of both of its parents."""
    rng = np.random.default_rng(seed)
    S = {"sex": rng.choice(["f", "m"], n), "old": rng.integers(0, 2, n)}
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, 3)) + y[:, None]
    X[(S["sex"] == "f") & (S["old"] == 1)] += shift
    return X, y, S


def test_rows_like_their_parents_pass_and_a_leaf_unlike_its_parents_fails():
    X, y, S = table()
    fine = fl.diagnose(X, y, sensitive_features=S, sources=["parents"], **FAST)
    assert fine.failing == ()
    assert fine.overall["parents"].mmd.p_value > 0.01
    X, y, S = table(shift=3.0)
    found = fl.diagnose(X, y, sensitive_features=S, sources=["parents"], **FAST)
    failing = {(*c.group.values(), c.label): c for c in found.failing}
    assert {("f", 1, 0), ("f", 1, 1)} <= set(failing)
    assert not {("m", 0, 0), ("m", 0, 1)} & set(failing)  # the leaf of which no parent holds odd rows
    for cell in (failing["f", 1, 0], failing["f", 1, 1]):
        assert cell.sources["parents"].p_adjusted["mmd"] <= 0.05
        assert cell.sources["real"].mmd.p_value > 0.01
        assert "Do not augment" in cell.assumption.advice


def test_every_figure_stands_beside_the_floor_and_copies_are_those_of_the_table():
    X, y, S = table()
    found = fl.diagnose(X, y, sensitive_features=S, sources=SOURCES, **FAST)
    assert list(found.overall) == ["real", *SOURCES]
    assert found.n_train + found.n_held_out == 600
    # Rows drawn plainly from parents are training rows, and are known as such, row by row.
    assert found.overall["parents"].memory.exact == found.overall["parents"].n
    copies = [c for c in found.copies if c.source == "parents"]
    assert copies
    for copy in copies:
        assert (copy.kind, copy.distance) == ("exact", pytest.approx(0.0, abs=1e-9))
        assert y[copy.row] == copy.label
    assert found.overall["real"].memory is None


def test_copies_are_counted_among_rows_of_any_place_in_a_cell():
    """One in ten rows of importance resampling is copied unchanged; where numbers are real, no other equals one."""
    rng = np.random.default_rng(0)
    n = 4_000
    S = {"a": rng.integers(0, 6, n), "b": rng.integers(0, 4, n)}
    X, y = rng.normal(size=(n, 2)), rng.integers(0, 2, n)
    found = fl.diagnose(X, y, sensitive_features=S, sources=["augment"], permutations=19, pictures=0)
    figures = found.overall["augment"]
    assert figures.n == 300
    assert 15 <= figures.memory.exact <= 50


def test_the_same_seed_gives_the_same_bytes_whatever_the_jobs(two_threads):
    X, y, S = table()
    texts = [
        Report.of(
            fl.diagnose(X, y, sensitive_features=S, n_jobs=jobs, random_state=seed, **FAST),
            name="t",
            label="y",
        ).to_json()
        for jobs, seed in ((1, 0), (2, 0), (1, 1))
    ]
    assert texts[0] == texts[1] != texts[2]


def test_tiny_cells_are_not_judged_and_it_is_told():
    X, y, S = table()
    S["sex"][:3] = "x"  # three people of a third sex
    y[:3] = [1, 1, 0]
    found = fl.diagnose(X, y, sensitive_features=S, sources=["smote", "augment"], **FAST)
    tiny = [c for c in found.cells if c.group["sex"] == "x"]
    assert tiny
    assert all(c.why and c.assumption is None and set(c.sources.values()) == {None} for c in tiny)
    assert any("too few rows to be judged alone" in note for note in found.notes)


def test_labels_of_three_classes_and_mixed_columns_with_holes():
    rng = np.random.default_rng(0)
    n = 400
    pay = [[10.0, 20.0, None][i] for i in rng.integers(0, 3, n)]
    X = pl.DataFrame({"job": [["cook", "nurse", None][i] for i in rng.integers(0, 3, n)], "pay": pay, "k": 1})
    y, S = rng.choice(["a", "b", "c"], n), {"sex": rng.choice(["f", "m"], n)}
    found = fl.diagnose(X, y, sensitive_features=S, sources=["augment"], **FAST)
    assert found.classes == ("a", "b", "c")
    assert {c.name for c in found.overall["augment"].marginals.columns} == {"job", "pay", "k"}
    json.loads(Report.of(found, name="t", label="y").to_json())


def test_pictures_lay_out_real_made_and_parents_rows():
    X, y, S = table(300)
    found = fl.diagnose(X, y, sensitive_features=S, **{**FAST, "pictures": 1})
    (cell,) = (c for c in found.cells if c.pictures)
    assert [p.method for p in cell.pictures] == ["pca", "tsne"]
    for picture in cell.pictures:
        assert set(picture.points) == {"real", "made", "parents"}
        assert all(np.isfinite(places).all() for places in picture.points.values())
    assert "mean nothing" in cell.pictures[1].caption


@pytest.mark.parametrize(
    "option",
    [
        {"sources": []},
        {"sources": ["gan"]},
        {"held_out": 1.0},
        {"max_rows": 5},
        {"permutations": 5},
        {"confidence": 0.0},
        {"pictures": -1},
        {"random_state": -1},
    ],
)
def test_options_out_of_range_are_refused_by_name(option):
    X, y, S = table(100)
    with pytest.raises(InputError, match=next(iter(option))):
        fl.diagnose(X, y, sensitive_features=S, **{**FAST, **option})


def test_flips_keep_levels_and_rate():
    rng = np.random.default_rng(0)
    true = {"a": rng.choice([0, 2, 3], 20_000, p=[0.7, 0.2, 0.1]), "b": np.zeros(20_000, dtype=np.int64)}
    wrong = flipped(true, 0.1, rng)
    assert (wrong["b"] == 0).all()  # there is no other level
    assert set(wrong["a"]) == {0, 2, 3}
    assert (wrong["a"] != true["a"]).mean() == pytest.approx(0.1, abs=0.01)
    assert (flipped(true, 0.0, rng)["a"] == true["a"]).all()
    assert (flipped(true, 1.0, rng)["a"] != true["a"]).all()


def test_noise_leaves_the_unconstrained_model_as_it_is():
    X, y, S = table(400)
    points = fl.annotation_noise(
        X, y, sensitive_features=S, rates=[0.0, 0.3], strategies=["equal"], repeats=2, n_jobs=1
    )
    plain = [p.figures["tpr.worst"].median for p in points if p.strategy == "none"]
    # It sees no groups, and everyone is counted by the true ones; only the draws differ.
    assert plain[0] == pytest.approx(plain[1], abs=0.03)
    equal = [p for p in points if p.strategy == "equal"]
    assert equal[0].figures != equal[1].figures
    with pytest.raises(InputError, match="rates"):
        fl.annotation_noise(X, y, sensitive_features=S, rates=[2.0])
    with pytest.raises(InputError, match="at least one"):
        fl.annotation_noise(X, y, sensitive_features=S, rates=[])


def test_drift_tells_who_came_and_where_made_rows_no_longer_fit():
    X, y, S = table(1500)
    same = table(1500, seed=1)
    options = {"permutations": 199, "max_rows": 100}
    found = fl.drift(
        X, y, *same[:2], sensitive_features=S, later_features=same[2], source="parents", **options
    )
    assert found.changes == ()
    assert sum(not cell.fits for cell in found.cells) <= 1  # one of eight tests at 5 % may
    moved = table(1500, seed=1, shift=3.0)
    keep = (moved[2]["sex"] == "f") | (np.arange(1500) % 3 == 0)
    later = (moved[0][keep], moved[1][keep])
    groups = {name: values[keep] for name, values in moved[2].items()}
    found = fl.drift(X, y, *later, sensitive_features=S, later_features=groups, source="parents", **options)
    assert "composition" in {change.kind for change in found.changes}
    unfit = [tuple(c.group.values()) for c in found.cells if not c.fits]
    assert unfit.count(("f", 1)) == 2
    with pytest.raises(InputError, match="`later_y` holds 7"):
        fl.drift(X, y, same[0], np.full(1500, 7), sensitive_features=S, later_features=same[2])


@pytest.fixture
def people(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, seed in (("t.csv", 0), ("later.csv", 1)):
        X, y, S = table(300, seed=seed, shift=2.0)
        columns = {f"x{i}": X[:, i] for i in range(3)}
        pl.DataFrame({**columns, **S, "y": y}).write_csv(name)
    frame = pl.read_csv("later.csv")
    frame.with_columns(pl.col("x0") * 1e155).write_csv("huge.csv")
    frame.drop("x0").write_csv("short.csv")
    return [
        "diagnose",
        "t.csv",
        "--label",
        "y",
        "--sensitive",
        "sex",
        "old",
        "--max-rows",
        "50",
        "--jobs",
        "1",
    ]


def test_the_command_writes_json_and_prints_what_the_json_says(people, capsys):
    more = ["--noise", "0.1", "--later", "later.csv", "--json", "out.json", "--permutations", "99"]
    assert main([*people, *more]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert found["schema"] == "fairlattice/diagnose/2"
    assert {p["rate"] for p in found["noise"]} == {0.0, 0.1}
    assert found["drift"]["cells"]
    for words in ("an AUC of .5", "Of 8 cells", "by share of wrong attributes", "Changes from the earlier"):
        assert words in out.replace("\n", " ").replace("  ", " ")
    assert main([*people, "--json", "-", "--permutations", "99"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["permutations"] == 99


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--sources", "gan"], "`sources` must be one of"),
        (["--noise", "much"], "`--noise` takes error rates"),
        (["--noise", "3"], "`--noise` takes error rates in [0, 1]"),
        (["--later", "gone.csv"], "`gone.csv` is not there"),
        (["--jobs", "0"], "`--jobs` must be"),
        (["--json", "t.csv"], "is the input file"),
        (["--later", "later.csv", "--report", "later.csv"], "`later.csv` is the input file"),
        (["--report", "-"], "Only --json may be -"),
        (["--positive", "7"], "Positive label '7' does not occur"),
        (["--later", "huge.csv"], "Column `x0` holds"),
        (["--later", "short.csv"], "In `short.csv`: Columns not found: ['x0']"),
        (["--held-out", "0"], "`held_out` must lie in"),
    ],
)
def test_the_command_refuses_in_one_line(people, capsys, more, word):
    assert main([*people, "--permutations", "99", *more]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert word in err


def test_text_of_a_diagnosis_without_failures_or_copies():
    X, y, S = table(200)
    found = fl.diagnose(X, y, sensitive_features=S, sources=["augment"], **FAST)
    text = Report.of(found, name="t", label="y").to_text()
    assert "augment" in text and "t: 200 rows" in text


def test_seeds_of_any_size_and_columns_named_by_numbers():
    X, y, S = table(200)
    options = {"sensitive_features": S, "sources": ["parents"], **FAST, "permutations": 19, "pictures": 1}
    frame = pd.DataFrame(X)  # its columns are called 0, 1 and 2
    found = fl.diagnose(frame, y, random_state=2**70, **options)
    assert {c.name for c in found.overall["parents"].marginals.columns} == {"0", "1", "2"}
    with pytest.raises(InputError, match="Two columns have one name"):
        fl.diagnose(pd.concat([frame, frame], axis=1), y, **options)
    with pytest.raises(InputError, match="`sources` must be a sequence"):
        fl.diagnose(X, y, **{**options, "sources": "parents"})


def test_drift_takes_attributes_in_any_order_and_refuses_what_differs():
    X, y, S = table(300)
    turned = dict(reversed(S.items()))
    found = fl.drift(X, y, X, y, sensitive_features=S, later_features=turned, permutations=19)
    assert found.cells[0].group.keys() == S.keys()
    with pytest.raises(InputError, match="`source` must be one of"):
        fl.drift(X, y, X, y, sensitive_features=S, later_features=S, source="gan")
    with pytest.raises(InputError, match="differ in length"):
        fl.drift(X, y, X, y, sensitive_features=S, later_features={k: v[:-1] for k, v in S.items()})
    with pytest.raises(InputError, match="Columns not found"):
        fl.drift(X, y, X, y, sensitive_features=S, later_features={"sex": S["sex"]})
