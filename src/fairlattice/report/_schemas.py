"""The JSON of every kind of result as types, from which the JSON Schemas of the documentation are made.

Keys may be added within a version; a key that is removed or changes its meaning makes a new version.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Level = str | float | bool | None
Group = dict[str, Level]
Number = float | None
Answer = Literal["yes", "no", "not enough data", "not seen"]


class Spread(TypedDict):
    value: float
    low: float
    high: float


class Interval(TypedDict):
    median: float
    low: float
    high: float


class Estimate(TypedDict):
    mean: float
    se: Number


class Attribute(TypedDict):
    name: str
    levels: list[Level]
    cuts: list[float]


class EmptyGroups(TypedDict):
    n: int
    first: list[Group]


class Needed(TypedDict):
    low: int
    high: int
    difference: float


class GroupRate(TypedDict):
    group: Group
    n: float
    rate: Number
    low: float
    high: float


class Data(TypedDict):
    """What the data are called, and what was assumed of them."""

    name: str
    rows: int
    label: str | None
    dropped: NotRequired[list[str]]
    assumed: NotRequired[list[str]]
    sha256: NotRequired[str | None]
    features: NotRequired[list[str]]
    classes: NotRequired[list[Level]]
    positive: NotRequired[Level]
    prediction: NotRequired[str]
    positive_prediction: NotRequired[Level]
    favourable: NotRequired[Level]
    baseline: NotRequired[str | None]
    date: NotRequired[str]


class Verdict(TypedDict):
    """The answer to a question, and the same in words."""

    question: str
    verdict: str
    sentence: str


class AuditVerdict(TypedDict):
    """The answer to a question of an audit, with its figures."""

    question: Literal["worse_off", "four_fifths", "harm", "leveling_down"]
    verdict: Answer
    sentence: str
    rate: str | None
    group: Group | None
    n: float
    rows: float
    other_n: float
    value: Number
    other: Number
    against: Group | None
    estimate: Number
    low: Number
    high: Number
    count: int
    looked_at: int
    limit: float
    needed: Needed | None


class Disparity(TypedDict):
    """DF or IF: as counted, corrected for small groups, with interval and p-value."""

    value: float
    low: float
    high: float
    corrected: float
    p_value: float


class Extreme(TypedDict):
    """The worst-off or best-off group."""

    value: float
    low: float
    high: float
    group: Group


class AuditGroup(TypedDict):
    """A group's rate, the best guess at it, and how likely it is the lowest of all."""

    group: Group
    n: float
    rate: Number
    low: float
    high: float
    pooled: dict[str, float] | None
    probability_worst: Number


Unfairness = TypedDict("Unfairness", {"df": Disparity | None, "if": Disparity | None})
Measure = TypedDict(
    "Measure",
    {
        "df": Disparity | None, "if": Disparity | None, "worst": Extreme | None, "best": Extreme | None,
        "by_group": list[AuditGroup], "undefined": list[Group],
    },
)  # fmt: skip


class ImpactRatio(TypedDict):
    """A group's selection rate as a share of that of those it is compared with."""

    group: Group
    n: float
    rate: Number
    against: Group | None
    other_n: float
    other_rate: Number
    ratio: Number
    low: float
    high: Number
    verdict: Answer


class ImpactRatios(TypedDict):
    """The ratios of all groups."""

    rate: str
    reference: str | Group
    by_group: list[ImpactRatio]


class Changed(TypedDict):
    """A group's rate before and after."""

    group: Group
    measure: str
    before: float
    after: float
    difference: Spread
    lost: bool
    gained: bool
    n: float
    needed: Needed | None


class Harm(TypedDict):
    verdict: Answer
    tolerance: float
    groups: list[Changed]


class Leveling(TypedDict):
    verdict: Answer
    by_rate: dict[str, Answer]
    groups: list[Changed]


class Coarser(TypedDict):
    complete: bool
    by_rate: dict[str, list[GroupRate]]


class Gate(TypedDict):
    """A gate: the figure it is about, its limit, and whom it names."""

    gate: str
    fell: bool
    found: Number
    limit: Number
    message: str
    groups: list[dict[str, Any]]


class AuditJSON(TypedDict):
    schema: Literal["fairlattice/audit/2"]
    data: Data
    settings: dict[str, Any]
    versions: dict[str, str]
    attributes: list[Attribute]
    n: int
    excluded: int
    weighted: bool
    labelled: bool
    judged: list[str]
    verdicts: list[AuditVerdict]
    impact_ratios: ImpactRatios | None
    accuracy: Number
    balanced_accuracy: Number
    measures: dict[str, Measure]
    notions: dict[str, Unfairness]
    pairs: list[dict[str, Any]]
    levels: dict[str, list[GroupRate]]
    worse_off: list[dict[str, Any]]
    claims: list[dict[str, Any]]
    coarser: Coarser
    small_groups: list[dict[str, Any]]
    empty_groups: EmptyGroups
    harm: NotRequired[Harm]
    leveling_down: NotRequired[Leveling]
    scores: NotRequired[list[dict[str, Any]]]
    series: NotRequired[dict[str, Any]]
    gates: NotRequired[list[Gate]]


class Price(TypedDict):
    """A figure under no strategy and under the one recommended."""

    before: Number
    after: float
    difference: float
    low: float
    high: float


class Recommendation(TypedDict):
    """Which strategy to take, and at what price."""

    verdict: Literal["take", "keep", "not enough data"]
    strategy: str
    simplest: str | None
    considered: str | None
    probability_fairer: Number
    probability_best: Number
    price: dict[Literal["accuracy", "balanced_accuracy", "selection_rate"], Price]
    reasons: list[str]
    advice: list[str]
    python: str


class Gap(TypedDict):
    """A figure of a strategy minus that of a baseline."""

    median: float
    low: float
    high: float
    probability_better: float
    mark: Literal["better", "worse"] | None


class Shift(TypedDict):
    """A group's rate that changed beyond noise."""

    group: Group
    rate: str
    people: int
    before: float
    after: float
    difference: float
    low: float
    high: float


class Shifts(TypedDict):
    fell: list[Shift]
    rose: list[Shift]


Levels = TypedDict("Levels", {"if": Interval, "df": Interval, "worst": Interval, "best": Interval})


class Leveled(TypedDict):
    verdict: Answer | None
    by_rate: dict[str, Any]
    probability: dict[str, float]


class Threshold(TypedDict):
    """A group's score threshold with its interval, and its rows of the negative and the positive label."""

    group: Group
    rows: list[int]
    threshold: float
    low: float
    high: float


class Strategy(TypedDict):
    """A strategy: levels, differences, price and harm."""

    name: str
    about: str
    makes_rows: bool
    needs_groups: bool
    default: bool
    ablations: list[str]
    balanced_accuracy: Estimate
    accuracy: Estimate
    selection_rate: Estimate
    calibration: dict[str, Number] | None
    estimates: dict[str, Levels]
    by_group: dict[str, list[GroupRate]]
    differences: dict[str, dict[str, Gap]]
    leveling_down: Leveled
    harm: Shifts
    raw: dict[str, Any]
    thresholds: NotRequired[list[Threshold]]


class CompareJSON(TypedDict):
    """A comparison of strategies."""

    schema: Literal["fairlattice/compare/2"]
    data: Data
    settings: dict[str, Any]
    versions: dict[str, str]
    attributes: list[Attribute]
    notes: list[str]
    empty_groups: EmptyGroups
    base_rate: float
    recommendation: Recommendation
    strategies: list[Strategy]
    verdicts: list[Verdict]


class Distance(TypedDict):
    """The MMD of two sets of rows: squared, in standard deviations of chance, and its p-values."""

    mmd2: float
    effect: float
    null_high: float
    p_value: float
    p_adjusted: Number


class Source(TypedDict):
    """How far the rows of a source are from held-out ones, and what they copy."""

    n: int
    classifiers: dict[str, dict[str, Number]]
    mmd: Distance
    precision: Number
    recall: Number
    density: Number
    coverage: Number
    marginals: dict[str, Any]
    pairwise: dict[str, Any] | None
    memory: dict[str, Any] | None


class DiagnosedCell(TypedDict):
    """A group and a label: how far the rows of every source are from real ones, and whether its parents resemble it."""

    group: Group
    label: Level
    n_train: int
    n_held_out: int
    sources: dict[str, Source | None]
    why: str | None
    pictures: list[dict[str, Any]]
    assumption: dict[str, Any] | None


class Overall(TypedDict):
    """All cells together."""

    n_train: int
    n_held_out: int
    sources: dict[str, Source | None]


class DiagnoseJSON(TypedDict):
    """A diagnosis of synthetic rows."""

    schema: Literal["fairlattice/diagnose/2"]
    data: Data
    settings: dict[str, Any]
    versions: dict[str, str]
    attributes: list[Attribute]
    overall: Overall
    cells: list[DiagnosedCell]
    copies: list[dict[str, Any]]
    caveats: list[str]
    verdicts: list[Verdict]
    noise: NotRequired[list[dict[str, Any]]]
    drift: NotRequired[dict[str, Any]]


class Method(TypedDict):
    """A method: figures, differences, harm, and what its runs chose and cost."""

    name: str
    method: str
    strategy: str
    about: str
    rows: str
    baseline: str
    balanced_accuracy: Estimate
    measures: dict[str, dict[str, Any]]
    equalized_odds: dict[str, Estimate]
    differences: dict[str, dict[str, Any]]
    leveling_down: Leveled
    harm: Shifts
    raw: dict[str, Any]
    chosen: list[dict[str, Any]]
    seconds: dict[str, float]
    remarks: list[str]
    pareto: list[str]


class BenchTable(TypedDict):
    """The methods on one data set and number of attributes."""

    data: dict[str, Any]
    attributes: list[Attribute]
    settings: dict[str, Any]
    seeds: int
    methods: list[Method]
    unfinished: dict[str, int]
    failed: list[dict[str, Any]]
    fidelity: dict[str, dict[str, Estimate | None]]


class BenchJSON(TypedDict):
    """Experiments."""

    schema: Literal["fairlattice/bench/2"]
    versions: dict[str, str]
    notes: list[str]
    seconds: dict[str, float]
    tables: list[BenchTable]
    verdicts: list[Verdict]


class Cell(TypedDict):
    group: Group
    label: Level
    original: int
    synthetic: int


class AugmentJSON(TypedDict):
    """What an augmentation did."""

    schema: Literal["fairlattice/augment/2"]
    data: Data
    settings: dict[str, Any]
    attributes: list[Attribute]
    cells: list[Cell]
    notes: list[str]
    verdicts: list[Verdict]


class GateJSON(TypedDict):
    """What became of the gates of an audit."""

    schema: Literal["fairlattice/gate/1"]
    name: str
    passed: bool
    gates: list[Gate]


ALL = (AuditJSON, AugmentJSON, BenchJSON, CompareJSON, DiagnoseJSON, GateJSON)
