"""The document of an audit: its verdicts, who is worse off, where data runs out, unfairness in figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairlattice.metrics._shared import assumed_sentence, is_favour, rate_phrases, verdict_sentence
from fairlattice.report._audit_changes import harm_section, leveling_section, scores_section, series_section
from fairlattice.report._audit_gates import gates_section
from fairlattice.report._audit_groups import ranked_section, ratio_section
from fairlattice.report._document import (
    Answer,
    Block,
    Card,
    Column,
    Document,
    Explorer,
    GroupName,
    Heading,
    Items,
    Line,
    Name,
    Section,
    Summary,
    Table,
    Text,
    table_of,
)
from fairlattice.report._explorer import explorer_data
from fairlattice.report._method import method_section
from fairlattice.report._words import (
    STYLE,
    TINY,
    number,
    numbers,
    percent,
    rate_column,
    rate_name,
    rows_word,
    signed_interval,
    some_groups,
    spread,
    table_brief,
    verdict,
)

_MOST_LEAD = 3
_MOST_HIDDEN = 3
_MOST_LIKELY = 3
_QUESTIONS = {
    "worse_off": "Does some group fare worse than everyone else?",
    "four_fifths": "Is some group below four fifths?",
    "harm": "Was some group harmed, against the baseline?",
    "leveling_down": "Was it made fairer by leveling down?",
}
_TONES = {"yes": "bad", "no": "good", "not seen": "good"}


def document(summary: Summary) -> Document:
    """What a reader is to see of an audit."""
    data = summary["data"]
    assumed = Line(assumed_sentence(data, summary["settings"], STYLE, shell=True))
    found = [
        gates_section(summary),
        ratio_section(summary),
        ranked_section(summary),
        _explore(summary),
        _worse_off(summary),
        _unfairness(summary),
        harm_section(summary),
        leveling_section(summary),
        series_section(summary),
        scores_section(summary),
    ]
    sections = [s for s in found if s is not None and s.blocks]
    sentences = _sentences(summary)
    answer = Answer(sentences[:_MOST_LEAD], cards(summary), sentences[_MOST_LEAD:])
    return Document(
        "Fairness audit", "audit", Line(Name(data["name"])), f"{data['rows']:,} rows", answer,
        [*sections, method_section(summary)], [*_columns(data), assumed], [*table_brief(summary), assumed],
    )  # fmt: skip


def _columns(data: Summary) -> list[Line]:
    """The columns that play a part, and the date."""
    parts = [
        Line(role, " ", Name(data[role]))
        for role in ("label", "prediction", "baseline")
        if data.get(role) is not None
    ]
    parts += [Line(str(data["date"]))] if data.get("date") else []
    return [Line(" · ").join(parts)] if parts else []


def _sentences(summary: Summary) -> list[Line]:
    data, sure = summary["data"], summary["settings"]["confidence"]
    return [Line(verdict_sentence(v, data, sure, STYLE)) for v in summary["verdicts"]]


def cards(summary: Summary) -> list[Card]:
    """A card per verdict; one whose sentence leads the page says how many groups it is about."""
    pairs = zip(summary["verdicts"], _sentences(summary), strict=True)
    return [
        Card(
            v["question"],
            _question(v, summary),
            v["verdict"],
            _TONES.get(v["verdict"], "unsure"),
            _count(v, summary, sentence) if place < _MOST_LEAD else sentence,
        )
        for place, (v, sentence) in enumerate(pairs)
    ]


def _question(v: Summary, summary: Summary) -> Line:
    if v["question"] != "worse_off":
        return Line(_QUESTIONS[v["question"]])
    favour = is_favour(v["rate"], summary["data"])
    words = "Is some group wrongly favoured?" if favour else _QUESTIONS["worse_off"]
    return Line("{} ({})").format(words, rate_name(v["rate"]))


def _count(v: Summary, summary: Summary, sentence: Line) -> Line:
    """How many groups show it, of those looked at."""
    what = {
        "worse_off": "{:,} of {:,} groups, at any level, are worse off beyond noise.",
        "four_fifths": "{:,} of {:,} groups are below four fifths beyond noise.",
        "harm": "{:,} of {:,} rates of groups fell beyond noise.",
    }.get(v["question"])
    if what is None:
        return sentence
    if v["question"] == "worse_off" and is_favour(v["rate"], summary["data"]):
        what = what.replace("worse off", "wrongly favoured")
    return Line(what).format(v["count"], v["looked_at"])


def about_words(rate: str, summary: Summary) -> Line:
    """What a rate is the share of."""
    who, what = rate_phrases(rate, summary["data"], STYLE)
    return Line("of people{}, the share who {}").format(who, what)


def _explore(summary: Summary) -> Section | None:
    if not summary["attributes"] or not summary["measures"]:
        return None  # nothing to walk through
    about = {rate: about_words(rate, summary).text for rate in summary["measures"]}
    note = Line(
        "From everyone down to a single group: choose a rate, then an attribute to split by, then a group. "
        "Intervals of {} by the method below; coarser groups are sums of all of their rows.{} Fewer than {} rows "
        "are marked as tiny: what is seen there may be chance."
    ).format(
        percent(summary["settings"]["confidence"]),
        ""
        if summary["coarser"]["complete"]
        else " There are too many coarser groups for one page; those left out are marked so.",
        TINY,
    )
    return Section(
        "explore", "Explore the groups", [Text(note), Explorer(lambda: explorer_data(summary, about))]
    )


def _worse_off(summary: Summary) -> Section:
    blocks: list[Block] = [_worse_table(summary), *_levels_table(summary)]
    for rate in summary["judged"][:4]:
        lines = list(_reading(summary, rate))
        blocks += [Items(lines, brief=True)] if lines else []
    gaps = list(_gaps(summary))
    if gaps:
        blocks += [Heading(Line("Where data runs out")), Items(gaps, brief=True)]
    return Section("worse-off", "Who is worse off, and where data runs out", blocks)


def _worse_table(summary: Summary) -> Table | Text:
    found = summary["worse_off"]
    if not found:
        nobody = "No group, at any level of the lattice, is worse off than everyone else beyond noise."
        return Text(Line(nobody))
    columns = [
        Column("group", "group", get="group"),
        rate_column(),
        Column("rows", "whole", get="n"),
        Column("value", "number", get="rate"),
        *spread("difference", "difference"),
        Column("hidden?", get=lambda w: verdict("hidden", tone="bad") if w["hidden"] else Line()),
    ]
    note = Line(
        "Groups of any level whose rate lies below that of everyone else; the intervals hold together. "
        "Hidden: no coarser group that contains it shows the gap, so looking at one attribute after the "
        "other misses it."
    )
    is_worse = "group is worse off" if len(found) == 1 else "groups are worse off"
    title = Line("{:,} {} beyond noise").format(len(found), is_worse)
    return table_of("table-worse", title, columns, found, note=note)


def _levels_table(summary: Summary) -> list[Table]:
    records = [
        {**g, "measure": rate, "depth": depth}
        for rate, path in summary["levels"].items()
        for depth, g in enumerate(path)
        if g["rate"] is not None
    ]
    columns = [
        Column("group", "group", get="group"),
        rate_column(),
        Column("attributes fixed", "whole", get="depth"),
        Column("rows", "whole", get="n"),
        Column("value", "number", get="rate"),
        *numbers("low", "high"),
        Column("0 to 1", "bar", get=lambda g: (g["low"], g["rate"], g["high"])),
    ]
    title = Line("The lowest group at every level, from everyone to the leaves")
    note = Line(
        "Ranked with one person added to each group, who fares as everyone does. The intervals allow for having picked "
        "the lowest."
    )
    return [table_of("table-levels", title, columns, records, folded=True, note=note)] if records else []


def _reading(summary: Summary, rate: str) -> Iterator[Line]:
    """Who is likely the worst, who is hidden, and whether groups differ at all."""
    m, name = summary["measures"][rate], rate_name(rate)
    if m["worst"] is None:
        yield Line("No group has a row that the {} is about: undefined.").format(name)
        return
    yield Line("Lowest {} of all, with probability: {}.").format(name, _likely_worst(m["by_group"]))
    hidden = [w for w in summary["worse_off"] if w["measure"] == rate and w["hidden"]]
    for w in hidden[:_MOST_HIDDEN]:
        yield Line("Hidden from every single attribute: {}, {} {:.2f}, {} to everyone else.").format(
            GroupName(w["group"]), name, w["rate"], signed_interval(w["difference"])
        )
    path = summary["levels"].get(rate, ())
    if len(path) > 2:
        steps = Line("; ").join(
            Line("{} {:.2f} ({})").format(GroupName(g["group"]), g["rate"], rows_word(g["n"])) for g in path
        )
        yield Line("Lowest {} at every level: {}.").format(name, steps)
    if m["df"]["p_value"] >= 1 - summary["settings"]["confidence"]:
        yield Line("That groups differ in {} at all is not certain (p = {:.2f}).").format(
            name, m["df"]["p_value"]
        )


def _likely_worst(groups: list[Summary]) -> Line:
    ranked = sorted(groups, key=lambda g: -(g.get("probability_worst") or 0.0))[:_MOST_LIKELY]
    likely = [g for g in ranked if (g.get("probability_worst") or 0.0) >= 0.01]
    if not likely:
        return Line("none above .01")
    return Line("; ").join(
        Line("{} {:.2f}").format(GroupName(g["group"]), g["probability_worst"]) for g in likely
    )


def _gaps(summary: Summary) -> Iterator[Line]:
    """Where data runs out: empty and small groups, rates that are undefined, rows left out."""
    empty = summary["empty_groups"]
    if empty["n"]:
        yield _some(Line("Groups without rows"), empty["first"], empty["n"])
    small = summary.get("small_groups", ())
    for action in sorted({s["action"] for s in small}):
        mine = [s for s in small if s["action"] == action]
        what = f"Groups with fewer than {summary['settings']['min_size']:,} rows, {action}"
        parts = [
            Line(GroupName(s["group"]), " into ", GroupName(s["into"])) if s.get("into") is not None
            else Line(GroupName(s["group"]))
            for s in mine[:12]
        ]  # fmt: skip
        more = [f"and {len(mine) - 12:,} more"] if len(mine) > 12 else []
        yield Line("{} ({:,}): {}.").format(what, len(mine), Line("; ").join([*parts, *more]))
    for rate, measure in summary["measures"].items():
        if measure["undefined"]:
            what_rate = Line("Without a row that the {} is about, so undefined").format(rate_name(rate))
            yield _some(what_rate, measure["undefined"], len(measure["undefined"]))
    if summary.get("excluded"):
        yield Line("Rows left out because an attribute is missing: {}.").format(
            rows_word(summary["excluded"])
        )


def _some(what: Line, groups: Any, n: int) -> Line:
    return Line("{} ({:,}): {}.").format(what, n, some_groups(groups, n))


def _unfairness(summary: Summary) -> Section:
    alpha = f"IF{summary['settings']['alpha']:g}"
    rows = [
        [rate_name(n), *_disparity(m["if"]), *_disparity(m["df"]), (m["df"] or {}).get("p_value")]
        for n, m in [*summary["notions"].items(), *summary["measures"].items()]
    ]
    columns = [Column("rate or notion", short="rate or notion")]
    for name in (alpha, "DF"):
        ends = [Column(t, "number") for t in (f"{name} corrected", "low", "high")]
        columns += [Column(name, "number", name), Column("", "number", "corrected"), *ends]
    columns.append(Column("p", "p", "p"))
    note = Line(
        "Small is fair, for both. DF is the largest log ratio of two groups' rates; {} weighs how badly the "
        "worse of two groups fares against how far they are apart. Small groups make both too large; the "
        "corrected figure and its interval allow for that. p: how likely such differences are if all groups "
        "are alike."
    ).format(alpha)
    sure = percent(summary["settings"]["confidence"])
    brief = Line(f"unfairness, small is fair; corrected for small groups [{sure} interval]")
    title = Line("Unfairness by rate and notion")
    table = Table("table-measures", title, columns, rows, note=note, brief=brief, cut=False)
    return Section("unfairness", "Unfairness in figures", [table, *_pairs_table(summary, alpha)])


def _disparity(d: Summary | None) -> list[Any]:
    """As counted; corrected with its interval, in short; and the same apart."""
    if d is None:
        return [None] * 5
    corrected, low, high = d.get("corrected"), d["low"], d["high"]
    short = f"{number(corrected, 2)} [{number(low, 2)}, {number(high, 2)}]"
    return [d["value"], short, corrected, low, high]


def _pairs_table(summary: Summary, alpha: str) -> list[Table]:
    columns = [
        rate_column(),
        Column("worse off", "group", get="worse"),
        Column("better off", "group", get="better"),
    ]
    for title, key in (("DF", "df"), (alpha, "if")):
        ends = {title: key, f"{title} low": f"{key}_low", f"{title} high": f"{key}_high"}
        columns += [Column(t, "number", get=k) for t, k in ends.items()]
    note = Line("The intervals of all pairs of a rate hold together. ∞: the data set no limit.")
    caption, pairs = Line("Pairs of groups furthest apart"), summary["pairs"]
    return [table_of("table-pairs", caption, columns, pairs, folded=True, note=note)] if pairs else []
