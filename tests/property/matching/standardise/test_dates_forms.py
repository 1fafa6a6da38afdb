"""Any day, written in any accepted form, is read back; what is no day is marked."""

from __future__ import annotations

import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching.standardise.date_forms import (
    DAY_NUMBER,
    FILLER,
    IMPOSSIBLE,
    KEYING_ERROR,
    READ,
    SHORT_YEAR,
    UNREADABLE,
    parse_distinct,
)
from core.matching.standardise.dates import read_dates
from core.matching.standardise.month_names import MONTHS

DAYS = st.lists(st.dates(datetime.date(1000, 1, 1), datetime.date(2999, 12, 31)), min_size=1, max_size=20)
FORMS = [
    ("%Y-%m-%d", False),
    ("%Y/%m/%d", True),
    ("%Y%m%d", False),
    ("%m/%d/%Y", False),
    ("%d/%m/%Y", True),
    ("%d-%m-%Y", True),
    ("%d.%m.%Y", False),
    ("%d %b %Y", False),
    ("%b %d, %Y", True),
    ("%Y-%m-%d %H:%M:%S", False),
]


def _number(day: datetime.date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


@given(days=DAYS)
@pytest.mark.parametrize("day_first", [False, True])
def test_read_dates_reads_every_day_in_every_form(day_first: bool, days: list[datetime.date]) -> None:
    """All forms of an order in one column: one value costs nearly what a column does."""
    written = [(day.strftime(form), _number(day)) for form, order in FORMS if order == day_first for day in days]
    texts = [text for text, _ in written]
    read = read_dates(pl.Series(texts), day_first)
    assert list(zip(texts, read["date"], strict=True)) == written
    assert read["status"].unique().to_list() == [READ]


@given(st.lists(st.tuples(st.integers(1000, 2999), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=5))
def test_read_dates_agrees_with_the_calendar(dates: list[tuple[int, int, int]]) -> None:
    read = read_dates(pl.Series([_written(*date, sign) for date in dates for sign in ("", "-")]), False).rows()
    expected = []
    for date in dates:
        number, exists = int(_written(*date, "")), _exists(*date)
        expected += [(number, READ if exists else KEYING_ERROR), (number, READ if exists else IMPOSSIBLE)]
    assert read == expected


SPELLINGS = [
    (month, word) for months in MONTHS.values() for month, words in enumerate(months, 1) for word in words.split()
]
WORDED = ("{d} {w} {y}", "{d}. {w} {y}", "{w} {d}, {y}", "{d} de {w} de {y}", "{d}-{w}-{y}", "{w}. {d} {y}")


@given(st.lists(st.tuples(st.sampled_from(SPELLINGS), st.integers(1, 28), st.integers(1000, 2999)), min_size=1))
@pytest.mark.parametrize("form", WORDED)
def test_months_are_read_in_every_language_and_spelling(
    form: str, days: list[tuple[tuple[int, str], int, int]]
) -> None:
    texts = [
        spelt
        for (_, word), day, year in days
        for spelt in (form.format(d=day, w=word, y=year), form.format(d=day, w=word.upper(), y=year))
    ]
    expected = [year * 10_000 + month * 100 + day for (month, _), day, year in days for _ in range(2)]
    read = read_dates(pl.Series(texts), day_first=False)
    assert list(zip(texts, read["date"], strict=True)) == list(zip(texts, expected, strict=True))


def _written(year: int, month: int, day: int, sign: str) -> str:
    return f"{year:04}{sign}{month:02}{sign}{day:02}"


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return bool(datetime.date(year, month or 1, day or 1)) and (month > 0 or day == 0)
    except ValueError:
        return False


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_read_dates_takes_any_text(texts: list[str]) -> None:
    for text, (date, status) in zip(texts, read_dates(pl.Series(texts), False).rows(), strict=True):
        assert status == IMPOSSIBLE or (date is None) == (
            status in {UNREADABLE, SHORT_YEAR, FILLER, DAY_NUMBER} or not text.strip()
        )


@given(
    st.lists(
        st.from_regex(r"[012][0189][0-9]{2}[-/][01][0-9]-[0-3][0-9]( |)", fullmatch=True), max_size=20, unique=True
    )
)
def test_dates_cut_apart_are_those_that_patterns_find(texts: list[str]) -> None:
    read = read_dates(pl.Series(texts, dtype=pl.String), day_first=False)
    patterns = parse_distinct(pl.Series("text", texts, dtype=pl.String), day_first=False)
    assert read.rows() == patterns.select("date", "status").rows()
