"""Gates in the document of an audit: the limits that were asked for, and which of them fell."""

from __future__ import annotations

from fairlattice.report._document import Column, Line, Section, Summary, Text, table_of
from fairlattice.report._words import numbers, verdict


def gates_section(summary: Summary) -> Section | None:
    """Every gate with its figure and limit; those that fell first."""
    gates = summary.get("gates")
    if not gates:
        return None
    fell = sum(g["fell"] for g in gates)
    lead = Line("{:,} of {:,} {} fell, so the audit failed." if fell else "No gate fell.").format(
        *([fell, len(gates), "gate" if len(gates) == 1 else "gates"] if fell else [])
    )
    columns = [
        Column("gate", get="gate"),
        Column(
            "result", get=lambda g: verdict("fell", tone="bad") if g["fell"] else verdict("held", tone="good")
        ),
        *numbers("found", "limit"),
        Column("what it says", get="message"),
    ]
    ranked = sorted(gates, key=lambda g: not g["fell"])
    return Section("gates", "Gates", [Text(lead), table_of("table-gates", Line("Gates"), columns, ranked)])
