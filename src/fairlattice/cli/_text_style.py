"""How a CSV or TSV file is written: as the file that it follows from, where both are of one kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl

from fairlattice.cli._text_files import SEPARATORS, text_layout


@dataclass(frozen=True)
class TextStyle:
    """What stands between and around values; values are in quotes only where they need them.

    Parameters
    ----------
    separator : str
        Between values.
    quoted : bool, default=True
        Whether values that hold quotes or separators are put in quotes. False where quotes are part of values, as in
        5", and no value can hold the separator.
    announced : bool, default=False
        Whether a first line such as ``sep=:`` says what separates.
    """

    separator: str
    quoted: bool = True
    announced: bool = False

    @classmethod
    def of(cls, kind: str, like: Path | None) -> TextStyle:
        """The style of a file of a kind, "csv" or "tsv", whose rows come from the text file `like`, if they do.

        A TSV file has tabs. A CSV file has the separator of a CSV file, else commas.
        """
        plain = cls(SEPARATORS[kind])
        if like is None:
            return plain
        layout = text_layout(like, "tsv" if like.suffix.lower() == ".tsv" else "csv")
        if kind == "csv" and like.suffix.lower() == ".csv":
            # Any sign can be announced, also one that an origin or a number holds.
            return cls(layout.separator, layout.quote is not None or layout.announced, layout.announced)
        return cls(plain.separator, layout.quote is not None or layout.separator != plain.separator)

    def write(self, table: pl.DataFrame | pl.LazyFrame, target: IO[bytes], *, header: bool = True) -> None:
        """Write rows to a file, below what it holds; those of a lazy frame piece by piece."""
        options: dict[str, Any] = {
            "separator": self.separator,
            "quote_style": "necessary" if self.quoted else "never",
            "include_header": header,
        }
        if header and self.announced:
            target.write(f"sep={self.separator}\n".encode())
        if isinstance(table, pl.LazyFrame):
            table.sink_csv(target, **options)
        else:
            table.write_csv(target, **options)
