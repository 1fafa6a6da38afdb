"""Numbers as people write them."""

from __future__ import annotations

import polars as pl
import pytest

from core.matching.specs.spec import FieldSpec
from core.matching.standardise.normalise import normalise_field
from core.matching.standardise.numbers import count_forms, with_comma

FIELD = FieldSpec(name="amount", kind="number")

TOLD = {
    "12": 12,
    "1234.5": 1234.5,
    "1234.0": 1234,
    "-7": -7,
    "1e3": 1000,
    "1.234,56": 1234.56,
    "1,234.56": 1234.56,
    "1 234,5": 1234.5,
    "1\u202f234,5": 1234.5,
    "1'234": 1234,
    "1’234.50": 1234.5,
    "1_000": 1000,
    "12,5": 12.5,
    "0,125": 0.125,
    ",5": 0.5,
    "1234,567": 1234.567,
    "1.234.567": 1234567,
    "1,234,567": 1234567,
    "1,23,456": 123456,
    "1.234.567,89": 1234567.89,
    "€ 12,50": 12.5,
    "12,50 €": 12.5,
    "$1,234.50": 1234.5,
    "-$5.25": -5.25,
    "US$ 3.50": 3.5,
    "1.234,00 EUR": 1234,
    "CHF 1'234.–": 1234,
    "12,-": 12,
    "7 %": 7,
    "7,5%": 7.5,
    "(1,234.50)": -1234.5,
    "12,50-": -12.5,
    "−3": -3,
    "zł 3,20": 3.2,
}


def numbers(texts: list[str]) -> list[float | None]:
    return normalise_field(pl.Series("amount", texts), FIELD).to_list()


def test_numbers_are_read_as_they_are_written() -> None:
    assert dict(zip(TOLD, numbers(list(TOLD)), strict=True)) == pytest.approx(TOLD, rel=1e-6)


def test_what_is_no_number_is_missing() -> None:
    assert (
        numbers(["", "abc", "12 abc", "nan", "inf", "-", "1-2", "€", "1.2.3", "4 mai", "12/5", "1,2.3,4"])
        == [None] * 12
    )


def test_a_group_of_three_behind_one_sign_is_read_as_the_column_has_it() -> None:
    texts = ["1.234", "1,234", "12,5", "999", "1.234,50 €"]

    assert numbers(texts)[:2] == pytest.approx([1.234, 1234])
    read = with_comma(pl.Series("amount", texts))
    assert numbers(read.to_list()) == pytest.approx([1234, 1.234, 12.5, 999, 1234.5])


def test_count_forms_counts_what_tells_and_what_does_not() -> None:
    texts = pl.Series(["1.234", "1,234", "12,5", "1.234,5", "7.5", "1,234,567", "999", None, "text, and more."])

    assert count_forms(texts) == (2, 2, 2)
