"""Minor units against `Decimal`, which knows what a decimal text says."""

from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.currencies import MINOR_MAX, to_minor, to_text

EXPONENTS = st.integers(0, 4)


@given(st.lists(st.tuples(st.integers(-MINOR_MAX, MINOR_MAX), EXPONENTS), min_size=1, max_size=20))
def test_to_text_says_what_decimal_says_and_comes_back(rows: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(rows, schema={"minor": pl.Int64, "exponent": pl.Int8}, orient="row")
    frame = frame.with_columns(text=to_text(pl.col("minor"), pl.col("exponent")))
    assert [Decimal(text) for text in frame["text"]] == [Decimal(minor).scaleb(-exponent) for minor, exponent in rows]
    back = frame.select(to_minor(pl.col("text"), pl.col("exponent"))).to_series()
    assert back.to_list() == frame["minor"].to_list()


SIGNS, DIGITS = st.sampled_from(["", "+", "-"]), st.integers(0, 10**18 - 1)
FRACTIONS = st.sampled_from(["", ".", ".0", ".5", ".25", ".250", ".125", ".0001", ".00010", ".000001"])
NUMBERS = st.builds(lambda sign, whole, fraction: f"{sign}{whole}{fraction}", SIGNS, DIGITS, FRACTIONS)


@given(st.lists(NUMBERS, min_size=1, max_size=20), EXPONENTS)
def test_to_minor_reads_a_text_exactly_or_not_at_all(texts: list[str], exponent: int) -> None:
    minors = [Decimal(text).scaleb(exponent) for text in texts]
    exact = [int(minor) if minor == int(minor) and abs(minor) <= MINOR_MAX else None for minor in minors]
    assert pl.DataFrame({"text": texts}).select(to_minor(pl.col("text"), exponent)).to_series().to_list() == exact
