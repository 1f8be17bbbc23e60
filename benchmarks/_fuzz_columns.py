"""Generated tables of real life: names, kinds of columns, spellings, sizes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

MISSING = ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "-", ".", "#N/A"]
NAMES = [
    "", "*", "^a.*$", "^x$", "a", "age", "zip", "id", "Unnamed: 0", "x y", "a,b", 'q"q', "ünï", "\x1b[31mred", "name:1",
    "=1+1", "col\nline", "index", "__index_level_0__", "label", "y_true", "row", "x" * 80, " lead", "0", "None", "[a]",
]  # fmt: skip
LEVELS = [
    ["f", "m"], ["f", "f ", "m"], ["Yes", "yes", "no"], ["A", "B", "C", "NA"], ["18-25", "26-40", ">40"],
    ["é", "e\u0301", "u"], ["0", "1"], ["1", "2", "10"], ["00501", "501", "10001"], ["true", "false"],
    ["<=50K", ">50K"], ["+", "-"], ["a", None], ["\x1b]0;x\x07", "b"], ["=cmd", "@x"], ["x" * 300, "y"],
    ["none", "some"], ["1.0", "1"], ["\ufeffa", "b"],
]  # fmt: skip
LABELS = [
    [0, 1], [False, True], ["no", "yes"], ["rejected ", "hired"], [">50K", "<=50K"], [0.0, 1.0], [1, 2],
    ["a", "b", "c"], [-1, 1], ["0", "1"], ["True", "False"], [0, 1, 2], ["NA", "x"], ["yes", "Yes"],
]  # fmt: skip
KINDS = [
    "float", "float holes", "int", "few", "int holes", "huge", "levels", "dirty levels", "dollars", "comma",
    "thousands", "percent", "dates", "dmy", "typed date", "decimal", "bool", "constant", "empty", "running",
    "unique text", "codes", "rare", "mixed numbers", "inf", "uint64", "enum",
]  # fmt: skip


def column(kind: str, n: int, rng: np.random.Generator, levels: list[Any]) -> pl.Series:
    """A column of some kind; values come from `rng`."""
    x = rng.normal(size=n)
    holes = rng.random(n) < 0.2
    whole = rng.integers(0, 50, n)
    make: dict[str, Any] = {
        "float": lambda: x,
        "float holes": lambda: [None if h else v for v, h in zip(x.tolist(), holes, strict=True)],
        "int": lambda: whole,
        "few": lambda: whole % 3 * 20,
        "int holes": lambda: [None if h else int(v) for v, h in zip(whole, holes, strict=True)],
        "huge": lambda: rng.integers(2**60, 2**62, n),
        "levels": lambda: [levels[i] for i in rng.integers(0, len(levels), n)],
        "dirty levels": lambda: [
            MISSING[i % len(MISSING)] if h else str(levels[i % len(levels)]) + " " * (i % 2)
            for i, h in zip(whole.tolist(), holes, strict=True)
        ],
        "dollars": lambda: [f"${v:.2f}" for v in x],
        "comma": lambda: [f"{v:.2f}".replace(".", ",") for v in x],
        "thousands": lambda: [f"{v * 999:,}" for v in whole],
        "percent": lambda: [f"{v}%" for v in whole],
        "dates": lambda: [(date(2020, 1, 1) + timedelta(days=int(v))).isoformat() for v in whole],
        "dmy": lambda: [f"{1 + v % 28:02d}.{1 + v % 12:02d}.2021" for v in whole.tolist()],
        "typed date": lambda: [date(2020, 1, 1) + timedelta(days=int(v)) for v in whole],
        "decimal": lambda: [Decimal(int(v)) / 4 for v in whole],
        "bool": lambda: x > 0,
        "constant": lambda: [levels[0]] * n,
        "empty": lambda: pl.Series([None] * n, dtype=pl.String),
        "running": lambda: np.arange(n) + 7,
        "unique text": lambda: [f"person {i}" for i in range(n)],
        "codes": lambda: rng.choice([10, 120, 500, 9920], n),
        "rare": lambda: [f"c{v}" for v in rng.zipf(1.4, n) % 200],
        "mixed numbers": lambda: [
            MISSING[i % len(MISSING)] if h else str(i) for i, h in zip(whole.tolist(), holes, strict=True)
        ],
        "inf": lambda: np.where(holes, np.inf, x),
        "uint64": lambda: pl.Series(whole.tolist(), dtype=pl.UInt64),
        "enum": lambda: pl.Series([str(levels[i]) for i in rng.integers(0, len(levels), n)], dtype=pl.Enum(
            list(dict.fromkeys(map(str, levels))))),
    }  # fmt: skip
    values = make[kind]()
    return values if isinstance(values, pl.Series) else pl.Series(values, strict=False)
