"""Does a comparison tell what is true, and does it recommend well?

python benchmarks/decision.py run  --data-dir FOLDER --store FILE.jsonl [--datasets A,B] [--sizes 2000,6000]
                                   [--seeds 20] [--classifiers logistic,boosting] [--strategies A,B]
                                   [--jobs 2] [--plugin FILE.py]
python benchmarks/decision.py show --store FILE.jsonl [--jobs 2] [--plugin FILE.py]

A sample of a table is compared as a user would; each strategy is then trained on the whole sample and tested on up
to 100,000 other rows, which is the truth. Figures are IF½ of equalized odds, over the groups with at least 100 test
rows of a label, and over all groups. The truth of a level is that of one trained model; regret is the true IF of what
was recommended less the least true IF. The plug-in figure is a mean of extremes as counted.

FILE holds predictions, and `show` computes every figure from them, so that a changed estimator is measured without
another fit. What is in FILE is not run again. Any data set of `fairlattice.datasets` can be named, and those of a
plugin; two more are made here. `best_none` is a table on which doing nothing is best: equal groups, and strategies
that only cost. `coverage_fine` is the census task with some 200 leaves.
"""

import argparse
import base64
import dataclasses
import itertools
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

import fairlattice as fl
from fairlattice.benchmark import Plugins
from fairlattice.benchmark._classifiers import make_classifier
from fairlattice.benchmark._decision import Limits, recommend
from fairlattice.benchmark._group_draws import People, draw_rate
from fairlattice.benchmark._posterior import Posterior, figures_of, sure_signs
from fairlattice.benchmark._table import Table
from fairlattice.datasets import Dataset, load_dataset
from fairlattice.groups import Attribute, GroupLattice
from fairlattice.samplers import CellIndex
from fairlattice.samplers._shared import take_rows
from fairlattice.strategies import TrainingTable
from fairlattice.strategies._shared import Vectors, default_for, strategy_of

DATASETS = ("acs_coverage", "acs_income", "adult", "default_credit")
STRATEGIES = ("none", "label", "equal", "adaptive", "borrow", "smote", "tuned", "minimax")
FIXED = ("borrow", "minimax")
TESTED, LEAST, LARGE = 100_000, 100, 0.1
FIGURE = "equalized_odds.if"
_tables = {}


def best_none(rows=130_000):
    """Twelve groups that differ in nothing, with a balanced label."""
    rng = np.random.default_rng(0)
    columns = {f"x{j}": rng.normal(size=rows) for j in range(4)}
    columns |= {"a": rng.integers(0, 3, rows), "b": rng.integers(0, 4, rows)}
    columns["y"] = (columns["x0"] + columns["x1"] + rng.normal(size=rows) > 0).astype(int)
    return Dataset("best_none", columns, "y", 1, ("a", "b"), {})


def coverage_fine(folder):
    """ACS public coverage by race, sex, five bands of age, and disability: 180 leaves."""
    found = load_dataset("acs_coverage", folder)
    cuts = {"AGEP": (25.0, 35.0, 45.0, 55.0)}
    return dataclasses.replace(
        found, name="coverage_fine", sensitive=("RAC1P", "SEX", "AGEP", "DIS"), cuts=cuts
    )


def table_of(name, folder, plugins):
    """A data set, read once in each process."""
    if name not in _tables:
        plugins.load()
        made = {"best_none": lambda _: best_none(), "coverage_fine": coverage_fine}
        _tables[name] = Table.of(made[name](folder) if name in made else load_dataset(name, folder))
    return _tables[name]


def one_sample(name, folder, size, seed, classifier, *, plugins, strategies):
    """The predictions of a comparison of one sample, and how often each strategy is right on other rows."""
    table = table_of(name, folder, plugins)
    order = np.random.default_rng([seed, size]).permutation(table.n_rows)
    sample, rest = np.sort(order[:size]), np.sort(order[size : size + TESTED])
    X, own = dict(table.X), plugins.strategies()
    chosen = [strategy_of(s, known=own) for s in strategies]
    begun = time.perf_counter()
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = fl.compare(
            take_rows(X, sample), table.truth[sample], strategies=chosen, classifier=classifier, random_state=seed,
            sensitive_features=table.lattice.level_columns(table.leaves[sample]), n_jobs=1, positive=1,
        )  # fmt: skip
        people = result.posterior.people
        seconds = time.perf_counter() - begun
        tested = tested_right(table, sample, rest, chosen, classifier, seed)
    return {
        "classifier": classifier, "size": size, "dataset": name, "seed": seed, "seconds": seconds,
        "names": list(people.names), "shape": list(people.lattice.shape),
        "leaves": packed(people.leaves.astype(np.int32)),
        "truth": packed(np.packbits(people.truth.astype(np.uint8))),
        "predicted": packed(np.packbits(people.predicted.astype(np.uint8))),
        "repeats": people.predicted.shape[1],
        "tested": [counts(table, rest, label, people, tested) for label in (0, 1)],
    }  # fmt: skip


def counts(table, rest, label, people, tested):
    """Of the other rows with a label, by leaves that the sample has with it: how many, and how many are right."""
    known = np.unique(people.leaves[people.truth == label])
    theirs = people.lattice.recode(known, table.lattice)
    leaves, own = table.leaves[rest], table.truth[rest] == label
    found = [np.flatnonzero(own & (leaves == code)) for code in theirs]
    return {
        "leaves": known.tolist(),
        "rows": [len(rows) for rows in found],
        "right": {name: [int(right[rows].sum()) for rows in found] for name, right in tested.items()},
    }


def packed(array):
    """The bytes of an array as text."""
    return base64.b64encode(array.tobytes()).decode()


def unpacked(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def people_of(found):
    """The tested people of a stored sample; levels are numbers."""
    lattice = GroupLattice(
        tuple(Attribute(f"a{j}", tuple(range(levels))) for j, levels in enumerate(found["shape"]))
    )
    leaves = unpacked(found["leaves"], np.int32).astype(np.int64)
    shape = (len(found["names"]), found["repeats"], len(leaves))
    truth, predicted = (
        np.unpackbits(unpacked(found[key], np.uint8), count=n).astype(np.int64)
        for key, n in (("truth", len(leaves)), ("predicted", int(np.prod(shape))))
    )
    return People(lattice, leaves, truth, predicted.reshape(shape), tuple(found["names"]))


def judge(found, plugins=None):
    """What the comparison says of a stored sample, and what is true."""
    people, own = people_of(found), plugins.strategies() if plugins else {}
    strategies = {name: strategy_of(name, known=own) for name in people.names}
    limits = Limits(default=default_for(make_classifier(found["classifier"], 0)))
    advice = recommend(Posterior(people, 0.5, found["seed"]), strategies, {}, limits)
    over = {}
    for key, least in (("large", LEAST), ("all", 1)):
        groups = [
            np.array([g for g, n in zip(t["leaves"], t["rows"], strict=True) if n >= least])
            for t in found["tested"]
        ]
        levels = posterior_over(people, groups, found["seed"])
        over[key] = {
            name: {"true": true_if(found, name, least), "plug_in": plug_in(people, k, groups), **levels[name]}
            for k, name in enumerate(people.names)
        }
    return {"recommended": advice.strategy, "verdict": advice.verdict, "over": over}


def if_half(successes, n):
    """IF½ of exact rates."""
    rates = (np.asarray(successes) + 0.5) / (np.asarray(n) + 1.0)
    return 0.5 * (1 - rates.min()) + 0.5 * (1 - rates.min() / rates.max())


def true_if(found, name, least):
    """IF½ of equalized odds on the other rows, over groups with enough of them."""
    of_label = []
    for tested in found["tested"]:
        n = np.array(tested["rows"])
        of_label.append(if_half(np.array(tested["right"][name])[n >= least], n[n >= least]))
    return max(of_label)


def plug_in(people, k, groups):
    """The plug-in figure: a mean over repeats of IF½ as counted."""
    of_repeat = []
    for predicted in people.predicted[k]:
        of_label = []
        for label, known in enumerate(groups):
            own = (people.truth == label) & np.isin(people.leaves, known)
            _, place, n = np.unique(people.leaves[own], return_inverse=True, return_counts=True)
            of_label.append(if_half(np.bincount(place, weights=predicted[own] == label), n))
        of_repeat.append(max(of_label))
    return float(np.mean(of_repeat))


def tested_right(table, sample, rest, chosen, classifier, seed):
    """Which of the other rows each strategy recognises when trained on the whole sample."""
    encoder, X = table.encoder(), dict(table.X)
    Z = encoder.fit_transform(take_rows(X, sample))
    lattice = table.lattice.occurring(table.leaves[sample])
    index = CellIndex(lattice, table.lattice.recode(table.leaves[sample], lattice), table.truth[sample], 2)
    training = TrainingTable(
        None, index, np.arange(2), make_classifier(classifier, seed), (seed, 999), encoded=Vectors(encoder, Z)
    )
    Z_rest = encoder.transform(take_rows(X, rest))
    return {
        s.name: s.fit(training).predict(Z_rest, table.lattice, table.leaves[rest]) == table.truth[rest]
        for s in chosen
    }


def posterior_over(people, groups, seed):
    """Levels, and differences to the first strategy, of IF½ of equalized odds over some leaves for each label."""
    drawn = [
        draw_rate(people, rate, size=1000, seed=seed, groups=g)
        for rate, g in zip(("tnr", "tpr"), groups, strict=True)
    ]
    both = np.maximum(*(figures_of(d.theta, 0.5, both_outcomes=False)["if"] for d in drawn))
    gaps = both - both[:1]
    better = [float((g < 0).mean() + (g == 0).mean() / 2) for g in gaps]
    marked = [False, *sure_signs(better[1:])]
    found = {}
    for k, name in enumerate(people.names):
        level, gap = (np.quantile(x, [0.5, 0.025, 0.975]).tolist() for x in (both[k], gaps[k]))
        found[name] = {"level": level, "gap": gap, "marked": marked[k]}
    return found


def read(store):
    """Samples by (classifier, size, data set, seed)."""
    lines = store.read_text().splitlines() if store.exists() else ()
    found = [json.loads(line) for line in lines if line.endswith("}")]  # a killed run may leave half a line
    return {tuple(f[axis] for axis in ("classifier", "size", "dataset", "seed")): f for f in found}


def run(arguments):
    """Run what the store lacks, first seeds first."""
    axes = (arguments.classifiers, arguments.sizes, arguments.datasets)
    each = itertools.product(range(arguments.seeds), *(axis.split(",") for axis in axes))
    wanted = [(c, int(size), name, seed) for seed, c, size, name in each]
    ended, plugins = read(arguments.store), Plugins.of(arguments.plugin)
    todo = [key for key in wanted if key not in ended]
    options = {"plugins": plugins, "strategies": arguments.strategies.split(",")}
    tasks = (
        delayed(one_sample)(name, arguments.data_dir, size, seed, classifier, **options)
        for classifier, size, name, seed in todo
    )
    work = Parallel(arguments.jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
    begun = time.perf_counter()
    for done, found in enumerate(work(tasks), start=1):
        with arguments.store.open("a") as file:
            file.write(json.dumps(found) + "\n")
        print(f"{done} of {len(todo)} samples, {(time.perf_counter() - begun) / 60:.1f} min", file=sys.stderr)


def show(arguments):
    """Tables in Markdown."""
    stored, plugins = read(arguments.store), Plugins.of(arguments.plugin)
    found = dict(
        zip(
            stored, Parallel(arguments.jobs)(delayed(judge)(f, plugins) for f in stored.values()), strict=True
        )
    )
    for classifier in sorted({key[0] for key in found}):
        for over in ("large", "all"):
            print(f"\n## {classifier}, {'groups with 100 test rows' if over == 'large' else 'all groups'}\n")
            head = ("setting", "samples", "bias", "RMSE", "plug-in", "RMSE of differences", "plug-in", "levels covered",
                    "differences covered", "true ≥ .1", "marked", "wrong signs", "Spearman", "plug-in", "regret",
                    *(f"of {name}" for name in FIXED), "kept none")  # fmt: skip
            print(f"| {' | '.join(head)} |\n| {' | '.join('---' for _ in head)} |")
            for setting in sorted({key[1:3] for key in found if key[0] == classifier}):
                samples = [f for key, f in found.items() if (key[0], *key[1:3]) == (classifier, *setting)]
                print(f"| {setting[1]}, {setting[0]:,} | {len(samples)} | {' | '.join(row(samples, over))} |")


def row(samples, over):
    """The figures of one setting."""
    every = [(s, name, f) for s in samples for name, f in s["over"][over].items()]
    others = [(s, f, s["over"][over]["none"]) for s, name, f in every if name != "none"]
    true = np.array([f["true"] for _, _, f in every])
    level = np.array([f["level"] for _, _, f in every])
    counted = np.array([f["plug_in"] for _, _, f in every])
    gap = np.array([f["gap"] for _, f, _ in others])
    gap_true = np.array([f["true"] - none["true"] for _, f, none in others])
    gap_counted = np.array([f["plug_in"] - none["plug_in"] for _, f, none in others])
    marked = np.array([f["marked"] for _, f, _ in others])
    large = np.abs(gap_true) >= LARGE
    ranks = [[rank(s["over"][over], key) for key in ("level", "plug_in")] for s in samples]
    regret, *fixed = (
        np.mean([regret_of(s["over"][over], name or s["recommended"]) for s in samples])
        for name in (None, *FIXED)
    )
    return [
        f"{(level[:, 0] - true).mean():+.3f}",
        f"{rmse(level[:, 0] - true):.3f}",
        f"{rmse(counted - true):.3f}",
        f"{rmse(gap[:, 0] - gap_true):.3f}",
        f"{rmse(gap_counted - gap_true):.3f}",
        f"{within(true, level):.2f}",
        f"{within(gap_true, gap):.2f}",
        str(int(large.sum())),
        f"{marked[large].mean():.2f}" if large.any() else "–",
        f"{(marked & (np.sign(gap[:, 0]) != np.sign(gap_true))).mean():.3f}",
        *(f"{np.nanmean(column):.2f}" for column in zip(*ranks, strict=True)),
        f"{regret:.3f}",
        *(f"{each:.3f}" for each in fixed),
        f"{np.mean([s['recommended'] == 'none' for s in samples]):.2f}",
    ]


def rmse(errors):
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))


def within(true, interval):
    """Share of true values inside their intervals."""
    return float(np.mean((true >= interval[:, 1]) & (true <= interval[:, 2])))


def rank(figures, key):
    """Spearman's correlation of a figure with the truth over strategies."""
    ours = [f[key][0] if key == "level" else f[key] for f in figures.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return spearmanr(ours, [f["true"] for f in figures.values()]).statistic


def regret_of(figures, name):
    """How much less fair a strategy truly is than the fairest."""
    return figures[name]["true"] - min(f["true"] for f in figures.values())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    running, showing = commands.add_parser("run"), commands.add_parser("show")
    running.set_defaults(do=run)
    showing.set_defaults(do=show)
    for command in (running, showing):
        command.add_argument("--store", type=Path, required=True)
        command.add_argument("--jobs", type=int, default=2)
        command.add_argument(
            "--plugin", type=Path, action="append", default=[], help="a file with data sets or strategies"
        )
    running.add_argument("--data-dir", type=Path)
    running.add_argument("--datasets", default=",".join(DATASETS))
    running.add_argument("--sizes", default="6000,2000")
    running.add_argument("--seeds", type=int, default=20)
    running.add_argument("--classifiers", default="logistic,boosting")
    running.add_argument("--strategies", default=",".join(STRATEGIES))
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    main()
