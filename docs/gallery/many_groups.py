"""Many small groups look unfair even where nothing is."""

from pathlib import Path

import numpy as np
import vl_convert

import fairlattice as fl

# 3,000 people with one true rate for all, 0.7. Only the number of groups changes: 2 levels of each attribute.
n, rows = 3000, []
for attributes in (1, 2, 3, 4, 5, 6):
    counted, corrected, tests = [], [], []
    for seed in range(10):
        rng = np.random.default_rng([seed, attributes])
        S = {f"a{i}": rng.choice([0, 1], n, p=[0.3, 0.7]) for i in range(attributes)}
        audit = fl.audit(np.ones(n, int), (rng.random(n) < 0.7).astype(int), sensitive_features=S, positive=1)
        found = audit.disparity("tpr")
        counted.append(found.value)
        corrected.append(found.corrected)
        tests.append(found.p_value < 0.05)
    rows += [
        {"groups": 2**attributes, "which": which, "df": np.mean(v), "se": np.std(v, ddof=1) / 10**0.5}
        for which, v in (("as counted", counted), ("corrected", corrected))
    ]
    means = f"DF {np.mean(counted):.2f} as counted, {np.mean(corrected):.2f} corrected"
    print(f"{2**attributes:4} groups: {means}; p < 0.05 in {sum(tests)} of {len(tests)}")

for row in rows:
    row |= {"low": row["df"] - 2 * row["se"], "high": row["df"] + 2 * row["se"]}
chart = {
    "title": "DF of a model that is fair to all, by the number of groups",
    "data": {"values": rows},
    "width": 420,
    "height": 240,
    "encoding": {
        "x": {
            "field": "groups",
            "type": "quantitative",
            "scale": {"type": "log", "base": 2},
            "title": "groups that 3,000 people are divided into",
        },
        "color": {
            "field": "which",
            "type": "nominal",
            "scale": {"domain": ["as counted", "corrected"], "range": ["#000000", "#D55E00"]},
        },
    },
    "layer": [
        {
            "mark": {"type": "line", "point": {"size": 40}},
            "encoding": {
                "y": {"field": "df", "type": "quantitative", "title": "DF, mean of 10 tables ± 2 s.e."}
            },
        },
        {
            "mark": {"type": "rule", "strokeWidth": 1.5},
            "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
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
Path("many_groups.svg").write_text(vl_convert.vegalite_to_svg(chart), encoding="utf-8")
