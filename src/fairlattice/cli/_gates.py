"""Gates: limits that a model must keep, and what a machine reads of them.

A gate falls on the corrected figure unless another is named, since the figure as counted is mostly noise where groups
are small. What a gate found is decided here, and reported in one line, in JSON, and by the exit code.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from fairlattice._validation import check_choice
from fairlattice.exceptions import InputError, UndefinedRateError
from fairlattice.metrics import Audit, Harm, LevelingDown

_GATE = re.compile(r"^(?P<figure>[^<>=]+?)\s*(?P<sign>[<>=])\s*(?P<limit>[^<>=]+)$")
_SHORT = ("df", "if", "ratio", "worst")
_HIGH_IS_FAIR = ("ratio", "worst")


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit on a figure: it falls where the figure lies on the wrong side.

    Parameters
    ----------
    figure : str
        Rate or notion, and measure; "df" alone is that of the audit's notion.
    end : str
        Which figure: "corrected", "value", "low" or "high".
    below : bool
        Whether it falls below the limit, not above it.
    limit : float
        The limit.
    """

    figure: str
    end: str
    below: bool
    limit: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a gate.

    Parameters
    ----------
    gate : str
        The gate as it was asked for.
    fell : bool
        Whether it fell.
    found, limit : float or None
        The figure, and its limit.
    message : str
        In words.
    groups : list of dict
        Whom it is about, where it is about groups: ``group``, ``rate``, ``before``, ``after``, ``low``, ``high``.
    """

    gate: str
    fell: bool
    found: float | None
    limit: float | None
    message: str
    groups: list[dict[str, Any]]


def parse_gates(text: str | None) -> tuple[Gate, ...]:
    """``df=1.0,selection_rate.ratio<0.8`` as gates.

    Examples
    --------
    >>> [(g.figure, g.end, g.below, g.limit) for g in parse_gates("df=1.0,tpr.worst.low<0.5")]
    [('df', 'corrected', False, 1.0), ('tpr.worst', 'low', True, 0.5)]
    """
    gates = [_gate(part) for part in ([] if text is None else text.split(","))]
    names = [(g.figure, g.end) for g in gates]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"`--fail-above` names {twice[0]} twice.")
    return tuple(gates)


def _gate(part: str) -> Gate:
    from fairlattice.metrics._shared import parse_figure

    found = _GATE.match(part.strip())
    if found is None:
        raise InputError(
            f"`--fail-above` takes df=X,if=Y or figures such as 'selection_rate.ratio<0.8', got {part!r}."
        )
    name = found["figure"]
    head, _, end = name.rpartition(".")
    if head in ("", *_SHORT):  # of the audit's notion
        measure = check_choice("--fail-above", head or name, _SHORT)
        figure, end = measure, parse_figure(f"notion.{name}")[2]
    else:
        rate, measure, end = parse_figure(name)
        figure = f"{rate}.{measure}"
    below = measure in _HIGH_IS_FAIR
    if found["sign"] == (">" if below else "<"):
        raise InputError(
            f"`--fail-above`: {measure} is bad {'below' if below else 'above'} its limit, got {part!r}."
        )
    try:
        limit = float(found["limit"])
    except ValueError:
        raise InputError(f"`--fail-above` takes limits that are numbers, got {part!r}.") from None
    if not 0 <= limit < float("inf"):
        raise InputError(f"`--fail-above` takes finite limits of at least 0, got {part!r}.")
    return Gate(figure, end, below, limit)


def outcome_of(audit: Audit, gate: Gate) -> Outcome:
    """A gate's outcome.

    Raises
    ------
    InputError
        If the figure is undefined, since no group has a row that it is about.
    """
    name = gate.figure if "." in gate.figure else f"{audit.notion}.{gate.figure}"
    try:
        found = float(getattr(audit.figure(name), gate.end))
    except UndefinedRateError:
        raise InputError(
            f"`--fail-above {gate.figure}` cannot be decided: a rate is undefined in every group."
        ) from None
    fell = found < gate.limit if gate.below else found > gate.limit
    side = ("below" if gate.below else "above") if fell else ("not below" if gate.below else "not above")
    shown = f"{gate.figure} {found:.3f} is {side} {gate.limit:g} ({gate.end})"
    sign = "<" if gate.below else ">"
    return Outcome(f"{gate.figure}.{gate.end}{sign}{gate.limit:g}", fell, found, gate.limit, shown, [])


def leveling_outcome(found: LevelingDown) -> Outcome:
    """Whether the gate of leveling down fell."""
    fell = found.verdict == "yes"
    message = "leveling down against the baseline" + ("" if fell else f": {found.verdict}")
    return Outcome("leveling_down", fell, None, None, message, [])


def harm_outcome(found: Harm) -> Outcome:
    """Whether the gate of harm fell, and who was harmed."""
    from fairlattice.groups import show_group

    groups: list[dict[str, Any]] = [
        {"group": c.group, "rate": c.rate, "before": c.before, "after": c.after, "low": c.low, "high": c.high}
        for c in found.fell
    ]
    by = f" by more than {found.tolerance:g}" if found.tolerance else ""
    message = f"no group's rate is shown to have fallen{by} against the baseline ({found.verdict})"
    if groups:
        shown = "; ".join(
            f"{g['rate']} of {show_group(g['group'])} {g['before']:.3f} -> {g['after']:.3f}"
            for g in groups[:3]
        )
        more = f" and {len(groups) - 3:,} more" if len(groups) > 3 else ""
        message = f"harm: a rate fell{by} beyond noise against the baseline: {shown}{more}"
    least = min((g["high"] for g in groups), default=None)
    return Outcome("harm", bool(groups), least, 0.0 - found.tolerance, message, groups)


def gates_summary(name: str, outcomes: list[Outcome]) -> dict[str, Any]:
    """All outcomes as plain data, schema ``fairlattice/gate/1``."""
    return {
        "schema": "fairlattice/gate/1",
        "name": name,
        "passed": not any(o.fell for o in outcomes),
        "gates": [asdict(o) for o in outcomes],
    }
