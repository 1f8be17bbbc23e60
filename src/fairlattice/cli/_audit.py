"""``fairlattice audit``: which groups a model fails, and how sure that is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fairlattice._validation import check_choice, check_count
from fairlattice.cli._options import Columns, add_positive, add_table, data_about
from fairlattice.exceptions import InputError

NAME = "audit"
HELP = "audit predictions over every intersection of the sensitive attributes"
EPILOG = """\
example:
  fairlattice audit scored.csv --label y --prediction p --sensitive sex race age:25,45

DF and IF are given with 95 % bounds; small is fair. Exit code 1 if a gate falls."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser)
    parser.add_argument("--prediction", metavar="COLUMN", required=True, help="column of predicted labels")
    add_positive(parser)
    parser.add_argument(
        "--baseline", metavar="COLUMN", help="another model's predictions, to look for leveling down"
    )
    parser.add_argument(
        "--top", type=int, default=10, metavar="N", help="groups to print per rate (default 10)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the result as JSON (- is standard output)"
    )
    parser.add_argument(
        "--fail-above",
        metavar="df=X,if=Y",
        help="exit with 1 if the estimate of DF or IF, of the worse of TPR and TNR, lies above",
    )
    parser.add_argument(
        "--fail-on-leveling-down",
        action="store_true",
        help="exit with 1 if it levels down against --baseline",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read, count, measure, write, print, gate."""
    from fairlattice.cli._checks import check_infinite, check_predictions, check_roles, notes_on_attributes
    from fairlattice.cli._output import gate, note, publish
    from fairlattice.cli._tables import check_writable, file_hash, read_table
    from fairlattice.groups import GroupCounts
    from fairlattice.metrics import Audit, audit
    from fairlattice.report import audit_summary, audit_text, to_json

    gates = parse_gates(arguments.fail_above)
    check_count("--top", arguments.top, 0)
    if arguments.fail_on_leveling_down and arguments.baseline is None:
        raise InputError("--fail-on-leveling-down needs --baseline, the other model's predictions.")
    check_writable(arguments.json, inputs=(arguments.table,))
    frame = read_table(arguments.table)
    predictions = [c for c in (arguments.prediction, arguments.baseline) if c is not None]
    columns = Columns.parse(arguments, frame.columns, *predictions)
    check_infinite(frame, predictions)
    check_roles(frame, columns.label, columns.sensitive, columns.cuts)
    audits: list[Audit] = []
    for name in predictions:
        check_predictions(frame, columns.label, name)
        counts = GroupCounts.from_frame(
            frame, label=columns.label, prediction=name, sensitive=columns.sensitive, cuts=columns.cuts
        )
        positive = audits[0].positive if audits else arguments.positive
        audits.append(audit(counts, positive=positive, alpha=arguments.alpha))
    data = data_about(
        arguments.table.name,
        frame.height,
        columns,
        prediction=arguments.prediction,
        sha256=file_hash(arguments.table),
    )
    summary = audit_summary(audits[0], data, audits[1] if len(audits) > 1 else None)
    fallen = _fallen(summary, gates, leveling=arguments.fail_on_leveling_down)
    publish(to_json(summary), arguments.json, audit_text(summary, top=arguments.top))
    note(arguments.prog, notes_on_attributes(audits[0].counts.lattice))
    return gate(arguments.prog, fallen)


def parse_gates(text: str | None) -> dict[str, float]:
    """``df=1.0,if=0.4`` as a mapping."""
    gates: dict[str, float] = {}
    for part in [] if text is None else text.split(","):
        name, _, limit = (piece.strip() for piece in part.partition("="))
        check_choice("--fail-above", name, ("df", "if"))
        try:
            value = float(limit)
        except ValueError:
            raise InputError(f"`--fail-above` takes df=X,if=Y with numbers, got {part!r}.") from None
        if not 0 <= value < float("inf"):
            raise InputError(f"`--fail-above` takes finite limits of at least 0, got {part!r}.")
        if name in gates:
            raise InputError(f"`--fail-above` names {name} twice.")
        gates[name] = value
    return gates


def _fallen(summary: dict[str, Any], gates: dict[str, float], *, leveling: bool) -> list[str]:
    """The gates that fell, in words."""
    fallen = []
    for name, limit in gates.items():
        found = summary["notions"]["equalized_odds"][name]
        if found is None:
            raise InputError(f"`--fail-above {name}` cannot be judged: a rate is undefined in every group.")
        if found["value"] > limit:
            fallen.append(f"{name} {found['value']:.3f} is above {limit:g}")
    if leveling and summary["leveling_down"]["verdict"] == "yes":
        fallen.append("leveling down against the baseline")
    return fallen
