"""The text of a summary: what the standard library's encoder writes, to the last byte, laid out in lines."""

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


def on_one_line(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def is_short(value):
    plain = not any(isinstance(item, dict | list | tuple) for item in value)
    return plain and len(value) <= 20 and len(on_one_line(value)) <= 100


def fits(value):
    """Whether a value holds no list but short ones."""
    if isinstance(value, dict):
        return all(map(fits, value.values()))
    return not isinstance(value, list | tuple) or is_short(value)


def laid_out(value, line="\n"):
    inner = line + "  "
    if isinstance(value, dict) and value:
        entries = [f"{on_one_line({key: 0})[1:-4]}: {laid_out(part, inner)}" for key, part in value.items()]
        return f"{{{inner}{f',{inner}'.join(entries)}{line}}}"
    if isinstance(value, list | tuple) and not is_short(value):
        items = [on_one_line(item) if fits(item) else laid_out(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{line}]"
    return on_one_line(value)


@given(values)
def test_a_summary_is_what_the_standard_library_writes(value):
    assert to_json(value) == laid_out(value) + "\n"
    assert json.loads(to_json(value)) == json.loads(json.dumps(value))


def test_a_group_is_one_line():
    rows = [{"group": {"a": i}, "n": i, "pooled": {"rate": 0.5}} for i in range(30)]
    lines = to_json({"by_group": rows, "few": [1, 2], "many": list(range(21))}).splitlines()
    assert lines[2] == '    {"group": {"a": 0}, "n": 0, "pooled": {"rate": 0.5}},'
    assert lines[33:36] == ['  "few": [1, 2],', '  "many": [', "    0,"]


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_a_figure_that_json_has_no_word_for_is_refused(odd):
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": [{"b": odd}]})


@given(st.lists(st.dictionaries(st.text(max_size=2), scalars, max_size=3), min_size=1, max_size=3), st.data())
def test_groups_that_come_up_many_times_are_written_alike(groups, data):
    some = st.sampled_from([*groups, None])
    rows = [{"group": data.draw(some), "n": data.draw(scalars)} for _ in range(8)]
    value = {"rows": rows, "deeper": {"rows": rows, "again": [{"group": g, "x": 0.0} for g in groups] * 2}}
    assert to_json(value) == laid_out(value) + "\n"


def test_long_lists_are_written_as_short_ones_are():
    rows = [{"n": i, "x": i / 7 if i % 3 else None, "y": [i] * (i == 2_500)} for i in range(5_000)]
    assert to_json({"rows": rows}) == laid_out({"rows": rows}) + "\n"


def test_numbers_that_come_up_many_times_keep_their_signs():
    value = [0.0, -0.0, 1.5, 1.5, -0.0, 0.0, 1.5, 1.5]
    assert to_json(value) == json.dumps(value) + "\n"
