"""What `tradeoff.py` has measured, as tables and curves."""

import itertools

import numpy as np

from fairlattice.strategies._shared import WEIGHTS


def tables(runs, strategies):
    """Tables in Markdown, a line for each setting: figures, and paired differences.

    `runs` is of one classifier: (size, data set, seed) to (strategy, blend) to figures.
    """
    found = Runs(runs, strategies)
    named = set(found.names)
    for size in found.sizes:
        found.by_task(size)
    if WEIGHTS in named:
        found.overall()
    found.table("IF½ of equalized odds:", found.names, found.level)
    if WEIGHTS in named:
        found.table(
            f"IF½ of `{WEIGHTS}` less that of",
            found.others,
            lambda x, s: found.difference(x, WEIGHTS, s, "if"),
        )
    if "equal" in named:
        found.table(
            "Balanced accuracy less that of `equal`:",
            [s for s in found.names if s != "equal"],
            lambda x, s: found.difference(x, s, "equal", "balanced_accuracy"),
        )
    if {WEIGHTS, "label"} <= named:
        found.table(
            f"Worst rates of `{WEIGHTS}` less those of `label`:",
            ["tpr", "tnr", "either"],
            lambda x, rate: found.difference(x, WEIGHTS, "label", f"{rate}.worst"),
        )


class Runs:
    """Runs of one classifier, by setting and seed; strategies that all of them have."""

    def __init__(self, runs, strategies):
        self.runs = {}  # setting to seed to strategy to figures
        for (size, name, seed), curve in runs.items():
            self.runs.setdefault((size, name), {})[seed] = whole(curve)
        every = [run for seeds in self.runs.values() for run in seeds.values()]
        self.known = [s for s in strategies if any(s in run for run in every)]
        self.sizes = list(dict.fromkeys(size for size, _ in self.runs))
        self.names = [s for s in strategies if all(s in run for run in every)]
        self.others = [s for s in self.names if s != WEIGHTS]

    def by_task(self, size):
        """Means over tasks, and differences to `borrow` with errors over tasks, of the splits that have both."""
        print(f"\n{size:,} rows, tasks as units:\n")
        columns = (
            "splits", "IF½ / balanced accuracy", f"IF½ less that of `{WEIGHTS}`", "worst task", "over all groups",
            "balanced accuracy", "seconds",
        )  # fmt: skip
        print(f"| strategy | {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}")
        for name in self.known:
            tasks = [
                [(run[name], run[WEIGHTS]) for run in seeds.values() if name in run and WEIGHTS in run]
                for (rows, _), seeds in self.runs.items()
                if rows == size
            ]
            if tasks := [pairs for pairs in tasks if pairs]:
                print(f"| `{name}` | {sum(map(len, tasks))} | {' | '.join(task_figures(tasks))} |")

    def table(self, title, columns, cell):
        print(f"\n{title}\n\n| setting | seeds | {' | '.join(f'`{c}`' for c in columns)} |")
        print(f"| --- | {'---: | ' * (1 + len(columns))}".rstrip())
        for size, name in self.runs:
            shown = " | ".join(cell((size, name), column) for column in columns)
            print(f"| {name}, {size:,} | {len(self.runs[size, name])} | {shown} |")

    def overall(self):
        """Means over settings, and over those of each data set, for the seeds that all of them have."""
        seeds = sorted(set.intersection(*map(set, self.runs.values())))
        if not seeds:
            return
        print(f"\nMeans over settings, {len(seeds)} seeds:\n")
        print(f"| `{WEIGHTS}` less | {' | '.join(f'`{s}`' for s in self.others)} |")
        print(f"| --- | {'---: | ' * len(self.others)}".rstrip())

        def line(title, settings, figure):
            gaps = [[self.gaps(x, seeds, WEIGHTS, s, figure) for x in settings] for s in self.others]
            print(f"| {title} | {' | '.join(with_error(np.mean(each, axis=0)) for each in gaps)} |")

        line("balanced accuracy", self.runs, "balanced_accuracy")
        line("IF½", self.runs, "if")
        for name in sorted({name for _, name in self.runs}):
            line(f"… of {name}", [x for x in self.runs if x[1] == name], "if")

    def level(self, setting, strategy):
        return f"{np.mean([run[strategy]['if'] for run in self.runs[setting].values()]):.3f}"

    def difference(self, setting, strategy, other, figure):
        return with_error(self.gaps(setting, self.runs[setting], strategy, other, figure))

    def gaps(self, setting, seeds, strategy, other, figure):
        pairs = [self.runs[setting][seed] for seed in seeds]
        return np.array([pair[strategy][figure] - pair[other][figure] for pair in pairs])


def task_figures(tasks):
    """Of pairs of figures, a strategy's and `borrow`'s, of every task: levels, differences, seconds."""

    def mean(figure):
        return np.mean([np.mean([own[figure] for own, _ in pairs]) for pairs in tasks])

    def gaps(figure):
        return np.array(
            [np.mean([a[figure] - b[figure] for a, b in pairs if figure in a]) for pairs in tasks]
        )

    return (
        f"{mean('if'):.3f} / {mean('balanced_accuracy'):.3f}",
        with_error(gaps("if")),
        f"{gaps('if').max():+.3f}",
        with_error(gaps("posterior.if")),
        with_error(gaps("balanced_accuracy")),
        f"{mean('seconds'):.1f}",
    )


def with_error(gaps):
    """Mean of differences and its standard error, if there are several; a star where it is beyond two of them."""
    mean = np.mean(gaps)
    if len(gaps) == 1:
        return f"{mean:+.3f}"
    error = np.std(gaps, ddof=1) / len(gaps) ** 0.5
    return f"{mean:+.3f} ± {error:.3f}{'*' if abs(mean) > 2 * error else ''}"


def whole(curve):
    """Figures by strategy, of the curve's end.

    Also the lowest rate of all groups and both labels: that of whom equalized odds serve worst.
    """
    return {
        strategy: {**figures, "either.worst": min(figures["tpr.worst"], figures["tnr.worst"])}
        for (strategy, blend), figures in curve.items()
        if blend == 1.0
    }


def draw(splits, strategies, target):
    """Curves from `label` to each strategy: balanced accuracy against unfairness."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    settings = {}
    for key, curve in sorted(splits.items()):
        settings.setdefault(key[:3], []).append(curve)
    pairs = list(dict.fromkeys((c, z) for c, z, _ in settings))  # a row of the picture each
    names = list(dict.fromkeys(n for _, _, n in settings))
    size = (2.6 * len(names), 2.5 * len(pairs))
    figure, axes = plt.subplots(len(pairs), len(names), figsize=size, squeeze=False)
    for (i, pair), (j, name) in itertools.product(enumerate(pairs), enumerate(names)):
        curves = settings.get((*pair, name), [])
        shared = set.intersection(*map(set, curves)) if curves else set()
        for strategy in sorted({s for s, _ in shared} & set(strategies), key=strategies.index):
            points = sorted(p for p in shared if p[0] == strategy)
            points = [("label", 1.0), *points] if ("label", 1.0) in shared else points
            x = [np.mean([c[p]["if"] for c in curves]) for p in points]
            y = [np.mean([c[p]["balanced_accuracy"] for c in curves]) for p in points]
            axes[i, j].plot(x, y, marker=".", label=strategy, lw=2.2 if strategy == WEIGHTS else 1)
        axes[i, j].set_title(f"{name}, {pair[0]}, {pair[1]:,}", fontsize=8)
        axes[i, j].tick_params(labelsize=7)
    figure.supxlabel("IF½ of equalized odds (small is fair)", fontsize=9)
    figure.supylabel("balanced accuracy", fontsize=9)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=6, fontsize=8)
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    figure.savefig(target)
