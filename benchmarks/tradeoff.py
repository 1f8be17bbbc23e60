"""Which strategy is fairest on small samples of real tables, measured on up to 100,000 other rows?

python benchmarks/tradeoff.py run  --data-dir FOLDER --store FILE.jsonl [--datasets A,B] [--sizes 2000,6000]
                                   [--seeds 20] [--classifiers logistic,boosting,neural] [--device cpu]
                                   [--strategies A,B] [--blends 0.5,1] [--jobs 2] [--plugin FILE.py]
python benchmarks/tradeoff.py show --store FILE.jsonl [--store …] [--first-seed N] [--picture FILE.svg]

Every strategy of `fairlattice compare` is trained on small samples of real tables and tested on up to
100,000 other rows. A group counts for a rate if at least 100 test rows have its label: the rate of so small a
one has a standard error of 0.05, and those of large groups are nearly exact. `posterior.if` is over all groups,
however small, from the joint posterior of a comparison. Strategies are compared on the same splits; ± is the
standard error over seeds, whose test rows overlap. The curve blends a strategy's weights with those of `label`,
half and half and in full; strategies that change the decision have one point.

What is in FILE is not run again, so the script can be stopped and started at any time; the file knows nothing
of the code, so begin another where that has changed. Any data set of `fairlattice.datasets` can be named, and
those of a plugin, as in `fairlattice bench`. `neural` is a small `NeuralClassifier`, which needs torch.
"""

import argparse
import itertools
import json
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from _tradeoff_tables import draw, tables
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from fairlattice.benchmark import Plugins
from fairlattice.benchmark._classifiers import make_classifier
from fairlattice.benchmark._group_draws import People, draw_rate
from fairlattice.benchmark._posterior import figures_of as drawn_figures
from fairlattice.benchmark._splits import child_seed
from fairlattice.benchmark._table import Table
from fairlattice.datasets import load_dataset
from fairlattice.exceptions import InputError
from fairlattice.samplers import CellIndex
from fairlattice.samplers._shared import take_rows
from fairlattice.strategies import STRATEGIES as PRESETS
from fairlattice.strategies import FittedStrategy, Strategy, TrainingTable
from fairlattice.strategies._equal import cell_weights
from fairlattice.strategies._folds import out_of_fold_scores
from fairlattice.strategies._shared import BASELINE, Vectors, strategy_of

DATASETS = ("acs_income", "acs_coverage", "adult", "default_credit", "diabetes130")
STRATEGIES = tuple(name for name, s in PRESETS.items() if name != BASELINE and not s.needs_groups)
TESTED, LEAST, DRAWS = 100_000, 100, 400
PER_CELL = 1000
_tables = {}


def table_of(name, folder, plugins):
    """A data set, read once in each process."""
    if name not in _tables:
        plugins.load()
        _tables[name] = Table.of(load_dataset(name, folder))
    return _tables[name]


def classifier_of(name, device):
    """One that `make_classifier` knows, or a network: small, since larger ones are less accurate here."""
    if name != "neural":
        return name
    from fairlattice.classifiers import NeuralClassifier

    return NeuralClassifier(hidden=(64,), steps=300, device=device)


def parts(table, size, seed):
    """Row numbers to train on and to test; rows of one person stay together."""
    units = np.arange(table.n_rows) if table.units is None else table.units
    rng = np.random.default_rng([seed, size])
    turn = rng.permutation(units.max() + 1)[units]
    order = np.argsort(turn, kind="stable")
    cut = size + int((turn[order[size:]] == turn[order[size - 1]]).sum())
    return np.sort(order[:cut]), np.sort(order[cut : cut + TESTED])


def points(strategy, blends, own):
    """Where a strategy is measured on its curve; at one point where no weights of groups can be blended."""
    found = strategy_of(strategy, known=own)
    weighted = (
        hasattr(found, "weights")
        and (found.makes_rows or found.weights.uses_groups)
        and not found.needs_groups
    )
    return {(strategy, blend) for blend in blends} if weighted else {(strategy, 1.0)}


class Shared:
    """Trains strategies of one table; those with the same rows and weights share a model and its scores.

    The seconds are those that each would take by itself.
    """

    def __init__(self, table):
        self.table, self.known = table, {}

    def fit(self, strategy):
        """The trained strategy and its seconds."""
        if not isinstance(strategy, Strategy):
            return timed(lambda: strategy.fit(self.table))
        key = (strategy.rows.name, strategy.weights.name)
        model, seconds = self.once((*key, "model"), lambda: strategy._fit_part(self.table))
        asked = []

        def scores():
            found, spent = self.once(
                (*key, "scores"), lambda: out_of_fold_scores(self.table, strategy._fit_part)
            )
            asked.append(spent)
            return found

        known = (*key, "scores") in self.known
        decision, spent = timed(lambda: strategy.decision.choose(self.table, scores))
        total = seconds + spent + (sum(asked) if known else 0.0)
        return FittedStrategy(model, decision, self.table.classes), total

    def blended(self, strategy, by_label, blend):
        """The same, with weights between those of the strategy and those of `label`."""
        rows, prepared = timed(lambda: strategy.prepare(self.table))
        weights = np.zeros(len(rows.labels))
        weights[: len(by_label)] = by_label / by_label.sum()
        weights = len(by_label) * (blend * rows.weights / rows.weights.sum() + (1 - blend) * weights)
        fitted, seconds = timed(lambda: strategy.fit(self.table, replace(rows, weights=weights)))
        return fitted, prepared + seconds

    def once(self, key, make):
        if key not in self.known:
            self.known[key] = timed(make)
        return self.known[key]


def timed(make):
    """What is made, and the seconds that it took."""
    start = time.perf_counter()
    made = make()
    return made, time.perf_counter() - start


def one_split(name, folder, size, seed, classifier, *, plugins, device, strategies, blends):
    """Figures of strategies on one split."""
    table = table_of(name, folder, plugins)
    train, test = parts(table, size, seed)
    found = []
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoder, X = table.encoder(), dict(table.X)
        Z = encoder.fit_transform(take_rows(X, train))
        tested = np.asarray(encoder.transform(take_rows(X, test)), dtype=np.float32)
        index = CellIndex(table.lattice, table.leaves[train], table.truth[train], 2)
        by_label = cell_weights(table.truth[train])
        trained = make_classifier(classifier_of(classifier, device), child_seed(seed))
        training = TrainingTable(
            None, index, np.arange(2), trained, (seed,), per_cell=PER_CELL, encoded=Vectors(encoder, Z)
        )
        own, shared = plugins.strategies(), Shared(training)
        for called in strategies:
            strategy = strategy_of(called, known=own)
            for _, blend in sorted(points(called, blends, own)):
                fitted, seconds = (
                    shared.fit(strategy) if blend == 1.0 else shared.blended(strategy, by_label, blend)
                )
                predicted = fitted.predict(tested, table.lattice, table.leaves[test])
                figures = figures_of(predicted == table.truth[test], table.leaves[test], table.truth[test])
                figures["posterior.if"] = posterior_if(table, test, predicted, seed)
                found.append({"strategy": called, "blend": blend, "seconds": seconds, **figures})
    return {"classifier": classifier, "size": size, "dataset": name, "seed": seed, "figures": found}


def posterior_if(table, test, predicted, seed):
    """Posterior median of IF½ of equalized odds over all groups, of predictions of the test rows."""
    every = np.asarray(predicted, dtype=np.int64)[None, None]
    people = People(table.lattice, table.leaves[test], table.truth[test], every, ("",))
    drawn = [draw_rate(people, rate, size=DRAWS, seed=seed).theta for rate in ("tnr", "tpr")]
    both = np.maximum(*(drawn_figures(theta, 0.5, both_outcomes=False)["if"] for theta in drawn))
    return float(np.median(both))


def figures_of(right, leaves, truth):
    """IF½ of equalized odds, of both rates, worst rates, and balanced accuracy."""
    found = {}
    for label, rate in ((1, "tpr"), (0, "tnr")):
        own = truth == label
        _, place, n = np.unique(leaves[own], return_inverse=True, return_counts=True)
        rates = (np.bincount(place, weights=right[own]) + 0.5) / (n + 1.0)
        known = rates[n >= LEAST]
        # Of all pairs, that of the lowest and the highest rate is the worst.
        found[f"{rate}.if"] = float(0.5 * (1 - known.min()) + 0.5 * (1 - known.min() / known.max()))
        found[f"{rate}.worst"], found[f"{rate}.groups"] = float(known.min()), len(known)
        found[rate] = float(right[own].mean())
    found["if"] = max(found["tpr.if"], found["tnr.if"])
    found["balanced_accuracy"] = (found["tpr"] + found["tnr"]) / 2
    return found


def read(*stores):
    """Figures by strategy and blend, by (classifier, size, data set, seed)."""
    found = {}
    for line in (line for store in stores if store.exists() for line in store.read_text().splitlines()):
        if line.endswith("}]}"):  # a killed run may leave half a line
            split = json.loads(line)
            known = found.setdefault(
                tuple(split[axis] for axis in ("classifier", "size", "dataset", "seed")), {}
            )
            known.update({(f["strategy"], f["blend"]): f for f in split["figures"]})
    return found


def run(arguments):
    """Run what the store lacks, first seeds first."""
    axes = (arguments.classifiers, arguments.sizes, arguments.datasets)
    each = itertools.product(range(arguments.seeds), *(axis.split(",") for axis in axes))
    ended = read(arguments.store)
    blends = arguments.blends
    plugins = Plugins.of(arguments.plugin)
    options = {"plugins": plugins, "device": arguments.device, "blends": blends}
    try:
        names = [
            strategy_of(name, known=plugins.strategies()).name for name in arguments.strategies.split(",")
        ]
    except InputError as error:
        arguments.fail(str(error))
    wanted = [(c, int(size), name, seed) for seed, c, size, name in each]
    lacking = {
        key: [s for s in names if not points(s, blends, plugins.strategies()) <= set(ended.get(key, ()))]
        for key in wanted
    }
    todo = {key: strategies for key, strategies in lacking.items() if strategies}
    tasks = (
        delayed(one_split)(name, arguments.data_dir, size, seed, classifier, strategies=lacks, **options)
        for (classifier, size, name, seed), lacks in todo.items()
    )
    work = Parallel(arguments.jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
    begun = time.perf_counter()
    if arguments.store.exists():  # what a killed run left of a line ends here
        with arguments.store.open("a") as file:
            file.write("\n")
    for done, split in enumerate(work(tasks), start=1):
        with arguments.store.open("a") as file:
            file.write(json.dumps(split) + "\n")
        minutes = (time.perf_counter() - begun) / 60
        print(f"{done} of {len(todo)} splits, {minutes:.1f} min", file=sys.stderr)


def show(arguments):
    """Tables in Markdown for each classifier, and a picture."""
    splits = {key: curve for key, curve in read(*arguments.store).items() if key[3] >= arguments.first_seed}
    if not splits:
        raise SystemExit("no such split is stored yet")
    found = dict.fromkeys(strategy for curve in splits.values() for strategy, _ in curve)
    presets = list(PRESETS)
    names = sorted(found, key=lambda name: presets.index(name) if name in presets else len(presets))
    for classifier in sorted({key[0] for key in splits}):
        print(f"\n## {classifier}")
        tables({key[1:]: curve for key, curve in sorted(splits.items()) if key[0] == classifier}, names)
    if arguments.picture:
        draw(splits, names, arguments.picture)


def whole_curve(text):
    """Points of the curve, its end among them."""
    blends = [float(blend) for blend in text.split(",")]
    if 1.0 not in blends:
        raise argparse.ArgumentTypeError("1, the curve's end, must be there")
    return blends


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    running, showing = commands.add_parser("run"), commands.add_parser("show")
    running.set_defaults(do=run, fail=running.error)
    showing.set_defaults(do=show)
    running.add_argument("--store", type=Path, required=True)
    showing.add_argument(
        "--store", type=Path, required=True, action="append", help="may be given several times"
    )
    running.add_argument("--data-dir", type=Path, required=True)
    running.add_argument("--datasets", default=",".join(DATASETS))
    running.add_argument("--sizes", default="6000,2000")
    running.add_argument("--seeds", type=int, default=20)
    running.add_argument("--classifiers", default="logistic,boosting")
    running.add_argument(
        "--plugin", type=Path, action="append", default=[], help="a file with data sets or strategies"
    )
    running.add_argument("--strategies", default=",".join(STRATEGIES))
    running.add_argument("--device", default="cpu", help="where networks are trained, as torch names it")
    running.add_argument(
        "--blends", type=whole_curve, default="0.5,1", help="points of the curve, in (0, 1]; 1 must be there"
    )
    running.add_argument("--jobs", type=int, default=2)
    showing.add_argument("--first-seed", type=int, default=0, help="leave out those before")
    showing.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    main()
