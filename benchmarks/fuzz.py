"""Generated tables and options against the library and the command line: refused in a line, or read right.

Run ``python benchmarks/fuzz.py api 1000`` or ``python benchmarks/fuzz.py cli 200``. It goes on where it stopped: the
state file (``--state``) holds how many cases have run, and every failure with its seed. Hypothesis draws what a table
is made of (names, kinds of columns, spellings, sizes, options); its values come from a seed that is drawn too.

A case fails if it raises anything but an ``InputError``, writes NaN as JSON, changes its input, leaves a file half
written, changes or reorders an old row, makes up a category, or takes more than a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import fairlattice as fl
from fairlattice.report import Report

MISSING = ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "-", ".", "#N/A"]
NAMES = [
    "", "*", "^a.*$", "^x$", "a", "age", "zip", "id", "Unnamed: 0", "x y", "a,b", 'q"q', "ünï", "\x1b[31mred", "name:1",
    "=1+1", "col\nline", "index", "__index_level_0__", "label", "y_true", "row", "x" * 80, " lead", "0", "None", "[a]",
]  # fmt: skip
LEVELS = [
    ["f", "m"], ["f", "f ", "m"], ["Yes", "yes", "no"], ["A", "B", "C", "NA"], ["18-25", "26-40", ">40"],
    ["é", "e\u0301", "u"], ["0", "1"], ["1", "2", "10"], ["00501", "501", "10001"], ["true", "false"],
    ["<=50K", ">50K"], ["+", "-"], ["a", None], ["\x1b]0;x\x07", "b"], ["=cmd", "@x"], ["x" * 300, "y"],
    ["none", "some"], ["1.0", "1"], ["\ufeffa", "b"],
]  # fmt: skip
LABELS = [
    [0, 1], [False, True], ["no", "yes"], ["rejected ", "hired"], [">50K", "<=50K"], [0.0, 1.0], [1, 2],
    ["a", "b", "c"], [-1, 1], ["0", "1"], ["True", "False"], [0, 1, 2], ["NA", "x"], ["yes", "Yes"],
]  # fmt: skip
KINDS = [
    "float", "float holes", "int", "int holes", "huge", "levels", "dirty levels", "dollars", "comma", "thousands",
    "percent", "dates", "dmy", "typed date", "decimal", "bool", "constant", "empty", "running", "unique text",
    "codes", "rare", "mixed numbers", "inf", "uint64", "enum",
]  # fmt: skip


def _column(kind: str, n: int, rng: np.random.Generator, levels: list[Any]) -> pl.Series:
    """A column of some kind; values come from `rng`."""
    x = rng.normal(size=n)
    holes = rng.random(n) < 0.2
    whole = rng.integers(0, 50, n)
    make: dict[str, Any] = {
        "float": lambda: x,
        "float holes": lambda: [None if h else v for v, h in zip(x.tolist(), holes, strict=True)],
        "int": lambda: whole,
        "int holes": lambda: [None if h else int(v) for v, h in zip(whole, holes, strict=True)],
        "huge": lambda: rng.integers(2**60, 2**62, n),
        "levels": lambda: [levels[i] for i in rng.integers(0, len(levels), n)],
        "dirty levels": lambda: [
            MISSING[i % len(MISSING)] if h else str(levels[i % len(levels)]) + " " * (i % 2)
            for i, h in zip(whole.tolist(), holes, strict=True)
        ],
        "dollars": lambda: [f"${v:.2f}" for v in x],
        "comma": lambda: [f"{v:.2f}".replace(".", ",") for v in x],
        "thousands": lambda: [f"{v * 999:,}" for v in whole],
        "percent": lambda: [f"{v}%" for v in whole],
        "dates": lambda: [(date(2020, 1, 1) + timedelta(days=int(v))).isoformat() for v in whole],
        "dmy": lambda: [f"{1 + v % 28:02d}.{1 + v % 12:02d}.2021" for v in whole.tolist()],
        "typed date": lambda: [date(2020, 1, 1) + timedelta(days=int(v)) for v in whole],
        "decimal": lambda: [Decimal(int(v)) / 4 for v in whole],
        "bool": lambda: x > 0,
        "constant": lambda: [levels[0]] * n,
        "empty": lambda: pl.Series([None] * n, dtype=pl.String),
        "running": lambda: np.arange(n) + 7,
        "unique text": lambda: [f"person {i}" for i in range(n)],
        "codes": lambda: rng.choice([10, 120, 500, 9920], n),
        "rare": lambda: [f"c{v}" for v in rng.zipf(1.4, n) % 200],
        "mixed numbers": lambda: [
            MISSING[i % len(MISSING)] if h else str(i) for i, h in zip(whole.tolist(), holes, strict=True)
        ],
        "inf": lambda: np.where(holes, np.inf, x),
        "uint64": lambda: pl.Series(whole.tolist(), dtype=pl.UInt64),
        "enum": lambda: pl.Series([str(levels[i]) for i in rng.integers(0, len(levels), n)], dtype=pl.Enum(
            list(dict.fromkeys(map(str, levels))))),
    }  # fmt: skip
    values = make[kind]()
    return values if isinstance(values, pl.Series) else pl.Series(values, strict=False)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A table, the parts of its columns, and options."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.sampled_from([1, 2, 5, 20, 40, 60, 120]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=5, max_size=8, unique=True))
    labels = draw(st.sampled_from(LABELS))
    kinds = [draw(st.sampled_from(["levels", "dirty levels", "levels", "int", *KINDS])) for _ in range(2)]
    kinds += [draw(st.sampled_from(KINDS)) for _ in names[4:]]
    y = rng.integers(0, len(labels), n)
    p = np.where(rng.random(n) < 0.3, rng.integers(0, len(labels), n), y)
    columns = [
        pl.Series([labels[i] for i in y], strict=False),
        pl.Series([labels[i] for i in p], strict=False),
    ]
    columns += [_column(kind, n, rng, draw(st.sampled_from(LEVELS))) for kind in kinds]
    frame = pl.DataFrame({name: s.alias("v") for name, s in zip(names, columns, strict=True)})
    return {
        "frame": frame,
        "label": names[0],
        "prediction": names[1],
        "sensitive": names[2 : 2 + draw(st.sampled_from([1, 1, 2]))],
        "features": names[4:],
        "positive": draw(st.sampled_from([None, *labels])),
        "cut": draw(st.sampled_from([False, False, True])),
        "missing": draw(st.sampled_from(["level", "exclude", "raise", "level"])),
        "na": draw(st.sampled_from([None, None, ["NA"], ["99"], []])),
        "decimal": draw(st.sampled_from([None, None, ".", ","])),
        "mixing": draw(st.sampled_from(["importance", "importance", "smote", "scalar", "diagonal"])),
        "library": draw(st.sampled_from(["polars", "pandas", "arrays"])),
        "what": draw(st.sampled_from(["audit", "audit frame", "encode", "augment", "classify", "counts"])),
        "file": draw(st.sampled_from(["csv", "csv", "parquet", "tsv", "feather"])),
        "seed": draw(st.integers(0, 5)),
    }


def run_api(case: dict[str, Any]) -> str:
    """One case through the Python API: "done" or "refused"; whatever else is wrong raises."""
    frame = case["frame"]
    table = frame.to_pandas() if case["library"] == "pandas" else frame
    before = frame.clone()
    cuts = {case["sensitive"][0]: [10, 30]} if case["cut"] else None
    reading = {"na": case["na"], "decimal": case["decimal"]}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _call(case, table, cuts, reading)
    except fl.InputError as error:
        assert str(error).strip(), "an error without words"
        return "refused"
    finally:
        assert frame.equals(before), "the input was changed"
        if case["library"] == "pandas":
            assert table.equals(frame.to_pandas()), "the input was changed"
    return "done"


def _call(case: dict[str, Any], table: Any, cuts: Any, reading: dict[str, Any]) -> None:
    y, p = table[case["label"]], table[case["prediction"]]
    S, X = table[case["sensitive"]], table[case["features"]]
    if case["library"] == "arrays":
        y, p, S = y.to_list(), p.to_list(), {name: S.get_column(name).to_list() for name in S.columns}
    options = {"positive": case["positive"], "cuts": cuts, "missing": case["missing"], "na": case["na"]}
    if case["what"] in ("audit", "audit frame"):
        if case["what"] == "audit":
            found = fl.audit(y, p, sensitive_features=S, **options)
        else:
            names = {"label": case["label"], "prediction": case["prediction"], "sensitive": case["sensitive"]}
            found = fl.audit(table, **names, **options)
        json.loads(Report.of(found).to_json(), parse_constant=_refuse)
    elif case["what"] == "counts":
        counts = fl.GroupCounts.from_arrays(y, p, sensitive_features=S, cuts=cuts, missing=case["missing"])
        again = fl.GroupCounts.from_json(counts.to_json())
        assert (again.table == counts.table).all()
        assert (counts + again).n == 2 * counts.n
    elif case["what"] == "encode":
        encoder = fl.TableEncoder(**reading).fit(X)
        Z = encoder.vectors(X)
        assert np.isfinite(Z).all(), "a vector is not finite"
        encoder.check(encoder.inverse_transform(Z + 0.3))
        assert np.allclose(encoder.vectors(encoder.inverse_transform(Z)), encoder.snap(Z))
    elif case["what"] == "augment":
        policy = "level" if case["missing"] == "exclude" else case["missing"]
        augmenter = fl.HierarchicalAugmenter(
            case["mixing"], cuts=cuts, missing=policy, max_steps=3, random_state=case["seed"], **reading
        )
        more = augmenter.fit(X, y, sensitive_features=S).augment(X, y, sensitive_features=S)
        _check_augmented(X, more)
    else:
        policy = "level" if case["missing"] == "exclude" else case["missing"]
        pipeline = make_pipeline(fl.TableEncoder(**reading), LogisticRegression(max_iter=20))
        model = fl.FairClassifier(pipeline, "equal", cuts=cuts, missing=policy, na=case["na"])
        assert len(model.fit(X, np.asarray(y), sensitive_features=S).predict(X)) == len(X)


def _check_augmented(X: Any, more: fl.Augmented) -> None:
    """Old rows first and as they were; a synthetic text is one of the old ones."""
    old, new = pl.DataFrame(X) if isinstance(X, pl.DataFrame) else None, more.X
    if old is None:
        assert new.head(len(X)).reset_index(drop=True).equals(X.reset_index(drop=True)), "old rows changed"
        return
    assert new.head(old.height).equals(old), "old rows changed"
    for name in old.columns:
        if old.schema[name] == pl.String:
            made = set(new.get_column(name).to_list()) - set(old.get_column(name).to_list())
            assert not made, f"made up {sorted(map(str, made))[:3]}"


def _refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} in JSON")


def run_cli(case: dict[str, Any]) -> str:
    """One case through the command line: exit code 0, 1 or 2, one line where refused, nothing half written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"t.{case['file']}")
        try:
            _write(case["frame"], path)
        except (pl.exceptions.PolarsError, ValueError):
            return "not a file"
        content = path.read_bytes()
        arguments = _arguments(case, path.name)
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "fairlattice", *arguments],
            cwd=folder,
            capture_output=True,
            timeout=120,
            check=False,
        )
        took = time.monotonic() - started
        error = done.stderr.decode(errors="replace")
        told = " ".join(map(repr, arguments))
        assert took < 60, f"{took:.0f} s: {told}"
        assert done.returncode in (0, 2), f"{done.returncode}: {told}: {error[-300:]}"
        assert "Traceback" not in error and "failed:" not in error, f"{told}: {error[-300:]}"
        assert b"\x1b" not in done.stdout and "\x1b" not in error, f"escape codes: {told}"
        assert path.read_bytes() == content, f"the input was changed: {told}"
        left = {p.name for p in Path(folder).iterdir()} - {path.name}
        assert not [name for name in left if name.endswith(".part")], f"{left}: {told}"
        if done.returncode == 2:
            assert error.count("\n") == 1, f"{error}: {told}"
            assert not left, f"refused, but wrote {left}: {told}"
            return f"{arguments[0]} refused"
        for name in left & {"o.json", "c.json"}:
            json.loads(Path(folder, name).read_text(), parse_constant=_refuse)
        return f"{arguments[0]} done"


def _write(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix in (".csv", ".tsv"):
        frame.write_csv(path, separator="," if path.suffix == ".csv" else "\t")
    else:
        {".parquet": frame.write_parquet, ".feather": frame.write_ipc}[path.suffix](path)


def _arguments(case: dict[str, Any], name: str) -> list[str]:
    """The command line of a case."""
    sensitive = list(case["sensitive"])
    if case["cut"]:
        sensitive[0] += ":10,30"
    commands = {"audit": "audit", "audit frame": "audit", "encode": "diagnose", "classify": "compare"}
    command = commands.get(case["what"], "augment")
    arguments = [command, name, f"--label={case['label']}", "--sensitive", *sensitive]
    arguments += {
        "audit": [f"--prediction={case['prediction']}", f"--missing={case['missing']}", "--json", "o.json",
                  "--report", "o.html", "--counts", "c.json"],
        "compare": ["--strategies=none,augment", "--repeats=1", "--folds=2", "--jobs=1", "--json", "o.json"],
        "augment": ["--out", "o.csv", f"--mixing={case['mixing']}", f"--seed={case['seed']}",
                    *(["--stream"] if case["seed"] % 2 else [])],
        "diagnose": ["--permutations=19", "--json", "o.json", "--jobs=1"],
    }[command]  # fmt: skip
    if case["positive"] is not None:
        arguments += [f"--positive={case['positive']}"]
    if case["na"]:
        arguments += ["--na", *case["na"]]
    if case["decimal"]:
        arguments += [f"--decimal={case['decimal']}"]
    return arguments


def main() -> None:
    """Run cases in blocks of 50, each under a seed of its own, and keep the state after every block."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["api", "cli"])
    parser.add_argument("cases", type=int, help="how many to run now")
    parser.add_argument("--state", type=Path, default=Path("fuzz.json"))
    parser.add_argument("--block", type=int, default=50, help="cases of a block")
    arguments = parser.parse_args()
    os.environ["COLUMNS"] = "80"
    states = json.loads(arguments.state.read_text()) if arguments.state.exists() else {}
    state = states.setdefault(arguments.part, {"blocks": 0, "cases": 0, "outcomes": {}, "failures": []})
    run = run_api if arguments.part == "api" else run_cli
    until = state["cases"] + arguments.cases
    while state["cases"] < until:
        _block(run, state, arguments.block)
        part = arguments.state.with_suffix(".part")
        part.write_text(json.dumps(states, indent=1))
        part.replace(arguments.state)
        print(f"{state['cases']:,} cases, {state['outcomes']}, {len(state['failures'])} failures", flush=True)
    for failure in state["failures"][-20:]:
        print(failure)
    raise SystemExit(1 if state["failures"] else 0)


def _block(run: Any, state: dict[str, Any], size: int) -> None:
    outcomes, failures, count = Counter(state["outcomes"]), state["failures"], 0

    @seed(state["blocks"])
    @settings(
        max_examples=size,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def each(case: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        started = time.monotonic()
        try:
            outcome = run(case)
            took = time.monotonic() - started
            assert took < 60, f"{took:.0f} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            outcome = "FAILED"
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = {k: v for k, v in case.items() if k != "frame"}
            schema = {name: str(kind) for name, kind in case["frame"].schema.items()}
            failures.append(
                f"block {state['blocks']}: {type(error).__name__}: {str(error)[:400]} at {Path(where.filename).name}:"
                f"{where.lineno}; {told}; {schema}; {case['frame'].height} rows"
            )
        outcomes[outcome] += 1

    each()
    state["outcomes"] = dict(outcomes)
    state["cases"] += count
    state["blocks"] += 1


if __name__ == "__main__":
    main()
