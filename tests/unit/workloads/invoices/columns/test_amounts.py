"""Amounts read to the minor unit, or not at all."""

from __future__ import annotations

import polars as pl
import pytest

from core.workloads.invoices.columns.amounts import fault_of, read_amounts


def read(texts: list[str | None], currency: str = "EUR", decimal: str | None = None) -> list[int | None]:
    column = pl.Series("amount", texts, dtype=pl.String)
    return read_amounts(column, pl.Series([currency] * len(texts)), decimal).to_list()


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1.234,56", 123_456),
        ("(12.00)", -1_200),
        ("12-", -1_200),
        ("12.50-", -1_250),
        ("1 234.56", 123_456),
        ("1\u00a0234,56", 123_456),
        ("1'234.56", 123_456),
        ("-1,234.56", -123_456),
        ("EUR 5", 500),
        ("5 €", 500),
        ("−12.00", -1_200),
        ("EUR 1'234.50", 123_450),
        ("1.234.567", 123_456_700),
        ("0.30000000000000004", 30),
        ("1234.5", 123_450),
        ("-€5.10", -510),
        ("+7.10", 710),
        (".5", 50),
        ("1,234,567", 123_456_700),
        ("12,34,567.00", 123_456_700),
        ("7.", 700),
        ("12.3000000000000007", 1_230),
    ],
)
def test_read_amounts_reads_what_people_write(text: str, minor: int) -> None:
    assert read([text]) == [minor]


@pytest.mark.parametrize(
    "text",
    [
        "1.005",
        "1e20",
        "abc",
        "1.2.3,4",
        "--5",
        "12.34.56",
        "99999999999999999",
        "1.234",
        "(-12.00)",
        "-12-",
        "+-12",
        "(12",
        "12)",
        "0.3000011",
        "1.2,3.4",
        "0.567",
        "",
    ],
)
def test_read_amounts_reads_nothing_where_it_is_not_sure(text: str) -> None:
    assert read(["0.50", text]) == [50, None]


def test_read_amounts_takes_the_mark_of_its_column() -> None:
    assert read(["1.234", "0,50", "2.000,00"]) == [123_400, 50, 200_000]
    assert read(["1,234", "0.50"]) == [123_400, 50]
    assert read(["1.234"]) == [None]
    assert read(["1.234"], decimal=",") == [123_400]
    assert read(["5"], currency="XXX") == [None]


def test_read_amounts_takes_the_mark_of_a_value_before_that_of_its_column() -> None:
    assert read(["1.234,56", "12.50", "1.234"]) == [123_456, 1_250, None]
    assert read(["12,50", "12.50", "1,234"]) == [1_250, 1_250, None]
    assert read(["12,50", "12.50"], decimal=".") == [None, 1_250]


def test_read_amounts_knows_currencies_of_no_and_of_three_decimals() -> None:
    assert read(["1,234"], currency="KWD") == [None]
    assert read(["1.234", "5.5"], currency="KWD") == [1_234, 5_500]
    assert read(["1.234"], currency="KWD") == [1_234]
    assert read(["1500", None], currency="JPY") == [1_500, None]
    assert read(["15.5"], currency="JPY") == [None]


@pytest.mark.parametrize(
    ("text", "decimal", "says"),
    [
        ("12.345", None, "two ways"),
        ("12.345", ".", "more decimals than EUR has (2)"),
        ("0.001", None, "more decimals than EUR has (2)"),
        ("12.3456789", None, "more decimals than EUR has (2)"),
        ("100000000000000000.00", None, "beyond what is counted"),
        ("1e20", None, "is no amount"),
        ("(12", None, "is no amount"),
    ],
)
def test_fault_of_says_why_a_text_is_no_amount(text: str, decimal: str | None, says: str) -> None:
    assert says in fault_of(text, "EUR", decimal)
