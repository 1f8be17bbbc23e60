"""What an augmentation did, as plain data (schema ``fairlattice/augment/2``) and as a data card.

The card follows Pushkarna, Zaldivar & Kjartansson (2022), Data cards, FAccT, arXiv:2204.01075.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fairlattice.groups import Leaf
from fairlattice.report._document import (
    Answer,
    Card,
    Column,
    Document,
    Facts,
    Items,
    Line,
    Name,
    Section,
    Table,
    Text,
    span,
    table_of,
)
from fairlattice.report._method import attribute_facts, data_facts, settings_facts
from fairlattice.report._summary import Summary, attribute_rows
from fairlattice.report._words import group_column, levels_line, name_column
from fairlattice.samplers import Augmented, HierarchicalAugmenter
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import AUGMENT, BASELINE

CellRows = Mapping[tuple[Leaf, Any], tuple[int, int]]
_OPTIONS = ("mixing", "max_copies", "share", "beta", "batch_size", "max_steps", "random_state")
_MOST_CELLS = 50


def augment_summary(
    augmenter: HierarchicalAugmenter,
    more: Augmented | CellRows,
    data: Mapping[str, Any],
    notes: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Summary:
    """Rows of every cell before and after, and how the new ones were made.

    `more` is the augmented table, or where that is too large to hold, each cell's original and new rows.
    """
    lattice = augmenter.lattice_
    cells = _count(more, augmenter.labels_of(more.y)) if isinstance(more, Augmented) else more
    return {
        "schema": "fairlattice/augment/2",
        "data": dict(data),
        "settings": {**{name: getattr(augmenter, name) for name in _OPTIONS}, **(settings or {})},
        "attributes": attribute_rows(lattice),
        "cells": [
            {"group": lattice.group(leaf), "label": label, "original": original, "synthetic": synthetic}
            for (leaf, label), (original, synthetic) in cells.items()
        ],
        "notes": list(notes),
    }


def _count(more: Augmented, labels: list[Any]) -> CellRows:
    rows = Counter(zip(more.origin.leaf, labels, more.origin.synthetic.tolist(), strict=True))
    cells = dict.fromkeys((leaf, label) for leaf, label, _ in rows)
    return {cell: (rows[(*cell, False)], rows[(*cell, True)]) for cell in cells}


def document(summary: Summary) -> Document:
    """The data card of an augmented table."""
    cells, data = summary["cells"], summary["data"]
    original, synthetic = (sum(c[key] for c in cells) for key in ("original", "synthetic"))
    what = Line("{:,} original rows, unchanged and first, and {:,} synthetic rows below them.").format(
        original, synthetic
    )
    how = Line(f"{_how(summary['settings'].get('mixing', 'scalar'))} Synthetic rows describe no person.")
    size = f"{original + synthetic:,} rows"
    sections = [
        Section("source", "Source", [Facts(list(data_facts({**summary, "attributes": []})))]),
        Section("made", "How it was made", [Facts(settings_facts(summary["settings"]))]),
        Section("groups", "Groups", [Facts(list(attribute_facts(summary)))]),
        Section("cells", "Rows by cell", _cells(summary)),
        Section("use", "Use", [Items(_use())]),
        Section("caveats", "Caveats", [Items(_caveats(summary), brief=True)]),
    ]
    brief = [Line(Name(data["name"]), f": {size}"), Line("groups: ") + levels_line(summary)]
    subject = Line(Name(data["name"]), ", augmented")
    return Document(
        "Data card", "augment", subject, size, Answer([what, how], cards(summary)), sections, (), brief
    )


def cards(summary: Summary) -> list[Card]:
    """The one question that the rows alone answer: does every cell have as many rows as the largest?"""
    rows = [c["original"] + c["synthetic"] for c in summary["cells"]]
    short = sum(n < max(rows) for n in rows) if rows else 0
    detail = Line("{:,} of {:,} cells have fewer rows than the largest, which has {:,}.").format(
        short, len(rows), max(rows, default=0)
    )
    word, tone = ("no", "unsure") if short else ("yes", "good")
    return [Card("balanced", "Are all cells of one size?", word, tone, detail)]


def _how(mixing: str) -> str:
    if mixing == "importance":
        return (
            "A synthetic row is a real one with the label, drawn by how likely it is to be of the group, "
            "and its numbers were moved towards those of a similar row."
        )
    if mixing == "smote":
        return "A synthetic row lies between two rows of its own group and label (SMOTE)."
    return "Synthetic rows were mixed from rows of the groups' parent groups (arXiv:2405.14521)."


def _cells(summary: Summary) -> list[Table | Text]:
    ranked = sorted(summary["cells"], key=lambda c: c["original"])
    columns = [
        group_column(summary, "group"),
        name_column("label", "label", "label"),
        *(Column(t, "whole", t, get=t) for t in ("original", "synthetic")),
    ]
    title = Line("{:,} cells, the smallest first").format(len(ranked))
    left = len(ranked) - _MOST_CELLS
    cells = table_of("table-cells", title, columns, ranked[:_MOST_CELLS], brief=title)
    return [cells, *([Text(Line(f"{left:,} larger cells are not shown."))] if left > 0 else [])]


def _use() -> list[Line]:
    augment = STRATEGIES[AUGMENT]
    names = [BASELINE, *(a.name for a in augment.ablations if a.name in STRATEGIES), augment.name]
    check = Line(
        "Check with {} that the rows are sound, and with {} that they help more than equal weights alone."
    )
    return [
        Line("For training. Never evaluate on synthetic rows."),
        Line("Give every cell the same weight in training, else the large cells still rule."),
        check.format(
            span("code", "fairlattice diagnose"),
            span("code", f"fairlattice compare --strategies {','.join(names)}"),
        ),
    ]


def _caveats(summary: Summary) -> list[Line]:
    settings = summary["settings"]
    close = ["A synthetic row may be close to a training row, or equal one; do not take it for anonymous."]
    if settings.get("mixing") == "importance" and "max_copies" in settings:
        copied = f"{settings['max_copies']:.0%}"
        close.append(
            f"Up to {copied} of the synthetic rows were copied unchanged (max_copies). The others' numbers were moved, "
            "as far as there are any; they may equal a training row all the same where columns have few values."
        )
    return [*map(Line, close), *(Line(note) for note in summary["notes"])]
