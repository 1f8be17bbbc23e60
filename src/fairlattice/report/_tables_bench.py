"""Results of experiments as tables for papers and spreadsheets: Markdown, LaTeX, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from fairlattice._validation import check_choice
from fairlattice.benchmark._shared import FIGURES
from fairlattice.report._card import estimate_text, markdown_table
from fairlattice.report._summary import Summary
from fairlattice.report._text_compare import VERDICTS
from fairlattice.report._verdicts_bench import baseline_words, bench_mark

BENCH_FORMATS = ("terminal", "markdown", "latex", "csv")
_BLOCKS = (("equal opportunity (TPR)", "tpr"), ("equalized odds", "equalized_odds"))
_KINDS = (("best-off", "best", True), ("worst-off", "worst", True), ("DF", "df", False), ("IF", "if", False))
_CAPTION = (
    "{name}, {groups}: {dealt:,} rows dealt out, {rows:,} in all; {seeds} seeds, posterior mean ± standard deviation. "
    "Small DF and IF are fair. ▲ better, ▼ worse than {baseline} beyond noise. Of equalized odds, DF and IF "
    "are the worse of TPR and TNR, best-off and worst-off are over both."
)
_FIDELITY_CAPTION = (
    "{name}: made rows beside held-out real ones, mean ± standard error over seeds. An AUC of 1/2 is good, "
    "so are small MMD and copies, and high precision, recall and coverage."
)


def bench_table(summary: Summary, form: str) -> str:
    """The results as ``markdown``, ``latex`` or ``csv``.

    Raises
    ------
    InputError
        If there is no such format.
    """
    makers = {"markdown": _markdown, "latex": _latex, "csv": _csv}
    return makers[check_choice("form", form, tuple(makers))](summary)


def _markdown(summary: Summary) -> str:
    parts = []
    for table in summary["tables"]:
        for caption, head, rows in _grids(table):
            table_lines = markdown_table(head, [list(map(_unpiped, row)) for row in rows], numbers=True)
            parts.append("\n".join([f"**{caption}**", "", *table_lines]))
    return "\n\n".join(parts) + "\n"


def _unpiped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|")


def _latex(summary: Summary) -> str:
    """Tables for the package booktabs."""
    parts = []
    for table in summary["tables"]:
        for caption, head, rows in _grids(table):
            lines = [
                r"\begin{table}",
                r"\centering",
                rf"\caption{{{_tex(caption)}}}",
                rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
                r"\toprule",
                " & ".join(map(_tex, head)) + r" \\",
                r"\midrule",
                *(" & ".join(map(_tex, row)) + r" \\" for row in rows),
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
            ]
            parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--",
    "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$", "≥": r"$\geq$", "<": r"$<$", ">": r"$>$",
    "×": r"$\times$",
}  # fmt: skip


def _tex(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in text)


def _grids(table: Summary) -> list[tuple[str, list[str], list[list[str]]]]:
    """Caption, head and rows of the tables of one data set."""
    data, found = table["data"], []
    if table["methods"]:
        caption = _CAPTION.format(
            name=data["name"],
            groups=" × ".join(a["name"] for a in table["attributes"]),
            dealt=data["dealt"],
            rows=data["rows"],
            seeds=table["seeds"],
            baseline=baseline_words(table),
        )
        head = ["method", "balanced accuracy"]
        head += [f"{block}: {kind}" for block, _ in _BLOCKS for kind, _, _ in _KINDS]
        found.append((caption, [*head, "leveled down"], [_cells(m) for m in table["methods"]]))
    if table["fidelity"]:
        figures = list(next(iter(table["fidelity"].values())))
        rows = [[s, *(_plus_minus(f[k], "") for k in figures)] for s, f in table["fidelity"].items()]
        head = ["rows from", *(k.replace("_", " ") for k in figures)]
        found.append((_FIDELITY_CAPTION.format(name=data["name"]), head, rows))
    return found


def _cells(m: Summary) -> list[str]:
    cells = [m["name"], _plus_minus(m["balanced_accuracy"], bench_mark(m, "balanced_accuracy", up=True))]
    for _, block in _BLOCKS:
        figures = m["measures"][block] if block in m["measures"] else m[block]
        cells += [_plus_minus(figures[k], bench_mark(m, f"{block}.{k}", up=up)) for _, k, up in _KINDS]
    return [*cells, VERDICTS.get(m["leveling_down"]["verdict"], "–")]


def _plus_minus(estimate: Mapping[str, Any] | None, mark: str) -> str:
    return "–" if estimate is None else f"{estimate_text(estimate)} {mark}".rstrip()


_COLUMNS = (
    "dataset", "attributes", "rows", "seeds", "method", "strategy", "figure", "mean", "se", "against",
    "difference", "difference_se", "p_value", "p_adjusted", "within_noise",
)  # fmt: skip


def _csv(summary: Summary) -> str:
    """One line per method, figure, and baseline that it is compared with."""
    target = io.StringIO()
    writer = csv.DictWriter(target, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for table in summary["tables"]:
        about = {
            "dataset": table["data"]["name"],
            "attributes": " ".join(a["name"] for a in table["attributes"]),
            "rows": table["data"]["rows"],
            "seeds": table["seeds"],
        }
        for m in table["methods"]:
            for figure, estimate in _figures(m).items():
                line = {
                    **about,
                    "method": m["method"],
                    "strategy": m["strategy"],
                    "figure": figure,
                    **estimate,
                }
                writer.writerow(line)
                for baseline, differences in m["differences"].items():
                    writer.writerow(line | _compared(baseline, differences[figure]))
        for source, figures in table["fidelity"].items():
            for figure, estimate in figures.items():
                writer.writerow(
                    {**about, "method": "fidelity", "strategy": source, "figure": figure, **(estimate or {})}
                )
    return target.getvalue()


def _figures(m: Summary) -> dict[str, Any]:
    found = {"balanced_accuracy": m["balanced_accuracy"]}
    for block, figures in (*m["measures"].items(), ("equalized_odds", m["equalized_odds"])):
        found |= {f"{block}.{k}": figures[k] for k in FIGURES}
    return found


def _compared(baseline: str, d: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "against": baseline,
        "difference": d["mean"],
        "difference_se": d["se"],
        "p_value": d["p_value"],
        "p_adjusted": d["p_adjusted"],
        "within_noise": d["within_noise"],
    }
