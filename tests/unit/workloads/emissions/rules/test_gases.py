"""GWPs by report, and masses put under them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from core.errors import InputError
from core.workloads.emissions.rules.gases import UNSPECIFIED, co2e, gwp


@pytest.mark.parametrize(
    ("gas", "ar4", "ar5", "ar6"),
    [
        ("Methane", "25", "28", "27.9"),
        ("nitrous_oxide", "298", "265", "273"),
        ("Sulfur hexafluoride", "22800", "23500", "25200"),
        ("HFC-134a", "1430", "1300", "1530"),
        ("hfc_143a", "4470", "4800", "5810"),
    ],
)
def test_gwp_of_three_reports(gas: str, ar4: str, ar5: str, ar6: str) -> None:
    assert [gwp(gas, name) for name in ("AR4", "AR5", "AR6")] == [Fraction(text) for text in (ar4, ar5, ar6)]


def test_what_is_co2e_already_stays_under_any_set() -> None:
    masses = {"Methane": Fraction(2), UNSPECIFIED: Fraction(5)}
    assert [co2e(masses, name) for name in ("AR4", "AR6")] == [55, Fraction("60.8")]


def test_a_gas_outside_the_basket_and_a_set_without_value_are_refused() -> None:
    with pytest.raises(InputError, match="HCFC-22"):
        gwp("HCFC-22", "AR5")
    with pytest.raises(InputError, match="AR4 gives no GWP"):
        gwp("methane_fossil", "AR4")
    with pytest.raises(InputError, match="AR4, AR5, AR6"):
        gwp("Methane", "AR7")
