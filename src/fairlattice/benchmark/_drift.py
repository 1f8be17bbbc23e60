"""Two tables, earlier and later: who is in them, how a model fares, and whether synthetic rows still fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairlattice._column import index_of
from fairlattice._validation import check_choice, check_columns_exist, check_count, check_same_length
from fairlattice.benchmark._classifiers import make_classifier
from fairlattice.benchmark._diagnose import SOURCES
from fairlattice.benchmark._diagnosis import LEAST, MADE
from fairlattice.benchmark._held_out import HeldOut, hold_out
from fairlattice.benchmark._splits import child_seed
from fairlattice.diagnostics import MMDTest, mmd_test
from fairlattice.diagnostics._shared import adjusted
from fairlattice.encoders import TableEncoder
from fairlattice.exceptions import InputError
from fairlattice.groups import Attribute, Group, GroupCounts, GroupLattice
from fairlattice.groups._shared import Grouping
from fairlattice.metrics import AuditSeries, Change, audit_series
from fairlattice.samplers import CellIndex
from fairlattice.strategies._shared import AUGMENT

PERIOD = "table"
EARLIER, LATER = "1 earlier", "2 later"


@dataclass(frozen=True, eq=False)
class CellDrift:
    """One cell's rows, earlier and later.

    Parameters
    ----------
    group, label
        The cell.
    n_earlier, n_later : int
        Its rows in the two tables.
    real, made : MMDTest
        The earlier table's real rows, and rows made from them, against the later table's.
    p_real, p_made : float
        Their p-values, by Holm over all cells.
    """

    group: Group
    label: Any
    n_earlier: int
    n_later: int
    real: MMDTest
    made: MMDTest
    p_real: float
    p_made: float

    @property
    def fits(self) -> bool:
        """Whether synthetic rows cannot be distinguished from the later ones, at 5 % over all cells."""
        return self.p_made > 0.05


@dataclass(frozen=True, eq=False)
class Drift:
    """What changed between two tables. Made by :func:`drift`.

    Parameters
    ----------
    series : AuditSeries
        A model trained on half of the earlier table, audited on the other half and on the later table.
    cells : tuple of CellDrift
        The cells that have enough rows in both.
    """

    series: AuditSeries
    cells: tuple[CellDrift, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Changes of composition, of rates, and of fairness, beyond noise."""
        return self.series.changes


def drift(
    X: Any,
    y: Any,
    later_X: Any,
    later_y: Any,
    *,
    sensitive_features: Any,
    later_features: Any,
    source: str = AUGMENT,
    classifier: Any = "logistic",
    max_rows: int = 300,
    permutations: int = 499,
    positive: Any = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    missing: str = "level",
    na: Sequence[str] | None = None,
    decimal: str | None = None,
    categorical: Sequence[str] = (),
    keep: Sequence[str] = (),
    random_state: int = 0,
) -> Drift:
    """Compare an earlier table with a later one: composition, fairness, and the generator's fit.

    Parameters
    ----------
    X, y, sensitive_features
        The earlier table, as in :func:`compare`.
    later_X, later_y, later_features
        The later table, with the same columns.
    source : {"augment", "paper", "parents", "smote"}, default="augment"
        Whose synthetic rows are compared with the later table's.
    classifier : {"logistic", "mlp", "boosting"} or classifier, default="logistic"
        The model whose rates are followed.
    max_rows, permutations, random_state
        As in :func:`diagnose`.
    positive, cuts, missing, na, decimal, categorical, keep
        As in :func:`compare`.

    Returns
    -------
    Drift
        Changes beyond noise, and for every cell whether synthetic rows still fit.

    Raises
    ------
    InputError
        If lengths or columns differ, or the later table has labels that the earlier one lacks.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> def table(n, share):
    ...     S = {"sex": rng.choice(["f", "m"], n, p=[share, 1 - share])}
    ...     return rng.normal(size=(n, 2)), rng.integers(0, 2, n), S
    >>> (X, y, S), (X2, y2, S2) = table(1000, 0.2), table(1000, 0.5)
    >>> found = drift(X, y, X2, y2, sensitive_features=S, later_features=S2, permutations=99)
    >>> sorted({change.kind for change in found.changes})
    ['composition']
    """
    check_choice("source", source, SOURCES)
    seed = check_count("random_state", random_state, 0)
    check_count("max_rows", max_rows, 10)
    check_count("permutations", permutations, 19)
    encoder = TableEncoder(na=na, decimal=decimal, categorical=categorical, keep=keep)
    grouping = Grouping(cuts, missing)
    split = hold_out(X, y, sensitive_features, grouping=grouping, share=0.5, seed=seed, encoder=encoder)
    labels = split.labels.apply(later_y, "later_y")
    later_features = split.attributes.apply(later_features)
    truth = index_of(labels, split.classes)
    if (truth < 0).any():
        odd = labels.tolist()[int(np.argmin(truth))]
        raise InputError(f"`later_y` holds {odd!r}, which the earlier table's labels {split.classes} lack.")
    found = Grouping(cuts, missing).lattice(later_features)
    check_columns_exist(split.lattice.names, found.names)
    in_order = {a.name: a for a in found.attributes}
    both = split.lattice.union(GroupLattice(tuple(in_order[name] for name in split.lattice.names)))
    leaves = both.encode(later_features)
    check_same_length(later_X=later_X, later_y=truth, later_features=leaves)
    Z = split.encoder.vectors(later_X)
    model = make_classifier(classifier, child_seed(seed)).fit(split.Z, split.index.labels)
    earlier = _counts(both, split.lattice.recode(split.held.leaves, both), split.held.labels,
                      model.predict(split.Z_held), split.classes, EARLIER)  # fmt: skip
    later = _counts(both, leaves, truth, model.predict(Z), split.classes, LATER)
    series = audit_series(earlier + later, PERIOD, positive=positive)
    index = CellIndex(both, leaves, truth, len(split.classes))
    return Drift(series, _cells(split, both, index, Z, source, max_rows, permutations, seed))


def _counts(
    lattice: GroupLattice, leaves: Any, truth: Any, predicted: Any, classes: tuple[Any, ...], period: str
) -> GroupCounts:
    """Counts with the table as an attribute of its own, before the others."""
    dated = GroupLattice((Attribute(PERIOD, (period,)), *lattice.attributes))
    return GroupCounts.from_codes(dated, classes, leaves, truth, np.asarray(predicted, dtype=np.int64))


def _cells(
    split: HeldOut,
    both: GroupLattice,
    index: CellIndex,
    Z: Any,
    source: str,
    max_rows: int,
    permutations: int,
    seed: int,
) -> tuple[CellDrift, ...]:
    """For every cell with enough rows in both tables, compare earlier real and synthetic rows with later ones."""
    where = {int(both.code(split.lattice.leaf(cell.leaf))): cell.leaf for cell, _ in split.index.cells()}
    having = [
        (cell._replace(leaf=where[cell.leaf]), cell)
        for cell, n in index.cells()
        if n >= LEAST and cell.leaf in where
    ]
    having = [(old, new) for old, new in having if len(split.index.rows(old)) >= LEAST]
    wanted = {old: min(max(len(index.rows(new)), MADE), max_rows) for old, new in having}
    made = split.valid_rows(source, wanted, seed)
    tests = []
    for old, new in having:
        rng = np.random.default_rng([seed, 3, *new])
        then, now = (
            Z_own[rng.permutation(rows)[:max_rows]]
            for Z_own, rows in ((split.Z, split.index.rows(old)), (Z, index.rows(new)))
        )
        tests.append([mmd_test(rows, now, permutations=permutations, rng=rng) for rows in (then, made[old])])
    p = [adjusted([pair[i].p_value for pair in tests]) for i in (0, 1)]
    return tuple(
        CellDrift(
            both.group(new.leaf),
            split.classes[new.label],
            len(split.index.rows(old)) + len(split.held.rows(old)),
            len(index.rows(new)),
            tests[i][0],
            tests[i][1],
            float(p[0][i]),
            float(p[1][i]),
        )
        for i, (old, new) in enumerate(having)
    )
