"""Whose made rows are most like real rows of a tiny cell? A cell's rows are cut to n, the rest judges.

    python benchmarks/quality.py --data-dir FOLDER [--quick] [--ablations] [--seeds 1] [--out FILE]

Cells with many rows are taken from ACS income, ACS coverage and Adult. A training table of 6,000 rows keeps
all other cells at their true sizes, and n rows of these; 400 rows are made of each cell, by every
recipe, and held against up to 400 of its rows that nobody saw. Every made row is a valid row of the table,
since all are rounded to one. Figures are means over cells and seeds, ± standard errors; so are paired
differences to `augment`. Results are kept per task in --cache, so that
it resumes. Tables that are not in the folder are passed over.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from threadpoolctl import threadpool_limits

import fairlattice as fl
from fairlattice.diagnostics import associations, classifier_test, memory
from fairlattice.divergences import RBFMixture, median_bandwidths, mmd2
from fairlattice.encoders import TableEncoder
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice
from fairlattice.samplers import Cell, CellIndex, ImportanceSampler
from fairlattice.strategies import STRATEGIES, TrainingTable
from fairlattice.strategies._shared import Vectors

DATA = ("acs_income", "acs_coverage", "adult")
SIZES = (3, 5, 10, 20, 50, 100, 300)
ROWS, LEAVES, MADE, JUDGES = 6_000, 3, 400, 400
LOOKED, SEARCHED = 200, 50  # rows of each side that classifiers see, and of which copies are looked for
OURS = "augment"
OTHERS = ("smote", "parents", "paper", "bootstrap")
ABLATIONS = {
    "copies kept": {"max_copies": 1.0},
    "no copies": {"max_copies": 0.0},
    "no model": {"spread": 1e-9},
    "spread 1/4": {"spread": 0.25},
    "spread 4": {"spread": 4.0},
}
FIGURES = {
    "mmd": "MMD² × 1000 (unbiased; 0 is best)",
    "accuracy": "accuracy of a cross-validated logistic classifier, made against real (0.5 is best)",
    "neighbours": "area under the curve of nearest neighbours, made against real (0.5 is best)",
    "copies": "share of exact and near copies of training rows, less that among real rows (0 is best)",
    "associations": "mean absolute error of correlations, Cramér's V and correlation ratios (0 is best)",
}


class Table:
    """A data set's rows, leaves and truth, and which leaves have many rows of both labels."""

    def __init__(self, name, folder):
        import polars as pl

        data = fl.datasets.load_dataset(name, folder)
        columns = data.columns
        self.X = pl.DataFrame({c: columns[c] for c in data.features}, strict=False)
        sensitive = {c: columns[c] for c in data.sensitive}
        self.lattice = GroupLattice.from_features(sensitive, cuts=data.cuts)
        self.leaves = self.lattice.encode(sensitive)
        self.truth = (columns[data.label] == data.positive).astype(int)

    def chosen(self, n, rng):
        """Leaves of many rows, of which no two share a parent: to cut one does not cut another's parents."""
        counts = np.bincount(self.leaves * 2 + self.truth, minlength=2 * self.lattice.n_leaves)
        large = np.flatnonzero(counts.reshape(-1, 2).min(axis=1) >= n + JUDGES // 2)
        digits = np.array(self.lattice.digits(np.arange(self.lattice.n_leaves)))
        found = []
        for leaf in rng.permutation(large).tolist():
            if all((digits[:, leaf] != digits[:, other]).sum() > 1 for other in found):
                found.append(leaf)
        return found[:LEAVES]

    def cut(self, n, rng):
        """Training rows with n of each chosen cell, and the rows that judge these."""
        order = rng.permutation(len(self.truth))
        chosen = self.chosen(n, rng)
        train, judges = [order[:ROWS][~np.isin(self.leaves[order[:ROWS]], chosen)]], {}
        for leaf in chosen:
            for label in (0, 1):
                rows = order[(self.leaves[order] == leaf) & (self.truth[order] == label)]
                train.append(rows[:n])
                judges[Cell(leaf, label)] = rows[n : n + JUDGES]
        return np.sort(np.concatenate(train)), judges


def made_by(train, encoder, seed, cells, ablations):
    """Rows of every recipe, and the seconds that each took."""
    wanted = dict.fromkeys(cells, MADE)
    blocks = [s for c, s in encoder.slices_.items() if not hasattr(encoder.codecs_[c], "scale")]
    made, seconds = {}, {}

    def timed(name, make):
        start = time.perf_counter()
        made[name] = {cell: encoder.snap(Z) for cell, Z in make().items()}
        seconds[name] = time.perf_counter() - start

    def resampled(**options):
        sampler = ImportanceSampler.fit(
            train.features.Z, train.index, entropy=(seed,), blocks=blocks, **{"snap": encoder.snap, **options}
        )
        return {cell: sampler.draw(cell, MADE)[0] for cell in cells}

    def bootstrap():
        rng = np.random.default_rng(seed)
        return {cell: train.features.Z[rng.choice(train.index.rows(cell), MADE)] for cell in cells}

    timed(OURS, resampled)
    for name in ("smote", "parents", "paper"):
        timed(name, lambda name=name: STRATEGIES[name].rows.draw(train, wanted))
    timed("bootstrap", bootstrap)
    for name, options in ABLATIONS.items() if ablations else ():
        timed(name, lambda options=options: resampled(**options))
    return made, seconds


def judged(Z, real, train, encoder, kernel):
    """Figures of one recipe's rows of one cell; `Z` and `real` come in random order."""
    m = min(LOOKED, len(Z), len(real))
    both, kind = np.vstack([Z[:m], real[:m]]), np.repeat([0, 1], m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        accuracy = cross_val_score(LogisticRegression(C=0.1, max_iter=30), both, kind, cv=folds).mean()
    test = classifier_test(real[:m], Z[:m], permutations=1, rng=np.random.default_rng(0))
    memo = memory(train.features.Z, Z[:SEARCHED], real[:SEARCHED])
    off = associations(encoder.inverse_transform(real[:LOOKED]), encoder.inverse_transform(Z[:LOOKED]))
    return {
        "mmd": 1000 * mmd2(Z[:JUDGES], real, kernel, unbiased=True),
        "accuracy": float(accuracy),
        "neighbours": test["neighbours"].auc,
        "copies": (memo.exact + memo.near - memo.exact_expected - memo.near_expected) / SEARCHED,
        "associations": off.mean if off else 0.0,
    }


def one_task(table, n, seed, ablations):
    """Figures of every recipe and cell, for one training table."""
    rng = np.random.default_rng([seed, n])
    rows, judges = table.cut(n, rng)
    if not judges:
        return []
    encoder = TableEncoder()
    Z = encoder.fit_transform(table.X[rows])
    index = CellIndex(table.lattice, table.leaves[rows], table.truth[rows], 2)
    train = TrainingTable(
        None, index, np.arange(2), None, (seed,), per_cell=MADE, encoded=Vectors(encoder, Z)
    )
    kernel = RBFMixture(median_bandwidths(Z, rng=np.random.default_rng(0)))
    made, seconds = made_by(train, encoder, seed, list(judges), ablations)
    found = []
    for cell, own in judges.items():
        real = encoder.transform(table.X[own])
        for name, by_cell in made.items():
            Z_made = rng.permutation(by_cell[cell])
            figures = judged(Z_made, real, train, encoder, kernel)
            found.append({"cell": list(cell), "recipe": name, "seconds": seconds[name], **figures})
    return found


def estimate(values):
    """Mean and standard error."""
    values = np.asarray(values, dtype=float)
    return values.mean(), (values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan)


def told(by_size, recipes, figure):
    """A table: recipes by sizes, and below ours each other's paired difference to it."""
    lines = [
        ["", *(f"n = {n}" for n in by_size)],
        ["---"] * (1 + len(by_size)),
    ]
    for name in recipes:
        shown = []
        for rows in by_size.values():
            own = [r[figure] for r in rows if r["recipe"] == name]
            ours = [r[figure] for r in rows if r["recipe"] == OURS]
            digits = 1 if figure == "mmd" else 3
            mean, error = estimate(own)
            text = f"{mean:.{digits}f} ± {error:.{digits}f}"
            if name != OURS:
                gap, error = estimate(np.subtract(own, ours))
                text += f" ({gap:+.{digits}f} ± {error:.{digits}f})"
            shown.append(text)
        lines.append([name, *shown])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def report(results, recipes):
    """All tables, for each data set."""
    parts = []
    for name, by_size in results.items():
        n_cells = {n: len({(r["seed"], *r["cell"]) for r in rows}) for n, rows in by_size.items()}
        counts = ", ".join(f"{c} at n = {n}" for n, c in n_cells.items())
        parts.append(f"## {name}\n\nCells times seeds: {counts}.")
        for figure, about in FIGURES.items():
            parts.append(f"{about}; in brackets the paired difference to {OURS}:")
            parts.append(told(by_size, recipes, figure))
        every = [r for rows in by_size.values() for r in rows]
        spent = [
            f"{name} {np.median([r['seconds'] for r in every if r['recipe'] == name]):.2f}"
            for name in recipes
        ]
        parts.append(f"Median seconds to make the rows of a table: {', '.join(spent)}.")
    return "\n\n".join(parts) + "\n"


def kept(cache, name, n, seed, ablations, find):
    """What a task found, from the cache if it is there."""
    path = cache / f"{name}-{n}-{seed}{'-ablations' if ablations else ''}.json"
    if not path.exists():
        path.with_suffix(".part").write_text(json.dumps(find()))
        path.with_suffix(".part").rename(path)
    print(f"{name}, n = {n}, seed {seed}", flush=True)
    return [{"seed": seed, **r} for r in json.loads(path.read_text())]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("FAIRLATTICE_DATA"))
    parser.add_argument("--data", default=",".join(DATA), help="comma-separated names of data sets")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="comma-separated training rows")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="Adult, n = 5 and 50, one seed")
    parser.add_argument("--ablations", action="store_true", help="also variants of ours")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("quality"))
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    if arguments.data_dir is None:
        print("Nothing was done: name the folder of the tables with --data-dir or FAIRLATTICE_DATA.")
        return
    names, sizes, seeds = arguments.data.split(","), arguments.sizes.split(","), range(arguments.seeds)
    if arguments.quick:
        names, sizes, seeds = ["adult"], ["5", "50"], range(1)
    arguments.cache.mkdir(exist_ok=True, parents=True)
    recipes = [OURS, *OTHERS, *(ABLATIONS if arguments.ablations else ())]
    results = {}
    for name in names:
        try:
            table = Table(name, Path(arguments.data_dir))
        except InputError as error:
            print(f"{name} is passed over: {error}")
            continue
        tasks = [(int(n), seed) for n in sizes for seed in seeds]
        found = Parallel(n_jobs=arguments.jobs)(
            delayed(task)(arguments.cache, name, table, n, seed, arguments.ablations) for n, seed in tasks
        )
        by_size = {int(n): [] for n in sizes}
        for (n, _), rows in zip(tasks, found, strict=True):
            by_size[n] += rows
        results[name] = {n: rows for n, rows in by_size.items() if rows}
    text = report(results, recipes)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text, encoding="utf-8")


def task(cache, name, table, n, seed, ablations):
    with threadpool_limits(limits=1):
        return kept(cache, name, n, seed, ablations, lambda: one_task(table, n, seed, ablations))


if __name__ == "__main__":
    main()
