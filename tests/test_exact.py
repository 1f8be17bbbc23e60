"""Sums of weights and scores are exact, rounded once: the same bytes in any order, partition and engine."""

import math
import operator
from functools import reduce

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlattice import GroupCounts, InputError
from fairlattice.groups import ScoreCounts
from fairlattice.groups._exact import ExactSums

ROLES = {"label": "y", "prediction": "p", "sensitive": ["g"]}
weights = st.lists(
    st.one_of(
        st.floats(0.5, 1e4),
        st.floats(1e-6, 1e6),
        st.floats(1e-149, 1e149),
        st.integers(0, 50).map(float),
        st.sampled_from([0.0, 0.1, 1 / 3, 2.0**-20]),
    ),
    min_size=1,
    max_size=40,
).filter(any)


def table_of(values, seed):
    rng = np.random.default_rng(seed)
    n = len(values)
    drawn = {"y": rng.integers(0, 2, n), "p": rng.integers(0, 2, n), "g": rng.choice(["a", "b"], n)}
    return pl.DataFrame(drawn | {"w": values})


def sums_by_hand(table, power):
    """What `math.fsum` makes of every cell's weights, to the power of 1 or 2, in the order of the counts' table."""
    classes, groups = (sorted(table[name].unique().to_list()) for name in ("y", "g"))
    classes = sorted({*classes, *table["p"].unique().to_list()})
    found = np.zeros((len(groups), len(classes), len(classes)))
    for i, g in enumerate(groups):
        for j, y in enumerate(classes):
            for k, p in enumerate(classes):
                cell = table.filter((pl.col("g") == g) & (pl.col("y") == y) & (pl.col("p") == p))
                found[i, j, k] = math.fsum(w**power for w in cell["w"].to_list())
    return found


@settings(deadline=None, max_examples=60)
@given(weights, st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_sums_of_weights_are_exact_in_any_order_and_partition(values, seed, pieces):
    table = table_of(values, seed)
    expected = [sums_by_hand(table, power) for power in (1, 2)]
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=seed)
    size = -(-len(values) // pieces)
    parts = [shuffled.slice(start, size) for start in range(0, len(values), size)]
    features = {"g": shuffled["g"].to_list()}
    for counts in (
        GroupCounts.from_frame(table, weight="w", **ROLES),
        GroupCounts.from_frame(pl.concat([part.lazy() for part in parts]), weight="w", **ROLES),
        GroupCounts.from_arrays(
            shuffled["y"], shuffled["p"], sensitive_features=features, sample_weight=shuffled["w"].to_list()
        ),
    ):
        assert counts.weights.tolist() == expected[0].tolist()
        assert counts.squares.tolist() == expected[1].tolist()
        again = GroupCounts.from_json(counts.to_json())
        assert again.weights.tolist() == expected[0].tolist()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 2**20), min_size=2, max_size=30).filter(any), st.integers(0, 2**32 - 1))
def test_counts_of_parts_add_up_to_the_counts_of_the_whole_table(values, seed):
    table = table_of([value / 1024 for value in values], seed)
    whole = GroupCounts.from_frame(table, weight="w", **ROLES)
    part = np.random.default_rng(seed).integers(0, 3, len(values))
    parts = [table.filter(part == number) for number in range(3)]
    counts = [GroupCounts.from_frame(p, weight="w", **ROLES) for p in parts if p["w"].sum() > 0]
    found = reduce(operator.add, counts, whole.emptied())
    assert found.weights.tolist() == whole.weights.tolist()
    assert found.squares.tolist() == whole.squares.tolist()


def test_runs_over_a_file_of_weights_give_the_same_bytes(tmp_path):
    rng = np.random.default_rng(0)
    n = 200_000
    columns = {"y": rng.integers(0, 2, n), "p": rng.integers(0, 2, n), "g": rng.integers(0, 5, n)}
    columns |= {"w": rng.lognormal(0.0, 2.0, n), "s": rng.random(n)}
    for part in range(4):
        pl.DataFrame({name: v[part::4] for name, v in columns.items()}).write_parquet(
            tmp_path / f"{part}.parquet"
        )
    scan = pl.scan_parquet(tmp_path / "*.parquet")
    counted = {GroupCounts.from_frame(scan, weight="w", **ROLES).to_json() for _ in range(10)}
    assert len(counted) == 1
    scored = [ScoreCounts.from_frame(scan, label="y", score="s", sensitive=["g"]) for _ in range(10)]
    assert len({found.sums.tobytes() for found in scored}) == 1
    arrays = ScoreCounts.from_arrays(columns["y"], columns["s"], sensitive_features={"g": columns["g"]})
    assert arrays.sums.tobytes() == scored[0].sums.tobytes()
    cell = (columns["y"] == 1) & (columns["g"] == 2)
    assert scored[0].sums[2, 1, 0] == pytest.approx(math.fsum(columns["s"][cell]), rel=1e-15)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.Int8, pl.Float32])
def test_whole_weights_add_as_whole_numbers(dtype):
    table = table_of(np.arange(100) % 90, 0).with_columns(pl.col("w").cast(dtype))
    counts = GroupCounts.from_frame(table, weight="w", **ROLES)
    assert counts.weights.sum() == table["w"].cast(pl.Int64).sum()
    assert counts.squares.sum() == (table["w"].cast(pl.Int64) ** 2).sum()


@pytest.mark.parametrize("odd", [1e-151, 1e151, -1e-300, 1e-320])
def test_weights_too_far_from_one_are_refused(odd):
    table = table_of([1.0, odd, 2.5], 0)
    with pytest.raises(InputError, match="`w` must be 0, or lie between"):
        GroupCounts.from_frame(table, weight="w", **ROLES)
    with pytest.raises(InputError, match="must be 0, or lie between"):
        GroupCounts.from_arrays(
            table["y"], table["p"], sensitive_features={"g": table["g"]}, sample_weight=table["w"]
        )


@pytest.mark.parametrize("whole", [True, False])
def test_weights_that_are_all_zero_are_refused(whole):
    table = table_of([0, 0, 0] if whole else [0.0, 0.0, 0.0], 0)
    with pytest.raises(InputError, match="`w` are 0 in every row"):
        GroupCounts.from_frame(table, weight="w", **ROLES)


def test_entries_of_many_rows_count_many_times():
    values, rows = np.array([0.1, 1 / 3]), np.array([7, 3])
    one, many = ExactSums.of(values, rows), ExactSums.of(values.repeat(rows))
    place = np.zeros(2, dtype=np.int64)
    expected = math.fsum([0.1] * 7 + [1 / 3] * 3)
    assert one.at(place, 1).tolist() == many.at(place.repeat(rows), 1).tolist() == [expected]
