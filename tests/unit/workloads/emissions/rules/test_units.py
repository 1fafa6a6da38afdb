"""Units: exact sizes, dimensions kept apart, and no guess at unclear spellings."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import pytest

from core.errors import InputError
from core.workloads.emissions.rules.units import ratio, spellings, unit_of


@pytest.mark.parametrize(
    ("given", "wanted", "size"),
    [
        ("short_ton", "kg", "907.18474"),
        ("oil_barrel", "L", "158.987294928"),
        ("therm", "MJ_gross", "105.4804"),
        ("short ton-mile", "t*km", "1.4599682159"),
        ("million litres", "m3", "1000"),
        ("W*h", "kWh", "0.001"),
        ("kgCO2e/(kg*km)", "kgCO2e/(t*km)", "1000"),
        ("KWH", "kWh", "1"),
    ],
)
def test_ratio_is_exact(given: str, wanted: str, size: str) -> None:
    assert abs(ratio(unit_of(given), unit_of(wanted), given) - Fraction(size)) < Fraction(1, 10**10)


@pytest.mark.parametrize(
    "text",
    ["ton", "Tons", "gallon", "bbl", "mt", "MT", "M", "Mg", "Ml", "mj", "mwh", "T", "furlong", "", "kg*", "(kg", "kg)"],
)
def test_unclear_or_unknown_unit_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="the unit"):
        unit_of(text)


def test_each_dimension_is_converted_into_no_other() -> None:
    one_each = {unit_of(text).dimension: unit_of(text) for text in (*spellings(), "USD", "EUR")}
    for left, right in permutations(one_each.values(), 2):
        with pytest.raises(InputError, match="cannot be converted"):
            ratio(left, right, "it")


def test_refusal_names_both_dimensions() -> None:
    with pytest.raises(InputError, match=r"a trip is a length\*passenger, not a length\*vehicle"):
        ratio(unit_of("passenger.km"), unit_of("vehicle.km"), "a trip")
