"""New rows for groups too small to learn from, drawn from rows of the groups around them.

A table is encoded as vectors, a sampler draws new ones, and these are decoded as valid rows of the table.
Sensitive columns are not generated: each is copied from a training row that has the level in question, a source
of the new row wherever possible, so that a person in the age band 25 to 45 gets an age, not a band.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fairlattice._column import index_of
from fairlattice._validation import (
    FloatArray,
    IntArray,
    check_choice,
    check_count,
    check_frame,
    check_real,
    check_same_length,
    did_you_mean,
)
from fairlattice.encoders import TableEncoder
from fairlattice.exceptions import InputError, SmallCellWarning
from fairlattice.generators._shared import MIXINGS
from fairlattice.groups import Leaf, Level
from fairlattice.groups._shared import Grouping
from fairlattice.samplers._augmented import Augmented, Origin
from fairlattice.samplers._cells import Cell, CellIndex, check_per_cell, describe_small_cells
from fairlattice.samplers._engines import engine_of, is_lazy
from fairlattice.samplers._importance import ImportanceSampler
from fairlattice.samplers._lazy import Roles, augmented, counted, sample, shortfalls
from fairlattice.samplers._mixing import SHARES, MixingSampler
from fairlattice.samplers._rows import check_same_kind, concat_rows, take_rows
from fairlattice.samplers._sampler import (
    PIECE,
    Piece,
    Sampler,
    batches_of,
    entropy_of,
    in_order,
    pieces_of,
)
from fairlattice.samplers._sensitive_columns import (
    attribute_values,
    columns_inside,
    groups_of,
    with_inside,
    without,
)
from fairlattice.samplers._smote import SmoteSampler
from fairlattice.tables._shared import Rules, read_attributes, read_labels

IMPORTANCE, SMOTE = "importance", "smote"
_MOST_LABELS = 1000
_AHEAD = 2**25  # largest number of coordinates in all batches that threads draw at the same time
_CARRIED = 10  # stream of the rows whose rare categories are copied


class HierarchicalAugmenter(BaseEstimator):  # type: ignore[misc]
    """Draw synthetic rows for the intersections of sensitive attributes from rows of the groups around them.

    The default is *importance resampling*: a row of the label is drawn for a leaf by how likely it is to be of
    it, given its features, in a membership model whose effects add up over attributes; so rows of the parents
    that resemble the leaf are drawn most. Its categories stay together, and its numbers are moved towards those
    of a similar row. The paper's method is *mixing*: for a leaf with p attributes, one row of each of its p
    parents (the groups that free one attribute, restricted to the label) is drawn, and their mix is fitted so
    that it resembles the cell's rows, and stays as diverse as the parents', by maximum mean discrepancy.

    Parameters
    ----------
    mixing : {"importance", "scalar", "diagonal", "summed", "linear", "smote"}, default="importance"
        Importance resampling; a mix ``Σ λ_i x_i``, ``Σ w_i ⊙ x_i`` or ``W Σ x_i``; or SMOTE within the cell.
    share : {"label", "cell"}, default="label"
        Of mixes: share parameters among all leaves of a label, or fit each cell its own. A cell with
        fewer rows than parents always uses its label's.
    max_copies : float, default=0.1
        Of importance resampling: the share of rows, in [0, 1], that are copied unchanged, so that both of their
        source rows are the same. The others' numbers are moved away from both source rows. They may equal a third
        training row where columns have few values. Where no number can be moved, as in tables of categories only,
        synthetic rows are copies whatever this says.
    beta : float, default=1.0
        Of mixes: weight of the parents' term of the loss; at least 0.
    bandwidths : "median" or sequence of float, default="median"
        Of mixes: kernel widths, on standardised columns; "median" takes ¼ to 4 times the median distance;
        the paper used (1, 10, 20, 30, 40, 50).
    batch_size : int, default=128
        Of mixes: rows of a cell and of each parent that the loss looks at.
    max_steps : int, default=200
        Of mixes: bound on the optimiser's steps.
    per_cell : "max" or int, default="max"
        How many rows :meth:`augment` raises every cell to.
    sensitive : sequence of str or int, optional
        Names (or positions, in an array) of the sensitive columns inside X, for use where groups
        cannot be passed separately, as in a pipeline.
    cuts : mapping of str to sequence of float, optional
        Cut points of numeric attributes, as in ``{"age": [25, 45]}``.
    missing : {"level", "raise"}, default="level"
        Give missing values of an attribute a level of their own, or refuse them.
    max_categories, na, decimal, categorical, keep
        As in :class:`TableEncoder`. Rare categories, and columns that look like identifiers, are carried from a source
        row of the synthetic one.
    n_jobs : int, default=None
        Threads that fit and draw, as scikit-learn counts them: None is one, -1 one per processor.
        Their number changes nothing about the rows.
    device : str, optional
        Of mixes and importance resampling: device of PyTorch, such as "cuda", on which parameters are fitted, in double
        precision; by default NumPy. Rows agree up to rounding, which may draw another row where two are nearly alike.
    random_state : int, sequence of int, RandomState or None, default=None
        Seed. The same integers give the same rows.

    Attributes
    ----------
    lattice_ : GroupLattice
        The groups found in training.
    classes_ : array
        The labels, in order.
    fits_ : dict
        Of mixes: label, or ``(leaf, label)``, to :class:`~fairlattice.generators.MixingFit`. Else empty.
    encoder_ : TableEncoder
        How rows become vectors and back.

    References
    ----------
    arXiv:2405.14521, Synthetic data generation for intersectional fairness by leveraging
    hierarchical group structure.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    >>> S = {"sex": rng.choice(["f", "m"], 200), "old": rng.integers(0, 2, 200)}
    >>> augmenter = HierarchicalAugmenter(random_state=0).fit(X, y, sensitive_features=S)
    >>> augmenter.sample(("f", 1), 0, 5).shape
    (5, 3)
    >>> more = augmenter.augment(X, y, sensitive_features=S, per_cell=100)
    >>> len(more.y), int(more.origin.synthetic.sum())
    (800, 600)
    """

    def __init__(
        self,
        mixing: str = IMPORTANCE,
        share: str = "label",
        *,
        max_copies: float = 0.1,
        beta: float = 1.0,
        bandwidths: str | Sequence[float] = "median",
        batch_size: int = 128,
        max_steps: int = 200,
        per_cell: str | int = "max",
        sensitive: Sequence[str | int] | None = None,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        max_categories: int = 64,
        na: Sequence[str] | None = None,
        decimal: str | None = None,
        categorical: Sequence[str] = (),
        keep: Sequence[str] = (),
        n_jobs: int | None = None,
        device: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.mixing = mixing
        self.share = share
        self.max_copies = max_copies
        self.beta = beta
        self.bandwidths = bandwidths
        self.batch_size = batch_size
        self.max_steps = max_steps
        self.per_cell = per_cell
        self.sensitive = sensitive
        self.cuts = cuts
        self.missing = missing
        self.max_categories = max_categories
        self.na = na
        self.decimal = decimal
        self.categorical = categorical
        self.keep = keep
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, sensitive_features: Any = None) -> Self:
        """Learn which rows to draw, or how to mix them.

        Parameters
        ----------
        X : frame or array of shape (n, d)
            Training rows, of any types that :class:`TableEncoder` takes. Columns of a frame that are
            called like a sensitive attribute, or that it determines, are copied along with it, not generated.
            Of a lazy frame, of polars, Dask, Spark or DuckDB, the engine counts the rows of every cell, and draws
            250,000 of them at most, as many of each cell as there are or as that allows.
        y : array-like of shape (n,), or str
            Labels, of any number of classes; of a lazy frame the name of its column.
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p), or sequence of str
            The sensitive attributes; may be left out if `sensitive` names columns of X. Of a lazy frame their names.

        Raises
        ------
        InputError
            If lengths differ, groups are not given, or an option is out of range.
        """
        if is_lazy(X):
            return self._fit_lazy(X, y, sensitive_features)
        check_frame(X, "X")
        groups = groups_of(X, sensitive_features, self.sensitive)
        rules = Rules(self.na, self.decimal)
        labels, self._label_reading = read_labels(y, "y", rules)
        clean, self._attribute_reading = read_attributes(groups, rules)
        grouping = Grouping(self.cuts, self.missing)
        self.lattice_, leaves = grouping.encode(clean)
        check_same_length(X=X, y=labels, sensitive_features=leaves)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) > _MOST_LABELS:
            raise InputError(f"`y` has {len(self.classes_):,} distinct labels, more than {_MOST_LABELS:,}.")
        self._inside = columns_inside(
            X,
            self.sensitive if sensitive_features is None else None,
            self.lattice_,
            attribute_values(clean),
        )
        left = without(X, self._inside)
        self.encoder_ = TableEncoder(
            self.max_categories,
            na=self.na,
            decimal=self.decimal,
            categorical=[name for name in self.categorical if name not in self._inside],
            keep=[name for name in self.keep if name not in self._inside],
        )
        vectors = self.encoder_.fit_vectors(left)
        self.n_features_in_ = self.encoder_.n_features_in_ + len(self._inside)
        self._X, self._y, self._S = X, y, groups
        self.__dict__.pop("_like", None)  # of an earlier fit to a lazy frame
        index = CellIndex(self.lattice_, leaves, codes.astype(np.int64), len(self.classes_))
        self._sampler = self.sampler_of(vectors, index, self.encoder_)
        self._of_label = np.unique(index.labels, return_index=True)[1]
        self.fits_ = {self._show_parameters_of(key): fit for key, fit in self._sampler.parameters.items()}
        small = describe_small_cells(index, self.classes_.tolist())
        if small:
            warnings.warn(
                f"{small} New rows of these come from their parents alone.", SmallCellWarning, stacklevel=2
            )
        return self

    def _fit_lazy(self, X: Any, y: Any, sensitive_features: Any) -> Self:
        """Fit to a sample of the rows, which the frame's own engine draws."""
        roles = Roles.of(engine_of(X).names(), y, sensitive_features, self.sensitive)
        entropy = entropy_of(self.random_state)
        rules = Rules(self.na, self.decimal)
        counts = counted(X, roles, cuts=self.cuts, missing=self.missing, rules=rules)
        rows = sample(X, counts, roles, rules=rules, seed=entropy)
        features = rows[[name for name in rows.columns if name != roles.label]]
        self.fit(features, rows.get_column(roles.label), sensitive_features=rows[list(roles.sensitive)])
        self._like = rows.clear()
        return self

    def sampler_of(self, Z: FloatArray, index: CellIndex, encoder: TableEncoder) -> Sampler:
        """The sampler that the parameters describe, fitted to encoded rows; the augmenter itself does not change."""
        check_choice("mixing", self.mixing, (IMPORTANCE, *MIXINGS, SMOTE))
        check_choice("share", self.share, SHARES)
        check_real("beta", self.beta, 0.0, 1e6)
        entropy = entropy_of(self.random_state)
        if self.mixing == SMOTE:
            return SmoteSampler(Z, index, entropy)
        if self.mixing == IMPORTANCE:
            return ImportanceSampler.fit(
                Z,
                index,
                entropy=entropy,
                blocks=encoder.blocks,
                max_copies=self.max_copies,
                snap=encoder.snap,
                crowded=encoder.crowded,
                device=self.device,
            )
        return MixingSampler.fit(
            Z,
            index,
            entropy=entropy,
            mixing=self.mixing,
            share=self.share,
            beta=self.beta,
            bandwidths=self.bandwidths,
            batch_size=self.batch_size,
            max_steps=self.max_steps,
            n_jobs=self.n_jobs,
            device=self.device,
        )

    def _show_parameters_of(self, key: int | Cell) -> Any:
        """A label, or a leaf and its label, as a user names them."""
        if isinstance(key, Cell):
            return self.lattice_.leaf(key.leaf), self.classes_.tolist()[key.label]
        return self.classes_.tolist()[key]

    def sample(self, leaf: Sequence[Level], label: Any, n: int = 1, *, stream: int = 0) -> Any:
        """New rows of one cell, also of one that has no rows in training.

        Parameters
        ----------
        leaf : sequence of Level
            A tuple of levels, in attribute order.
        label : label
            One of `classes_`.
        n : int, default=1
            How many rows.
        stream : int, default=0
            The same stream gives the same rows again; another gives others.

        Returns
        -------
        frame or array
            Rows like those of X.

        Raises
        ------
        InputError
            If there is no such leaf or label, or no training row has one of the leaf's levels.
        """
        check_is_fitted(self)
        cell = Cell(self.lattice_.code(leaf), self._label_code(label))
        return self._make(list(pieces_of([(cell, check_count("n", n))])), (stream,))[0]

    def batches(self, wanted: Mapping[tuple[Leaf, Any], int], *, stream: int = 0) -> Iterator[Augmented]:
        """New rows of many cells in batches, for tables that are never held whole.

        Vectors are made in single precision. The batches are the same, byte by byte, whatever `n_jobs`.

        Parameters
        ----------
        wanted : mapping of (leaf, label) to int
            How many rows to draw for each cell.
        stream : int, default=0
            The same stream gives the same rows again; another gives others.

        Yields
        ------
        Augmented
            At most 65,536 rows, all new, in the order of `wanted`.

        Raises
        ------
        InputError
            As :meth:`sample`.

        Examples
        --------
        >>> X, y = np.arange(40.0).reshape(20, 2), [0, 1] * 10
        >>> fitted = HierarchicalAugmenter(random_state=0).fit(X, y, sensitive_features=["a"] * 20)
        >>> [len(batch.y) for batch in fitted.batches({(("a",), 1): 100_000})]
        [65536, 34464]
        """
        check_is_fitted(self)
        cells = [
            (Cell(self.lattice_.code(leaf), self._label_code(label)), check_count("wanted", n, 0))
            for (leaf, label), n in wanted.items()
        ]
        single_threaded = copy.copy(self)
        single_threaded.n_jobs = 1
        width = PIECE * max(self.encoder_.n_features_out_, 1)
        threads = min(effective_n_jobs(self.n_jobs), max(_AHEAD // width, 1))
        draw_batch = (single_threaded if threads > 1 else self)._batch
        yield from in_order(
            lambda item: draw_batch(item[1], item[0], stream),
            enumerate(batches_of(pieces_of(cells))),
            threads,
        )

    def _batch(self, pieces: list[Piece], number: int, stream: int = 0) -> Augmented:
        """New rows that depend on the number of the batch and what it holds, and on nothing made before."""
        X, y, groups, leaves, parents = self._make(pieces, (stream, number), np.float32)
        return Augmented(X, y, groups, Origin(np.ones(len(leaves), bool), self._leaves(leaves), parents))

    def augment(
        self, X: Any, y: Any, *, sensitive_features: Any = None, per_cell: str | int | None = None
    ) -> Any:
        """The given rows, then new ones, so that every cell of every leaf with rows has `per_cell` rows.

        Parameters
        ----------
        X, y, sensitive_features
            As in :meth:`fit`, and as a rule the same rows. The given rows say what is lacking; new rows
            are drawn from the training rows.
        per_cell : "max" or int, optional
            As many rows as the largest cell has, or this number; by default as the parameter says.
            Larger cells stay as they are.

        Returns
        -------
        Augmented, or lazy frame
            Rows, labels, groups and origin, original rows first. Of a lazy frame of polars, Dask or Spark, such a
            frame with the new rows, which its engine makes when they are asked for, and a column
            ``fairlattice_synthetic``. The same seed gives the same rows, however the frame is partitioned.

        Raises
        ------
        InputError
            If lengths differ, or a level or label was not seen in training; or if an augmenter was fitted to a lazy
            frame and X is none, or the other way round.
        """
        check_is_fitted(self)
        if is_lazy(X):
            return self._augment_lazy(
                X, y, sensitive_features, self.per_cell if per_cell is None else per_cell
            )
        groups = groups_of(X, sensitive_features, self.sensitive)
        labels = self._label_reading.apply(y, "y")
        codes = index_of(labels, self.classes_.tolist())
        if (codes < 0).any():
            raise InputError(f"`y` holds {labels[int(np.argmin(codes))]!r}, a label not seen in training.")
        leaves = self.lattice_.encode(self._attribute_reading.apply(groups))
        check_same_length(X=X, y=labels, sensitive_features=leaves)
        for name, given, known in (
            ("X", X, self._X),
            ("y", y, self._y),
            ("sensitive_features", groups, self._S),
        ):
            check_same_kind(name, given, known)
        index = CellIndex(self.lattice_, leaves, codes, len(self.classes_))
        return self._augmented(X, y, groups, index, self.per_cell if per_cell is None else per_cell)[0]

    def _augment_lazy(self, X: Any, y: Any, sensitive_features: Any, per_cell: str | int) -> Any:
        like = getattr(self, "_like", None)
        if like is None:
            raise InputError("The augmenter was fitted to rows in memory. Fit it to the lazy frame first.")
        roles = Roles.of(engine_of(X).names(), y, sensitive_features, self.sensitive)
        counts = counted(X, roles, cuts=self.cuts, missing=self.missing, rules=Rules(self.na, self.decimal))
        cells = [
            (Cell(self.lattice_.code(leaf), self._label_code(label)), n)
            for (leaf, label), n in shortfalls(counts, check_per_cell(per_cell)).items()
        ]
        wanted = [(cell, n) for cell, n in cells if self._sampler.can_draw(cell)]
        return augmented(X, self, list(batches_of(pieces_of(wanted))), roles.label, like)

    def fit_resample(self, X: Any, y: Any, *, sensitive_features: Any = None) -> tuple[Any, ...]:
        """Fit and augment at once, as imbalanced-learn's pipelines expect of a sampler.

        Returns
        -------
        X, y
            With the sensitive columns inside X, where `sensitive` names them.
        X, y, sensitive_features
            Where the groups were passed separately from X: they grow with it.
        """
        more, _ = self.fit(X, y, sensitive_features=sensitive_features)._augmented_training_rows()
        return (more.X, more.y) if sensitive_features is None else (more.X, more.y, more.sensitive_features)

    def _augmented_training_rows(self) -> tuple[Augmented, IntArray]:
        """The training rows and new ones, and the leaf code of each, without encoding anything again."""
        return self._augmented(self._X, self._y, self._S, self._sampler.index, self.per_cell)

    def _augmented(
        self, X: Any, y: Any, groups: Any, index: CellIndex, per_cell: str | int
    ) -> tuple[Augmented, IntArray]:
        """Given rows, whose cells are in `index`, then new ones; and the leaf code of each."""
        lacking = index.shortfalls(per_cell)
        wanted = [(cell, n) for cell, n in lacking.items() if self._sampler.can_draw(cell)]
        leaves = index.leaves
        sources = np.full((len(leaves), self._sampler.n_sources), -1, dtype=np.int64)
        if wanted:
            new_X, new_y, new_S, new_leaves, new_sources = self._make(list(pieces_of(wanted)), (0,))
            X, y, groups = concat_rows(X, new_X), concat_rows(y, new_y), concat_rows(groups, new_S)
            leaves, sources = np.concatenate([leaves, new_leaves]), np.concatenate([sources, new_sources])
        synthetic = np.arange(len(leaves)) >= len(index.leaves)
        return Augmented(X, y, groups, Origin(synthetic, self._leaves(leaves), sources)), leaves

    def _make(
        self, pieces: list[Piece], key: tuple[int, ...], dtype: Any = np.float64
    ) -> tuple[Any, Any, Any, IntArray, IntArray]:
        """Rows, labels, groups, leaf codes and source rows of new rows."""
        vectors, parents = self._sampler.draw_pieces(pieces, stream=key[0], dtype=dtype, n_jobs=self.n_jobs)
        sizes = [piece.n for piece in pieces]
        leaves = np.repeat(np.asarray([piece.cell.leaf for piece in pieces], dtype=np.int64), sizes)
        labels = np.repeat(np.asarray([piece.cell.label for piece in pieces], dtype=np.int64), sizes)
        rng = np.random.default_rng([*key, *self._sampler.entropy])
        wanted = [(piece.cell, piece.n) for piece in pieces]
        carrying = np.random.default_rng([*key, *self._sampler.entropy, _CARRIED])
        features = self.encoder_.rows_of(vectors, self._sampler.index.donors(wanted, parents, carrying))
        sources = self._sampler.index.level_sources(wanted, parents, rng)
        groups = take_rows(self._S, sources[0], by_column=sources)
        y = take_rows(self._y, self._of_label[labels])
        X = with_inside(self._X, features, self._inside, sources) if self._inside else features
        return X, y, groups, leaves, parents

    def _leaves(self, codes: IntArray) -> tuple[Leaf, ...]:
        named = {code: self.lattice_.leaf(code) for code in np.unique(codes).tolist()}
        return tuple(map(named.__getitem__, codes.tolist()))

    def labels_of(self, y: Any) -> list[Any]:
        """Labels of some rows as in `classes_`, one of text or numbers each, whatever their type and blanks around."""
        check_is_fitted(self)
        found: list[Any] = self._label_reading.apply(y, "y").tolist()
        return found

    def _label_code(self, label: Any) -> int:
        known = self.classes_.tolist()
        if label not in known:
            hint = did_you_mean(str(label), known)
            raise InputError(f"No label {label!r}; the labels are {', '.join(map(str, known))}.{hint}")
        return int(known.index(label))
