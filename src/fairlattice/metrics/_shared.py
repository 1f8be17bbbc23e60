"""Names for other packages of the library, not public."""

from fairlattice.groups._shared import find_positive
from fairlattice.metrics._claims import FOUR_FIFTHS, UNSURE
from fairlattice.metrics._design import Design
from fairlattice.metrics._distinct import distinct_rows
from fairlattice.metrics._extreme_groups import smoothed_extreme
from fairlattice.metrics._fairness import alpha_measure, log_ratio
from fairlattice.metrics._figures import parse_figure
from fairlattice.metrics._notions import DEFAULT_NOTION, NOTIONS
from fairlattice.metrics._one_rate import compute_ahead
from fairlattice.metrics._pooling import draw_priors
from fairlattice.metrics._rate_columns import RateColumns, columns_of, pooled_columns
from fairlattice.metrics._rates import RATES
from fairlattice.metrics._sentences import (
    Style,
    assumed_sentence,
    is_favour,
    needed_words,
    notion_words,
    percent,
    rate_phrases,
    verdict_sentence,
)

__all__ = [
    "DEFAULT_NOTION",
    "FOUR_FIFTHS",
    "NOTIONS",
    "RATES",
    "UNSURE",
    "Design",
    "RateColumns",
    "Style",
    "alpha_measure",
    "assumed_sentence",
    "columns_of",
    "compute_ahead",
    "distinct_rows",
    "draw_priors",
    "find_positive",
    "is_favour",
    "log_ratio",
    "needed_words",
    "notion_words",
    "parse_figure",
    "percent",
    "pooled_columns",
    "rate_phrases",
    "smoothed_extreme",
    "verdict_sentence",
]
