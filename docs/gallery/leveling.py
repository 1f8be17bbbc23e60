"""Fairer, because the worst-off group does worse still: leveling down."""

from pathlib import Path

import numpy as np
import vl_convert

import fairlattice as fl
from fairlattice.groups import show_group

# The new model treats all groups alike. It does so by finding a third of the positives in each of them.
rng = np.random.default_rng(1)
n = 6000
S = {"sex": rng.choice(["f", "m"], n), "race": rng.choice(["a", "b", "c"], n, p=[0.2, 0.3, 0.5])}
y = rng.integers(0, 2, n)
old_rate = np.where(S["sex"] == "m", 0.9, 0.7) - np.where(S["race"] == "a", 0.2, 0.0)
new_rate = np.full(n, 0.33)
draw = rng.random(n)  # the same person is found by both models, by one, or by none
before = np.where(y == 1, draw < old_rate, draw < 0.10).astype(int)
after = np.where(y == 1, draw < new_rate, draw < 0.05).astype(int)

found = fl.leveling_down(y, before, after, sensitive_features=S)
old, new = (fl.audit(y, p, sensitive_features=S) for p in (before, after))
for name, audit in (("before", old), ("after", new)):
    print(f"{name:6}  DF {audit.differential_fairness('tpr'):.2f}  lowest TPR: {audit.worst('tpr')}")
print("leveled down by TPR:", found.by_rate["tpr"], "| by TNR:", found.by_rate["tnr"])

changes = [
    {
        "group": show_group(c.group),
        "rate": c.rate.upper(),
        "change": c.difference,
        "low": c.low,
        "high": c.high,
        "verdict": "lost" if c.lost else "gained" if c.gained else "within noise",
    }
    for c in found.changes
]
print(f"{len(found.lost)} group rates lost and {len(found.gained)} gained, beyond noise")

marks = {
    "y": {"field": "group", "type": "nominal", "title": None, "axis": {"grid": True, "labelLimit": 200}},
    "color": {
        "field": "verdict",
        "type": "nominal",
        "scale": {"domain": ["lost", "within noise", "gained"], "range": ["#D55E00", "#999999", "#0072B2"]},
    },
}
line = {"condition": {"test": "datum.value === 0", "value": "black"}, "value": "#eeeeee"}
zero = {"grid": True, "gridColor": line}
chart = {
    "title": "What the new model changes, with intervals that hold together",
    "data": {"values": changes},
    "facet": {"column": {"field": "rate", "title": None, "header": {"labelFontSize": 12}}},
    "spec": {
        "width": 230,
        "height": {"step": 24},
        "encoding": marks,
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "x": {
                        "field": "low",
                        "type": "quantitative",
                        "title": "change of the rate",
                        "axis": zero,
                    },
                    "x2": {"field": "high"},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1},
                "encoding": {"x": {"field": "change", "type": "quantitative"}},
            },
        ],
    },
    "config": {
        "background": "white",
        "padding": 12,
        "view": {"stroke": None},
        "title": {"anchor": "start", "fontSize": 14, "fontWeight": "normal", "offset": 10},
        "legend": {"title": None, "orient": "top"},
    },
}
Path("leveling.svg").write_text(vl_convert.vegalite_to_svg(chart), encoding="utf-8")
