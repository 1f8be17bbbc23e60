"""One rate of an audit; each of its figures is computed once, in threads if there are many groups."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fairlattice.exceptions import UndefinedRateError
from fairlattice.metrics._attribution import LevelGaps, level_gaps
from fairlattice.metrics._fairness import Extremes, extremes_of
from fairlattice.metrics._homogeneity import homogeneity_test
from fairlattice.metrics._pooling import PooledRates, pooled_rates
from fairlattice.metrics._rates import Rates

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit

_MANY = 2_000  # groups from which on arrays are long enough for threads to run in parallel
_MOST_THREADS = 4  # each holds the draws of one rate in memory


@dataclass(frozen=True, eq=False)
class OneRate:
    """One rate of an audit's groups; what takes time is computed when it is first asked for."""

    audit: Audit
    name: str

    @cached_property
    def rates(self) -> Rates:
        """Of the groups compared."""
        return self.audit._rates_of(self.audit.table.layers, self.name)

    @cached_property
    def p_value(self) -> float:
        """Of no disparity among the leaves: merged groups would count rows twice."""
        return homogeneity_test(self.audit._rates_of(self.audit.counts.layers, self.name))

    @cached_property
    def level_gaps(self) -> LevelGaps | None:
        """Every group of every level against everyone else."""
        return self._level_gaps()

    @cached_property
    def pooled(self) -> PooledRates:
        """Shrunk towards their ancestors."""
        return self._pooled()

    def _level_gaps(self) -> LevelGaps | None:
        audit = self.audit
        return level_gaps(audit._levels, audit.counts.classes, self.name, audit.positive, audit.confidence)

    def _pooled(self) -> PooledRates:
        audit = self.audit
        return pooled_rates(
            self.rates, audit._design, confidence=audit.confidence, random_state=audit.random_state
        )

    @cached_property
    def extremes(self) -> Extremes:
        """The lowest and the highest rate of the groups that define it, in every draw."""
        return extremes_of(self.pooled.draws[:, self.rates.defined])


def compute_ahead(audit: Audit, rates: Sequence[str]) -> None:
    """For an audit of many groups, compute the slowest figures of `rates` and of the audit's own rates in threads.

    Every rate has a separate random stream, so threads do not change the result.
    """
    if len(audit.groups) < _MANY:
        return
    # Compute what the threads share before they start. They call plain methods, because a cached property may hold a
    # lock that lets only one thread run.
    _ = audit._design, audit._levels
    one_rates = {name: audit._one_rate(name) for name in [*audit.judged, *rates]}
    wanted: list[tuple[OneRate, str, Callable[[], Any]]] = [
        *((one, "pooled", one._pooled) for one in one_rates.values()),
        *((one_rates[name], "level_gaps", one_rates[name]._level_gaps) for name in audit.judged),
    ]
    wanted = [(one, key, compute) for one, key, compute in wanted if key not in vars(one)]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
        found: list[Future[Any]] = [pool.submit(compute) for _, _, compute in wanted]
    for (one, key, _), future in zip(wanted, found, strict=True):
        if not isinstance(future.exception(), UndefinedRateError):  # raised again when the rate is used
            vars(one)[key] = future.result()
