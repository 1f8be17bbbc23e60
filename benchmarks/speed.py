"""What users wait for, each job as a ratio with its referee in the same run.

python benchmarks/speed.py [--data-dir FOLDER] [--only wide|compare|importance|augment|groups|small|files]

Both sides run in turns, so that other load on the machine affects both alike. A ratio is the median over three turns,
with the least and the greatest; importance has nine turns, and wide, augment and groups, which take long, have one.
Seconds are of processor time, of all threads and of child processes, unless it says wall. Set OMP_NUM_THREADS=1.

wide        600 rows × 5,000 columns: every command over reading and writing the table with polars
compare     Adult: `none`, `none` on ten copies of the rows, and all strategies, each over the classifier fits it
            contains, including those that learn weights or thresholds; then, with boosting, learned weights and
            minimax over `none`
importance  rows of Adult: importance resampling over SMOTE, rates on one thread
augment     two million rows, CSV to CSV, over reading them and writing all rows with polars
groups      audit over ten attributes, 48,000 groups: seconds, and over writing its JSON with the standard library
small       audit of 2,000 rows, and --help: over importing polars and scikit-learn
files       audit of 100 million rows in five Parquet files over the same counts by polars' streaming and DuckDB
"""

import argparse
import json
import math
import os
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from _timing import launched, ratio, say
from audit import NAMES as ATTRIBUTES
from audit import rows_of
from sklearn.linear_model import LogisticRegression

import fairlattice as fl
from fairlattice.datasets import load_adult
from fairlattice.samplers import Cell

TURNS = 3
ADULT = {"label": "income", "sensitive": ["race", "sex"]}


def processor(work):
    """Processor seconds of some work, child processes included, and what it returned."""
    before = _used()
    found = work()
    return _used() - before, found


def _used():
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def in_turns(jobs, turns=TURNS):
    """Processor seconds of every job, a turn of each after the other."""
    turns = [{name: processor(job)[0] for name, job in jobs.items()} for _ in range(turns)]
    return {name: np.array([turn[name] for turn in turns]) for name in jobs}


def report(name, ours, referee, words):
    say(f"  {name}: {np.median(ours):.2f} s, {ratio(ours, referee)} × {words} ({np.median(referee):.2f} s)")


def command(*arguments):
    """A command in a process of its own; its wall seconds and peak memory are printed."""
    cost = launched([sys.executable, "-m", "fairlattice", *map(str, arguments)])
    say(f"    {arguments[0]}: {cost.seconds:.1f} s of wall, {cost.processor:.1f} s, {cost.peak:.2f} GB")


def wide(folder, _):
    rng = np.random.default_rng(0)
    n, columns = 600, 5_000
    X = rng.normal(size=(n, columns)).round(4)
    y, p = ((X[:, 0] + rng.normal(size=n) > 0.3).astype(int) for _ in range(2))
    groups = {"sex": rng.choice(["f", "m"], n, p=[0.3, 0.7]), "race": rng.choice(list("abc"), n)}
    table, out = folder / "wide.csv", folder / "out.csv"
    features = {f"x{j}": X[:, j] for j in range(columns)}
    pl.DataFrame(groups | {"y": y, "p": p} | features).write_csv(table)
    roles = [table, "--label", "y", "--sensitive", "sex", "race"]
    quick = ["--strategies", "none,label", "--folds", 2, "--repeats", 1]
    jobs = {
        "audit": lambda: command("audit", *roles, "--prediction", "p"),
        "augment": lambda: command("augment", *roles, "--out", out),
        "compare": lambda: command("compare", *roles, *quick),
        "diagnose": lambda: command("diagnose", *roles),
        "polars": lambda: pl.read_csv(table, infer_schema_length=None).write_csv(out),
    }
    taken = in_turns(jobs, turns=1)
    for name in ("audit", "augment", "compare", "diagnose"):
        report(name, taken[name], taken["polars"], "reading and writing it with polars")


def adult(data):
    loaded = load_adult(Path(data) / "adult")
    return pl.DataFrame({name: pl.Series(v.tolist()) for name, v in loaded.columns.items()}).drop("fnlwgt")


def compare(_, data):
    small, fitted, fit = adult(data), [], LogisticRegression.fit

    def counted(self, *rows, **weights):
        seconds, model = processor(lambda: fit(self, *rows, **weights))
        fitted.append(seconds)
        return model

    for name, frame, names in (
        ("none", small, ["none"]),
        ("none, the rows ten times", pl.concat([small] * 10), ["none"]),
        ("all strategies", small, None),
    ):
        X, y = frame.drop("income", "race", "sex", "age"), frame["income"]
        S = frame.select("race", "sex", "age")
        options = {"cuts": {"age": [25, 45]}, "positive": ">50K", "folds": 2, "repeats": 1, "n_jobs": 1}
        job = partial(fl.compare, X, y, sensitive_features=S, strategies=names, **options)
        whole, bare = [], []
        for _ in range(TURNS):
            fitted.clear()
            LogisticRegression.fit = counted
            whole.append(processor(job)[0])
            LogisticRegression.fit = fit
            bare.append(sum(fitted))
        report(f"compare, {name}, 2 folds", np.array(whole), np.array(bare), "the classifier's fits within")
    boosting = {
        name: partial(job, strategies=[name], classifier="boosting")
        for name in ("none", "adaptive", "minimax")
    }
    taken = in_turns(boosting)
    for name in ("adaptive", "minimax"):
        report(f"compare, boosting, {name}", taken[name], taken["none"], "`none`")


def importance(_, data):
    frame, made = adult(data), 200_000
    X, y, S = frame.drop("income"), frame["income"], frame.select(ADULT["sensitive"])
    cells = [(("White", "Female"), ">50K"), (("Black", "Male"), "<=50K")]

    def drawing(mixing):
        fitted = fl.HierarchicalAugmenter(mixing, random_state=0, n_jobs=1).fit(X, y, sensitive_features=S)
        codes = [Cell(fitted.lattice_.code(leaf), fitted._label_code(label)) for leaf, label in cells]
        return lambda: [fitted._sampler.draw(cell, made) for cell in codes]

    taken = in_turns({mixing: drawing(mixing) for mixing in ("importance", "smote")}, turns=9)
    rate = {name: len(cells) * made / np.median(seconds) for name, seconds in taken.items()}
    say(f"  importance {rate['importance']:,.0f} rows/s, SMOTE {rate['smote']:,.0f} rows/s")
    say(f"  importance over SMOTE, rates: {ratio(taken['smote'], taken['importance'])}, goal 1")


def augment(folder, _):
    rng, rows = np.random.default_rng(2), 2_000_000
    columns = {"y": rng.integers(0, 2, rows), "a": rng.choice(3, rows, p=[0.1, 0.3, 0.6])}
    columns |= {"b": rng.integers(0, 2, rows)} | {f"x{j}": rng.normal(size=rows).round(4) for j in range(10)}
    table, out, again = (folder / name for name in ("t.csv", "o.csv", "again.csv"))
    pl.DataFrame(columns).write_csv(table)
    roles = ["--label", "y", "--sensitive", "a", "b", "--out", out, "--jobs", 1]
    command("augment", table, *roles)
    result = pl.read_csv(out, infer_schema_length=10_000)

    def polars():
        pl.read_csv(table)
        result.write_csv(again)

    taken = in_turns({"ours": lambda: command("augment", table, *roles), "polars": polars}, turns=1)
    report(f"{rows:,} rows and {result.height - rows:,} synthetic", taken["ours"], taken["polars"], "polars")


def groups(folder, _):
    rng, n, levels = np.random.default_rng(0), 1_000_000, [2, 2, 2, 2, 2, 3, 5, 4, 5, 5]
    columns = {f"a{i}": rng.integers(0, k, n) for i, k in enumerate(levels)}
    y = rng.integers(0, 2, n)
    columns |= {"y": y, "p": np.where(rng.random(n) < 0.2, 1 - y, y)}
    table, out = folder / "g.parquet", folder / "g.json"
    pl.DataFrame(columns).write_parquet(table)
    roles = ["--label", "y", "--prediction", "p", "--sensitive", *(f"a{i}" for i in range(len(levels)))]
    audit = ["audit", table, *roles, "--json", out]
    command(*audit)
    found = json.loads(out.read_text(encoding="utf-8"))
    jobs = {"audit": lambda: command(*audit), "json": lambda: json.dumps(found, indent=2, ensure_ascii=False)}
    taken = in_turns(jobs, turns=1)
    report(f"{math.prod(levels):,} groups", taken["audit"], taken["json"], "writing its JSON with `json`")


def small(folder, _):
    table = folder / "s.parquet"
    pl.DataFrame(rows_of(2_000, 1)).write_parquet(table)
    roles = ["--label", "y", "--prediction", "p", "--sensitive", "b", "c", "a"]
    taken = in_turns(
        {
            "audit": lambda: command("audit", table, *roles),
            "--help": lambda: launched([sys.executable, "-m", "fairlattice", "--help"]),
            "import": lambda: launched([sys.executable, "-c", "import polars, sklearn.linear_model"]),
        }
    )
    for name in ("audit", "--help"):
        report(name, taken[name], taken["import"], "importing polars and scikit-learn")


def files(folder, _):
    import duckdb

    for part in range(5):
        whole = pl.concat([pl.DataFrame(rows_of(10_000_000, 100 + 2 * part + half)) for half in (0, 1)])
        whole.write_parquet(folder / f"part-{part}.parquet", compression="zstd")
    del whole
    columns, roles = ["y", "p", *ATTRIBUTES], ["--label", "y", "--prediction", "p"]
    query = f"select {', '.join(columns)}, count(*) from '{folder}/*.parquet' group by all"
    scan = pl.scan_parquet(folder / "*.parquet").group_by(columns).len()

    def wall(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    jobs = {
        "whole command": lambda: command("audit", folder, *roles, "--sensitive", *ATTRIBUTES),
        "counts": lambda: fl.GroupCounts.from_frame(
            pl.scan_parquet(folder / "*.parquet"), label="y", prediction="p", sensitive=ATTRIBUTES
        ),
        "polars": lambda: scan.collect(engine="streaming"),
        "duckdb": lambda: duckdb.sql(query).fetchall(),
    }
    turns = [{name: wall(job) for name, job in jobs.items()} for _ in range(TURNS)]
    taken = {name: np.array([turn[name] for turn in turns]) for name in jobs}
    faster = min(("polars", "duckdb"), key=lambda name: np.median(taken[name]))
    for name in ("whole command", "counts"):
        report(f"{name}, wall", taken[name], taken[faster], faster)


PARTS = {part.__name__: part for part in (wide, compare, importance, augment, groups, small, files)}
REAL = ("compare", "importance")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("FAIRLATTICE_DATA"))
    parser.add_argument("--only", choices=list(PARTS))
    arguments = parser.parse_args()
    for name, part in PARTS.items():
        if arguments.only not in (None, name):
            continue
        if name in REAL and arguments.data_dir is None:
            say(f"{name}: left out, name the folder of Adult with --data-dir")
            continue
        say(f"{name}:")
        with tempfile.TemporaryDirectory() as folder:
            part(Path(folder), arguments.data_dir)


if __name__ == "__main__":
    main()
