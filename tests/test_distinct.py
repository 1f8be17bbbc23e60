"""Rows of counts are put back where they were, and intervals of equal counts are equal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlattice.metrics import clopper_pearson_interval, jeffreys_interval
from fairlattice.metrics._distinct import distinct_rows

ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10**15)), max_size=30)


@given(ROWS, st.sampled_from([np.int64, np.float64]))
def test_the_distinct_rows_make_all_rows(rows, kind):
    columns = np.array(rows, dtype=kind).reshape(-1, 2).T
    at, number = distinct_rows(*columns)
    assert len(at) == len(set(rows))
    np.testing.assert_array_equal(columns[:, at][:, number], columns)


@pytest.mark.parametrize("interval", [jeffreys_interval, clopper_pearson_interval])
def test_intervals_of_many_groups_are_those_of_each(interval):
    rng = np.random.default_rng(0)
    n = rng.integers(0, 6, 300)
    s = rng.integers(0, n + 1)
    each = [interval(s[i : i + 1], n[i : i + 1]) for i in range(300)]
    np.testing.assert_array_equal(np.array(interval(s, n)), np.array(each)[:, :, 0].T)
