"""What other rooms use of this one, beside its public names."""

from fairlattice.benchmark._classifiers import make_classifier
from fairlattice.benchmark._comparison import ACCURACIES, COMPARED_FIGURES
from fairlattice.benchmark._diagnosis import CellPicture
from fairlattice.benchmark._experiments import EXPERIMENTS, Experiment
from fairlattice.benchmark._methods import BASELINE, METHODS, Method
from fairlattice.benchmark._over_seeds import FIGURES
from fairlattice.benchmark._posterior import KINDS, NOTIONS, POSTERIOR_RATES
from fairlattice.benchmark._protocol import UNFAIRNESS
from fairlattice.benchmark._results import read_results
from fairlattice.benchmark._seeds_posterior import LEAST_SEEDS
from fairlattice.benchmark._store import Store
from fairlattice.benchmark._table import Table
from fairlattice.benchmark._vectors import with_vectors

__all__ = [
    "ACCURACIES",
    "BASELINE",
    "COMPARED_FIGURES",
    "EXPERIMENTS",
    "FIGURES",
    "KINDS",
    "LEAST_SEEDS",
    "METHODS",
    "NOTIONS",
    "POSTERIOR_RATES",
    "UNFAIRNESS",
    "CellPicture",
    "Experiment",
    "Method",
    "Store",
    "Table",
    "make_classifier",
    "read_results",
    "with_vectors",
]
