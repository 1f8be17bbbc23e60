"""The charts of experiments: trade-offs with their front, groups under several methods, axes one by one.

A method keeps its colour and a strategy its shape in every chart; where many stand together, only those
that matter are named next to their points, and a tooltip of every point has its name and figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairlattice.report._charts import (
    BLUE,
    GREEN,
    GREY,
    RED,
    Chart,
    Kind,
    Spec,
    base,
    legend,
    row_axis,
    row_texts,
    text_at,
    x_axis,
)
from fairlattice.report._charts_kinds import PLOT, Spot, padded, spot_labels
from fairlattice.strategies import STRATEGIES

INK = "currentColor"
COLORS = (BLUE, RED, GREEN, "#A65BC0", "#9A6B2F", "#C2508F", "#7C8A00", "#2A8FA8", GREY)
_SHAPES = ("circle", "diamond", "square", "triangle-up", "triangle-down", "triangle-right", "cross")
SHAPES = dict(zip(STRATEGIES, _SHAPES, strict=False))
OTHER_SHAPE = "triangle-left"
_LEFT, _RIGHT, _LEGEND_ROW, _LETTER = 70, 130, 20, 7.0
_THIN = {"strokeWidth": 1.4, "opacity": 0.4, "aria": False}
_COLOR = {"field": "color", "type": "nominal", "scale": None, "legend": None}
_SHAPE = {"field": "shape", "type": "nominal", "scale": None, "legend": None}


@dataclass(frozen=True)
class Dot:
    """A method of a trade-off.

    Parameters
    ----------
    spot : Spot
        Its name and figures; without a label it is not named next to its point.
    kind : Kind
        How it looks.
    front : bool
        Whether no other method is better in both figures.
    """

    spot: Spot
    kind: Kind
    front: bool


def front_chart(
    name: str,
    title: str,
    about: str,
    dots: Sequence[Dot],
    legends: Sequence[Sequence[Kind]],
    *,
    x_title: str,
    y_title: str,
    hint: str,
) -> Chart:
    """Two figures against each other, with error bars, and the front, if there is one, as a line."""
    width, height = PLOT
    spots = [d.spot for d in dots]
    x_domain = padded([v for s in spots for v in (s.x - s.x_se, s.x + s.x_se)])
    y_domain = padded([v for s in spots for v in (s.y - s.y_se, s.y + s.y_se)])
    x, y = x_axis(x_title, x_domain), {**x_axis(y_title, y_domain), "field": "y"}
    flat = [_flat(d) for d in dots]
    front = sorted({(d.spot.x, d.spot.y) for d in dots if d.front})
    line: Spec = {
        "data": {"values": [{"value": a, "y": b} for a, b in front]},
        "mark": {"type": "line", "interpolate": "step-before", "color": INK, **_THIN},
        "encoding": {"x": {"field": "value", **x}, "y": y},
    }
    layers = [*([line] if front else []), *_bars(flat, x, y), _marks(flat, x, y)]
    layers += spot_labels(spots, x_domain, y_domain)
    layers.append(text_at(hint, 4, -12, opacity=0.7))
    layers, top = _with_legends(layers, legends, width + _RIGHT + _LEFT - 20, -_LEFT + 10)
    padding = {"left": _LEFT, "right": _RIGHT, "top": top, "bottom": 50}
    return Chart(name, title, about, base(width, height, padding, layers))


def _flat(dot: Dot) -> dict[str, Any]:
    s = dot.spot
    return {
        "value": s.x,
        "low": s.x - s.x_se,
        "high": s.x + s.x_se,
        "y": s.y,
        "y_low": s.y - s.y_se,
        "y_high": s.y + s.y_se,
        "tip": s.tip,
        "color": dot.kind.color,
        "shape": dot.kind.shape,
    }


def _bars(flat: Sequence[dict[str, Any]], x: Spec, y: Spec) -> list[Spec]:
    """Error bars along both axes."""
    mark = {"type": "rule", "strokeWidth": 1.2, "opacity": 0.45, "aria": False}
    ways = (
        {"x": {"field": "low", **x}, "x2": {"field": "high"}, "y": y},
        {"x": {"field": "value", **x}, "y": {**y, "field": "y_low"}, "y2": {"field": "y_high"}},
    )
    data = {"values": list(flat)}
    return [{"data": data, "mark": mark, "encoding": {**way, "color": _COLOR}} for way in ways]


def _marks(flat: Sequence[dict[str, Any]], x: Spec, y: Spec, size: int = 75) -> Spec:
    """Points that bring their colour and shape along."""
    return {
        "data": {"values": list(flat)},
        "mark": {"type": "point", "filled": True, "size": size, "opacity": 1},
        "encoding": {
            "x": {"field": "value", **x},
            "y": y,
            "color": _COLOR,
            "shape": _SHAPE,
            "description": {"field": "tip"},
        },
    }


def _with_legends(
    layers: list[Spec], legends: Sequence[Sequence[Kind]], width: float, x: float
) -> tuple[list[Spec], int]:
    """The layers with legends above them, as many lines as they need, and the room that takes."""
    lines = [line for kinds in legends if len(kinds) > 1 for line in _lines(kinds, width)]
    for i, line in enumerate(lines):
        layers = layers + legend(line, -36 - _LEGEND_ROW * (len(lines) - 1 - i), x, _LETTER)
    return layers, 28 + _LEGEND_ROW * len(lines)


def _lines(kinds: Sequence[Kind], width: float) -> list[list[Kind]]:
    lines: list[list[Kind]] = [[]]
    used = 0.0
    for kind in kinds:
        length = 34 + _LETTER * len(kind.label)
        if lines[-1] and used + length > width:
            lines.append([])
            used = 0.0
        lines[-1].append(kind)
        used += length
    return lines


@dataclass(frozen=True)
class Interval:
    """A rate with its interval, and what a tooltip says."""

    value: float
    low: float
    high: float
    tip: str


@dataclass(frozen=True)
class GroupRow:
    """A group: whom it is about, its rate under every method in turn, and a word at the right end."""

    label: str
    rates: Sequence[Interval | None]
    end: str


def groups_chart(
    name: str,
    title: str,
    about: str,
    rows: Sequence[GroupRow],
    kinds: Sequence[Kind],
    *,
    axis: str,
    label_title: str,
) -> Chart:
    """Rates of groups under several methods with an interval each, one row per group."""
    left, width, right = 290, 370, 70
    step = 8
    height = (step * len(kinds) + 10) * len(rows)
    x, y = x_axis(axis, (0.0, 1.0)), row_axis(len(rows))
    layers: list[Spec] = []
    for place, kind in enumerate(kinds):
        lower = step * (place - (len(kinds) - 1) / 2)
        known = [(i, r.rates[place]) for i, r in enumerate(rows)]
        flat = [
            {"i": i, "value": c.value, "low": c.low, "high": c.high, "tip": c.tip}
            for i, c in known
            if c is not None
        ]
        if flat:
            layers += _offset(flat, kind, x, y, lower)
    texts = [{"i": i, "label": r.label, "end": r.end} for i, r in enumerate(rows)]
    layers += [
        row_texts(texts, "label", -12, "right", y),
        row_texts(texts, "end", width + right - 14, "right", y, 0.75),
        text_at(label_title, -12, -12, "right", fontWeight="bold"),
        text_at("people", width + right - 14, -12, "right", opacity=0.75),
    ]
    layers, top = _with_legends(layers, [kinds], left + width + right - 20, -left + 10)
    padding = {"left": left, "right": right, "top": top, "bottom": 46}
    return Chart(name, title, about, base(width, height, padding, layers))


def _offset(flat: Sequence[dict[str, Any]], kind: Kind, x: Spec, y: Spec, lower: float) -> list[Spec]:
    """Intervals and their points, `lower` pixels below the middle of their rows."""
    look = {"color": kind.color, "yOffset": lower}
    bars: Spec = {
        "data": {"values": list(flat)},
        "mark": {"type": "rule", "strokeWidth": 1.6, "opacity": 0.55, "aria": False, **look},
        "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "y": y},
    }
    mark = {"type": "point", "shape": kind.shape, "filled": True, "size": 38, "opacity": 1, **look}
    encoding = {"x": {"field": "value", **x}, "y": y, "description": {"field": "tip"}}
    return [bars, {"data": {"values": list(flat)}, "mark": mark, "encoding": encoding}]


@dataclass(frozen=True)
class Climb:
    """A method over growing numbers of attributes: a figure, its standard error and its tooltip each."""

    kind: Kind
    figures: Sequence[tuple[float, float, str] | None]


def axes_chart(
    name: str,
    title: str,
    about: str,
    climbs: Sequence[Climb],
    steps: Sequence[tuple[str, str]],
    *,
    y_title: str,
) -> Chart:
    """A figure of every method as attributes join; each step has two lines of text beneath it."""
    width, height = PLOT
    x_domain = (-0.25, len(steps) - 0.75)
    x = x_axis("", x_domain, labels=False, ticks=False, grid=False)
    flat = [_climbed(c, i, len(climbs)) for i, c in enumerate(climbs)]
    every = [f for one in flat for f in one]
    y_domain = padded([v for f in every for v in (f["y_low"], f["y_high"])])
    y = {**x_axis(y_title, y_domain), "field": "y"}
    layers: list[Spec] = []
    for climb, one in zip(climbs, flat, strict=True):
        mark = {"type": "line", "color": climb.kind.color, "strokeWidth": 1.4, "opacity": 0.6, "aria": False}
        encoding = {"x": {"field": "value", **x}, "y": y}
        layers.append({"data": {"values": one}, "mark": mark, "encoding": encoding})
    layers += [_bars(every, x, y)[1], _marks(every, x, y, 60)]
    ends = [(c, f[-1]["y"], f[-1]["value"]) for c, f in zip(climbs, flat, strict=True) if f]
    layers += _end_labels(ends, x_domain, y_domain)
    for i, words in enumerate(steps):
        at = (i - x_domain[0]) / (x_domain[1] - x_domain[0]) * width
        layers += [
            text_at(text, at, height + 14 + 16 * line, "center", opacity=(1, 0.7)[line])
            for line, text in enumerate(words)
        ]
    padding = {"left": _LEFT, "right": 170, "top": 20, "bottom": 56}
    return Chart(name, title, about, base(width, height, padding, layers))


def _climbed(climb: Climb, place: int, count: int) -> list[dict[str, Any]]:
    """The known points of a line, shifted a little from those of others so that their error bars are seen."""
    shift = 0.012 * (place - (count - 1) / 2)
    look = {"color": climb.kind.color, "shape": climb.kind.shape}
    return [
        {"value": i + shift, "y": f[0], "y_low": f[0] - f[1], "y_high": f[0] + f[1], "tip": f[2], **look}
        for i, f in enumerate(climb.figures)
        if f is not None
    ]


def _end_labels(
    ends: Sequence[tuple[Climb, float, float]], x_domain: tuple[float, float], y_domain: tuple[float, float]
) -> list[Spec]:
    """Names right of the plot, in the order of the lines' ends, each joined to its line."""
    width, height = PLOT
    at = [(y_domain[1] - y) / (y_domain[1] - y_domain[0]) * height for _, y, _ in ends]
    layers: list[Spec] = []
    for i, place in zip(_by_height(at), _apart(sorted(at)), strict=True):
        climb, _, x = ends[i]
        px = (x - x_domain[0]) / (x_domain[1] - x_domain[0]) * width
        mark = {"type": "rule", "color": climb.kind.color, "strokeWidth": 0.8, "opacity": 0.6, "aria": False}
        ways = {"x": px + 6, "y": at[i], "x2": width + 8, "y2": place}
        joined = {k: {"value": round(v, 2)} for k, v in ways.items()}
        layers.append({"data": {"values": [{}]}, "mark": mark, "encoding": joined})
        layers += legend([climb.kind], place, width + 8)
    return layers


def _by_height(at: Sequence[float]) -> list[int]:
    return sorted(range(len(at)), key=lambda i: at[i])


def _apart(places: Sequence[float], room: float = 15.0) -> list[float]:
    """Sorted places moved as little downwards as lets no two touch, then back into the plot."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + room if found else place))
    limit = float(PLOT[1])
    for i in range(len(found) - 1, -1, -1):
        found[i] = min(found[i], limit)
        limit = found[i] - room
    return found
