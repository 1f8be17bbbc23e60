"""Strategies side by side, on 442 patients: what little data can tell, and what it cannot."""

import polars as pl
from picture import BLACK, BLUE, GREEN, RED, save

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
    repeats=4,
)

# Splits share rows, so the plain standard error is too small; this is the corrected one.
share = result.settings["test_size"]
reach = 2 * (1 + len(result["none"].runs) * share / (1 - share)) ** 0.5
points = []
for name in names:
    point = {"strategy": name}
    for axis, figure in (("x", "balanced_accuracy"), ("y", "equalized_odds.if")):
        estimate = result[name].estimate(figure)
        point |= {axis: estimate.mean, f"{axis}1": estimate.mean - reach * estimate.se}
        point |= {f"{axis}2": min(estimate.mean + reach * estimate.se, 1.0)}
    points.append(point)
    gap = result.differences(name, "none")["equalized_odds.if"]
    told = "" if name == "none" else f"   beside none: {gap.mean:+.2f}, within noise: {gap.within_noise}"
    print(f"{name:8} balanced accuracy {point['x']:.2f}   IF0.5 {point['y']:.2f}{told}")

free = {"type": "quantitative", "scale": {"zero": False}}
colour = {
    "field": "strategy",
    "type": "nominal",
    "scale": {"domain": names, "range": [BLACK, BLUE, GREEN, RED]},
}
save(
    "strategies",
    {
        "title": "Fairer is lower, more accurate is to the right",
        "data": {"values": points},
        "width": 420,
        "height": 260,
        "encoding": {
            "x": {**free, "field": "x", "title": "balanced accuracy (± 2 corrected standard errors)"},
            "y": {**free, "field": "y", "title": "IF0.5 of equalized odds"},
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
    },
)
