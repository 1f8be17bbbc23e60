"""The charts by what they show: intervals of groups, changes, trade-offs, periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairlattice.report._charts import (
    BLUE,
    GREY,
    Chart,
    Kind,
    Spec,
    base,
    legend,
    line_at,
    points,
    row_axis,
    row_texts,
    rules,
    text_at,
    x_axis,
)

MOST_ROWS = 30
_LEFT, _WIDTH, _RIGHT, _ROW = 290, 370, 70, 21
PLOT = (470, 320)
_SAME = 1e-4  # figures closer than this need no axis of their own
_BESIDE = 126  # pixels that a name may take right of the plot
_LABEL_HEIGHT, _LABEL_LETTER = 14, 6.6


@dataclass(frozen=True)
class Row:
    """A row of a chart of groups.

    Parameters
    ----------
    label : str
        Whom it is about.
    value, low, high : float
        Where its point stands, and its interval.
    tip : str
        What a tooltip says.
    kind : int
        Position of its kind.
    end : str
        A word at the right end, such as the number of rows.
    start : float or None
        Where it came from, for changes.
    """

    label: str
    value: float
    low: float
    high: float
    tip: str
    kind: int = 0
    end: str = ""
    start: float | None = None


def row_chart(
    name: str,
    title: str,
    about: str,
    rows: Sequence[Row],
    kinds: Sequence[Kind],
    *,
    axis: str,
    label_title: str = "",
    end_title: str = "rows",
    domain: tuple[float, float] = (0.0, 1.0),
    reference: float | None = None,
    starts: Kind | None = None,
    others: Sequence[Sequence[float | None]] = (),
) -> Chart:
    """Points with intervals, one row each, at most thirty.

    With `others`, further figures of the same rows, the first kind is that of the rows, the next theirs.
    """
    rows = rows[:MOST_ROWS]
    height = (_ROW + 6 if others else _ROW) * max(len(rows), 1)
    x, y = x_axis(axis, domain), row_axis(len(rows))
    flat = [_flat(i, r, domain) for i, r in enumerate(rows)]
    layers: list[Spec] = []
    for place, kind in enumerate(kinds):
        mine = [f for f, r in zip(flat, rows, strict=True) if r.kind == place]
        if mine:
            layers.append(rules(mine, GREY if others else kind.color, x, y))
    if reference is not None:
        layers.append(line_at(min(max(reference, domain[0]), domain[1]), "currentColor", x))
    moved = [{**f, "value": r.start} for f, r in zip(flat, rows, strict=True) if r.start is not None]
    if moved and starts is not None:
        layers.append(points(moved, starts, x, y, size=45))
    used = [k for place, k in enumerate(kinds) if any(r.kind == place for r in rows) or others]
    step = 12 / max(len(others), 1)
    for place, kind in enumerate(kinds):
        mine = [f for f, r in zip(flat, rows, strict=True) if r.kind == place]
        if mine:
            layers.append(points(mine, kind, x, y, lower=-6 if others else 0))
    for place, (kind, values) in enumerate(zip(kinds[1:], others, strict=False), start=1):
        mine = [{**f, "value": v} for f, v in zip(flat, values, strict=False) if v is not None]
        layers.append(points(mine, kind, x, y, lower=-6 + step * place, size=45))
    layers += [
        row_texts(flat, "label", -12, "right", y),
        row_texts(flat, "end", _WIDTH + _RIGHT - 14, "right", y, 0.75),
        text_at(label_title, -12, -12, "right", fontWeight="bold"),
        text_at(end_title, _WIDTH + _RIGHT - 14, -12, "right", opacity=0.75),
    ]
    shown = [*([starts] if moved and starts is not None else []), *used]
    top = 22
    if len(shown) > 1:
        layers, top = layers + legend(shown, -34, -_LEFT + 10), 46
    padding = {"left": _LEFT, "right": _RIGHT, "top": top, "bottom": 46}
    return Chart(name, title, about, base(_WIDTH, height, padding, layers))


def _flat(i: int, row: Row, domain: tuple[float, float]) -> dict[str, Any]:
    """A row as plain data, its interval cut at the ends of the axis."""
    low, high = (min(max(v, domain[0]), domain[1]) for v in (row.low, row.high))
    return {
        "i": i,
        "label": row.label,
        "end": row.end,
        "value": row.value,
        "low": low,
        "high": high,
        "tip": row.tip,
    }


@dataclass(frozen=True)
class Spot:
    """A point of a trade-off: a strategy, its two figures and their standard errors."""

    label: str
    x: float
    y: float
    x_se: float
    y_se: float
    tip: str


def padded(values: Sequence[float]) -> tuple[float, float]:
    """The domain of an axis, with room around the values."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) if high - low > _SAME else 0.05
    return round(low - room, 6), round(high + room, 6)


def spot_labels(
    spots: Sequence[Spot], x_domain: tuple[float, float], y_domain: tuple[float, float]
) -> list[Spec]:
    """Names next to their points, none over another; points that agree share one, some have none."""
    together: dict[tuple[float, float], list[str]] = {}
    for s in spots:
        together.setdefault((round(s.x, 9), round(s.y, 9)), []).append(s.label)
    at_px = {at: _pixels(at, x_domain, y_domain) for at in together}
    placed = [(x - 7, x + 7, y) for x, y in at_px.values()]  # no name covers a point either
    layers: list[Spec] = []
    for (sx, sy), names in sorted(together.items(), key=lambda item: (-item[0][1], item[0][0])):
        px, at = at_px[sx, sy]
        text = ", ".join(n for n in names if n)
        if not text:
            continue
        side, py = _free_place(px, at, _LABEL_LETTER * len(text), placed)
        if abs(py - at) > _LABEL_HEIGHT:
            mark = {"type": "rule", "color": GREY, "strokeWidth": 0.7, "aria": False}
            ways = {"x": px, "y": at, "x2": px + 8 * side, "y2": py}
            joined = {k: {"value": round(v, 2)} for k, v in ways.items()}
            layers.append({"data": {"values": [{}]}, "mark": mark, "encoding": joined})
        layers.append(text_at(text, px + 10 * side, py, "left" if side > 0 else "right"))
    return layers


def _free_place(
    px: float, at: float, length: float, placed: list[tuple[float, float, float]]
) -> tuple[int, float]:
    """On which side of a point its name has room, and how high; the place is then taken."""
    for step in (9, 24, 39, 54, 69, 84):
        for side in (1, -1):
            for py in (at - step, at + step):
                left, right = sorted((px + 10 * side, px + (10 + length) * side))
                free = all(left >= r or ll >= right or abs(py - t) >= _LABEL_HEIGHT for ll, r, t in placed)
                if free and left > -40 and right < PLOT[0] + _BESIDE and 0 < py < PLOT[1]:
                    placed.append((left, right, py))
                    return side, py
    return 1 if px < PLOT[0] / 2 else -1, at


def _pixels(
    at: tuple[float, float], x_domain: tuple[float, float], y_domain: tuple[float, float]
) -> tuple[float, float]:
    """Where a point of the plot lies, from its upper left corner."""
    return (
        (at[0] - x_domain[0]) / (x_domain[1] - x_domain[0]) * PLOT[0],
        (y_domain[1] - at[1]) / (y_domain[1] - y_domain[0]) * PLOT[1],
    )


@dataclass(frozen=True)
class Moment:
    """A period: its name, a figure and its interval; None where undefined."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    tip: str


def time_chart(name: str, title: str, about: str, moments: Sequence[Moment], *, y_title: str) -> Chart:
    """A figure over periods, with its interval as a band."""
    width, height = 560, 200
    flat: list[dict[str, Any]] = [
        {"value": i, "y": m.value, "low": m.low, "high": m.high, "tip": m.tip}
        for i, m in enumerate(moments)
        if m.value is not None and m.low is not None and m.high is not None
    ]
    top = max([v for f in flat for v in (f["y"], f["high"]) if v < 100] or [1.0])
    domain = (0.0, round(max(top * 1.05, 0.1), 6))
    flat = [{**f, "high": min(f["high"], domain[1])} for f in flat]
    last = max(len(moments) - 1, 1)
    x = x_axis("", (-0.3, last + 0.3), labels=False, ticks=False, grid=False)
    y = x_axis(y_title, domain)
    bars: Spec = {
        "data": {"values": flat},
        "mark": {"type": "rule", "color": BLUE, "strokeWidth": 2.2, "opacity": 0.6, "aria": False},
        "encoding": {"x": {"field": "value", **x}, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
    }
    line: Spec = {
        "data": {"values": flat},
        "mark": {"type": "line", "color": BLUE, "strokeWidth": 1.2, "opacity": 0.6, "aria": False},
        "encoding": {"x": {"field": "value", **x}, "y": {**y, "field": "y"}},
    }
    layers = [bars, line, points(flat, Kind("", BLUE), x, {**y, "field": "y"})]
    step = -(-len(moments) // 12)
    for i in range(0, len(moments), step):
        at = (i + 0.3) / (last + 0.6) * width
        layers.append(text_at(moments[i].label, at, height + 14, "right" if step > 1 else "center", angle=0))
    return Chart(
        name, title, about, base(width, height, {"left": 60, "right": 30, "top": 14, "bottom": 40}, layers)
    )


def cloud_chart(
    name: str, title: str, about: str, clouds: Sequence[Sequence[Sequence[float]]], kinds: Sequence[Kind]
) -> Chart:
    """Rows laid out in two dimensions whose units mean nothing, one kind of mark per cloud."""
    width, height = 420, 300
    x_domain, y_domain = (padded([p[axis] for cloud in clouds for p in cloud]) for axis in (0, 1))
    bare = {"labels": False, "ticks": False}
    x = x_axis("", x_domain, **bare)
    y = {**x_axis("", y_domain, **bare), "field": "y"}
    layers = [
        points([{"value": p[0], "y": p[1], "tip": kind.label} for p in cloud], kind, x, y, size=26)
        for cloud, kind in zip(clouds, kinds, strict=True)
    ]
    layers += legend(kinds, -16)
    padding = {"left": 20, "right": 20, "top": 34, "bottom": 14}
    return Chart(name, title, about, base(width, height, padding, layers))
