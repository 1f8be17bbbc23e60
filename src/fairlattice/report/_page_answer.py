"""The answer of an audit in plain words: who is worst off, how sure that is, whether a change hurt anyone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from fairlattice.report._page_blocks import Answer, Card
from fairlattice.report._page_words import group_name, key, listed, number, percent, rate_name, rows_word

Summary = Mapping[str, Any]
UNSURE = "not enough data"


def judged_rates(summary: Summary) -> list[str]:
    """The rates that claims are about: TPR and TNR, or the first recalls."""
    measures = summary["measures"]
    binary = [r for r in ("tpr", "tnr") if r in measures]
    return binary or [r for r in measures if r.startswith("recall:")][:4] or list(measures)[:4]


def audit_answer(summary: Summary) -> Answer:
    """About two sentences, and the questions behind them."""
    cards = [_worse_card(summary), _four_fifths_card(summary)]
    lead = [_surest(summary), _lowest(summary)]
    if "leveling_down" in summary:
        lead.append(_hurt(summary["leveling_down"]))
        cards += _leveling_cards(summary["leveling_down"])
    return Answer([s for s in lead if s], [c for c in cards if c is not None])


def interval_words(g: Summary) -> Markup:
    """An interval and the rows behind it, in words."""
    return Markup("between {} and {}; {}").format(number(g["low"]), number(g["high"]), rows_word(g["n"]))


def _group_claims(summary: Summary) -> list[Summary]:
    return [c for c in summary["claims"] if c["group"] is not None]


def _surest(summary: Summary) -> Markup:
    """The group whose gap to everyone else is surely the largest, or that none can be named."""
    found = min(summary["worse_off"], key=lambda w: w["difference"]["high"], default=None)
    if found is not None:
        d, sure = found["difference"], percent(summary["settings"]["confidence"])
        return Markup(
            "<strong>Worse off beyond noise: {}.</strong> Its {} is {}, {} below that of everyone else "
            "({} interval: {} to {} below; {})."
        ).format(
            group_name(found["group"]),
            rate_name(found["measure"]),
            number(found["rate"]),
            number(-d["value"]),
            sure,
            number(max(-d["high"], 0.0)),
            number(-d["low"]),
            rows_word(found["n"]),
        )
    claims = _group_claims(summary)
    if not claims:
        return Markup("<strong>Nothing could be judged:</strong> no group has rows that the rates are about.")
    unsure = sum(c["verdict"] == UNSURE for c in claims)
    if not unsure:
        return Markup("<strong>No group was found to be worse off than everyone else</strong> beyond noise.")
    return Markup(
        "<strong>Not enough data to name a group that is worse off for sure:</strong> for {:,} of {:,} "
        "pairs of a group and a rate the rows do not suffice."
    ).format(unsure, len(claims))


def _lowest(summary: Summary) -> Markup:
    """The group whose rate is surely low, if that is not yet told, and what the claim about it says."""
    told = min(summary["worse_off"], key=lambda w: w["difference"]["high"], default=None)
    found = [
        (g["high"], rate, g)
        for rate in judged_rates(summary)
        for g in summary["measures"][rate]["by_group"]
        if g["rate"] is not None
    ]
    if not found:
        return Markup()
    _, rate, g = min(found, key=lambda f: f[:2])
    if told is not None and told["measure"] == rate and key(told["group"]) == key(g["group"]):
        return Markup()
    claim = next(
        (c for c in _group_claims(summary) if c["measure"] == rate and key(c["group"]) == key(g["group"])),
        None,
    )
    verdict = claim["verdict"] if claim is not None else UNSURE
    needed = claim["rows_needed"] if claim is not None else None
    more = Markup("; about {} would tell").format(rows_word(needed)) if needed else Markup("")
    end = {
        "yes": Markup("which is lower than everyone else's beyond noise"),
        "no": Markup("yet not far below everyone else's"),
    }.get(
        verdict,
        Markup("but that is not enough data to be sure that it fares worse than others{}").format(more),
    )
    return Markup("Surest to be low is the {} of {}: {} ({}), {}.").format(
        rate_name(rate), group_name(g["group"]), number(g["rate"]), interval_words(g), end
    )


def _worse_card(summary: Summary) -> Card:
    question = "Is some group worse off than everyone else?"
    found, claims = summary["worse_off"], _group_claims(summary)
    if found:
        hidden = sum(w["hidden"] for w in found)
        tail = f"; {hidden:,} of them no coarser group shows" if hidden else ""
        return Card(question, "yes", "bad", Markup("{:,} findings beyond noise{}.").format(len(found), tail))
    counts = {v: sum(c["verdict"] == v for c in claims) for v in ("yes", "no", UNSURE)}
    if claims and not counts["yes"] and not counts[UNSURE]:
        return Card(
            question,
            "no",
            "good",
            Markup("All {:,} claims about single groups are refuted.").format(len(claims)),
        )
    detail = "None beyond noise, but of {:,} claims about single groups only {:,} could be refuted."
    return Card(question, UNSURE, "unsure", Markup(detail).format(len(claims), counts["no"]))


def _four_fifths_card(summary: Summary) -> Card | None:
    claims = [c for c in summary["claims"] if c["group"] is None]
    if not claims:
        return None
    gravest = next((v for v in ("yes", UNSURE) if any(c["verdict"] == v for c in claims)), "no")
    told = [
        Markup("{}: {}{}").format(
            rate_name(c["measure"]),
            c["verdict"],
            Markup(" (about {} would tell)").format(rows_word(c["rows_needed"])) if c["rows_needed"] else "",
        )
        for c in claims
    ]
    tone = {"yes": "bad", "no": "good"}.get(gravest, "unsure")
    return Card(
        "Is some group's rate below four fifths of another's?", gravest, tone, Markup("; ").join(told) + "."
    )


def _hurt(found: Summary) -> Markup:
    lost, gained = ([c for c in found["groups"] if c[k]] for k in ("lost", "gained"))
    if not lost and not gained:
        return Markup("Against the baseline no group's rate changed beyond noise: not enough data to tell.")
    if not lost:
        return Markup("Against the baseline {} rose beyond noise, and none is shown to have fallen.").format(
            _rates_word(len(gained))
        )
    worst = lost[0]
    return Markup(
        "<strong>Against the baseline {} fell beyond noise and {:,} rose;</strong> most lost {}: {} {} → {}."
    ).format(
        _rates_word(len(lost)),
        len(gained),
        group_name(worst["group"]),
        rate_name(worst["measure"]),
        number(worst["before"]),
        number(worst["after"]),
    )


def _leveling_cards(found: Summary) -> list[Card]:
    groups = found["groups"]
    lost, gained = ([c for c in groups if c[k]] for k in ("lost", "gained"))
    unsure = len(groups) - len(lost) - len(gained)
    rest = f"; for {unsure:,} there is not enough data" if unsure else ""
    helped = Card(
        "Did it help anyone, against the baseline?",
        "yes" if gained else UNSURE if unsure else "no",
        "good" if gained else "unsure" if unsure else "bad",
        Markup("{} rose beyond noise{}.").format(_rates_word(len(gained)), rest),
    )
    hurt = Card(
        "Was anyone hurt?",
        "yes" if lost else UNSURE if unsure else "no",
        "bad" if lost else "unsure" if unsure else "good",
        Markup("{} fell beyond noise{}.").format(_rates_word(len(lost)), rest),
    )
    told = [Markup("{}: {}").format(rate_name(r), v) for r, v in found["by_rate"].items()]
    tone = {"yes": "bad", "not seen": "good"}.get(found["verdict"], "unsure")
    return [
        helped,
        hurt,
        Card("Was it made fairer by leveling down?", found["verdict"], tone, listed(told) + "."),
    ]


def _rates_word(n: int) -> str:
    return "no group rate" if n == 0 else f"{n:,} group rate{'' if n == 1 else 's'}"
