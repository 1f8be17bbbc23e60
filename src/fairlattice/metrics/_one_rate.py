"""What is computed once of each rate of an audit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fairlattice.metrics._attribution import LevelGaps, level_gaps
from fairlattice.metrics._fairness import Extremes, extremes_of
from fairlattice.metrics._homogeneity import homogeneity_test
from fairlattice.metrics._pooling import PooledRates, pooled_rates
from fairlattice.metrics._rates import Rates

if TYPE_CHECKING:
    from fairlattice.metrics._audit import Audit


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
        audit = self.audit
        return level_gaps(audit._levels, audit.counts.classes, self.name, audit.positive, audit.confidence)

    @cached_property
    def pooled(self) -> PooledRates:
        """Shrunk towards their ancestors."""
        audit = self.audit
        return pooled_rates(
            self.rates, audit._design, confidence=audit.confidence, random_state=audit.random_state
        )

    @cached_property
    def extremes(self) -> Extremes:
        """The lowest and the highest rate of the groups that define it, in every draw."""
        return extremes_of(self.pooled.draws[:, self.rates.defined])
