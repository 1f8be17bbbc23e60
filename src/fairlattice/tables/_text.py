"""Text as it is meant: without the blanks around it, in one Unicode form; and which texts mean "not recorded"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from fairlattice.exceptions import InputError

MISSING_SPELLINGS = (
    "NA", "N/A", "n.a.", "#NA", "#N/A", "#N/A N/A", "<NA>", "NaN", "-NaN", "NaT", "null", "(null)", r"\N", "None", "?",
    "-", "--", "–", "—", ".", "..", "...", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "1.#IND", "-1.#IND",
    "1.#QNAN", "-1.#QNAN",
)  # fmt: skip
"""Texts taken as missing by default, whatever their case (``None`` only as spelled here); blanks always are."""

_AS_SPELLED = frozenset({"None"})  # "none" is as a rule a category: none of these
_MOST_SHOWN = 60
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\x00"  # a byte order mark, spaces of no width
_MEANINGLESS = re.compile(r"(?<!\d)[-–.,:/]|[-–.,:/](?!\d)|[\s;!'\"`´’_]")


def tidy(text: str) -> str:
    r"""Text without blanks and invisible signs around it, in Unicode's composed form (NFC).

    Examples
    --------
    >>> tidy(" rejected\u00a0"), len(tidy("e\u0301"))
    ('rejected', 1)
    """
    bare = text.strip()
    while bare and (bare[0] in _INVISIBLE or bare[-1] in _INVISIBLE):
        bare = bare.strip(_INVISIBLE).strip()
    return bare if bare.isascii() else unicodedata.normalize("NFC", bare)


class Missing:
    """The texts that mean "not recorded".

    Parameters
    ----------
    spellings : sequence of str, optional
        In place of :data:`MISSING_SPELLINGS`. Blanks are missing in any case.
    """

    def __init__(self, spellings: Sequence[str] | None = None) -> None:
        if isinstance(spellings, str):
            spellings = (spellings,)
        if spellings is not None and not all(isinstance(s, str | int | float) for s in spellings):
            raise InputError(f"`na` must be a sequence of texts and numbers, got {spellings!r}.")
        self.default = spellings is None
        given = [tidy(str(s)) for s in (MISSING_SPELLINGS if spellings is None else spellings)]
        self.exact = frozenset(s for s in given if not self.default or s in _AS_SPELLED)
        self.folded = frozenset(s.casefold() for s in given if self.default and s not in _AS_SPELLED)
        values = () if self.default else map(_number, given)
        self.numbers = tuple(value for value in values if value is not None)

    def among(self, texts: Iterable[str]) -> frozenset[str]:
        """Which of a column's distinct tidy texts are missing; where a plus occurs too, a minus is a level."""
        known = frozenset(texts)
        spared = {"-", "--"} if self.default and known & {"+", "++"} else set()
        return frozenset(t for t in known - spared if not t or t in self.exact or t.casefold() in self.folded)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def nearly_alike(texts: Iterable[str]) -> list[tuple[str, ...]]:
    """Texts that differ by case, blanks or punctuation only, those alike together.

    Signs that carry meaning, as in ``<=50K`` and ``>50K``, count as a difference.

    Examples
    --------
    >>> nearly_alike([">50K", ">50K.", "<=50K", "yes", "Yes"])
    [('>50K', '>50K.'), ('Yes', 'yes')]
    """
    alike: dict[str, list[str]] = {}
    for text in sorted(set(texts)):
        number = _number(text)
        bare = _MEANINGLESS.sub("", text.casefold()) if number is None else str(number)
        if bare:
            alike.setdefault(bare, []).append(text)
    return [tuple(same) for same in alike.values() if len(same) > 1]


def shown(text: str) -> str:
    """A text in quotes, of a long one the beginning."""
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…")


def said(texts: Iterable[str], most: int = 5) -> str:
    """Some texts as a person reads them: quoted, the first few."""
    ordered = sorted(texts)
    return ", ".join(map(shown, ordered[:most])) + (" …" if len(ordered) > most else "")
