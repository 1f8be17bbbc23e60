"""What making rows costs: mixed vectors, table rows, whole files; and an index of a million rows.

python benchmarks/rows.py [--rows 2_000_000] [--stream 1_000_000] [--only draw|table|stream|scale]

Rows are drawn with fixed seeds, 120,000 training rows of 53 numeric columns, three levels per attribute.
What is compared is timed in turns in this process, five times after a warm-up. Rates are of median seconds;
a ratio is the median over the turns, with the least and the greatest beside it.

draw    MixingSampler.draw in single precision, scalar mixing, p = 3 and 4 parents, a thread per processor,
        and imbalanced-learn's SMOTE, which raises a minority of 8,000 rows, without its search for neighbours
        where that can be told apart
table   HierarchicalAugmenter.batches: the same vectors decoded as rows of a polars frame, with their origin
stream  `fairlattice augment --stream` from Parquet to Parquet in a process of its own: rows/s, peak memory
scale   CellIndex and MixingSampler.fit, 10^5 and 10^6 rows, six attributes (729 leaves) × 2 labels: seconds,
        and how often as long; memory that is kept beyond the input, per row
"""

import argparse
import json
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
from _timing import in_turns, launched, ratio, say
from imblearn.over_sampling import SMOTE
from sklearn.neighbors import NearestNeighbors

import fairlattice as fl
from fairlattice.samplers import Cell, CellIndex, MixingSampler

TRAINING, WIDTH, SPARE = 120_000, 53, 8_000
LIMIT = 5_000_000


def groups(n, p, rng):
    """Attributes of three levels each."""
    return {f"a{i}": rng.integers(0, 3, n) for i in range(p)}


def index_of(n, p, rng):
    features, labels = groups(n, p, rng), rng.integers(0, 2, n)
    lattice = fl.GroupLattice.from_features(features)
    return CellIndex(lattice, lattice.encode(features), labels, 2)


def draw(rows):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(TRAINING, WIDTH))
    made = min(rows, 300_000)
    few = Z[:SPARE].astype(np.float32)
    stacked = np.concatenate([np.zeros((SPARE + made, WIDTH), np.float32), few])
    y = np.repeat([0, 1], [SPARE + made, SPARE])

    def smote():
        if len(SMOTE(random_state=0).fit_resample(stacked, y)[0]) != len(stacked) + made:
            raise SystemExit("SMOTE made another number of rows")

    search = NearestNeighbors(n_neighbors=6).fit(few)
    for p in (3, 4):
        sampler = MixingSampler.fit(Z, index_of(TRAINING, p, rng), entropy=(0,))
        jobs = {
            "one thread": lambda s=sampler: s.draw(Cell(5, 1), rows, dtype=np.float32, n_jobs=1),
            "ours": lambda s=sampler: s.draw(Cell(5, 1), rows, dtype=np.float32, n_jobs=-1),
            "double": lambda s=sampler: s.draw(Cell(5, 1), rows, n_jobs=-1),
            "smote": smote,
            "search": lambda: search.kneighbors(few),
        }
        taken = in_turns(jobs)
        before = time.process_time()
        sampler.draw(Cell(5, 1), rows, dtype=np.float32, n_jobs=-1)
        processor = rows / (time.process_time() - before)
        rate = {name: rows / np.median(taken[name]) for name in ("one thread", "ours", "double")}
        their = made / np.median(taken["smote"])
        alone = made / max(np.median(taken["smote"] - taken["search"]), 1e-9)
        say(f"draw, p = {p}, {WIDTH} columns, {TRAINING:,} training rows, {rows:,} made:")
        say(f"  ours, single precision: {rate['ours']:,.0f} rows/s, limit {LIMIT:,}")
        say(f"  per second of processor time {processor:,.0f} rows, which leaves out what else runs here")
        say(
            f"  on one thread {rate['one thread']:,.0f} rows/s; double precision {rate['double']:,.0f} rows/s"
        )
        say(f"  SMOTE, {made:,} made: {their:,.0f} rows/s; without its search {alone:,.0f} rows/s")
        say(f"  ours over SMOTE: {ratio(taken['smote'] / made, taken['ours'] / rows)}")


def table(rows):
    rng = np.random.default_rng(1)
    X = pl.DataFrame(rng.normal(size=(TRAINING, WIDTH)).astype(np.float32))
    augmenter = fl.HierarchicalAugmenter(random_state=0, n_jobs=-1)
    augmenter.fit(X, rng.integers(0, 2, TRAINING), sensitive_features=groups(TRAINING, 3, rng))
    wanted = {(augmenter.lattice_.leaf(5), 1): rows}
    taken = in_turns({"ours": lambda: sum(len(batch.y) for batch in augmenter.batches(wanted))})
    say(f"table, p = 3, {WIDTH} columns of a polars frame, {rows:,} made in batches:")
    say(f"  {rows / np.median(taken['ours']):,.0f} rows/s")


def stream(rows):
    with tempfile.TemporaryDirectory() as target:
        source, out, told = (Path(target) / name for name in ("t.parquet", "o.parquet", "o.json"))
        rng = np.random.default_rng(2)
        columns = {"y": rng.integers(0, 2, rows), "a": rng.choice(3, rows, p=[0.1, 0.3, 0.6])}
        columns |= {"b": rng.integers(0, 2, rows)} | {f"x{j}": rng.normal(size=rows) for j in range(10)}
        pl.DataFrame(columns).write_parquet(source, row_group_size=100_000)
        command = [sys.executable, "-m", "fairlattice", "augment", str(source), "--label", "y", "--stream"]
        command += ["--sensitive", "a", "b", "--out", str(out), "--json", str(told)]
        cost = launched(command)
        made = sum(cell["synthetic"] for cell in json.loads(told.read_text(encoding="utf-8"))["cells"])
    say(f"stream, {rows:,} rows of 13 columns, and {made:,} made, from Parquet to Parquet:")
    say(f"  {cost.seconds:.1f} s, start and fit included: {(rows + made) / cost.seconds:,.0f} rows/s")
    say(f"  peak memory of its process: {cost.peak:.2f} GB")


def scale():
    taken = {}
    for n in (100_000, 1_000_000):
        rng = np.random.default_rng(3)
        features, labels = groups(n, 6, rng), rng.integers(0, 2, n)
        lattice = fl.GroupLattice.from_features(features)
        leaves, Z = lattice.encode(features), rng.normal(size=(n, 20))
        index = CellIndex(lattice, leaves, labels, 2)
        times = in_turns(
            {
                "index": lambda v=(lattice, leaves, labels): CellIndex(*v, 2),
                "fit": lambda v=(Z, index): MixingSampler.fit(*v, entropy=(0,)),
                "cells": lambda i=index: [i.parents(cell) for cell, _ in i.cells()],
            }
        )
        tracemalloc.start()
        kept = CellIndex(lattice, leaves, labels, 2)
        sampler = MixingSampler.fit(Z, kept, entropy=(0,))
        size, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        if sampler.index is not kept:
            raise SystemExit("another index was kept")
        taken[n] = times
        say(f"scale, {n:,} rows, {lattice.n_leaves} leaves × 2 labels:")
        for name, seconds in times.items():
            say(f"  {name:5} {np.median(seconds):.3f} s")
        say(f"  memory beyond the input {size / n:.0f} bytes per row, {peak / n:.0f} at the peak")
    few, many = taken.values()
    for name in few:
        say(f"  {name:5} 10^6 over 10^5: {ratio(many[name], few[name])}, linear is 10")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows to make, for draw and table")
    parser.add_argument("--stream", type=int, default=1_000_000, help="rows of the table for stream")
    parser.add_argument("--only", choices=("draw", "table", "stream", "scale"))
    arguments = parser.parse_args()
    if min(arguments.rows, arguments.stream) < 1000:
        parser.error("at least 1,000 --rows and --stream rows are needed")
    parts = {
        "draw": lambda: draw(arguments.rows),
        "table": lambda: table(arguments.rows),
        "stream": lambda: stream(arguments.stream),
        "scale": scale,
    }
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


if __name__ == "__main__":
    main()
