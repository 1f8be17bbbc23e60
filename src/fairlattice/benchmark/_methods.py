"""The methods of the literature by name, and how they meet the strategies for training rows.

A method is an objective or a classifier with a grid of hyper-parameters; a strategy says which rows it is
trained on, with which weights, and how it decides. ``fairgrad+augment`` is FairGrad on augmented rows with equal
sampling, ``fairgrad`` alone FairGrad on the table as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from fairlattice._validation import check_choice
from fairlattice.benchmark._classifiers import CLASSIFIERS
from fairlattice.benchmark._protocol import Settings
from fairlattice.strategies._shared import BASELINE as NO_STRATEGY
from fairlattice.strategies._shared import AnyStrategy, strategy_of

Grid = Sequence[Mapping[str, Any]]


@runtime_checkable
class Method(Protocol):
    """What a method is; a class with these four, in a file of its own, is a plugin.

    ``make`` gets the seed, the settings and one entry of the grid, and returns a classifier with
    ``fit(X, y)`` and ``predict_proba``. If its ``fit`` takes ``sensitive_features`` (an array of shape (n, p)
    of level numbers) or ``sample_weight``, they are passed; without the latter, rows are drawn by weight.
    """

    @property
    def name(self) -> str:
        """What it is asked for by."""
        ...

    @property
    def about(self) -> str:
        """One line for a reader."""
        ...

    @property
    def grid(self) -> Grid:
        """Hyper-parameters to choose among, one entry per run."""
        ...

    def make(self, *, seed: int, settings: Settings, **hyper: Any) -> Any:
        """A classifier, not fitted."""
        ...


@dataclass(frozen=True)
class NeuralMethod:
    """A method that trains the network with an objective of its own."""

    name: str
    about: str
    objective: str
    grid: Grid = ({},)
    has_notion: bool = False

    def make(self, *, seed: int, settings: Settings, **hyper: Any) -> Any:
        """The network's classifier with the objective."""
        import torch  # noqa: F401 - before it trains, so that its threads can be limited

        from fairlattice import classifiers

        notion = {"notion": settings.notion} if self.has_notion else {}
        objective = getattr(classifiers, self.objective)(**hyper, **notion)
        return classifiers.NeuralClassifier(objective, **asdict(settings.network), random_state=seed)


@dataclass(frozen=True)
class ProjectionMethod:
    """Iterative nullspace projection of the network's last hidden layer."""

    name: str
    about: str
    grid: Grid

    def make(self, *, seed: int, settings: Settings, **hyper: Any) -> Any:
        """The network, projected."""
        import torch  # noqa: F401 - before it trains, so that its threads can be limited

        from fairlattice.classifiers import NullspaceClassifier

        return NullspaceClassifier(**hyper, **asdict(settings.network), random_state=seed)


@dataclass(frozen=True)
class PlainMethod:
    """A classifier of scikit-learn."""

    name: str
    about: str
    grid: Grid = ({},)

    def make(self, *, seed: int, settings: Settings, **hyper: Any) -> Any:  # noqa: ARG002 - a method gets them
        """The classifier."""
        return CLASSIFIERS[self.name](seed).set_params(**hyper)


def _weights(*values: float) -> Grid:
    return tuple({"weight": value} for value in values)


BASELINE = "unconstrained"
METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        NeuralMethod(BASELINE, "the network, blind to groups", "Unconstrained"),
        NeuralMethod(
            "adversarial", "gradient reversal, a head per attribute", "Adversarial", _weights(0.1, 1.0, 10.0)
        ),
        NeuralMethod(
            "fairgrad", "group weights updated in training (2206.10923)", "FairGrad",
            _weights(1e-5, 1e-4, 1e-3), has_notion=True,
        ),
        ProjectionMethod(
            "inlp", "nullspace projection (2004.07667)", tuple({"n_iterations": n} for n in (2, 5, 10))
        ),
        NeuralMethod(
            "fairmixup", "smooth paths between groups (2103.06503)", "FairMixup", _weights(0.1, 1.0, 10.0),
            has_notion=True,
        ),
        NeuralMethod(
            "df", "differential fairness of soft counts (1807.08362)", "SoftDifferentialFairness",
            _weights(0.01, 0.1, 1.0), has_notion=True,
        ),
        NeuralMethod(
            "dro", "group distributionally robust (1911.08731)", "GroupDRO", _weights(0.001, 0.01, 0.1)
        ),
        PlainMethod("logistic", "logistic regression, blind to groups", ({"C": 1.0},)),
        PlainMethod("boosting", "gradient-boosted trees, blind to groups"),
    )
}  # fmt: skip
"""The methods that come along; plugins add theirs."""

NEURAL = tuple(name for name, m in METHODS.items() if not isinstance(m, PlainMethod))


@dataclass(frozen=True, slots=True)
class Combination:
    """A method and the strategy that it is trained by.

    Examples
    --------
    >>> Combination.parse("fairgrad+augment", METHODS)
    Combination(method='fairgrad', strategy='augment')
    >>> Combination.parse("fairgrad", METHODS).name
    'fairgrad'
    """

    method: str
    strategy: str = NO_STRATEGY

    @classmethod
    def parse(
        cls, text: str, methods: Mapping[str, Method], strategies: Mapping[str, AnyStrategy] | None = None
    ) -> Combination:
        """``METHOD`` or ``METHOD+STRATEGY``, where further strategies may be known by name.

        Raises
        ------
        InputError
            If there is no such method or strategy.
        """
        method, sign, strategy = text.strip().partition("+")
        check_choice("methods", method, tuple(methods))
        return cls(method, strategy_of(strategy if sign else NO_STRATEGY, known=strategies).name)

    @property
    def name(self) -> str:
        """As it is asked for."""
        return self.method if self.strategy == NO_STRATEGY else f"{self.method}+{self.strategy}"
