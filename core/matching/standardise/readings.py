"""How a column is read where no single value can tell: decided once from all of it, then the same for every value.

A reading turns a text into what it means in its column: `03/11/48` into `03/11/1948`, `31172` into `1985-05-05`,
`1985-01-01` into `1985` where the first of January stands for a day that is not known. What comes out is read as any
other text, so all that works with a source's values sees one and the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.standardise.date_forms import (
    DAY_NUMBER,
    IMPOSSIBLE,
    KEYING_ERROR,
    SHORT,
    SHORT_YEAR,
    parse_distinct,
    plain_words,
    tidy,
)
from core.matching.standardise.dates import read_dates
from core.matching.standardise.full_names import PersonPart, person_part
from core.matching.standardise.numbers import with_comma

YEAR_MIN, YEAR_MAX = 1700, 2199
_CELLS = (YEAR_MAX - YEAR_MIN + 1, 12, 31)
# A day of the year, or of the month, is "not known" where it holds so large a share of the dated rows, over so many
# years (or months) that no family, school class or batch explains it.
UNKNOWN_DAY_SHARE: Final = 0.1
UNKNOWN_DAY_OF_MONTH_SHARE: Final = 0.25
UNKNOWN_DAY_ROWS_MIN: Final = 10
UNKNOWN_DAY_YEARS_MIN: Final = 5
UNKNOWN_DAY_MONTHS_MIN: Final = 6


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """What was decided of one column.

    latest: yyyymmdd, years of two digits are the latest that come no later; None: they are not read. year_first: of
    three times two digits the first are the year. day_numbers: five digits count days as spreadsheets do. unknown_days:
    mmdd that stand for "only the year is known"; unknown_days_of_month: for "only month and year are".
    impossible_is_missing: a date that does not exist is no evidence. point_zero: `.0` behind digits was left by a tool.
    width: digits that leading zeros were lost from. decimal_comma: of numbers that could be read either way, the comma
    divides whole from fraction. name_part: what is read of a column of whole names; surname_first: where nothing else
    tells, their first word is the surname.
    """

    latest: int | None = None
    year_first: bool = False
    day_numbers: bool = False
    unknown_days: tuple[int, ...] = ()
    unknown_days_of_month: tuple[int, ...] = ()
    impossible_is_missing: bool = False
    point_zero: bool = False
    width: int | None = None
    decimal_comma: bool = False
    name_part: PersonPart | None = None
    surname_first: bool = False

    def to_dict(self) -> dict[str, Any]:
        """What is not as usual, for JSON."""
        usual = asdict(ColumnReading())
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value != usual[name]
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ColumnReading:
        """The inverse of `to_dict`."""
        known: dict[str, Any] = {
            each.name: tuple(values[each.name]) if isinstance(values[each.name], list) else values[each.name]
            for each in fields(cls)
            if each.name in values
        }
        return cls(**known)


AS_WRITTEN: Final = ColumnReading()


def read_as(texts: pl.Series, reading: ColumnReading, day_first: bool = False) -> pl.Series:
    """The texts of a column as its reading has them.

    Args:
        texts: (n,) String. day_first: the order of day and month in the column's dates.
    Cost: nothing for a column that is read as written; for dates about 20 ns a value and 3 us a distinct value.
    """
    if reading.name_part is not None:
        texts = person_part(texts, reading.name_part, surname_first=reading.surname_first)
    if reading.point_zero:
        texts = _without_point_zero(texts)
    if reading.width is not None:
        texts = _with_zeros(texts, reading.width)
    if reading.decimal_comma:
        texts = with_comma(texts)
    if reading.latest is not None or reading.day_numbers:
        texts = _replaced(texts, reading, day_first)
    if reading.unknown_days or reading.unknown_days_of_month or reading.impossible_is_missing:
        texts = _as_known(texts, reading, day_first)
    return texts


def _without_point_zero(texts: pl.Series) -> pl.Series:
    text = pl.col(texts.name)
    # Also inside a value of several columns: `12.0 Main Street`.
    bare = text.str.replace_all(POINT_ZERO, "$1$2")
    some = text.str.contains(".0", literal=True)
    return texts.to_frame().select(pl.when(some).then(bare).otherwise(text).alias(texts.name)).to_series()


POINT_ZERO: Final = r"\b(\d+)\.0+(\s|$)"


def _with_zeros(texts: pl.Series, width: int) -> pl.Series:
    text = pl.col(texts.name)
    short = text.str.contains(rf"^\d{{{max(width - 2, 1)},{width - 1}}}$")
    return texts.to_frame().select(pl.when(short).then(text.str.zfill(width)).otherwise(text)).to_series()


def _replaced(texts: pl.Series, reading: ColumnReading, day_first: bool) -> pl.Series:
    """Short years written in full and day numbers as the day they count; all else as it stands."""
    status = read_dates(texts, day_first)["status"]
    kinds = [SHORT_YEAR, IMPOSSIBLE] if reading.latest is not None else []
    kinds += [DAY_NUMBER] if reading.day_numbers else []
    parsed = parse_distinct(texts.filter(status.is_in(kinds)).unique(), day_first)
    # A day that does not exist, in a year of two digits, keeps its digits too.
    is_short = tidy(pl.col("text")).str.contains(SHORT)
    parsed = parsed.filter((pl.col("status") != IMPOSSIBLE) | is_short)
    if not len(parsed):
        return texts
    counted = parsed["status"] == DAY_NUMBER
    written = [(parsed.filter(counted)["text"], _iso_text(parsed.filter(counted)["likely"].to_numpy()))]
    if reading.latest is not None:
        short = parsed.filter(~counted)["text"]
        written.append((short, _in_full(short, reading.latest, reading.year_first, day_first)))
    old = pl.concat(text.cast(pl.String) for text, _ in written)
    new = pl.concat(text.cast(pl.String) for _, text in written)
    return texts.replace(old, new)


def _iso_text(dates: NDArray[np.int32]) -> pl.Series:
    days = [f"{date // 10_000:04d}-{date // 100 % 100:02d}-{date % 100:02d}" for date in dates.tolist()]
    return pl.Series("text", days, dtype=pl.String)


def _in_full(short: pl.Series, latest: int, year_first: bool, day_first: bool) -> pl.Series:
    """Distinct values with two digits of year, with four: of the two centuries the later one that is not too late."""
    bare = short.to_frame("text").select(bare=tidy(pl.col("text")))
    parts = bare.select("bare", p=pl.col("bare").str.extract_groups(SHORT)).unnest("p")
    a, c = pl.col("a").cast(pl.Int32), pl.col("y").cast(pl.Int32)
    front = pl.col("s").is_not_null() & ((a > 31) | pl.lit(year_first))
    worded = plain_words(pl.col("bare"))
    last = pl.coalesce(c, worded.str.extract(r"(\d{2})$").cast(pl.Int32))

    def written(century: pl.Expr) -> pl.Expr:
        in_front = pl.format("{}-{}-{}", century + a, pl.col("b").str.zfill(2), pl.col("y").str.zfill(2))
        behind = pl.format("{}{}{}{}{}", "a", "s", "b", "s", century + c)
        return (
            pl.when(front).then(in_front)
            .when(pl.col("s").is_not_null()).then(behind)
            .otherwise(pl.format("{}{}", worded.str.replace(r"\d{2}$", ""), century + last))
        )  # fmt: skip

    year = pl.when(front).then(a).otherwise(last)
    base = latest // 1_000_000 * 100
    century = pl.when(base + year > latest // 10_000).then(base - 100).otherwise(base)
    once = parts.with_columns(century=century).with_columns(text=written(pl.col("century")))
    # In the last year itself day and month decide.
    dates = read_dates(once["text"], day_first)["date"].fill_null(0)
    earlier = pl.Series("late", dates > latest).cast(pl.Int32) * 100
    return once.with_columns(century=pl.col("century") - earlier).select(text=written(pl.col("century"))).to_series()


def _as_known(texts: pl.Series, reading: ColumnReading, day_first: bool) -> pl.Series:
    read = read_dates(texts, day_first).with_columns(text=texts)
    date, status = pl.col("date"), pl.col("status")
    exact = (status != KEYING_ERROR) & (status != IMPOSSIBLE)
    year = (date // 10_000).cast(pl.String).str.zfill(4)
    month = (date // 100 % 100).cast(pl.String).str.zfill(2)
    known: pl.Expr = (
        pl.when(exact & (date % 10_000).is_in(list(reading.unknown_days)))
        .then(year)
        .when(exact & (date // 100 % 100 > 0) & (date % 100).is_in(list(reading.unknown_days_of_month)))
        .then(pl.concat_str(year, pl.lit("-"), month))
    )
    if reading.impossible_is_missing:
        known = pl.when(status != IMPOSSIBLE).then(pl.coalesce(known, "text"))
    else:
        known = pl.coalesce(known, "text")
    return read.select(known.alias(texts.name)).to_series()


def day_counts(dates: NDArray[np.int32]) -> NDArray[np.int64]:
    """How many dates fall on each day: (years from YEAR_MIN, 12, 31); those with absent or impossible parts on none."""
    year, month, day = dates // 10_000, dates // 100 % 100, dates % 100
    whole = (year >= YEAR_MIN) & (year <= YEAR_MAX) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    cells = ((year - YEAR_MIN) * 12 + month - 1) * 31 + day - 1
    return np.bincount(cells[whole], minlength=int(np.prod(_CELLS))).reshape(_CELLS)


def unknown_days(counts: NDArray[np.int64]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Days that stand far too often to be birthdays.

    Args:
        counts: of `day_counts`, of all rows of a column.
    Returns:
        mmdd of days of the year, and days of the month.
    """
    by_day = counts.sum(axis=0)
    years = (counts > 0).sum(axis=0)
    total = int(by_day.sum())
    often = (by_day >= UNKNOWN_DAY_ROWS_MIN) & (years >= UNKNOWN_DAY_YEARS_MIN) & (by_day >= UNKNOWN_DAY_SHARE * total)
    days = tuple(int((month + 1) * 100 + day + 1) for month, day in np.argwhere(often))
    rest = np.where(often, 0, by_day)
    of_month, months = rest.sum(axis=0), (rest > 0).sum(axis=0)
    left = int(rest.sum())
    frequent = (
        (of_month >= UNKNOWN_DAY_ROWS_MIN)
        & (months >= UNKNOWN_DAY_MONTHS_MIN)
        & (of_month >= UNKNOWN_DAY_OF_MONTH_SHARE * left)
    )
    return days, tuple(int(day + 1) for day in np.flatnonzero(frequent))
