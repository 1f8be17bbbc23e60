"""What the released scripts of arXiv:2405.14521 do otherwise than its text: which of it changes a conclusion?

fairlattice bench run --plugin benchmarks/released.py --methods "$(python benchmarks/released.py --methods)"
                      --datasets A,B --rows 10000 --extra-test 50000 --data-dir FOLDER --store FILE.sqlite
python benchmarks/released.py --store FILE.sqlite

The plugin holds `paper` with one deviation each: `paper_detached` (the parents' term detached: β = 0), `paper_widths`
(kernels of widths 1, 10, …, 50), `paper_diagonal`, `paper_summed` (one vector on the sum of parents), `paper_released`
(β = 0, widths and one vector together), `paper_alone` (of cells with synthetic rows, these alone are trained on), and
the network `epochs`, of which every tenth of the steps is a candidate in selection. Deviations in how figures are
computed need no training: the script shows each difference to equal sampling by the posterior, as counted, smoothed as
the scripts do, and smoothed with FPR instead of TNR.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fairlattice.benchmark._methods import METHODS
from fairlattice.benchmark._shared import Store, read_results
from fairlattice.strategies import Strategy
from fairlattice.strategies._equal import cell_weights
from fairlattice.strategies._row_sources import MixedRows
from fairlattice.strategies._weightings import CellWeights

WIDTHS = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0)
VARIANTS = (
    "paper",
    "paper_detached",
    "paper_widths",
    "paper_diagonal",
    "paper_summed",
    "paper_released",
    "paper_alone",
)
RUN = (
    "unconstrained",
    *(f"unconstrained+{s}" for s in ("equal", *VARIANTS)),
    *(f"epochs{s}" for s in ("", "+equal", "+paper")),
)
BASELINES = {"unconstrained": "unconstrained+equal", "epochs": "epochs+equal"}
DRAWS = 1000


@dataclass(frozen=True)
class Detached(MixedRows):
    """The parents' term has no weight."""

    beta: float = 0.0
    name: ClassVar[str] = "paper_detached"


@dataclass(frozen=True)
class Widths(MixedRows):
    """Kernels of the authors' widths."""

    bandwidths: tuple[float, ...] = WIDTHS
    name: ClassVar[str] = "paper_widths"


@dataclass(frozen=True)
class Diagonal(MixedRows):
    """A weight for every parent and column."""

    mixing: str = "diagonal"
    name: ClassVar[str] = "paper_diagonal"


@dataclass(frozen=True)
class Summed(MixedRows):
    """One weight for every column, on the sum of parents."""

    mixing: str = "summed"
    name: ClassVar[str] = "paper_summed"


@dataclass(frozen=True)
class Released(MixedRows):
    """All three as in the scripts."""

    mixing: str = "summed"
    beta: float = 0.0
    bandwidths: tuple[float, ...] = WIDTHS
    name: ClassVar[str] = "paper_released"


class Alone:
    """Cells that get synthetic rows are trained on these alone."""

    name = "paper_alone"
    about = "mixes of the parents' rows, without the rows of the cells that get them"
    makes_rows = True

    def fit(self, table):
        return Strategy(rows="paper", weights=Generated()).fit(table).model


class Generated(CellWeights):
    """Equal weights of cells, in which original rows count only where no row was generated."""

    name: ClassVar[str] = "generated"

    def weights(self, table, rows):  # noqa: ARG002 - as every weighting
        cells = rows.leaves * 2 + rows.labels
        own = np.arange(len(cells)) < rows.n_original
        counted = ~own | ~np.isin(cells, cells[~own])
        weights = np.zeros(len(cells))
        weights[counted] = cell_weights(cells[counted])
        return weights


class Epochs:
    """The network, stopped at a tenth, two tenths … of its steps: the seed gives all of them the same beginning."""

    name = "epochs"
    about = "the network, every tenth of its training a candidate"
    grid = tuple({"tenths": k} for k in range(1, 11))

    def make(self, *, seed, settings, tenths):
        network = METHODS["unconstrained"].make(seed=seed, settings=settings)
        return network.set_params(steps=settings.network.steps * tenths // 10)


def by_figures(table):
    """Each method's difference to equal sampling, by each way of computing IF½ of equalized odds: mean, error."""
    comparison, found = table.comparison, {}
    counted = {
        result.name: [counts_of(comparison, run) for run in result.runs] for result in comparison.results
    }
    for name, runs in counted.items():
        baseline = BASELINES[name.split("+")[0]]
        if name == baseline or baseline not in counted:
            continue
        posterior = comparison.differences(name, baseline)["equalized_odds.if"]
        found[name] = {"posterior": (posterior.mean, posterior.se)}
        for way, figure in WAYS.items():
            gaps = [
                figure(own, seed) - figure(other, seed)
                for seed, (own, other) in enumerate(zip(runs, counted[baseline], strict=True))
            ]
            found[name][way] = (np.mean(gaps), np.std(gaps, ddof=1) / len(gaps) ** 0.5)
    return found


def counts_of(comparison, run):
    """Of one run, by label and leaf of the lattice: people, and how many of them are predicted positive."""
    leaves, truth = comparison.leaves[run.rows], comparison.truth[run.rows]
    size = int(np.prod(comparison.lattice.shape))
    people = [np.bincount(leaves[truth == k], minlength=size) for k in (0, 1)]
    positive = [
        np.bincount(leaves[truth == k], weights=run.predicted[truth == k], minlength=size) for k in (0, 1)
    ]
    occurring = people[0] + people[1] > 0
    return np.array(people)[:, occurring], np.array(positive)[:, occurring]


def as_counted(counts, seed):  # noqa: ARG001 - as every way
    """Rates as counted; groups without people of a label are left out."""
    (n0, n1), (p0, p1) = counts
    tnr, tpr = ((n0 - p0)[n0 > 0] / n0[n0 > 0]), p1[n1 > 0] / n1[n1 > 0]
    return max(if_half(tpr), if_half(tnr))


def smoothed(counts, seed):
    """Beta(2, 2) smoothing and the mean of bootstraps; a group without people of a label gets one half."""
    tnr, tpr = bootstrapped(counts, seed)
    return float(np.mean([max(if_half(a), if_half(b)) for a, b in zip(tpr, tnr, strict=True)]))


def with_fpr(counts, seed):
    """The same, with the ratio of false positive rates in place of that of true negative rates."""
    tnr, tpr = bootstrapped(counts, seed)
    return float(np.mean([max(if_half(a), if_half(b, 1 - b)) for a, b in zip(tpr, tnr, strict=True)]))


def bootstrapped(counts, seed):
    """Smoothed rates of bootstraps: TNR and TPR, of shape (draws, groups) each."""
    (n0, n1), (p0, p1) = counts
    rng = np.random.default_rng(seed)
    found = []
    for n, right in ((n0, n0 - p0), (n1, p1)):
        share = np.divide(right, n, out=np.full(len(n), 0.5), where=n > 0)
        found.append((rng.binomial(n.astype(int), share, (DRAWS, len(n))) + 2) / (n + 4))
    return found


def if_half(rates, compared=None):
    """IF½: the highest error, and one less the ratio of the lowest and highest of the compared rates."""
    compared = rates if compared is None else compared
    return 0.5 * (1 - rates.min()) + 0.5 * (1 - compared.min() / max(compared.max(), 1e-12))


WAYS = {"as counted": as_counted, "smoothed": smoothed, "smoothed, FPR": with_fpr}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, help="what `bench run` kept results in")
    parser.add_argument("--methods", action="store_true", help="print what --methods of `bench run` takes")
    arguments = parser.parse_args()
    if arguments.methods:
        print(",".join(RUN))
        return
    if arguments.store is None:
        parser.error("name a --store, or pass --methods")
    with Store(arguments.store) as store:
        tables = read_results(store).tables
    for table in tables:
        ways = ("posterior", *WAYS)
        print(f"\n## {table.people.name}\n\n| less equal sampling | {' | '.join(ways)} |")
        print(f"| --- |{' ---: |' * len(ways)}")
        for name, found in by_figures(table).items():
            shown = (f"{m:+.3f} ± {e:.3f}{'*' if abs(m) > 2 * e else ''}" for m, e in found.values())
            print(f"| `{name}` | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
