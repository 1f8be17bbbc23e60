"""A case of the fuzzer: a table, the roles of its columns, and options, drawn by Hypothesis."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import polars as pl
from _fuzz_columns import KINDS, LABELS, LEVELS, MISSING, NAMES, column
from hypothesis import strategies as st

CALLS = [
    "encode", "audit", "audit frame", "decisions", "decisions frame", "shards", "shards lazy", "series", "models",
    "scores", "encode", "augment", "augment", "classify", "report", "compare", "diagnose",
]  # fmt: skip
COMMANDS = [
    "audit", "audit", "audit", "decisions", "decisions", "by", "models", "scores", "augment", "augment", "stream",
    "diagnose", "compare", "bench",
]  # fmt: skip
_PERIODS = [
    ["2023-01", "2023-02", "2022-12"], ["01/2023", "02/2022"], ["Q1 2023", "Q2 2023"], ["Jan", "Feb"],
    ["before", "after"], ["2021", "2022"], ["15.01.2023", "16.01.2023"], ["01/02/2023", "02/01/2023"],
    ["w 1", "w 2", ""],
]  # fmt: skip
_GOOD: dict[str, list[Any]] = {
    "notion": [None, "equalized_odds", "equal_opportunity", "demographic_parity", "accuracy", "predictive_parity"],
    "alpha": [0.5, 0.0, 1.0, 0.3], "confidence": [0.95, 0.5, 0.999, 1e-9],
    "interval": ["jeffreys", "wilson", "clopper-pearson"], "min_size": [1, 3, 30],
    "on_small": ["warn", "merge", "drop"],
    "min_share": [0.0, 0.02, 0.5], "reference": ["best", "others", "group"], "missing": ["level", "exclude"],
    "na": [None, ["NA"], ["99"], [], ["?", "0"]], "decimal": [None, ".", ","], "cut": [None, [10, 30], [0.5]],
    "per_cell": ["max", 5, 40], "max_copies": [0.1, 0.0, 1.0], "top": [10, 0, 3],
    "gates": [None, "df=1.0", "if=0.4", "tpr.if<0.1", "tpr.worst<0.9"],
}  # fmt: skip
_ODD: list[tuple[str, Any]] = [
    ("notion", "odds"), ("alpha", -1.0), ("confidence", 1.0), ("interval", "wald"), ("min_size", 0),
    ("on_small", "raise"), ("min_share", 2.0), ("reference", "nobody"), ("missing", "raise"), ("missing", "drop"),
    ("decimal", ";"), ("cut", [5, 5]), ("cut", []), ("cut", 5), ("per_cell", 0), ("max_copies", 2.0), ("top", -1),
    ("gates", "nonsense"),
    ("categorical", ["nowhere"]), ("keep", ["nowhere"]), ("drop", ["nowhere"]), ("positive", "nobody"),
    ("positive_prediction", "nobody"),
]  # fmt: skip
_RARE = ("compare", "diagnose", "bench")  # what takes seconds: one such draw of six is taken


def _sometimes(rng: random.Random, *values: Any, default: Any = None) -> Any:
    """Mostly the default."""
    return rng.choice([default] * (4 * len(values)) + list(values))


def _spelled(value: Any, rng: random.Random) -> Any:
    """A label as a person may write it: as it is, padded, or as text."""
    return rng.choice([value, value, value, str(value), str(value), f" {value} ", str(value).upper()])


def _options(rng: random.Random) -> dict[str, Any]:
    """Options, in one case of six one that is refused as a rule."""
    found = {name: _sometimes(rng, *values[1:], default=values[0]) for name, values in _GOOD.items()}
    if rng.randint(0, 5) == 5:
        found |= dict([rng.choice(_ODD)])
    return found


def _weights(values: np.random.Generator, n: int, kind: str) -> pl.Series:
    made: dict[str, Any] = {
        "floats": lambda: values.gamma(1.0, size=n),
        "whole": lambda: values.integers(0, 4, n),
        "text": lambda: [f"{v:.2f}".replace(".", ",") for v in values.gamma(1.0, size=n)],
        "odd": lambda: values.normal(size=n),
        "zero": lambda: np.zeros(n),
        "holes": lambda: [None if v < 0.1 else v for v in values.random(n).tolist()],
    }
    return pl.Series(made[kind](), strict=False)


@st.composite
def cases(draw: st.DrawFn, calls: list[str]) -> dict[str, Any]:
    """A table, the roles of its columns, and options."""
    rng = draw(st.randoms(use_true_random=True))  # one draw, so that no case is a near copy of the last
    values = np.random.default_rng(rng.randrange(2**32))
    what = rng.choice(calls)
    if what in _RARE and rng.randint(0, 5):
        what = calls[0]
    n = rng.choice([40, 60, 20, 40, 5, 60, 2, 1])
    names = rng.sample(NAMES, rng.randint(6, 8))
    roles = ["baseline", "weight", "score", "period"]
    roles = [rng.choice([r, f"my {r}"]) for r in roles]
    labels = rng.choice(LABELS)
    kinds = [
        rng.choice(["levels", "levels", "dirty levels", "bool", "few", rng.choice(KINDS)]) for _ in range(2)
    ]
    kinds += [rng.choice(KINDS) for _ in names[4:]]
    y = values.integers(0, len(labels), n)
    p, b = (np.where(values.random(n) < 0.3, values.integers(0, len(labels), n), y) for _ in range(2))
    dirty = not rng.randint(0, 7)
    said = [_named(labels, y, values, dirty=False), _named(labels, p, values, dirty=dirty)]
    columns = [*said, *(column(kind, n, values, rng.choice(LEVELS)) for kind in kinds)]
    periods = rng.choice(_PERIODS)
    columns += [
        _named(labels, b, values, dirty=dirty),
        _weights(values, n, rng.choice(["floats", "floats", "whole", "text", "odd", "zero", "holes"])),
        pl.Series(
            np.clip(
                y / max(len(labels) - 1, 1) * 0.4 + values.random(n) * 0.6,
                0,
                1 + rng.choice([0, 0, 1]),
            )
        ),
        pl.Series([periods[i] for i in values.integers(0, len(periods), n)]),
    ]
    frame = pl.DataFrame({name: s.alias("v") for name, s in zip([*names, *roles], columns, strict=True)})
    return {
        "what": what,
        "frame": frame,
        "label": names[0],
        "prediction": names[1],
        "sensitive": names[2 : 2 + rng.choice([1, 1, 2])],
        "features": names[4:],
        **dict(zip(["baseline", "weight", "score", "period"], roles, strict=True)),
        "weighted": rng.choice([False, False, False, True]),
        "positive": _spelled(rng.choice(labels), rng) if rng.randint(0, 7) else None,
        "positive_prediction": _spelled(rng.choice(labels), rng) if not rng.randint(0, 4) else None,
        "mixing": rng.choice(["importance", "importance", "smote", "scalar", "diagonal", "linear"]),
        "share": rng.choice(["label", "label", "cell"]),
        "categorical": _sometimes(rng, names[4:5], names[4:], default=[]),
        "keep": _sometimes(rng, names[5:6], names[4:], default=[]),
        "drop": _sometimes(rng, names[5:6], names[4:5], default=[]),
        "strategy": rng.choice(["none", "label", "equal", "tuned", "thresholds", "smote", "augment"]),
        "library": rng.choice(["polars", "pandas", "arrow", "arrays", "lists"]),
        "file": rng.choice(["csv", "csv", "parquet", "tsv", "feather"]),
        "flag": rng.choice([False, False, True]),
        "damage": rng.randint(0, 2**32),
        "seed": rng.randint(0, 5),
        **_options(rng),
    }  # fmt: skip


def _named(labels: list[Any], codes: np.ndarray, rng: np.random.Generator, *, dirty: bool) -> pl.Series:
    """Labels, some of which are missing where they are dirty."""
    values = [labels[i] for i in codes]
    if dirty:
        values = [
            MISSING[i % len(MISSING)] if i < 3 else str(v)
            for i, v in zip(rng.integers(0, 40, len(values)).tolist(), values, strict=True)
        ]
    return pl.Series(values, strict=False)
