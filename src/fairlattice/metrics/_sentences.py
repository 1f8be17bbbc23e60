"""An audit's answers in words of the task: "Of women with repaid = yes, 67 % got approved = yes, against 80 % …".

The words come from the columns' names and values. They are written once, for plain text and for HTML alike: a
:class:`Style` says how a group and a value look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairlattice.groups import show_group
from fairlattice.groups._shared import show_level
from fairlattice.metrics._needed import LEAST_ROWS as TINY

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Style:
    """How sentences are made.

    Parameters
    ----------
    text : callable
        Makes the template: :class:`str`, or a class of which ``format`` escapes what is filled in.
    group, value : callable
        Show a group, and a name or level.
    """

    text: Callable[[str], Any]
    group: Callable[[Any], Any]
    value: Callable[[Any], Any]


PLAIN = Style(str, show_group, show_level)


def notion_words(notion: str) -> str:
    """A notion, or a rate, in words."""
    return notion.replace("_", " ")


def assumed_sentence(data: Plain, settings: Plain, style: Style = PLAIN, *, shell: bool = False) -> Any:
    """What is to be equal, and which outcome is good; and which was assumed, as the shell or Python names it."""
    sign = "--" if shell else ""
    assumed = {key: f" (assumed; set {sign}{key})" for key in settings.get("assumed", ())}
    notion = style.text("Notion: {}{}.").format(notion_words(settings["notion"]), assumed.get("notion", ""))
    if settings["favourable"] is None:
        return notion
    good = style.text(" Good for people: {}{}.").format(
        _outcome(data, settings["favourable"], style),
        assumed.get("favourable", ""),
    )
    return notion + good


def verdict_sentence(verdict: Plain, data: Plain, confidence: float, style: Style = PLAIN) -> Any:
    """A verdict's sentence.

    Parameters
    ----------
    verdict : mapping
        A :class:`Verdict` as plain data.
    data : mapping
        Names and values of the task: label, prediction, positive, positive_prediction, classes.
    confidence : float
        Of the interval.
    """
    if verdict["question"] == "leveling_down":
        return style.text(_LEVELING[verdict["verdict"]])
    if verdict["group"] is None:
        return style.text("No group can be compared: none has rows that the question is about.")
    parts = {"worse_off": _worse, "four_fifths": _ratio, "harm": _harm}
    return parts[verdict["question"]](verdict, data, f"{100 * confidence:g} %", style)


_LEVELING = {
    "yes": "Leveling down: it looks fairer than the baseline, while the worst-off group fares worse than before.",
    "not seen": "No leveling down against the baseline was seen.",
    "not enough data": "Leveling down against the baseline is not excluded: not enough data to tell.",
}


def _worse(v: Plain, data: Plain, sure: str, style: Style) -> Any:
    facts = style.text("Of {}{}, {} {}, against {} of everyone else ({}).").format(
        style.group(v["group"]), *_stated(v, data, style), _people(v)
    )
    if v["verdict"] == "yes":
        what = "wrongly favoured" if is_favour(v["rate"], data) else "worse off"
        more = _more(v["count"] - 1, "group is", "groups are", f"{what} beyond noise", style)
        gap = style.text(" Beyond noise: the gap is {} ({} interval).{}").format(
            _points(v["low"], v["high"]), sure, more
        )
        return facts + gap
    if v["verdict"] == "no":
        head = style.text(
            "No group's gap to everyone else is above 5 points. The largest that the data allow: "
        )
        return head + facts
    does = "is favoured" if is_favour(v["rate"], data) else "fares worse"
    unsure = " Not enough data to tell whether a group {}{}."
    return facts + style.text(unsure).format(does, _needed(v, style))


def _stated(v: Plain, data: Plain, style: Style) -> tuple[Any, Any, Any, Any]:
    """Who, which share, of what, and the share of the others; errors in people's favour as the share that has them."""
    who, what = rate_phrases(v["rate"], data, style)
    if not is_favour(v["rate"], data):
        return who, percent(v["value"]), what, percent(v["other"])
    got = style.text("got {} all the same").format(_outcome(data, data["favourable"], style))
    return who, percent(1 - v["value"]), got, percent(1 - v["other"])


def is_favour(rate: str, data: Plain) -> bool:
    """Whether a low rate means that people get the favourable outcome undeservedly: an error in their favour."""
    good, classes = data.get("favourable"), data["classes"]
    if good is None:
        return False
    if rate == "tnr":
        return bool(good == data["positive"])
    if rate == "tpr":
        return bool(good != data["positive"])
    kind, _, wanted = rate.partition(":")
    return (kind == "specificity" and wanted == str(good)) or (
        kind == "recall" and wanted != str(good) and len(classes) == 2
    )


def _ratio(v: Plain, data: Plain, sure: str, style: Style) -> Any:
    _, what = rate_phrases(v["rate"], data, style)
    against = (
        style.text("everyone else")
        if v["against"] is None
        else style.text("{}").format(style.group(v["against"]))
    )
    template = "Of {}, {} {}, against {} of {}: a ratio of {:.2f} ({} interval {:.2f} to {}; {})."
    facts = style.text(template).format(
        style.group(v["group"]), percent(v["value"]), what, percent(v["other"]), against, v["estimate"], sure,
        v["low"], _end(v["high"]), _both(v["n"], v["other_n"]),
    )  # fmt: skip
    return facts + _ratio_answer(v, style) + _few_in_reference(v, style)


def _ratio_answer(v: Plain, style: Style) -> Any:
    if v["verdict"] == "yes":
        more = _more(v["count"] - 1, "group is", "groups are", "below four fifths", style)
        return style.text(" Below four fifths, beyond noise.{}").format(more)
    if v["verdict"] == "no":
        return style.text(" No group is below four fifths.")
    return style.text(" Not enough data to tell whether a group is below four fifths.")


def _few_in_reference(v: Plain, style: Style) -> Any:
    """That the ratio is to the rate of few people; its interval is not, since it holds whichever group is the best."""
    if v["against"] is None or v["other_n"] >= TINY:
        return style.text("")
    return style.text(
        " The reference group has only {}: the interval and the verdict allow for that, the ratio does not. "
        "Leave out small groups by `min_share` (--min-share), or name a larger one as `reference` (--reference)."
    ).format(_counted(v["other_n"]))


def _harm(v: Plain, data: Plain, sure: str, style: Style) -> Any:
    who, what = rate_phrases(v["rate"], data, style)
    by = f" by more than {100 * -v['limit']:g} points" if v["limit"] else ""
    template = "Of {}{}, {} {}, against {} under the baseline (change {} points, {} interval {} to {}; {})."
    facts = style.text(template).format(
        style.group(v["group"]), who, percent(v["value"]), what, percent(v["other"]),
        *_signed(v["estimate"]), sure, *_signed(v["low"], v["high"]), _counted(v["n"]),
    )  # fmt: skip
    if v["verdict"] == "yes":
        head = style.text("{} fell{} beyond noise. ").format(_rates(v["count"]), by)
        return head + facts
    if v["verdict"] == "no":
        return style.text("No group's rate fell{}. ").format(by) + facts
    if v["estimate"] >= 0:
        head = "No group's rate is lower than under the baseline, as counted; not enough data to exclude that one is. "
        return style.text(head) + facts
    unsure = " Not enough data to tell whether a rate fell{}{}."
    return facts + style.text(unsure).format(by, _needed(v, style))


def rate_phrases(rate: str, data: Plain, style: Style = PLAIN) -> tuple[Any, Any]:
    """Whom a rate is about, and what it is the share of: `` with repaid = yes`` and ``got approved = yes``."""
    kind, _, wanted = rate.partition(":")
    classes, positive = list(data["classes"]), data["positive"]
    known = {"tpr": "recall", "tnr": "specificity", "selection_rate": "selection", "ppv": "precision"}
    others = [c for c in classes if c != positive]
    if rate == "accuracy":
        return style.text(""), style.text("are predicted rightly")
    level: Any = positive
    if wanted:
        level = next((c for c in classes if str(c) == wanted), wanted)
    elif rate in ("tnr", "npv") and len(others) == 1:  # of two classes, the other one's recall and precision
        kind, level = {"tnr": "recall", "npv": "precision"}[rate], others[0]
    kind = known.get(kind, kind)
    label = style.text("{} = {}").format(style.value(data["label"]), style.value(level))
    got = _outcome(data, level, style)
    if kind == "recall":
        return style.text(" with {}").format(label), style.text("got {}").format(got)
    if kind == "selection":
        return style.text(""), style.text("got {}").format(got)
    if kind == "precision":
        return style.text(" who got {}").format(got), style.text("have {}").format(label)
    if kind == "specificity":
        return style.text(" without {}").format(label), style.text("did not get {}").format(got)
    return style.text(" who did not get {}").format(got), style.text("do not have {}").format(label)


def percent(share: float | None) -> str:
    """A share in whole percent; in tenths where it is near 0 or 1."""
    if share is None:
        return "–"
    digits = 1 if 0 < share < 0.0995 or 0.995 <= share < 1 else 0
    return f"{100 * share:.{digits}f} %"


def needed_words(needed: Plain | None) -> str:
    """A range of rows that would tell, or nothing."""
    return "" if needed is None else f"about {needed['low']:,} to {needed['high']:,}"


def _outcome(data: Plain, level: Any, style: Style) -> Any:
    """A prediction by its column and value; the other of two, where predictions are spelled unlike labels."""
    spelled, column = data.get("positive_prediction"), style.value(data["prediction"])
    if spelled is None:
        return style.text("{} = {}").format(column, style.value(level))
    sign = "=" if level == data["positive"] else "≠"
    return style.text("{} {} {}").format(column, sign, style.value(spelled))


def _people(v: Plain) -> str:
    n = f"{v['n']:,.0f}"
    return f"{n} of them" if v["n"] == v["rows"] else f"{n} such {_noun(v['n'])} of {v['rows']:,.0f}"


def _counted(n: float) -> str:
    return f"{n:,.0f} {_noun(n)}"


def _both(first: float, second: float) -> str:
    """Two numbers of people, with one noun if that suits both."""
    alike = _noun(first) == _noun(second) == "people"
    return f"{first:,.0f} and {_counted(second)}" if alike else f"{_counted(first)} and {_counted(second)}"


def _noun(n: float) -> str:
    return "person" if round(n) == 1 else "people"


def _needed(v: Plain, style: Style) -> Any:
    """About how many would tell; or that no realistic number would, or that it cannot be said."""
    needed = v["needed"]
    if needed is not None:
        gap = abs(100 * needed["difference"])
        return style.text(": {} such people would tell, if the gap stays at {:.0f} points").format(
            needed_words(needed), gap
        )
    if v["n"] < TINY:
        few = f"{_counted(v['n'])} {'is' if _noun(v['n']) == 'person' else 'are'}"
        return style.text(": {} too few to say how many would").format(few)
    return style.text(", and no realistic amount would tell")


def _points(low: float, high: float) -> str:
    """How far below, in points."""
    return f"{max(-100 * high, 0.0):.0f} to {-100 * low:.0f} points"


def _signed(*values: float) -> list[str]:
    return [f"{100 * v:+.0f}" for v in values]


def _end(value: float) -> str:
    return f"{value:.2f}" if value < 100 else "any"


def _rates(n: int) -> str:
    return "One group's rate" if n == 1 else f"{n:,} rates of groups"


def _more(n: int, one: str, many: str, what: str, style: Style) -> Any:
    return (
        style.text("") if n < 1 else style.text(" {:,} more {} {}.").format(n, one if n == 1 else many, what)
    )
