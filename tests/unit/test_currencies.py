"""Minor units: every form of a plain number, every number of decimals, and what is refused."""

import polars as pl
import pytest

from core.currencies import EXPONENTS, MINOR_MAX, amount_text, exponent_of, exponents, to_minor, to_text
from core.errors import InputError


def minor_of(texts: list[str | None], exponent: int | list[int | None]) -> list[int | None]:
    codes = exponent if isinstance(exponent, list) else [exponent] * len(texts)
    frame = pl.DataFrame({"text": texts, "exponent": codes}, schema={"text": pl.String, "exponent": pl.Int8})
    return frame.select(to_minor(pl.col("text"), pl.col("exponent"))).to_series().to_list()


def test_exponents_are_those_of_the_standard() -> None:
    assert [exponent_of(code) for code in ("JPY", "EUR", "KWD", "CLF")] == [0, 2, 3, 4]
    assert len(EXPONENTS) > 160
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)


def test_exponent_of_refuses_what_is_no_code() -> None:
    with pytest.raises(InputError, match="'eur' is no currency code"):
        exponent_of("eur")


def test_exponents_are_null_for_unknown_codes() -> None:
    codes = pl.DataFrame({"code": ["KWD", "JPY", "EURO", None]})
    assert codes.select(exponents(pl.col("code"))).to_series().to_list() == [3, 0, None, None]


def test_to_minor_reads_plain_numbers() -> None:
    assert minor_of(["12.50", "-12.5", "+7", "7.", "0", "-0.01", "007.10"], 2) == [1250, -1250, 700, 700, 0, -1, 710]
    assert minor_of(["12", "12.000", "1.234", "0.1"], [0, 0, 3, 3]) == [12, 12, 1234, 100]


def test_to_minor_refuses_what_it_cannot_say_exactly() -> None:
    refused = ["1.005", "1,50", "1e3", "", " 1", "1.2.3", "--1", ".5", "nan", "٣", "1\n", None]
    assert minor_of(refused, 2) == [None] * len(refused)
    assert minor_of(["1.5", "12"], [0, None]) == [None, None]


def test_to_minor_keeps_within_its_bound() -> None:
    assert minor_of([str(MINOR_MAX), f"-{MINOR_MAX}", str(MINOR_MAX + 1), "9" * 30], 0) == [
        MINOR_MAX,
        -MINOR_MAX,
        None,
        None,
    ]


def test_to_text_writes_all_decimals() -> None:
    frame = pl.DataFrame({"minor": [1250, -1, 0, 12, -1234, 5, None], "exponent": [2, 2, 2, 0, 3, 4, 2]})
    written = frame.select(to_text(pl.col("minor"), pl.col("exponent"))).to_series().to_list()
    assert written == ["12.50", "-0.01", "0.00", "12", "-1.234", "0.0005", None]


def test_to_minor_and_to_text_take_one_exponent_for_all() -> None:
    frame = pl.DataFrame({"text": ["1.20", "3"]})
    minor = frame.select(to_minor(pl.col("text"), 2).alias("minor"))
    assert minor["minor"].to_list() == [120, 300]
    assert minor.select(to_text(pl.col("minor"), 2)).to_series().to_list() == ["1.20", "3.00"]


def test_amount_text_is_exact_for_people() -> None:
    said = [amount_text(minor, "EUR") for minor in (0, 5, -5, 123_450, -123_456_789, MINOR_MAX)]
    assert said == ["0.00", "0.05", "-0.05", "1,234.50", "-1,234,567.89", "90,071,992,547,409.91"]
    assert [amount_text(1_234_567, code) for code in ("JPY", "KWD")] == ["1,234,567", "1,234.567"]
