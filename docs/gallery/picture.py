"""Draw a Vega-Lite chart as SVG, without a browser and without the network."""

import os
from pathlib import Path

import vl_convert

FOLDER = Path(os.environ.get("FAIRLATTICE_PICTURES") or Path(__file__).parent / "images")
# Colours that differ for colour-blind eyes too (Okabe & Ito).
BLACK, GREY, BLUE, SKY, GREEN, RED = "#000000", "#999999", "#0072B2", "#56B4E9", "#009E73", "#D55E00"
STYLE = {
    "background": "white",
    "padding": 12,
    "font": "Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "title": {"anchor": "start", "fontSize": 14, "fontWeight": "normal", "offset": 10},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "gridColor": "#eeeeee"},
    "legend": {"labelFontSize": 11, "title": None, "orient": "top"},
}


def save(name: str, chart: dict) -> None:
    """Write `name`.svg into the folder of pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = vl_convert.vegalite_to_svg({"config": STYLE, **chart})
    (FOLDER / f"{name}.svg").write_text(drawn, encoding="utf-8")
