"""The unfairness that weights and costs are learned by."""

from __future__ import annotations

from fairlattice._validation import FloatArray

_ALPHA = 0.5


def unfairness(recalls: FloatArray) -> float:
    """IF½ of one label's recalls by group, of shape (k,): small is fair, and 1 where nobody is recognised."""
    low, high = float(recalls.min()), float(recalls.max())
    return _ALPHA * (1 - low) + (1 - _ALPHA) * (1 - low / high) if high > 0 else 1.0
