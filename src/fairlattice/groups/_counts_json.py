"""Counts as JSON text, schema ``fairlattice/counts/1``: how shards that were counted on many machines travel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fairlattice._validation import FloatArray, IntArray
from fairlattice.groups._attribute import Attribute, distinct_plain
from fairlattice.groups._classes import join_classes
from fairlattice.groups._lattice import GroupLattice

if TYPE_CHECKING:
    from fairlattice.groups._counts import GroupCounts

SCHEMA = "fairlattice/counts/1"
_MOST_ROWS = 2**53  # sums beyond would not be exact


def dump_counts(counts: GroupCounts) -> str:
    """Counts as JSON text: the lattice, the classes, and one entry per cell of the table that has rows."""
    leaf, label, prediction = np.nonzero(counts.table)
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "attributes": [a.plain() for a in counts.lattice.attributes],
        "classes": list(counts.classes),
        "excluded": counts.excluded,
        "leaf": counts.codes[leaf].tolist(),
        "label": label.tolist(),
        "prediction": prediction.tolist(),
        "rows": counts.table[leaf, label, prediction].tolist(),
    }
    if not counts.labelled:
        summary["labelled"] = False
    if counts.weights is not None and counts.squares is not None:
        summary["weights"] = counts.weights[leaf, label, prediction].tolist()
        summary["squares"] = counts.squares[leaf, label, prediction].tolist()
    return json.dumps(summary, allow_nan=False) + "\n"  # ASCII, so that any name is text


def parse_counts(found: dict[str, Any]) -> dict[str, Any]:
    """The arguments of :meth:`GroupCounts.from_codes` in a summary; raise ValueError or TypeError if it is damaged."""
    lattice = GroupLattice(tuple(Attribute.of_plain(a) for a in found["attributes"]))
    known = distinct_plain(found["classes"])
    if None in known:
        raise ValueError("a class is missing")
    classes = join_classes((), known, "The classes")
    leaf, label, prediction, rows = (
        _column(found[key], whole=True) for key in ("leaf", "label", "prediction", "rows")
    )
    sums: dict[str, FloatArray] = {
        key: _column(found[key], whole=False)
        for key in ("weights", "squares")
        if "weights" in found or key in found
    }
    if len({len(a) for a in (leaf, label, prediction, rows, *sums.values())}) > 1:
        raise ValueError("its columns differ in length")
    labelled = found.get("labelled", True)
    if type(labelled) is not bool:
        raise ValueError(f"labelled is {labelled!r}")
    labels = len(classes) if labelled else 1
    limits = ((leaf, lattice.n_leaves), (label, labels), (prediction, len(classes)))
    if not rows.size or any(a.min() < 0 or a.max() >= limit for a, limit in limits):
        raise ValueError("an entry lies outside the table")
    if rows.min() < 1 or not all((np.isfinite(s) & (s >= 0)).all() for s in sums.values()):
        raise ValueError("an entry has no rows, or weights that are none")
    if sums:
        _check_weights(rows, sums["weights"], sums["squares"])
    excluded = found["excluded"]
    if type(excluded) is not int or excluded < 0:
        raise ValueError(f"excluded is {excluded!r}")
    if sum(rows.tolist()) + excluded > _MOST_ROWS:
        raise ValueError(f"more than {_MOST_ROWS:,} rows")
    return {
        "lattice": lattice,
        "classes": classes,
        "leaf_codes": leaf,
        "truth": label if labelled else None,
        "predicted": prediction,
        "rows": rows,
        "sums": sums,
        "excluded": excluded,
    }


def _check_weights(rows: IntArray, weights: FloatArray, squares: FloatArray) -> None:
    """Raise if no weights of this number of rows have these sums, up to rounding."""
    with np.errstate(over="ignore"):
        squared = weights**2
        possible = (squared <= rows * squares * (1 + 1e-9)) & (squares <= squared * (1 + 1e-9))
    if not possible.all() or not weights.sum() > 0:
        raise ValueError("sums of weights and of their squares do not agree")


def _column(values: Any, *, whole: bool) -> Any:
    """A column of numbers; whole ones must be whole in the file as well."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in ("iu" if whole else "iuf")):
        raise TypeError("a column holds other things than numbers")
    return array.astype(np.int64 if whole else np.float64)
