"""What an augmentation did, as plain data, schema ``fairlattice/augment/1``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fairlattice.report._summary import Summary, attribute_rows
from fairlattice.samplers import Augmented, HierarchicalAugmenter


def augment_summary(
    augmenter: HierarchicalAugmenter,
    more: Augmented,
    data: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> Summary:
    """Rows of every cell before and after, and how the new ones were made."""
    lattice = augmenter.lattice_
    labels = more.y.to_list() if hasattr(more.y, "to_list") else list(more.y)
    rows = Counter(zip(more.origin.leaf, labels, more.origin.synthetic.tolist(), strict=True))
    cells = dict.fromkeys((leaf, label) for leaf, label, _ in rows)
    options = ("mixing", "share", "beta", "batch_size", "max_steps", "random_state")
    return {
        "schema": "fairlattice/augment/1",
        "data": dict(data),
        "settings": {name: getattr(augmenter, name) for name in options},
        "attributes": attribute_rows(lattice),
        "cells": [
            {
                "group": lattice.group(leaf),
                "label": label,
                "original": rows[leaf, label, False],
                "synthetic": rows[leaf, label, True],
            }
            for leaf, label in cells
        ],
        "notes": list(notes),
    }
