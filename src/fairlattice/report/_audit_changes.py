"""Changes in the document of an audit: against a baseline, and over time; and how well scores rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairlattice.report._audit_groups import needed_cell
from fairlattice.report._charts import BLUE, GREEN, GREY, RED, Chart, Kind
from fairlattice.report._charts_kinds import MOST_ROWS, Moment, Row, row_chart, time_chart
from fairlattice.report._document import (
    Block,
    Column,
    Figure,
    GroupName,
    Items,
    Line,
    Name,
    Section,
    Summary,
    Table,
    Text,
    table_of,
)
from fairlattice.report._words import (
    TINY,
    attributes_title,
    cut,
    group_column,
    group_text,
    label_of,
    notion_words,
    number,
    numbers,
    percent,
    range_text,
    rate_column,
    rate_name,
    rate_text,
    rows_word,
    signed_interval,
    spread,
    verdict,
    whole,
)

_MOST_CHANGES = 5
_CHANGES = (
    Kind("fell beyond noise", RED, "triangle-down"),
    Kind("rose beyond noise", GREEN, "triangle-up"),
    Kind("within noise", GREY),
)
_WORDS = (verdict("fell", tone="bad"), verdict("rose", tone="good"), verdict("within noise", tone="unsure"))
_BEFORE = Kind("before", "currentColor", "circle", filled=False)
_GUESSING = 0.5  # the AUC of scores that say nothing
_SCORES = (Kind(f"at least {TINY} rows", BLUE), Kind(f"fewer than {TINY} rows", GREY, "circle", filled=False))


def leveling_section(summary: Summary) -> Section | None:
    """Before and after: every group's rate under the baseline and now."""
    found = summary.get("leveling_down")
    if found is None:
        return None
    by_rate = Line(", ").join(Line(rate_name(r), " ", verdict(v)) for r, v in found["by_rate"].items())
    intro = Line(
        "Leveling down means: fairer by a measure, while the worst-off group fares worse than before. "
        "Verdict: {}{}. A change counts as beyond noise if its interval, which allows for all the groups "
        "looked at, leaves out 0."
    ).format(verdict(found["verdict"]), Line(" ({})").format(by_rate) if by_rate else "")
    if not found["groups"]:
        return Section("leveling", "Before and after", [Text(intro)])
    table = _change_table(summary, found, "table-leveling", "Every group, the greatest loss first")
    # Of the two, harm looks at more groups.
    items = [] if "harm" in summary else [Items(list(_changes(found, "Leveling down")), brief=True)]
    return Section("leveling", "Before and after", [Text(intro), Figure(_change_chart(found)), table, *items])


def harm_section(summary: Summary) -> Section | None:
    """Whose rate fell against the baseline, at any level of the lattice."""
    found = summary.get("harm")
    if found is None:
        return None
    by = f" by more than {found['tolerance']:g}" if found["tolerance"] else ""
    intro = Line(
        "Harm means: some group's rate fell{} against the baseline, whatever measures of fairness do. Groups of every "
        "level are looked at, and all intervals hold together: if nothing had changed, any group would be reported in "
        "at most {} of cases. Verdict: {}."
    ).format(by, percent(round(1 - summary["settings"]["confidence"], 6)), verdict(found["verdict"]))
    items = Items(list(_changes(found, "Harm")), brief=True)
    table = _change_table(summary, found, "table-harm", "Groups of every level, the greatest loss first")
    return Section(
        "harm", "Harm against the baseline", [Text(intro), items, *([table] if found["groups"] else [])]
    )


def _changes(found: Summary, title: str) -> Iterator[Line]:
    lost, gained = ([c for c in found["groups"] if c[key]] for key in ("lost", "gained"))
    yield Line("{} against the baseline: {}. Rates beyond noise: {} fell, {} rose.").format(
        title, found["verdict"], len(lost), len(gained)
    )
    for word, changes in (("Lost", lost), ("Gained", gained[::-1])):
        for c in changes[:_MOST_CHANGES]:
            yield Line("{}: {}, {} {:.3f} → {:.3f}, {}.").format(
                word,
                GroupName(c["group"]),
                rate_name(c["measure"]),
                c["before"],
                c["after"],
                signed_interval(c["difference"]),
            )


def _change_kind(c: Summary) -> int:
    return 0 if c["lost"] else 1 if c["gained"] else 2


def _short(rate: str) -> str:
    return cut(rate_text(rate), 16) if rate.startswith("recall:") else rate


def _change_tip(c: Summary) -> str:
    d = c["difference"]
    return (
        f"{group_text(c['group'], most=200)}\n{rate_text(c['measure'])} {number(c['before'])} → "
        f"{number(c['after'])}\nchange {number(d['value'], signed=True)}, "
        f"{range_text(d['low'], d['high'], signed=True)}"
    )


def _change_chart(found: Summary) -> Chart:
    """The losses, then the gains, each the greatest first; what is within noise comes last."""
    groups = sorted(found["groups"], key=lambda c: (_change_kind(c), -abs(c["difference"]["value"])))
    rows = [
        Row(
            label=f"{group_text(c['group'], levels_only=True, most=38)} {_short(c['measure'])}",
            value=c["after"],
            low=c["before"] + c["difference"]["low"],
            high=c["before"] + c["difference"]["high"],
            tip=_change_tip(c),
            kind=_change_kind(c),
            end=number(c["difference"]["value"], signed=True),
            start=c["before"],
        )
        for c in groups
    ]
    less = f" The first {MOST_ROWS} of {len(rows):,}; the table has all." if len(rows) > MOST_ROWS else ""
    return row_chart(
        "leveling",
        "What changed for every group",
        "Losses first. Hollow points are rates before, filled ones after; lines are where the data allow the "
        f"latter to be.{less}",
        rows,
        _CHANGES,
        axis="rate",
        end_title="change",
        starts=_BEFORE,
    )


def _change_table(summary: Summary, found: Summary, name: str, title: str) -> Table:
    columns = [
        group_column(summary),
        rate_column(),
        Column("rows", "whole", get="n"),
        *numbers("before", "after"),
        *spread("change", "difference"),
        Column("beyond noise?", get=lambda c: _WORDS[_change_kind(c)]),
        Column("needed", "number", get=needed_cell),
    ]
    note = Line("Needed: about how many rows would settle it, where that is a realistic number.")
    return table_of(name, Line(title), columns, found["groups"], folded=True, note=note)


def series_section(summary: Summary) -> Section | None:
    """Unfairness over periods, and what changed beyond noise."""
    series = summary.get("series")
    if series is None:
        return None
    alpha, by, notion = f"IF{summary['settings']['alpha']:g}", Name(series["by"]), series["notion"]
    figures = [
        Figure(_series_chart(series, kind, words))
        for kind, words in (("if", alpha), ("df", "DF"))
        if any(p[notion][kind] is not None for p in series["periods"])
    ]
    keys = ("corrected", "low", "high")
    nothing = dict.fromkeys(keys)
    rows = [
        [Name(p["period"]), p["n"], *((p[notion][kind] or nothing)[k] for kind in ("if", "df") for k in keys)]
        for p in series["periods"]
    ]
    columns = [
        Column(Line(by), short=str(series["by"])),
        Column("rows", "whole", "n"),
        *(
            Column(t, "number", t)
            for t in (f"{alpha} corrected", "low", "high", "DF corrected", "low", "high")
        ),
    ]
    table = Table(
        "table-series",
        Line("Unfairness ({}) by {}").format(notion_words(notion), by),
        columns,
        rows,
        folded=True,
        brief=Line("{} over time").format(notion_words(notion)),
    )
    count = len(series["changes"])
    intro = Line("By {}. Small is fair. Changes beyond noise: {:,}.").format(by, count)
    items = Items(list(_series_reading(series)), brief=True)
    blocks: list[Block] = [Text(intro), *figures, table, *changes_table(series["changes"]), items]
    return Section("series", "Over time", blocks)


def _series_chart(series: Summary, kind: str, words: str) -> Chart:
    moments = []
    for p in series["periods"]:
        d = p[series["notion"]][kind] or {"corrected": None, "low": None, "high": None}
        label = label_of(p["period"], 12)
        between = range_text(d["low"], d["high"])
        tip = f"{label}\n{words} {number(d['corrected'])}, {between}\n{rows_word(p['n'])}"
        moments.append(Moment(label, d["corrected"], d["low"], d["high"], tip))
    return time_chart(
        f"series-{kind}",
        f"Unfairness over time: {words} of {notion_words(series['notion'])}",
        "Points are figures corrected for small groups, upright lines their intervals.",
        moments,
        y_title=f"{words}, corrected",
    )


def _series_reading(series: Summary) -> Iterator[Line]:
    yield Line("Changes by {} beyond noise: {:,}.").format(Name(series["by"]), len(series["changes"]))
    for c in series["changes"][: 2 * _MOST_CHANGES]:
        rate = rate_name(c["measure"]) if c["measure"] else Line()
        what = {
            "composition": Line("share of {}").format(GroupName(c["group"])),
            "rate": Line("{} of everyone").format(rate),
            "fairness": Line("{} of {} against everyone else's").format(rate, GroupName(c["group"])),
        }[c["kind"]]
        yield Line("{}: {} {}, against {} and after.").format(
            Name(c["period"]), what, signed_interval(c["difference"]), Name(c["since"])
        )


def changes_table(changes: Sequence[Summary]) -> list[Table]:
    """What changed beyond noise, as a table; nothing where nothing did."""
    what = {
        "composition": "share of all rows",
        "rate": "rate of everyone",
        "fairness": "rate against everyone else's",
    }
    columns = [
        Column("period", get=lambda c: Name(c["period"])),
        Column("compared with, from", get=lambda c: Name(c["since"])),
        Column("what", get=lambda c: what.get(c["kind"], c["kind"])),
        rate_column(),
        Column("group", "group", get="group"),
        *spread("change", "difference"),
    ]
    return [table_of("table-changes", Line("Changes beyond noise"), columns, changes)] if changes else []


def scores_section(summary: Summary) -> Section | None:
    """How well the scores rank every group, and whether they can be taken at their word."""
    scores = summary.get("scores")
    if not scores:
        return None
    intro = Line(
        f"AUC: how often the score ranks a positive above a negative of the same group; {_GUESSING} is guessing. "
        "Calibration: mean score minus share of positives; above 0 the score promises too much."
    )
    ranked = sorted((s for s in scores if s["auc"] is not None), key=lambda s: (s["auc"], -s["n"]))
    figures = [Figure(_score_chart(summary, ranked, "auc"))] if ranked else []
    off = sorted(scores, key=lambda s: -abs(s["calibration"]))
    figures.append(Figure(_score_chart(summary, off, "calibration")))
    columns = [
        group_column(summary),
        Column("rows", "whole", get="n"),
        Column("positives", "whole", get="n_positive"),
    ]
    for title, key in (("AUC", "auc"), ("calibration", "calibration")):
        ends = {title: key, "low": f"{key}_low", "high": f"{key}_high"}
        columns += [Column(t, "number", signed=key == "calibration", get=k) for t, k in ends.items()]
    columns.append(Column("ECE", "number", get="ece"))
    scored = table_of("table-scores", Line("Scores of every group"), columns, scores, folded=True)
    items = list(_scores_reading(scores))
    more = [Items(items, brief=True)] if items else []
    return Section("scores", "Scores", [Text(intro), *more, *figures, scored])


def _scores_reading(scores: Sequence[Summary]) -> Iterator[Line]:
    ranked = [s for s in scores if s["auc"] is not None]
    if ranked:
        least = min(ranked, key=lambda s: s["auc_high"])
        guessing = "; no better than guessing" if least["auc_high"] <= _GUESSING else ""
        yield Line(
            "Ranked least well by the score, going by the upper ends of intervals: {}, AUC {:.2f} ({:.2f} to {:.2f}; "
            "{}){}."
        ).format(
            GroupName(least["group"]), least["auc"], least["auc_low"], least["auc_high"], rows_word(least["n"]),
            guessing,
        )  # fmt: skip
    off = [s for s in scores if s["calibration_low"] > 0 or s["calibration_high"] < 0]
    worst = max(off, key=lambda s: abs(s["calibration"]), default=None)
    if worst is not None:
        yield Line(
            "The score is miscalibrated beyond noise for {:,} of {:,} groups; most for {}: it promises {:.3f} too {}."
        ).format(
            len(off), len(scores), GroupName(worst["group"]), abs(worst["calibration"]),
            "much" if worst["calibration"] > 0 else "little",
        )  # fmt: skip


def _score_chart(summary: Summary, scores: list[Summary], what: str) -> Chart:
    reach = max(max(abs(s[f"{what}_low"]), abs(s[f"{what}_high"])) for s in scores[:MOST_ROWS])
    limit = max(round(reach, 3), 0.05)
    is_auc = what == "auc"
    words = "AUC" if is_auc else "mean score minus share of positives"
    rows = [
        Row(
            label=group_text(s["group"], levels_only=True, most=44),
            value=s[what],
            low=s[f"{what}_low"],
            high=s[f"{what}_high"],
            tip=f"{group_text(s['group'], most=200)}\n{words} {number(s[what], signed=not is_auc)}, "
            f"{range_text(s[f'{what}_low'], s[f'{what}_high'])}\n{rows_word(s['n'])}",
            kind=int(s["n"] < TINY),
            end=whole(s["n"]),
        )
        for s in scores[:MOST_ROWS]
    ]
    less = f" The first {MOST_ROWS} of {len(scores):,}." if len(scores) > MOST_ROWS else ""
    means = "guessing" if is_auc else "a score that can be taken at its word"
    sure = percent(summary["settings"]["confidence"])
    return row_chart(
        f"scores-{what}",
        "How well the score ranks, lowest first" if is_auc else "How far the score is off, most first",
        f"Lines are {sure} intervals; the dashed line is {means}.{less}",
        rows,
        _SCORES,
        axis=words,
        label_title=attributes_title(summary),
        domain=(0.0, 1.0) if is_auc else (-limit, limit),
        reference=_GUESSING if is_auc else 0.0,
    )
