"""Ratios of many groups to the best are those of a loop over pairs."""

import numpy as np
import pytest

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
