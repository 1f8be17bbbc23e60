"""The decisions by name."""

from __future__ import annotations

from fairlattice.strategies._decision import Decision
from fairlattice.strategies._expected_threshold import ExpectedThreshold
from fairlattice.strategies._leaf_thresholds import LeafThresholds
from fairlattice.strategies._minimax import MinimaxCosts
from fairlattice.strategies._shared_threshold import Half, OneThreshold

DECISIONS: dict[str, Decision] = {
    decision.name: decision
    for decision in (Half(), OneThreshold(), ExpectedThreshold(), MinimaxCosts(), LeafThresholds())
}
"""The decisions by name."""
