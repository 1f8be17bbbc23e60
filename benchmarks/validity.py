"""How far intervals, tests and corrections keep their word, by simulation on group sizes of a real table.

python benchmarks/validity.py --data-dir FOLDER [--quick] [--only SECTION ...] [--out docs/evidence/statistics.md]

FOLDER holds acs/ACSIncome.validation.parquet. Every section is written as soon as it is done; `--only` runs
some and leaves the others in the file as they are, so an interrupted run can be taken up again. `--quick`
has a tenth of the replicates.
"""

import argparse
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import bdtr, betainc, expit, logit
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fairlattice as fl
from fairlattice.groups import GroupCounts, PairedCounts
from fairlattice.metrics import Rates, audit_series, homogeneity_test, partial_pooling
from fairlattice.metrics._fairness import alpha_measure, disparity, log_ratio
from fairlattice.metrics._intervals import INTERVALS, rate_interval
from fairlattice.metrics._shared import simultaneous_confidence

SEED = 20250101
TOTALS = (6_000, 60_000)
ROWS = (1, 2, 3, 5, 6, 10, 20, 50, 100, 1000)
REPLICATES = {"tpr": (300, 150), "accuracy": (100, 40)}  # of disparities; the second for 720 groups
MEASURES = {"DF": log_ratio, "IF0.5": alpha_measure(0.5)}
HEAD = """# Do the statistics hold?

Written by `python benchmarks/validity.py --data-dir FOLDER`, which needs the ACSIncome table only. A
logistic model trained on 6,000 rows predicts for the others; their labels and predictions, by race, sex, age,
schooling, class of worker and marital status, give lattices of 4, 16, 54, 81 and 720 groups with the sizes
that groups really have. "Groups" below counts those with at least one trial. Where something is simulated,
its Monte-Carlo standard error follows the ±. Intervals are nominal 95 % throughout, tests nominal 5 %.
"""


class Acs:
    """The table's groups, labels and predictions."""

    def __init__(self, folder):
        frame = pl.read_parquet(folder / "acs" / "ACSIncome.validation.parquet")
        rng = np.random.default_rng(SEED)
        order = rng.permutation(len(frame))
        features = frame.select("AGEP", "SCHL", "WKHP", "COW", "MAR", "RELP", "OCCP").to_numpy().astype(float)
        label = frame["PINCP"].to_numpy()
        train, rest = order[:6000], order[6000:]
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features[train], label[train])
        self.label, self.predicted = label[rest], model.predict(features[rest])
        column = {name: frame[name].to_numpy()[rest].astype(int) for name in frame.columns}

        def cut(name, at):
            return np.searchsorted(at, column[name], side="right")

        race, sex = (column["RAC1P"], 9), (column["SEX"] - 1, 2)
        age = (cut("AGEP", [25, 45]), 3)
        self.attributes = {
            4: {"sex": sex, "age": (cut("AGEP", [45]), 2)},
            16: {
                "sex": sex,
                "race": (np.minimum(column["RAC1P"], 1), 2),
                "age": (cut("AGEP", [25, 35, 50]), 4),
            },
            54: {"race": race, "sex": sex, "age": age},
            81: {"race": race, "age": age, "school": (cut("SCHL", [16, 21]), 3)},
            720: {
                "race": race,
                "sex": sex,
                "work": (column["COW"] - 1, 8),
                "married": (column["MAR"] - 1, 5),
            },
        }

    def __len__(self):
        return len(self.label)

    def lattice(self, size):
        """All groups of a lattice, and which one each row is in."""
        named = self.attributes[size]
        shape = tuple(levels for _, levels in named.values())
        groups = [dict(zip(named, map(int, place), strict=True)) for place in np.ndindex(shape)]
        return groups, np.ravel_multi_index([codes for codes, _ in named.values()], shape)

    def rates(self, size, rate, rows=slice(None)):
        """Successes and trials of every group, and the groups."""
        groups, code = self.lattice(size)
        about = self.label[rows] == 1 if rate == "tpr" else np.ones(len(self.label[rows]), dtype=bool)
        right = about & (self.label[rows] == self.predicted[rows])
        count = (np.bincount(code[rows][some], minlength=len(groups)) for some in (right, about))
        return Rates(*count), groups

    def sizes(self, size, rate, total):
        """Trials of every group in a sample of `total` rows, and where there are any."""
        trials = np.rint(self.rates(size, rate)[0].trials * total / len(self)).astype(int)
        return trials, np.flatnonzero(trials > 0)


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def percent(share, digits=1):
    return f"{100 * share:.{digits}f} %"


def share_of(hits):
    """A share in percent with its standard error; of none or all, one over the replicates."""
    p, n = float(np.mean(hits)), len(hits)
    return f"{100 * p:.1f} ± {100 * max(np.sqrt(p * (1 - p) / n), 1 / n):.1f} %"


def mean_of(values, digits=3):
    return f"{np.mean(values):+.{digits}f} ± {np.std(values) / np.sqrt(len(values)):.{digits}f}"


def figures(rows, *columns):
    """The numbers that the cells of these columns begin with."""
    return [float(row[c].split()[0]) for row in rows for c in columns]


def covering(n, confidence, method, rates):
    """Exact coverage of one interval of n trials at each of several rates."""
    low, high = rate_interval(np.arange(n + 1), np.full(n + 1, n), confidence=confidence, method=method)
    first, last = np.searchsorted(high, rates), np.searchsorted(low, rates, side="right") - 1
    below = np.where(first > 0, bdtr(np.maximum(first - 1, 0), n, rates), 0.0)
    return np.maximum(bdtr(last, n, rates) - below, 0.0)


def intervals(*_):
    coverage = {method: np.empty(1000) for method in INTERVALS}
    for n in range(1, 1001):
        k = np.arange(n + 1)
        for method in INTERVALS:
            low, high = rate_interval(k, np.full(n + 1, n), method=method)
            inside = betainc(k + 1, n - k + 1, high) - betainc(k + 1, n - k + 1, low)
            coverage[method][n - 1] = inside.sum() / (n + 1)
    rows = [[n, *(percent(c[n - 1], 2) for c in coverage.values())] for n in ROWS]
    rows.append(
        ["least of 1–1,000", *(f"{percent(c.min(), 2)} (n = {c.argmin() + 1})" for c in coverage.values())]
    )
    n, p = 6, 0.8
    k = np.arange(n + 1)
    low, high = (binom.ppf(q, n, k / n) / n for q in (0.025, 0.975))
    bootstrap = binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum()
    lowest = {
        m: min(covering(n, 0.95, m, np.linspace(0.001, 0.999, 999)).min() for n in ROWS) for m in INTERVALS
    }
    single = ", ".join(f"{m} {percent(covering(n, 0.95, m, np.array([p]))[0])}" for m in INTERVALS)
    return f"""Coverage of a single rate's interval, averaged over all rates from 0 to 1 alike. Exact, not
simulated. No interval holds 95 % for every single rate but Clopper and Pearson's; the least over rates in
steps of 0.001 and the n of this table is {", ".join(f"{percent(v)} ({m})" for m, v in lowest.items())}.

{table(["n", *INTERVALS], rows)}

Six rows and a true rate of 0.8, exactly: {single};
percentile bootstrap {percent(bootstrap)}. The bootstrap gives an interval of no width whenever all six
succeed, which happens in {percent(p**n)} of samples.
"""


def simultaneous(acs, quick):
    draws, rows = 20 if quick else 200, []
    for size in (4, 16, 81, 720):
        full, groups = acs.rates(size, "tpr")
        truths = partial_pooling(full, groups, draws=draws, random_state=SEED).draws
        for total in TOTALS:
            trials, place = acs.sizes(size, "tpr", total)
            each, cells = simultaneous_confidence(0.95, len(place)), []
            for method in INTERVALS:
                log = np.zeros(draws)
                for g in place.tolist():
                    log += np.log(covering(int(trials[g]), each, method, truths[:, g]))
                family = np.exp(log)
                cells.append(f"{100 * family.mean():.1f} ± {100 * family.std() / np.sqrt(draws):.1f} %")
                cells += [percent(np.quantile(family, 0.05))] if method == "jeffreys" else []
            rows.append([size, f"{total:,}", len(place), int(np.median(trials[place])), *cells])
    head = [
        "lattice",
        "rows",
        "groups",
        "median trials",
        "jeffreys",
        "5th percentile",
        "wilson",
        "clopper-pearson",
    ]
    return f"""How often the intervals of all groups hold their true rates at once (Šidák; TPR). The
coverage at given rates is exact; it is averaged over {draws} draws of the groups' true rates from their
posterior on the whole table, and the ± and the 5th percentile are over these draws (seed {SEED}).
The least: {min(figures(rows, 4))} % (jeffreys), {min(figures(rows, 6))} % (wilson, whose tails are too short
for the high confidence that each of many intervals needs), {min(figures(rows, 7))} % (clopper-pearson).

{table(head, rows)}
"""


def truths_of(name, model, rng, replicates):
    """True rates of all groups, one row per replicate."""
    if name == "posterior":
        return model["draws"]
    if name == "all equal":
        return np.full((replicates, len(model["predicted"])), model["all"])
    tails = rng.standard_t(3, (replicates, len(model["predicted"])))
    return expit(logit(model["predicted"]) + 0.25 * tails)


def one_disparity(rng, truth, trials, groups):
    rates = Rates(rng.binomial(trials, truth), trials)
    pooled = partial_pooling(rates, groups)  # the draws that differential_fairness(groups=...) makes
    p_value = homogeneity_test(rates)
    out = {"groups": ((pooled.low <= truth) & (truth <= pooled.high)).mean()}
    for name, measure in MEASURES.items():
        true = float(measure(truth.min(), truth.max()))
        found = disparity(rates, measure, pooled.draws, smoothing=0.5, confidence=0.95, p_value=p_value)
        out[name] = (
            found.low <= true + 1e-9,
            true <= found.high + 1e-9,
            found.value - true,
            found.corrected - true,
            true,
        )
        out["p"] = found.p_value < 0.05
    return out


def check_draws(acs):
    """What `one_disparity` computes is what the public functions do."""
    rates, groups = acs.rates(4, "tpr")
    draws = partial_pooling(rates, groups).draws
    p = homogeneity_test(rates)
    ours = [disparity(rates, m, draws, smoothing=0.5, confidence=0.95, p_value=p) for m in MEASURES.values()]
    assert ours == [
        fl.differential_fairness(rates, groups=groups),
        fl.alpha_intersectional(rates, groups=groups, alpha=0.5),
    ]


def disparities(rate):
    def section(acs, quick):
        check_draws(acs)
        rng, rows, short, rejected = np.random.default_rng(SEED), {m: [] for m in MEASURES}, {}, []
        for size in (4, 16, 81, 720):
            replicates = REPLICATES[rate][size == 720] // (10 if quick else 1)
            full, groups = acs.rates(size, rate)
            fit = partial_pooling(full, groups, draws=replicates, random_state=SEED)
            model = {
                "draws": rng.permutation(fit.draws),
                "predicted": fit.predicted,
                "all": full.successes.sum() / full.trials.sum(),
            }
            for total in TOTALS:
                trials, place = acs.sizes(size, rate, total)
                some = [groups[i] for i in place.tolist()]
                for name in ("posterior", "all equal", "heavy tails"):
                    truths = truths_of(name, model, rng, replicates)[:, place]
                    runs = [one_disparity(rng, t, trials[place], some) for t in truths]
                    label = [len(place), f"{total:,}", name]
                    for m in MEASURES:
                        low, high, value, corrected, true = np.array([r[m] for r in runs], dtype=float).T
                        inside = low * high
                        rows[m].append(
                            [
                                *label,
                                f"{true.mean():.3f}",
                                share_of(inside),
                                percent(1 - low.mean()),
                                percent(1 - high.mean()),
                                mean_of(value),
                                mean_of(corrected),
                            ]
                        )
                        p = inside.mean()
                        if p < 0.935:
                            noise = p + 2 * np.sqrt(p * (1 - p) / replicates) > 0.95
                            case = f"{len(place)} groups, {total:,} rows, {name}"
                            short.setdefault(case, []).append(
                                f"{m} {percent(p)}" + " (within noise of 95 %)" * bool(noise)
                            )
                    rejected.append(
                        [
                            *label,
                            share_of([r["p"] for r in runs]),
                            percent(np.mean([r["groups"] for r in runs])),
                        ]
                    )
                print(rate, size, total, flush=True)
        told = "\n".join(f"- {case}: {', '.join(cells)}" for case, cells in short.items()) or "- nowhere"
        head = [
            "groups",
            "rows",
            "true rates",
            "mean true value",
            "coverage",
            "truth below",
            "truth above",
            "bias of value",
            "bias of corrected",
        ]
        tables = "\n\n".join(f"{m}:\n\n{table(head, rows[m])}" for m in MEASURES)
        name_of = "TPR" if rate == "tpr" else rate
        few, fewer = (n // (10 if quick else 1) for n in REPLICATES[rate])
        return f"""Disparities of the {name_of}: how often `low` to `high` holds the true disparity, and how
far `value` and `corrected` lie from it on average. True rates are drawn anew in each replicate: near
the table's own, from their posterior on the whole table ("posterior"); all equal; or as the levels predict
plus deviations with heavy tails, Student's t with 3 degrees of freedom times 0.25 on the logit scale, for
which the model of partial pooling is wrong. {few} replicates, {fewer} for
the 720-group lattice; seed {SEED}.

**Coverage below 93.5 %:**

{told}

{tables}

The share of p-values below 0.05 (where all rates are equal, the type I error), and how many of the groups'
own pooled intervals hold their true rate:

{table(["groups", "rows", "true rates", "p < 0.05", "pooled intervals"], rejected)}
"""

    return section


def homogeneity(acs, quick):
    replicates, rng, rows = 1000 if quick else 10_000, np.random.default_rng(SEED), []
    for rate in ("tpr", "accuracy"):
        for size in (4, 16, 81, 720):
            full, _ = acs.rates(size, rate)
            overall = full.successes.sum() / full.trials.sum()
            for total in TOTALS:
                trials, place = acs.sizes(size, rate, total)
                n, cells = trials[place], []
                for truth in (overall, 0.02):
                    p = [homogeneity_test(Rates(s, n)) for s in rng.binomial(n, truth, (replicates, len(n)))]
                    cells += [share_of(np.array(p) < 0.05), share_of(np.array(p) < 0.01)]
                rows.append([rate, len(n), f"{total:,}", int(np.median(n)), f"{overall:.2f}", *cells])
    head = ["sizes of", "groups", "rows", "median trials", "rate", "p < 0.05", "p < 0.01"]
    return f"""Type I error of `homogeneity_test`: how often it rejects when all groups have the same rate,
the pooled one of the table or a rare 0.02. {replicates:,} replicates each, seed {SEED}.
The highest: {max(figures(rows, 5, 7))} % at a nominal 5 %, {max(figures(rows, 6, 8))} % at 1 %.

{table([*head, "at 0.02: p < 0.05", "p < 0.01"], rows)}
"""


BINS = {"0": (0, 0), "1–5": (1, 5), "6–20": (6, 20), "21–100": (21, 100), "> 100": (101, 10**9)}


def errors(sample, groups, rest):
    """Squared errors of each estimate, by size of group."""
    s, n = sample.successes, sample.trials
    sure = rest.trials >= 200
    estimates = {
        "raw": sample.raw,
        "Laplace": (s + 1) / (n + 2),
        "smoothed": (s + 0.5) / (n + 1),
        "everyone's": np.full(len(n), s.sum() / n.sum()),
        "pooled": partial_pooling(sample, groups).mean,
    }
    truth = rest.successes / np.maximum(rest.trials, 1)
    return {
        (b, e): (guess - truth)[sure & (n >= low) & (n <= high)] ** 2
        for b, (low, high) in BINS.items()
        for e, guess in estimates.items()
    }


def root_mean_square(found, key):
    """Over samples, with the jackknife's standard error."""
    sums = np.array([(f[key].sum(), len(f[key])) for f in found])
    if not sums[:, 1].any() or np.isnan(sums[:, 0]).any():
        return "–"
    total = sums.sum(axis=0)
    without = total - sums
    left = np.sqrt(without[:, 0] / np.maximum(without[:, 1], 1))
    error = np.sqrt((len(left) - 1) * ((left - left.mean()) ** 2).mean())
    return f"{np.sqrt(total[0] / total[1]):.3f} ± {error:.3f}"


def pooling(acs, quick):
    samples, rng, rows = 4 if quick else 20, np.random.default_rng(SEED), []
    picks = [rng.permutation(len(acs)) for _ in range(samples)]
    for rate in ("tpr", "accuracy"):
        for size in (54, 81, 720):
            found = []
            for order in picks:
                sample, groups = acs.rates(size, rate, order[:6000])
                found.append(errors(sample, groups, acs.rates(size, rate, order[6000:])[0]))
            for b in BINS:
                count = sum(len(f[b, "pooled"]) for f in found)
                if count:
                    cells = (
                        root_mean_square(found, (b, e))
                        for e in ("raw", "Laplace", "smoothed", "everyone's", "pooled")
                    )
                    rows.append([rate, size, b, f"{count / samples:.0f}", *cells])
        print("pooling", rate, flush=True)
    best = sum(min(c for c in row[4:] if c != "–") == row[-1] for row in rows)
    head = ["rate", "lattice", "trials in the sample", "such groups", "raw", "(s+1)/(n+2)", "(s+½)/(n+1)"]
    return f"""Root mean squared error of a group's rate from 6,000 random rows, against its rate in the other
{len(acs) - 6000:,} (groups with at least 200 trials there). {samples} random samples, seed {SEED}; ± is the
jackknife's over samples. "Everyone's" gives each group the rate of all rows; "pooled" is the mean of
`partial_pooling`. It has the least error in {best} of {len(rows)} rows.

{table([*head, "everyone's", "pooled"], rows)}
"""


class Pairs:
    """Pairs of models on positives of several groups; counts are filled in anew for each replicate."""

    def __init__(self, trials):
        m = len(trials)
        code = np.repeat(np.arange(m), 4)
        old, new = np.tile([1, 1, 0, 0], m), np.tile([1, 0, 1, 0], m)
        made = PairedCounts.from_arrays(
            [1] * (4 * m) + [0], [*old, 0], [*new, 0], sensitive_features={"g": [*code, 0]}
        )
        keep = made.truth == 1
        self.counts = replace(
            made, **{k: getattr(made, k)[keep] for k in ("codes", "truth", "old", "new", "rows")}
        )
        self.trials, self.place = trials, (self.counts.codes, 3 - 2 * self.counts.old - self.counts.new)

    def judged(self, rng, lost, gained, base=0.8):
        """`lost` and `gained` are shares of all rows that only one of the models gets right."""
        lost, gained = np.broadcast_to(lost, len(self.trials)), np.broadcast_to(gained, len(self.trials))
        shares = np.column_stack([base - lost, lost, gained, 1 - base - gained])
        drawn = rng.multinomial(self.trials, shares)
        return fl.leveling_down(replace(self.counts, rows=drawn[self.place]), measure="tpr")


def leveling(acs, quick):
    rng, tenth = np.random.default_rng(SEED), 10 if quick else 1
    cases = [(f"20 of {n:,}", np.full(20, n), q, 500) for n in (50, 200, 1000) for q in (0.01, 0.05)]
    for size in (16, 81):
        trials, place = acs.sizes(size, "tpr", 60_000)
        cases.append((f"ACS, {len(place)} groups", trials[place], 0.05, 200 if size == 81 else 400))
    alarms = []
    for name, trials, q, replicates in cases:
        pairs = Pairs(trials)
        found = [pairs.judged(rng, q, q) for _ in range(replicates // tenth)]
        hits = [bool(f.lost or f.gained) for f in found]
        alarms.append(
            [
                name,
                percent(2 * q, 0),
                share_of(hits),
                share_of([f.verdict == "yes" for f in found]),
                len(hits),
            ]
        )
    print("leveling, alarms", flush=True)
    power = []
    for n in (50, 200, 1000):
        pairs, cells = Pairs(np.full(20, n)), []
        for points in (0.02, 0.05, 0.10):
            lost = np.where(np.arange(20) == 0, 0.025 + points, 0.025)
            found = [pairs.judged(rng, lost, 0.025) for _ in range(200 // tenth)]
            cells.append(share_of([any(c.group["g"] == 0 for c in f.lost) for f in found]))
        power.append([f"{n:,}", *cells])
    return f"""False alarms of `leveling_down` when nothing changed: both models find the same share of
positives, and those that flip do so at random. An alarm is any group called lost or gained; the last share
counts verdicts of "yes". Seed {SEED}. The highest: {max(figures(alarms, 2))} %.

{table(["groups", "rows that flip", "any lost or gained", 'verdict "yes"', "replicates"], alarms)}

Power: how often a group is called lost that truly loses, among 20 of the same size, where 5 % of all rows
flip besides, half of them either way. {200 // tenth} replicates each.

{table(["positives per group", "loses 2 points", "5 points", "10 points"], power)}
"""


class Months:
    """Twelve periods of groups; counts are filled in anew for each replicate."""

    def __init__(self, groups):
        g, month, y, p = (
            a.ravel() for a in np.meshgrid(range(groups), range(12), [0, 1], [0, 1], indexing="ij")
        )
        self.counts = GroupCounts.from_arrays(y, p, sensitive_features={"g": g, "month": month})
        named = [self.counts.lattice.group(leaf) for leaf in self.counts.leaves]
        self.g, self.month = (np.array([leaf[key] for leaf in named]) for key in ("g", "month"))
        self.groups = groups

    def judged(self, rng, rows, right, measure):
        """`right` is the share of correct predictions of every leaf; half of all labels are positive."""
        shares = np.full(self.groups, 1 / self.groups)
        n = rng.multinomial(rows * self.groups, shares, size=12)[self.month, self.g]
        positive = rng.binomial(n, 0.5)
        tables = np.zeros((len(n), 2, 2), dtype=np.int64)
        for label, trials in ((0, n - positive), (1, positive)):
            tables[:, label, label] = rng.binomial(trials, right)
            tables[:, label, 1 - label] = trials - tables[:, label, label]
        return audit_series(replace(self.counts, table=tables), "month", measure=measure)


def series(_, quick):
    rng, tenth = np.random.default_rng(SEED), 10 if quick else 1
    alarms, power = [], []
    for groups, rows, measure, right, replicates in (
        (4, 1000, "equalized_odds", 0.9, 2000),
        (8, 300, "accuracy", 0.8, 500),
        (8, 300, "equalized_odds", 0.8, 500),
        (8, 300, "accuracy", 0.98, 500),
        (20, 50, "accuracy", 0.8, 500),
        (50, 20, "accuracy", 0.9, 500),
    ):
        made = Months(groups)
        found = [made.judged(rng, rows, right, measure) for _ in range(replicates // tenth)]
        kinds = [{c.kind for c in f.changes} for f in found]
        alarms.append(
            [
                groups, rows, measure, right, share_of([bool(k) for k in kinds]),
                *(share_of([kind in k for k in kinds]) for kind in ("composition", "rate", "fairness")),
            ]
        )  # fmt: skip
    print("series, alarms", flush=True)
    made = Months(8)
    for drop, base, measure in (
        (0.10, 0.9, "accuracy"),
        (0.10, 0.8, "accuracy"),
        (0.10, 0.8, "tpr"),
        (0.20, 0.8, "accuracy"),
        (0.05, 0.9, "accuracy"),
    ):
        right = np.where((made.g == 0) & (made.month >= 6), base - drop, base)
        first = []
        for _ in range(200 // tenth):
            changes = made.judged(rng, 300, right, measure).changes
            hits = [
                c.period for c in changes if c.kind == "fairness" and c.group == {"g": 0} and c.difference < 0
            ]
            first.append(min((h for h in hits if h >= 6), default=99))
        cells = (share_of(np.array(first) < until) for until in (7, 9, 12))
        power.append([measure, f"{base} to {base - drop:.2f}", *cells])
    head = ["groups", "rows each a month", "measure", "true rate", "any", "composition", "rate", "fairness"]
    return f"""False alarms of `audit_series` over 12 periods in which nothing changes: the share of series
with any change flagged, and with one of each kind. {2000 // tenth} replicates of the first row, {500 // tenth}
of the others, seed {SEED}.
The highest: {max(figures(alarms, 4))} %.

{table(head, alarms)}

How often a drop in one of eight groups of 300 rows a month is flagged as that group's, if it lasts from the
seventh month on. {200 // tenth} replicates each.

{table(["measure", "rate falls from", "in the first month", "within 3 months", "within 6"], power)}
"""


ALIKE, ODD = 0.8, 0.3


def odd(_, quick):
    replicates, rows = 50 if quick else 400, []
    groups = [{"g": i} for i in range(17)]
    truth = np.array([ALIKE] * 16 + [ODD])
    for sizes in ("100 each", "heavy-tailed"):
        for n in (3, 6, 10, 20):
            rng, covered, others, means, gaps = np.random.default_rng(SEED), [], [], [], []
            for seed in range(replicates):
                trials = np.full(17, 100)
                if sizes == "heavy-tailed":
                    trials[:16] = np.ceil(rng.lognormal(np.log(30), 1.5, 16))
                trials[16] = n
                rates = Rates(rng.binomial(trials, truth), trials)
                pooled = partial_pooling(rates, groups, random_state=seed)
                held = (pooled.low <= truth) & (truth <= pooled.high)
                covered.append(held[16])
                others.append(held[:16].mean())
                means.append(pooled.mean[16])
                found = disparity(
                    rates, MEASURES["IF0.5"], pooled.draws, smoothing=0.5, confidence=0.95, p_value=1.0
                )
                gaps.append(found.corrected)
            rows.append(
                [sizes, n, share_of(covered), percent(np.mean(others)), mean_of(means), mean_of(gaps)]
            )
    true_gap = float(MEASURES["IF0.5"](truth.min(), truth.max()))
    head = ["sizes of the sixteen", "rows of the odd one", "odd one covered", "others covered"]
    return f"""Sixteen groups with a rate of {ALIKE} and one with {ODD}, whose levels say nothing about it. Intervals
and means of `partial_pooling`, and IF0.5 corrected for small groups, whose true value is {true_gap:.2f}.
Heavy-tailed sizes are lognormal, median 30, σ 1.5. {replicates} replicates, seed {SEED}. Three rows cannot
tell that their group is odd.

{table([*head, "mean of the odd one", "corrected IF0.5"], rows)}
"""


def weighted(_, quick):
    replicates, rows = 50 if quick else 500, []
    truth = (0.98 * 0.97 + 0.02 * 10 * 0.5) / (0.98 + 0.02 * 10)
    for n in (1000, 2000, 4000, 8000):
        rng, covered, rejected = np.random.default_rng(SEED), [], []
        for _replicate in range(replicates):
            heavy = rng.random(n) < 0.02
            right = (rng.random(n) < np.where(heavy, 0.5, 0.97)).astype(int)
            found = fl.audit(
                np.ones(n, dtype=int),
                right,
                sensitive_features={"g": rng.integers(0, 4, n)},
                sample_weight=np.where(heavy, 10.0, 1.0),
                positive=1,
            )
            covered.append(np.mean([g.low <= truth <= g.high for g in found.by_group("tpr")]))
            rejected.append(found.disparity("tpr").p_value < 0.05)
        rows.append([f"{n // 4:,}", f"{n // 200:,}", percent(np.mean(covered)), share_of(rejected)])
    return f"""98 % of the rows have weight 1 and a rate of .97, 2 % have weight 10 and a rate of .5; four groups
alike. {replicates} replicates, seed {SEED}. By Kish's number alone three in four intervals
covered, and about half of the tests rejected.

{table(["rows of a group", "heavy ones", "intervals that cover", "no disparity rejected at 5 %"], rows)}
"""


SECTIONS = {
    "intervals": ("1. Intervals of a single rate", intervals),
    "simultaneous": ("2. Simultaneous intervals of all groups", simultaneous),
    "disparity-tpr": ("3a. Disparities of the TPR", disparities("tpr")),
    "disparity-accuracy": ("3b. Disparities of the accuracy", disparities("accuracy")),
    "homogeneity": ("4. Is there any disparity at all?", homogeneity),
    "pooling": ("5. Rates of tiny groups", pooling),
    "leveling": ("6. Leveling down", leveling),
    "series": ("7. Changes over time", series),
    "odd": ("8. One odd group among many alike", odd),
    "weighted": ("9. Weights that go with the outcome", weighted),
}


def write(out, title, text):
    """Put one section in its place and leave the others as they are."""
    old = out.read_text(encoding="utf-8") if out.is_file() else ""
    parts = dict(re.findall(r"^## ([^\n]+)\n\n(.*?)(?=^## |\Z)", old, re.MULTILINE | re.DOTALL))
    parts[title] = text
    body = [f"## {t}\n\n{parts[t].strip()}\n" for t, _ in SECTIONS.values() if t in parts]
    out.write_text("\n".join([HEAD, *body]), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("FAIRLATTICE_DATA"), required=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=tuple(SECTIONS), default=tuple(SECTIONS))
    parser.add_argument("--out", type=Path, default=Path("docs/evidence/statistics.md"))
    arguments = parser.parse_args()
    if arguments.data_dir is None:
        parser.error("name the folder of the tables with --data-dir or FAIRLATTICE_DATA")
    acs = Acs(Path(arguments.data_dir))
    for name in arguments.only:
        title, section = SECTIONS[name]
        write(arguments.out, title, section(acs, arguments.quick))
        print(f"{title}: written to {arguments.out}", flush=True)


if __name__ == "__main__":
    main()
