"""The options of an audit, checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fairlattice._validation import check_choice, check_count, check_real
from fairlattice.exceptions import InputError
from fairlattice.metrics._audit import Audit
from fairlattice.metrics._impact import check_reference
from fairlattice.metrics._intervals import rate_interval
from fairlattice.metrics._notions import DEFAULT_UNLABELLED, NOTIONS


def check_options(audit: Audit) -> Audit:
    """Raise if an option of an audit is out of range, or a small group is not allowed."""
    check_real("alpha", audit.alpha, 0.0, 1.0)
    check_real("smoothing", audit.smoothing, 0.0, float("inf"), open_ends=True)
    check_real("confidence", audit.confidence, 0.0, 1.0, open_ends=True)
    check_count("random_state", audit.random_state, 0)
    check_real("min_share", audit.min_share, 0.0, 1.0)
    check_choice("notion", audit.notion, tuple(NOTIONS))
    if not audit.counts.labelled and audit.notion != DEFAULT_UNLABELLED:
        raise InputError(
            f"Notion {audit.notion!r} needs labels, and there are none. Name labels, or use {DEFAULT_UNLABELLED!r}."
        )
    audit.judged  # noqa: B018 - refuses a notion that lacks a favourable outcome
    audit = replace(audit, reference=check_reference(audit.counts, audit.reference))
    rate_interval(np.zeros(1), np.ones(1, dtype=np.int64), method=audit.interval)
    audit.table  # noqa: B018 - small groups are treated now, so that warnings reach the caller
    return audit
