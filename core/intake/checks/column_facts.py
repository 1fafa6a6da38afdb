"""What a column looks like by its values: filled, distinct, and which form nearly all of them have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from core.intake.checks.checksums import checked_as
from core.matching.standardise.dates import parse_dates
from core.matching.standardise.normalise import fold
from core.matching.standardise.numbers import number_of

Look = Literal[
    "nothing", "one value", "e-mail", "website", "date", "year", "telephone", "number", "digits", "identifier", "code",
    "category", "words",
]  # fmt: skip
DISTINCT_SEEN: Final = 5_000
"""So many different values are looked at; all are counted."""
CATEGORIES_MOST: Final = 20
_FORMS: Final[Mapping[str, str]] = {
    "e-mail": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "website": r"^(?:https?://|www\.)\S+$",
    "year": r"^(?:1\d|20)\d{2}$",
    "telephone": r"^\+?(?:[\s()/.-]*\d){7,15}$",
    "marked": r"[+()/\s-]",
    "fraction": r"\d[.,]\d{1,2}\D*$|\p{Sc}",
    "digits": r"^\d+$",
    "long": r"^\d{5,}$",
    "time": r"^\d{1,3}(?::\d{2}){1,2}$",
    "code": r"^(?:\S*\d\S*|\p{L}{0,4}[\s./-]*(?:\d[\s./-]*){5,}\p{L}{0,3})$",
}


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """Counts of a column, and shares of its distinct values.

    rows, filled, distinct: counts. words: of a value in the mean. lengths: share of the commonest length.
    forms: form -> share of distinct values that have it. checksum: by what nearly all values check, see `checked_as`.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    words: float
    lengths: float
    forms: Mapping[str, float]
    checksum: str | None

    @property
    def names_each(self) -> bool:
        """Whether every row has a value of its own."""
        return 0 < self.rows == self.filled == self.distinct

    @property
    def look(self) -> Look:
        """The most special form that nearly all values have."""
        if self.distinct < 2:
            return "one value" if self.distinct else "nothing"
        if self.checksum is not None:
            return "identifier"
        return self._form or self._plain

    @property
    def _form(self) -> Look | None:
        forms = self.forms
        mail_or_site: tuple[Look, ...] = ("e-mail", "website")
        for form in mail_or_site:
            if forms[form] >= 0.9:
                return form
        if forms["year"] >= 0.95:
            return "year"
        if forms["date"] >= 0.9:
            return "date"
        if forms["telephone"] >= 0.9 and forms["marked"] >= 0.3:
            return "telephone"
        return "number" if forms["number"] >= 0.95 and forms["fraction"] >= 0.1 else None

    @property
    def _plain(self) -> Look:
        forms, few = self.forms, self.distinct <= max(CATEGORIES_MOST, self.filled // 100)
        if few and self.words <= 2 and self.filled >= 5 * self.distinct:
            return "category"
        if forms["digits"] >= 0.95:
            named = forms["long"] >= 0.9 and self.lengths >= 0.7 and 2 * self.distinct > self.filled
            return "digits" if named else "code" if self.lengths >= 0.9 else "number"
        if forms["time"] >= 0.9:
            return "code"
        if forms["code"] >= 0.8:
            return "identifier" if 5 * self.distinct > self.filled else "code"
        return "number" if forms["number"] >= 0.95 else "words"

    @property
    def says(self) -> str:
        """Counts in a few words, without any value."""
        share = self.filled / max(self.rows, 1)
        checked = "" if self.checksum is None else f", each checks as {self.checksum}"
        return f"{share:.0%} filled, {self.distinct:,} distinct{checked}"


def facts_of(column: pl.Series) -> ColumnFacts:
    """Look at a column of text; null is absent. Cost: 1 us a row, some 20 ms for what is looked at of it."""
    known = column.drop_nulls()
    distinct = known.unique(maintain_order=True)
    seen = distinct.head(DISTINCT_SEEN).alias("text")
    forms = {name: _share(seen.str.contains(pattern)) for name, pattern in _FORMS.items()}
    forms["date"] = _share(_dates(seen))
    forms["number"] = _share(
        fold(seen).alias("text").to_frame().select(number_of(pl.col("text")).is_not_null()).to_series()
    )
    lengths = seen.str.len_chars()
    return ColumnFacts(
        name=column.name,
        rows=len(column),
        filled=len(known),
        distinct=len(distinct),
        words=float(seen.str.count_matches(r"\S+").mean() or 0.0),  # type: ignore[arg-type]
        lengths=float(lengths.value_counts()["count"].max() or 0) / max(len(seen), 1),  # type: ignore[arg-type]
        forms=forms,
        checksum=checked_as(seen.to_list()),
    )


def _dates(texts: pl.Series) -> pl.Series:
    """Which values are days of a year that people write of."""
    read, doubtful = parse_dates(texts, day_first=True)
    return (read.is_between(1000_00_00, 2199_99_99) & ~doubtful).fill_null(value=False)


def _share(values: pl.Series) -> float:
    return float(values.mean() or 0.0)  # type: ignore[arg-type]
