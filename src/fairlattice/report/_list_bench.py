"""What can be run: data sets, methods, experiments; and the card of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from fairlattice.benchmark._shared import EXPERIMENTS, Method
from fairlattice.datasets import Dataset, dataset_about, dataset_names
from fairlattice.groups import GroupLattice, show_group
from fairlattice.report._markdown import markdown_rows
from fairlattice.strategies import STRATEGIES

_SMALLEST = 5


def bench_list_text(methods: Mapping[str, Method], what: Sequence[str]) -> RenderableType:
    """The lists that were asked for, as tables for a terminal."""
    lists: dict[str, tuple[str, list[tuple[str, ...]]]] = {
        "datasets": (
            "data sets, included, fetched from OpenML once, or read from files in --data-dir; "
            "`fairlattice bench list NAME` shows a card",
            [(name, *_access_and_about(name)) for name in dataset_names()],
        ),
        "methods": (
            "methods; METHOD+STRATEGY says which rows they are trained on",
            [
                *((m.name, m.about) for m in methods.values()),
                *((f"+{s.name}", s.about) for s in STRATEGIES.values()),
            ],
        ),
        "experiments": ("experiments", [(e.name, e.about) for e in EXPERIMENTS.values()]),
    }
    parts: list[RenderableType] = []
    for name in what:
        title, rows = lists[name]
        table = Table(box=None, pad_edge=False)
        table.add_column("name", no_wrap=True)
        if name == "datasets":
            table.add_column("is", no_wrap=True)
        table.add_column("what it is")
        for row in rows:
            table.add_row(*row)
        parts += [Text(title, style="italic"), table, ""]
    return Stack(*parts[:-1])


def _access_and_about(name: str) -> tuple[str, str]:
    about, source = dataset_about(name)
    return ("" if source is None else source.access), about


def dataset_card(name: str, data: Dataset | None) -> str:
    """A card in Markdown: where a data set comes from, its label and groups, and what to mind.

    Without the data itself it has what is known beforehand: source, licence and traps.
    """
    about, source = dataset_about(name)
    lines = [f"# {name}", "", (data.about if data is not None else "") or about, ""]
    if source is not None:
        lines += [
            f"- Source: {source.url}",
            f"- Licence: {source.licence}",
            f"- Reference: {source.reference}",
        ]
    if data is not None:
        lines += _figures(data)
    if source is not None and source.traps:
        lines += ["", "## What to mind", "", *(f"- {trap}" for trap in source.traps)]
    return "\n".join(lines) + "\n"


def _figures(data: Dataset) -> list[str]:
    """Rows, label, attributes and the smallest groups."""
    lattice = GroupLattice.from_features({a: data.columns[a] for a in data.sensitive}, cuts=data.cuts)
    leaves = lattice.encode({a: data.columns[a] for a in data.sensitive})
    codes, sizes = np.unique(leaves, return_counts=True)
    positive = data.columns[data.label] == data.positive
    lines = [
        f"- Rows: {data.n_rows:,}",
        f"- Label: {data.label}, positive is {data.positive}: {positive.mean():.2%} of rows",
        f"- Features: {len(data.features)}",
        *(f"- Attribute {a.name}: {', '.join(map(str, a.levels))}" for a in lattice.attributes),
        f"- Groups: {len(codes):,} of {lattice.n_leaves:,} have rows",
        "",
        "## Smallest groups",
        "",
    ]
    rows = []
    for place in np.argsort(sizes, kind="stable")[:_SMALLEST]:
        share = float(positive[leaves == codes[place]].mean())
        group = show_group(lattice.group(lattice.leaf(int(codes[place]))))
        rows.append((group, f"{sizes[place]:,}", f"{share:.1%}"))
    return [*lines, *markdown_rows(("group", "rows", "positive"), rows, (False, True, True))]
