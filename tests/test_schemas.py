"""The published JSON Schemas: fresh, and true of what the library writes."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import fairlattice as fl
from fairlattice.metrics import audit_series
from fairlattice.report import Report

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "schemas"
KINDS = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}


def check(value, schema, root, at="$"):
    """Raise unless the value is of the schema; understands what our schemas use, and refuses the rest."""
    assert set(schema) <= {
        "$schema", "$id", "$defs", "$ref", "title", "description", "type", "required", "properties", "items", "enum",
        "anyOf", "additionalProperties",
    }, schema  # fmt: skip
    if "$ref" in schema:
        return check(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    if "anyOf" in schema:
        found = []
        for part in schema["anyOf"]:
            try:
                return check(value, part, root, at)
            except AssertionError as error:
                found.append(str(error).splitlines()[0])
        raise AssertionError(f"{at}: {found}")
    assert value in schema.get("enum", [value]), at
    kind = schema.get("type")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("integer", "number"):
        assert number and (kind == "number" or float(value).is_integer()), f"{at} is {value!r}, not {kind}"
    elif kind is not None:
        assert isinstance(value, KINDS[kind]), f"{at} is {value!r}, not {kind}"
    if kind == "object":
        missing = set(schema.get("required", ())) - set(value)
        assert not missing, f"{at} lacks {missing}"
        for key, part in value.items():
            check(
                part,
                schema.get("properties", {}).get(key, schema.get("additionalProperties", {})),
                root,
                f"{at}.{key}",
            )
    for i, part in enumerate(value if kind == "array" else ()):
        check(part, schema["items"], root, f"{at}[{i}]")
    return None


def published(name):
    return json.loads((FOLDER / f"{name}-2.json").read_text())


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A report of every kind, of the same 240 people."""
    rng = np.random.default_rng(0)
    n = 240
    S = {"sex": rng.choice(["f", "m"], n, p=[0.3, 0.7]), "old": rng.integers(0, 2, n)}
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, 3)) + y[:, None]
    before, after = rng.integers(0, 2, n), np.where(rng.random(n) < 0.2, 1 - y, y)
    scores = fl.audit_scores(fl.ScoreCounts.from_arrays(y, rng.random(n), sensitive_features=S))
    month = fl.GroupCounts.from_arrays(y, after, sensitive_features={**S, "month": rng.integers(1, 4, n)})
    more = {
        "harm": fl.harm(y, before, after, sensitive_features=S),
        "leveling": fl.leveling_down(y, before, after, sensitive_features=S),
        "scores": scores,
        "series": audit_series(month, "month"),
    }
    augmenter = fl.HierarchicalAugmenter(random_state=0).fit(X, y, sensitive_features=S)
    rows = augmenter.augment(X, y, sensitive_features=S)
    data = fl.datasets.load_dataset("diabetes")
    store = tmp_path_factory.mktemp("bench") / "trials.sqlite"
    options = {"permutations": 99, "max_rows": 50, "pictures": 1, "sources": ["augment", "parents"]}
    return {
        "audit": [
            Report.of(fl.audit(y, after, sensitive_features=S), name="t", **more),
            Report.of(fl.audit(None, after, sensitive_features=S), name="t"),
            Report.of(fl.audit(rng.integers(0, 3, n), rng.integers(0, 3, n), sensitive_features=S)),
        ],
        "compare": [
            Report.of(
                fl.compare(X, y, sensitive_features=S, strategies=["none", "label"], repeats=2, n_jobs=1)
            ),
            Report.of(
                fl.compare(
                    X, y, sensitive_features=S, strategies=["equal", "thresholds"], repeats=1, n_jobs=1
                )
            ),
        ],
        "diagnose": [Report.of(fl.diagnose(X, y, sensitive_features=S, **options), name="t")],
        "augment": [Report.of(augmenter, rows=rows, data={"name": "t", "rows": n})],
        "bench": [Report.of(fl.bench([data], store, methods=["logistic", "logistic+equal"], seeds=2))],
    }


@pytest.mark.parametrize("kind", ["audit", "augment", "bench", "compare", "diagnose"])
def test_what_is_written_is_of_the_published_schema(reports, kind):
    schema = published(kind)
    for report in reports[kind]:
        found = json.loads(report.to_json())
        check(found, schema, schema)
        assert found["verdicts"] and {"question", "verdict", "sentence"} <= set(found["verdicts"][0])
        with pytest.raises(AssertionError, match="lacks"):
            check({k: v for k, v in found.items() if k != "verdicts"}, schema, schema)
        with pytest.raises(AssertionError):
            check({**found, "verdicts": [{"question": 7}]}, schema, schema)


def test_an_independent_validator_agrees(reports):
    jsonschema = pytest.importorskip("jsonschema")
    for kind, found in reports.items():
        for report in found:
            jsonschema.validate(json.loads(report.to_json()), published(kind))


def test_the_published_schemas_are_those_of_the_types():
    spec = importlib.util.spec_from_file_location("schemas", ROOT / "docs" / "schemas.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    texts = made.schemas()
    assert {p.name for p in FOLDER.glob("*.json")} == set(texts)
    for name, text in texts.items():
        assert (FOLDER / name).read_text() == text, f"{name}: run python docs/schemas.py"


@pytest.mark.parametrize("kind", ["audit", "augment", "bench", "compare", "diagnose"])
def test_a_report_read_again_renders_to_the_same_bytes(reports, kind, tmp_path):
    for report in reports[kind]:
        path = tmp_path / "r.json"
        report.to_json(path)
        again = Report.from_json(path)
        for form in ("to_json", "to_text", "to_html", "to_markdown"):
            assert getattr(again, form)() == getattr(report, form)()
        assert max(map(len, again.to_text().splitlines())) <= 80


def test_thresholds_of_groups_stand_in_the_json_and_on_the_page(reports):
    equal, thresholds = reports["compare"][1].summary["strategies"]
    assert "thresholds" not in equal
    assert len(thresholds["thresholds"]) == 4
    assert sum(sum(row["rows"]) for row in thresholds["thresholds"]) == 240
    assert all(row["low"] <= row["threshold"] <= row["high"] for row in thresholds["thresholds"])
    sections = {section.name: section for section in reports["compare"][1].document.sections}
    _, _, table = sections["thresholds"].blocks
    assert len(table.rows) == 4
    assert "thresholds" not in {section.name for section in reports["compare"][0].document.sections}
