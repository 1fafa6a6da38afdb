"""Dates in the forms people write, one by one."""

from __future__ import annotations

import polars as pl
import pytest

from core.matching.standardise.dates import (
    IMPOSSIBLE,
    KEYING_ERROR,
    READ,
    SHORT_YEAR,
    UNREADABLE,
    order_evidence,
    parse_dates,
    read_dates,
)

MONTH_FIRST = [
    ("1990-03-12", 19900312, READ),
    ("1990/3/2", 19900302, READ),
    (" 1990-03-12 ", 19900312, READ),
    ("1990-03-12T00:00:00", 19900312, READ),
    ("1990-03-12 00:00:00.000", 19900312, READ),
    ("19900312", 19900312, READ),
    ("03/12/1990", 19900312, READ),
    ("3-12-1990", 19900312, READ),
    ("31/01/1990", 19900131, READ),
    ("12.03.1990", 19900312, READ),
    ("12 Mar 1990", 19900312, READ),
    ("12 March 1990", 19900312, READ),
    ("12-MAR-1990", 19900312, READ),
    ("Mar 12, 1990", 19900312, READ),
    ("1990-03", 19900300, READ),
    ("1990", 19900000, READ),
    ("1990-00-00", 19900000, READ),
    ("2000-02-29", 20000229, READ),
    ("1900-02-29", 19000229, IMPOSSIBLE),
    ("31/02/1990", 19900231, IMPOSSIBLE),
    ("1990-13-45", 19901345, IMPOSSIBLE),
    ("31 Feb 1990", None, IMPOSSIBLE),
    ("1990-13", None, IMPOSSIBLE),
    ("19551192", 19551192, KEYING_ERROR),
    ("03/12/90", None, SHORT_YEAR),
    ("unknown", None, UNREADABLE),
    ("199003", None, UNREADABLE),
    ("", None, READ),
    (None, None, READ),
]


@pytest.mark.parametrize(("text", "date", "status"), MONTH_FIRST)
def test_read_dates_month_first(text: str | None, date: int | None, status: int) -> None:
    assert read_dates(pl.Series([text], dtype=pl.String), day_first=False).row(0) == (date, status)


@pytest.mark.parametrize(("text", "date"), [("03/12/1990", 19901203), ("01/31/1990", 19900131), ("3-4-1990", 19900403)])
def test_read_dates_day_first(text: str, date: int) -> None:
    assert read_dates(pl.Series([text]), day_first=True).row(0) == (date, READ)


def test_parse_dates_keeps_order_and_marks_what_does_not_exist() -> None:
    texts = pl.Series(["1990-01-01", None, "31/02/1990", "1990-01-01", "19551192", "1/2/90"])
    dates, invalid = parse_dates(texts, day_first=False)
    assert dates.to_list() == [19900101, None, 19900231, 19900101, 19551192, None]
    assert dates.dtype == pl.Int32
    assert invalid.to_list() == [False, False, True, False, False, True]


def test_parse_dates_empty_column() -> None:
    dates, invalid = parse_dates(pl.Series([], dtype=pl.String), day_first=False)
    assert (len(dates), len(invalid)) == (0, 0)


def test_order_evidence_counts_by_value_and_ignores_full_stops() -> None:
    texts = pl.Series(["31/01/1990", "31/01/1990", "01/31/1990", "01/02/1990", "31.01.1990", "1990-01-31", None])
    evidence = order_evidence(texts)
    assert (evidence.n_day_first, evidence.n_month_first, evidence.n_either) == (2, 1, 1)
    assert evidence.day_first
    assert not order_evidence(pl.Series(["01/02/1990"])).day_first
