"""How common each difficulty is in each profile: ranges, of which every seed draws a number.

This table is the one place where they stand; `docs/reference/made-persons.md` explains them and is checked against it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.made_records.draws import Draws
from core.made_records.persons.profiles import PROFILES

Rates = Mapping[str, float]

# rate | families | registry | crm | international: lowest-highest, in percent
_TABLE = """
in families        | 75-95  | 45-65  | 30-50  | 40-70
room-mates         | 2-6    | 3-10   | 5-15   | 3-12
lodger             | 2-8    | 2-6    | 1-4    | 2-8
relatives near     | 15-40  | 5-15   | 2-10   | 5-25
shared mailbox     | 25-60  | 5-20   | 10-30  | 10-30
shared telephone   | 40-80  | 25-60  | 15-40  | 20-60
father and son     | 15-35  | 3-8    | 2-6    | 2-10
twins              | 4-12   | 2-4    | 1-3    | 2-4
newborn unnamed    | 5-30   | 5-20   | 0-1    | 0-5
suffix written     | 20-70  | 20-70  | 10-40  | 10-40
namesake in town   | 1-4    | 1-5    | 0.5-2  | 1-5
institution        | 0.5-2  | 3-10   | 5-15   | 1-5
spouse renamed     | 55-85  | 55-85  | 50-80  | 40-75
remarried          | 3-10   | 2-8    | 2-6    | 1-5
two surnames       | 2-8    | 1-5    | 1-5    | 1-5
moved              | 8-20   | 8-25   | 15-35  | 10-30
middle name        | 60-90  | 70-95  | 20-50  | 20-60
middle full        | 10-35  | 30-60  | 5-15   | 10-30
middle initial     | 20-50  | 20-40  | 10-30  | 10-30
nickname           | 3-10   | 1-4    | 8-20   | 2-6
title              | 0-1    | 0-1    | 2-8    | 0-2
other spelling     | 3-10   | 5-15   | 3-10   | 15-40
own script         | 0-1    | 0-1    | 0-1    | 3-12
names swapped      | 0.3-1.5| 0.5-2  | 1-4    | 1-4
second number      | 15-40  | 10-30  | 25-50  | 15-40
numbers in one cell| 0-1    | 0-2    | 2-8    | 0-3
day unknown        | 0.5-3  | 3-12   | 1-6    | 2-10
born 1 January     | 0-0.5  | 0.5-3  | 0-0.5  | 4-15
date placeholder   | 0.1-0.5| 0.2-1  | 1-6    | 0.5-2
day and month      | 0.3-1.5| 0.5-2  | 0.3-2  | 1-4
slip               | 10-25  | 8-20   | 12-30  | 10-25
second slip        | 10-25  | 10-25  | 15-35  | 10-25
misread            | 0-2    | 5-15   | 0-2    | 1-4
street written out | 5-25   | 5-25   | 10-40  | 5-25
capitals           | 1-5    | 5-30   | 2-8    | 2-10
absent ssn         | 80-100 | 5-20   | 92-99  | 60-95
absent dob         | 2-10   | 0.5-3  | 40-70  | 3-15
absent phone       | 10-25  | 25-55  | 10-30  | 15-35
absent email       | 15-40  | 50-80  | 8-25   | 25-50
absent street      | 1-5    | 1-5    | 8-25   | 2-10
absent city        | 0.5-2  | 0.5-2  | 3-12   | 1-5
absent state       | 0.5-2  | 0.5-2  | 3-12   | 1-5
absent zip         | 1-4    | 1-4    | 8-20   | 2-8
"""

# Shares of the naming customs: English first, then in the order of `customs.CUSTOMS`.
MIXES: Mapping[str, tuple[float, ...]] = {
    "families": (88, 3, 2, 1, 1, 2, 1.5, 1.5),
    "registry": (80, 5, 3, 2, 2, 4, 2, 2),
    "crm": (78, 5, 3, 3, 2, 3, 3, 3),
    "international": (12, 14, 12, 13, 13, 12, 13, 11),
}


def _ranges() -> dict[str, dict[str, tuple[float, float]]]:
    ranges: dict[str, dict[str, tuple[float, float]]] = {profile: {} for profile in PROFILES[1:]}
    for line in _TABLE.strip().splitlines():
        name, *columns = (part.strip() for part in line.split("|"))
        for profile, column in zip(PROFILES[1:], columns, strict=True):
            low, high = map(float, column.split("-"))
            ranges[profile][name] = (low / 100, high / 100)
    return ranges


RANGES = _ranges()


def drawn_rates(profile: str, seed: int) -> dict[str, float]:
    """Every rate of the profile as this seed has it: uniform between its bounds, from 0 to 1; `plain` has none."""
    draws, nobody = Draws(seed), np.zeros(1, dtype=np.int64)
    return {
        name: low + float(draws.unit(f"{profile}: rate of {name}", nobody)[0]) * (high - low)
        for name, (low, high) in RANGES.get(profile, {}).items()
    }
