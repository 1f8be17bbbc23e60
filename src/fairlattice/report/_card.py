"""Cards, in Markdown, that travel with a model or a table: what it is, whom it serves, what to beware of.

Names come from tables and may hold anything, so all of them pass through :func:`plain`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fairlattice.exceptions import InputError
from fairlattice.groups import show_group
from fairlattice.report._text_compare import decision_lines, figure_of_notion, notion_words
from fairlattice.strategies import STRATEGIES
from fairlattice.strategies._shared import AUGMENT, BASELINE

Summary = Mapping[str, Any]
_SIGNS = str.maketrans({c: f"\\{c}" for c in r"\`*_[]|#~"})
_LONGEST = 200
_MOST_GROUPS = 50


def plain(value: Any) -> str:
    """A name as text that Markdown and HTML leave alone, on one line."""
    text = " ".join(str(value).split())
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return html.escape(short, quote=False).translate(_SIGNS) or "(empty)"


def model_card(summary: Summary, strategy: str | None = None) -> str:
    """A model card for the strategy that a comparison chose, or for one by name.

    Parameters
    ----------
    summary : dict
        A comparison, schema ``fairlattice/compare/2``.
    strategy : str, optional
        Which of its strategies; by default the one that it recommends.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    InputError
        If there is no such strategy.

    References
    ----------
    Mitchell et al. (2019), Model cards for model reporting, FAccT, arXiv:1810.03993.
    """
    _check_schema(summary, "fairlattice/compare/2")
    name = summary["recommendation"]["strategy"] if strategy is None else strategy
    own = next((s for s in summary["strategies"] if s["name"] == name), None)
    if own is None:
        known = ", ".join(s["name"] for s in summary["strategies"])
        raise InputError(f"No strategy {name!r}; the comparison has {known}.")
    data, settings = summary["data"], summary["settings"]
    return _page(
        f"Model card: {plain(data['label'])} by {plain(settings['classifier'])}, {plain(name)}",
        {
            "Model": [
                f"- Classifier: {plain(settings['classifier'])}",
                f"- Mitigation: {plain(name)} ({plain(own['about'])})",
                f"- Predicts: {plain(data['label'])}, positive is {plain(data['positive'])}",
                f"- Features: {_listed(data.get('features', []))}",
            ],
            "Intended use": [
                "To be filled in by whoever deploys the model: decisions it supports, and those it must not."
            ],
            "Groups": [*_attributes(summary), f"- Groups without rows: {summary['empty_groups']['n']:,}"],
            "Data": _data(data),
            "Decision": [
                *(f"- {plain(line)}" for line in decision_lines(summary)),
                *(f"- {plain(line)}" for line in summary["recommendation"]["reasons"]),
                "",
                "```python",
                summary["recommendation"]["python"].replace("```", ""),
                "```",
            ],
            "Evaluation": [
                f"{settings['repeats']} repeats of {settings['folds']} folds, seed {settings['seed']}, for "
                f"{notion_words(summary)}. Posterior medians with 95 % intervals.",
                "",
                *_strategies(summary, name),
            ],
            "Who is served how": list(_groups(own)),
            "Was anyone hurt": list(_hurt(own)),
            "Caveats": [
                "- Rates of groups with few rows are uncertain; read their intervals.",
                *(f"- {plain(note)}" for note in summary["notes"]),
            ],
        },
    )


def _how(mixing: str) -> str:
    """How synthetic rows came about."""
    if mixing == "importance":
        return (
            "A synthetic row is a real one with the label, drawn by how likely it is to be of the group, "
            "and its numbers were moved towards those of a similar row."
        )
    if mixing == "smote":
        return "A synthetic row lies between two rows of its own group and label (SMOTE)."
    return "Synthetic rows were mixed from rows of the groups' parent groups (arXiv:2405.14521)."


def data_card(summary: Summary) -> str:
    """A data card for an augmented table.

    Parameters
    ----------
    summary : dict
        What ``augment`` did, schema ``fairlattice/augment/1``: data, settings, attributes, cells, notes.

    Returns
    -------
    str
        Markdown.

    References
    ----------
    Pushkarna, Zaldivar & Kjartansson (2022), Data cards, FAccT, arXiv:2204.01075.
    """
    _check_schema(summary, "fairlattice/augment/1")
    cells, settings = summary["cells"], summary["settings"]
    made = sum(c["synthetic"] for c in cells)
    original = sum(c["original"] for c in cells)
    rows = [
        (plain(show_group(c["group"])), plain(c["label"]), f"{c['original']:,}", f"{c['synthetic']:,}")
        for c in sorted(cells, key=lambda c: c["original"])[:_MOST_GROUPS]
    ]
    more = [f"\n{len(cells) - len(rows):,} larger cells are not shown."] if len(cells) > len(rows) else []
    return _page(
        f"Data card: {plain(summary['data']['name'])}, augmented",
        {
            "What it is": [
                f"{original:,} original rows, unchanged and first, and {made:,} synthetic rows below them. "
                f"{_how(settings.get('mixing', 'scalar'))} They describe no person.",
            ],
            "Source": _data(summary["data"]),
            "How it was made": [f"- {plain(k)}: {plain(v)}" for k, v in settings.items()],
            "Groups": list(_attributes(summary)),
            "Rows by cell": [*markdown_table(("group", "label", "original", "synthetic"), rows), *more],
            "Use": [
                "- For training. Never evaluate on synthetic rows.",
                "- Give every cell the same weight in training, else the large cells still rule.",
                "- Check with `fairlattice diagnose` that the rows are sound, and with `fairlattice compare "
                f"--strategies {','.join(_augment_and_ablations())}` that they help more than equal "
                "weights alone.",
            ],
            "Caveats": [
                "- A synthetic row may be close to a training row; do not take it for anonymous.",
                *(f"- {plain(note)}" for note in summary["notes"]),
            ],
        },
    )


def _augment_and_ablations() -> list[str]:
    """The strategy that trains on the rows of `fairlattice augment`, and what its gain is measured against."""
    augment = STRATEGIES[AUGMENT]
    return [BASELINE, *(a.name for a in augment.ablations if a.name in STRATEGIES), augment.name]


def _check_schema(summary: Summary, wanted: str) -> None:
    if not isinstance(summary, Mapping):
        raise InputError(f"A card is made of a result's plain data, got {type(summary).__name__}.")
    if summary.get("schema") != wanted:
        raise InputError(f"A card of {wanted} cannot be made of {summary.get('schema')!r}.")


def _page(title: str, sections: Mapping[str, Iterable[str]]) -> str:
    parts = [f"# {title}"]
    for name, lines in sections.items():
        parts += [f"## {name}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _listed(names: Sequence[Any], most: int = 30) -> str:
    more = f" … ({len(names):,} in all)" if len(names) > most else ""
    return ", ".join(plain(n) for n in names[:most]) + more or "(not told)"


def _attributes(summary: Summary) -> Iterator[str]:
    for a in summary["attributes"]:
        yield f"- {plain(a['name'])}: {_listed(['(missing)' if v is None else v for v in a['levels']])}"


def _data(data: Summary) -> list[str]:
    lines = [f"- Table: {plain(data['name'])}, {data['rows']:,} rows"]
    if data.get("sha256"):
        lines.append(f"- SHA-256: `{plain(data['sha256'])}`")
    if data.get("dropped"):
        lines.append(f"- Columns left out: {_listed(data['dropped'])}")
    return [*lines, *(f"- Assumed: {plain(text)}" for text in data.get("assumed", ()))]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> list[str]:
    """Lines of a table; of `numbers`, all columns but the first are set to the right."""
    rules = ["---", *("---:" if numbers else "---" for _ in head[1:])]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(rules)} |"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def _strategies(summary: Summary, chosen: str) -> list[str]:
    rate = figure_of_notion(summary)[0]
    rows = []
    for s in summary["strategies"]:
        levels = [s["estimates"][rate][k] for k in ("if", "df")]
        levels += [s["estimates"][r]["worst"] for r in ("tpr", "tnr")]
        accuracies = [estimate_text(s[k]) for k in ("balanced_accuracy", "accuracy")]
        name = plain(s["name"])
        rows.append([f"**{name}**" if s["name"] == chosen else name, *accuracies, *map(level_text, levels)])
    name = f"IF{summary['settings']['alpha']:g}"
    head = ("strategy", "balanced accuracy", "accuracy", f"{name}, small is fair", "DF, small is fair",
            "worst TPR", "worst TNR")  # fmt: skip
    return markdown_table(head, rows)


def level_text(level: Summary) -> str:
    """A posterior median with its interval."""
    return f"{level['median']:.3f} ({level['low']:.2f} to {level['high']:.2f})"


def estimate_text(estimate: Summary) -> str:
    """A mean with its standard error."""
    se = "" if estimate["se"] is None else f" ± {estimate['se']:.3f}"
    return f"{estimate['mean']:.3f}{se}"


def _groups(strategy: Summary) -> Iterator[str]:
    for rate in ("tpr", "tnr"):
        found = strategy["by_group"][rate]
        rows = [
            (
                plain(show_group(g["group"])),
                f"{g['n']:,}",
                f"{g['rate']:.3f}",
                f"{g['low']:.3f} to {g['high']:.3f}",
            )
            for g in sorted(found, key=lambda g: g["rate"])[:_MOST_GROUPS]
        ]
        yield f"{rate.upper()}, worst groups first:\n"
        yield from markdown_table(("group", "people", "rate", "95 % interval"), rows)
        yield ""


def _hurt(strategy: Summary) -> Iterator[str]:
    verdict = strategy["leveling_down"]["verdict"]
    if strategy["name"] == BASELINE or verdict is None:
        yield "This is the unconstrained model, or there was none to compare with."
        return
    words = {
        "yes": "Yes: it looks fairer while the worst-off group fares worse than without mitigation.",
        "no": "No leveling down against the unconstrained model.",
        "not enough data": "Leveling down is not excluded: the data do not suffice to tell.",
    }
    yield words[verdict]
    for key, title in (
        ("fell", "Group rates that fell beyond noise"),
        ("rose", "Group rates that rose beyond noise"),
    ):
        shifts = strategy["harm"][key]
        if shifts:
            yield f"\n{title}:\n"
            yield from (
                f"- {plain(show_group(g['group']))}, {g['rate'].upper()} {g['before']:.2f} to {g['after']:.2f}"
                for g in shifts[:_MOST_GROUPS]
            )
