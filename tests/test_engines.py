"""Engines: every frame gives the counts that arrays give, and counts of shards travel as JSON and add up."""

import json
import math
import operator
import re
import shutil
import sys
import warnings
from functools import reduce

import joblib
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.io.plugins import register_io_source
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from fairlattice import (
    GroupCounts,
    HierarchicalAugmenter,
    InputError,
    audit,
    bench,
    compare,
    diagnose,
    harm,
    leveling_down,
)
from fairlattice.benchmark._comparison_data import ComparisonData
from fairlattice.benchmark._store import Store
from fairlattice.datasets import load_dataset
from fairlattice.groups import PairedCounts, ScoreCounts
from fairlattice.metrics import audit_scores, audit_series
from fairlattice.samplers._engines import _Kept
from fairlattice.samplers._places import Places
from fairlattice.tables._shared import Rules

N = 5_000
CUTS = {"age": [25, 45]}
SENSITIVE = ["sex", "age", "grade"]
NAMES = {"label": "y", "prediction": "p", "sensitive": SENSITIVE, "cuts": CUTS}


def people():
    """Columns as plain lists; ages lie on the cut points, between them, and are None or NaN."""
    rng = np.random.default_rng(11)

    def drawn(values, p=None):
        return [values[i] for i in rng.choice(len(values), N, p=p)]

    odd = drawn([None, math.nan, 25.0, 45.0, "any"], [0.05, 0.05, 0.1, 0.1, 0.7])
    ages = rng.uniform(18, 90, N).tolist()
    edge = drawn([0.0, 1.0, 0.29, 0.57, "any"], [0.05, 0.05, 0.1, 0.1, 0.7])
    scores = rng.random(N).tolist()
    return {
        "y": rng.integers(0, 2, N).tolist(),
        "p": rng.integers(0, 2, N).tolist(),
        "q": rng.integers(0, 2, N).tolist(),
        "sex": drawn(["f", "m", "x y", "é", None], [0.4, 0.4, 0.05, 0.05, 0.1]),
        "age": [a if o == "any" else o for a, o in zip(ages, odd, strict=True)],
        "grade": drawn([1, 2, 30, None]),
        "score": [s if e == "any" else e for s, e in zip(scores, edge, strict=True)],
        "w": rng.gamma(2.0, 3.0, N).tolist(),
    }


COLUMNS = people()
TABLE = pa.table(COLUMNS)
FEATURES = {name: COLUMNS[name] for name in SENSITIVE}


@pytest.fixture(scope="module")
def dask():
    frames = pytest.importorskip("dask.dataframe", reason="Dask is not installed")
    distributed = pytest.importorskip("distributed", reason="Dask's distributed scheduler is not installed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1"}
    quiet = {"dashboard_address": "127.0.0.1:0", "memory_limit": 0, "silence_logs": 50}
    with distributed.LocalCluster(**options, **quiet) as cluster, distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
        yield frames


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    sql = pytest.importorskip("pyspark.sql", reason="PySpark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    folder = tmp_path_factory.mktemp("spark")
    log = folder / "log4j2.properties"
    log.write_text(
        "rootLogger.level = off\nrootLogger.appenderRef.n.ref = n\n"
        "appender.n.type = Null\nappender.n.name = n\n"
    )
    java = f"-Dlog4j2.configurationFile=file:{log} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    options = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": java,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = sql.SparkSession.builder.master("local[2]").appName("fairlattice")
        for name, value in options.items():
            builder = builder.config(name, value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Spark's own start deprecates is not ours to tell
            session = builder.getOrCreate()
        yield session
        session.stop()


@pytest.fixture(scope="module")
def duckdb():
    with pytest.importorskip("duckdb", reason="DuckDB is not installed").connect() as connection:
        yield connection


def to_pandas(table, get):
    pytest.importorskip("pandas", reason="pandas is not installed")
    return table.to_pandas()


MAKERS = {
    "pandas": to_pandas,
    "polars": lambda table, _: pl.from_arrow(table),
    "polars-lazy": lambda table, _: pl.from_arrow(table).lazy(),
    "pyarrow": lambda table, _: table,
    "duckdb": lambda table, get: get("duckdb").from_arrow(table),
    "dask": lambda table, get: get("dask").from_pandas(to_pandas(table, get), npartitions=2),
    "pyspark": lambda table, get: get("spark").createDataFrame(table),
}


@pytest.fixture(scope="module", params=MAKERS)
def frame_of(request):
    """Turns an Arrow table into a frame of one engine."""
    return lambda table: MAKERS[request.param](table, request.getfixturevalue)


@pytest.fixture(scope="module")
def frame(frame_of):
    return frame_of(TABLE)


def with_column(table, name, values, dtype=None):
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values, dtype))


def close(left, right):
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=0)


def same_groups(left, right):
    assert left.lattice == right.lattice
    assert left.classes == right.classes
    assert [type(c) for c in left.classes] == [type(c) for c in right.classes]
    assert left.codes.tolist() == right.codes.tolist()
    assert left.excluded == right.excluded


def same_counts(left, right):
    same_groups(left, right)
    assert left.leaves == right.leaves
    assert left.table.dtype == right.table.dtype == np.int64
    assert left.table.tolist() == right.table.tolist()
    assert len(left.layers) == len(right.layers)
    for mine, theirs in zip(left.layers[1:], right.layers[1:], strict=True):
        close(mine, theirs)


def same_pairs(left, right):
    same_groups(left, right)
    for part in ("truth", "old", "new", "rows"):
        assert getattr(left, part).tolist() == getattr(right, part).tolist()


def same_scores(left, right):
    same_groups(left, right)
    assert left.table.tolist() == right.table.tolist()
    close(left.sums, right.sums)


def column_args(**names):
    return {**names, "sensitive": SENSITIVE, "cuts": CUTS}


def array_args(**names):
    given = {role: COLUMNS[name] for role, name in names.items()}
    return {**given, "sensitive_features": FEATURES, "cuts": CUTS}


KINDS = {
    "counts": (
        GroupCounts,
        column_args(label="y", prediction="p"),
        array_args(y_true="y", y_pred="p"),
        same_counts,
    ),
    "weighted": (
        GroupCounts,
        column_args(label="y", prediction="p", weight="w"),
        array_args(y_true="y", y_pred="p", sample_weight="w"),
        same_counts,
    ),
    "paired": (
        PairedCounts,
        column_args(label="y", before="p", after="q"),
        array_args(y_true="y", before="p", after="q"),
        same_pairs,
    ),
    "scores": (
        ScoreCounts,
        column_args(label="y", score="score"),
        array_args(y_true="y", score="score"),
        same_scores,
    ),
}


@pytest.mark.parametrize("missing", ["level", "exclude"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_gives_the_counts_that_arrays_give(frame, kind, missing):
    counts, columns, arrays, same = KINDS[kind]
    found = counts.from_frame(frame, **columns, missing=missing)
    expected = counts.from_arrays(**arrays, missing=missing)
    same(found, expected)
    if kind == "weighted":  # exact sums, rounded once
        assert found.weights.tobytes() == expected.weights.tobytes()
        assert found.squares.tobytes() == expected.squares.tobytes()
    if kind == "scores":
        assert found.sums.tobytes() == expected.sums.tobytes()
    holes = sum(any(v is None or v != v for v in row) for row in zip(*FEATURES.values(), strict=True))
    assert found.excluded == (holes if missing == "exclude" else 0)
    if kind != "paired":
        assert found.table.sum() + found.excluded == N


def test_a_dask_frame_is_counted_on_two_worker_processes(dask):
    from distributed import default_client

    workers = default_client().run(lambda dask_worker: dask_worker.name)
    assert len(workers) == 2
    found = GroupCounts.from_frame(dask.from_pandas(TABLE.to_pandas(), npartitions=4), **NAMES)
    assert found.n == N
    tasks = default_client().run(lambda dask_worker: dask_worker.state.executed_count)
    assert sum(tasks.values()) > 0


def test_missing_attributes_are_refused_on_request_by_every_frame(frame):
    with pytest.raises(InputError, match="missing"):
        GroupCounts.from_frame(frame, **NAMES, missing="raise")


def test_a_value_on_a_cut_point_lies_above_it_whatever_the_width_of_the_floats(frame_of):
    # 0.7 in single precision is less than 0.7.
    values = pa.array([0.25, 0.5, 0.7, 0.75, None], pa.float32())
    table = pa.table({"y": [0, 1, 0, 1, 1], "p": [1, 1, 0, 0, 1], "x": values})
    cuts = {"x": [0.5, 0.7]}
    found = GroupCounts.from_frame(frame_of(table), label="y", prediction="p", sensitive=["x"], cuts=cuts)
    assert found.rows.tolist() == [1, 2, 1, 1]
    x = np.array([0.25, 0.5, 0.7, 0.75, np.nan], dtype=np.float32)
    arrays = GroupCounts.from_arrays([0, 1, 0, 1, 1], [1, 1, 0, 0, 1], sensitive_features={"x": x}, cuts=cuts)
    same_counts(found, arrays)


@pytest.mark.parametrize("odd", [math.inf, -math.inf])
def test_infinite_values_of_an_attribute_that_is_cut_are_refused_by_name(frame_of, odd):
    table = with_column(TABLE, "age", [*COLUMNS["age"][:-1], odd])
    with pytest.raises(InputError, match=r"`age`.*infinite"):
        GroupCounts.from_frame(frame_of(table), **NAMES)


@pytest.mark.parametrize("odd", [-1.0, None, math.nan, math.inf])
def test_weights_that_are_negative_missing_or_infinite_are_refused(frame_of, odd):
    # All rows but one lie in the same cell, whose sum would hide the odd weight.
    table = pa.table({"y": [0, 0, 0, 1], "p": [0, 0, 0, 1], "sex": list("fffm"), "w": [5.0, odd, 5.0, 1.0]})
    names = {"label": "y", "prediction": "p", "sensitive": ["sex"], "weight": "w"}
    with pytest.raises(InputError, match=r"[Ww]eights"):
        GroupCounts.from_frame(frame_of(table), **names)


@pytest.mark.parametrize("odd", [-1.0, None, math.nan, math.inf])
def test_arrays_of_odd_weights_are_refused_too(odd):
    with pytest.raises(InputError, match="weight"):
        GroupCounts.from_arrays(
            [0, 0, 1], [0, 0, 1], sensitive_features={"sex": list("ffm")}, sample_weight=[5.0, odd, 1.0]
        )


@pytest.mark.parametrize("odd", [None, math.nan, -0.1, 1.1, math.inf])
def test_scores_that_are_missing_or_outside_the_unit_interval_are_refused_by_name(frame_of, odd):
    table = pa.table({"y": [0, 1, 1], "sex": list("ffm"), "score": [0.5, odd, 1.0]})
    with pytest.raises(InputError, match="`score` has 1"):
        ScoreCounts.from_frame(frame_of(table), label="y", score="score", sensitive=["sex"])


def test_missing_labels_are_refused_by_name(frame_of):
    table = with_column(TABLE, "p", [None, *COLUMNS["p"][1:]])
    with pytest.raises(InputError, match=r"`p` has 1 missing"):
        GroupCounts.from_frame(frame_of(table), **NAMES)


def test_a_frame_without_rows_is_refused(frame_of):
    with pytest.raises(InputError, match="no rows"):
        GroupCounts.from_frame(frame_of(TABLE.slice(0, 0)), **NAMES)


@pytest.mark.parametrize("weight", [None, "w"])
def test_a_folder_of_parquet_parts_counts_like_the_table_in_memory(tmp_path, weight):
    for i in range(5):
        pq.write_table(TABLE.slice(i * 1_000, 1_000), tmp_path / f"part-{i}.parquet")
    found = GroupCounts.from_frame(pl.scan_parquet(tmp_path / "*.parquet"), **NAMES, weight=weight)
    same_counts(found, GroupCounts.from_frame(pl.from_arrow(TABLE), **NAMES, weight=weight))


def parts_of(table, pieces):
    """Slices of the rows in order of an attribute, so that levels of one part are not in another."""
    ordered = table.sort_by("sex")
    size = -(-len(table) // pieces)
    return [ordered.slice(i * size, size) for i in range(pieces)]


@pytest.mark.parametrize("missing", ["level", "exclude"])
@pytest.mark.parametrize("weight", [None, "w"])
def test_counts_of_shards_sent_as_json_add_up_to_the_whole(tmp_path, weight, missing):
    how = {**NAMES, "weight": weight, "missing": missing}
    for i, part in enumerate(parts_of(TABLE, 4)):
        GroupCounts.from_frame(part, **how).to_json(tmp_path / f"shard-{i}.json")
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == [f"shard-{i}.json" for i in range(4)]
    shards = [GroupCounts.from_json(f) for f in files]
    assert len({s.lattice for s in shards}) > 1
    same_counts(reduce(operator.add, shards), GroupCounts.from_frame(TABLE, **how))


@pytest.mark.parametrize("weight", [None, "w"])
def test_json_keeps_counts_to_the_last_bit(tmp_path, weight):
    counts = GroupCounts.from_frame(TABLE, **NAMES, weight=weight, missing="exclude")
    text = counts.to_json(tmp_path / "counts.json")
    assert (tmp_path / "counts.json").read_text(encoding="utf-8") == text
    for again in (GroupCounts.from_json(text), GroupCounts.from_json(str(tmp_path / "counts.json"))):
        same_counts(again, counts)
        assert [layer.tolist() for layer in again.layers] == [layer.tolist() for layer in counts.layers]
        assert again.to_json() == text


def damaged(**changes):
    counts = GroupCounts.from_arrays(
        [0, 1, 1], [0, 0, 1], sensitive_features={"sex": list("ffm")}, sample_weight=[1.0, 2.0, 3.0]
    )
    found = json.loads(counts.to_json()) | changes
    return json.dumps({key: value for key, value in found.items() if value is not ...})


@pytest.mark.parametrize(
    "text",
    [
        damaged()[:-20],
        damaged(schema="fairlattice/counts/2"),
        damaged(schema=...),
        damaged(rows=...),
        damaged(rows=[1]),
        damaged(rows=[1, 1, 0]),
        damaged(rows=[1, 1, -1]),
        damaged(rows=["many", 1, 1]),
        damaged(leaf=[0, 0, 2]),
        damaged(label=[0, 1, 2]),
        damaged(prediction=[-1, 0, 1]),
        damaged(weights=[1.0, 2.0, -3.0]),
        damaged(weights=[1.0, 2.0, math.nan]),
        damaged(attributes="sex"),
        damaged(classes=None),
    ],
)
def test_damaged_counts_and_other_schemas_are_refused(tmp_path, text):
    with pytest.raises(InputError, match="to_json"):
        GroupCounts.from_json(text)
    (tmp_path / "counts.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"counts\.json"):
        GroupCounts.from_json(tmp_path / "counts.json")


def test_files_that_cannot_be_read_or_written_are_refused_by_name(tmp_path):
    counts = GroupCounts.from_arrays([0, 1], [0, 1], sensitive_features={"sex": ["f", "m"]})
    with pytest.raises(InputError, match=r"absent\.json"):
        GroupCounts.from_json(tmp_path / "absent.json")
    with pytest.raises(InputError, match=r"counts\.json"):
        counts.to_json(tmp_path / "absent" / "counts.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match=r"bytes\.json"):
        GroupCounts.from_json(tmp_path / "bytes.json")


@pytest.mark.parametrize("missing", ["level", "exclude"])
def test_counts_updated_by_batches_equal_the_counts_of_all_rows(frame_of, missing):
    first, *others = parts_of(TABLE, 2)
    counts = GroupCounts.from_frame(frame_of(first), **NAMES, missing=missing)
    before = counts.table.tolist()
    updated = counts
    for batch in others:
        updated = updated.update(frame_of(batch), label="y", prediction="p", missing=missing)
    same_counts(updated, GroupCounts.from_frame(TABLE, **NAMES, missing=missing))
    assert counts.table.tolist() == before


def test_updating_by_counts_adds_them_and_weighted_counts_take_no_plain_batch():
    first, second = parts_of(TABLE, 2)
    plain, weighted = (
        [GroupCounts.from_frame(part, **NAMES, weight=weight) for part in (first, second)]
        for weight in (None, "w")
    )
    for one, other in (plain, weighted):
        same_counts(one.update(other), one + other)
    with pytest.raises(InputError, match="weighted"):
        weighted[0].update(second, label="y", prediction="p")
    with pytest.raises(InputError, match="weighted"):
        weighted[0].update(plain[1])


ROLES = {"y": "y", "sensitive_features": ["sex", "grade"]}
AUGMENTED = {
    "polars-lazy": lambda table, _, parts: pl.concat([pl.from_arrow(t).lazy() for t in pieces(table, parts)]),
    "dask": lambda table, get, parts: get("dask").from_pandas(table.to_pandas(), npartitions=parts),
    "pyspark": lambda table, get, parts: get("spark").createDataFrame(table).repartition(parts),
}


def pieces(table, parts):
    size = -(-len(table) // parts)
    return [table.slice(i * size, size) for i in range(parts)]


def features(repeat=1):
    """Rows without holes, each of them so many times."""
    names = ["y", "sex", "grade", "score", "q"]
    table = pa.table({name: COLUMNS[name] for name in names})
    whole = pl.from_arrow(table).drop_nulls().head(1_000)
    return pl.concat([whole] * repeat).to_arrow()


def rows_of(frame):
    """All rows of any frame, in the order of their values."""
    if isinstance(frame, pl.LazyFrame):
        found = frame.collect()
    elif hasattr(frame, "toArrow"):
        found = pl.from_arrow(frame.toArrow())
    else:
        found = pl.from_pandas(frame.compute())
    return sorted(found.rows())


def augmenter(seed=0):
    return HierarchicalAugmenter(random_state=seed)


@pytest.mark.parametrize("kind", AUGMENTED)
@pytest.mark.parametrize("repeat", [1, 5])
def test_a_lazy_frame_gets_the_same_rows_however_it_is_partitioned(kind, repeat, request, monkeypatch):
    monkeypatch.setattr("fairlattice.samplers._lazy.MOST", 500)
    table = features(repeat)
    found = []
    for parts, order in ((1, 0), (3, 1)):
        shuffled = pl.from_arrow(table).sample(fraction=1, shuffle=True, seed=order).to_arrow()
        lazy = AUGMENTED[kind](shuffled, request.getfixturevalue, parts)
        fitted = augmenter().fit(lazy, ROLES["y"], sensitive_features=ROLES["sensitive_features"])
        more = fitted.augment(lazy, ROLES["y"], sensitive_features=ROLES["sensitive_features"])
        assert type(more) is type(lazy)
        found.append(rows_of(more))
    assert found[0] == found[1]
    old = [row[:-1] for row in found[0] if not row[-1]]
    assert old == sorted(pl.from_arrow(table).rows())
    cells = {}
    for row in found[0]:
        cells.setdefault((row[1], row[2], row[0]), []).append(row)
    assert len({len(rows) for rows in cells.values()}) == 1
    known = {row[3] for row in old}
    made = [row[3] for row in found[0] if row[-1]]
    assert min(known) <= min(made) <= max(made) <= max(known)


class Distinct:
    """Keeps every row once."""

    def keep(self, batch):
        return batch.unique()

    def merge(self, kept):
        return kept.unique()


def test_rows_kept_of_many_batches_are_merged_before_they_are_many(monkeypatch):
    monkeypatch.setattr("fairlattice.samplers._engines._MANY", 100)
    found, most = _Kept(Distinct()), 0
    for number in range(200):
        found.add(pl.DataFrame({"x": np.arange(50) + number // 2}))
        most = max(most, sum(frame.height for frame in found.frames))
    assert found.frame()["x"].sort().to_list() == list(range(149))
    assert most <= 2 * 149 + 50


@pytest.mark.parametrize("kind", [*AUGMENTED, "duckdb"])
def test_the_sample_is_the_same_however_often_it_is_merged_and_whichever_zero_comes_first(
    kind, request, monkeypatch
):
    monkeypatch.setattr("fairlattice.samplers._lazy.MOST", 300)
    monkeypatch.setattr("fairlattice.samplers._engines._TOGETHER", 2)
    n, rng = 6_000, np.random.default_rng(0)
    x = rng.integers(-9, 9, n) * rng.choice([-0.1, 0.1], n)
    assert 5 < np.signbit(x[x == 0.0]).sum() < (x == 0.0).sum()
    people = {
        "^y$": rng.integers(0, 2, n),
        "^s$": rng.choice(["f", "m"], n),
        "y": np.ones(n),
        "s": np.ones(n),
    }
    table = pl.DataFrame({**people, "^x$": x, "part": np.arange(n) % 50})
    found = []
    for parts, many in ((1, 50_000), (5, 40)):
        monkeypatch.setattr("fairlattice.samplers._engines._MANY", many)
        shuffled = table.sample(fraction=1, shuffle=True, seed=parts).to_arrow()
        if kind == "duckdb":
            lazy = request.getfixturevalue("duckdb").from_arrow(shuffled)
        else:
            lazy = AUGMENTED[kind](shuffled, request.getfixturevalue, parts)
        fitted = augmenter().fit(lazy, "^y$", sensitive_features=["^s$"])
        found.append(repr(fitted._X.rows()))
        if kind != "duckdb":
            more = fitted.augment(lazy, "^y$", sensitive_features=["^s$"], per_cell=2_000)
            assert len(rows_of(more)) == 8_000
    assert fitted._X.height == 300
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", AUGMENTED)
def test_other_seeds_give_other_rows(kind, request):
    lazy = AUGMENTED[kind](features(), request.getfixturevalue, 2)
    found = []
    for seed in (0, 1):
        fitted = augmenter(seed).fit(lazy, "y", sensitive_features=["sex", "grade"])
        found.append(rows_of(fitted.augment(lazy, "y", sensitive_features=["sex", "grade"], per_cell=200)))
    assert found[0] != found[1]
    assert len(found[0]) == len(found[1])


def test_a_fit_to_rows_in_memory_that_all_enter_the_sample_learns_the_same_as_a_lazy_one(duckdb):
    table = features()
    relation = duckdb.from_arrow(table)
    assert augmenter().fit(relation, "y", sensitive_features=["sex", "grade"])._X.height == 1_000
    with pytest.raises(InputError, match="DuckDB"):
        fitted = augmenter().fit(relation, "y", sensitive_features=["sex", "grade"])
        fitted.augment(relation, "y", sensitive_features=["sex", "grade"])


def test_what_is_no_name_of_a_column_of_a_lazy_frame_is_refused():
    lazy = pl.from_arrow(features()).lazy()
    for y, sensitive in (([0, 1], ["sex"]), ("y", COLUMNS["sex"]), ("y", None)):
        with pytest.raises(InputError, match="names of its columns"):
            augmenter().fit(lazy, y, sensitive_features=sensitive)
    with pytest.raises(InputError, match="gendr"):
        augmenter().fit(lazy, "y", sensitive_features=["gendr"])
    eager = lazy.collect()
    fitted = augmenter().fit(eager.drop("y"), eager["y"], sensitive_features=eager[["sex", "grade"]])
    with pytest.raises(InputError, match="in memory"):
        fitted.augment(lazy, "y", sensitive_features=["sex", "grade"])


def test_a_small_share_of_equal_rows_enters_the_sample_as_often_as_they_occur(monkeypatch):
    monkeypatch.setattr("fairlattice.samplers._lazy.MOST", 2_000)
    n = 60_000
    rng = np.random.default_rng(0)
    lazy = pl.LazyFrame(
        {
            "y": np.arange(n) % 2,
            "sex": np.array(["f", "m"])[np.arange(n) // 2 % 2],
            "x": rng.choice(4, n, p=[0.6, 0.2, 0.15, 0.05]),
        }
    )
    sample = augmenter().fit(lazy, "y", sensitive_features=["sex"])._X
    assert sample.height == 2_000
    shares = np.bincount(sample["x"].to_numpy()) / sample.height
    np.testing.assert_allclose(shares, [0.6, 0.2, 0.15, 0.05], atol=0.005)


def test_questions_of_pairs_scores_and_periods_are_answered_on_every_frame(frame):
    def asked(data):
        names = {"label": "y", "sensitive": ["sex", "grade"]}
        pairs = PairedCounts.from_frame(data, before="p", after="q", **names)
        scores = ScoreCounts.from_frame(data, score="score", **names)
        series = GroupCounts.from_frame(data, prediction="p", label="y", sensitive=["sex", "q"])
        return harm(pairs), leveling_down(pairs), audit_scores(scores), audit_series(series, "q")

    for found, expected in zip(asked(frame), asked(TABLE), strict=True):
        assert rounded(found) == rounded(expected)


@pytest.mark.parametrize("label", ["y", None])
def test_harm_over_decisions_of_a_lazy_frame_is_that_of_arrays(frame, label):
    pairs = PairedCounts.from_frame(frame, label=label, before="p", after="q", sensitive=["sex", "grade"])
    arrays = {name: COLUMNS[name] for name in ("sex", "grade")}
    expected = harm(label and COLUMNS["y"], COLUMNS["p"], COLUMNS["q"], sensitive_features=arrays)
    assert rounded(harm(pairs)) == rounded(expected)


def test_a_lazy_frame_is_read_once_for_every_question():
    rows, read = pl.from_arrow(TABLE), []

    def source(columns, predicate, *_):
        read.append(columns)
        yield rows.select(columns) if predicate is None else rows.select(columns).filter(predicate)

    lazy = register_io_source(source, schema=rows.schema)
    names = {"label": "y", "sensitive": ["sex", "age"], "cuts": CUTS}
    audit(lazy, prediction="p", **names)
    PairedCounts.from_frame(lazy, before="p", after="q", **names)
    ScoreCounts.from_frame(lazy, score="score", **names)
    GroupCounts.from_frame(lazy, prediction="p", label="y", sensitive=["sex", "grade"])
    wanted = (["y", "p", "sex", "age"], ["y", "p", "q", "sex", "age"], ["y", "score", "sex", "age"])
    assert [sorted(columns) for columns in read] == [*map(sorted, wanted), ["grade", "p", "sex", "y"]]


def test_a_frame_in_place_of_its_counts_is_refused_by_what_to_do():
    lazy = pl.from_arrow(TABLE).lazy()
    for question, kind in (
        (lambda: audit_scores(lazy), "ScoreCounts.from_frame"),
        (lambda: audit_series(lazy, "grade"), "GroupCounts.from_frame"),
        (lambda: harm(lazy, lazy, lazy, sensitive_features=lazy), "`PairedCounts`"),
        (lambda: leveling_down(lazy, lazy, lazy, sensitive_features=lazy), "`PairedCounts`"),
        (lambda: audit(lazy, lazy, sensitive_features=lazy), "`GroupCounts`"),
    ):
        with pytest.raises(InputError, match=kind):
            question()


def rounded(result):
    """What a result holds, without the last digits, in which sums in another order differ."""
    return re.sub(r"\d+\.\d+(e-\d+)?", lambda number: f"{float(number[0]):.9g}", repr(result))


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.util.joblib import register_ray

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
        register_ray()
    yield "ray"
    ray.shutdown()


@pytest.fixture(scope="module")
def spark_tasks(spark):
    pytest.importorskip("joblibspark", reason="joblib-spark is not installed").register_spark()
    return "spark"


@pytest.fixture(scope="module")
def dask_processes(dask):
    return "dask"


@pytest.fixture
def dask_threads():
    """One process that runs four tasks at a time."""
    distributed = pytest.importorskip("distributed", reason="Dask's distributed scheduler is not installed")
    options = {"n_workers": 1, "threads_per_worker": 4, "processes": True, "host": "127.0.0.1"}
    quiet = {"dashboard_address": "127.0.0.1:0", "memory_limit": 0, "silence_logs": 50}
    with distributed.LocalCluster(**options, **quiet) as cluster, distributed.Client(cluster):
        yield "dask"


BACKENDS = ["dask_processes", "dask_threads", "ray", "spark_tasks"]
TASKS = pl.from_arrow(features())
COMPARED = {
    "X": TASKS.select("q", "grade", "score"),
    "y": (TASKS["score"] > 0.5).cast(pl.Int64),
    "sensitive_features": TASKS.select("sex"),
    "folds": 2,
    "repeats": 1,
    "n_jobs": 2,
}


def logistic_that(does):
    """A classifier whose fit does something first; its class travels by value, as one of a notebook."""

    class Classifier(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            does(X)
            return super().fit(X, y, sample_weight)

    return Classifier()


def warning():
    """One that warns, which goes to the notes of its comparison alone."""

    def warn(X):
        import warnings

        warnings.warn(f"{len(X)} rows", UserWarning, stacklevel=2)

    return logistic_that(warn)


def test_dask_gets_the_table_once_and_not_with_every_task(dask, monkeypatch):
    sent, plain = [], ComparisonData.__reduce_ex__

    def noted(self, protocol):
        sent.append(self)
        return plain(self, protocol)

    monkeypatch.setattr(ComparisonData, "__reduce_ex__", noted)
    with joblib.parallel_config("dask"):
        compare(**COMPARED | {"folds": 4}, strategies=["none", "label", "equal"])
    assert len(sent) == 1


def failing():
    """One that refuses its rows."""

    def refuse(_):
        from fairlattice import InputError

        raise InputError("Column `x` is of the wrong kind.")

    return logistic_that(refuse)


CLASSIFIERS = {
    "warns": warning,
    "parallel": lambda: RandomForestClassifier(20, n_jobs=2, random_state=0),
}


@pytest.mark.filterwarnings("ignore")  # of what the back ends deprecate
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_a_comparison_on_a_cluster_is_the_one_of_this_process(backend, classifier, request):
    name, seen = request.getfixturevalue(backend), []
    given = COMPARED | {
        "classifier": CLASSIFIERS[classifier](),
        "strategies": ["none", "label", "equal", "borrow"],
    }
    alone = compare(**given | {"n_jobs": 1})
    with joblib.parallel_config(name):
        spread = compare(**given, progress=lambda *done: seen.append(done))
    for column, values in alone.predictions().items():
        assert values.tolist() == spread.predictions()[column].tolist(), column
    assert alone.notes == spread.notes
    assert any("rows" in note for note in alone.notes) == (classifier == "warns")
    assert seen[-1] == (8, 8)
    assert sorted(seen) == seen


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", BACKENDS)
def test_trials_on_a_cluster_are_those_of_this_process(backend, request, tmp_path):
    data, seen = [load_dataset("diabetes")], []
    options = {"methods": ["logistic", "logistic+equal", "logistic+smote"], "seeds": 2}
    bench(data, tmp_path / "alone.sqlite", **options)
    with joblib.parallel_config(request.getfixturevalue(backend)):
        bench(data, tmp_path / "s.sqlite", n_jobs=2, progress=lambda *d: seen.append(d), **options)
    assert trials(tmp_path / "s.sqlite") == trials(tmp_path / "alone.sqlite")
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)


def trials(path):
    """All that a store holds of every trial but the seconds that it took."""
    return {
        record.key: (
            record.state,
            {k: v for k, v in record.result.items() if "seconds" not in k},
            record.payload,
        )
        for record in Store(path, create=False).records()
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_error_of_a_task_on_a_cluster_arrives(backend, request):
    with (
        joblib.parallel_config(request.getfixturevalue(backend)),
        pytest.raises(InputError, match="Column `x`"),
    ):
        compare(**COMPARED, classifier=failing(), strategies=["none"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", ["dask_processes", "ray", "spark_tasks"])
def test_a_diagnosis_stays_in_its_process_whatever_the_cluster(backend, request):
    given = {name: COMPARED[name] for name in ("X", "y", "sensitive_features")}
    with joblib.parallel_config(request.getfixturevalue(backend)):
        spread = diagnose(**given, n_jobs=2, max_rows=100)
    assert repr(spread) == repr(diagnose(**given, max_rows=100))


@pytest.mark.parametrize("many", [False, True])
def test_a_batch_has_the_same_places_as_its_rows_one_by_one(many):
    rng = np.random.default_rng(2)
    n = 400
    frame = pl.DataFrame(
        {
            "^s.*$": rng.choice(["f", "m", None], n).tolist(),
            "age": pl.Series(rng.normal(40, 9, n) if many else rng.integers(20, 60, n)).cast(pl.Float64),
            "y": rng.integers(0, 2, n),
        }
    ).with_columns(pl.when(pl.int_range(n) % 7 == 0).then(None).otherwise("age").name.keep())
    names, cuts = ["^s.*$", "age"], {"age": [25.0, 45.0]}
    counts = GroupCounts.from_frame(frame.lazy(), label="y", prediction="y", sensitive=names, cuts=cuts)
    places = Places.of(frame.lazy(), counts, names, "y", Rules(None, None))
    found = places(frame)
    assert found.tolist() == [int(places(frame[i : i + 1])[0]) for i in range(n)]
    sizes = np.diagonal(counts.table, axis1=1, axis2=2).ravel()
    assert np.bincount(found, minlength=len(sizes)).tolist() == sizes.tolist()
    assert places(frame[:0]).tolist() == []
