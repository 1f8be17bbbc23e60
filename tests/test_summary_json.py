"""The text of a summary: what the standard library's encoder writes, to the last byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlattice.report._summary import to_json

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
keys = (
    st.text() | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner),
    max_leaves=30,
)


@given(values)
def test_a_summary_is_written_as_by_the_standard_library(value):
    assert to_json(value) == json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_a_figure_that_json_has_no_word_for_is_refused(odd):
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": [{"b": odd}]})


@given(st.lists(st.dictionaries(st.text(max_size=2), scalars, max_size=3), min_size=1, max_size=3), st.data())
def test_groups_that_come_up_many_times_are_written_alike(groups, data):
    some = st.sampled_from([*groups, None])
    rows = [{"group": data.draw(some), "n": data.draw(scalars)} for _ in range(8)]
    value = {"rows": rows, "deeper": {"rows": rows, "again": [{"group": g, "x": 0.0} for g in groups] * 2}}
    assert to_json(value) == json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def test_numbers_that_come_up_many_times_keep_their_signs():
    value = [0.0, -0.0, 1.5, 1.5, -0.0, 0.0, 1.5, 1.5]
    assert to_json(value) == json.dumps(value, indent=2) + "\n"
