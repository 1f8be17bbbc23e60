"""What an audit costs beside bare counting, beside fairlearn, at any number of rows, and from files.

python benchmarks/audit.py [--rows 10_000_000] [--stream 500_000_000] [--only groupby|fairlearn|scale|stream]

Rows are drawn with fixed seeds; four attributes span 2 × 5 × 3 × 4 = 120 groups. What is compared is timed
in turns in this process, five times after a warm-up. Seconds are medians; a ratio is the median over the
turns of one time over the other's in the same turn, with the least and the greatest beside it.

groupby    the whole audit over polars' own count of the same columns
fairlearn  a tenth of the rows: fairlearn's MetricFrame over the whole audit with its 95 % intervals
scale      all measures on counts of 10^8 rows over the same on counts of 10^4
stream     `fairlattice audit` on a folder of Parquet, in a process of its own: seconds and peak memory.
           The files were just written, so they may be read from the page cache. TMPDIR says where.
"""

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from _timing import gigabytes, in_turns, launched, ratio, say

import fairlattice as fl

LEVELS = {"a": 2, "b": 5, "c": 3, "d": 4}
NAMES = list(LEVELS)
GROUPS = int(np.prod(list(LEVELS.values())))
RATES = ("tpr", "tnr", "accuracy", "selection_rate")
PART = 10_000_000
BYTES_PER_ROW = 4  # at most, in a part; it is nearer 1
REPLICATES = 1000
FEW = 2


def chances():
    """Per group: its share of the rows, P(label 1), and P(prediction 1) given either label."""
    rng = np.random.default_rng(0)
    share = rng.dirichlet(np.full(GROUPS, 5.0))
    return share, rng.uniform(0.2, 0.6, GROUPS), rng.uniform((0.05, 0.6), (0.3, 0.95), (GROUPS, 2))


def rows_of(n, seed):
    """Columns y, p, a, b, c, d of n rows, in the smallest integers."""
    share, positive, predicted = chances()
    rng = np.random.default_rng(seed)
    codes = rng.choice(GROUPS, size=n, p=share).astype(np.uint8)
    y = rng.random(n, dtype=np.float32) < positive.astype(np.float32)[codes]
    given = predicted.astype(np.float32).ravel()[codes.astype(np.uint16) * 2 + y]
    columns = {"y": y.astype(np.int8), "p": (rng.random(n, dtype=np.float32) < given).astype(np.int8)}
    levels = np.unravel_index(np.arange(GROUPS), tuple(LEVELS.values()))
    return columns | {name: place.astype(np.int8)[codes] for name, place in zip(NAMES, levels, strict=True)}


def count(frame):
    return fl.GroupCounts.from_frame(frame, label="y", prediction="p", sensitive=NAMES)


def measures(counts):
    """Every rate of every group with its interval, and every disparity with its bounds."""
    a = fl.audit(counts)
    found = []
    for rate in RATES:
        found += [a.by_group(rate), a.worst(rate), a.best(rate)]
        found += [a.disparity(rate, kind=kind) for kind in ("df", "if")]
    return [*found, *(a.disparity("equalized_odds", kind=kind) for kind in ("df", "if"))]


def rates_only(counts):
    """What fairlearn's MetricFrame tells, every rate of every group, with intervals beside."""
    a = fl.audit(counts)
    return [a.by_group(rate) for rate in RATES]


def own_memory():
    peak = gigabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    say(f"  peak memory of this process so far: {peak:.2f} GB")


def groupby(rows):
    small = pl.DataFrame(rows_of(rows, seed=1))
    for dtype in (pl.Int8, pl.Int64):
        say(f"groupby, {rows:,} rows, {dtype} columns:")
        groupby_of(small.cast(dtype))
    own_memory()


def groupby_of(frame):
    columns = ["y", "p", *NAMES]
    counting, measuring = [], []

    def whole():
        start = time.perf_counter()
        counts = count(frame)
        counted = time.perf_counter()
        measures(counts)
        counting.append(counted - start)
        measuring.append(time.perf_counter() - counted)

    taken = in_turns(
        {
            "eager": lambda: frame.group_by(columns).len(),
            "lazy": lambda: frame.lazy().group_by(columns).len().collect(),
            "streaming": lambda: frame.lazy().group_by(columns).len().collect(engine="streaming"),
            "audit": whole,
        }
    )
    whole_time, count_time, measure_time = (
        np.median(seconds) for seconds in (taken["audit"], counting[1:], measuring[1:])
    )
    say(f"  audit {whole_time:.4f} s: counting {count_time:.4f} s, measures {measure_time:.4f} s")
    for name in ("eager", "lazy", "streaming"):
        bare = taken[name]
        over = ratio(taken["audit"], bare)
        say(f"  over bare group_by, {name:9} ({np.median(bare):.4f} s): {over}, limit 1.5")


def fairlearn(rows):
    from fairlearn.metrics import MetricFrame, selection_rate, true_negative_rate, true_positive_rate
    from sklearn.metrics import accuracy_score

    frame = pl.DataFrame(rows_of(rows, seed=2))
    y, p, sensitive = frame["y"].to_numpy(), frame["p"].to_numpy(), frame.select(NAMES).to_pandas()
    functions = {
        "tpr": true_positive_rate,
        "tnr": true_negative_rate,
        "accuracy": accuracy_score,
        "selection_rate": selection_rate,
    }

    def theirs(**options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return MetricFrame(metrics=functions, y_true=y, y_pred=p, sensitive_features=sensitive, **options)

    check_same(theirs(), fl.audit(count(frame)))
    taken = in_turns(
        {
            "ours": lambda: measures(count(frame)),
            "rates": lambda: rates_only(count(frame)),
            "theirs": theirs,
            "bootstrap": lambda: theirs(n_boot=FEW, ci_quantiles=[0.025, 0.975], random_state=0),
        }
    )
    ours, rates, plain, few = (taken[name] for name in ("ours", "rates", "theirs", "bootstrap"))
    scaled = plain + (few - plain) / FEW * REPLICATES
    say(f"fairlearn, {rows:,} rows:")
    say(f"  audit with 95 % intervals, DF, IF and their posteriors {np.median(ours):.4f} s")
    say(f"  rates with 95 % intervals only {np.median(rates):.4f} s")
    say(f"  MetricFrame without intervals {np.median(plain):.2f} s")
    say(f"  over the audit: {ratio(plain, ours)}, limit 200; over the rates: {ratio(plain, rates)}")
    say(f"  MetricFrame with {FEW} replicates {np.median(few):.2f} s")
    say(f"  scaled, not measured, to {REPLICATES:,} replicates: {np.median(scaled):,.0f} s")
    say(f"  over the audit: {ratio(scaled, ours)}, limit 10,000")
    own_memory()


def check_same(theirs, ours):
    """Both found the same rates, so it is the same work that is timed."""
    for rate in RATES:
        found = {tuple(g.group.values()): g.rate for g in ours.by_group(rate) if g.rate is not None}
        expected = theirs.by_group[rate].to_dict()
        if any(abs(expected[group] - value) > 1e-9 for group, value in found.items()):
            raise SystemExit(f"fairlearn and fairlattice differ on {rate}")


def counts_of(rows):
    """Counts whose integer table adds up to so many rows, each group as likely as in the drawn rows."""
    levels = np.unravel_index(np.arange(GROUPS), tuple(LEVELS.values()))
    lattice = fl.GroupLattice.from_features(dict(zip(NAMES, levels, strict=True)))
    share, positive, predicted = chances()
    label = np.stack([1 - positive, positive], axis=1)
    cell = (share[:, None] * label)[:, :, None] * np.stack([1 - predicted, predicted], axis=2)
    table = np.random.default_rng(3).multinomial(rows, cell.ravel() / cell.sum())
    codes, truth, given = (place.ravel() for place in np.indices(cell.shape))
    counts = fl.GroupCounts.from_codes(lattice, (0, 1), codes, truth, given, rows=table)
    if counts.n != rows:
        raise SystemExit(f"{counts.n:,} rows were counted, not {rows:,}")
    return counts


def scale():
    few, many = counts_of(10**4), counts_of(10**8)
    taken = in_turns({"few": lambda: measures(few), "many": lambda: measures(many)})
    say(f"scale, {GROUPS} groups, all measures with 95 % intervals:")
    say(f"  10^4 rows {np.median(taken['few']):.4f} s, 10^8 rows {np.median(taken['many']):.4f} s")
    say(f"  10^8 over 10^4: {ratio(taken['many'], taken['few'])}")
    own_memory()


def stream(rows):
    with tempfile.TemporaryDirectory() as target:
        free, needed = shutil.disk_usage(target).free, rows * BYTES_PER_ROW + 10**9
        if free < needed:
            raise SystemExit(
                f"stream needs {needed / 1e9:.1f} GB of disk in {target}, {free / 1e9:.1f} GB are free. "
                "Set TMPDIR to a larger disk, or lower --stream."
            )
        folder, out = Path(target) / "parts", Path(target) / "audit.json"
        folder.mkdir()
        start = time.perf_counter()
        for part, first in enumerate(range(0, rows, PART)):
            columns = rows_of(min(PART, rows - first), seed=100 + part)
            pl.DataFrame(columns).write_parquet(folder / f"part-{part:04}.parquet", compression="zstd")
        files = list(folder.iterdir())
        size = sum(file.stat().st_size for file in files) / 1e6
        say(f"stream, {rows:,} rows in {len(files)} files, {size:,.0f} MB of Parquet:")
        say(f"  written in {time.perf_counter() - start:.0f} s")
        command = [sys.executable, "-m", "fairlattice", "audit", str(folder), "--label", "y"]
        command += ["--prediction", "p", "--sensitive", *NAMES, "--json", str(out)]
        cost = launched(command)
        n = json.loads(out.read_text(encoding="utf-8"))["n"]
    if n != rows:
        raise SystemExit(f"{n:,} rows were audited, not {rows:,}")
    say(f"  `fairlattice audit FOLDER`: {cost.seconds:.1f} s ({cost.processor:.1f} s of processor time)")
    say(f"  peak memory of its process: {cost.peak:.2f} GB, limit 1.5")
    own_memory()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="for groupby; a tenth for fairlearn")
    parser.add_argument("--stream", type=int, default=500_000_000, help="rows for stream")
    parser.add_argument("--only", choices=("groupby", "fairlearn", "scale", "stream"))
    arguments = parser.parse_args()
    if arguments.rows < 10 * GROUPS or arguments.stream < GROUPS:
        parser.error(f"at least {10 * GROUPS:,} --rows and {GROUPS} --stream rows are needed")
    parts = {
        "groupby": lambda: groupby(arguments.rows),
        "fairlearn": lambda: fairlearn(arguments.rows // 10),
        "scale": scale,
        "stream": lambda: stream(arguments.stream),
    }
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


if __name__ == "__main__":
    main()
