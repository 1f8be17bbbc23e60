"""A strategy: where training rows come from, how they are weighted, and how a score becomes a decision.

Any row source meets any weighting and any decision. Names are presets of the three, and every other part of the
library asks these objects: nothing else lists the names of strategies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from fairlattice._column import index_of
from fairlattice._validation import FloatArray, IntArray, did_you_mean
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice
from fairlattice.strategies._decision import Decision, FittedDecision
from fairlattice.strategies._decisions import DECISIONS
from fairlattice.strategies._folds import out_of_fold_scores, scores_of
from fairlattice.strategies._row_sources import ROW_SOURCES, RowSource
from fairlattice.strategies._training import TrainingRows, TrainingTable, levels_of
from fairlattice.strategies._weighted_fit import fit_weighted
from fairlattice.strategies._weightings import WEIGHTINGS, Weighting

_DRAWING = 8  # stream of rows drawn by weight


class AnyStrategy(Protocol):
    """What a strategy has: ours, and one of your own made by :func:`strategy_of`."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def about(self) -> str:
        """One line for a reader."""
        ...

    @property
    def makes_rows(self) -> bool:
        """Whether it trains on synthetic rows."""
        ...

    @property
    def uses_groups(self) -> bool:
        """Whether it looks at the groups of the training rows."""
        ...

    @property
    def needs_groups(self) -> bool:
        """Whether the groups are needed at prediction."""
        ...

    @property
    def ablations(self) -> tuple[Strategy, ...]:
        """The same with one part removed each, which its gains are measured against."""
        ...

    def fit(self, table: TrainingTable, rows: TrainingRows | None = None) -> FittedStrategy:
        """Train the table's classifier."""
        ...


@dataclass(frozen=True)
class Strategy:
    """Row source × weighting × decision, each by name or as an object.

    Parameters
    ----------
    rows : {"own", "smote", "parents", "paper", "augment"} or row source, default="own"
        Where synthetic rows of small cells come from; "own" draws none.
    weights : {"none", "label", "equal", "learned", "borrow"} or weighting, default="equal"
        How much each row counts.
    decision : {".5", "tuned", "expected", "minimax", "thresholds"} or decision, default=".5"
        How a score becomes a label.

    Raises
    ------
    InputError
        If there is no part of a name, or an object lacks what a part needs.

    Examples
    --------
    >>> strategy = Strategy(rows="smote", weights="learned")
    >>> strategy.name
    'smote+learned'
    >>> [ablation.name for ablation in strategy.ablations]
    ['adaptive', 'smote']
    >>> Strategy(decision="thresholds", weights="label").needs_groups
    True
    """

    rows: Any = "own"
    weights: Any = "equal"
    decision: Any = ".5"

    def __post_init__(self) -> None:
        for kind in KINDS:
            object.__setattr__(self, kind.part, kind.find(getattr(self, kind.part)))

    @cached_property
    def name(self) -> str:
        """The preset's name, or those of the parts with + between them."""
        return next(
            (n for n, s in STRATEGIES.items() if s._kinds() == self._kinds()), "+".join(self._named())
        )

    @property
    def parts(self) -> tuple[RowSource, Weighting, Decision]:
        """The row source, the weighting and the decision."""
        return self.rows, self.weights, self.decision

    @cached_property
    def about(self) -> str:
        """One line for a reader."""
        rows = [self.rows.about] if self.makes_rows else []
        decision = [] if self.decision == DECISIONS[".5"] else [self.decision.about]
        return "; ".join([*rows, self.weights.about, *decision])

    @property
    def trains(self) -> tuple[RowSource, Weighting]:
        """What the model follows from: strategies that differ in their decision alone share it."""
        return self.rows, self.weights

    @property
    def makes_rows(self) -> bool:
        """Whether it trains on synthetic rows."""
        return bool(self.rows.makes_rows)

    @property
    def uses_groups(self) -> bool:
        """Whether it looks at the groups of the training rows."""
        by_decision = bool(getattr(self.decision, "uses_groups", self.needs_groups))
        return self.makes_rows or bool(self.weights.uses_groups) or by_decision

    @property
    def needs_groups(self) -> bool:
        """Whether the groups are needed at prediction."""
        return bool(self.decision.needs_groups)

    @property
    def ablations(self) -> tuple[Strategy, ...]:
        """The same with one part removed each, which its gains are measured against."""
        found = [replace(self, rows="own")] if self.makes_rows else []
        if self.decision != DECISIONS[".5"]:
            found.append(replace(self, decision=".5"))
        simpler = getattr(self.weights, "simpler", "none")
        if simpler is not None:
            found.append(replace(self, weights=simpler))
        return tuple(found)

    def prepare(self, table: TrainingTable) -> TrainingRows:
        """The rows to train on and their weights."""
        rows = table.with_synthetic(self.rows.draw(table, table.shortfalls()) if self.makes_rows else {})
        return replace(rows, weights=self.weights.weights(table, rows))

    def fit(self, table: TrainingTable, rows: TrainingRows | None = None) -> FittedStrategy:
        """Train the table's classifier.

        Parameters
        ----------
        table : TrainingTable
            Training rows, groups and labels, and the classifier.
        rows : TrainingRows, optional
            What :meth:`prepare` returned for the table, where it is known already.
        """
        kept: dict[Any, Any] = table.kept if rows is None else {}
        model = _once(
            kept, ("model", *self.trains), lambda: self._trained(table, rows or self.prepare(table))
        )

        def scores() -> FloatArray:
            found: FloatArray = _once(
                kept, ("scores", *self.trains), lambda: out_of_fold_scores(table, self._fit_part)
            )
            return found

        return FittedStrategy(model, self.decision.choose(table, scores), table.classes)

    def _fit_part(self, part: TrainingTable) -> Any:
        return self._trained(part, self.prepare(part))

    @staticmethod
    def _trained(table: TrainingTable, rows: TrainingRows) -> Any:
        model = clone(table.estimator, safe=False)  # of methods of one's own, a copy
        y, rng = table.labels_of(rows.labels), table.rng(_DRAWING)
        groups = {}
        if has_fit_parameter(model, "sensitive_features"):
            groups["sensitive_features"] = np.stack(table.index.lattice.digits(rows.leaves), axis=1)
        return fit_weighted(model, rows.X, y, rows.weights, rng=rng, **groups)

    def _kinds(self) -> list[tuple[type, str]]:
        """What kind of part each is, whatever its options."""
        return [(type(part), part.name) for part in self.parts]

    def _named(self) -> list[str]:
        """Names of the parts, without the weights where these are the default for the others."""
        rows = [self.rows.name] if self.makes_rows else []
        decision = [] if self.decision == DECISIONS[".5"] else [self.decision.name]
        default = "equal" if rows else "label" if decision else None
        weights = [] if self.weights.name == default else [self.weights.name]
        return [*rows, *weights, *decision]


def _once(kept: dict[Any, Any], key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """What was made for a key, or is made now."""
    try:
        known = key in kept
    except TypeError:  # a part of the user's own that cannot be a key
        return make()
    if not known:
        kept[key] = make()
    return kept[key]


@dataclass(frozen=True, eq=False)
class FittedStrategy:
    """A trained classifier, and how its scores become labels.

    Parameters
    ----------
    model : classifier
        Takes rows as the training table's classifier does.
    decision : FittedDecision or None
        Thresholds; None leaves the decision to the classifier.
    classes : array
        The labels in order of their codes.
    own_groups : bool
        Whether the classifier's own ``predict`` takes `sensitive_features`.
    """

    model: Any
    decision: FittedDecision | None
    classes: npt.NDArray[Any] = field(repr=False)
    own_groups: bool = False

    def predict(self, X: Any, lattice: GroupLattice, leaves: IntArray) -> IntArray:
        """Label codes of rows, whose groups are leaf codes of a lattice."""
        if self.decision is not None:
            return self.decision.above(scores_of(self.model, X), X, lattice, leaves).astype(np.int64)
        if not hasattr(self.model, "predict"):  # probabilities are all that a method of `bench` must have
            return (scores_of(self.model, X) > 0.5).astype(np.int64)
        groups = {"sensitive_features": levels_of(lattice, leaves)} if self.own_groups else {}
        predicted = np.asarray(self.model.predict(X, **groups))
        return index_of(predicted, self.classes.tolist())

    def score(self, X: Any) -> FloatArray | None:
        """Probability of the second label, where the classifier gives one."""
        return scores_of(self.model, X) if hasattr(self.model, "predict_proba") else None


class Kind(NamedTuple):
    """A kind of part: what it is called, the ones there are, and what one of the user's own must have."""

    part: str
    known: Mapping[str, Any]
    needed: tuple[str, ...]

    def find(self, given: Any) -> Any:
        """The part of a name, or a part of the user's own if it has what it needs."""
        if isinstance(given, str):
            if given not in self.known:
                raise InputError(
                    f"`{self.part}` must be one of {', '.join(self.known)}, or an object; got {given!r}."
                    f"{did_you_mean(given, self.known)}"
                )
            return self.known[given]
        lacking = [name for name in self.needed if not hasattr(given, name)]
        if lacking:
            raise InputError(
                f"`{self.part}` must be a name, or an object with {', '.join(self.needed)}; "
                f"{type(given).__name__} lacks {', '.join(lacking)}."
            )
        return given


KINDS = (
    Kind("rows", ROW_SOURCES, ("name", "about", "makes_rows", "draw")),
    Kind("weights", WEIGHTINGS, ("name", "about", "uses_groups", "weights")),
    Kind("decision", DECISIONS, ("name", "about", "needs_groups", "choose")),
)
STRATEGIES: dict[str, Strategy] = {}
"""The presets by name, in the order in which they are reported."""
STRATEGIES |= {
    "none": Strategy(weights="none"),
    "label": Strategy(weights="label"),
    "equal": Strategy(weights="equal"),
    "adaptive": Strategy(weights="learned"),
    "borrow": Strategy(weights="borrow"),
    "smote": Strategy(rows="smote"),
    "parents": Strategy(rows="parents"),
    "paper": Strategy(rows="paper"),
    "augment": Strategy(rows="augment"),
    "tuned": Strategy(weights="label", decision="tuned"),
    "minimax": Strategy(weights="label", decision="minimax"),
    "thresholds": Strategy(weights="label", decision="thresholds"),
}
BASELINE, DEFAULT, WEIGHTS, AUGMENT = "none", "minimax", "borrow", "augment"
"""The strategy that does nothing; the one to take unless another is shown to be fairer; that of learned weights, which
takes its place where a classifier gives no scores, or where it was not compared; and the one that trains on the rows of
``fairlattice augment``."""
AUTO = "auto"
"""Means the default for the classifier. To choose a strategy by the training rows was no fairer, by any rule tried."""
