from __future__ import annotations

import polars as pl
import pytest

from core.intake.checks.column_facts import facts_of

N = range(60)
LOOKS = {
    "nothing": [None] * 60,
    "one value": ["yes"] * 60,
    "e-mail": [f"ann{n}@example.org" for n in N],
    "website": [f"https://site{n}.example" for n in N],
    "date": [f"{n % 28 + 1:02d}.{n % 12 + 1:02d}.19{n + 30}" for n in N],
    "year": [str(1950 + n) for n in N],
    "telephone": [f"+49 30 {7000 + n}-{n:02d}" for n in N],
    "number": [f"{n * 1.37:.2f}" for n in N],
    "digits": [str(40_000_017 + 7_919 * n) for n in N],
    "identifier": [f"K{n * 37:04d}" for n in N],
    "category": ["red", "green", "blue"] * 20,
    "words": [f"{one} lamp {two}" for one in "abcdef" for two in "rstuvwxyzk"],
}


@pytest.mark.parametrize("look", LOOKS)
def test_column_is_told_by_its_values(look: str) -> None:
    assert facts_of(pl.Series("any", LOOKS[look], dtype=pl.String)).look == look


def test_tax_numbers_with_their_country_are_identifiers() -> None:
    assert facts_of(pl.Series("vat", [f"DE {123_456_000 + 31 * n}" for n in N])).look == "identifier"


def test_lengths_of_songs_name_none() -> None:
    assert facts_of(pl.Series("length", [f"{n % 7 + 1}:{n % 60:02d}" for n in N])).look == "code"
    assert facts_of(pl.Series("seconds", [str(100 + 3 * n) for n in N])).look == "code"


def test_counts_are_of_all_rows_and_hold_no_value() -> None:
    facts = facts_of(pl.Series("town", ["Bath", None, "Bath", "Dover"]))
    assert (facts.rows, facts.filled, facts.distinct, facts.names_each) == (4, 3, 2, False)
    assert facts.says == "75% filled, 2 distinct"
