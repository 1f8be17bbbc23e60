"""The protocol of the experiments: how rows are split, and which of several runs is taken.

60 % of the rows train, 20 % choose among hyper-parameters, 20 % are looked at once. Among runs whose
balanced accuracy on the validation rows is within a margin of the best, the least unfair one is taken:
the most accurate one would rarely be fair, and the fairest one is often useless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fairlattice._validation import IntArray, check_choice, check_count, check_real
from fairlattice.benchmark._splits import child_seed, stratified_splits
from fairlattice.benchmark._table import Table
from fairlattice.exceptions import InputError

SPLITS = ("random", "published")
UNFAIRNESS = {"equal_opportunity": "tpr.if", "equalized_odds": "equalized_odds.if"}
"""Notions of fairness, and the figure that is small where they hold."""
_LARGEST = 100_000  # rows of a batch, units of a layer
_TURNS = 5  # how many seeds share the rows that are tested only


@dataclass(frozen=True)
class Network:
    """The network of the neural methods, and how long it is trained.

    Parameters
    ----------
    hidden : tuple of int, default=(128, 64, 32)
        Units of the hidden layers.
    dropout : float, default=0.2
        Share of hidden units dropped in training, in [0, 0.99].
    learning_rate : float, default=1e-3
        Of Adam.
    steps : int, default=2000
        Batches that every method is trained on, however many rows it has.
    batch_size : int, default=128
        Rows of a batch.
    """

    hidden: tuple[int, ...] = (128, 64, 32)
    dropout: float = 0.2
    learning_rate: float = 1e-3
    steps: int = 2000
    batch_size: int = 128


@dataclass(frozen=True)
class Settings:
    """What holds for every trial of an experiment.

    Parameters
    ----------
    notion : {"equalized_odds", "equal_opportunity"}, default="equalized_odds"
        What methods are asked to make equal, and whose IFα chooses among hyper-parameters.
    alpha : float, default=0.5
        Weight in [0, 1] of the absolute part of IFα.
    margin : float, default=0.03
        How far a run's balanced accuracy on the validation rows may lie below the best one's.
    per_cell : int, default=1000
        Strategies that make rows raise smaller (leaf, label) cells to this many.
    split : {"random", "published"}, default="random"
        Deal rows out by the seed, or as the data set's authors published them.
    network : Network
        The network of the neural methods.
    """

    notion: str = "equalized_odds"
    alpha: float = 0.5
    margin: float = 0.03
    per_cell: int = 1000
    split: str = "random"
    network: Network = field(default_factory=Network)

    def check(self) -> None:
        """Raise InputError if something is out of range."""
        check_choice("notion", self.notion, tuple(UNFAIRNESS))
        check_choice("split", self.split, SPLITS)
        check_real("alpha", self.alpha, 0.0, 1.0)
        check_real("margin", self.margin, 0.0, 1.0)
        check_count("per_cell", self.per_cell)
        network = self.network
        check_count("steps", network.steps)
        if check_count("batch_size", network.batch_size) > _LARGEST:
            raise InputError(f"`batch_size` must be at most {_LARGEST:,}, got {network.batch_size:,}.")
        check_real("learning_rate", network.learning_rate, 0.0, np.inf, open_ends=True)
        check_real("dropout", network.dropout, 0.0, 0.99)
        if not network.hidden:
            raise InputError("`hidden` must name at least one layer, as in 128,64,32.")
        for units in network.hidden:
            if check_count("hidden", units) > _LARGEST:
                raise InputError(f"`hidden` layers must have at most {_LARGEST:,} units, got {units:,}.")

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        found = asdict(self)
        found["network"]["hidden"] = list(self.network.hidden)
        return found


class Parts(NamedTuple):
    """Row numbers of the three parts, increasing."""

    train: IntArray
    validation: IntArray
    test: IntArray


def deal_out(table: Table, seed: int, split: str) -> Parts:
    """The three parts of a table; rows of one unit stay together.

    Of the rows that are tested only, each seed tests a fifth, and another one than the seeds before: results
    would otherwise agree on whom they were tested on, and look surer than they are.

    Raises
    ------
    InputError
        If a part would lack a label, or there is no published split.
    """
    if split == "published":
        return _published(table, seed)
    first, unit = _units(table)
    leaves, labels = table.leaves[first], table.truth[first]
    rest, test = _halves(leaves, labels, 0.2, child_seed(seed, 0))
    train, validation = _halves(leaves[rest], labels[rest], 0.25, child_seed(seed, 1))
    units = (rest[train], rest[validation], test)
    found = [np.flatnonzero(np.isin(unit, part)) for part in units]
    if table.beyond is not None:
        beyond = np.flatnonzero(table.beyond)
        turn = np.random.default_rng(child_seed(len(beyond))).permutation(len(beyond)) % _TURNS
        found[2] = np.union1d(found[2], beyond[turn == seed % _TURNS])
    return _checked(table, Parts(*found))


def _halves(leaves: IntArray, labels: IntArray, share: float, seed: int) -> tuple[IntArray, IntArray]:
    (pair,) = stratified_splits(leaves, labels, repeats=1, test_size=share, seed=seed)
    return pair


def _units(table: Table) -> tuple[IntArray, IntArray]:
    """The first row of every unit that is split, and every row's unit; -1 for rows tested only."""
    unit = np.arange(table.n_rows) if table.units is None else table.units
    if table.beyond is not None:
        unit = np.where(table.beyond, -1, unit)
    _, first, place = np.unique(unit, return_index=True, return_inverse=True)
    if unit.min() >= 0:
        return first, place
    return first[1:], place - 1


def one_row_per_unit(table: Table) -> IntArray:
    """The first row of every unit that is split."""
    return np.sort(_units(table)[0])


def _published(table: Table, seed: int) -> Parts:
    """The published parts; of published folds, the seed names the one that is tested."""
    if table.parts is None:
        raise InputError(f"Data set `{table.name}` has no published split. Leave out --split.")
    names = {str(v) for v in np.unique(table.parts.astype(str))}
    if names <= {"train", "validation", "test"}:
        found = [np.flatnonzero(table.parts == n) for n in ("train", "validation", "test")]
    else:
        folds = sorted(names)
        tested, chosen = folds[seed % len(folds)], folds[(seed + 1) % len(folds)]
        fold = table.parts.astype(str)
        found = [
            np.flatnonzero((fold != tested) & (fold != chosen)),
            np.flatnonzero(fold == chosen),
            np.flatnonzero(fold == tested),
        ]
    return _checked(table, Parts(*found))


def _checked(table: Table, parts: Parts) -> Parts:
    for name, rows in parts._asdict().items():
        if not len(rows):
            raise InputError(f"Data set `{table.name}` has no {name} rows in its published split.")
        if len(np.unique(table.truth[rows])) < 2:
            raise InputError(
                f"Data set `{table.name}` is too small to split: its {name} rows lack a label. "
                "Take more rows."
            )
    return parts


def choose(validated: Sequence[Mapping[str, float]], notion: str, margin: float) -> int:
    """Which of several runs to take, from their figures on the validation rows.

    Examples
    --------
    >>> runs = [
    ...     {"balanced_accuracy": 0.80, "tpr.if": 0.5},
    ...     {"balanced_accuracy": 0.78, "tpr.if": 0.3},
    ...     {"balanced_accuracy": 0.50, "tpr.if": 0.0},
    ... ]
    >>> choose(runs, "equal_opportunity", margin=0.03)
    1
    """
    least = max(run["balanced_accuracy"] for run in validated) - margin
    # Rounding must not decide whether a run lies on the margin.
    near = [i for i, run in enumerate(validated) if run["balanced_accuracy"] >= least - 1e-12]
    return min(near, key=lambda i: (validated[i][UNFAIRNESS[notion]], -validated[i]["balanced_accuracy"], i))
