"""Dates as people write them, to integers yyyymmdd; absent parts are 00.

Accepted: YYYY-MM-DD and YYYY/MM/DD (a time behind it is ignored), YYYYMMDD, MM/DD/YYYY, DD/MM/YYYY, DD-MM-YYYY,
DD.MM.YYYY, "12 Mar 1990", "Mar 12, 1990", YYYY-MM and YYYY. Which of day and month comes first in NN/NN/YYYY and
NN-NN-YYYY is decided once per column; a value that exists only in the other order is read in that one. With full stops
the day is first always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.string_views import TextChunk, byte_at, text_address, text_chunks, text_length

# What became of a value, see `read_dates`
READ: Final = 0
KEYING_ERROR: Final = 1
UNREADABLE: Final = 2
IMPOSSIBLE: Final = 3
SHORT_YEAR: Final = 4

_YEAR_FIRST = r"^(?<y>\d{4})[-/.](?<m>\d{1,2})[-/.](?<d>\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?$"
_YEAR_LAST = r"^(?<a>\d{1,2})(?<s>[-/.])(?<b>\d{1,2})[-/.](?<y>\d{4})(?: \d{1,2}:\d{2}.*)?$"
_DAY_WORD = r"^(?<d>\d{1,2})[ -](?<w>[A-Za-z]{3})[A-Za-z]*\.?[ ,-]+(?<y>\d{4})$"
_WORD_DAY = r"^(?<w>[A-Za-z]{3})[A-Za-z]*\.? (?<d>\d{1,2}),? (?<y>\d{4})$"
_YEAR_MONTH = r"^(?<y>\d{4})[-/](?<m>\d{1,2})$"
_SHORT_YEAR = r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2}$"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class OrderEvidence:
    """Values NN/NN/YYYY or NN-NN-YYYY whose first (second) part exceeds 12, and those that fit both orders."""

    n_day_first: int = 0
    n_month_first: int = 0
    n_either: int = 0

    def __add__(self, other: OrderEvidence) -> OrderEvidence:
        return OrderEvidence(
            self.n_day_first + other.n_day_first,
            self.n_month_first + other.n_month_first,
            self.n_either + other.n_either,
        )

    @property
    def day_first(self) -> bool:
        """The day comes first if any value says so and not more say the contrary."""
        return self.n_day_first > 0 and self.n_day_first >= self.n_month_first


def parse_dates(texts: pl.Series, day_first: bool) -> tuple[pl.Series, pl.Series]:
    """Read a column of dates.

    Args:
        texts: (n,) String; null is absent.
        day_first: the column's order of NN/NN/YYYY and NN-NN-YYYY.
    Returns:
        (n,) Int32 yyyymmdd, absent month or day 00, null where there is no readable date; a date that does not exist
        keeps its digits, for they are keying errors to be compared digit by digit. And (n,) Boolean: the value is
        written as a date that does not exist, or its year has two digits.
    Cost: 10 ns a value YYYY-MM-DD; of other forms 0.15 us where values repeat, 1.5 us per distinct value.
    """
    read = read_dates(texts, day_first)
    return read["date"], read["status"] >= IMPOSSIBLE


def read_dates(texts: pl.Series, day_first: bool) -> pl.DataFrame:
    """(n,) `date` as in `parse_dates`, and `status` UInt8: READ (also when absent) to SHORT_YEAR."""
    column = texts.cast(pl.String).rename("text")
    dates, left = _iso(column)
    present, status = dates != 0, np.zeros(len(column), dtype=np.uint8)
    if left.any():
        rest = column.filter(left)
        parsed = _spread(rest, _parse(rest.unique(), day_first))
        present[left] = parsed["date"].is_not_null().to_numpy()
        dates[left] = parsed["date"].fill_null(0).to_numpy()
        status[left] = parsed["status"].to_numpy()
    read = pl.DataFrame({"date": dates, "status": status, "present": present})
    return read.select(pl.when("present").then("date").alias("date"), "status")


def survey_dates(texts: pl.Series) -> tuple[pl.Series, OrderEvidence]:
    """(n,) status of each value, which does not depend on the order, and what the column says about its order."""
    column = texts.cast(pl.String).rename("text")
    return read_dates(column, day_first=False)["status"], order_evidence(column)


def order_evidence(texts: pl.Series) -> OrderEvidence:
    """Count what a column says about its order of day and month. Cost: as `parse_dates`."""
    column = texts.cast(pl.String).rename("text")
    _, left = _iso(column)
    rest = column.filter(left)
    return _evidence(rest, rest.unique()) if len(rest) else OrderEvidence()


def _iso(column: pl.Series) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """(n,) yyyymmdd of every value YYYY-MM-DD, else 0; and (n,) whether there is another value."""
    dates, left = np.zeros(len(column), dtype=np.int32), np.zeros(len(column), dtype=np.bool_)
    with text_chunks(column) as chunks:
        for first, chunk in chunks:
            rows = slice(first, first + len(chunk.views))
            iso_dates(chunk, dates[rows], left[rows])
    return dates, left


@kernel
def iso_dates(chunk: TextChunk, dates: NDArray[np.int32], left: NDArray[np.bool_]) -> None:
    """Cut the form that most files have, ten bytes YYYY-MM-DD, without patterns; mark what is not of it, or no day."""
    for row in range(len(dates)):
        length = text_length(chunk, row)
        if length == 0:
            continue
        left[row] = True
        if length != 10:
            continue
        address = text_address(chunk, row)
        number, hyphens = 0, byte_at(address + 4) == 45 and byte_at(address + 7) == 45
        for place in (0, 1, 2, 3, 5, 6, 8, 9):
            digit = int(byte_at(address + place)) - 48
            hyphens = hyphens and 0 <= digit <= 9
            number = number * 10 + digit
        if hyphens and is_day(number // 10_000, number // 100 % 100, number % 100):
            dates[row] = number
            left[row] = False


@kernel
def is_day(year: int, month: int, day: int) -> bool:
    """Whether that day exists, or the day, or day and month, are 0. Twin of `_date`."""
    long = 31
    if month == 2:
        long = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    elif month in (4, 6, 9, 11):
        long = 30
    return year >= 1 and month <= 12 and day <= long and (month > 0 or day == 0)


def _evidence(column: pl.Series, distinct: pl.Series) -> OrderEvidence:
    told = distinct.filter(distinct.str.contains(r"^\s*\d{1,2}[-/]").fill_null(False))
    if not len(told):
        return OrderEvidence()
    counted = column.to_frame().join(told.to_frame(), on="text", how="semi")["text"].value_counts(name="n")
    parts = counted.select("n", p=pl.col("text").str.strip_chars().str.extract_groups(_YEAR_LAST)).unnest("p")
    parts = parts.filter(pl.col("s").is_not_null() & (pl.col("s") != "."))
    a, b = pl.col("a").cast(pl.Int32), pl.col("b").cast(pl.Int32)
    sums = parts.select(
        day=pl.col("n").filter((a > 12) & (b <= 12)).sum(),
        month=pl.col("n").filter((a <= 12) & (b > 12)).sum(),
        either=pl.col("n").filter((a <= 12) & (b <= 12) & (a != b)).sum(),
    ).row(0)
    return OrderEvidence(*(int(value) for value in sums))


def _spread(column: pl.Series, parsed: pl.DataFrame) -> pl.DataFrame:
    joined = column.to_frame().join(parsed, on="text", how="left", maintain_order="left")
    return joined.select("date", pl.col("status").fill_null(READ))


def _parse(distinct: pl.Series, day_first: bool) -> pl.DataFrame:
    """Distinct values: text, date, status."""
    known = distinct.drop_nulls().to_frame().with_columns(text_=pl.col("text").str.strip_chars())
    text = pl.col("text_")
    groups = {
        "ymd": _YEAR_FIRST,
        "aby": _YEAR_LAST,
        "dwy": _DAY_WORD,
        "wdy": _WORD_DAY,
        "ym": _YEAR_MONTH,
    }
    frame = known.select("text", "text_", **{name: text.str.extract_groups(rule) for name, rule in groups.items()})
    a, b, year_last = _part("aby", "a"), _part("aby", "b"), _part("aby", "y")
    first_is_day = (pl.col("aby").struct.field("s") == ".") | pl.lit(day_first)
    usual = pl.when(first_is_day).then(_date(year_last, b, a)).otherwise(_date(year_last, a, b))
    other = pl.when(first_is_day).then(_date(year_last, a, b)).otherwise(_date(year_last, b, a))
    in_full = pl.coalesce(
        _date(_part("ymd", "y"), _part("ymd", "m"), _part("ymd", "d")),
        usual,
        other,
        _date(_part("dwy", "y"), _month("dwy"), _part("dwy", "d")),
        _date(_part("wdy", "y"), _month("wdy"), _part("wdy", "d")),
        _date(_part("ym", "y"), _part("ym", "m"), pl.lit(0, dtype=pl.Int32)),
    )
    typed = pl.coalesce(
        _digits(_part("ymd", "y"), _part("ymd", "m"), _part("ymd", "d")),
        pl.when(first_is_day | ((a > 12) & (b <= 12)))
        .then(_digits(year_last, b, a))
        .otherwise(_digits(year_last, a, b)),
    )
    compact = pl.when(text.str.contains(r"^\d{8}$")).then(text).cast(pl.Int32)
    year_only = pl.when(text.str.contains(r"^\d{4}$")).then(text).cast(pl.Int32) * 10_000
    has_form = pl.any_horizontal(
        pl.col(name).struct.field("y").is_not_null() for name in ("ymd", "aby", "dwy", "wdy", "ym")
    )
    frame = frame.select(
        "text",
        "text_",
        date=pl.coalesce(in_full, compact, year_only, typed),
        kept=compact.is_not_null() & _date(compact // 10_000, compact // 100 % 100, compact % 100).is_null(),
        impossible=has_form & pl.coalesce(in_full, compact, year_only).is_null(),
        short=text.str.contains(_SHORT_YEAR),
    )
    status = (
        pl.when("short")
        .then(pl.lit(SHORT_YEAR))
        .when("impossible")
        .then(pl.lit(IMPOSSIBLE))
        .when((text != "") & pl.col("date").is_null())
        .then(pl.lit(UNREADABLE))
        .when("kept")
        .then(pl.lit(KEYING_ERROR))
        .otherwise(pl.lit(READ))
    )
    return frame.select("text", "date", status=status.cast(pl.UInt8))


def _part(form: str, name: str) -> pl.Expr:
    return pl.col(form).struct.field(name).cast(pl.Int32)


def _month(form: str) -> pl.Expr:
    word = pl.col(form).struct.field("w").str.to_lowercase()
    return word.replace_strict(list(_MONTHS), list(range(1, 13)), default=None, return_dtype=pl.Int32)


def _digits(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    return year * 10_000 + month * 100 + day


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """yyyymmdd if that day exists (or the day, or day and month, are 0), else null."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    long = pl.when(month == 2).then(28 + leap.cast(pl.Int32)).when(month.is_in([4, 6, 9, 11])).then(30).otherwise(31)
    exists = (year >= 1) & (month <= 12) & (day <= long) & ((month > 0) | (day == 0))
    return pl.when(exists).then(year * 10_000 + month * 100 + day).cast(pl.Int32)
