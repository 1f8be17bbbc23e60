"""Scores in bins: all that AUC and calibration per group need, however many rows there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fairlattice._validation import FloatArray, IntArray, as_labels, check_count
from fairlattice.exceptions import InputError
from fairlattice.groups._classes import class_positions, common_classes, join_classes
from fairlattice.groups._exact import ExactSums
from fairlattice.groups._lattice import GroupLattice
from fairlattice.groups._tally import (
    Tally,
    tally_arrays,
    tally_frame,
)

_MOST_NUMBERS = 50_000_000
_EDGE = 1e-9  # of a bin: a score on an edge that was rounded down belongs to the bin above


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """How often each leaf had each label and a score in each of B equal bins of [0, 1].

    Parameters
    ----------
    lattice : GroupLattice
        The groups.
    classes : tuple
        The two labels.
    codes : int array of shape (m,)
        Leaves that have rows, increasing.
    table : int array of shape (m, 2, B)
        Rows by label and bin.
    sums : float array of shape (m, 2, 2)
        By label, the sum of the scores and the sum of their squares.
    excluded : int, default=0
        Rows left out because an attribute is missing.

    Examples
    --------
    >>> S = {"sex": ["f", "f", "m"]}
    >>> counts = ScoreCounts.from_arrays([0, 1, 1], [0.1, 0.7, 0.9], sensitive_features=S, bins=2)
    >>> counts.table.tolist()
    [[[1, 0], [0, 1]], [[0, 0], [0, 1]]]
    """

    lattice: GroupLattice
    classes: tuple[Any, ...]
    codes: IntArray
    table: npt.NDArray[np.int64]
    sums: FloatArray
    excluded: int = 0

    @classmethod
    def from_arrays(
        cls,
        y_true: Any,
        score: Any,
        *,
        sensitive_features: Any,
        bins: int = 200,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        na: Sequence[str] | None = None,
        decimal: str | None = None,
    ) -> ScoreCounts:
        """Count arrays of labels and of scores, the predicted probabilities of the positive label.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            Labels, of two classes.
        score : array-like of shape (n,)
            Scores in [0, 1].
        sensitive_features : frame, mapping of arrays, Series, or array of shape (n,) or (n, p)
            The sensitive attributes.
        bins : int, default=200
            Equal bins of [0, 1]. Scores in one bin are taken for equal by the AUC.
        cuts, missing, na, decimal
            As in :meth:`GroupCounts.from_arrays`.

        Raises
        ------
        InputError
            If lengths differ, values are missing, scores lie outside [0, 1], or labels are not two.
        """
        check_count("bins", bins, 2)
        values = as_labels(score, "score")
        if values.dtype.kind not in "biuf":
            raise InputError("`score` must be numbers in [0, 1].")
        numbers = values.astype(np.float64)
        inside = (numbers >= 0) & (numbers <= 1)
        place = np.where(inside, np.floor(np.where(inside, numbers, 0.0) * bins + _EDGE), -2).astype(np.int64)
        arrays = {"y_true": y_true, "bin": place, "score": numbers}
        tally = tally_arrays(arrays, sensitive_features, cuts=cuts, missing=missing, na=na, decimal=decimal)
        score_kept = tally.values["score"].astype(np.float64)
        known = np.where(tally.values["bin"] >= 0, score_kept, 0.0)
        sums = {"score": ExactSums.of_scores(known), "score_squares": ExactSums.of_scores(known**2)}
        return cls._of_tally(tally, sums, bins, "score")

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        label: str,
        score: str,
        sensitive: Sequence[str],
        bins: int = 200,
        cuts: Mapping[str, Sequence[float]] | None = None,
        missing: str = "level",
        na: Sequence[str] | None = None,
        decimal: str | None = None,
    ) -> ScoreCounts:
        """Count a frame, eager or lazy, by its own engine in one aggregation; see :meth:`from_arrays`."""
        check_count("bins", bins, 2)
        tally = tally_frame(
            frame,
            {"y_true": label},
            sensitive,
            cuts=cuts,
            missing=missing,
            score=(score, bins),
            na=na,
            decimal=decimal,
        )
        return cls._of_tally(tally, tally.sums, bins, score)

    def __add__(self, other: ScoreCounts) -> ScoreCounts:
        """The counts of both tables' rows together."""
        if not isinstance(other, ScoreCounts):
            return NotImplemented
        if self.table.shape[2] != other.table.shape[2]:
            raise InputError(
                "The two counts differ in their number of bins. Count both with the same `bins`."
            )
        if self.classes != other.classes:
            join_classes(self.classes, other.classes, "The classes of the two counts")
            raise InputError(f"The two counts differ in their labels: {self.classes} and {other.classes}.")
        lattice = self.lattice.union(other.lattice)
        codes = np.concatenate([c.lattice.recode(c.codes, lattice) for c in (self, other)])
        kept, place = np.unique(codes, return_inverse=True)
        table = np.zeros((len(kept), *self.table.shape[1:]), dtype=np.int64)
        sums = np.zeros((len(kept), 2, 2))
        np.add.at(table, place, np.concatenate([self.table, other.table]))
        np.add.at(sums, place, np.concatenate([self.sums, other.sums]))
        return ScoreCounts(lattice, self.classes, kept, table, sums, self.excluded + other.excluded)

    @classmethod
    def _of_tally(cls, tally: Tally, sums: Mapping[str, ExactSums], bins: int, name: str) -> ScoreCounts:
        place, rows = tally.values["bin"], tally.multiplicity
        for sign, what in ((-1, "missing values"), (-2, "values outside [0, 1]")):
            odd = int(rows[place == sign].sum())
            if odd:
                raise InputError(f"Score `{name}` has {odd:,} {what}. Give every row a score in [0, 1].")
        classes = common_classes(tally.values["y_true"], what="Labels")
        if len(classes) != 2:
            raise InputError(f"Scores need labels of two classes, got {len(classes)}: {list(classes)[:5]}.")
        codes, leaf = np.unique(tally.codes, return_inverse=True)
        if len(codes) * 2 * bins > _MOST_NUMBERS:
            raise InputError(
                f"{len(codes):,} groups in {bins:,} bins need too much memory. Use fewer `bins`."
            )
        truth = class_positions(tally.values["y_true"], classes, "y_true")
        cell = leaf * 2 + truth
        last = np.minimum(place, bins - 1)
        table = np.bincount(cell * bins + last, weights=rows, minlength=len(codes) * 2 * bins)
        moments = [sums[key].at(cell, len(codes) * 2).reshape(-1, 2) for key in ("score", "score_squares")]
        return cls(
            tally.lattice,
            classes,
            codes,
            np.rint(table).astype(np.int64).reshape(-1, 2, bins),
            np.stack(moments, axis=2),
            tally.excluded,
        )
