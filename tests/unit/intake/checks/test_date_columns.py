"""Columns of dates as people have them: what cannot be read costs the value, not the person, and is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError, RowError
from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.intake.source import Source, open_source

DOB = FieldHint("dob", "date")
NOW = 20260615
WHOLE = [f"19{year}-0{month}-1{day}" for year in (41, 55, 68, 79, 83) for month in (2, 5) for day in (1, 3)]


def opened(dates: list[str], folder: Path, **options: object) -> Source:
    path = folder / "in.csv"
    path.write_text("id,dob\n" + "".join(f"{row},{date}\n" for row, date in enumerate(dates)), encoding="utf-8")
    asked: dict[str, Any] = {"id_column": "id", "fields": (DOB,), "years_until": NOW, **options}
    return open_source(Opening(path, staging_dir=folder / "staging", **asked))


def dates_of(source: Source) -> list[str | None]:
    return source.read(0, source.rows)["dob"].to_list()


def test_dates_that_do_not_exist_are_kept_and_counted(tmp_path: Path) -> None:
    source = opened(["31/02/1990", "13/01/1990", "1990-13-45", *WHOLE], tmp_path)
    assert dates_of(source)[:3] == ["31/02/1990", "13/01/1990", "1990-13-45"]
    assert source.notices == ("in.csv: dob: 2 dates do not exist; their digits are compared (e.g. line 2)",)
    assert source.quarantined == 0


def test_dates_that_do_not_exist_are_missing_where_no_level_counts_digits(tmp_path: Path) -> None:
    source = opened(["31/02/1990", *WHOLE], tmp_path, fields=(FieldHint("dob", "date", digits_count=False),))
    assert dates_of(source) == [None, *WHOLE]
    assert "1 dates do not exist; taken as missing" in source.notices[0]


@pytest.mark.parametrize("value", ["31/02/1990", "4 marraskuuta 1985", "soon"])
def test_bad_values_refuse_ends_at_the_first(value: str, tmp_path: Path) -> None:
    with pytest.raises(RowError, match="line 4, column 'dob': has a date that does not exist or cannot be read"):
        opened(["1990-01-01", "n/a", value, "1991-01-01"], tmp_path, bad_values="refuse")
    source = opened(["1990-01-01", value], tmp_path, bad_values="refuse", bad_rows="quarantine")
    assert (source.rows, source.quarantined) == (1, 1)


def test_zero_dates_are_missing_and_no_fault(tmp_path: Path) -> None:
    source = opened(["0000-00-00", "00/00/0000", *WHOLE[:2]], tmp_path, bad_values="refuse")
    assert source.notices == ("in.csv: dob: 2 values stand for no date; taken as missing (e.g. line 2)",)


@pytest.mark.parametrize(
    ("values", "look"),
    [
        (["(898) 555-2483", "898 555 2484", "8985552485"], "telephone numbers"),
        (["Salem", "Dover", "Torino"], "text"),
        (["31172", "31173", "31174"], "day numbers of a spreadsheet"),
        (["04051985", "31121990", "5111985"], "dates without separators, day or month first"),
        (["a@b.org", "b@b.org", "c@b.org"], "e-mail addresses"),
    ],
)
def test_column_that_holds_something_else_is_refused(values: list[str], look: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"column 'dob': 3 of 8 values are no dates.*line 7; they look like {look}"):
        opened([*WHOLE[:5], *values, "unknown", ""], tmp_path)


def test_two_digit_years_are_read_as_the_latest_that_are_past(tmp_path: Path) -> None:
    source = opened(["26/07/06", "14/06/26", "16/06/26", "03/11/48", "4 mai 85", "31/02/48"], tmp_path)
    assert dates_of(source) == ["26/07/2006", "14/06/2026", "16/06/1926", "03/11/1948", "4 mai 1985", "31/02/1948"]
    assert source.date_order == {"dob": True}
    assert "5 years have two digits; read as no later than 2026-06-15 (`year_pivot`" in source.notices[-1]


def test_two_digit_years_are_read_from_a_pivot_and_may_stand_in_front(tmp_path: Path) -> None:
    source = opened(["48-11-03", "29-01-02", "30-01-02"], tmp_path, years_until=2029_1231)
    assert dates_of(source) == ["1948-11-03", "2029-01-02", "1930-01-02"]
    assert "read as 1930 to 2029" in source.notices[-1]


def test_day_numbers_are_read_where_most_values_are(tmp_path: Path) -> None:
    source = opened(["31172", "31173.0", "31174.75", "", "1985", "12/05/1985"], tmp_path)
    assert dates_of(source) == ["1985-05-05", "1985-05-06", "1985-05-07", None, "1985", "12/05/1985"]
    assert "3 values are day numbers of a spreadsheet" in source.notices[-1]


@pytest.mark.parametrize(
    ("form", "left"),
    [("{}-01-01", "1950"), ("01/01/{}", "1950"), ("31.12.{}", "1950"), ("July 1st {}", "1950")],
)
def test_day_that_stands_far_too_often_is_not_known(form: str, left: str, tmp_path: Path) -> None:
    often = [form.format(year) for year in range(1950, 1962)]
    source = opened([*WHOLE, *often], tmp_path)
    assert dates_of(source) == [*WHOLE, *map(str, range(int(left), 1962))]
    assert "stands far too often; taken as a day not known, and compared by its year" in source.notices[-1]


def test_first_of_the_month_that_stands_far_too_often_is_not_known(tmp_path: Path) -> None:
    often = [f"19{50 + month}-{month:02d}-01" for month in range(1, 13)]
    source = opened([*WHOLE, *often], tmp_path)
    assert dates_of(source) == [*WHOLE, *(date[:7] for date in often)]
    assert "day 1 of months stands far too often" in source.notices[-1]


def test_family_with_one_birthday_is_no_unknown_day(tmp_path: Path) -> None:
    source = opened([*WHOLE, *["1990-01-01"] * 12], tmp_path)
    assert dates_of(source)[-1] == "1990-01-01"
    assert source.notices == ()


def test_readings_decided_before_are_used_and_survive_json(tmp_path: Path) -> None:
    base = opened(["03/11/48", "13/11/48", *["01/01/" + str(year) for year in range(1950, 1962)]], tmp_path)
    again = Source.from_dict(base.to_dict())
    assert again == base
    few = opened(["05/12/48", "01/01/1970"], tmp_path, readings=again.readings, years_until=19990101)
    assert dates_of(few) == ["05/12/1948", "1970"]
