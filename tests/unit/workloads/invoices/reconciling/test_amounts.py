"""Amounts read to the minor unit, or not at all."""

from __future__ import annotations

import polars as pl
import pytest

from core.workloads.invoices.reconciling.amounts import decimal_mark, read_amounts


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


@pytest.mark.parametrize("text", ["1.005", "1e20", "abc", "1.2.3,4", "--5", "12.34.56", "99999999999999999", "1.234"])
def test_read_amounts_reads_nothing_where_it_is_not_sure(text: str) -> None:
    assert read(["0.50", text]) == [50, None]


def test_read_amounts_takes_the_mark_of_its_column() -> None:
    assert read(["1.234", "0,50", "2.000,00"]) == [123_400, 50, 200_000]
    assert read(["1,234", "0.50"]) == [123_400, 50]
    assert read(["1.234"]) == [None]
    assert read(["1.234"], decimal=",") == [123_400]
    assert read(["1.234", "5.5"], currency="KWD") == [1_234, 5_500]
    assert read(["1.234"], currency="KWD") == [1_234]
    assert read(["1500", None], currency="JPY") == [1_500, None]
    assert read(["15.5"], currency="JPY") == [None]


def test_decimal_mark_is_what_most_values_show() -> None:
    assert decimal_mark(pl.Series(["1.234,56", "7"])) == ","
    assert decimal_mark(pl.Series(["1,234.56"])) == "."
    assert decimal_mark(pl.Series(["1.234", "5"])) is None
