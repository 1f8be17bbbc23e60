"""Any scikit-learn classifier, trained by any strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.utils import assert_all_finite, check_consistent_length, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from fairlattice._validation import (
    IntArray,
    as_columns,
    check_choice,
    check_frame,
    check_same_length,
    is_missing,
    row_count,
)
from fairlattice.encoders import TableEncoder
from fairlattice.exceptions import InputError
from fairlattice.groups import GroupLattice
from fairlattice.groups._shared import Grouping, find_class
from fairlattice.samplers import CellIndex, HierarchicalAugmenter
from fairlattice.samplers._shared import check_device, entropy_of, groups_of
from fairlattice.strategies._default import default_for
from fairlattice.strategies._leaf_thresholds import NOTIONS
from fairlattice.strategies._lookup import aimed_at, strategy_of
from fairlattice.strategies._row_sources import AugmenterRows
from fairlattice.strategies._strategy import AUTO, AnyStrategy, Strategy
from fairlattice.strategies._training import PER_CELL, TrainingTable, Vectors
from fairlattice.tables._shared import Rules, read_attributes


def _estimator_has(method: str) -> Any:
    def check(self: FairClassifier) -> bool:
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return available_if(check)


class FairClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Train a classifier by a strategy, as :func:`fairlattice.compare` does.

    Groups are needed in training; prediction looks at X alone, except under strategies whose decision depends on the
    group, such as "thresholds".

    Parameters
    ----------
    estimator : classifier
        Any scikit-learn classifier or pipeline that ends in one; it is cloned. Of a pipeline that begins with a
        :class:`TableEncoder`, the encoder is fitted to the original rows only.
    strategy : str, Strategy or object, default="auto"
        A name, such as "borrow"; parts with + between them, such as "smote+learned+thresholds"; a :class:`Strategy`;
        or an object with `name` and ``fit(table)``. ``fairlattice.STRATEGIES`` lists the names. "auto" is the default
        of :func:`fairlattice.compare` for the estimator: "minimax", or "borrow" for one that gives no scores. It is
        "equal" where the label has more than two classes or an augmenter is given.
    augmenter : HierarchicalAugmenter, optional
        Draws the synthetic rows in place of the strategy's own source. Its `sensitive`, `cuts` and `missing` hold.
    cuts : mapping of str to sequence of float, optional
        Cut points of numeric attributes, as in ``{"age": [25, 45]}``.
    missing : {"level", "raise"}, default="level"
        Give missing values of an attribute a level of their own, or refuse them.
    na : sequence of str, optional
        Texts that mean a missing value of an attribute, in place of :data:`fairlattice.tables.MISSING_SPELLINGS`.
    decimal : {".", ","}, optional
        Decimal mark of an attribute's numbers that are text, in place of the one that fits all.
    positive : label, optional
        The positive one of two labels, which decisions and notions such as "equal_opportunity" are about. By default,
        the one that sorts last. If it is given, the estimator is trained on 1 for it and 0 for the other label, as
        :func:`fairlattice.compare` trains it.
    notion : {"equalized_odds", "equal_opportunity", "demographic_parity", "accuracy"}, default="equalized_odds"
        What thresholds per leaf aim at (:class:`LeafThresholds`); weights, and other decisions, aim at equalized odds.
    per_cell : int, default=1000
        Strategies with synthetic rows raise smaller (leaf, label) cells to this many rows, at most to the largest
        cell's number.
    device : str, optional
        PyTorch device, such as "cuda", on which mixes and membership models are fitted in double precision. By
        default, NumPy fits them. The estimator is not moved to this device.
    random_state : int, sequence of int, RandomState or None, default=None
        Seed of everything that the strategy draws. With the integer that was the `random_state` of a comparison, or
        the pair ``(random_state, repeat)``, the model is the one of that comparison.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier, on rows as X has them. If `positive` is given, its labels are 0 and 1.
    strategy_ : Strategy
        What it was trained by.
    fitted_ : FittedStrategy
        The classifier and the thresholds of its decision.
    lattice_ : GroupLattice
        The groups of the training rows.
    classes_ : array
        The labels, in order; if `positive` is given, the other label and then the positive one.

    Raises
    ------
    InputError
        In ``fit``, if a strategy that uses groups gets none, the strategy or its parts are unknown, `positive` is not
        one of two labels, learned weights or thresholds meet more than two labels, or X holds what the estimator cannot
        take. In ``predict``, if the strategy needs groups and gets none.

    Examples
    --------
    >>> import numpy as np
    >>> from fairlattice import FairClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X, S = rng.normal(size=(300, 2)), rng.choice(["a", "b", "c"], 300)
    >>> y = (X[:, 0] + rng.normal(size=300) > 0).astype(int)
    >>> model = FairClassifier(LogisticRegression(), strategy="borrow", random_state=0)
    >>> model.fit(X, y, sensitive_features=S).predict([[3.0, 0.0], [-3.0, 0.0]])
    array([1, 0])
    >>> model.set_params(strategy="thresholds").fit(X, y, sensitive_features=S)
    FairClassifier(estimator=LogisticRegression(), random_state=0,
                   strategy='thresholds')
    >>> model.predict([[3.0, 0.0], [-3.0, 0.0]], sensitive_features=["a", "a"])
    array([1, 0])
    """

    def __init__(
        self,
        estimator: Any,
        strategy: Any = AUTO,
        *,
        augmenter: HierarchicalAugmenter | None = None,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        na: Sequence[str] | None = None,
        decimal: str | None = None,
        positive: Any = None,
        notion: str = "equalized_odds",
        per_cell: int = PER_CELL,
        device: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.strategy = strategy
        self.augmenter = augmenter
        self.cuts = cuts
        self.missing = missing
        self.na = na
        self.decimal = decimal
        self.positive = positive
        self.notion = notion
        self.per_cell = per_cell
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, sensitive_features: Any = None) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : frame or array of shape (n, d)
            Training rows, as the estimator takes them.
        y : array-like of shape (n,)
            Labels.
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
            The sensitive attributes; may be left out for strategies that do not use them, such as "label".
        """
        check_choice("notion", self.notion, NOTIONS)
        check_device(self.device)
        strategy_of(self.strategy)  # refuses what is none before anything else
        check_frame(X, "X")
        validate_data(self, X=X, skip_check_array=True)
        labels = column_or_1d(y, warn=True)
        try:
            assert_all_finite(labels, input_name="y")
        except ValueError as error:
            raise InputError(str(error)) from error
        if np.ma.is_masked(y) or (labels.dtype.kind == "O" and any(map(is_missing, labels))):
            raise InputError("Input y contains missing values. Remove these rows first.")
        check_classification_targets(labels)
        check_consistent_length(X, y)
        if not len(labels):
            raise InputError("`X` has no rows.")
        self.strategy_ = self._strategy(len(np.unique(labels)))
        index, self.classes_ = self._cells(X, labels, sensitive_features)
        self.lattice_ = index.lattice
        self._encoder, estimator = _split_encoder(self.estimator)
        encoded = None if self._encoder is None else Vectors(self._encoder, self._encoder.fit_vectors(X))
        table = TrainingTable(
            X,
            index,
            self.classes_ if self.positive is None else np.arange(2),
            estimator,
            entropy_of(self.random_state),
            on_vectors=self._encoder is not None,
            per_cell=self.per_cell,
            max_categories=64 if self.augmenter is None else self.augmenter.max_categories,
            encoded=encoded,
            reading=None if self._encoder is None else self._encoder.features_,
            device=self.device,
        )
        try:
            self.fitted_ = self.strategy_.fit(table)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            advice = _advice(X, self.estimator)
            message = str(error).splitlines()[0].rstrip(".")
            raise InputError(f"{type(self.estimator).__name__} says: {message}.{advice}") from error
        self.estimator_ = _joined(self.estimator, self._encoder, self.fitted_.model)
        return self

    def predict(self, X: Any, *, sensitive_features: Any = None) -> Any:
        """Predicted labels, of shape (n,).

        Parameters
        ----------
        X : frame or array of shape (n, d)
            Rows like those of ``fit``.
        sensitive_features : frame, mapping of arrays, Series, or array, optional
            The sensitive attributes, where the strategy needs them to decide; others ignore them.
        """
        rows = self._rows(X)
        if self.fitted_.decision is None and not self.strategy_.needs_groups and self.positive is None:
            return self.fitted_.model.predict(rows)
        lattice, leaves = self.lattice_, np.zeros(row_count(X), dtype=np.int64)
        if self.strategy_.needs_groups:
            lattice, leaves = self._groups_at_prediction(X, sensitive_features)
        return self.classes_[self.fitted_.predict(rows, lattice, leaves)]

    @_estimator_has("predict_proba")  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Probability of every class, of shape (n, K), before any threshold of the strategy."""
        rows = self._rows(X)
        return self.fitted_.model.predict_proba(rows)

    @_estimator_has("decision_function")  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """The estimator's decision values, before any threshold of the strategy."""
        rows = self._rows(X)
        return self.fitted_.model.decision_function(rows)

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, sensitive_features: Any = None) -> float:
        """Accuracy on given rows."""
        predicted = self.predict(X, sensitive_features=sensitive_features)
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))

    def _strategy(self, n_classes: int) -> AnyStrategy:
        """The strategy for the notion, with the augmenter as its row source if there is one."""
        plain = self.augmenter is not None or n_classes > 2
        auto = "equal" if plain else default_for(self.estimator)
        strategy = aimed_at(strategy_of(self.strategy, auto=auto), self.notion)
        if self.augmenter is None:
            return strategy
        if not isinstance(strategy, Strategy) or strategy.makes_rows:
            raise InputError(
                f"Strategy `{strategy.name}` has synthetic rows of its own. Pass `augmenter` with a strategy that "
                "has none, such as 'equal'."
            )
        return replace(strategy, rows=AugmenterRows(self.augmenter))

    def _cells(self, X: Any, labels: Any, groups: Any) -> tuple[CellIndex, Any]:
        """Leaf and label of every row, and the labels by their codes; attributes are encoded here and only here."""
        source = self if self.augmenter is None else self.augmenter
        grouping, inside = Grouping(source.cuts, source.missing), getattr(source, "sensitive", None)
        if self.strategy_.uses_groups and groups is None and inside is None:
            raise InputError(
                f"Strategy `{self.strategy_.name}` uses groups: pass `sensitive_features` to `fit`, or take "
                "strategy='label', which balances labels alone."
            )
        classes, codes = np.unique(labels, return_inverse=True)
        if self.positive is not None:
            chosen = _place_of(self.positive, classes)
            classes, codes = classes[[1 - chosen, chosen]], (codes == chosen).astype(np.int64)
        lattice, leaves = GroupLattice(()), np.zeros(len(codes), dtype=np.int64)
        if groups is not None or inside is not None:
            clean, self._attribute_reading = read_attributes(
                groups_of(X, groups, inside), Rules(source.na, source.decimal)
            )
            lattice, leaves = grouping.encode(clean)
        check_same_length(y=codes, sensitive_features=leaves)
        return CellIndex(lattice, leaves, codes.astype(np.int64), len(classes)), classes

    def _groups_at_prediction(self, X: Any, groups: Any) -> tuple[GroupLattice, IntArray]:
        """Leaf of every row; a level that no training row has is kept, and decided by the parents."""
        if groups is None:
            raise InputError(
                f"Strategy `{self.strategy_.name}` needs groups at prediction: pass `sensitive_features` to `predict`."
            )
        groups = self._attribute_reading.apply(groups)
        lattice = self.lattice_.extended(groups)
        leaves = lattice.encode(groups)
        check_same_length(X=X, sensitive_features=leaves)
        return lattice, leaves

    def _rows(self, X: Any) -> Any:
        """Rows as the classifier behind the encoder takes them."""
        check_is_fitted(self)
        if getattr(X, "ndim", 2) == 2:  # otherwise the estimator itself says best what is wrong
            validate_data(self, X=X, skip_check_array=True, reset=False)
        return X if self._encoder is None else self._encoder.vectors(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = self.augmenter is None and inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.classifier_tags.multi_class = (
            inner.classifier_tags.multi_class if inner.classifier_tags else True
        )
        return tags


def _place_of(positive: Any, classes: Any) -> int:
    """Which of two labels is the positive one."""
    if len(classes) != 2:
        raise InputError(f"`positive` names one of two labels, but there are {len(classes)}. Leave it out.")
    known = tuple(classes.tolist())
    return known.index(find_class(known, positive, "Positive label"))


def _split_encoder(estimator: Any) -> tuple[TableEncoder | None, Any]:
    """A pipeline's first step, if it is a table encoder, and the classifier behind it."""
    if not isinstance(estimator, Pipeline) or len(estimator) < 2 or type(estimator[0]) is not TableEncoder:
        return None, estimator
    return clone(estimator[0]), estimator[1] if len(estimator) == 2 else estimator[1:]


def _joined(estimator: Any, encoder: TableEncoder | None, model: Any) -> Any:
    """A fitted classifier behind its fitted encoder, in a pipeline with the steps' own names."""
    if encoder is None:
        return model
    names = [name for name, _ in estimator.steps]
    behind = [model] if len(names) == 2 else [step for _, step in model.steps]
    return Pipeline(list(zip(names, [encoder, *behind], strict=True)))


def _advice(X: Any, estimator: Any) -> str:
    """What to do where the estimator could not be trained on X because of text or missing values; else nothing."""
    try:
        columns = as_columns(X, "X", default="x")
    except InputError:
        return ""
    text = [name for name, column in columns.items() if column.values.dtype.kind not in "biuf"]
    holes = [name for name, column in columns.items() if column.missing.any()]
    if not text and not holes:
        return ""
    held = [
        f"Columns {names} hold {what}."
        for names, what in ((text, "text"), (holes, "missing values"))
        if names
    ]
    name = type(estimator[-1] if isinstance(estimator, Pipeline) else estimator).__name__
    return (
        f" {' '.join(held)} Put an encoder before the classifier: "
        f"`make_pipeline(fairlattice.TableEncoder(), {name}())`."
    )
