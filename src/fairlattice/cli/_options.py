"""Options that several commands share, and what they mean for a table."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice._validation import check_columns_exist
from fairlattice.exceptions import InputError
from fairlattice.groups._shared import parse_sensitive

if TYPE_CHECKING:
    import polars as pl

TABLE_HELP = "CSV, TSV, Parquet or Arrow/Feather file, told by its suffix"


@dataclass(frozen=True)
class Columns:
    """Which columns of a table play which part.

    Parameters
    ----------
    label : str
        The column to predict; empty where there are decisions only.
    sensitive : tuple of str
        The sensitive attributes.
    cuts : dict of str to tuple of float
        Cut points of those that are cut.
    drop : tuple of str
        Columns not used as features.
    """

    label: str
    sensitive: tuple[str, ...]
    cuts: dict[str, tuple[float, ...]]
    drop: tuple[str, ...] = ()

    @classmethod
    def parse(cls, arguments: argparse.Namespace, present: list[str], *others: str) -> Columns:
        """The columns that the options name, all of which must be `present`."""
        pairs = [parse_sensitive(text, present) for text in arguments.sensitive]
        names = tuple(name for name, _ in pairs)
        drop = tuple(getattr(arguments, "drop", None) or ())
        label = [] if arguments.label is None else [arguments.label]
        reading = [c for key in ("categorical", "keep") for c in getattr(arguments, key, ())]
        check_columns_exist([*label, *names, *drop, *others, *reading], present)
        for name in (*label, *others):
            if name in names:
                raise InputError(
                    f"Column `{name}` cannot be a sensitive attribute and play another part too."
                )
        if len(set(names)) < len(names):
            raise InputError(f"A sensitive attribute is named twice: {', '.join(names)}.")
        clash = set(drop) & {arguments.label, *names}
        if clash:
            raise InputError(f"Column `{min(clash)}` is needed, so it cannot be dropped.")
        return cls(arguments.label or "", names, {n: cuts for n, cuts in pairs if cuts}, drop)

    def features(self, frame: pl.DataFrame, *, keep_sensitive: bool = False) -> pl.DataFrame:
        """The columns to learn from."""
        import polars.selectors as cs

        left_out = {self.label, *self.drop, *(() if keep_sensitive else self.sensitive)}
        features = frame.select(cs.by_name([c for c in frame.columns if c not in left_out]))
        if not features.width:
            raise InputError("No feature columns are left. Keep some, or pass --keep-sensitive.")
        return features


def add_table(
    parser: argparse.ArgumentParser, *, help_text: str = TABLE_HELP, needs_label: bool = True
) -> None:
    """TABLE, --label and --sensitive."""
    parser.add_argument("table", metavar="TABLE", type=Path, help=help_text)
    also = "" if needs_label else "; without it decisions alone are audited"
    parser.add_argument(
        "--label", metavar="COLUMN", required=needs_label, help=f"column of true labels{also}"
    )
    parser.add_argument(
        "--sensitive",
        metavar="COLUMN",
        nargs="+",
        action="extend",
        required=True,
        help="sensitive attributes; a numeric one is cut in place, as in age:25,45",
    )


def add_reading(parser: argparse.ArgumentParser, *, features: bool) -> None:
    """--na and --decimal, and where columns are features --categorical and --keep."""
    parser.add_argument(
        "--na",
        metavar="TEXT",
        nargs="+",
        action="extend",
        help="texts, or numbers, that mean a missing value, in place of NA N/A NaN null None ? - . and others; "
        "blanks always do",
    )
    parser.add_argument(
        "--decimal",
        metavar="MARK",
        help="decimal mark of numbers that are text: . or , (default: what fits all)",
    )
    if not features:
        return
    parser.add_argument(
        "--categorical",
        metavar="COLUMN",
        nargs="+",
        action="extend",
        default=[],
        help="columns whose numbers are codes",
    )
    parser.add_argument(
        "--keep",
        metavar="COLUMN",
        nargs="+",
        action="extend",
        default=[],
        help="columns to use although they look like row numbers or identifiers",
    )


def reading_options(arguments: argparse.Namespace, features: Sequence[str]) -> dict[str, Any]:
    """How columns are to be read, as keywords of :func:`fairlattice.compare` and others.

    `--categorical` and `--keep` may name columns that are no features, as where one command follows another.
    """
    found: dict[str, Any] = {name: getattr(arguments, name, None) for name in ("na", "decimal")}
    for name in ("categorical", "keep"):
        found[name] = [c for c in getattr(arguments, name, ()) if c in set(features)]
    return found


def add_positive(parser: argparse.ArgumentParser) -> None:
    """--positive and --alpha."""
    parser.add_argument("--positive", metavar="LABEL", help="the positive label, where it is not 1 or True")
    add_alpha(parser)


def add_alpha(parser: argparse.ArgumentParser) -> None:
    """--alpha."""
    parser.add_argument(
        "--alpha",
        type=float,
        default=0.5,
        help="weight of the worst-off group's own rate in IF (default 0.5)",
    )


def add_notion(parser: argparse.ArgumentParser) -> None:
    """--notion, --favourable, --positive-prediction, --reference and --min-share of an audit."""
    parser.add_argument(
        "--notion",
        metavar="NAME",
        help="what is to be equal: equalized_odds (default), equal_opportunity, demographic_parity (default without "
        "labels), accuracy or predictive_parity",
    )
    parser.add_argument(
        "--favourable",
        metavar="LABEL",
        help="the outcome that is good for people (default: the positive one)",
    )
    parser.add_argument(
        "--positive-prediction",
        metavar="VALUE",
        help="the positive prediction, where it is spelled unlike the positive label, or without labels",
    )
    parser.add_argument(
        "--reference",
        default="best",
        metavar="GROUP",
        help="whom selection rates are compared with: best (default), others, or a group, as in sex=m,race=white",
    )
    parser.add_argument(
        "--min-share",
        type=float,
        default=0.0,
        metavar="X",
        help="groups with a smaller share of all rows have no ratio and are no reference (default 0)",
    )


def parse_reference(text: str, names: Sequence[str]) -> str | dict[str, str]:
    """``sex=m,race=white`` as a group; commas inside a level are kept.

    Examples
    --------
    >>> parse_reference("sex=m,race=Black, other", ["sex", "race"])
    {'sex': 'm', 'race': 'Black, other'}
    """
    if text in ("best", "others"):
        return text
    known = "|".join(map(re.escape, names))
    parts = re.split(f",(?=(?:{known})=)", text) if names else [text]
    pairs = [part.partition("=") for part in parts]
    if any(not sign or not name for name, sign, _ in pairs):
        raise InputError(
            f"`--reference` takes best, others or a group such as sex=m,race=white, got {text!r}."
        )
    return {name: level for name, _, level in pairs}


def add_report(parser: argparse.ArgumentParser) -> None:
    """--report."""
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a page to hand over, one HTML file that needs no network",
    )


def add_training(parser: argparse.ArgumentParser, *, repeats: int) -> None:
    """Everything about how a comparison is run."""
    parser.add_argument(
        "--strategies",
        metavar="A,B,…",
        help="names with commas between them, and parts with + (default: all that need no groups at prediction)",
    )
    parser.add_argument(
        "--groups-at-prediction",
        action="store_true",
        help="groups may be used to decide: include strategies that need them",
    )
    parser.add_argument(
        "--plugin",
        type=Path,
        action="append",
        metavar="FILE",
        help="a Python file with strategies of your own; may be repeated",
    )
    parser.add_argument(
        "--classifier", default="logistic", metavar="NAME", help="logistic (default), mlp or boosting"
    )
    parser.add_argument(
        "--notion",
        default="equalized_odds",
        metavar="NAME",
        help="what is to be equal: equalized_odds (default), equal_opportunity, demographic_parity or accuracy",
    )
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="folds of a repeat (default 5)")
    parser.add_argument(
        "--repeats",
        type=int,
        default=repeats,
        metavar="N",
        help=f"how often rows are split (default {repeats})",
    )
    parser.add_argument(
        "--max-loss",
        type=float,
        metavar="X",
        help="accuracy that may be lost against none; what loses more is not recommended",
    )
    parser.add_argument(
        "--per-cell",
        type=int,
        default=1000,
        metavar="N",
        help="synthetic rows raise smaller cells to N rows, at most to the largest cell's (default 1000)",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same result (default 0)")
    parser.add_argument(
        "--jobs", type=int, default=-1, metavar="N", help="processes; -1 (default) is one per core"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the result as JSON (- is standard output)"
    )
    add_report(parser)
    parser.add_argument(
        "--card", type=Path, metavar="FILE", help="write a model card of the strategy to take (Markdown)"
    )
    parser.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="write every prediction, for others to recompute each number",
    )
    parser.add_argument(
        "--fail-on-leveling-down",
        action="store_true",
        help="exit with 1 if a strategy levels down: fairer, but its worst-off group worse off",
    )


def check_jobs(jobs: int, workers: str = "processes") -> None:
    """Raise if --jobs is no number of workers."""
    if not 0 < abs(jobs) < 1000:
        raise InputError(f"`--jobs` must be a number of {workers}, or -1 for one per core; got {jobs}.")


def data_about(
    arguments: argparse.Namespace, name: str, rows: int, columns: Columns, **more: Any
) -> dict[str, Any]:
    """What a report says of its data; what is assumed about its columns is added as it is found."""
    plain = {"name": name, "rows": rows, "label": columns.label, "dropped": list(columns.drop)}
    return {**plain, "assumed": arguments.assumed, **more}
