"""One generated case through the Python API: done, or refused by an ``InputError``; whatever else is wrong raises."""

from __future__ import annotations

import copy
import functools
import json
import random
import tempfile
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import fairlattice as fl
from fairlattice.report import Report

_AUDIT = (
    "notion",
    "alpha",
    "confidence",
    "interval",
    "min_size",
    "on_small",
    "missing",
    "na",
    "min_share",
    "positive",
)
_READING = ("na", "decimal", "categorical", "keep")


def run_python(case: dict[str, Any]) -> str:
    """What became of a case, in words."""
    frame = case["frame"]
    table = in_library(frame, case["library"])
    before = frame.clone()
    kept = copy.deepcopy({k: v for k, v in case.items() if k != "frame"})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", fl.FairlatticeWarning)
            warnings.filterwarnings("ignore", category=FutureWarning)
            _CALLS[case["what"]](case, table)
    except fl.InputError as error:
        assert str(error).strip(), "an error without words"
        assert "\x1b" not in str(error), "escape codes in an error"
        return f"{case['what']} refused"
    finally:
        assert frame.equals(before), "the input was changed"
        assert kept == {k: v for k, v in case.items() if k != "frame"}, "an option was changed"
        if isinstance(table, pd.DataFrame):
            assert table.equals(frame.to_pandas()), "the input was changed"
    return f"{case['what']} done"


def in_library(frame: pl.DataFrame, library: str) -> Any:
    """The table as a user of some library has it."""
    if library == "pandas":
        return frame.to_pandas()
    return frame.to_arrow() if library == "arrow" else frame


def _parts(case: dict[str, Any], table: Any, *names: str) -> tuple[Any, ...]:
    """Columns of a case, and its attributes."""
    wanted = [case[name] for name in names]
    if case["library"] in ("arrays", "lists"):
        read = pl.Series.to_numpy if case["library"] == "arrays" else pl.Series.to_list
        columns = [read(table.get_column(name)) for name in wanted]
        return *columns, {name: table.get_column(name).to_list() for name in case["sensitive"]}
    selected = table.select(case["sensitive"]) if isinstance(table, pa.Table) else table[case["sensitive"]]
    return *(table[name] for name in wanted), selected


def _features(case: dict[str, Any], table: Any) -> Any:
    return table.select(case["features"]) if isinstance(table, pa.Table) else table[case["features"]]


def _options(case: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: case[name] for name in names}


def _cuts(case: dict[str, Any]) -> Any:
    return None if case["cut"] is None else {case["sensitive"][0]: case["cut"]}


def _training_missing(case: dict[str, Any]) -> str:
    """Rows of a training table are not excluded."""
    return "level" if case["missing"] == "exclude" else str(case["missing"])


def _reference(case: dict[str, Any]) -> Any:
    if case["reference"] != "group":
        return case["reference"]
    name = case["sensitive"][0]
    return {name: case["frame"].get_column(name)[0]}


def _strict(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} in JSON")


def _check_audit(case: dict[str, Any], audit: fl.Audit, **more: Any) -> None:
    """Rates lie in their intervals, groups add up, and what is written can be read and shown."""
    rows, depth = case["frame"].height, case["damage"] % 41
    assert case["weighted"] or audit.counts.n + audit.counts.excluded == rows, "rows were lost"
    for rate in audit.rates[: 1 if depth else None]:
        for found in audit.by_group(rate):
            inside = found.rate is None or found.low <= found.rate <= found.high
            assert inside, f"{rate} outside its interval"
    if depth % 5 != 1:  # the whole document takes fifty milliseconds
        audit.overall, audit.verdicts, repr(audit)
        return
    report = Report.of(audit, name="t", data={"rows": rows}, **more)
    _strict(report.to_json())
    if depth == 21:
        assert "\x1b" not in report.to_html()
        report.figures()


def _audit(case: dict[str, Any], table: Any) -> None:
    y, p, w, S = _parts(case, table, "label", "prediction", "weight")
    w = w if case["weighted"] else None
    audit = fl.audit(
        None if case["what"] == "decisions" else y, p, sensitive_features=S, sample_weight=w, cuts=_cuts(case),
        positive_prediction=case["positive_prediction"], reference=_reference(case), **_options(case, _AUDIT),
    )  # fmt: skip
    _check_audit(case, audit)
    if case["flag"]:
        fl.misrecording_bounds(audit, {case["sensitive"][0]: 0.05}, measure=audit.rates[0])


def _audit_frame(case: dict[str, Any], table: Any) -> None:
    labelled = case["what"] != "decisions frame"
    audit = fl.audit(
        table, label=case["label"] if labelled else None, prediction=case["prediction"], sensitive=case["sensitive"],
        weight=case["weight"] if case["weighted"] else None, cuts=_cuts(case),
        positive_prediction=case["positive_prediction"], reference=_reference(case), **_options(case, _AUDIT),
    )  # fmt: skip
    _check_audit(case, audit)


def _count(case: dict[str, Any], part: Any, *, labelled: bool, by: bool = False) -> fl.GroupCounts:
    more = (
        {"positive": case["positive"], "positive_prediction": case["positive_prediction"]}
        if case["flag"]
        else {}
    )
    return fl.GroupCounts.from_frame(
        part, label=case["label"] if labelled else None, prediction=case["prediction"],
        sensitive=[case["period"], *case["sensitive"]] if by else case["sensitive"], cuts=_cuts(case),
        weight=case["weight"] if case["weighted"] else None, missing=case["missing"], na=case["na"], **more,
    )  # fmt: skip


def _shards(case: dict[str, Any], table: Any) -> None:
    """Counts of two halves add up to those of the whole, also written and read again."""
    frame, labelled = case["frame"], bool(case["seed"] % 2)
    half = max(frame.height // 2, 1)
    halves = [frame.head(half), frame.slice(half)]
    lazy = case["what"] == "shards lazy"
    whole = _count(case, frame.lazy() if lazy else table, labelled=labelled)
    again = fl.GroupCounts.from_json(whole.to_json())
    assert np.array_equal(again.table, whole.table), "counts changed on the way through JSON"
    _strict(whole.to_json())
    parts = []
    for half_table in halves:
        counted = _count(case, half_table.lazy() if lazy else half_table, labelled=labelled)
        parts.append(fl.GroupCounts.from_json(counted.to_json()))
    total = parts[0] + parts[1]
    assert np.isclose(total.n, whole.n) and total.excluded == whole.excluded, (
        f"{total.n} of shards, {whole.n} at once"
    )
    assert np.isclose(total.table.sum(), whole.table.sum())
    _check_audit(case | {"weighted": True}, fl.audit(total, **_options(case, _AUDIT[:6])))


def _series(case: dict[str, Any], table: Any) -> None:
    counts = _count(case, table, labelled=bool(case["seed"] % 3), by=True)
    audit = fl.audit(counts.rollup(case["sensitive"]), **_options(case, (*_AUDIT[:6], "positive")))
    options = _options(case, ("alpha", "confidence", "interval", "min_size", "on_small"))
    series = fl.audit_series(counts, case["period"], positive=audit.positive, notion=audit.notion, **options)
    assert len(series.audits) <= case["frame"].height
    _check_audit(case | {"weighted": True}, audit, series=series)


def _models(case: dict[str, Any], table: Any) -> None:
    y, before, after, S = _parts(case, table, "label", "baseline", "prediction")
    y = None if case["seed"] == 5 else y
    options = {"positive": case["positive"], "cuts": _cuts(case), "missing": case["missing"]}
    options["positive_prediction"] = case["positive_prediction"]
    pairs = fl.PairedCounts.from_arrays(y, before, after, sensitive_features=S, na=case["na"], **options)
    assert pairs.rows.sum() + pairs.excluded == case["frame"].height
    harm = fl.harm(
        y,
        before,
        after,
        sensitive_features=S,
        confidence=case["confidence"],
        measure=case["notion"],
        **options,
    )
    level = fl.leveling_down(
        y, before, after, sensitive_features=S, measure=case["notion"], alpha=case["alpha"], **options
    )
    audit = fl.audit(y, after, sensitive_features=S, **options)
    _check_audit(case, audit, harm=harm, leveling=level)


def _scores(case: dict[str, Any], table: Any) -> None:
    y, p, score, S = _parts(case, table, "label", "prediction", "score")
    options = {"cuts": _cuts(case), "missing": case["missing"], "na": case["na"]}
    counts = fl.ScoreCounts.from_arrays(y, score, sensitive_features=S, **options)
    audit = fl.audit(y, p, sensitive_features=S, positive=case["positive"], **options)
    scores = fl.audit_scores(counts, positive=audit.positive, confidence=case["confidence"])
    _check_audit(case, audit, scores=scores)


def _encode(case: dict[str, Any], table: Any) -> None:
    X = _features(case, table)
    encoder = fl.TableEncoder(**_options(case, _READING)).fit(X)
    Z = encoder.vectors(X)
    assert np.isfinite(Z).all(), "a vector is not finite"
    assert Z.shape[1] == len(encoder.get_feature_names_out())
    encoder.check(encoder.inverse_transform(Z + 0.3))
    assert np.allclose(encoder.vectors(encoder.inverse_transform(Z)), encoder.snap(Z))


def _augment(case: dict[str, Any], table: Any) -> None:
    X, (y, S) = _features(case, table), _parts(case, table, "label")
    augmenter = fl.HierarchicalAugmenter(
        case["mixing"], case["share"], cuts=_cuts(case), missing=_training_missing(case), max_steps=3,
        per_cell=case["per_cell"], max_copies=case["max_copies"], n_jobs=1,
        random_state=case["seed"], **_options(case, _READING),
    )  # fmt: skip
    more = augmenter.fit(X, y, sensitive_features=S).augment(X, y, sensitive_features=S)
    _check_augmented(X, more)
    _strict(Report.of(augmenter, rows=more, name="t", data={"rows": case["frame"].height}).to_json())


def _check_augmented(X: Any, more: fl.Augmented) -> None:
    """Old rows first and as they were; a synthetic text is one of the old ones."""
    n = len(X)
    if isinstance(X, pd.DataFrame):
        assert more.X.head(n).reset_index(drop=True).equals(X.reset_index(drop=True)), "old rows changed"
        return
    old = pl.DataFrame(X) if isinstance(X, pl.DataFrame) else pl.from_arrow(X)
    new = more.X if isinstance(more.X, pl.DataFrame) else pl.from_arrow(more.X)
    assert new.head(n).equals(old), "old rows changed"
    for name in old.columns:
        if old.schema[name] == pl.String:
            made = set(new.get_column(name).to_list()) - set(old.get_column(name).to_list())
            assert not made, f"composed {sorted(map(str, made))[:3]}"


def _classify(case: dict[str, Any], table: Any) -> None:
    X, (y, S) = _features(case, table), _parts(case, table, "label")
    pipeline = make_pipeline(fl.TableEncoder(**_options(case, _READING)), LogisticRegression(max_iter=20))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, of twenty steps
        model = fl.FairClassifier(
            pipeline, case["strategy"], cuts=_cuts(case), missing=_training_missing(case), na=case["na"],
            per_cell=20, random_state=case["seed"],
        )  # fmt: skip
        model.fit(X, np.asarray(y), sensitive_features=S)
        needs = {"sensitive_features": S} if case["strategy"] == "thresholds" else {}
        assert len(model.predict(X, **needs)) == len(X)


def _compare(case: dict[str, Any], table: Any) -> None:
    X, (y, S) = _features(case, table), _parts(case, table, "label")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fl.compare(
            X, y, sensitive_features=S, strategies=["none", case["strategy"]], folds=2, repeats=1, per_cell=20,
            n_jobs=1, groups_at_prediction=True, positive=case["positive"], cuts=_cuts(case),
            missing=_training_missing(case), random_state=case["seed"], alpha=case["alpha"], **_options(case, _READING),
        )  # fmt: skip
    report = Report.of(found, name="t", label="y", data={"rows": len(X)})
    _strict(report.to_json())
    report.to_html()


def _diagnose(case: dict[str, Any], table: Any) -> None:
    X, (y, S) = _features(case, table), _parts(case, table, "label")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fl.diagnose(
            X, y, sensitive_features=S, sources=["smote"], max_rows=20, permutations=19, pictures=0, cuts=_cuts(case),
            missing=_training_missing(case), random_state=case["seed"], n_jobs=1, **_options(case, _READING),
        )  # fmt: skip
    report = Report.of(found, name="t", label="y", data={"rows": len(X)})
    _strict(report.to_json())
    report.to_html()


@functools.cache
def _documents() -> tuple[str, ...]:
    """A result of every kind, as JSON."""
    rng = np.random.default_rng(0)
    n = 160
    S = {"sex": rng.choice(["f", "m"], n), "age": rng.choice(["o", "y"], n)}
    X = pd.DataFrame({"x": rng.normal(size=n), "c": rng.choice(["a", "b"], n)})
    y = (X["x"] + rng.normal(size=n) > 0).astype(int).to_numpy()
    p = np.where(rng.random(n) < 0.2, 1 - y, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        audit = fl.audit(y, p, sensitive_features=S)
        harm = fl.harm(y, 1 - p, p, sensitive_features=S)
        level = fl.leveling_down(y, 1 - p, p, sensitive_features=S)
        augmenter = fl.HierarchicalAugmenter(random_state=0).fit(X, y, sensitive_features=S)
        more = augmenter.augment(X, y, sensitive_features=S)
        compared = fl.compare(
            X, y, sensitive_features=S, strategies=["none", "equal"], folds=2, repeats=1, n_jobs=1
        )
        diagnosed = fl.diagnose(X, y, sensitive_features=S, permutations=19, n_jobs=1)
        with tempfile.TemporaryDirectory() as folder:
            options = {"methods": ["logistic"], "rows": 120, "seeds": 2, "n_jobs": 1}
            results = fl.bench([fl.datasets.load_dataset("diabetes")], f"{folder}/store.db", **options)
        about = {"name": "t", "label": "y", "data": {"rows": n}}
        reports = [
            Report.of(audit, **about), Report.of(audit, harm=harm, leveling=level, **about),
            Report.of(augmenter, rows=more, **about), Report.of(compared, **about),
            Report.of(diagnosed, **about), Report.of(results),
        ]  # fmt: skip
    return tuple(report.to_json() for report in reports)


def _report(case: dict[str, Any], table: Any) -> None:
    """A saved result of any kind, with a value or two changed, is shown or refused."""
    del table
    rng = random.Random(case["damage"])
    summary = _strict(rng.choice(_documents()))
    for _ in range(rng.choice([0, 1, 1, 2])):
        _spoil(summary, rng)
    report = fl.Report(summary)
    if case["seed"] != 5:
        report.to_html()
    else:
        report.figures()


def _spoil(node: Any, rng: random.Random) -> None:
    """Change one value somewhere in a document."""
    while True:
        keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = rng.choice(keys)
        inner = node[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.85:
            node = inner
            continue
        change = rng.choice(["drop", "null", "text", "number", "list", "map", "escape"])
        if change == "drop":
            node.pop(key)
        else:
            node[key] = {
                "null": None,
                "text": "x",
                "number": -7.5,
                "list": [],
                "map": {},
                "escape": "\x1b[31mx",
            }[change]
        return


_CALLS = {
    "audit": _audit, "decisions": _audit, "audit frame": _audit_frame, "decisions frame": _audit_frame,
    "shards": _shards, "shards lazy": _shards, "series": _series, "models": _models, "scores": _scores,
    "encode": _encode, "augment": _augment, "classify": _classify, "report": _report,
    "compare": _compare, "diagnose": _diagnose,
}  # fmt: skip
