"""What an augmentation did, as plain data, schema ``fairlattice/augment/1``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fairlattice.groups import Leaf
from fairlattice.report._summary import Summary, attribute_rows
from fairlattice.samplers import Augmented, HierarchicalAugmenter

CellRows = Mapping[tuple[Leaf, Any], tuple[int, int]]


def augment_summary(
    augmenter: HierarchicalAugmenter,
    more: Augmented | CellRows,
    data: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> Summary:
    """Rows of every cell before and after, and how the new ones were made.

    `more` is the augmented table, or where that is too large to hold, each cell's original and new rows.
    """
    lattice = augmenter.lattice_
    cells = _count(more, augmenter.labels_of(more.y)) if isinstance(more, Augmented) else more
    options = ("mixing", "max_copies", "share", "beta", "batch_size", "max_steps", "random_state")
    return {
        "schema": "fairlattice/augment/1",
        "data": dict(data),
        "settings": {name: getattr(augmenter, name) for name in options},
        "attributes": attribute_rows(lattice),
        "cells": [
            {
                "group": lattice.group(leaf),
                "label": label,
                "original": original,
                "synthetic": synthetic,
            }
            for (leaf, label), (original, synthetic) in cells.items()
        ],
        "notes": list(notes),
    }


def _count(more: Augmented, labels: list[Any]) -> CellRows:
    rows = Counter(zip(more.origin.leaf, labels, more.origin.synthetic.tolist(), strict=True))
    cells = dict.fromkeys((leaf, label) for leaf, label, _ in rows)
    return {cell: (rows[(*cell, False)], rows[(*cell, True)]) for cell in cells}
