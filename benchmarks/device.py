"""Measure whether a PyTorch device pays: time and memory of the fits that take `device=`, relative to NumPy.

python benchmarks/device.py [--store device.jsonl] [--rows 10000,100000,1000000] [--columns 20,100]
                            [--batch 128,1024] [--repeats 3] [--work mixing,membership]

mixing      `MixingSampler.fit`, scalar, of 16 leaves and two labels, with `--batch` rows looked at in each cell
membership  the membership model of one label: learned from 200 rows of each leaf, and all rows scored

Each fit runs in NumPy, on PyTorch's CPU device and, if there is one, on a card; one after the other, each in a new
process. Seconds are the median of the repeats, after a first run that warms up the device. Memory is the peak of
the process beyond the table, and what PyTorch holds on the card. `figure` is the loss at the end, or the mean
probability of a row's own leaf: it should not depend on the device.

Each measurement is stored as one line. You can stop the script at any time; the next run continues from there. Times
on a shared machine are noisy: look at ratios.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from _timing import say
from generators import index_of, table

from fairlattice.samplers import MixingSampler
from fairlattice.samplers._membership import MembershipModel, thinned

NUMPY = "numpy"


def mixing(X, S, y, batch, where):
    index = index_of(S, y)

    def work():
        sampler = MixingSampler.fit(X, index, entropy=(0,), batch_size=batch, device=where)
        return sum(float(fit.curve[-1]) for fit in sampler.parameters.values())

    return work


def membership(X, S, y, batch, where):  # noqa: ARG001 - one signature
    index = index_of(S, y)
    rows = np.flatnonzero(index.labels == 0)
    lattice, X = index.lattice, X[rows]
    leaves, leaf, sizes = np.unique(index.leaves[rows], return_inverse=True, return_counts=True)
    digits, thin = np.array(lattice.digits(leaves)), thinned(leaf, np.random.default_rng(0))

    def work():
        model = MembershipModel.fit(X, digits[:, leaf], thin, levels=lattice.shape, device=where)
        scores = model.scores(X).at(thin).of(digits) + np.log(sizes)
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return float(chances[np.arange(len(thin)), leaf[thin]].mean())

    return work


WORK = {work.__name__: work for work in (mixing, membership)}


def peak():
    """Return the peak memory of this process in GB, since the peak was last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e9


def measure(work, rows, columns, batch, where, repeats):
    """Measure one case and print it as one line of the store; run in a new process."""
    job = WORK[work](*table(rows, columns), batch, None if where == NUMPY else where)
    cuda = None
    if where != NUMPY:
        import torch

        cuda = torch.cuda if where.startswith("cuda") else None
        torch.zeros(1, device=where)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before, seconds = peak(), []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        figure = job()
        seconds.append(time.perf_counter() - start)
    print(
        json.dumps(
            {
                "work": work,
                "rows": rows,
                "columns": columns,
                "batch": batch,
                "where": where,
                "seconds": float(np.median(seconds[1:])),
                "first": seconds[0],
                "memory": peak() - before,
                "card": cuda.max_memory_allocated() / 1e9 if cuda else None,
                "name": cuda.get_device_name() if cuda else f"{os.cpu_count()} processors",
                "figure": figure,
            }
        )
    )


def devices():
    try:
        import torch
    except ImportError:
        return [NUMPY]
    return [NUMPY, "cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def key(found):
    return tuple(found[name] for name in ("work", "rows", "columns", "batch", "where"))


def stored(path):
    return (
        {key(found): found for found in map(json.loads, path.read_text().splitlines())}
        if path.exists()
        else {}
    )


def show(found):
    base = found[NUMPY]
    parts = []
    for where, one in found.items():
        card = "" if one["card"] is None else f", card {one['card']:.2f} GB"
        gain = "" if where == NUMPY else f", {base['seconds'] / one['seconds']:.2f} times as fast"
        parts.append(
            f"{where} {one['seconds']:.3f} s +{one['memory']:.2f} GB{card}{gain} ({one['figure']:.6f})"
        )
    say("  " + "; ".join(parts))


def numbers(text):
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, default=Path("device.jsonl"))
    parser.add_argument("--rows", type=numbers, default=[10**4, 10**5, 10**6])
    parser.add_argument("--columns", type=numbers, default=[20, 100])
    parser.add_argument("--batch", type=numbers, default=[128, 1024])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", type=lambda text: text.split(","), default=list(WORK))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measure(*json.loads(arguments.one), arguments.repeats)
        return
    kept, names = stored(arguments.store), devices()
    if "cuda" not in names:
        say("no graphics card")
    for work in arguments.work:
        for columns in arguments.columns:
            for rows in arguments.rows:
                for batch in arguments.batch if work == "mixing" else [0]:
                    looked = f", {batch:,} rows of a cell" if batch else ""
                    say(f"{work}, {rows:,} rows × {columns} columns{looked}:")
                    found = {}
                    for where in names:
                        case = (work, rows, columns, batch, where)
                        if case not in kept:
                            command = [sys.executable, __file__, "--repeats", str(arguments.repeats)]
                            command += ["--one", json.dumps(case)]
                            line = subprocess.run(
                                command, stdout=subprocess.PIPE, check=True, text=True
                            ).stdout
                            with arguments.store.open("a") as store:
                                store.write(line)
                            kept[case] = json.loads(line)
                        found[where] = kept[case]
                    show(found)


if __name__ == "__main__":
    main()
