"""Dates in the forms people write, one by one."""

from __future__ import annotations

import polars as pl
import pytest

from core.matching.standardise.date_forms import (
    DAY_NUMBER,
    FILLER,
    IMPOSSIBLE,
    KEYING_ERROR,
    READ,
    SHORT_YEAR,
    UNREADABLE,
)
from core.matching.standardise.dates import order_evidence, parse_dates, read_dates, survey_dates

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
    ("unknown", None, FILLER),
    ("N/A", None, FILLER),
    ("-", None, FILLER),
    ("0", None, FILLER),
    ("00000000", None, FILLER),
    ("0000-00-00", None, FILLER),
    ("0000-00-00 00:00:00", None, FILLER),
    ("00/00/0000", None, FILLER),
    ("00.00.0000", None, FILLER),
    ("00/00/00", None, FILLER),
    ("99/99/9999", None, FILLER),
    ("9999-99-99", None, FILLER),
    ("9999", None, FILLER),
    ("99999999", None, FILLER),
    ("1985-05-04T00:00:00Z", 19850504, READ),
    ("1985-05-04T00:00:00.000+02:00", 19850504, READ),
    ("1985-05-04+02:00", 19850504, READ),
    ("1985-05-04Z", 19850504, READ),
    ("19850504T000000Z", 19850504, READ),
    ("05/04/1985 12:30 PM", 19850504, READ),
    ("5/4/1985, 12:30:05 p.m.", 19850504, READ),
    ("Sat May  4 00:00:00 1985", 19850504, READ),
    ("Sat May 04 1985 00:00:00 GMT+0200 (CEST)", 19850504, READ),
    ("4. 5. 1985", 19850504, READ),
    ("1985.05.04.", 19850504, READ),
    ("19850504.0", 19850504, READ),
    ("1985.0", 19850000, READ),
    ("31172", None, DAY_NUMBER),
    ("31172.0", None, DAY_NUMBER),
    ("31172.5", None, DAY_NUMBER),
    ("70000", None, UNREADABLE),
    ("4 mai 85", None, SHORT_YEAR),
    ("4-mai-85", None, SHORT_YEAR),
    ("48-11-03", None, SHORT_YEAR),
    ("31/02/90", None, IMPOSSIBLE),
    ("4 marraskuuta 1985", None, UNREADABLE),
    ("4 marxist 1985", None, UNREADABLE),
    ("perhaps 4 May 1985", None, UNREADABLE),
    ("(898) 555-2483", None, UNREADABLE),
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


WORDED = [
    "4 May 1985", "4th May 1985", "May 4th, 1985", "4th of May, 1985", "Saturday, May 4, 1985", "04MAY1985",
    "4-May-1985", "1985 May 4", "1985-May-04", "MAY 4 1985", "4. Mai 1985", "4.Mai 1985", "Samstag, 4. Mai 1985",
    "4 mai 1985",
    "samedi 4 mai 1985", "4 de mayo de 1985", "4 mayo, 1985", "4 de maio de 1985", "4 maggio 1985", "sab 4 mag. 1985",
    "4 mei 1985", "4 maja 1985 r.", "4 MAJ 1985", "4 May 1985 12:30 PM", "4 mai 1985 à 12h30",
]  # fmt: skip


@pytest.mark.parametrize("text", WORDED)
def test_read_dates_with_the_name_of_a_month(text: str) -> None:
    assert read_dates(pl.Series([text]), day_first=False).row(0) == (19850504, READ)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1er août 1985", 19850801),
        ("1ER AOUT 1985", 19850801),
        ("3 févr. 1985", 19850203),
        ("7 déc. 1985", 19851207),
        ("7 Mrz 1985", 19850307),
        ("1 Jänner 1985", 19850101),
        ("5 paź 1985", 19851005),
        ("5 października 1985", 19851005),
        ("1º de março de 1985", 19850301),
        ("juin 1985", 19850600),
        ("juillet 1985", 19850700),
        ("1985 Sept", 19850900),
        ("d'avril 1985", 19850400),
    ],
)
def test_read_dates_with_accents_short_forms_and_ordinals(text: str, date: int) -> None:
    assert read_dates(pl.Series([text]), day_first=False).row(0) == (date, READ)


def test_survey_dates_tells_the_order_from_short_years_too() -> None:
    survey = survey_dates(pl.Series(["31/01/48", "01/02/48", "1990-05-04", "31172", None]))
    assert (survey.evidence.n_day_first, survey.evidence.n_either, survey.evidence.n_year_last) == (1, 1, 2)
    assert survey.evidence.day_first
    assert survey.day_first.tolist() == [20480131, 20480201, 19900504, 19850505, 0]
    assert survey.month_first.tolist() == [20480131, 20480102, 19900504, 19850505, 0]
    years_first = survey_dates(pl.Series(["48-11-03", "05-11-03"])).evidence
    assert years_first.short_year_first
    assert not survey.evidence.short_year_first
