"""Any day, written in any accepted form, is read back; what is no day is marked."""

from __future__ import annotations

import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching.standardise.dates import IMPOSSIBLE, KEYING_ERROR, READ, UNREADABLE, _parse, read_dates

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
@pytest.mark.parametrize(("form", "day_first"), FORMS)
def test_read_dates_reads_every_day_in_every_form(form: str, day_first: bool, days: list[datetime.date]) -> None:
    read = read_dates(pl.Series([day.strftime(form) for day in days]), day_first)
    assert read["date"].to_list() == [_number(day) for day in days]
    assert read["status"].unique().to_list() == [READ]


@given(year=st.integers(1000, 2999), month=st.integers(0, 99), day=st.integers(0, 99))
def test_read_dates_agrees_with_the_calendar(year: int, month: int, day: int) -> None:
    compact, dashed = f"{year:04}{month:02}{day:02}", f"{year:04}-{month:02}-{day:02}"
    try:
        exists = bool(datetime.date(year, month or 1, day or 1)) and (month > 0 or day == 0)
    except ValueError:
        exists = False
    number = int(compact)
    assert read_dates(pl.Series([compact]), False).row(0) == (number, READ if exists else KEYING_ERROR)
    assert read_dates(pl.Series([dashed]), False).row(0) == (number, READ if exists else IMPOSSIBLE)


@given(text=st.text(max_size=12))
def test_read_dates_takes_any_text(text: str) -> None:
    date, status = read_dates(pl.Series([text]), False).row(0)
    assert status == IMPOSSIBLE or (date is None) == (status in {UNREADABLE, 4} or not text.strip())


@given(
    st.lists(
        st.from_regex(r"[012][0189][0-9]{2}[-/][01][0-9]-[0-3][0-9]( |)", fullmatch=True), max_size=20, unique=True
    )
)
def test_dates_cut_apart_are_those_that_patterns_find(texts: list[str]) -> None:
    read = read_dates(pl.Series(texts, dtype=pl.String), day_first=False)
    patterns = _parse(pl.Series("text", texts, dtype=pl.String), day_first=False)
    assert read.rows() == patterns.select("date", "status").rows()
