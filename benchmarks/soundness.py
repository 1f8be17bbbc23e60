"""Are synthetic rows sound, does the assumption matter, and do gains survive wrong attributes? On ACS income.

    python benchmarks/soundness.py --data-dir FOLDER [--seeds 10] [--rows 6000] [--out docs/evidence/soundness.md]

Results are kept per seed in --cache, so that it resumes.
"""

import argparse
import json
import os
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import fairlattice as fl
from fairlattice.benchmark._noise import flipped
from fairlattice.exceptions import FairlatticeWarning
from fairlattice.strategies._shared import DEFAULT

SENSITIVE = ["RAC1P", "SEX", "AGEP"]
CUTS = {"AGEP": [25, 45]}
FEATURES = ["AGEP", "SCHL", "WKHP", "COW", "MAR", "RELP", "OCCP"]
TEST = 60_000
SOURCES = ("augment", "parents")
NOISE = (0.0, 0.01, 0.05, 0.1, 0.2)
HEAD = """# Are synthetic rows sound?

Written by `python benchmarks/soundness.py --data-dir FOLDER` on ACS income: race × sex × age
(<25, 25 to <45, >=45), {rows:,} rows to work with, {seeds} seeds; ± is the standard error over seeds.
"""


def one_seed(frame, rows, seed):
    """Per cell: its rows, the mix's distance from it, and the gain in recall over equal weights."""
    part = frame.sample(rows + TEST, seed=seed, shuffle=True)
    X, y, S = part.select(FEATURES), part["PINCP"].cast(int), part.select(SENSITIVE)
    small = slice(0, rows)
    found = fl.diagnose(
        X[small], y[small], sensitive_features=S[small], cuts=CUTS, sources=["augment"], random_state=seed,
        pictures=0, n_jobs=-1,
    )  # fmt: skip
    lattice = fl.GroupLattice.from_features(S, cuts=CUTS)
    columns = lattice.level_columns(lattice.encode(S))
    bands = pl.DataFrame({name: levels.tolist() for name, levels in columns.items()})
    audits = {name: tested(X, y, bands, bands, rows, name, seed) for name in ("equal", *SOURCES)}
    recall = {
        (name, label, tuple(g.group.items())): g.rate
        for name in ("equal", *SOURCES)
        for label, rate in ((1, "tpr"), (0, "tnr"))
        for g in audits[name].by_group(rate)
    }
    cells = []
    for cell in found.cells:
        key = (cell.label, tuple(cell.group.items()))
        rates = [recall.get((name, *key)) for name in ("equal", *SOURCES)]
        if cell.assumption is None or None in rates:
            continue
        mix = cell.assumption.tests.mix
        cells.append(
            {
                "cell": [str(cell.group), cell.label],
                "rows": cell.n_train + cell.n_held_out,
                "mmd2": mix.mmd2,
                "effect": mix.effect,
                "verdict": cell.assumption.verdict,
                **{name: rate - rates[0] for name, rate in zip(SOURCES, rates[1:], strict=True)},
            }
        )
    return cells


def correlation(seeds, figure, gain):
    """Spearman's correlation over cells, its mean over seeds and standard error."""
    each = [
        spearmanr([c[figure] for c in cells], [c[gain] for c in cells]).statistic
        for cells in seeds
        if len(cells) > 3
    ]
    return np.mean(each), np.std(each, ddof=1) / np.sqrt(len(each))


def tested(X, y, S, recorded, rows, strategy, seed):
    """The audit of a model trained by a strategy on the first rows, with attributes as recorded, on all others."""
    classifier = make_pipeline(fl.TableEncoder(), LogisticRegression(max_iter=1000))
    model = fl.FairClassifier(classifier, strategy, random_state=seed)
    model.fit(X[:rows], y[:rows], sensitive_features=recorded[:rows])
    return fl.audit(y[rows:], model.predict(X[rows:]), sensitive_features=S[rows:])


def one_noise(frame, rows, seed):
    """Figures of strategies at several rates of wrong attributes in training, on one large test."""
    part = frame.sample(rows + TEST, seed=seed, shuffle=True)
    X, y = part.select(FEATURES), part["PINCP"].cast(int)
    lattice = fl.GroupLattice.from_features(part.select(SENSITIVE), cuts=CUTS)
    leaves = lattice.encode(part.select(SENSITIVE))
    true = dict(zip(lattice.names, lattice.digits(leaves), strict=True))
    found = []
    for number, rate in enumerate(NOISE):
        recorded = pl.DataFrame(flipped(true, rate, np.random.default_rng([seed, number])))
        for strategy in ("none", "equal", DEFAULT):
            audit = tested(X, y, pl.DataFrame(true), recorded, rows, strategy, seed)
            figures = {
                "equalized_odds.if": audit.alpha_intersectional("equalized_odds"),
                "tpr.worst": audit.worst("tpr").rate,
                "balanced_accuracy": audit.balanced_accuracy,
            }
            found.append({"rate": rate, "strategy": strategy, **figures})
    return found


def one_soundness(frame, rows, seed):
    """Figures of every source over all cells."""
    part = frame.sample(rows, seed=seed, shuffle=True)
    found = fl.diagnose(
        part.select(FEATURES), part["PINCP"].cast(int), sensitive_features=part.select(SENSITIVE), cuts=CUTS,
        random_state=seed, pictures=0, n_jobs=-1,
    )  # fmt: skip
    return [
        {
            "source": name,
            "AUC linear": f.classifiers["linear"].auc,
            "AUC neighbours": f.classifiers["neighbours"].auc,
            "MMD² × 1000": 1000 * f.mmd.mmd2,
            "precision": f.manifold.precision,
            "recall": f.manifold.recall,
            "coverage": f.manifold.coverage,
            "worst column": f.marginals.worst,
            **(
                {}
                if f.memory is None
                else {"copied": f.memory.copied / f.n, "leak": f.memory.membership_advantage}
            ),
        }
        for name, f in found.overall.items()
    ]


def kept(cache, name, rows, seed, find):
    """What was found for a seed, from the cache if it is there."""
    path = cache / f"{name}-{rows}-{seed}.json"
    if not path.exists():
        path.with_suffix(".part").write_text(json.dumps(find()))
        path.with_suffix(".part").rename(path)
    print(f"{name}, seed {seed}", flush=True)
    return json.loads(path.read_text())


def estimate(values, digits=3):
    """Mean and standard error over seeds."""
    values = [v for v in values if v is not None]
    if len(values) < 2:
        return "–"
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.{digits}f}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def soundness_text(seeds):
    names = [row["source"] for row in seeds[0]]
    figures = list(dict.fromkeys(k for row in seeds[0] for k in row if k != "source"))
    rows = [
        [
            name,
            *(
                estimate([row.get(f) for found in seeds for row in found if row["source"] == name])
                for f in figures
            ),
        ]
        for name in names
    ]
    return f"""All cells together, in their true shares, against rows that no generator saw. An AUC of .5
cannot be distinguished from real rows. "copied" is the share of exact and near copies beyond what real rows
show; "leak" is the advantage of a membership attack.

{table(["rows from", *figures], rows)}
"""


def violation_text(seeds):
    rows = [
        [gain, figure, "{:+.3f} ± {:.3f}".format(*correlation(seeds, figure, gain))]
        for gain in SOURCES
        for figure in ("mmd2", "effect")
    ]
    verdicts = []
    for verdict in ("holds", "not enough data", "fails"):
        own = [[c for c in cells if c["verdict"] == verdict] for cells in seeds]
        means = [estimate([np.mean([c[g] for c in cells]) for cells in own if cells], 4) for g in SOURCES]
        verdicts.append([verdict, sum(map(len, own)), *means])
    return f"""How far the mix of a cell's parents lies from the cell's held-out rows, against how much
better the cell is recalled on {TEST:,} other rows with synthetic rows than with equal
weights alone. Mean gain in recall, by the verdict of `diagnose`:

{table(["the assumption", "cells", "gain of augment", "gain of parents"], verdicts)}

Spearman's correlation over the cells of a seed:

{table(["gain over equal of", "violation by", "correlation"], rows)}
"""


def noise_text(seeds):
    rows = []
    for rate in NOISE:
        for strategy in ("none", "equal", DEFAULT):
            own = [p for found in seeds for p in found if p["rate"] == rate and p["strategy"] == strategy]
            base = [p for found in seeds for p in found if p["rate"] == rate and p["strategy"] == "none"]
            if strategy == "none" and rate:
                continue
            gain = "" if strategy == "none" else estimate(
                [a["equalized_odds.if"] - b["equalized_odds.if"] for a, b in zip(own, base, strict=True)]
            )  # fmt: skip
            figures = ("equalized_odds.if", "tpr.worst", "balanced_accuracy")
            rows.append([f"{rate:.0%}", strategy, *(estimate([p[f] for p in own]) for f in figures), gain])
    return f"""Each attribute of each training row is replaced by another of its levels at the rate given;
everyone is counted by the true groups. `none` sees no groups, so noise does not change it.

{table(["wrong", "strategy", "IF, eq. odds", "worst TPR", "balanced accuracy", "IF against none"], rows)}
"""


SECTIONS = {
    "soundness": ("1. Can synthetic rows be distinguished from real ones?", one_soundness, soundness_text),
    "violation": ("2. Does it matter that parents are unlike the child?", one_seed, violation_text),
    "noise": ("3. Do gains survive wrong attributes?", one_noise, noise_text),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("FAIRLATTICE_DATA"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--cache", type=Path, default=Path("soundness"))
    parser.add_argument("--out", type=Path, default=Path("docs/evidence/soundness.md"))
    arguments = parser.parse_args()
    if arguments.data_dir is None:
        parser.error("name the folder of the tables with --data-dir or FAIRLATTICE_DATA")
    warnings.simplefilter("ignore", FairlatticeWarning)
    frame = pl.read_parquet(Path(arguments.data_dir) / "acs" / "ACSIncome.validation.parquet")
    arguments.cache.mkdir(exist_ok=True, parents=True)
    rows, parts = arguments.rows, [HEAD.format(rows=arguments.rows, seeds=arguments.seeds)]
    for name, (title, find, tell) in SECTIONS.items():
        seeds = [
            kept(arguments.cache, name, rows, seed, lambda s=seed, f=find: f(frame, rows, s))
            for seed in range(arguments.seeds)
        ]
        parts.append(f"## {title}\n\n{tell(seeds)}")
    arguments.out.write_text("\n".join(parts), encoding="utf-8")
    print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()
