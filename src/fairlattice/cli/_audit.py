"""``fairlattice audit``: which groups a model or a decision fails, and how sure that is."""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice._validation import check_count, check_real
from fairlattice.cli._options import (
    TABLE_HELP,
    Columns,
    add_notion,
    add_positive,
    add_reading,
    add_report,
    add_table,
    data_about,
    parse_reference,
)
from fairlattice.exceptions import InputError, SmallCellWarning

if TYPE_CHECKING:
    from fairlattice.cli._gates import Gate, Outcome
    from fairlattice.metrics import Audit

_ROLES = ("prediction", "baseline", "score", "by", "weight")
NAME = "audit"
HELP = "audit predictions over every intersection of the sensitive attributes"
EPILOG = """\
example:
  fairlattice audit scored.csv --label y --prediction p --sensitive sex race age:25,45
  fairlattice audit hired.csv  --prediction hired --positive-prediction yes --sensitive sex race
  fairlattice audit scored/    --label y --prediction p --sensitive sex race --baseline old --by month

gates:
  --fail-on-harm                            some group's rate fell beyond noise against --baseline
  --fail-above 'selection_rate.ratio<0.8'   a figure on the wrong side: RATE.MEASURE, or RATE.MEASURE.FIGURE
    rates      tpr, tnr, accuracy, selection_rate, ppv, npv, or a notion such as equalized_odds
    measures   df, if: unfairness, falls above; ratio, worst: of the worst group, falls below
    figures    corrected for small groups (default), value as counted, low, high ends of the interval

Exit code 1 if a gate falls."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_table(parser, help_text=f"{TABLE_HELP}; or a folder of Parquet files", needs_label=False)
    parser.add_argument(
        "--prediction", metavar="COLUMN", required=True, help="column of predicted labels, or of decisions"
    )
    add_positive(parser)
    add_notion(parser)
    add_reading(parser, features=False)
    parser.add_argument(
        "--baseline",
        metavar="COLUMN",
        help="another model's predictions of the same rows, to look for harm and leveling down",
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
        metavar="GATES",
        help="exit with 1 if a figure is on the wrong side of its limit: df=1.0,if=0.4 of the notion, or see below",
    )
    parser.add_argument(
        "--fail-on-harm",
        nargs="?",
        const="",
        metavar="RATES",
        help="exit with 1 if some group's rate fell beyond noise against --baseline; of the notion, or rates with "
        "commas between them",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="X",
        help="fall of a rate that --fail-on-harm accepts, as in 0.02 (default 0)",
    )
    parser.add_argument(
        "--fail-on-leveling-down",
        action="store_true",
        help="exit with 1 if it levels down against --baseline",
    )
    parser.add_argument("--gate-json", type=Path, metavar="FILE", help="write what each gate found as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Read, count, measure, write, print, gate."""
    from fairlattice.cli._checks import notes_on_attributes
    from fairlattice.cli._gates import gates_summary, parse_gates
    from fairlattice.cli._output import for_terminal, gate, note, progress, publish, report_file
    from fairlattice.cli._tables import check_writable, file_hash
    from fairlattice.report import audit_summary, to_json
    from fairlattice.report._shared import audit_text

    gates = parse_gates(arguments.fail_above)
    _check_options(arguments)
    outputs = (arguments.counts, arguments.report, arguments.gate_json)
    check_writable(*outputs, json=arguments.json, inputs=(arguments.table,))
    with warnings.catch_warnings(), progress("counting"):
        warnings.simplefilter("ignore", SmallCellWarning)  # the report lists small groups
        columns, result, found = _count_and_audit(arguments)
    counts = result.counts
    data = data_about(
        arguments,
        arguments.table.resolve().name if arguments.table.is_dir() else arguments.table.name,
        counts.n + counts.excluded,
        columns,
        label=arguments.label,
        prediction=arguments.prediction,
        baseline=arguments.baseline,
        date=_today(),
        sha256=file_hash(arguments.table),
    )
    summary = audit_summary(result, data, **found)
    outcomes = _outcomes(arguments, result, gates, found)
    saved = (arguments.counts, lambda target: target.write(counts.to_json().encode()))
    gated = to_json(gates_summary(data["name"], outcomes))
    told = (arguments.gate_json, lambda target: target.write(gated.encode(errors="replace")))
    page = report_file(arguments.report, summary)
    publish(
        to_json(summary),
        arguments.json,
        audit_text(for_terminal(summary), top=arguments.top),
        saved,
        page,
        told,
    )
    note(arguments.prog, [*arguments.assumed, *notes_on_attributes(counts.lattice)])
    return gate(arguments.prog, [o.message for o in outcomes if o.fell])


def _check_options(arguments: argparse.Namespace) -> None:
    """Raise if options do not go together."""
    check_count("--top", arguments.top, 0)
    check_real("--tolerance", arguments.tolerance, 0.0, 1.0)
    for option in ("fail_on_leveling_down", "fail_on_harm"):
        if getattr(arguments, option) not in (None, False) and arguments.baseline is None:
            raise InputError(f"--{option.replace('_', '-')} needs --baseline, the other model's predictions.")
    if arguments.baseline is not None and arguments.weight is not None:
        raise InputError("--baseline compares rows, which have no weights there. Leave out --weight.")
    if arguments.score is not None and arguments.label is None:
        raise InputError("--score needs --label: how well scores rank is seen by labels.")
    if arguments.fail_on_leveling_down and arguments.notion == "predictive_parity":
        raise InputError(
            "--fail-on-leveling-down compares models row by row, and predictive parity is about other rows under each. "
            "Use --fail-on-harm."
        )


def _today() -> str:
    """The date of the report, which SOURCE_DATE_EPOCH sets where the same bytes are wanted again."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return moment.date().isoformat()


def _outcomes(
    arguments: argparse.Namespace, audit: Audit, gates: Sequence[Gate], found: dict[str, Any]
) -> list[Outcome]:
    """What became of every gate that was asked for."""
    from fairlattice.cli._gates import harm_outcome, leveling_outcome, outcome_of

    outcomes = [outcome_of(audit, gate) for gate in gates]
    if arguments.fail_on_harm is not None:
        outcomes.append(harm_outcome(found["harm"]))
    if arguments.fail_on_leveling_down:
        outcomes.append(leveling_outcome(found["leveling"]))
    return outcomes


def _count_and_audit(arguments: argparse.Namespace) -> tuple[Columns, Audit, dict[str, Any]]:
    """One aggregation for the audit, and one more for each other question asked."""
    from fairlattice.cli._checks import check_counted, check_scan, period_order
    from fairlattice.cli._reading import reading
    from fairlattice.cli._tables import scan_table
    from fairlattice.groups import GroupCounts, PairedCounts, ScoreCounts
    from fairlattice.metrics import audit, audit_scores, audit_series, harm, leveling_down

    table = scan_table(arguments.table, decimal=arguments.decimal)
    others = [getattr(arguments, role) for role in _ROLES]
    with reading(arguments.table):
        names = table.collect_schema().names()
        columns = Columns.parse(arguments, names, *(c for c in others if c is not None))
        _check_roles_differ(arguments)
        outcome = columns.label or arguments.prediction
        used = list(dict.fromkeys([outcome, *columns.sensitive, *(c for c in others if c is not None)]))
        check_scan(table, used, columns.sensitive, columns.cuts)
        order = None if arguments.by is None else period_order(table.collect_schema(), arguments.by)
        label, attributes = arguments.label, columns.sensitive
        options: dict[str, Any] = {"cuts": columns.cuts, "missing": arguments.missing, "na": arguments.na}
        spelled = {key: getattr(arguments, key) for key in ("positive", "positive_prediction")}
        by = () if arguments.by is None else (arguments.by,)
        everything = GroupCounts.from_frame(
            table,
            label=label,
            prediction=arguments.prediction,
            sensitive=(*by, *attributes),
            weight=arguments.weight,
            **options,
            **spelled,
        )
        counts = everything.rollup(attributes) if by else everything
        if label is not None:
            check_counted(counts, label, arguments.prediction)
        chosen = ("alpha", "confidence", "interval", "notion", "favourable")
        settings = {key: getattr(arguments, key) for key in chosen}
        small = {"min_size": arguments.min_size, "on_small": arguments.on_small}
        reference = parse_reference(arguments.reference, attributes)
        more = {"reference": reference, "min_share": arguments.min_share}
        result = audit(counts, **spelled, **settings, **small, **more)
        meant = None if label is None else arguments.positive_prediction
        task = replace(result.task, label=label, prediction=arguments.prediction, positive_prediction=meant)
        result = replace(result, task=task)
        result.table  # noqa: B018 - small groups are seen to now, while warnings of them are caught
        found: dict[str, Any] = {}
        if arguments.baseline is not None:
            before, after = arguments.baseline, arguments.prediction
            pairs = PairedCounts.from_frame(
                table, label=label, before=before, after=after, sensitive=attributes, **options, **spelled
            )
            about = {"positive": result.positive, "favourable": result.favourable}
            rates = arguments.fail_on_harm.split(",") if arguments.fail_on_harm else result.notion
            found["harm"] = harm(
                pairs, measure=rates, tolerance=arguments.tolerance, confidence=arguments.confidence, **about
            )
            if result.notion != "predictive_parity":  # which is about other rows under each model
                sure = {"alpha": arguments.alpha, "confidence": arguments.confidence}
                found["leveling"] = leveling_down(pairs, measure=result.notion, **sure, **about)
        if arguments.score is not None:
            scores = ScoreCounts.from_frame(
                table, label=label, score=arguments.score, sensitive=attributes, **options
            )
            found["scores"] = audit_scores(scores, positive=result.positive, confidence=arguments.confidence)
        if by:
            settings |= {"notion": result.notion, "favourable": result.favourable}
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
