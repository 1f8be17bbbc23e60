"""The sections of an audit: the lattice, the groups ranked, who is worse off, unfairness in figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.report._charts import BLUE, GREY, RED, Kind
from fairlattice.report._charts_kinds import MOST_ROWS, Row, row_chart
from fairlattice.report._page_answer import about_words, needed_cell, people_words
from fairlattice.report._page_blocks import (
    Column,
    Explorer,
    Figure,
    Heading,
    Items,
    Section,
    Table,
    Text,
    group_cells,
    group_columns,
    interval_cells,
    verdict,
)
from fairlattice.report._page_changes import harm_section, leveling_section, series_section
from fairlattice.report._page_lattice import explorer_data
from fairlattice.report._page_ratios import ratio_section
from fairlattice.report._page_words import (
    TINY,
    cut,
    group_name,
    group_text,
    key,
    number,
    p_value,
    percent,
    range_text,
    rate_name,
    rate_text,
    rows_word,
    shown,
    undirected,
    whole,
)

Summary = Mapping[str, Any]
_MOST_ROWS_IN_ALL = 20_000
_KINDS = (
    Kind("worse off than others", RED, "triangle-down"),
    Kind("not worse, or not shown to be", BLUE),
    Kind(f"fewer than {TINY} rows", GREY, "circle", filled=False),
)


def audit_sections(summary: Summary) -> list[Section]:
    """The sections that the report has something for."""
    found = [
        ratio_section(summary),
        _ranked(summary),
        _explore(summary),
        _worse_off(summary),
        _unfairness(summary),
        harm_section(summary),
        leveling_section(summary),
        series_section(summary),
        scores_section(summary),
    ]
    return [s for s in found if s is not None and s.blocks]


def _explore(summary: Summary) -> Section | None:
    data = explorer_data(summary)
    if data is None:
        return None
    note = Markup(
        "From everyone down to a single group: choose a rate, then an attribute to split by, then a group. "
        "Intervals of {} by the method below; coarser groups are sums of all of their rows.{} Fewer than {} rows "
        "are marked as tiny: what is seen there may be chance."
    ).format(
        percent(summary["settings"]["confidence"]),
        ""
        if data["complete"]
        else " There are too many coarser groups for one page; those left out are marked so.",
        TINY,
    )
    return Section("explore", "Explore the groups", [Text(note), Explorer(data)])


def _ranked(summary: Summary) -> Section:
    judged = list(summary["judged"])[:4]
    rates = list(dict.fromkeys([*judged, *summary["measures"]]))
    room = _MOST_ROWS_IN_ALL // max(len(summary["measures"][rates[0]]["by_group"]), 1) if rates else 0
    blocks: list[Any] = []
    for place, rate in enumerate(rates[: max(room, len(judged))]):
        blocks.append(Heading(Markup("{}{}").format(*_capital(rate))))
        blocks.append(Text(_sentence(about_words(rate, summary))))
        if rate in judged and _defined(summary, rate):
            blocks.append(Figure(_group_chart(summary, rate, place)))
        blocks.append(_group_table(summary, rate, place, folded=place > 0))
    left = len(rates) - max(room, len(judged))
    if left > 0:
        blocks.append(Text(Markup("{:,} more rates are in the JSON report.").format(left)))
    return Section("groups", "Groups, worst first", blocks)


def _capital(rate: str) -> tuple[Markup, Markup]:
    words = rate_name(rate)
    return (Markup(words[0].upper()), Markup(words[1:])) if words[:1].isalpha() else (Markup(), words)


def _sentence(words: Markup) -> Markup:
    return Markup("{}{}.").format(Markup(words[0].upper()), Markup(words[1:])) if words else Markup()


def _defined(summary: Summary, rate: str) -> list[Summary]:
    rows = [g for g in summary["measures"][rate]["by_group"] if g["rate"] is not None]
    return sorted(rows, key=lambda g: (g["rate"], -g["n"]))


def _claims(summary: Summary, rate: str) -> dict[Any, Summary]:
    return {key(c["group"]): c for c in summary["claims"] if c["group"] is not None and c["measure"] == rate}


def _surely_worse(summary: Summary, rate: str) -> set[Any]:
    found = {key(w["group"]) for w in summary["worse_off"] if w["measure"] == rate}
    return found | {k for k, c in _claims(summary, rate).items() if c["verdict"] == "yes"}


def label_title(summary: Summary) -> str:
    """What heads the labels of leaves in a chart."""
    names = [undirected(cut(shown(a["name"]), 20)) for a in summary["attributes"]]
    return cut(" · ".join(names), 44)


def leaf_label(summary: Summary, group: Mapping[str, Any]) -> str:
    """A group in a chart: a leaf by its levels alone, as the attributes head the column."""
    return group_text(group, levels_only=len(group) == len(summary["attributes"]), most=44)


def _group_chart(summary: Summary, rate: str, place: int) -> Any:
    rows, worse = _defined(summary, rate), _surely_worse(summary, rate)
    everyone = next(
        (g for g in summary["levels"].get(rate, ()) if not g["group"] and g["rate"] is not None), None
    )
    marks = [
        Row(
            label=leaf_label(summary, g["group"]),
            value=g["rate"],
            low=g["low"],
            high=g["high"],
            told=f"{group_text(g['group'], most=200)}\n{rate_text(rate)} {number(g['rate'])}, between "
            f"{number(g['low'])} and {number(g['high'])}\n{rows_word(g['n'])}",
            kind=0 if key(g["group"]) in worse else 2 if g["n"] < TINY else 1,
            end=whole(g["n"]),
        )
        for g in rows[:MOST_ROWS]
    ]
    words = rate_text(rate)
    line = f" The dashed line is everyone: {number(everyone['rate'])}." if everyone else ""
    less = f" The {MOST_ROWS} lowest of {len(rows):,}; the table has all." if len(rows) > MOST_ROWS else ""
    return row_chart(
        f"groups-{place}",
        f"{words[:1].upper()}{words[1:]} of every group, lowest first",
        f"Points are rates, lines their {percent(summary['settings']['confidence'])} intervals.{line}{less}",
        marks,
        _KINDS,
        axis=words,
        label_title=label_title(summary),
        reference=everyone["rate"] if everyone else None,
    )


def _group_table(summary: Summary, rate: str, place: int, *, folded: bool) -> Table:
    claims, undefined = _claims(summary, rate), []
    rows = []
    for g in [
        *_defined(summary, rate),
        *(g for g in summary["measures"][rate]["by_group"] if g["rate"] is None),
    ]:
        c = claims.get(key(g["group"]))
        if g["rate"] is None:
            undefined.append(g)
        mark = "undefined" if not g["n"] else "tiny" if g["n"] < TINY else ""
        known = g["rate"] is not None
        pooled = g.get("pooled") or {"rate": None, "low": None, "high": None}
        rows.append(
            [
                *group_cells(summary, g["group"]),
                whole(g["n"]),
                number(g["rate"]),
                *interval_cells(g["low"] if known else None, g["high"] if known else None),
                (g["low"], g["rate"], g["high"]) if known else None,
                number(pooled["rate"]),
                *([c["verdict"] if c else "", needed_cell(c)] if claims else []),
                Markup('<span class="mark">{}</span>').format(mark) if mark else Markup(),
            ]
        )
    columns = [
        *group_columns(summary),
        *(Column(t, "number") for t in ("rows", "rate", "low", "high")),
        Column("0 to 1", "bar"),
        Column("best guess", "number"),
        *([Column("worse than others?", "verdict"), Column("needed", "number")] if claims else []),
        Column("note"),
    ]
    note = Markup(
        "Rows: those that the rate is about, {}{}. Best guess: the rate shrunk towards those of kindred groups, "
        "better for tiny ones.{}"
    ).format(
        people_words(rate, summary),
        ", as their effective number, since rows are weighted" if summary.get("weighted") else "",
        Markup(
            " Worse than others: {}? Needed: about how many of them would settle it, where that is no more than 20 "
            "times what there is."
        ).format(_margin(claims))
        if claims
        else "",
    )
    title = Markup("{} of {:,} groups").format(Markup("").join(_capital(rate)), len(rows))
    return Table(f"table-groups-{place}", title, columns, rows, folded, note)


def _margin(claims: Mapping[Any, Summary]) -> str:
    """What the claims say, without the rate's short name."""
    statement = str(next(iter(claims.values()))["statement"])
    return "m" + statement.split(" m", 1)[1] if " more than " in statement else statement


def _worse_off(summary: Summary) -> Section:
    return Section(
        "worse-off",
        "Who is worse off, and where data runs out",
        [*_worse_table(summary), *_levels_table(summary), *_gaps(summary)],
    )


def _worse_table(summary: Summary) -> list[Any]:
    found = summary["worse_off"]
    if not found:
        return [
            Text(
                Markup("No group, at any level of the lattice, is worse off than everyone else beyond noise.")
            )
        ]
    rows = [
        [
            group_name(w["group"]),
            rate_name(w["measure"]),
            whole(w["n"]),
            number(w["rate"]),
            number(w["difference"]["value"], signed=True),
            *interval_cells(w["difference"]["low"], w["difference"]["high"], signed=True),
            verdict("hidden", tone="bad") if w["hidden"] else Markup(),
        ]
        for w in found
    ]
    columns = [
        Column("group"),
        Column("rate"),
        *(Column(t, "number") for t in ("rows", "value", "difference", "low", "high")),
        Column("hidden?"),
    ]
    note = Markup(
        "Groups of any level whose rate lies below that of everyone else; the intervals hold together. "
        "Hidden: no coarser group that contains it shows the gap, so looking at one attribute after the "
        "other misses it."
    )
    title = Markup("{:,} {} beyond noise").format(
        len(found), "group is worse off" if len(found) == 1 else "groups are worse off"
    )
    return [Table("table-worse", title, columns, rows, note=note)]


def _levels_table(summary: Summary) -> list[Any]:
    rows = [
        [
            group_name(g["group"]),
            rate_name(rate),
            str(depth),
            whole(g["n"]),
            number(g["rate"]),
            *interval_cells(g["low"], g["high"]),
            (g["low"], g["rate"], g["high"]),
        ]
        for rate, path in summary["levels"].items()
        for depth, g in enumerate(path)
        if g["rate"] is not None
    ]
    columns = [
        Column("group"),
        Column("rate"),
        *(Column(t, "number") for t in ("attributes fixed", "rows", "value", "low", "high")),
        Column("0 to 1", "bar"),
    ]
    title = Markup("The lowest group at every level, from everyone to the leaves")
    note = Markup("The intervals allow for having picked the lowest of its level.")
    return [Table("table-levels", title, columns, rows, folded=True, note=note)] if rows else []


def _gaps(summary: Summary) -> list[Any]:
    """Where data runs out: empty and small groups, rates that are undefined, rows left out."""
    items = []
    empty = summary["empty_groups"]
    if empty["n"]:
        items.append(_some("Groups without rows", empty["first"], empty["n"]))
    for action in sorted({s["action"] for s in summary.get("small_groups", ())}):
        small = [s["group"] for s in summary["small_groups"] if s["action"] == action]
        what = f"Groups with fewer than {summary['settings']['min_size']:,} rows, {action}"
        items.append(_some(what, small, len(small)))
    for rate, measure in summary["measures"].items():
        if measure["undefined"]:
            what = Markup("Without a row that the {} is about, so undefined").format(rate_name(rate))
            items.append(_some(what, measure["undefined"], len(measure["undefined"])))
    if summary.get("excluded"):
        items.append(
            Markup("Left out because an attribute is missing: {}.").format(rows_word(summary["excluded"]))
        )
    return [Heading(Markup("Where data runs out")), Items(items)] if items else []


def _some(what: Any, groups: Any, n: int, most: int = 12) -> Markup:
    told = Markup("; ").join(group_name(g) for g in list(groups)[:most])
    more = Markup("; and {:,} more").format(n - most) if n > most else ""
    return Markup("{} ({:,}): {}{}.").format(what, n, told, more)


def _unfairness(summary: Summary) -> Section:
    alpha = f"IF{summary['settings']['alpha']:g}"
    rows = [
        [
            rate_name(n.replace("_", " ") if n in summary["notions"] else n),
            kind.upper() if kind == "df" else alpha,
            *_disparity(d),
        ]
        for n, m in [*summary["notions"].items(), *summary["measures"].items()]
        for kind in ("if", "df")
        for d in [m[kind]]
    ]
    columns = [
        Column("rate or notion"),
        Column("measure"),
        *(Column(t, "number") for t in ("value", "corrected", "low", "high", "p")),
    ]
    note = Markup(
        "Small is fair, for both. DF is the largest log ratio of two groups' rates; {} weighs how badly the "
        "worse of two groups fares against how far they are apart. Small groups make both too large; the "
        "corrected figure and its interval allow for that. p: how likely such differences are if all groups "
        "are alike."
    ).format(alpha)
    table = Table("table-measures", Markup("Unfairness by rate and notion"), columns, rows, note=note)
    return Section("unfairness", "Unfairness in figures", [table, *_pairs_table(summary, alpha)])


def _disparity(d: Summary | None) -> list[str]:
    if d is None:
        return ["–"] * 5
    return [
        number(d["value"]),
        number(d.get("corrected")),
        number(d["low"]),
        number(d["high"]),
        p_value(d.get("p_value")),
    ]


def _pairs_table(summary: Summary, alpha: str) -> list[Any]:
    rows = [
        [
            rate_name(p["measure"]),
            group_name(p["worse"]),
            group_name(p["better"]),
            number(p["df"]),
            *interval_cells(p["df_low"], p["df_high"]),
            number(p["if"]),
            *interval_cells(p["if_low"], p["if_high"]),
        ]
        for p in summary["pairs"]
    ]
    titles = ("DF", "DF low", "DF high", alpha, f"{alpha} low", f"{alpha} high")
    columns = [
        Column("rate"),
        Column("worse off"),
        Column("better off"),
        *(Column(t, "number") for t in titles),
    ]
    note = Markup("The intervals of all pairs of a rate hold together. ∞: the data set no limit.")
    title = Markup("Pairs of groups furthest apart")
    return [Table("table-pairs", title, columns, rows, folded=True, note=note)] if rows else []


_SCORES = (Kind("", BLUE), Kind(f"fewer than {TINY} rows", GREY, "circle", filled=False))


def scores_section(summary: Summary) -> Section | None:
    """How well the scores rank every group, and whether they can be taken at their word."""
    scores = summary.get("scores")
    if not scores:
        return None
    intro = Markup(
        "AUC: how often the score ranks a positive above a negative of the same group; 0.5 is guessing. "
        "Calibration: mean score minus share of positives; above 0 the score promises too much."
    )
    ranked = sorted((s for s in scores if s["auc"] is not None), key=lambda s: (s["auc"], -s["n"]))
    figures = [Figure(_score_chart(summary, ranked, "auc"))] if ranked else []
    off = sorted(scores, key=lambda s: -abs(s["calibration"]))
    figures.append(Figure(_score_chart(summary, off, "calibration")))
    rows = [
        [
            *group_cells(summary, s["group"]),
            whole(s["n"]),
            whole(s["n_positive"]),
            number(s["auc"]),
            *interval_cells(s["auc_low"], s["auc_high"]),
            number(s["calibration"], signed=True),
            *interval_cells(s["calibration_low"], s["calibration_high"], signed=True),
            number(s["ece"]),
        ]
        for s in scores
    ]
    titles = ("rows", "positives", "AUC", "low", "high", "calibration", "low", "high", "ECE")
    columns = [*group_columns(summary), *(Column(t, "number") for t in titles)]
    table = Table("table-scores", Markup("Scores of every group"), columns, rows, folded=True)
    return Section("scores", "Scores", [Text(intro), *figures, table])


def _score_chart(summary: Summary, scores: list[Summary], what: str) -> Any:
    reach = max(max(abs(s[f"{what}_low"]), abs(s[f"{what}_high"])) for s in scores[:MOST_ROWS])
    domain = (0.0, 1.0) if what == "auc" else (-max(round(reach, 3), 0.05), max(round(reach, 3), 0.05))
    words = "AUC" if what == "auc" else "mean score minus share of positives"
    rows = [
        Row(
            label=group_text(s["group"], levels_only=True, most=44),
            value=s[what],
            low=s[f"{what}_low"],
            high=s[f"{what}_high"],
            told=f"{group_text(s['group'], most=200)}\n{words} {number(s[what], signed=what != 'auc')}, "
            f"{range_text(s[f'{what}_low'], s[f'{what}_high'])}\n{rows_word(s['n'])}",
            kind=int(s["n"] < TINY),
            end=whole(s["n"]),
        )
        for s in scores[:MOST_ROWS]
    ]
    title = (
        "How well the score ranks, lowest first" if what == "auc" else "How far the score is off, most first"
    )
    less = f" The first {MOST_ROWS} of {len(scores):,}." if len(scores) > MOST_ROWS else ""
    about = f"Lines are {percent(summary['settings']['confidence'])} intervals; the dashed line is "
    about += ("guessing." if what == "auc" else "a score that can be taken at its word.") + less
    heads = cut(" · ".join(undirected(cut(shown(a["name"]), 20)) for a in summary["attributes"]), 44)
    reference = 0.5 if what == "auc" else 0.0
    return row_chart(
        f"scores-{what}",
        title,
        about,
        rows,
        _SCORES,
        axis=words,
        label_title=heads,
        domain=domain,
        reference=reference,
    )
