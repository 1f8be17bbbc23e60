"""How often the gate of harm falls where nothing changed, what it sees, and whether ratios keep their intervals.

python benchmarks/gates.py [--quick] [--out docs/evidence/gates.md]

Everything is simulated. `--quick` has a tenth of the replicates.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np

import fairlattice as fl
from fairlattice.groups import GroupCounts, GroupLattice, PairedCounts
from fairlattice.metrics import Audit

SEED = 20250301
LATTICES = {
    "2 × 2": (("f", "m"), ("a", "b")),
    "2 × 3 × 3": (("f", "m"), ("a", "b", "c"), ("<25", "25 to <45", ">=45")),
    "2 × 5 × 6": (("f", "m"), tuple("abcde"), tuple("uvwxyz")),
}
HEAD = """# Do the gates hold?

Written by `python benchmarks/gates.py`. Groups are as unequal as in a real table: each level of an attribute
has half as many people as the next. Labels are positive for 40 %; the baseline finds 80 % of the positives and
85 % of the negatives. Two models "differ on" a share of the rows: those whose predictions are not the same.
{replicates} replicates per row, seed {seed}; the Monte-Carlo standard error follows the ±.
"""


ALARMS = """How often some group's rate counts as fallen, though both models are equally right in every group. It
should be at most 5 %. The test has two sides, so falls alone are about half of that; it is exact, so less where few
rows differ. The last column compares counts of different people (`Audit.harm`)."""
ACCEPTED = """Every rate of every group falls by exactly the tolerance, which is accepted. It should be at most 5 %."""
POWER = """The TPR of one of 18 intersections falls, and nothing else changes; apart from that the models differ on 5
% of the rows. Equalized odds: 96 rates of groups of all levels are looked at together."""
RATIOS = """Whether the 95 % intervals of all groups' ratios hold at once, against the best-off group and against
everyone else, and how often a group at four fifths or above is called below it."""


class World:
    """People in groups, and two models' predictions of them."""

    def __init__(self, levels, n, rng):
        self.levels, self.rng = levels, rng
        S = {}
        for i, names in enumerate(levels):
            weight = 0.5 ** np.arange(len(names))[::-1]
            S[f"a{i}"] = rng.choice(np.array(names, dtype=object), n, p=weight / weight.sum())
        self.features = S
        self.y = (rng.random(n) < 0.4).astype(int)

    def models(self, differ, fall=0.0, where=None):
        """Both models' predictions; right and wrong change places so that rates stay, but where they fall."""
        right = np.where(self.y == 1, 0.8, 0.85)
        u = self.rng.random(len(self.y))
        before = u < right
        # Of those right, a share is lost; of those wrong, as many are gained.
        lose = differ / 2 / right + (fall / right if where is None else where * fall / right)
        gain = differ / 2 / (1 - right)
        v = self.rng.random(len(self.y))
        after = np.where(before, v >= lose, v < gain)
        return tuple(np.where(ok, self.y, 1 - self.y) for ok in (before, after))


def share(hits, of):
    """A share in percent with its standard error."""
    p = hits / of
    return f"{100 * p:.1f} ± {100 * np.sqrt(max(p * (1 - p), 1 / of / 4) / of):.1f} %"


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, r))} |" for r in rows)]) + "\n"


def false_alarms(replicates):
    """Nothing changed: how often does any group's rate count as fallen?"""
    rows = []
    for (name, levels), n, differ in product(LATTICES.items(), (1000, 10_000), (0.02, 0.2)):
        rng = np.random.default_rng([SEED, n, int(1000 * differ), len(levels)])
        hits = dict.fromkeys(("odds", "parity", "predictive", "apart"), 0)
        for _ in range(replicates):
            world = World(levels, n, rng)
            before, after = world.models(differ)
            pairs = PairedCounts.from_arrays(world.y, before, after, sensitive_features=world.features)
            hits["odds"] += fl.harm(pairs).verdict == "yes"
            hits["parity"] += fl.harm(pairs, measure="demographic_parity").verdict == "yes"
            hits["predictive"] += fl.harm(pairs, measure="predictive_parity").verdict == "yes"
            other = World(levels, n, rng)
            old = GroupCounts.from_arrays(other.y, other.models(differ)[0], sensitive_features=other.features)
            hits["apart"] += Audit(pairs.after, 1).harm(Audit(old, 1)).verdict == "yes"
        rows.append([name, f"{n:,}", f"{100 * differ:g} %", *(share(v, replicates) for v in hits.values())])
    head = ("lattice", "rows", "differ on", "equalized odds", "demographic parity", "predictive parity",
            "other rows, equalized odds")  # fmt: skip
    return table(head, rows)


def accepted(replicates):
    """Every group's rate fell by exactly the tolerance: how often does the gate fall?"""
    rows = []
    for (name, levels), tolerance in product(LATTICES.items(), (0.02, 0.05)):
        rng = np.random.default_rng([SEED, 7, int(1000 * tolerance), len(levels)])
        hits = 0
        for _ in range(replicates):
            world = World(levels, 4000, rng)
            pairs = PairedCounts.from_arrays(
                world.y, *world.models(0.05, fall=tolerance), sensitive_features=world.features
            )
            hits += fl.harm(pairs, tolerance=tolerance).verdict == "yes"
        rows.append([name, "4,000", f"{tolerance:g}", share(hits, replicates)])
    return table(("lattice", "rows", "tolerance and fall of every rate", "gate falls"), rows)


def power(replicates):
    """One intersection's TPR falls: how often does the gate fall, and name that group?"""
    rows = []
    levels = LATTICES["2 × 3 × 3"]
    for n, fall in product((1000, 4000, 16_000), (0.05, 0.1, 0.2, 0.4)):
        rng = np.random.default_rng([SEED, 11, n, int(1000 * fall)])
        hits = named = sizes = 0
        for _ in range(replicates):
            world = World(levels, n, rng)
            S = world.features
            where = (S["a0"] == "f") & (S["a1"] == "b") & (S["a2"] == "25 to <45") & (world.y == 1)
            sizes += where.sum()
            pairs = PairedCounts.from_arrays(world.y, *world.models(0.05, fall, where), sensitive_features=S)
            found = fl.harm(pairs)
            hits += found.verdict == "yes"
            leaf = {"a0": "f", "a1": "b", "a2": "25 to <45"}
            named += any(c.group == leaf for c in found.fell)
        rows.append(
            [
                f"{n:,}",
                f"{sizes / replicates:.0f}",
                f"{fall:g}",
                share(hits, replicates),
                share(named, replicates),
            ]
        )
    return table(("rows", "positives of the group", "fall of its TPR", "gate falls", "names the group"), rows)


def ratios(replicates):
    """Do the intervals of all ratios hold at once, and how often is a ratio of .8 or more called below four fifths?"""
    settings = {
        "8 alike": ([60] * 8, [0.5] * 8),
        "sizes 10 to 1,000": (
            [10, 20, 40, 80, 160, 320, 640, 1000],
            [0.2, 0.3, 0.25, 0.3, 0.28, 0.35, 0.3, 0.32],
        ),
        "rare": ([50] * 5 + [2000], [0.05] * 5 + [0.1]),
        "at four fifths": ([150] * 4, [0.5, 0.4, 0.4, 0.4]),
        "two groups": ([100, 100], [0.5, 0.4]),
        "nearly all": ([40] * 6, [0.95, 0.9, 0.97, 0.9, 0.92, 0.99]),
    }
    rows = []
    for name, (sizes, rates) in settings.items():
        rng = np.random.default_rng([SEED, 13, len(name)])
        n, p = np.array(sizes), np.array(rates)
        m = len(n)
        lattice = GroupLattice.from_features({"g": np.arange(m)})
        others = ((n * p).sum() - n * p) / (n.sum() - n)
        held, false = {"best": 0, "others": 0}, 0
        for _ in range(replicates):
            s = rng.binomial(n, p)
            counts = GroupCounts.from_codes(
                lattice, (0, 1), np.repeat(np.arange(m), 2), None, np.tile([0, 1], m),
                np.column_stack([n - s, s]).ravel(),
            )  # fmt: skip
            audit = fl.audit(counts, positive=1)
            for reference, against in (("best", np.full(m, p.max())), ("others", others)):
                found = [
                    (r, true)
                    for r, true in zip(audit.impact_ratios(reference=reference), p / against, strict=True)
                ]
                held[reference] += all(
                    r.low - 1e-9 <= t <= r.high + 1e-9 for r, t in found if r.ratio is not None
                )
                false += any(r.verdict == "yes" and t >= 0.8 - 1e-9 for r, t in found) and reference == "best"
        rows.append([name, m, *(share(v, replicates) for v in held.values()), share(false, replicates)])
    return table(
        ("groups", "number", "all hold, to the best", "all hold, to the others", "falsely below four fifths"),
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    replicates = 30 if arguments.quick else 300
    sections = {
        "## False alarms of `--fail-on-harm` where nothing changed\n\n" + ALARMS: false_alarms,
        "## With a tolerance\n\n" + ACCEPTED: accepted,
        "## What it sees\n\n" + POWER: power,
        "## Ratios of selection rates\n\n" + RATIOS: ratios,
    }
    text = HEAD.format(replicates=replicates, seed=SEED)
    for title, section in sections.items():
        text += f"\n{title}\n\n{section(replicates)}"
        print(text.rsplit("\n## ", 1)[-1], flush=True)
        if arguments.out:
            arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
