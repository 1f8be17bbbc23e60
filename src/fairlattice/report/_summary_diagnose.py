"""A diagnosis as plain data, schema ``fairlattice/diagnose/2``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairlattice.benchmark import CellAssumption, CellDiagnosis, Diagnosis, Drift, NoisePoint, SourceFigures
from fairlattice.benchmark._shared import CellPicture
from fairlattice.diagnostics import MMDTest
from fairlattice.report._summary import Summary, attribute_rows, fields_of, versions
from fairlattice.report._summary_audit import series_change


def diagnose_summary(
    diagnosis: Diagnosis,
    data: Mapping[str, Any],
    *,
    noise: Sequence[NoisePoint] | None = None,
    drift: Drift | None = None,
) -> Summary:
    """A diagnosis as plain data, schema ``fairlattice/diagnose/2``; what it was not asked for is left out."""
    summary = {
        "schema": "fairlattice/diagnose/2",
        "data": {**data, "classes": list(diagnosis.classes)},
        "settings": dict(diagnosis.settings),
        "versions": versions(),
        "attributes": attribute_rows(diagnosis.lattice),
        "overall": {
            "n_train": diagnosis.n_train,
            "n_held_out": diagnosis.n_held_out,
            "sources": {name: _figures(f, columns=True) for name, f in diagnosis.overall.items()},
        },
        "cells": [_cell(c) for c in diagnosis.cells],
        "copies": [fields_of(c) for c in diagnosis.copies],
        "caveats": list(diagnosis.notes),
    }
    if noise is not None:
        summary["noise"] = [_noise(point) for point in noise]
    if drift is not None:
        summary["drift"] = _drift(drift)
    return summary


def _cell(cell: CellDiagnosis) -> Summary:
    return {
        "group": cell.group,
        "label": cell.label,
        "n_train": cell.n_train,
        "n_held_out": cell.n_held_out,
        "sources": {name: _figures(f, columns=False) for name, f in cell.sources.items()},
        "why": cell.why,
        "pictures": [_picture(p) for p in cell.pictures],
        "assumption": None if cell.assumption is None else _assumption(cell.assumption),
    }


def _figures(figures: SourceFigures | None, *, columns: bool) -> Summary | None:
    if figures is None:
        return None
    found = figures.marginals
    marginals: Summary = {"mean": found.mean, "worst": found.worst, "column": found.column}
    if columns:
        marginals["columns"] = [fields_of(c) for c in found.columns]
    memory = None
    if figures.memory is not None:
        memory = fields_of(figures.memory)
        memory.pop("copies")
    return {
        "n": figures.n,
        "classifiers": {
            name: {**fields_of(test), "p_adjusted": figures.p_adjusted[name]}
            for name, test in figures.classifiers.items()
        },
        "mmd": _mmd(figures.mmd, figures.p_adjusted["mmd"]),
        **fields_of(figures.manifold),
        "marginals": marginals,
        "pairwise": None if figures.associations is None else fields_of(figures.associations),
        "memory": memory,
    }


def _noise(point: NoisePoint) -> Summary:
    return {
        "rate": point.rate,
        "strategy": point.strategy,
        "figures": {name: e._asdict() for name, e in point.figures.items()},
        "gains": {name: d._asdict() for name, d in point.gains.items()},
    }


def _drift(found: Drift) -> Summary:
    return {
        "changes": [series_change(c) for c in found.changes],
        "cells": [
            {
                "group": c.group,
                "label": c.label,
                "n_earlier": c.n_earlier,
                "n_later": c.n_later,
                "real": _mmd(c.real, c.p_real),
                "made": _mmd(c.made, c.p_made),
                "fits": c.fits,
            }
            for c in found.cells
        ],
    }


def _mmd(test: MMDTest, p_adjusted: float | None) -> Summary:
    return {**fields_of(test), "p_adjusted": p_adjusted}


def _picture(picture: CellPicture) -> Summary:
    points = {name: np.round(Z, 4).tolist() for name, Z in picture.points.items()}
    return {"method": picture.method, "points": points, "caption": picture.caption}


def _assumption(found: CellAssumption) -> Summary:
    *parents, mix = found.p_adjusted
    rows = zip(found.parents, found.tests.parents, parents, strict=True)
    return {
        "parents": [
            {"group": group, "n": n, **({} if test is None else _mmd(test, p))}
            for (group, n), test, p in rows
        ],
        "mix": _mmd(found.tests.mix, mix),
        "verdict": found.verdict,
        "advice": found.advice,
    }
