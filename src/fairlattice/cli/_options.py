"""Options that several commands share, and what they mean for a table."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlattice._validation import check_columns_exist
from fairlattice.exceptions import InputError
from fairlattice.groups._shared import parse_sensitive

if TYPE_CHECKING:
    import polars as pl

TABLE_HELP = "CSV, TSV, Parquet or Arrow/Feather file, detected from the extension"


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
            raise InputError(
                "No feature columns are left. Drop fewer; compare and diagnose also take --keep-sensitive."
            )
        return features


# Every option that more than one command has, and those of a common subject, once.
_OPTIONS: dict[str, dict[str, Any]] = {
    "label": {"metavar": "COLUMN", "required": True, "help": "column of true labels"},
    "sensitive": {
        "metavar": "COLUMN", "nargs": "+", "action": "extend", "required": True,
        "help": "sensitive attributes; a numeric one is cut in place, as in age:25,45",
    },
    "na": {
        "metavar": "TEXT", "nargs": "+", "action": "extend",
        "help": "texts, or numbers, that mean a missing value; they replace the built-in list (NA N/A NaN null None "
        "? - . and others); blanks always do",
    },
    "decimal": {
        "metavar": "MARK", "help": "decimal mark of numbers that are text: . or , (default: what fits all)",
    },
    "categorical": {
        "metavar": "COLUMN", "nargs": "+", "action": "extend", "default": [], "help": "columns whose numbers are codes",
    },
    "keep": {
        "metavar": "COLUMN", "nargs": "+", "action": "extend", "default": [],
        "help": "columns to use although they look like row numbers or identifiers",
    },
    "drop": {"metavar": "COLUMN", "nargs": "+", "action": "extend", "help": "columns not used as features"},
    "keep_sensitive": {
        "action": "store_true", "help": "learn from the sensitive columns too (left out by default)",
    },
    "positive": {"metavar": "LABEL", "help": "the positive label, where it is not 1 or True"},
    "positive_prediction": {
        "metavar": "VALUE",
        "help": "the positive prediction, where it is spelled unlike the positive label, or without labels",
    },
    "favourable": {
        "metavar": "LABEL", "help": "the outcome that is good for people (default: the positive one)",
    },
    "reference": {
        "default": "best", "metavar": "GROUP",
        "help": "group that selection rates are compared with: best (default), others, or one such as "
        "sex=m,race=white",
    },
    "min_share": {
        "type": float, "default": 0.0, "metavar": "X",
        "help": "compare only selection rates of groups with at least this share of all rows (default 0)",
    },
    "notion": {
        "default": "equalized_odds", "metavar": "NAME",
        "help": "what is to be equal: equalized_odds (default), equal_opportunity, demographic_parity or accuracy",
    },
    "alpha": {
        "type": float, "default": 0.5, "help": "weight of the worst-off group's own rate in IF (default 0.5)",
    },
    "strategies": {
        "metavar": "A,B,…",
        "help": "names with commas between them, and parts with + (default: all that need no groups at prediction)",
    },
    "groups_at_prediction": {
        "action": "store_true", "help": "groups may be used to decide: include strategies that need them",
    },
    "plugin": {
        "type": Path, "action": "append", "metavar": "FILE",
        "help": "a Python file with strategies, methods or data sets of your own; may be repeated",
    },
    "classifier": {"default": "logistic", "metavar": "NAME", "help": "logistic (default), mlp or boosting"},
    "folds": {"type": int, "default": 5, "metavar": "N", "help": "folds of a repeat (default 5)"},
    "repeats": {"type": int, "default": 2, "metavar": "N", "help": "how often rows are split (default 2)"},
    "max_loss": {
        "type": float, "metavar": "X",
        "help": "accuracy that may be lost against none; what loses more is not recommended",
    },
    "per_cell": {
        "type": int, "default": 1000, "metavar": "N",
        "help": "synthetic rows raise smaller cells to N rows, at most to the largest cell's (default 1000)",
    },
    "device": {
        "metavar": "NAME",
        "help": "PyTorch device, such as cuda, on which to fit mixes and membership models (default: NumPy); "
        "results agree with NumPy's up to rounding",
    },
    "data_dir": {"type": Path, "metavar": "FOLDER", "help": "folder with the data sets' own files"},
    "top": {"type": int, "default": 10, "metavar": "N", "help": "rows of a table to print (default 10)"},
    "seed": {"type": int, "default": 0, "help": "the same seed gives the same result (default 0)"},
    "jobs": {"type": int, "default": -1, "metavar": "N", "help": "processes; -1 (default) is one per core"},
    "json": {"type": Path, "metavar": "FILE", "help": "write the result as JSON (- is standard output)"},
    "report": {
        "type": Path, "metavar": "FILE", "help": "write a page to hand over, one HTML file that needs no network",
    },
    "card": {
        "type": Path, "metavar": "FILE", "help": "write a model card of the strategy to take (Markdown)",
    },
    "predictions": {
        "type": Path, "metavar": "FILE", "help": "write every prediction, for others to recompute each number",
    },
    "fail_on_leveling_down": {
        "action": "store_true",
        "help": "exit with 1 if a strategy levels down: fairer, but its worst-off group worse off",
    },
}  # fmt: skip
READING = ("na", "decimal", "categorical", "keep")
TRAINING = (
    "strategies", "groups_at_prediction", "plugin", "classifier", "notion", "folds", "repeats", "max_loss", "per_cell",
    "device", "seed", "jobs", "json", "report", "card", "predictions", "fail_on_leveling_down",
)  # fmt: skip


def add_options(parser: argparse.ArgumentParser, *names: str, **changed: Mapping[str, Any]) -> None:
    """Declare options by name, with what is `changed` about some of them."""
    for name in (*names, *(n for n in changed if n not in names)):
        settings = {**_OPTIONS.get(name, {}), **changed.get(name, {})}
        parser.add_argument(f"--{name.replace('_', '-')}", **settings)


def add_table(parser: argparse.ArgumentParser, *, help_text: str = TABLE_HELP, **label: Any) -> None:
    """TABLE, --label and --sensitive."""
    parser.add_argument("table", metavar="TABLE", type=Path, help=help_text)
    add_options(parser, "label", "sensitive", label=label)


def reading_options(arguments: argparse.Namespace, features: Sequence[str]) -> dict[str, Any]:
    """How columns are to be read, as keywords of :func:`fairlattice.compare` and others.

    `--categorical` and `--keep` may name columns that are not features, as where one command follows another.
    """
    found: dict[str, Any] = {name: getattr(arguments, name, None) for name in ("na", "decimal")}
    for name in ("categorical", "keep"):
        found[name] = [c for c in getattr(arguments, name, ()) if c in set(features)]
    return found


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


def check_jobs(jobs: int, workers: str = "processes") -> None:
    """Raise unless --jobs is a number of workers."""
    if not 0 < abs(jobs) < 1000:
        raise InputError(f"`--jobs` must be a number of {workers}, or -1 for one per core; got {jobs}.")


def data_about(
    arguments: argparse.Namespace, name: str, rows: int, columns: Columns, **more: Any
) -> dict[str, Any]:
    """What a report says of its data; what is assumed about its columns is added as it is found."""
    plain = {"name": name, "rows": rows, "label": columns.label, "dropped": list(columns.drop)}
    return {**plain, "assumed": arguments.assumed, **more}
