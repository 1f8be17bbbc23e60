"""``fairlattice audit``: which groups a model or a decision fails, and how sure that is."""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice._validation import check_count, check_real
from fairlattice.cli._background import BackgroundCall
from fairlattice.cli._options import TABLE_HELP, Columns, add_options, add_table, data_about, parse_reference
from fairlattice.cli._skeleton import Files, Found
from fairlattice.exceptions import InputError, SmallCellWarning

if TYPE_CHECKING:
    from fairlattice.cli._gates import Gate, Outcome
    from fairlattice.metrics import Audit

    _Counted = tuple[Columns, Audit, dict[str, Any], str]

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
    folder = f"{TABLE_HELP}; or a folder of Parquet files"
    labels = "column of true labels; without it decisions alone are audited"
    add_table(parser, help_text=folder, required=False, help=labels)
    add_options(
        parser,
        prediction={
            "metavar": "COLUMN", "required": True, "help": "column of predicted labels, or of decisions",
        },
        positive={},
        alpha={},
        notion={
            "default": None,
            "help": "what is to be equal: equalized_odds (default), equal_opportunity, demographic_parity (default "
            "without labels), accuracy or predictive_parity",
        },
        favourable={},
        positive_prediction={},
        reference={},
        min_share={},
        na={},
        decimal={},
        baseline={
            "metavar": "COLUMN",
            "help": "another model's predictions of the same rows, to look for harm and leveling down",
        },
        score={
            "metavar": "COLUMN", "help": "probabilities of the positive label: AUC and calibration by group",
        },
        by={"metavar": "COLUMN", "help": "periods, such as months: what changed over time?"},
        weight={"metavar": "COLUMN", "help": "weights of the rows, as of a survey"},
        missing={
            "default": "level", "metavar": "HOW",
            "help": "a missing attribute: level (default) of its own, exclude and count, or raise",
        },
        min_size={
            "type": int, "default": 1, "metavar": "N", "help": "groups with fewer rows are small (default 1)",
        },
        on_small={
            "default": "warn", "metavar": "HOW",
            "help": "small groups: warn (default), merge into the parent most alike, drop, or raise",
        },
        interval={
            "default": "jeffreys", "metavar": "NAME", "help": "jeffreys (default), wilson or clopper-pearson",
        },
        confidence={"type": float, "default": 0.95, "help": "of all intervals (default 0.95)"},
        top={"help": "groups to print per rate (default 10)"},
        json={},
        report={},
        counts={
            "type": Path, "metavar": "FILE", "help": "write the counts as JSON, for shards to be added up",
        },
        fail_above={
            "metavar": "GATES",
            "help": "exit with 1 if a figure is on the wrong side of its limit: df=1.0,if=0.4 of the notion, or see "
            "below",
        },
        fail_on_harm={
            "nargs": "?", "const": "", "metavar": "RATES",
            "help": "exit with 1 if some group's rate fell beyond noise against --baseline; of the notion, or rates "
            "with commas between them",
        },
        tolerance={
            "type": float, "default": 0.0, "metavar": "X",
            "help": "fall of a rate that --fail-on-harm accepts, as in 0.02 (default 0)",
        },
        fail_on_leveling_down={"help": "exit with 1 if it levels down against --baseline"},
        gate_json={"type": Path, "metavar": "FILE", "help": "write what each gate found as JSON"},
    )  # fmt: skip


def check(arguments: argparse.Namespace) -> Files:
    """Gates and options, before any work is done."""
    if arguments.fail_above:
        from fairlattice.cli._gates import parse_gates  # slow: it imports all measures

        parse_gates(arguments.fail_above)
    _check_options(arguments)
    return Files((arguments.counts, arguments.gate_json), (arguments.table,))


def read(arguments: argparse.Namespace) -> _Counted:
    """Count the table, once per question: it is never held whole."""
    from fairlattice.cli._output import progress

    with warnings.catch_warnings(), progress("counting"):
        warnings.simplefilter("ignore", SmallCellWarning)  # the report lists small groups
        return _count_and_audit(arguments)


def compute(arguments: argparse.Namespace, counted: _Counted) -> Found:
    """The report, and what became of the gates."""
    from fairlattice.cli._checks import notes_on_attributes
    from fairlattice.cli._gates import gates_summary, parse_gates
    from fairlattice.report import Report

    columns, result, found, digest = counted
    counts = result.counts
    name = arguments.table.resolve().name if arguments.table.is_dir() else arguments.table.name
    data = data_about(
        arguments,
        name,
        counts.n + counts.excluded,
        columns,
        label=arguments.label,
        prediction=arguments.prediction,
        baseline=arguments.baseline,
        date=_today(),
        sha256=digest,
    )
    outcomes = _outcomes(arguments, result, parse_gates(arguments.fail_above), found)
    gates = gates_summary(name, outcomes)
    gates_text = json.dumps(gates, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return Found(
        Report.of(result, data=data, gates=gates["gates"], **found),
        files=[
            (arguments.counts, lambda target: target.write(counts.to_json().encode())),
            (arguments.gate_json, lambda target: target.write(gates_text.encode(errors="replace"))),
        ],
        notes=[*arguments.assumed, *notes_on_attributes(counts.lattice)],
        fallen=[o.message for o in outcomes if o.fell],
    )


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


def _count_and_audit(arguments: argparse.Namespace) -> _Counted:
    """One aggregation for the audit, and one more for each other question asked."""
    from fairlattice.cli._checks import check_counted, check_scan, period_order
    from fairlattice.cli._reading import reading
    from fairlattice.cli._tables import file_hash, scan_table
    from fairlattice.groups import GroupCounts, PairedCounts, ScoreCounts
    from fairlattice.groups._shared import check_agreement

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
        options: dict[str, Any] = {"cuts": columns.cuts, "missing": arguments.missing}
        options |= {"na": arguments.na, "decimal": arguments.decimal}
        spelled = {key: getattr(arguments, key) for key in ("positive", "positive_prediction")}
        by = () if arguments.by is None else (arguments.by,)
        digest = BackgroundCall(lambda: file_hash(arguments.table), daemon=True)
        # An error in this call is not lost: the later import raises it again.
        BackgroundCall(_import_report_modules)
        everything = GroupCounts.from_frame(
            table,
            label=label,
            prediction=arguments.prediction,
            sensitive=(*by, *attributes),
            weight=arguments.weight,
            **options,
            **spelled,
        )
        from fairlattice.metrics import audit, audit_scores, audit_series, harm, leveling_down

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
        result.table  # noqa: B018 - small groups are treated now, while warnings of them are caught
        found: dict[str, Any] = {}
        if arguments.baseline is not None:
            before, after = arguments.baseline, arguments.prediction
            pairs = PairedCounts.from_frame(
                table, label=label, before=before, after=after, sensitive=attributes, **options, **spelled
            )
            if label is not None:
                check_agreement(pairs.before, label, before)
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
    return columns, result, found, digest.result()


def _import_report_modules() -> None:
    """Import the modules that the report needs, so that they are ready when the counts are."""
    import fairlattice.report._audit_document
    import fairlattice.report._summary_audit  # noqa: F401


def _check_roles_differ(arguments: argparse.Namespace) -> None:
    """Raise if two options name the same column, which is a slip."""
    role_of: dict[str, str] = {}
    for role in ("label", *_ROLES):
        name = getattr(arguments, role)
        if name is not None and role_of.setdefault(name, role) != role:
            raise InputError(f"--{role_of[name]} and --{role} both name `{name}`. Name two columns.")
