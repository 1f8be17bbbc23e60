"""What the texts for a terminal of 80 columns share: header, tables, lists of sentences.

Everything is read from the summary, so the terminal can show nothing that the JSON does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from fairlattice.groups import show_group

Summary = Mapping[str, Any]
_MOST_NAMED = 8


def header(command: str, summary: Summary) -> Text:
    """What was looked at, and how."""
    data, attributes, empty = summary["data"], summary["attributes"], summary["empty_groups"]["n"]
    levels = " × ".join(f"{a['name']} ({len(a['levels'])})" for a in attributes)
    positive = "" if data["positive"] is None else f", positive is {data['positive']}"
    label = "no labels" if data["label"] is None else f"label {data['label']}"
    roles = [f", {role} {data[role]}" for role in ("prediction", "baseline") if data.get(role) is not None]
    if data.get("positive_prediction") is not None:
        positive += f"; {data['prediction']} = {data['positive_prediction']} means that, any other does not"
    lines = [
        f"fairlattice {command}",
        f"{data['name']}: {data['rows']:,} rows, {label}{''.join(roles)}{positive}",
        f"groups: {levels}" + (f"; {empty:,} of them without rows" if empty else ""),
    ]
    if command == "compare":
        s = summary["settings"]
        repeats = f"{s['repeats']} repeat{'s' if s['repeats'] > 1 else ''}"
        lines.append(f"{s['classifier']}, {repeats} of {s['folds']} folds, seed {s['seed']}")
        names = data.get("features", [])
        more = f" … ({len(names)} in all)" if len(names) > _MOST_NAMED else ""
        lines.append(f"features: {', '.join(names[:_MOST_NAMED])}{more}" if names else "")
    return Text("\n".join(filter(None, lines)))


def mark(strategy: Summary, figure: str, *, up: bool, against: str = "none") -> str:
    """▲ where the difference to a baseline is a gain beyond noise, ▼ where a loss, else nothing."""
    d = strategy["differences"].get(against, {}).get(figure)
    if d is None or d["within_noise"]:
        return ""
    return "▲" if (d["mean"] > 0) == up else "▼"


def plain_table() -> Table:
    """A table without lines."""
    return Table(box=None, pad_edge=False)


def titled(title: str, table: Table) -> Group:
    """A table below its title; as a title of its own it would be wrapped to the table's width."""
    return Group(Text(title, style="italic"), table)


def bullets(lines: Iterator[str]) -> Table:
    """Sentences as a list."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column()
    for line in lines:
        table.add_row("•", Text(line))
    return table


def some_groups(groups: list[Mapping[str, Any]], n: int | None = None, *, most: int = 3) -> str:
    """The first few groups in words, and how many more there are."""
    n = len(groups) if n is None else n
    more = [f"and {n - most:,} more"] if n > most else []
    return "; ".join([*(show_group(g) for g in groups[:most]), *more])
