"""What made lines must come to, in fractions, straight from the starter's files: shares no code with the inventory."""

from __future__ import annotations

import csv
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

_STARTER: Final = Path(__file__).parents[1] / "factors" / "starter"
_PRICE_YEAR: Final = 2022


def spend_kg(net: Fraction, currency: str, year: int, code: str) -> Fraction:
    """kg of a net amount: at the year's mean rate to USD, in prices of 2022, times EPA's factor with margins."""
    euros = net if currency == "EUR" else net / _rates()[year, currency]
    dollars = net if currency == "USD" else euros * _rates()[year, "USD"]
    indices = _indices()
    return dollars * indices[_PRICE_YEAR] / indices[year] * Fraction(_figures("epa_supply_chain")[code][1])


def activity_kg(quantity: Fraction, code: str) -> Fraction:
    """kg of a quantity in the unit of DESNZ's row."""
    return quantity * Fraction(_figures("desnz")[code][1])


def rounded(kg: Fraction) -> str:
    """kg to whole milligrams, half to even, all six places."""
    mass = round(kg * 1_000_000)
    digits = f"{abs(mass):07d}"
    return ("-" if mass < 0 else "") + f"{digits[:-6]}.{digits[-6:]}"


def spend_codes() -> list[str]:
    """EPA's codes of the starter, in order."""
    return sorted(_figures("epa_supply_chain"))


def activity_rows() -> list[tuple[str, str]]:
    """DESNZ's rows of the starter: code and unit, in order."""
    return sorted((code, unit) for code, (unit, _) in _figures("desnz").items())


@cache
def _figures(name: str) -> dict[str, tuple[str, str]]:
    return {row["code"]: (row["unit"], row["value"]) for row in _rows(f"{name}.csv")}


@cache
def _rates() -> dict[tuple[int, str], Fraction]:
    """How much of a currency one euro was, in the mean of a year."""
    return {(int(row["period"]), row["quote"]): Fraction(row["rate"]) for row in _rows("fx.csv")}


@cache
def _indices() -> dict[int, Fraction]:
    return {int(row["year"]): Fraction(row["index"]) for row in _rows("prices.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    with (_STARTER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
