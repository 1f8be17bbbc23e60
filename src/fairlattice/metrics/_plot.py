"""Pictures of an audit on matplotlib axes; matplotlib is loaded when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fairlattice.exceptions import InputError
from fairlattice.groups import show_group
from fairlattice.metrics._claims import FOUR_FIFTHS
from fairlattice.metrics._group_rate import GroupRate
from fairlattice.metrics._impact import ImpactRatio

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit

_MOST = 40


def plot_audit(audit: Audit, rate: str | None, *, ratio: bool, ax: Any) -> Any:
    """Rates or ratios of an audit's groups; see :meth:`Audit.plot`."""
    axes = axes_or_new(ax)
    if ratio:
        name = rate or audit.selection or audit.judged[0]
        return draw_ratios(axes, name, audit.impact_ratios(name))
    name = rate or audit.judged[0]
    return draw_rates(axes, name, audit.by_group(name), audit.overall(name).rate)


def axes_or_new(ax: Any) -> Any:
    """The axes given, or new ones.

    Raises
    ------
    InputError
        If matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        raise InputError("Plots need matplotlib. Install it: pip install 'fairlattice[plot]'.") from error
    return plt.gca()


def draw_rates(ax: Any, name: str, rows: Sequence[GroupRate], everyone: float | None) -> Any:
    """Every group's rate with its interval, the lowest on top; a line for everyone."""
    known = sorted((r for r in rows if r.rate is not None), key=lambda r: r.rate or 0.0)[:_MOST]
    _draw(ax, [(r.rate or 0.0, r.low, r.high, f"{show_group(r.group)} ({r.n:,.0f})") for r in known])
    ax.set(xlabel=name.replace("_", " "), xlim=(-0.02, 1.02))
    if everyone is not None:
        ax.axvline(everyone, color="0.5", linestyle="--", linewidth=1, label="everyone")
        ax.legend(loc="best", frameon=False)
    return ax


def draw_ratios(ax: Any, name: str, rows: Sequence[ImpactRatio]) -> Any:
    """Every group's ratio with its interval; a line at four fifths."""
    known = sorted((r for r in rows if r.ratio is not None), key=lambda r: r.ratio or 0.0)[:_MOST]
    top = max([1.25, *(1.1 * (r.ratio or 0.0) for r in known)])
    _draw(
        ax, [(r.ratio or 0.0, r.low, min(r.high, top), f"{show_group(r.group)} ({r.n:,.0f})") for r in known]
    )
    ax.axvline(FOUR_FIFTHS, color="0.5", linestyle="--", linewidth=1, label="four fifths")
    ax.set(xlabel=f"ratio of {name.replace('_', ' ')}", xlim=(-0.02, top))
    ax.legend(loc="best", frameon=False)
    return ax


def _draw(ax: Any, points: Sequence[tuple[float, float, float, str]]) -> None:
    at = np.arange(len(points))
    value, low, high = (np.array([p[i] for p in points]) for i in range(3))
    ax.hlines(at, low, high, color="#0072B2", alpha=0.5, linewidth=3)
    ax.plot(value, at, "o", color="#0072B2")
    ax.set_yticks(at, labels=[p[3] for p in points])
    ax.invert_yaxis()
