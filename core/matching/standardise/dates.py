"""Dates as people write them, to integers yyyymmdd; absent parts are 00.

Accepted: YYYY-MM-DD, YYYY/MM/DD, YYYYMMDD, MM/DD/YYYY, DD/MM/YYYY, DD-MM-YYYY, DD.MM.YYYY, YYYY-MM and YYYY; with the
name of a month in eight languages "12 Mar 1990", "May 4th, 1985", "5 de mayo de 1985", "1er août 1985", "1985 May 4"
and "mai 1985". A time, a zone and a day of the week are ignored. Which of day and month comes first in NN/NN/YYYY and
NN-NN-YYYY is decided once per column; a value that exists only in the other order is read in that one. With full stops
the day is first always. Years of two digits and day numbers of a spreadsheet are read by `readings`, of a whole column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.standardise.date_forms import (
    IMPOSSIBLE,
    READ,
    SHORT,
    SHORT_YEAR,
    YEAR_LAST,
    parse_distinct,
    tidy,
)
from core.matching.text.string_views import TextChunk, byte_at, text_address, text_chunks, text_length


@dataclass(frozen=True, slots=True)
class OrderEvidence:
    """What the values of a column say about the order of their parts.

    Values NN/NN/YYYY, NN-NN-YYYY or with two digits of year, whose first (second) part exceeds 12, and those that fit
    both orders; and values of three times two digits whose first (last) part exceeds 31, so that it is the year.
    """

    n_day_first: int = 0
    n_month_first: int = 0
    n_either: int = 0
    n_year_first: int = 0
    n_year_last: int = 0

    def __add__(self, other: OrderEvidence) -> OrderEvidence:
        return OrderEvidence(
            self.n_day_first + other.n_day_first,
            self.n_month_first + other.n_month_first,
            self.n_either + other.n_either,
            self.n_year_first + other.n_year_first,
            self.n_year_last + other.n_year_last,
        )

    @property
    def day_first(self) -> bool:
        """The day comes first if any value says so and not more say the contrary."""
        return self.n_day_first > 0 and self.n_day_first >= self.n_month_first

    @property
    def short_year_first(self) -> bool:
        """Of three times two digits the first are the year."""
        return self.n_year_first > self.n_year_last


class Survey(NamedTuple):
    """What a column of dates says.

    status: (n,) UInt8, which does not depend on the order. month_first, day_first: (n,) i32 yyyymmdd in either order, 0
    where there is none; a year of two digits is put in this century, a day number is the day it counts.
    """

    status: pl.Series
    evidence: OrderEvidence
    month_first: NDArray[np.int32]
    day_first: NDArray[np.int32]


def parse_dates(texts: pl.Series, day_first: bool) -> tuple[pl.Series, pl.Series]:
    """Read a column of dates.

    Args:
        texts: (n,) String; null is absent.
        day_first: the column's order of NN/NN/YYYY and NN-NN-YYYY.
    Returns:
        (n,) Int32 yyyymmdd, absent month or day 00, null where there is no readable date; a date that does not exist
        keeps its digits, for they are keying errors to be compared digit by digit. And (n,) Boolean: the value is
        written as a date that does not exist, or its year has two digits.
    Cost: 10 ns a value YYYY-MM-DD; of other forms 0.15 us where values repeat, 2 us per distinct value.
    """
    read = read_dates(texts, day_first)
    return read["date"], read["status"].is_in([IMPOSSIBLE, SHORT_YEAR])


def read_dates(texts: pl.Series, day_first: bool) -> pl.DataFrame:
    """(n,) `date` as in `parse_dates`, and `status` UInt8: READ (also when absent) to DAY_NUMBER."""
    column = texts.cast(pl.String).rename("text")
    dates, left = _iso(column)
    present, status = dates != 0, np.zeros(len(column), dtype=np.uint8)
    if left.any():
        rest = column.filter(left)
        parsed = _spread(rest, parse_distinct(rest.unique(), day_first))
        present[left] = parsed["date"].is_not_null().to_numpy()
        dates[left] = parsed["date"].fill_null(0).to_numpy()
        status[left] = parsed["status"].to_numpy()
    read = pl.DataFrame({"date": dates, "status": status, "present": present})
    return read.select(pl.when("present").then("date").alias("date"), "status")


def survey_dates(texts: pl.Series) -> Survey:
    """Status, order and dates of a column in one walk. Cost: as `parse_dates`, twice for other forms."""
    column = texts.cast(pl.String).rename("text")
    dates, left = _iso(column)
    status = np.zeros(len(column), dtype=np.uint8)
    if not left.any():
        return Survey(pl.Series("status", status), OrderEvidence(), dates, dates)
    rest = column.filter(left)
    distinct, both = rest.unique(), []
    for day_first in (False, True):
        parsed = _spread(rest, parse_distinct(distinct, day_first))
        both.append(dates.copy())
        both[-1][left] = parsed.select(pl.coalesce("likely", "date").fill_null(0)).to_series().to_numpy()
    status[left] = parsed["status"].to_numpy()
    return Survey(pl.Series("status", status), _evidence(rest, distinct), *both)


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
    """Whether that day exists, or the day, or day and month, are 0. Twin of `date_forms.date_of`."""
    long = 31
    if month == 2:
        long = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    elif month in (4, 6, 9, 11):
        long = 30
    return year >= 1 and month <= 12 and day <= long and (month > 0 or day == 0)


def _evidence(column: pl.Series, distinct: pl.Series) -> OrderEvidence:
    told = distinct.filter(distinct.str.contains(r"^\s*\d{1,2}\s*[-/. ]").fill_null(False))
    if not len(told):
        return OrderEvidence()
    counted = column.to_frame().join(told.to_frame(), on="text", how="semi")["text"].value_counts(name="n")
    bare = counted.select("n", bare=tidy(pl.col("text")))
    texts = (bare.select("n", p=pl.col("bare").str.extract_groups(rule)).unnest("p") for rule in (YEAR_LAST, SHORT))
    parts = pl.concat(each.with_columns(short=pl.lit(short)) for each, short in zip(texts, (False, True), strict=True))
    parts = parts.filter(pl.col("s").is_not_null())
    a, b, year = pl.col("a").cast(pl.Int32), pl.col("b").cast(pl.Int32), pl.col("y").cast(pl.Int32)
    told_by, n = pl.col("s") != ".", pl.col("n")
    sums = parts.select(
        day=n.filter(told_by & (a > 12) & (a <= 31) & (b <= 12)).sum(),
        month=n.filter(told_by & (a <= 12) & (b > 12)).sum(),
        either=n.filter(told_by & (a <= 12) & (b <= 12) & (a != b)).sum(),
        year_first=n.filter(pl.col("short") & (a > 31)).sum(),
        year_last=n.filter(pl.col("short") & (year > 31)).sum(),
    ).row(0)
    return OrderEvidence(*(int(value) for value in sums))


def _spread(column: pl.Series, parsed: pl.DataFrame) -> pl.DataFrame:
    joined = column.to_frame().join(parsed, on="text", how="left", maintain_order="left")
    return joined.select("date", pl.col("status").fill_null(READ), "likely")
