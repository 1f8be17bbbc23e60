"""Charts as Vega-Lite specifications, and their drawing as SVG or PNG.

Names from data are only ever values of a data set that text marks show, never part of an expression.
The layout is fixed rather than measured, text and axes take the colour of the text around them, and
kinds differ by shape as well as by colour (Okabe and Ito's, which colour-blind eyes tell apart).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlattice.exceptions import InputError

Spec = dict[str, Any]
BLUE, RED, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
GREY = "#808080"
_VEGA_LITE = "5.20"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_INK = "currentColor"
_LETTER = 6.4  # pixels that a letter of a legend takes, about


@dataclass(frozen=True)
class Chart:
    """A chart: its name, what it shows in a line, what there is to see, and its specification."""

    name: str
    title: str
    about: str
    spec: Spec


@dataclass(frozen=True)
class Kind:
    """How a kind of mark looks, and what the legend calls it."""

    label: str
    color: str
    shape: str = "circle"
    filled: bool = True


def base(width: int, height: int, padding: Mapping[str, int], layer: Sequence[Spec]) -> Spec:
    """A chart of layers in the page's style."""
    axis = {
        "aria": False,
        "labelColor": _INK,
        "titleColor": _INK,
        "domain": False,
        "tickColor": _INK,
        "tickOpacity": 0.3,
        "gridColor": _INK,
        "gridOpacity": 0.12,
        "labelFontSize": 12,
        "labelFlush": False,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    }
    return {
        "$schema": _SCHEMA,
        "width": width,
        "height": height,
        "autosize": {"type": "none"},
        "padding": dict(padding),
        "background": None,
        "config": {
            "font": _FONT,
            "axis": axis,
            "view": {"stroke": None},
            "text": {"color": _INK, "fontSize": 12},
        },
        "layer": list(layer),
    }


def x_axis(title: str, domain: Sequence[float], **more: Any) -> Spec:
    """Encoding options of a quantitative x."""
    return {
        "type": "quantitative",
        "scale": {"domain": list(domain), "nice": False, "zero": False},
        "axis": {"title": title, "tickCount": 6, "values": ticks(domain), **more},
    }


def ticks(domain: Sequence[float]) -> list[float]:
    """About five round numbers in a domain."""
    low, high = domain
    span = max(high - low, 1e-9)
    for exponent in range(-6, 7):
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            if span / step <= 6:
                first = -int(-low // step) if low >= 0 else -int(-low / step)
                return [
                    round(k * step, 8)
                    for k in range(first, first + 8)
                    if low - 1e-9 <= k * step <= high + 1e-9
                ]
    return [low, high]


def row_axis(count: int) -> Spec:
    """Encoding of rows from top to bottom by their field ``i``."""
    return {
        "field": "i",
        "type": "ordinal",
        "axis": None,
        "scale": {"domain": list(range(count)), "padding": 0.1},
    }


def points(
    rows: Sequence[Mapping[str, Any]], kind: Kind, x: Spec, y: Spec, *, size: int = 60, lower: float = 0
) -> Spec:
    """Points of one kind at their field ``value``; their field ``tip`` is what a tooltip says."""
    style: Spec = {
        "type": "point",
        "shape": kind.shape,
        "size": size,
        "opacity": 1,
        "strokeWidth": 1.8,
        "yOffset": lower,
    }
    style |= {"filled": True, "color": kind.color} if kind.filled else {"filled": False, "color": kind.color}
    return {
        "data": {"values": list(rows)},
        "mark": style,
        "encoding": {"x": {"field": "value", **x}, "y": y, "description": {"field": "tip"}},
    }


def rules(rows: Sequence[Mapping[str, Any]], color: str, x: Spec, y: Spec, *, width: float = 2.2) -> Spec:
    """Intervals from their field ``low`` to their field ``high``."""
    return {
        "data": {"values": list(rows)},
        "mark": {"type": "rule", "color": color, "strokeWidth": width, "opacity": 0.75, "aria": False},
        "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "y": y},
    }


def row_texts(
    rows: Sequence[Mapping[str, Any]], field: str, at: float, align: str, y: Spec, opacity: float = 1
) -> Spec:
    """A text per row at a fixed place."""
    return {
        "data": {"values": [{"i": r["i"], "text": r[field]} for r in rows]},
        "mark": {
            "type": "text",
            "align": align,
            "x": at,
            "aria": False,
            "baseline": "middle",
            "opacity": opacity,
        },
        "encoding": {"y": y, "text": {"field": "text", "type": "nominal"}},
    }


def text_at(text: str, x: float, y: float, align: str = "left", **style: Any) -> Spec:
    """One text at a place in pixels."""
    mark = {"type": "text", "align": align, "x": x, "y": y, "aria": False, "baseline": "middle", **style}
    return {
        "data": {"values": [{"text": text}]},
        "mark": mark,
        "encoding": {"text": {"field": "text", "type": "nominal"}},
    }


def line_at(x: float, color: str, axis: Spec) -> Spec:
    """A dashed upright line."""
    return {
        "data": {"values": [{"value": x}]},
        "mark": {
            "type": "rule",
            "color": color,
            "strokeDash": [4, 3],
            "strokeWidth": 1.2,
            "aria": False,
            "opacity": 0.8,
        },
        "encoding": {"x": {"field": "value", **axis}},
    }


def legend(kinds: Sequence[Kind], y: float, x: float = 0, letter: float = _LETTER) -> list[Spec]:
    """The kinds side by side, each with its mark."""
    layers: list[Spec] = []
    for kind in kinds:
        mark: Spec = {
            "type": "point",
            "shape": kind.shape,
            "size": 60,
            "opacity": 1,
            "x": x + 5,
            "y": y,
            "aria": False,
        }
        mark |= {"filled": kind.filled, "color": kind.color, "strokeWidth": 1.8}
        layers += [
            {"data": {"values": [{}]}, "mark": mark, "encoding": {}},
            text_at(kind.label, x + 15, y + 0.5),
        ]
        x += 34 + letter * len(kind.label)
    return layers


def draw(chart: Chart) -> str:
    """A chart as the text of an SVG image that has a name and a description.

    Raises
    ------
    ValueError
        If the specification is not one of Vega-Lite.
    """
    from markupsafe import escape
    from vl_convert import vegalite_to_svg

    svg = vegalite_to_svg(chart.spec, vl_version=_VEGA_LITE, allowed_base_urls=[])
    svg = _unique_ids(_rounded(svg), chart.name).replace(f' font-family="{_FONT}"', "")  # once is enough
    head, _, rest = svg.partition(">")
    width, height = re.findall(r'(?:width|height)="([\d.]+)"', head)[:2]
    ids = f"{chart.name}-title {chart.name}-about"
    about = f'<title id="{chart.name}-title">{escape(chart.title)}</title>'
    about += f'<desc id="{chart.name}-about">{escape(chart.about)}</desc>'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    start += f'viewBox="0 0 {width} {height}" font-family="{_FONT}" '
    return f'{start}role="img" aria-labelledby="{ids}">{about}{rest}'


def chart_png(chart: Chart | str | Mapping[str, Any], *, scale: float = 2.0) -> bytes:
    """A chart for a paper as PNG, from the chart, its Vega-Lite specification, or its SVG text.

    Parameters
    ----------
    chart : Chart, mapping, or str
        A chart, a Vega-Lite specification, or the text of an SVG image such as :func:`figures` gives.
    scale : float, default=2.0
        Pixels per unit of length.
    """
    from vl_convert import svg_to_png, vegalite_to_png

    if isinstance(chart, str):
        if not chart.lstrip().startswith("<svg"):
            raise InputError("`chart` must be the text of an SVG image, such as `figures` gives.")
        return bytes(svg_to_png(chart.replace("currentColor", "#222222"), scale=scale))
    if not isinstance(chart, Chart | Mapping):
        raise InputError(f"`chart` must be a chart, a specification or SVG text, got {type(chart).__name__}.")
    spec = chart.spec if isinstance(chart, Chart) else dict(chart)
    return bytes(
        vegalite_to_png(
            spec, vl_version=_VEGA_LITE, scale=scale, config={"background": "white"}, allowed_base_urls=[]
        )
    )


def _rounded(svg: str) -> str:
    """Coordinates to two digits: a report does not depend on a machine's last digit."""
    parts = re.split(r"(<[^>]*>)", svg)
    return "".join(_shorter(p) if p.startswith("<") else p for p in parts)


def _shorter(tag: str) -> str:
    """A tag without digits that nobody sees, its labels as they are."""
    pieces = re.split(r'(aria-label="[^"]*")', tag)
    return "".join(
        p if p.startswith("aria-label=") else re.sub(r"\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", p)
        for p in pieces
    )


def _unique_ids(svg: str, name: str) -> str:
    """Ids, of clip paths, made the chart's own."""
    svg = re.sub(r'(<[^>]*\sid=")', rf"\g<1>{name}-", svg)
    return re.sub(r"url\(#", f"url(#{name}-", svg)
