"""Ratios of many groups to the best are those of a loop over pairs."""

import numpy as np
import pytest

import fairlattice as fl
from fairlattice.metrics._impact import _MOST_COMPARED, _ratios_to_best
from fairlattice.metrics._intervals import log_ends, log_ratio_ends, simultaneous_confidence
from fairlattice.metrics._rates import Rates


@pytest.mark.parametrize("m", [1, 2, 40, _MOST_COMPARED + 30])
def test_ratios_to_the_best_are_those_of_a_loop(m):
    rng = np.random.default_rng(m)
    n = rng.integers(1, 30, m)
    s = rng.integers(0, n + 1)
    s[0] = n[0]
    ratio, low, high = _ratios_to_best(Rates(s, n), 0.95)
    middle, below, above = log_ends(s, n, simultaneous_confidence(0.95, m * (m - 1) // 2))
    looked_at = np.argsort(-below, kind="stable")[:_MOST_COMPARED]
    for i in range(m):
        others = looked_at[looked_at != i]
        pairs = log_ratio_ends(
            (middle[i], below[i], above[i]), (middle[others], below[others], above[others])
        )
        least, most = (min(1.0, *ends) if len(ends) else 1.0 for ends in pairs)
        if m > _MOST_COMPARED:
            least = np.exp(below[i] - above.max())
        assert ratio[i] == s[i] / n[i] / (s / n).max()
        assert low[i] == min(least if s[i] else 0.0, ratio[i])
        assert high[i] == max(most, ratio[i])


@pytest.mark.parametrize("sizes", [[400] + [1] * 40, [400] * 4 + [2] * 40, [50] * 12, [5] * 60])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_best_of_many_tiny_groups_raises_no_false_alarm(rate, sizes):
    """Groups have equal rates; the best as counted is mostly one of the tiny ones."""
    rng, n = np.random.default_rng(0), np.array(sizes)
    alarms = 0
    for _ in range(200):
        successes = rng.binomial(n, rate)
        if successes.any():
            alarms += bool((_ratios_to_best(Rates(successes, n), 0.95)[2] < 0.8).any())
    assert alarms <= 10


def test_one_person_as_reference_is_said_and_does_not_make_the_verdict():
    S = ["a"] * 400 + ["b"]
    alone = fl.audit(None, [1] * 40 + [0] * 360 + [1], sensitive_features=S)
    assert alone.verdicts()[1].verdict == "not enough data"
    assert "400 people and 1 person" in repr(alone) and "--reference" in repr(alone)
    p, S = [1] * 40 + [0] * 360 + [1] + [1] * 200 + [0] * 200, [*S, *["c"] * 400]
    found = fl.audit(None, p, sensitive_features=S)
    ratio = found.verdicts()[1]
    assert (ratio.verdict, ratio.group, ratio.other_n) == ("yes", {"sensitive_feature_0": "a"}, 1)
    larger = fl.audit(None, p, sensitive_features=S, min_share=0.05)
    assert (larger.verdicts()[1].verdict, larger.verdicts()[1].other_n) == ("yes", 400)
    assert "--reference" not in repr(larger)
