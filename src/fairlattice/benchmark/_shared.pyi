from ._classifiers import make_classifier
from ._comparison import ACCURACIES, COMPARED_FIGURES
from ._diagnosis import CellPicture
from ._experiments import EXPERIMENTS, Experiment
from ._group_draws import POSTERIOR_RATES
from ._methods import BASELINE, METHODS, Method
from ._over_seeds import FIGURES
from ._posterior import KINDS, NOTIONS
from ._protocol import UNFAIRNESS
from ._results import read_results
from ._seeds_posterior import LEAST_SEEDS
from ._store import Store
from ._strategy_code import strategy_code
from ._table import Table
from ._vectors import with_vectors

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
    "strategy_code",
    "with_vectors",
]
