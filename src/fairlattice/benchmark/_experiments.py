"""The experiments by name: which methods, on how many axes, and what they are to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairlattice._validation import CPU_TORCH, check_choice, check_count
from fairlattice.benchmark._code import code_digest
from fairlattice.benchmark._fidelity import FidelityTrial
from fairlattice.benchmark._methods import BASELINE, NEURAL, Combination
from fairlattice.benchmark._plugins import Plugins
from fairlattice.benchmark._protocol import Settings, deal_out
from fairlattice.benchmark._results import BenchResults, read_results
from fairlattice.benchmark._runner import Progress, Task, run_trials
from fairlattice.benchmark._store import Store
from fairlattice.benchmark._table import Table
from fairlattice.benchmark._trial import Trial
from fairlattice.datasets import Dataset
from fairlattice.exceptions import InputError
from fairlattice.samplers._shared import take_rows
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import BASELINE as NO_STRATEGY
from fairlattice.strategies._shared import WEIGHTS

_LOOKED_AT = 2000  # training rows whose features are looked at before any trial is run


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is run under a name.

    Parameters
    ----------
    name : str
        What it is called.
    about : str
        One line for a reader.
    methods : tuple of str
        ``METHOD+STRATEGY``, as :meth:`Combination.parse` reads them.
    every_axis : bool, default=False
        Run on the first attribute, on the first two, and so on.
    fidelity : bool, default=False
        Diagnose synthetic rows instead of training anything.
    """

    name: str
    about: str
    methods: tuple[str, ...]
    every_axis: bool = False
    fidelity: bool = False


def _crossed(methods: Sequence[str], strategies: Sequence[str]) -> tuple[str, ...]:
    return tuple(Combination(m, s).name for s in strategies for m in methods)


EXPERIMENTS: dict[str, Experiment] = {
    e.name: e
    for e in (
        Experiment(
            "tradeoff",
            "all methods, as they are, with equal sampling, and with learned weights",
            _crossed(NEURAL, (NO_STRATEGY, "equal", WEIGHTS)),
        ),
        Experiment(
            "axes",
            "how unfairness grows with the number of attributes, and who holds it down",
            (*_crossed([BASELINE], (NO_STRATEGY, "equal", WEIGHTS)), "fairgrad", "dro"),
            every_axis=True,
        ),
        Experiment(
            "leveling",
            "does the worst-off group gain, or do the others lose, against unconstrained",
            _crossed(NEURAL, (NO_STRATEGY, WEIGHTS)),
        ),
        Experiment(
            "fidelity", "are synthetic rows like real ones (the diagnostics' figures)", (), fidelity=True
        ),
        Experiment(
            "ablation",
            "every strategy under the same network: which part does the work",
            _crossed([BASELINE], tuple(STRATEGIES)),
        ),
    )
}
"""The experiments."""


def bench(
    datasets: Sequence[Dataset],
    store: str | Path | Store,
    *,
    experiment: str = "tradeoff",
    methods: Sequence[str] | None = None,
    seeds: int = 5,
    rows: int | None = None,
    axes: int | None = None,
    extra_test: int = 0,
    settings: Settings | None = None,
    plugins: Plugins | None = None,
    retry: bool = False,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> BenchResults:
    """Run methods on data sets over seeds, keep every result, and read the table of them.

    Parameters
    ----------
    datasets : sequence of Dataset
        The data sets.
    store : path
        SQLite file in which finished trials are kept and found again.
    experiment : {"tradeoff", "axes", "leveling", "fidelity", "ablation"}, default="tradeoff"
        Which methods are run, and on which axes.
    methods : sequence of str, optional
        Other methods instead: ``METHOD`` or ``METHOD+STRATEGY``.
    seeds : int, default=5
        How many splits; each seed is one.
    rows : int, optional
        At most this many rows of each data set, drawn once; these are split 60/20/20.
    axes : int, optional
        How many attributes of each data set, the first ones.
    extra_test : int, default=0
        Up to this many of the rows beyond `rows` are tested too: rates of small groups are then known better.
    settings : Settings, optional
        The protocol.
    plugins : Plugins, optional
        Methods and data sets from files.
    retry : bool, default=False
        Run trials that failed before once more.
    n_jobs : int, optional
        Processes, as in joblib; the same table for any number.
    progress : callable (done, total), optional
        Called whenever a trial has ended.

    Returns
    -------
    BenchResults
        Figures with standard errors, paired differences, leveling-down verdicts, and where time went.

    Raises
    ------
    InputError
        If there is no such method, data set or experiment, or an option is out of range.

    Examples
    --------
    >>> import tempfile, fairlattice as fl
    >>> data = fl.datasets.load_dataset("diabetes")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Path(folder) / "store.sqlite"
    ...     found = fl.bench([data], store, methods=["logistic", "logistic+equal"], seeds=2)
    >>> [r.name for r in found.tables[0].comparison.results]
    ['logistic', 'logistic+equal']
    """
    chosen, plugins = settings or Settings(), plugins or Plugins()
    chosen.check()
    check_count("seeds", seeds)
    plan = EXPERIMENTS[check_choice("experiment", experiment, tuple(EXPERIMENTS))]
    if chosen.split == "published" and extra_test:
        raise InputError("`extra_test` is for random splits. Leave it out with `split='published'`.")
    if extra_test and rows is None:
        raise InputError("`extra_test` are rows beyond `rows`, which is not given. Pass both.")
    known, strategies = plugins.load(), plugins.strategies()
    asked = plan.methods if methods is None else methods
    combinations = [Combination.parse(text, known, strategies) for text in asked]
    if not datasets:
        raise InputError("`datasets` must name at least one data set.")
    if not combinations and not plan.fidelity:
        raise InputError("`methods` must name at least one method.")
    check_count("extra_test", extra_test, 0)
    tables = _tables(datasets, rows, axes, extra_test, plan)
    _check_methods(combinations)
    for table in tables.values():  # what no trial could do is refused before any is run
        parts = deal_out(table, 0, chosen.split)
        table.encoder().fit(take_rows(dict(table.X), parts.train[:_LOOKED_AT]))
    origins, core = plugins.origins(), code_digest()
    trials: list[Task] = [
        trial
        for key in tables
        for seed in range(seeds)
        for trial in (
            (FidelityTrial(key, seed, core),)
            if plan.fidelity
            else tuple(
                Trial(key, c, seed, chosen, " ".join((core, *_origins_of(c, origins))))
                for c in dict.fromkeys(combinations)
            )
        )
    ]
    kept = store if isinstance(store, Store) else Store(Path(store))
    with kept:
        run_trials(trials, tables, kept, plugins=plugins, retry=retry, n_jobs=n_jobs, progress=progress)
    return read_results(kept, keys={trial.key for trial in trials})


def _origins_of(combination: Combination, origins: Mapping[str, tuple[str]]) -> list[str]:
    """Digests of the files or packages that a method and its strategy come from, where these are not ours."""
    words = [combination.method, *combination.strategy.split("+")]
    return [digest for word in words for digest in origins.get(word, ())]


def _tables(
    datasets: Sequence[Dataset], rows: int | None, axes: int | None, extra_test: int, plan: Experiment
) -> Mapping[str, Table]:
    """The tables by digest, in the order asked for."""
    if rows is not None:
        check_count("rows", rows)
    if axes is not None:
        check_count("axes", axes)
    found = []
    for data in datasets:
        most = len(data.sensitive) if axes is None else axes
        for n in range(1 if plan.every_axis else most, most + 1):
            found.append(Table.of(data, rows=rows, axes=n, extra_test=extra_test))  # noqa: PERF401
    return {table.fingerprint(): table for table in found}


def _check_methods(combinations: Sequence[Combination]) -> None:
    """Raise, before any work is done, if the methods cannot be run here."""
    from importlib.util import find_spec

    neural = sorted({c.method for c in combinations if c.method in NEURAL})
    if neural and find_spec("torch") is None:
        raise InputError(
            f"Methods {', '.join(neural)} need PyTorch, which is not installed. "
            'Install it with pip install "fairlattice[torch]", or name others: logistic, boosting. '
            f"{CPU_TORCH}"
        )
