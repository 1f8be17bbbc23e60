"""Numbers written as text: thousands, currencies, percent, a decimal comma.

A column is numbers if one way of writing explains all of its texts. ``37,4`` can only be a decimal comma;
``3,740`` in every row is read as thousands, which the note on it says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairlattice._validation import check_choice

_CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RUB|TRY|BRL|MXN|ZAR|KRW"
_SIGNS = rf"(?:(?:R|US|A|AU|C|CA|NZ|HK|S|NT|MX)?\$|[€£¥₹₽₩₺₴₦฿₫₪]|kr\.?|zł|Fr\.?|Rs\.?|Rp\.?|R(?= )|{_CODES})"
_BEFORE = re.compile(rf"^([+-]?)\s*{_SIGNS}\s*(?=[+\-\d.,(])")
_AFTER = re.compile(rf"(?<=[\d.,)])\s*{_SIGNS}$")
_GROUPED = re.compile(r"^([+-]?[1-9]\d{0,2})((?:[\s\u00a0\u202f\u2009'’]\d{3})+)(?=$|[.,]\d+$)")
_BY_DECIMAL = {
    ".": (
        re.compile(r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"),
        re.compile(r"^[+-]?[1-9](?:\d{0,2}(?:,\d{3})+|\d?(?:,\d{2})+,\d{3})(?:\.\d*)?$"),  # also 12,34,567
    ),
    ",": (
        re.compile(r"^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$"),
        re.compile(r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?$"),
    ),
}
_MINUS_BEHIND = re.compile(r"^[\d.,]+-$")
_WITH_ZEROS = re.compile(r"^0\d+(\.\d+)*$")


@dataclass(frozen=True)
class NumberFormat:
    """How a column writes its numbers.

    Parameters
    ----------
    decimal : {".", ","}
        The decimal mark.
    percent : bool
        Whether every number is in per cent; they are divided by 100.
    """

    decimal: str = "."
    percent: bool = False

    def number(self, text: str) -> float | None:
        """The number that a tidy text means, or None."""
        bare = _bare(text)
        if self.percent:
            if not bare.endswith("%"):
                return None
            bare = bare[:-1].rstrip()
        value = _value(bare, self.decimal)
        return value if value is None or not self.percent else value / 100.0


def check_decimal(decimal: str | None) -> str | None:
    """The decimal mark, if it is one."""
    return None if decimal is None else check_choice("decimal", decimal, tuple(_BY_DECIMAL))


def number_format(texts: Sequence[str], decimal: str | None = None) -> NumberFormat | None:
    """The one way of writing that explains all of some distinct tidy texts, or None.

    Parameters
    ----------
    texts : sequence of str
        At least one.
    decimal : {".", ","}, optional
        The decimal mark, where it is known.

    Examples
    --------
    >>> number_format(["$3,740", "95"]).number("$3,740")
    3740.0
    >>> number_format(["37,4", "5"]).number("37,4")
    37.4
    >>> number_format(["12", "twelve"]) is None
    True
    """
    percent = bool(texts) and all(t.endswith("%") for t in texts)
    for mark in (decimal,) if decimal else (".", ","):
        form = NumberFormat(mark, percent)
        if texts and all(form.number(t) is not None for t in texts):
            return form
    return None


def is_plain(text: str) -> bool:
    """Whether every program reads the text as the same number."""
    return _BY_DECIMAL["."][0].match(text) is not None


def could_be_decimal_comma(texts: Sequence[str]) -> bool:
    """Whether commas read as thousands could be decimal marks as well."""
    return any("," in t for t in texts) and all(_value(_bare(t).rstrip("%"), ",") is not None for t in texts)


def has_leading_zeros(text: str) -> bool:
    """Whether the text is digits that as a number would lose zeros, as the codes 00501 and 01.11."""
    return _WITH_ZEROS.match(text) is not None


def _bare(text: str) -> str:
    """Text of a number without its currency, with grouping blanks removed."""
    bare = text.replace("−", "-")
    if bare.startswith("(") and bare.endswith(")") and bare[1:2] != "-":
        bare = f"-{bare[1:-1].strip()}"
    if _MINUS_BEHIND.match(bare):
        bare = f"-{bare[:-1]}"
    bare = _AFTER.sub("", _BEFORE.sub(r"\1", bare))
    grouped = _GROUPED.match(bare)
    if grouped:
        digits = re.sub(r"\D", "", grouped[2])
        bare = grouped[1] + digits + bare[grouped.end() :]
    return bare


def _value(bare: str, decimal: str) -> float | None:
    plain, thousands = _BY_DECIMAL[decimal]
    if not plain.match(bare):
        if not thousands.match(bare):
            return None
        bare = bare.replace("." if decimal == "," else ",", "")
    value = float(bare.replace(",", "."))
    return value if abs(value) < float("inf") else None


def is_number(value: Any) -> bool:
    """Whether a value is a number, or text that Python reads as one."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
