"""Gases and what a kilogram of each warms over 100 years, by assessment report of the IPCC."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

from core.errors import InputError

_TABLE: Final = Path(__file__).with_name("gases.csv")
GWP_SETS: Final = ("AR4", "AR5", "AR6")
"""AR4: IPCC (2007) table 2.14. AR5: IPCC (2013) table 8.A.1, no feedbacks. AR6: IPCC (2021) tables 7.15, 7.SM.7."""
UNSPECIFIED: Final = "HFCs and PFCs, unspecified"
"""Is kg CO2e already, and stays as it is under any set."""


def gwp(gas: str, gwp_set: str) -> Fraction:
    """kg CO2e a kg, over 100 years.

    Raises InputError: a gas outside the table (such as an HCFC, which Kyoto does not count), one that the set has no
    value for, or no such set.
    """
    if gwp_set not in GWP_SETS:
        raise InputError(f"there is no GWP set {gwp_set!r}; there are {', '.join(GWP_SETS)}", gwp_set=gwp_set)
    found = _by_name().get(_folded(gas))
    if found is None:
        raise InputError(f"{gas!r} is no gas of the Kyoto basket that is known here", gas=gas)
    value = found[gwp_set]
    if not value:
        raise InputError(f"{gwp_set} gives no GWP for {gas!r}", gas=gas, gwp_set=gwp_set)
    return Fraction(value)


def co2e(masses: Mapping[str, Fraction], gwp_set: str) -> Fraction:
    """kg CO2e of masses in kg by gas; what is `UNSPECIFIED` is added as it is. Raises InputError: as `gwp`."""
    return sum(
        (kg if gas == UNSPECIFIED else kg * gwp(gas, gwp_set) for gas, kg in masses.items()),
        Fraction(0),
    )


def _folded(name: str) -> str:
    """Letters and digits only: HFC-134a, hfc_134a and HFC134a are one gas, and so are sulphur and sulfur."""
    return re.sub(r"[^a-z0-9]", "", name.casefold()).replace("sulph", "sulf")


@cache
def _by_name() -> dict[str, dict[str, str]]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {_folded(name): row for row in csv.DictReader(file) for name in (row["gas"], *row["names"].split("|"))}
