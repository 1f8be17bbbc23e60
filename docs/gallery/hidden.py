"""A group that no single attribute shows."""

from pathlib import Path

import numpy as np
import vl_convert

import fairlattice as fl

# Women of race b and men of race a are turned down twice as often, so that each sex and each race
# fares alike: the disparity is in the intersections only.
rng = np.random.default_rng(0)
n = 4000
sex, race = rng.choice(["f", "m"], n), rng.choice(["a", "b"], n)
good = rng.integers(0, 2, n)
harmed = (sex == "f") == (race == "b")
chosen = np.where(good == 1, rng.random(n) < np.where(harmed, 0.45, 0.9), rng.random(n) < 0.1).astype(int)

audit = fl.audit(good, chosen, sensitive_features={"sex": sex, "race": race})
rates = [g for names in (["sex"], ["race"], ["sex", "race"]) for g in audit.by_group("tpr", attributes=names)]
for rate in rates:
    print(rate)
print("\nworse off beyond noise:")
for found in audit.worse_off("tpr"):
    print(found)

cells = [
    {"sex": g.group.get("sex", "everyone"), "race": g.group.get("race", "everyone"), "tpr": g.rate}
    for g in [audit.overall("tpr"), *rates]
]
axis = {"type": "nominal", "axis": {"labelAngle": 0, "domain": False, "ticks": False, "orient": "top"}}
chart = {
    "title": "True-positive rate: even at the margins, uneven inside",
    "data": {"values": cells},
    "width": 300,
    "height": 170,
    "encoding": {
        "x": {**axis, "field": "race", "sort": ["a", "b", "everyone"]},
        "y": {
            "field": "sex",
            "type": "nominal",
            "sort": ["f", "m", "everyone"],
            "axis": {"domain": False},
        },
    },
    "layer": [
        {
            "mark": {"type": "rect", "stroke": "white", "strokeWidth": 3},
            "encoding": {
                "color": {
                    "field": "tpr",
                    "type": "quantitative",
                    "scale": {"domain": [0.3, 0.65, 1], "range": ["#D55E00", "#f2f2f2", "#0072B2"]},
                    "legend": None,
                }
            },
        },
        {
            "mark": {"type": "text", "fontSize": 14},
            "encoding": {"text": {"field": "tpr", "type": "quantitative", "format": ".2f"}},
        },
    ],
    "config": {
        "background": "white",
        "padding": 12,
        "view": {"stroke": None},
        "title": {"anchor": "start", "fontSize": 14, "fontWeight": "normal", "offset": 10},
        "legend": {"title": None, "orient": "top"},
    },
}
Path("hidden.svg").write_text(vl_convert.vegalite_to_svg(chart), encoding="utf-8")
