"""``fairlattice audit``: which groups a model fails, and how sure that is."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice._validation import check_choice, check_count
from fairlattice.cli._options import (
    TABLE_HELP,
    Columns,
    add_positive,
    add_reading,
    add_report,
    add_table,
    data_about,
)
from fairlattice.exceptions import InputError, SmallCellWarning

if TYPE_CHECKING:
    from fairlattice.metrics import Audit

_ROLES = ("prediction", "baseline", "score", "by", "weight")
NAME = "audit"
HELP = "audit predictions over every intersection of the sensitive attributes"
EPILOG = """\
example:
  fairlattice audit scored.csv --label y --prediction p --sensitive sex race age:25,45
  fairlattice audit scored/    --label y --prediction p --sensitive sex race --baseline old --by month

DF and IF are given as counted, corrected for small groups, and with a 95 % interval; small is fair.
Exit code 1 if a gate falls."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser, help_text=f"{TABLE_HELP}; or a folder of Parquet files")
    parser.add_argument("--prediction", metavar="COLUMN", required=True, help="column of predicted labels")
    add_positive(parser)
    add_reading(parser, features=False)
    parser.add_argument(
        "--baseline",
        metavar="COLUMN",
        help="another model's predictions of the same rows, to look for leveling down",
    )
    parser.add_argument(
        "--score", metavar="COLUMN", help="probabilities of the positive label: AUC and calibration by group"
    )
    parser.add_argument("--by", metavar="COLUMN", help="periods, such as months: what changed over time?")
    parser.add_argument("--weight", metavar="COLUMN", help="weights of the rows, as of a survey")
    parser.add_argument(
        "--missing",
        default="level",
        metavar="HOW",
        help="a missing attribute: level (default) of its own, exclude and count, or raise",
    )
    parser.add_argument(
        "--min-size", type=int, default=1, metavar="N", help="groups with fewer rows are small (default 1)"
    )
    parser.add_argument(
        "--on-small",
        default="warn",
        metavar="HOW",
        help="small groups: warn (default), merge into the parent most alike, drop, or raise",
    )
    parser.add_argument(
        "--interval", default="jeffreys", metavar="NAME", help="jeffreys (default), wilson or clopper-pearson"
    )
    parser.add_argument("--confidence", type=float, default=0.95, help="of all intervals (default 0.95)")
    parser.add_argument(
        "--top", type=int, default=10, metavar="N", help="groups to print per rate (default 10)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the result as JSON (- is standard output)"
    )
    add_report(parser)
    parser.add_argument(
        "--counts", type=Path, metavar="FILE", help="write the counts as JSON, for shards to be added up"
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
    from fairlattice.cli._checks import notes_on_attributes
    from fairlattice.cli._output import for_terminal, gate, note, progress, publish, report_file
    from fairlattice.cli._tables import check_writable, file_hash
    from fairlattice.report import audit_summary, to_json
    from fairlattice.report._shared import audit_text

    gates = parse_gates(arguments.fail_above)
    check_count("--top", arguments.top, 0)
    if arguments.fail_on_leveling_down and arguments.baseline is None:
        raise InputError("--fail-on-leveling-down needs --baseline, the other model's predictions.")
    if arguments.baseline is not None and arguments.weight is not None:
        raise InputError("--baseline compares rows, which have no weights there. Leave out --weight.")
    check_writable(arguments.counts, arguments.report, json=arguments.json, inputs=(arguments.table,))
    with warnings.catch_warnings(), progress("counting"):
        warnings.simplefilter("ignore", SmallCellWarning)  # the report lists small groups
        columns, result, found = _count_and_audit(arguments)
    counts = result.counts
    data = data_about(
        arguments,
        arguments.table.resolve().name if arguments.table.is_dir() else arguments.table.name,
        counts.n + counts.excluded,
        columns,
        prediction=arguments.prediction,
        sha256=file_hash(arguments.table),
    )
    summary = audit_summary(result, data, **found)
    fallen = _fallen(summary, gates, leveling=arguments.fail_on_leveling_down)
    saved = (arguments.counts, lambda target: target.write(counts.to_json().encode()))
    page = report_file(arguments.report, summary)
    publish(
        to_json(summary), arguments.json, audit_text(for_terminal(summary), top=arguments.top), saved, page
    )
    note(arguments.prog, [*arguments.assumed, *notes_on_attributes(counts.lattice)])
    return gate(arguments.prog, fallen)


def _count_and_audit(arguments: argparse.Namespace) -> tuple[Columns, Audit, dict[str, Any]]:
    """One aggregation for the audit, and one more for each other question asked."""
    from fairlattice.cli._checks import check_counted, check_scan, period_order
    from fairlattice.cli._reading import reading
    from fairlattice.cli._tables import scan_table
    from fairlattice.groups import GroupCounts, PairedCounts, ScoreCounts
    from fairlattice.metrics import audit, audit_scores, audit_series, leveling_down

    table = scan_table(arguments.table, decimal=arguments.decimal)
    others = [getattr(arguments, role) for role in _ROLES]
    with reading(arguments.table):
        names = table.collect_schema().names()
        columns = Columns.parse(arguments, names, *(c for c in others if c is not None))
        _check_roles_differ(arguments)
        used = list(dict.fromkeys([columns.label, *columns.sensitive, *(c for c in others if c is not None)]))
        check_scan(table, used, columns.sensitive, columns.cuts)
        order = None if arguments.by is None else period_order(table.collect_schema(), arguments.by)
        label, attributes = columns.label, columns.sensitive
        options: dict[str, Any] = {"cuts": columns.cuts, "missing": arguments.missing, "na": arguments.na}
        by = () if arguments.by is None else (arguments.by,)
        everything = GroupCounts.from_frame(
            table,
            label=label,
            prediction=arguments.prediction,
            sensitive=(*by, *attributes),
            weight=arguments.weight,
            **options,
        )
        counts = everything.rollup(attributes) if by else everything
        check_counted(counts, label, arguments.prediction)
        settings = {key: getattr(arguments, key) for key in ("alpha", "confidence", "interval")}
        small = {"min_size": arguments.min_size, "on_small": arguments.on_small}
        result = audit(counts, positive=arguments.positive, **settings, **small)
        found: dict[str, Any] = {}
        if arguments.baseline is not None:
            before, after = arguments.baseline, arguments.prediction
            pairs = PairedCounts.from_frame(
                table, label=label, before=before, after=after, sensitive=attributes, **options
            )
            chosen = {"alpha": arguments.alpha, "confidence": arguments.confidence}
            found["leveling"] = leveling_down(pairs, positive=result.positive, **chosen)
        if arguments.score is not None:
            scores = ScoreCounts.from_frame(
                table, label=label, score=arguments.score, sensitive=attributes, **options
            )
            found["scores"] = audit_scores(scores, positive=result.positive, confidence=arguments.confidence)
        if by:
            found["series"] = audit_series(
                everything, by[0], positive=result.positive, order=order, **settings, **small
            )
    return columns, result, found


def _check_roles_differ(arguments: argparse.Namespace) -> None:
    """Raise if two options name the same column, which is a slip."""
    role_of: dict[str, str] = {}
    for role in ("label", *_ROLES):
        name = getattr(arguments, role)
        if name is not None and role_of.setdefault(name, role) != role:
            raise InputError(f"--{role_of[name]} and --{role} both name `{name}`. Name two columns.")


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
