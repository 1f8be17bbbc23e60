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
