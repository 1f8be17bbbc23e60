"""What `tradeoff.py` has measured, as tables and curves."""

import itertools

import numpy as np

from fairlattice.strategies._shared import DEFAULT


def tables(runs, strategies):
    """Tables in Markdown, a line for each setting: figures, and paired differences.

    `runs` is of one classifier: (size, data set, seed) to (strategy, blend) to figures.
    """
    told = Told(runs, strategies)
    named = set(told.names)
    if DEFAULT in named:
        told.overall()
    told.table("IF½ of equalized odds:", told.names, told.level)
    if DEFAULT in named:
        told.table(
            f"IF½ of `{DEFAULT}` less that of", told.others, lambda x, s: told.difference(x, DEFAULT, s, "if")
        )
    if "equal" in named:
        told.table(
            "Balanced accuracy less that of `equal`:",
            [s for s in told.names if s != "equal"],
            lambda x, s: told.difference(x, s, "equal", "balanced_accuracy"),
        )
    if {DEFAULT, "label"} <= named:
        told.table(
            f"Worst rates of `{DEFAULT}` less those of `label`:",
            ["tpr", "tnr", "either"],
            lambda x, rate: told.difference(x, DEFAULT, "label", f"{rate}.worst"),
        )


class Told:
    """Runs of one classifier, by setting and seed; strategies that all of them have."""

    def __init__(self, runs, strategies):
        self.runs = {}  # setting to seed to strategy to figures
        for (size, name, seed), curve in runs.items():
            self.runs.setdefault((size, name), {})[seed] = whole(curve)
        every = [run for seeds in self.runs.values() for run in seeds.values()]
        self.names = [s for s in strategies if all(s in run for run in every)]
        self.others = [s for s in self.names if s != DEFAULT]
        if partly := [s for s in strategies if s not in self.names and any(s in run for run in every)]:
            print(f"\nLeft out, since some splits lack it: {', '.join(partly)}.")

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
        print(f"| `{DEFAULT}` less | {' | '.join(f'`{s}`' for s in self.others)} |")
        print(f"| --- | {'---: | ' * len(self.others)}".rstrip())

        def line(title, settings, figure):
            gaps = [[self.gaps(x, seeds, DEFAULT, s, figure) for x in settings] for s in self.others]
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


def with_error(gaps):
    """Mean of differences over seeds and its standard error; a star where it is beyond two of them."""
    mean, error = np.mean(gaps), np.std(gaps, ddof=1) / len(gaps) ** 0.5 if len(gaps) > 1 else np.nan
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
            axes[i, j].plot(x, y, marker=".", label=strategy, lw=2.2 if strategy == DEFAULT else 1)
        axes[i, j].set_title(f"{name}, {pair[0]}, {pair[1]:,}", fontsize=8)
        axes[i, j].tick_params(labelsize=7)
    figure.supxlabel("IF½ of equalized odds (small is fair)", fontsize=9)
    figure.supylabel("balanced accuracy", fontsize=9)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=6, fontsize=8)
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    figure.savefig(target)
