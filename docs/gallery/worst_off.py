"""Who is worst off, and how sure is that?"""

from pathlib import Path

import numpy as np
import polars as pl
import vl_convert
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fairlattice as fl
from fairlattice.groups import show_group

data = fl.datasets.load_dataset("diabetes")  # 442 patients
table = pl.DataFrame(dict(data.columns))
X = table.select("bp", "s1", "s2", "s3", "s4", "s5", "s6").to_numpy()
y = table["progressed"].to_numpy()
predicted = cross_val_predict(make_pipeline(StandardScaler(), LogisticRegression()), X, y, cv=10)

audit = fl.audit(y, predicted, sensitive_features=table.select("sex", "age", "bmi"), cuts=data.cuts)
raw, pooled = audit.by_group("tpr"), audit.pooled("tpr")
order = np.argsort([g.rate for g in pooled])
for i in order[:6]:
    shrunk = f"{pooled[i].rate:.2f} [{pooled[i].low:.2f}, {pooled[i].high:.2f}]"
    print(f"{show_group(raw[i].group):38} {raw[i].successes:2} of {raw[i].n:2}   pooled {shrunk}")

rows = [
    {
        "group": f"{show_group(g.group)}  (n={g.n})",
        "which": which,
        "rate": g.rate,
        "low": g.low,
        "high": g.high,
    }
    for which, groups in (("as counted", raw), ("pooled", pooled))
    for g in (groups[i] for i in order)
    if g.n
]
places = {"field": "group", "type": "nominal", "sort": None, "title": None}
side = {"field": "which", "type": "nominal", "sort": None}
shared = {
    "y": {**places, "axis": {"labelLimit": 300, "grid": True}},
    "yOffset": side,
    "color": {**side, "scale": {"domain": ["as counted", "pooled"], "range": ["#000000", "#D55E00"]}},
}
chart = {
    "title": "True-positive rate of every group, with 95 % intervals",
    "data": {"values": rows},
    "width": 420,
    "height": {"step": 13},
    "encoding": shared,
    "layer": [
        {
            "mark": {"type": "rule", "strokeWidth": 1.5},
            "encoding": {
                "x": {"field": "low", "type": "quantitative", "title": "true-positive rate"},
                "x2": {"field": "high"},
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
            "encoding": {"x": {"field": "rate", "type": "quantitative"}},
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
Path("worst_off.svg").write_text(vl_convert.vegalite_to_svg(chart), encoding="utf-8")
