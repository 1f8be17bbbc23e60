"""Strategies side by side, on 442 patients: what little data can tell, and what it cannot."""

from pathlib import Path

import polars as pl
import vl_convert

import fairlattice as fl

data = fl.datasets.load_dataset("diabetes")
table = pl.DataFrame(dict(data.columns))
names = ["none", "equal", "parents", "borrow"]
result = fl.compare(
    table.drop(data.label, *data.sensitive),
    table[data.label],
    sensitive_features=table.select("sex", "age"),
    cuts={"age": data.cuts["age"]},
    strategies=names,
)

points = []
for name in names:
    accuracy, unfair = result[name].estimate("balanced_accuracy"), result[name].estimate("equalized_odds.if")
    point = {"strategy": name, "x": accuracy.mean, "y": unfair.median, "y1": unfair.low, "y2": unfair.high}
    points.append(point | {"x1": accuracy.mean - 2 * accuracy.se, "x2": accuracy.mean + 2 * accuracy.se})
    against = ""
    if name != "none":
        gap = result.difference(name, "none", "equalized_odds.if")
        against = f"   fairer than none with probability {gap.probability_better:.2f}"
    print(f"{name:8} balanced accuracy {accuracy.mean:.2f}   IF0.5 {unfair.median:.2f}{against}")
print("recommended:", result.recommendation.verdict, result.recommendation.strategy)

free = {"type": "quantitative", "scale": {"zero": False}}
colour = {
    "field": "strategy",
    "type": "nominal",
    "scale": {"domain": names, "range": ["#000000", "#0072B2", "#009E73", "#D55E00"]},
}
chart = {
    "title": "Fairer is lower, more accurate is to the right",
    "data": {"values": points},
    "width": 420,
    "height": 260,
    "encoding": {
        "x": {**free, "field": "x", "title": "balanced accuracy (± 2 standard errors)"},
        "y": {**free, "field": "y", "title": "IF0.5 of equalized odds (95 % interval)"},
        "color": colour,
    },
    "layer": [
        {
            "mark": {"type": "rule"},
            "encoding": {"x": {**free, "field": "x1"}, "x2": {"field": "x2"}},
        },
        {
            "mark": {"type": "rule"},
            "encoding": {"y": {**free, "field": "y1"}, "y2": {"field": "y2"}},
        },
        {"mark": {"type": "point", "filled": True, "size": 110, "opacity": 1}},
    ],
    "config": {
        "background": "white",
        "padding": 12,
        "view": {"stroke": None},
        "title": {"anchor": "start", "fontSize": 14, "fontWeight": "normal", "offset": 10},
        "legend": {"title": None, "orient": "top"},
    },
}
Path("strategies.svg").write_text(vl_convert.vegalite_to_svg(chart), encoding="utf-8")
