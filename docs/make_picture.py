"""Draw the README's picture from a comparison: python docs/make_picture.py result.json picture.png"""

import json
import sys

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

# Colours that differ for colour-blind eyes too (Okabe & Ito).
COLOURS = [
    "#000000",
    "#999999",
    "#0072B2",
    "#56B4E9",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#E69F00",
    "#8C564B",
    "#7F7F00",
    "#882255",
]


def trade_off(axes, summary):
    """Unfairness against balanced accuracy, one point per strategy, with 95 % intervals."""
    for s, colour in zip(summary["strategies"], COLOURS, strict=False):
        x, y = s["balanced_accuracy"], s["estimates"]["equalized_odds"]["if"]
        axes.errorbar(
            x["mean"],
            y["median"],
            xerr=2 * x["se"],
            yerr=[[y["median"] - y["low"]], [y["high"] - y["median"]]],
            fmt="o",
            ms=8,
            color=colour,
            label=s["name"],
        )
    axes.set_xlabel("balanced accuracy →")
    axes.set_ylabel(f"IF{summary['settings']['alpha']:g} of equalized odds\n← fairer")
    axes.legend(frameon=False, ncols=3, fontsize=9, loc="upper right")
    axes.set_ylim(top=axes.get_ylim()[1] + 0.08)
    axes.set_title("Fairer is lower, more accurate is to the right", loc="left", fontsize=11)


def worst_groups(axes, summary, least=15, top=8):
    """The rate of the groups worst off without mitigation, of those with at least `least` such people."""
    by_name = {s["name"]: s["by_group"]["tpr"] for s in summary["strategies"]}
    rows = [i for i, g in enumerate(by_name["none"]) if g["n"] >= least]
    rows = sorted(rows, key=lambda i: by_name["none"][i]["rate"])[:top]
    for name, colour, shift in (
        ("none", COLOURS[0], 0.2),
        ("equal", COLOURS[2], 0.0),
        ("borrow", COLOURS[4], -0.2),
    ):
        for place, i in enumerate(rows):
            g = by_name[name][i]
            axes.plot([g["low"], g["high"]], [-place + shift] * 2, color=colour, lw=1.5)
            axes.plot(g["rate"], -place + shift, "o", color=colour, ms=5, label=name if place == 0 else None)
    labels = [", ".join(str(v) for v in by_name["none"][i]["group"].values()) for i in rows]
    axes.set_yticks([-place for place in range(len(rows))], labels, fontsize=9)
    axes.set_xlim(0, 1)
    axes.set_ylim(-top + 0.4, 1.0)
    axes.set_xlabel("true-positive rate, with 95 % intervals")
    axes.legend(frameon=False, fontsize=9, loc="upper right", ncols=3, bbox_to_anchor=(1.0, 1.02))
    axes.set_title("The groups worst off without mitigation", loc="left", fontsize=11)


def main(source, target):
    with open(source, encoding="utf-8") as text:  # noqa: PTH123
        summary = json.load(text)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.6), width_ratios=[1, 1.05])
    trade_off(left, summary)
    worst_groups(right, summary)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    figure.tight_layout()
    figure.savefig(target, dpi=130)


if __name__ == "__main__":
    main(*sys.argv[1:])
